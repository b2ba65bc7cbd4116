"""Handles of resources and files: what is fetched is verified, and has its name only when it is whole."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote
from zipfile import ZIP_DEFLATED, ZipFile

from connectomedb.client.bundles import unpack
from connectomedb.client.core import Core
from connectomedb.client.elements import Collection, Element, Row, texts
from connectomedb.errors import (
    ChecksumMismatch,
    ConfigurationError,
    NoSuchFile,
    NotFound,
    ServerFault,
    Truncated,
)
from connectomedb.vocabulary.hierarchy import Level
from connectomedb.vocabulary.uris import file_uri, level_uri

_UNSAID = "U"
_PACKED = {".zip": "zip", ".gz": "tar.gz", ".tgz": "tar.gz", ".tar": "tar"}


class Resource(Element):
    """A named set of files."""

    level: ClassVar[Level] = "resources"
    columns: ClassVar[tuple[str, ...]] = (
        "xnat_abstractresource_id",
        "label",
        "file_count",
        "file_size",
        "tags",
        "content",
        "format",
        "element_name",
        "category",
        "cat_id",
    )

    def datatype(self) -> str:
        """`xnat:resourceCatalog` as a rule."""
        return self._cell("element_name")

    def attributes(self) -> dict[str, str]:
        """All that its listing says of it."""
        return dict(self._found())

    def files(self, pattern: str = "*") -> Collection[File]:
        """Its files, or those whose path matches; a pattern's `*` reaches across folders."""

        def walk() -> Iterator[File]:
            for row in _file_rows(self._core, self):
                if fnmatchcase(row["path"], pattern):
                    yield File(self._core, self, row["path"], row)

        return Collection(self._core, File, walk)

    def file(self, name: str) -> File:
        """One file by its path."""
        return File(self._core, self, str(name).strip("/"))

    def get(self, dest_dir: str | Path | None = None, extract: bool = False) -> Any:
        """Fetch all its files into a folder, as one zip or, with `extract`, one by one.

        Gives    the path of the zip, or those of the files
        """
        folder = Path(dest_dir) if dest_dir is not None else Path.home() / "Downloads"
        folder.mkdir(parents=True, exist_ok=True)
        name = self.label() or self.id()
        with tempfile.TemporaryDirectory(dir=folder, prefix=".resource-") as scratch:
            packed = Path(scratch, "all.zip")
            self._core.fetch(level_uri(self.uri, "files"), packed, {"format": "zip"})
            root = Path(scratch, name)
            made = unpack(packed, root, after="files")
            if extract:
                target = folder / name
                found = []
                for path in made:
                    place = target / path.relative_to(root)
                    place.parent.mkdir(parents=True, exist_ok=True)
                    path.replace(place)
                    found.append(str(place))
                return found
            again = Path(scratch, "again.zip")
            with ZipFile(again, "w", ZIP_DEFLATED) as out:
                for path in made:
                    out.write(path, path.relative_to(root.parent).as_posix())
            target = folder / f"{name}.zip"
            again.replace(target)
        return str(target)

    def put(
        self, sources: Sequence[str | Path], overwrite: bool = False, extract: bool = True, **datatypes: str
    ) -> Resource:
        """Send several files; the resource is made when it is not there. `extract` is about packed ones."""
        for source in sources:
            path = _existing(source)
            if extract and _packed_as(path):
                self.put_zip(path, overwrite, True, **datatypes)
            else:
                self.file(path.name).put(path, overwrite=overwrite)
        return self

    batch_insert = put

    def put_zip(
        self, zip_location: str | Path, overwrite: bool = False, extract: bool = True, **datatypes: str
    ) -> Resource:
        """Send a zip or tar, which the server unpacks, or keeps as it is without `extract`."""
        path = _existing(zip_location)
        if not _packed_as(path):
            raise ConfigurationError(f"{path} is none of {', '.join(sorted(_PACKED))}; send it with put([…])")
        self._made(datatypes)
        asked = {"overwrite": "true" if overwrite else "false", "inbody": "true"}
        if extract:
            asked["extract"] = "true"
        self._core.send("PUT" if overwrite else "POST", self.file(path.name).uri, asked, path)
        self.refresh()
        return self

    zip_insert = put_zip

    def put_dir(
        self, src_dir: str | Path, overwrite: bool = False, extract: bool = True, **datatypes: str
    ) -> Resource:
        """Send a folder with all that is in it, as one zip that the server unpacks."""
        root = Path(src_dir)
        if not root.is_dir():
            raise ConfigurationError(f"there is no folder {root}")
        with tempfile.TemporaryDirectory() as scratch:
            packed = Path(scratch, f"{root.name or 'files'}.zip")
            with ZipFile(packed, "w", ZIP_DEFLATED) as out:
                for path in sorted(p for p in root.rglob("*") if p.is_file()):
                    out.write(path, path.relative_to(root).as_posix())
            return self.put_zip(packed, overwrite, extract, **datatypes)

    dir_insert = put_dir

    def _made(self, types: dict[str, str]) -> None:
        if not self.exists(consistent=True):
            self.create(**types)


class InResource(Resource):
    """A resource that something was made from."""

    level: ClassVar[Level] = "in_resources"


class OutResource(Resource):
    """A resource that was made."""

    level: ClassVar[Level] = "out_resources"


class File(Element):
    """One file of a resource, by its path."""

    level: ClassVar[Level] = "files"
    columns: ClassVar[tuple[str, ...]] = (
        "Name",
        "Size",
        "URI",
        "file_tags",
        "file_format",
        "file_content",
        "digest",
    )
    no_such: ClassVar[type[NotFound]] = NoSuchFile

    @property
    def uri(self) -> str:
        """The path on the server."""
        return file_uri(self._collection_uri, self._name)

    def id(self) -> str:
        """Its path in the resource."""
        return self._cell("path")

    def label(self) -> str:
        """Its path in the resource."""
        return self.id()

    def datatype(self) -> str:
        """Empty: a file has no data type."""
        return ""

    def attributes(self) -> dict[str, str]:
        """All that its listing says of it."""
        return dict(self._found())

    def size(self) -> str:
        """Bytes, as text."""
        return self._cell("Size")

    def labels(self) -> str:
        """Its tags."""
        return self._cell("file_tags")

    def format(self) -> str:
        """Its format."""
        return self._cell("file_format")

    def content(self) -> str:
        """What it holds."""
        return self._cell("file_content")

    def last_modified(self) -> str:
        """When it was changed last."""
        response = self._core.send("HEAD", self.uri)
        if "last-modified" not in response.headers:
            raise ServerFault(f"{self.uri} does not say when it was changed last", url=self.uri)
        return response.headers["last-modified"]

    def get(self, dest: str | Path | None = None) -> str:  # type: ignore[override]  # pyxnat's: the file, not a document
        """Fetch it to `dest` (a path, or a folder that is there), `~/Downloads/<path>` else; gives the path.

        Raises   Truncated, ChecksumMismatch: what is not as the listing says gets no name
        """
        target = Path(dest) if dest is not None else Path.home() / "Downloads" / self._name
        if target.is_dir():
            target = target / Path(self._name).name
        row = self._found()
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".file-") as scratch:
            partial = Path(scratch, target.name)
            self._core.fetch(self.uri, partial)
            _compare(partial, row, self.uri)
            partial.replace(target)
        return str(target)

    get_copy = get

    def put(
        self,
        src: str | Path | bytes,
        format: str = _UNSAID,  # noqa: A002  # pyxnat's word
        content: str = _UNSAID,
        tags: str = _UNSAID,
        overwrite: bool = False,
        **datatypes: str,
    ) -> File:
        """Send a file, or what is given as bytes, or a text that is no path of a file."""
        body: bytes | Path = src if isinstance(src, bytes) else Path(src)
        if isinstance(src, str) and not _is_file(src):
            if "\n" not in src and len(src) < 400 and ("/" in src or Path(src).suffix):
                raise ConfigurationError(f"there is no file {src}; to send a text as it is, give it as bytes")
            body = src.encode("utf-8")
        elif isinstance(body, Path):
            body = _existing(body)
        resource = self._above
        assert isinstance(resource, Resource)
        resource._made(datatypes)
        asked = {"format": format, "content": content, "tags": tags}
        asked |= {"overwrite": "true" if overwrite else "false", "inbody": "true"}
        self._core.send("PUT", self.uri, asked, body)
        self.refresh()
        resource.refresh()
        return self

    insert = put  # type: ignore[assignment]  # pyxnat's names for one thing
    create = put  # type: ignore[assignment]  # as above

    def delete(self, delete_files: bool = True) -> None:
        """Delete it."""
        self._core.send("DELETE", self.uri)
        self.refresh()

    def _found(self) -> Row:
        if self._row is None:
            assert self._above is not None
            for row in _file_rows(self._core, self._above):
                if row["path"] == self._name:
                    self._row = row
                    break
            else:
                raise NoSuchFile(f"no file {self._name!r} under {self._above.uri}")
        return self._row


def _file_rows(core: Core, resource: Element) -> Iterator[Row]:
    """The listing of a resource's files, each with its `path`."""
    table = core.listing(level_uri(resource.uri, "files"), File.columns)
    for cells in table.as_dicts():
        row = texts(cells)
        _, found, path = row.get("URI", "").partition("/files/")
        yield row | {"path": _plain(path) if found else row["Name"]}


def _plain(path: str) -> str:
    """The path as it is; servers that encode it in the address say it with `%`."""
    return unquote(path) if "%" in path else path


def _compare(path: Path, row: Row, uri: str) -> None:
    """What came against what the listing says. Raises Truncated, ChecksumMismatch."""
    n_bytes = path.stat().st_size
    if row.get("Size", "").isdigit() and int(row["Size"]) != n_bytes:
        raise Truncated(f"{uri}: {n_bytes} bytes came, the listing says {row['Size']}; nothing was kept")
    digest = row.get("digest", "").lower()
    if len(digest) == 32:
        with path.open("rb") as source:
            found = hashlib.file_digest(source, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
        if found != digest:
            raise ChecksumMismatch(f"{uri}: got md5 {found}, the listing says {digest}; nothing was kept")


def _existing(source: str | Path) -> Path:
    path = Path(source)
    if not path.is_file():
        raise ConfigurationError(f"there is no file {path}")
    return path


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # too long for a path, or with a NUL: a text then
        return False


def _packed_as(path: Path) -> str:
    if path.name.endswith(".nii.gz"):
        return ""
    return _PACKED.get(path.suffix.lower(), "") if path.suffix != ".gz" or ".tar" in path.suffixes else ""

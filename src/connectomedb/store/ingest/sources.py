"""Documents one after the other, out of files, folders and archives; nothing is ever unpacked to disk.

A folder gives its own files before those below it, each by name, so that a subject comes before what is kept
under it. An archive is read as a stream; a member whose name leads out of it, that is no plain file, or that
is larger than any document, is refused unread.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Any

from connectomedb.errors import DocumentError
from connectomedb.schema.xml import MAX_BYTES
from connectomedb.store.ingest.journal import Stamp
from connectomedb.store.report import Refusal

SUFFIX = ".xml"
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
# XML shrinks to a twentieth or so; what grows more than this is made to fill a disk.
MOST_GROWTH, FREE_GROWTH_BYTES = 500, 1 << 30
_BLOCK = 512  # of a tar file
_UNPACK: Mapping[str, Callable[..., Any]] = {
    ".gz": gzip.open,
    ".tgz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
}
_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    NotImplementedError,
)

Refuse = Callable[[Refusal], None]


@dataclass(frozen=True, slots=True)
class Source:
    """One document that can be read: its name for people, its stamp for the journal.

    `read` works until the next source is asked for. Raises DocumentError when the bytes cannot be had.
    """

    name: str
    stamp: Stamp
    read: Callable[[], bytes]


def count_sources(paths: Sequence[Path]) -> int | None:
    """How many documents there are; None when only reading an archive to its end would tell."""
    n = 0
    for path in paths:
        if path.is_dir():
            n += sum(1 for _ in _walk(path))
        elif not _is_archive(path):
            n += 1
        elif path.suffix == ".zip" and zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                n += sum(name.endswith(SUFFIX) for name in archive.namelist())
        else:
            return None
    return n


def iter_sources(paths: Sequence[Path], refuse: Refuse) -> Iterator[Source]:
    """Every document of the files, folders and archives named, in order.

    Cost     memory for one document
    """
    for path in paths:
        if path.is_dir():
            for found in _walk(path):
                yield _file(found)
        elif not _is_archive(path):
            yield _file(path)
        else:
            members = _zip_members if path.suffix == ".zip" else _tar_members
            try:
                yield from members(path, refuse)
            except (*_BROKEN, DocumentError) as problem:
                refuse(Refusal(str(path), f"the archive is broken or cut short: {_said(problem)}"))


def _walk(folder: Path) -> Iterator[Path]:
    entries = sorted(folder.iterdir())
    for entry in entries:
        if entry.name.lower().endswith(SUFFIX) and entry.is_file():
            yield entry
    for entry in entries:
        # A link to a folder may lead back here.
        if entry.is_dir() and not entry.is_symlink() and not entry.name.startswith("."):
            yield from _walk(entry)


def _is_archive(path: Path) -> bool:
    return path.name.lower().endswith(ARCHIVES)


def _file(path: Path) -> Source:
    def read() -> bytes:
        try:
            if path.stat().st_size > MAX_BYTES:
                raise DocumentError(f"the file is larger than {MAX_BYTES} bytes; split it")
            return path.read_bytes()
        except OSError as problem:
            raise DocumentError(f"the file cannot be read ({problem.strerror})") from problem

    try:
        facts = path.stat()
    except OSError:
        return Source(str(path), Stamp(str(path.absolute()), 0, 0), read)
    return Source(str(path), Stamp(str(path.resolve()), facts.st_size, facts.st_mtime_ns), read)


def _zip_members(path: Path, refuse: Refuse) -> Iterator[Source]:
    with zipfile.ZipFile(path) as archive:
        budget = _Budget(path)
        for member in sorted(archive.infolist(), key=lambda m: _folder_order(m.filename)):
            if member.is_dir() or not member.filename.lower().endswith(SUFFIX):
                continue
            name = f"{path}!{member.filename}"
            if _leads_out(member.filename):
                refuse(Refusal(name, "the name leads out of the archive"))
            elif member.flag_bits & 1:
                refuse(Refusal(name, "it is encrypted; pack it without a password"))
            else:
                yield _member(path, member.filename, budget.reader(archive, member))


def _tar_members(path: Path, refuse: Refuse) -> Iterator[Source]:
    # Compression is undone here: the library's own way takes a file that is cut short for a whole one.
    unpack = _UNPACK.get(path.suffix, Path.open)
    with (
        unpack(path, "rb") as raw,
        _Watched(raw) as stream,
        closing(tarfile.open(fileobj=stream, mode="r|")) as archive,
    ):
        budget = _Budget(path)
        while (member := archive.next()) is not None:
            archive.members = []  # type: ignore[attr-defined]  # else the library remembers every member
            budget.spend(member.size)
            if member.isdir() or not member.name.lower().endswith(SUFFIX):
                continue
            name = f"{path}!{member.name}"
            if _leads_out(member.name):
                refuse(Refusal(name, "the name leads out of the archive"))
            elif not member.isreg():
                refuse(Refusal(name, "it is a link or a device, not a file"))
            else:
                content = archive.extractfile(member)
                assert content is not None, "a regular member has content"
                yield _member(path, member.name, _reader(content))
        if not stream.ended_well:
            raise tarfile.ReadError("its end is missing")


def _member(path: Path, name: str, read: Callable[[], bytes]) -> Source:
    return Source(f"{path}!{name}", Stamp(f"{path.resolve()}!{name}", 0, 0), read)


class _Watched(io.RawIOBase):
    """A stream that knows whether what was read of it ends with a tar file's empty block."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._n_bytes = 0
        self._last = b""

    @property
    def ended_well(self) -> bool:
        """The last whole block is empty, as the last of a tar file is."""
        return self._n_bytes % _BLOCK == 0 and self._last == bytes(_BLOCK)

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes."""
        data = self._stream.read(size)
        self._n_bytes += len(data)
        self._last = (self._last + data)[-_BLOCK:]
        return data


class _Budget:
    """How much an archive may still grow while it is read."""

    def __init__(self, path: Path) -> None:
        self._left = max(FREE_GROWTH_BYTES, MOST_GROWTH * path.stat().st_size)

    def spend(self, n_bytes: int) -> None:
        """Raises DocumentError when the archive holds more than any honest one."""
        self._left -= n_bytes
        if self._left < 0:
            raise DocumentError(f"the archive grows to more than {MOST_GROWTH} times its size; split it")

    def reader(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Callable[[], bytes]:
        """Reads one member of a zip file."""

        def read() -> bytes:
            self.spend(0)
            try:
                with archive.open(member) as content:
                    data = _reader(content)()
            except _BROKEN as problem:
                raise DocumentError(f"it is broken inside the archive ({_said(problem)})") from problem
            self.spend(len(data))
            return data

        return read


def _reader(content: IO[bytes]) -> Callable[[], bytes]:
    def read() -> bytes:
        # What the archive says about sizes is not believed.
        data = content.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise DocumentError(f"it is larger than {MAX_BYTES} bytes; split it")
        return data

    return read


def _leads_out(name: str) -> bool:
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    return (
        posix.is_absolute()
        or bool(windows.drive or windows.root)
        or ".." in windows.parts
        or any(not c.isprintable() for c in name)
    )


def _folder_order(name: str) -> tuple[tuple[int, str], ...]:
    """Files of a folder before those of the folders in it."""
    *folders, last = name.split("/")
    return (*((1, folder) for folder in folders), (0, last))


def _said(problem: Exception) -> str:
    return " ".join(str(problem).split()) or type(problem).__name__

"""Object stores and local folders behind one small interface; the only module that knows the store library.

    open_store("s3://bucket/prefix", endpoint="http://127.0.0.1:9000", access_key="…", secret_key="…")
    open_store("/data/mirror")   open_store("file:///data/mirror")   open_store("memory://")

Keys are relative to the opened location and use `/`. Buckets with dots in their name are addressed by path.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from connectomedb.errors import AccessDenied, ConfigurationError, ObjectMissing, TransferError

if TYPE_CHECKING:
    from obstore.store import ObjectStore as _Library

T = TypeVar("T")
CHUNK_BYTES = 1 << 20
_HEX = set("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One object: its key, its size in bytes, its ETag without quotes ('' where there is none), and when it
    was written (seconds since 1970, UTC)."""

    key: str
    size_bytes: int
    etag: str = ""
    modified_s: float = 0.0

    @property
    def md5(self) -> str:
        """The MD5 of the body where the ETag is one: 32 hex digits, never a multipart ETag with `-`."""
        tag = self.etag.lower()
        return tag if len(tag) == 32 and set(tag) <= _HEX else ""


class ObjectStore:
    """A place that holds objects. Made by `open_store`; opening makes no request."""

    def __init__(self, library_store: _Library, location: str) -> None:
        self._store = library_store
        self.location = location

    def __repr__(self) -> str:
        return f"ObjectStore({self.location!r})"

    def list_prefix(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Every object below `prefix` (a whole folder name or ''), page by page, lazily."""
        pages = _guard(lambda: iter(self._store.list(prefix or None, chunk_size=1000)), prefix, self.location)
        while True:
            page = _guard(lambda: next(pages, None), prefix, self.location)
            if page is None:
                return
            yield from (_info(meta) for meta in page)

    def list_level(self, prefix: str = "") -> tuple[list[ObjectInfo], list[str]]:
        """One level as a delimiter listing shows it: objects, and sub-folders with their closing `/`."""
        level = _guard(lambda: self._store.list_with_delimiter(prefix or None), prefix, self.location)
        return [_info(m) for m in level["objects"]], [f"{p.rstrip('/')}/" for p in level["common_prefixes"]]

    def head(self, key: str) -> ObjectInfo:
        """Size and ETag of one object; ObjectMissing when there is none."""
        return _info(_guard(lambda: self._store.head(key), key, self.location))

    def read(self, key: str) -> bytes:
        """The whole body of a small object; ObjectMissing when there is none."""
        return bytes(_guard(lambda: self._store.get(key).bytes(), key, self.location))

    def stream(self, key: str, offset: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The body from `offset` up to `end`, about a megabyte at a time; ObjectMissing if there is none."""
        options: Any = {"range": {"offset": offset}} if offset else None
        if end is not None:
            if end <= offset:
                return
            options = {"range": (offset, end)}
        answer = _guard(lambda: self._store.get(key, options=options), key, self.location)
        pieces = iter(answer.stream(min_chunk_size=CHUNK_BYTES))
        while True:
            piece = _guard(lambda: next(pieces, None), key, self.location)
            if piece is None:
                return
            yield bytes(piece)

    def has(self, key: str) -> bool:
        """Whether there is an object of this key."""
        try:
            self.head(key)
        except ObjectMissing:
            return False
        return True

    def open(self, key: str) -> IO[bytes]:
        """An object to be read anywhere; ObjectMissing when there is none."""
        from obstore import open_reader

        reader = _guard(lambda: open_reader(self._store, key), key, self.location)
        return BufferedReader(_Raw(reader), CHUNK_BYTES)

    def put_file(self, key: str, path: Path) -> None:
        """Write a local file as an object, in parts where it is large; a failure leaves nothing."""
        _guard(lambda: self._store.put(key, path), key, self.location)

    def delete(self, key: str) -> None:
        """Remove an object; one that is gone already is no trouble."""
        with suppress(ObjectMissing):
            _guard(lambda: self._store.delete(key), key, self.location)

    def presigned(self, key: str, lifetime: timedelta) -> str:
        """An address at which anybody reads the object for a while; '' where the store has none."""
        from obstore import sign
        from obstore.store import AzureStore, GCSStore, HTTPStore, S3Store

        store = self._store
        if isinstance(store, HTTPStore):
            return f"{self.location.rstrip('/')}/{quote(key)}"
        if not isinstance(store, S3Store | GCSStore | AzureStore):
            return ""
        return _guard(lambda: sign(store, "GET", key, lifetime), key, self.location)


class _Raw(RawIOBase):
    """The library's reader as a raw stream of Python."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return int(self._reader.seek(offset, whence))

    def tell(self) -> int:
        return int(self._reader.tell())

    def readinto(self, buffer: Any) -> int:
        piece = bytes(self._reader.read(len(buffer)))
        buffer[: len(piece)] = piece
        return len(piece)


def open_store(
    location: str | Path,
    *,
    endpoint: str = "",
    access_key: str = "",
    secret_key: str = "",
    region: str = "",
    anonymous: bool = False,
    retries: int = 3,
    timeout_s: float = 60,
) -> ObjectStore:
    """The store at a URL or in a local folder.

    Query options of an `s3://` URL (`?endpoint=…&region=…&anonymous=1`) count where no argument says
    otherwise; keys that are not given come from the environment as the store library reads it.

    Raises   ConfigurationError for a location that is no store, or a folder that is not there
    Cost     no request
    """
    text = str(location)
    if not text:
        raise ConfigurationError("nothing says where the files are; scan the mirror with its URL")
    scheme = urlsplit(text).scheme
    if scheme in ("", "file"):
        return _open_folder(Path(unquote(urlsplit(text).path)) if scheme else Path(text))
    from obstore.store import MemoryStore, from_url

    if scheme == "memory":
        return ObjectStore(MemoryStore(), text)
    if scheme not in ("s3", "s3a", "gs", "az", "http", "https"):
        raise ConfigurationError(f"cannot open {text!r}: use a folder, or s3://, gs://, az:// or https://")
    parts = urlsplit(text)
    options = dict(parse_qsl(parts.query))
    bare = parts._replace(query="").geturl()
    client: Any = {"timeout": timedelta(seconds=timeout_s), "allow_http": True}
    config: dict[str, Any] = {}
    if scheme in ("s3", "s3a"):
        config = {
            "endpoint": endpoint or options.get("endpoint"),
            "access_key_id": access_key or None,
            "secret_access_key": secret_key or None,
            "region": region or options.get("region") or "us-east-1",
            "skip_signature": True if anonymous or options.get("anonymous") in ("1", "true") else None,
            "virtual_hosted_style_request": False,
        }
    retry: Any = {"max_retries": retries, "retry_timeout": timedelta(seconds=timeout_s)}
    settings = {k: v for k, v in config.items() if v is not None}
    opened = _guard(lambda: from_url(bare, client_options=client, retry_config=retry, **settings), "", bare)
    return ObjectStore(opened, bare)


def _open_folder(folder: Path) -> ObjectStore:
    if not folder.is_dir():
        raise ConfigurationError(f"no folder {str(folder)!r} to read objects from")
    from obstore.store import LocalStore

    return ObjectStore(LocalStore(folder), str(folder))


def _info(meta: Any) -> ObjectInfo:
    written = meta.get("last_modified")
    etag = (meta.get("e_tag") or "").strip('"')
    return ObjectInfo(meta["path"], meta["size"], etag, written.timestamp() if written else 0.0)


def _guard(call: Callable[[], T], key: str, location: str) -> T:
    """Run one call of the library and translate its errors, once, to ours."""
    from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

    try:
        return call()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as problem:
        raise ObjectMissing(f"no object {key!r} in {location}") from problem
    except (PermissionDeniedError, UnauthenticatedError) as problem:
        raise AccessDenied(f"{location} refuses {key!r}: {_reason(problem)}; check the keys") from problem
    except BaseError as problem:
        # An unknown key id comes back as a general error; only its status tells.
        if "403 Forbidden" in str(problem) or "401 Unauthorized" in str(problem):
            raise AccessDenied(f"{location} refuses {key!r}: {_reason(problem)}; check the keys") from problem
        raise TransferError(f"{location} failed at {key!r}: {_reason(problem)}") from problem


def _reason(problem: BaseException) -> str:
    """The library's first line, or the store's own sentence where its answer holds one."""
    text = str(problem)
    said = re.search(r"<Message>(.*?)</Message>", text, re.DOTALL)
    return said[1] if said else (text.splitlines() or [type(problem).__name__])[0]

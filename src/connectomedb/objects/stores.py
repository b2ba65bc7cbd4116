"""Object stores and local folders behind one small interface; the only module that knows the store library.

    open_store("s3://bucket/prefix", endpoint="http://127.0.0.1:9000", access_key="…", secret_key="…")
    open_store("/data/mirror")   open_store("file:///data/mirror")   open_store("memory://")

Keys are relative to the opened location and use `/`. Buckets with dots in their name are addressed by path.
"""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from connectomedb.errors import AccessDenied, ConfigurationError, ObjectChanged, ObjectMissing, TransferError
from connectomedb.objects.wire import Address, Keys, quote_key

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

    @property
    def multipart(self) -> str:
        """The ETag where it is one of an object that came in parts: 32 hex digits, `-`, number of parts."""
        tag, _, n_parts = self.etag.lower().partition("-")
        return self.etag.lower() if len(tag) == 32 and set(tag) <= _HEX and n_parts.isdigit() else ""


class RangesIgnored(TransferError):
    """The store does not answer ranges as such."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long a transfer tries: waits double up to the longest, what a store asks for counts.

    `timeout_s` is the longest silence on a connection; `retries` the tries in a row that brought nothing.
    """

    retries: int = 6
    timeout_s: float = 60.0
    first_wait_s: float = 0.2
    longest_wait_s: float = 30.0


class ObjectStore:
    """A place that holds objects. Made by `open_store`; opening makes no request.

    `address` is where bytes can be had without the library, None where only the library knows the way.
    """

    def __init__(
        self,
        library_store: _Library,
        location: str,
        *,
        address: Address | None = None,
        patience: Patience | None = None,
        etag_is_digest: bool = False,
    ) -> None:
        self._store = library_store
        self.location = location
        self.address = address
        self.patience = patience or Patience()
        self.etag_is_digest = etag_is_digest

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

    def list_parallel(self, prefix: str = "", *, parallel: int = 8) -> Iterator[ObjectInfo]:
        """As `list_prefix`, folder by folder in the order of their names, `parallel` of them at a time.

        Memory   the objects of `parallel` folders
        """
        objects, folders = self.list_level(prefix)
        yield from objects
        with ThreadPoolExecutor(max(1, parallel), thread_name_prefix="list") as pool:
            waiting: deque[Future[list[ObjectInfo]]] = deque()
            for folder in folders:
                waiting.append(pool.submit(lambda name: list(self.list_prefix(name)), folder))
                if len(waiting) >= parallel:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()

    def list_level(self, prefix: str = "") -> tuple[list[ObjectInfo], list[str]]:
        """One level as a delimiter listing shows it: objects, and sub-folders with their closing `/`."""
        level = _guard(lambda: self._store.list_with_delimiter(prefix or None), prefix, self.location)
        return [_info(m) for m in level["objects"]], [f"{p.rstrip('/')}/" for p in level["common_prefixes"]]

    def head(self, key: str) -> ObjectInfo:
        """Size and ETag of one object; ObjectMissing when there is none."""
        return _info(_guard(lambda: self._store.head(key), key, self.location))

    def version(self, key: str) -> tuple[int, str]:
        """Size of one object, and its ETag as `open_range` takes it; ObjectMissing when there is none."""
        meta = _guard(lambda: self._store.head(key), key, self.location)
        return meta["size"], meta.get("e_tag") or ""

    def has(self, key: str) -> bool:
        """Whether there is an object of that key."""
        try:
            self.head(key)
        except ObjectMissing:
            return False
        return True

    def read(self, key: str) -> bytes:
        """The whole body of a small object; ObjectMissing when there is none."""
        return bytes(_guard(lambda: self._store.get(key).bytes(), key, self.location))

    def stream(self, key: str, offset: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The body from `offset` up to `end`, about a megabyte at a time; ObjectMissing if there is none.

        Cost     all before `end` is fetched where a store gives no ranges
        """
        if end is not None and end <= offset:
            return
        try:
            pieces = self.open_range(key, offset, end)[2]
        except RangesIgnored:
            pieces = _cut(self.open_range(key)[2], offset, end)
        yield from pieces

    def open_range(
        self, key: str, start: int = 0, end: int | None = None, pin: str = ""
    ) -> tuple[int, str, Iterator[bytes]]:
        """Size and ETag of an object, and its bytes from `start` to before `end` in pieces.

        `pin` is an ETag as it was given here before: ObjectChanged when the object has another one now.
        """
        options: Any = {}
        if start or end is not None:
            options["range"] = {"offset": start} if end is None else (start, end)
        if pin:
            options["if_match"] = pin
        answer = _guard(lambda: self._store.get(key, options=options or None), key, self.location)
        pieces = self._pieces(answer, key)
        return answer.meta["size"], answer.meta.get("e_tag") or "", pieces

    def _pieces(self, answer: Any, key: str) -> Iterator[bytes]:
        pieces = iter(answer.stream(min_chunk_size=CHUNK_BYTES))
        while True:
            piece = _guard(lambda: next(pieces, None), key, self.location)
            if piece is None:
                return
            yield bytes(piece)

    def sign(self, keys: Sequence[str], *, expires_s: float = 3600) -> list[str]:
        """URLs under which anyone may read these objects for a time; ConfigurationError where none can be."""
        import obstore

        if not hasattr(self._store, "prefix") or self.address is None:
            raise ConfigurationError(f"{self.location} has no addresses that other tools could read")
        if self.address.keys is None:
            return [f"{self.address.url}{self.address.path}{quote_key(key)}" for key in keys]
        span = timedelta(seconds=expires_s)
        signed: Any = self._store
        return _guard(lambda: list(obstore.sign(signed, "GET", list(keys), span)), "", self.location)

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


def _cut(pieces: Iterator[bytes], offset: int, end: int | None) -> Iterator[bytes]:
    """Of a whole body the bytes from `offset` up to `end`."""
    at = 0
    for piece in pieces:
        yield piece[max(0, offset - at) : None if end is None else max(0, end - at)]
        at += len(piece)
        if end is not None and at >= end:
            return


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
    retries: int = 6,
    timeout_s: float = 60,
    patience: Patience | None = None,
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
            "request_payer": True if options.get("requester_pays") in ("1", "true") else None,
            "virtual_hosted_style_request": False,
        }
    retry: Any = {"max_retries": retries, "retry_timeout": timedelta(seconds=timeout_s)}
    settings = {k: v for k, v in config.items() if v is not None}
    opened = _guard(lambda: from_url(bare, client_options=client, retry_config=retry, **settings), "", bare)
    return ObjectStore(
        opened,
        bare,
        address=_address(bare, config, options),
        patience=patience or Patience(retries=retries, timeout_s=timeout_s),
        etag_is_digest=scheme in ("s3", "s3a"),
    )


def _address(bare: str, config: Mapping[str, Any], options: Mapping[str, str]) -> Address | None:
    """Where bytes can be had over our own sockets; None where the library must find the keys or a proxy."""
    parts = urlsplit(bare)
    path, keys = parts.path.strip("/"), None
    if parts.scheme in ("s3", "s3a"):
        region = config["region"]
        endpoint = (
            config["endpoint"]
            or os.environ.get("AWS_ENDPOINT_URL_S3")
            or os.environ.get("AWS_ENDPOINT_URL")
            or os.environ.get("AWS_ENDPOINT")
            or f"https://s3.{region}.amazonaws.com"
        )
        if not config["skip_signature"]:
            access = config["access_key_id"] or os.environ.get("AWS_ACCESS_KEY_ID", "")
            secret = config["secret_access_key"] or os.environ.get("AWS_SECRET_ACCESS_KEY", "")
            if not (access and secret):
                return None  # a role of this machine, perhaps: the library asks for it
            token = "" if config["access_key_id"] else os.environ.get("AWS_SESSION_TOKEN", "")
            keys = Keys(access, secret, token, region)
        path = "/".join(p for p in (urlsplit(endpoint).path.strip("/"), parts.netloc, quote_key(path)) if p)
        parts = urlsplit(endpoint)
    elif parts.scheme not in ("http", "https"):
        return None
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or _behind_proxy(parts.scheme, parts.hostname)
    ):
        return None
    port = parts.port or (443 if parts.scheme == "https" else 80)
    payer = options.get("requester_pays") in ("1", "true")
    return Address(parts.scheme, parts.hostname, port, f"/{path}/" if path else "/", keys, payer)


def _behind_proxy(scheme: str, host: str) -> bool:
    if not any(
        os.environ.get(name)
        for name in (f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "ALL_PROXY", "all_proxy")
    ):
        return False
    from urllib.request import proxy_bypass

    return not proxy_bypass(host)


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
    from obstore.exceptions import (
        BaseError,
        NotSupportedError,
        PermissionDeniedError,
        PreconditionError,
        UnauthenticatedError,
    )

    try:
        return call()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as problem:
        raise ObjectMissing(f"no object {key!r} in {location}") from problem
    except PreconditionError as problem:
        raise ObjectChanged(f"{key}: the object is no longer the one that was begun with") from problem
    except (PermissionDeniedError, UnauthenticatedError) as problem:
        raise AccessDenied(f"{location} refuses {key!r}: {_reason(problem)}; check the keys") from problem
    except BaseError as problem:
        # An unknown key id comes back as a general error; only its status tells.
        if "403 Forbidden" in str(problem) or "401 Unauthorized" in str(problem):
            raise AccessDenied(f"{location} refuses {key!r}: {_reason(problem)}; check the keys") from problem
        # Likewise: `python -m http.server` has no ranges, `rclone serve s3` gives them under another status.
        ignored = ("NotPartial", "non-partial response")
        if isinstance(problem, NotSupportedError) or any(word in str(problem) for word in ignored):
            raise RangesIgnored(f"{location} does not answer ranges as such, at {key!r}") from problem
        raise TransferError(f"{location} failed at {key!r}: {_reason(problem)}") from problem


def _reason(problem: BaseException) -> str:
    """The library's first line, or the store's own sentence where its answer holds one."""
    text = str(problem)
    said = re.search(r"<Message>(.*?)</Message>", text, re.DOTALL)
    return said[1] if said else (text.splitlines() or [type(problem).__name__])[0]

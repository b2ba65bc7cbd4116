"""The seam under a transfer: bytes of an object, by ranges, from whichever path is the fastest.

Objects on S3 and plain HTTP come over our own sockets (`wire`); everything else, and everything behind a
proxy, through the store library (`stores`). Both say the same things: size, pin (what `If-Match` compares)
and the digests that the store promises.
"""

from __future__ import annotations

import email.utils
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Protocol

from connectomedb.errors import (
    AccessDenied,
    ConfigurationError,
    CredentialsExpired,
    ObjectChanged,
    ObjectMissing,
    StoreBusy,
    TransferError,
)
from connectomedb.objects.digests import Promise, promise_of_etag, read_promise
from connectomedb.objects.stores import ObjectStore
from connectomedb.objects.wire import Address, Connection, Response

_ERROR_BYTES = 4096
_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "InvalidToken", "RequestExpired")
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_BUSY_CODES = ("RequestTimeout", "SlowDown", "InternalError", "ServiceUnavailable")
# What a store says of the whole body, the cheapest to compute first.
_CHECKSUM_HEADERS = (
    ("x-amz-checksum-crc64nvme", "crc64nvme"),
    ("x-amz-checksum-crc32c", "crc32c"),
    ("x-amz-checksum-crc32", "crc32"),
    ("x-amz-checksum-sha256", "sha256"),
    ("x-amz-checksum-sha1", "sha1"),
)


@dataclass(frozen=True, slots=True)
class ObjectFacts:
    """What the store says of an object. `is_page`: it came without ETag as HTML or XML, as errors do."""

    size_bytes: int
    pin: str = ""
    promises: tuple[Promise, ...] = ()
    etag_is_digest: bool = True
    is_page: bool = False


class Body(Protocol):
    """An answer: `start` is where its bytes begin, 0 where the store ignored the range."""

    facts: ObjectFacts
    start: int

    def readinto(self, view: memoryview) -> int: ...
    def close(self) -> None: ...


class Reader(Protocol):
    """One thread's way to the objects."""

    def head(self, key: str) -> ObjectFacts: ...
    def get(self, key: str, start: int = 0, end: int | None = None, pin: str = "") -> Body: ...
    def close(self) -> None: ...


class Source:
    """Hands out readers, one per thread; `abort` ends what they wait for."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._lock = Lock()
        self._connections: list[Connection] = []

    def reader(self) -> Reader:
        """A reader for the calling thread."""
        address = self._store.address
        if address is None:
            return _LibraryReader(self._store)
        connection = Connection(address, self._store.patience.timeout_s)
        with self._lock:
            self._connections.append(connection)
        return _WireReader(connection, address)

    def abort(self) -> None:
        """Wake everyone who waits for the network."""
        with self._lock:
            for connection in self._connections:
                connection.abort()


class _WireReader:
    def __init__(self, connection: Connection, address: Address) -> None:
        self._connection = connection
        self._address = address
        self._headers = {"Accept-Encoding": "identity"}
        if address.keys:
            self._headers["x-amz-checksum-mode"] = "ENABLED"

    def head(self, key: str) -> ObjectFacts:
        answer = self._connection.ask("HEAD", key, self._headers)
        if answer.status in (405, 501):  # a server that has no HEAD
            answer.drop()
            body = self.get(key, 0, 1)
            body.close()
            return body.facts
        if answer.status != 200:
            raise _named(answer, key, self._address.url)
        facts = _facts(answer.headers, _length(answer, key))
        answer.drop()
        return facts

    def get(self, key: str, start: int = 0, end: int | None = None, pin: str = "") -> Body:
        headers = dict(self._headers)
        if start or end is not None:
            headers["Range"] = f"bytes={start}-{'' if end is None else end - 1}"
        if pin:
            headers["If-Match"] = pin
        answer = self._connection.ask("GET", key, headers)
        said = answer.headers.get("content-range", "")
        if answer.status == 200 and not said:
            return _WireBody(answer, _facts(answer.headers, _length(answer, key)), 0)
        if answer.status not in (200, 206):  # some servers, rclone's for one, answer ranges with 200
            raise _named(answer, key, self._address.url)
        match = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", said)
        if not match or int(match[1]) != start:
            answer.drop()
            raise TransferError(f"{key}: asked for the bytes from {start}, the store sends {said!r}")
        return _WireBody(answer, _facts(answer.headers, int(match[3])), start)

    def close(self) -> None:
        self._connection.close()


class _WireBody:
    def __init__(self, answer: Response, facts: ObjectFacts, start: int) -> None:
        self._answer, self.facts, self.start = answer, facts, start

    def readinto(self, view: memoryview) -> int:
        return self._answer.readinto(view)

    def close(self) -> None:
        self._answer.drop()


def _length(answer: Response, key: str) -> int:
    length = answer.headers.get("content-length", "")
    if length.isdigit():
        return int(length)
    page = answer.headers.get("content-type", "").startswith(("text/html", "application/xml", "text/xml"))
    start = answer.read(_ERROR_BYTES)
    what = f"a page ({_said(start)})" if page else "a body of unknown length"
    raise StoreBusy(f"{key}: the store sends {what} instead of the object")


def _facts(headers: Mapping[str, str], size_bytes: int) -> ObjectFacts:
    pin = headers.get("etag", "")
    if pin.startswith("W/"):
        pin = ""  # a weak ETag never meets If-Match
    etag_is_digest = not (
        headers.get("x-amz-server-side-encryption", "").startswith("aws:kms")
        or "x-amz-server-side-encryption-customer-algorithm" in headers
    )
    promises = []
    if headers.get("x-amz-checksum-type", "FULL_OBJECT").upper() == "FULL_OBJECT":
        for header, algorithm in _CHECKSUM_HEADERS:
            value = headers.get(header, "")
            if value and "-" not in value:
                promises.append(_store_promise(algorithm, value))
    for part in headers.get("x-goog-hash", "").split(","):
        algorithm, _, value = part.strip().partition("=")
        if algorithm in ("crc32c", "md5"):
            promises.append(_store_promise(algorithm, value))
    if pin and etag_is_digest:
        promises.append(promise_of_etag(pin))
    kind = headers.get("content-type", "").lower()
    is_page = not pin and kind.startswith(("text/html", "application/xml", "text/xml"))
    return ObjectFacts(size_bytes, pin, tuple(p for p in promises if p), etag_is_digest, is_page)


def _store_promise(algorithm: str, value: str) -> Promise | None:
    try:
        return read_promise(algorithm, value, "store")
    except ConfigurationError:
        return None  # a header in a spelling that is not S3's promises nothing


def _named(answer: Response, key: str, url: str) -> TransferError | AccessDenied:
    """The error that a status means. Reads the answer's body."""
    status, headers = answer.status, answer.headers
    body = answer.read(_ERROR_BYTES)
    code = _tag(body, "Code") or headers.get("x-amz-error-code", "")
    said = _said(body) or f"status {status}"
    if code in _EXPIRED or (status == 403 and "expired" in said.lower()):
        return CredentialsExpired(
            f"{url} says at {key!r} that the credentials have expired: {said}; get new ones and run again"
        )
    if code == "RequestTimeTooSkewed":
        return CredentialsExpired(f"{url} refuses the signature: this machine's clock is wrong ({said})")
    if status in _BUSY or code in _BUSY_CODES:
        return StoreBusy(
            f"{url} answers {status} at {key!r}: {said}",
            retry_after_s=_retry_after(headers.get("retry-after")),
        )
    if status == 404:
        return ObjectMissing(f"no object {key!r} at {url}: {said}")
    if status in (401, 403):
        return AccessDenied(f"{url} refuses {key!r}: {said}; check the keys and what they may read")
    if status in (412, 416):
        return ObjectChanged(f"{key}: the object is no longer the one that was begun with")
    if status in (301, 302, 303, 307, 308):
        region = headers.get("x-amz-bucket-region", "")
        cure = f"its region is {region}" if region else f"it says {headers.get('location', 'nothing')}"
        return TransferError(f"{url} has {key!r} elsewhere; {cure}")
    return TransferError(f"{url} answers {status} at {key!r}: {said}")


def _said(body: bytes) -> str:
    text = _tag(body, "Message") or _tag(body, "title") or _tag(body, "Code")
    return " ".join(text.split())[:200]


def _tag(body: bytes, name: str) -> str:
    match = re.search(rf"<{name}>(.*?)</{name}>", body.decode("utf-8", "replace"), re.DOTALL | re.IGNORECASE)
    return match[1] if match else ""


def _retry_after(text: str | None) -> float | None:
    if not text:
        return None
    if text.strip().isdigit():
        return float(text)
    moment = email.utils.parsedate_tz(text)
    return max(0.0, email.utils.mktime_tz(moment) - time.time()) if moment else None


class _LibraryReader:
    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def head(self, key: str) -> ObjectFacts:
        return _library_facts(self._store, *self._store.version(key))

    def get(self, key: str, start: int = 0, end: int | None = None, pin: str = "") -> Body:
        size, etag, pieces = self._store.open_range(key, start, end, pin)
        return _LibraryBody(_library_facts(self._store, size, etag), start, pieces)

    def close(self) -> None:
        """Nothing is kept open."""


def _library_facts(store: ObjectStore, size_bytes: int, etag: str) -> ObjectFacts:
    # Elsewhere an ETag is a version and digests nothing.
    promise = promise_of_etag(etag) if store.etag_is_digest else None
    return ObjectFacts(size_bytes, etag, (promise,) if promise else (), store.etag_is_digest)


class _LibraryBody:
    def __init__(self, facts: ObjectFacts, start: int, pieces: Iterator[bytes]) -> None:
        self.facts, self.start = facts, start
        self._pieces = pieces
        self._left = memoryview(b"")

    def readinto(self, view: memoryview) -> int:
        if not len(self._left):
            self._left = memoryview(next(self._pieces, b""))
        n = min(len(view), len(self._left))
        view[:n] = self._left[:n]
        self._left = self._left[n:]
        return n

    def close(self) -> None:
        self._pieces = iter(())

"""One GET or HEAD over a plain or TLS socket, as lean as Python allows: the byte path from S3 and HTTP.

Knows as much of HTTP/1.1 as an object's body needs, and S3's signature. Knows nothing of files, of what a
status means, or of trying again: `sources` gives the statuses their names, `transfer` the patience.
"""

from __future__ import annotations

import hashlib
import hmac
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from connectomedb.errors import ConfigurationError, Stalled, TransferError, Truncated

_HEAD_BYTES = 1 << 16
_SLOWEST_BYTES_PER_S = 512
_NO_BODY_SHA256 = hashlib.sha256(b"").hexdigest()


class NotTrusted(ConfigurationError):
    """The server's certificate is signed by nobody that is trusted here."""


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """What signs a request to S3. Never shown."""

    access_key: str
    secret_key: str
    session_token: str = ""
    region: str = "us-east-1"


@dataclass(frozen=True, slots=True)
class Address:
    """Where objects are asked for: `path` is quoted and ends with a slash; without `keys` unsigned."""

    scheme: str
    host: str
    port: int
    path: str
    keys: Keys | None = None
    requester_pays: bool = False

    @property
    def authority(self) -> str:
        """Host and port as the Host header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == {"http": 80, "https": 443}[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}"


def quote_key(key: str) -> str:
    """A key as a request names it: every byte but the unreserved ones and `/` is escaped."""
    return quote(key, safe="/-_.~", errors="surrogateescape")


class Connection:
    """A connection that is opened when needed and kept between requests. For one thread."""

    def __init__(self, address: Address, timeout_s: float) -> None:
        self._address = address
        self._timeout_s = timeout_s
        self._socket: socket.socket | None = None
        self._buffer = memoryview(bytearray(_HEAD_BYTES))

    def ask(self, method: str, key: str, headers: Mapping[str, str]) -> Response:
        """Send one request and read the head of its answer. The last answer's body must be read or dropped.

        Raises   TransferError when nobody answers or the answer is not HTTP; Stalled; Truncated
        """
        path = self._address.path + quote_key(key)
        sent = dict(headers)
        if self._address.keys:
            sent |= sign(self._address, method, path, headers)
        lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
        request = f"{method} {path} HTTP/1.1\r\nHost: {self._address.authority}\r\n{lines}\r\n".encode()
        kept = self._socket is not None
        try:
            return self._exchange(request, method)
        except (Truncated, ConnectionError):
            # A server may close a kept connection at any time; only a fresh one that fails is trouble.
            if not kept:
                raise
            return self._exchange(request, method)

    def abort(self) -> None:
        """End what goes on; called from another thread."""
        opened = self._socket
        if opened is not None:
            try:
                opened.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it ended by itself

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def receive(self, view: memoryview) -> int:
        """Bytes that are there now, into `view`; 0 at the end. Raises as `ask`."""
        assert self._socket is not None
        try:
            return self._socket.recv_into(view)
        except TimeoutError as problem:
            self.close()
            raise Stalled(f"{self._address.url} sent nothing for {self._timeout_s:g} s") from problem
        except OSError as problem:
            self.close()
            raise Truncated(f"the connection to {self._address.url} broke: {problem}") from problem

    def _exchange(self, request: bytes, method: str) -> Response:
        if self._socket is None:
            self._socket = self._connected()
        try:
            self._socket.sendall(request)
        except TimeoutError as problem:
            self.close()
            raise Stalled(f"{self._address.url} took no request for {self._timeout_s:g} s") from problem
        except OSError as problem:
            self.close()
            raise Truncated(f"the connection to {self._address.url} broke: {problem}") from problem
        try:
            return self._read_head(method)
        except TransferError:
            self.close()
            raise

    def _connected(self) -> socket.socket:
        place = self._address
        try:
            opened = socket.create_connection((place.host, place.port), self._timeout_s)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if place.scheme == "https":
                opened = _tls().wrap_socket(opened, server_hostname=place.host)
        except ssl.SSLCertVerificationError as problem:
            raise NotTrusted(
                f"{place.url} shows a certificate that is not trusted ({problem.verify_message}); "
                "if it is yours, name its authority's file in SSL_CERT_FILE"
            ) from problem
        except OSError as problem:
            raise TransferError(f"{place.url} cannot be reached: {problem}") from problem
        return opened

    def _read_head(self, method: str) -> Response:
        have, until = 0, time.monotonic() + self._timeout_s
        while True:
            n = self.receive(self._buffer[have:])
            if not n:
                raise Truncated(f"{self._address.url} closed the connection instead of answering")
            have += n
            end = bytes(self._buffer[:have]).find(b"\r\n\r\n", max(0, have - n - 3))
            if end >= 0:
                status, headers = _parse_head(bytes(self._buffer[:end]), self._address.url)
                if status >= 200:
                    left = bytes(self._buffer[end + 4 : have])
                    return Response(self, status, headers, left, method, self._timeout_s)
                rest = bytes(self._buffer[end + 4 : have])
                have = len(rest)
                self._buffer[:have] = rest
            elif have == _HEAD_BYTES:
                raise TransferError(
                    f"{self._address.url} answers with a head of more than {_HEAD_BYTES} bytes"
                )
            elif time.monotonic() > until:
                raise Stalled(f"{self._address.url} did not finish the head of its answer in time")


class Response:
    """Status, headers (lower-case names) and a body to be read into buffers."""

    def __init__(
        self,
        connection: Connection,
        status: int,
        headers: Mapping[str, str],
        left: bytes,
        method: str,
        timeout_s: float,
    ) -> None:
        self.status = status
        self.headers = headers
        self._connection = connection
        self._left = memoryview(left)
        self._chunked = "chunked" in headers.get("transfer-encoding", "").lower()
        self._keep = headers.get("connection", "").lower() != "close"
        length = headers.get("content-length", "")
        self._to_come: int | None = int(length) if length.isdigit() else None
        if method == "HEAD" or status in (204, 304):
            self._to_come, self._chunked = 0, False
        self._timeout_s = timeout_s
        self._window_ends, self._window_bytes = time.monotonic() + timeout_s, 0
        self._ended = False
        if self._chunked:
            self._to_come = 0

    def readinto(self, view: memoryview) -> int:
        """The next bytes of the body into `view`; 0 at the end.

        Raises   Truncated when the body ends early; Stalled when next to nothing comes
        """
        if self._chunked and not self._to_come and not self._ended:
            self._to_come = self._next_chunk()
        if self._ended or self._to_come == 0:
            self._finish()
            return 0
        if self._to_come is not None:
            view = view[: self._to_come]
        n = self._take(view)
        if not n:
            if self._to_come is not None:
                self._connection.close()
                raise Truncated(f"the connection closed with {self._to_come} bytes to come")
            self._ended, self._keep = True, False
            self._finish()
            return 0
        if self._to_come is not None:
            self._to_come -= n
            if not self._to_come and self._chunked:
                self._line()
            elif not self._to_come:
                self._finish()
        return n

    def read(self, most: int) -> bytes:
        """The beginning of the body, at most so many bytes; the rest is dropped."""
        buffer, have = memoryview(bytearray(most)), 0
        while have < most and (n := self.readinto(buffer[have:])):
            have += n
        self.drop()
        return bytes(buffer[:have])

    def drop(self) -> None:
        """Leave the rest of the body unread."""
        if not self._ended and self._to_come != 0:
            self._connection.close()
        self._finish()

    def _finish(self) -> None:
        self._ended = True
        if not self._keep or len(self._left):
            self._connection.close()

    def _take(self, view: memoryview) -> int:
        if len(self._left):
            n = min(len(view), len(self._left))
            view[:n] = self._left[:n]
            self._left = self._left[n:]
            return n
        n = self._connection.receive(view)
        self._window_bytes += n
        now = time.monotonic()
        if now > self._window_ends:
            if self._window_bytes < self._timeout_s * _SLOWEST_BYTES_PER_S:
                self._connection.close()
                raise Stalled(f"only {self._window_bytes} bytes came in {self._timeout_s:g} s")
            self._window_ends, self._window_bytes = now + self._timeout_s, 0
        return n

    def _next_chunk(self) -> int:
        size = self._line().split(b";", 1)[0].strip()
        try:
            n = int(size, 16)
        except ValueError as problem:
            self._connection.close()
            raise TransferError(f"the answer breaks off: {size[:40]!r} is no size of a chunk") from problem
        if n == 0:
            while self._line():
                pass  # trailers
            self._ended = True
        return n

    def _line(self) -> bytes:
        line, one = bytearray(), memoryview(bytearray(1))
        while not line.endswith(b"\r\n"):
            if not self._take(one) or len(line) > 4096:
                self._connection.close()
                raise Truncated("the connection closed between two chunks")
            line += one
        return bytes(line[:-2])


def sign(address: Address, method: str, path: str, headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that sign a request without body; those of `headers` that begin with `x-amz-` are covered.

    Source   AWS Signature Version 4, signing of single chunks
    """
    keys = address.keys
    assert keys is not None
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    added = {"x-amz-content-sha256": _NO_BODY_SHA256, "x-amz-date": moment}
    if keys.session_token:
        added["x-amz-security-token"] = keys.session_token
    if address.requester_pays:
        added["x-amz-request-payer"] = "requester"
    amazon = {name: value for name, value in headers.items() if name.startswith("x-amz-")}
    covered = dict(sorted({"host": address.authority, **added, **amazon}.items()))
    names = ";".join(covered)
    canonical = "\n".join(
        [method, path, "", *(f"{n}:{v}" for n, v in covered.items()), "", names, _NO_BODY_SHA256]
    )
    scope = f"{moment[:8]}/{keys.region}/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.digest(_signing_key(keys, moment[:8]), text.encode(), "sha256").hex()
    added["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={keys.access_key}/{scope},SignedHeaders={names},Signature={signature}"
    )
    return added


@lru_cache(maxsize=16)
def _signing_key(keys: Keys, day: str) -> bytes:
    key = f"AWS4{keys.secret_key}".encode()
    for part in (day, keys.region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _parse_head(head: bytes, url: str) -> tuple[int, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ", 2)
    if not words[0].startswith("HTTP/1.") or len(words) < 2 or not words[1].isdigit():
        raise TransferError(f"{url} does not speak HTTP: {first[:60]!r}")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    if words[0] == "HTTP/1.0":
        headers.setdefault("connection", "close")
    return int(words[1]), headers

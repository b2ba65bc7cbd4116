"""A body that becomes files: taken while it comes, in bounded memory, and visible only once it is whole.

`Receiving` is the answer of a handler that has decided that the caller may send: the server then reads the
body, and what it became is the answer.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from connectomedb.errors import BadPath, ConnectomeDBError
from connectomedb.objects.held import Arrivals, HeldObjects, Incoming
from connectomedb.server.failures import BadUpload, TooSlow, failure

BLOCK_BYTES = 1 << 20
# Who sends nothing for that long, or on the whole slower than that, is not waited for.
PATIENCE_S = 60.0
LEAST_BYTES_PER_S = 512
_SLOW_AFTER_S = 120.0
# A body that is refused is read to its end when it is small: many clients see the answer only then.
_DRAINED_BYTES = 4 << 20
_DRAINED_S = 5.0
_MOST_PARTS = 10_000


@dataclass(frozen=True, slots=True)
class Sent:
    """One file of a body: the name that the body gives it ('' for raw bytes), and its bytes."""

    name: str
    incoming: Incoming


@dataclass(frozen=True, slots=True)
class Promised:
    """Digests (hex) that the caller said of the body."""

    md5: str = ""
    sha256: str = ""


Finish = Callable[[Arrivals, Sequence[Sent]], Response]


class Receiving(Response):
    """Reads the body into the site's store, then answers what `finish` makes of it.

    `finish` runs in a worker thread and enters what arrived; whatever it does not keep is gone afterwards.
    """

    def __init__(self, request: Request, held: HeldObjects, finish: Finish) -> None:
        super().__init__()
        self._request = request
        self._held = held
        self._finish = finish
        self._is_read = False
        boundary = multipart_boundary(request)
        self._sink: Callable[[Arrivals], _Raw | _Multipart] = (
            (lambda arrivals: _Multipart(arrivals, boundary)) if boundary else _Raw
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def receive_and_note() -> Message:
            message = await receive()
            # Nothing follows the last piece: who waited for more would wait for the caller to hang up.
            self._is_read = message["type"] == "http.request" and not message.get("more_body", False)
            return message

        try:
            answer = await self._take(receive_and_note)
        except HungUp:
            return
        except ConnectomeDBError as error:
            answer = failure(self._request, error)
            if not self._is_read and not await drained(receive):
                answer.headers["Connection"] = "close"
        for name, value in self.headers.items():
            if name == "set-cookie":
                answer.headers.append(name, value)
        await answer(scope, receive, send)

    async def _take(self, receive: Receive) -> Response:
        arrivals = await run_in_threadpool(self._held.receiving)
        try:
            sink = await run_in_threadpool(self._sink, arrivals)
            await self._pump(receive, sink)
            sent = await run_in_threadpool(sink.finish)
            return await run_in_threadpool(self._finish, arrivals, sent)
        finally:
            await asyncio.shield(run_in_threadpool(arrivals.close))

    async def _pump(self, receive: Receive, sink: _Raw | _Multipart) -> None:
        """Blocks to the sink, while the next one comes."""
        writing: asyncio.Future[None] | None = None
        try:
            async for block in blocks(receive):
                if writing is not None:
                    await writing
                writing = asyncio.ensure_future(run_in_threadpool(sink.write, block))
            if writing is not None:
                await writing
        except BaseException:
            if writing is not None:  # a thread writes on; what it writes to is closed after it
                await asyncio.wait({writing})
                if not writing.cancelled():
                    writing.exception()
            raise


class HungUp(Exception):  # what happened, as our errors are named
    """The caller is gone, the body is not whole."""


async def blocks(receive: Receive) -> AsyncIterator[bytes]:
    """The body in blocks of about a megabyte. Raises HungUp when it is cut, TooSlow."""
    held: list[bytes] = []
    size = total = 0
    began = time.monotonic()
    more = True
    while more:
        try:
            async with asyncio.timeout(PATIENCE_S):
                message = await receive()
        except TimeoutError as problem:
            raise TooSlow(
                f"nothing came for {PATIENCE_S:.0f} s; nothing was stored, send it again"
            ) from problem
        if message["type"] == "http.disconnect":
            raise HungUp
        chunk, more = message.get("body", b""), message.get("more_body", False)
        held.append(chunk)
        size += len(chunk)
        total += len(chunk)
        took_s = time.monotonic() - began
        if took_s > _SLOW_AFTER_S and total < LEAST_BYTES_PER_S * took_s:
            raise TooSlow(f"{total} bytes in {took_s:.0f} s is too slow; nothing was stored, send it again")
        if size >= BLOCK_BYTES or (size and not more):
            yield b"".join(held)
            held, size = [], 0


async def drained(receive: Receive) -> bool:
    """Whether what is left of a refused body was small, and is read now."""
    n_bytes = 0
    try:
        async with asyncio.timeout(_DRAINED_S):
            while n_bytes <= _DRAINED_BYTES:
                message: Message = await receive()
                if message["type"] == "http.disconnect":
                    return True
                n_bytes += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return True
    except TimeoutError:
        pass  # whoever sends slowly gets the answer all the same, and then a closed connection
    return False


class Refusing(Response):
    """An answer to a body that was not wanted: it is read when it is small, else the connection ends."""

    def __init__(self, answer: Response) -> None:
        super().__init__()
        self._answer = answer
        self.status_code = answer.status_code

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD") and not await drained(receive):
            self._answer.headers["Connection"] = "close"
        for name, value in self.headers.items():
            if name == "set-cookie":
                self._answer.headers.append(name, value)
        await self._answer(scope, receive, send)


class _Raw:
    """The whole body as one file."""

    def __init__(self, arrivals: Arrivals) -> None:
        self._incoming = arrivals.receive()

    def write(self, block: bytes) -> None:
        self._incoming.write(block)

    def finish(self) -> list[Sent]:
        return [Sent("", self._incoming)]


@dataclass(slots=True)
class _Multipart:
    """The parts of a multipart body that are files; form fields are left alone."""

    _arrivals: Arrivals
    _boundary: bytes
    _sent: list[Sent] = field(default_factory=list)
    _current: Incoming | None = None
    _headers: dict[str, bytes] = field(default_factory=dict)
    _name: bytearray = field(default_factory=bytearray)
    _value: bytearray = field(default_factory=bytearray)
    _n_parts: int = 0
    _is_over: bool = False
    _parser: MultipartParser = field(init=False)

    def __post_init__(self) -> None:
        self._parser = MultipartParser(
            self._boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": lambda data, start, end: self._name.extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                "on_header_end": self._header,
                "on_headers_finished": self._open,
                "on_part_data": self._data,
                "on_end": self._end,
            },
        )

    def write(self, block: bytes) -> None:
        try:
            self._parser.write(block)
        except MultipartParseError as problem:
            raise BadUpload(f"the multipart body cannot be read: {problem}") from problem

    def finish(self) -> list[Sent]:
        if not self._is_over:
            raise BadUpload("the multipart body ends before its last boundary; nothing was stored")
        return self._sent

    def _begin(self) -> None:
        self._n_parts += 1
        if self._n_parts > _MOST_PARTS:
            raise BadUpload(f"more than {_MOST_PARTS} parts in one body; send an archive with extract=true")
        self._headers.clear()
        self._current = None

    def _header(self) -> None:
        self._headers[bytes(self._name).decode("latin-1").lower()] = bytes(self._value)
        self._name.clear()
        self._value.clear()

    def _open(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition", b""))
        if (name := options.get(b"filename")) is not None:
            try:
                text = name.decode()
            except UnicodeDecodeError:
                text = name.decode("latin-1")
            self._current = self._arrivals.receive()
            self._sent.append(Sent(text, self._current))

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._current is not None:
            self._current.write(data[start:end])

    def _end(self) -> None:
        self._is_over = True


def multipart_boundary(request: Request) -> bytes:
    """The boundary of a multipart body, b'' for any other. Raises BadUpload when it says none."""
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if not kind.startswith(b"multipart/"):
        return b""
    boundary = options.get(b"boundary", b"")
    if not 0 < len(boundary) <= 200:
        raise BadUpload("the multipart body names no boundary in its Content-Type")
    return boundary


def promised_digests(headers: Mapping[str, str]) -> Promised:
    """What `Content-MD5`, `Content-Digest`, `Repr-Digest` or `Digest` promise. Raises BadUpload."""
    found: dict[str, str] = {}
    if said := headers.get("content-md5", ""):
        found["md5"] = _hex(said, 16)
    for name in ("content-digest", "repr-digest", "digest"):
        for algorithm, value in re.findall(r"(md5|sha-256)=:?([A-Za-z0-9+/=]+)", headers.get(name, ""), re.I):
            is_md5 = algorithm.lower() == "md5"
            found["md5" if is_md5 else "sha256"] = _hex(value, 16 if is_md5 else 32)
    return Promised(found.get("md5", ""), found.get("sha256", ""))


def _hex(text: str, n_bytes: int) -> str:
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error:
        raw = b""
    if len(raw) != n_bytes:
        raise BadUpload(f"the digest {text!r} is not {n_bytes} bytes in base64")
    return raw.hex()


def need_name(name: str) -> str:
    """The name of a part without the folders that old browsers send. Raises BadPath when there is none."""
    bare = re.sub(r"\A(?:[A-Za-z]:)?.*\\", "", name)
    if not bare:
        raise BadPath("a file of the body has no name; give it one, or name it in the address")
    return bare

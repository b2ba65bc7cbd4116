"""A small server that speaks S3's GET and HEAD, and misbehaves when it is told to.

Faults are queued per key; each request for the key takes the next one. Everything that was asked is kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import signal
import socket
import struct
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from threading import Event, Lock, Thread
from urllib.parse import unquote_to_bytes

BUCKET = "bucket"


@dataclass(frozen=True)
class Held:
    """An object: its body, its ETag and what else its answers say."""

    body: bytes
    etag: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one answer.

    cut        the connection closes after `at` bytes of the body
    reset      likewise, but with a reset
    status     the status `status`, with `headers` and S3's error document for `code`
    short      the answer promises and brings only `at` bytes
    flip       the byte `at` of the object comes with one bit changed
    page       status 200 and a page instead of the object; `code` is html or xml
    stall      after `at` bytes nothing more comes
    drip       after `at` bytes they come one by one, far apart
    slow       64 KiB pieces, `seconds` apart
    whole      ranges are ignored
    range-200  a range comes under status 200, as from `rclone serve s3`
    elsewhere  another range than the one asked for
    chunked    no length is told, the body comes in chunks
    broken     the chunks break off after `at` bytes
    swap       the object is replaced by `held` before this answer; `after` it where `at` is 1
    kill       the process `server.victim` is killed after `at` bytes
    nonsense   the answer is not HTTP
    """

    kind: str
    at: int = 0
    status: int = 0
    code: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    held: Held | None = None


@dataclass
class Asked:
    """One request and what was sent for it; counted before it is sent, so that no client is ahead of it."""

    method: str
    key: str
    range: str
    if_match: str
    status: int = 0
    sent_bytes: int = 0


def held(body: bytes, *, etag: str | None = None, **headers: str) -> Held:
    """An object as S3 would hold it after a plain PUT."""
    md5 = hashlib.md5(body, usedforsecurity=False).hexdigest()
    return Held(body, md5 if etag is None else etag, {k.replace("_", "-"): v for k, v in headers.items()})


class FaultServer:
    """Listens on a free port of the loopback from `with` on."""

    def __init__(self) -> None:
        self.objects: dict[str, Held] = {}
        self.faults: dict[str, deque[Fault]] = {}
        self.always: dict[str, Fault] = {}
        self.asked: list[Asked] = []
        self.victim = 0
        self.refuse_after: int | None = None
        self._lock = Lock()
        self._ended = Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> FaultServer:
        Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def put(self, key: str, body: bytes, *faults: Fault, etag: str | None = None, **headers: str) -> Held:
        """Hold an object, with faults for its first answers."""
        one = held(body, etag=etag, **headers)
        self.objects[key] = one
        self.faults[key] = deque(faults)
        return one

    def sent_bytes(self, key: str = "") -> int:
        """Bytes of bodies that were sent, of one key or of all."""
        return sum(a.sent_bytes for a in self.asked if not key or a.key == key)

    def _listen(self) -> None:
        while not self._ended.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(30)
            Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            reader = connection.makefile("rb")
            while not self._ended.is_set():
                line = reader.readline()
                if not line:
                    return
                headers = {}
                while (raw := reader.readline()) not in (b"\r\n", b""):
                    name, _, value = raw.decode("latin-1").partition(":")
                    headers[name.lower()] = value.strip()
                method, path, _ = line.decode("latin-1").split(" ")
                if not self._answer(connection, method, path, headers):
                    return

    def _answer(self, connection: socket.socket, method: str, path: str, headers: Mapping[str, str]) -> bool:
        raw = unquote_to_bytes(path.split("?")[0].removeprefix(f"/{BUCKET}/"))
        key = raw.decode("utf-8", "surrogateescape")
        with self._lock:
            fault = self.always.get(key)
            queue = self.faults.get(key)
            if fault is None and queue and (method == "GET" or queue[0].kind in ("status", "swap")):
                fault = queue.popleft()
            if fault and fault.kind == "swap" and not fault.at and fault.held:
                self.objects[key] = fault.held
            one = self.objects.get(key)
            if fault and fault.kind == "swap" and fault.at and fault.held:
                self.objects[key] = fault.held
            if self.refuse_after is not None:
                self.refuse_after -= 1
                if self.refuse_after < 0:
                    fault = Fault("status", status=400, code="ExpiredToken")
            record = Asked(method, key, headers.get("range", ""), headers.get("if-match", ""))
            self.asked.append(record)
        try:
            return _Reply(connection, headers, one, fault or Fault("none"), self, record).send()
        except OSError:
            return False

    def wait(self, seconds: float) -> None:
        """Sleep, unless the server ends."""
        self._ended.wait(seconds)


class _Reply:
    def __init__(
        self,
        connection: socket.socket,
        asked: Mapping[str, str],
        one: Held | None,
        fault: Fault,
        server: FaultServer,
        record: Asked,
    ) -> None:
        self._connection, self._asked = connection, asked
        self._one, self._fault, self._server = one, fault, server
        self._record, self._method = record, record.method

    def send(self) -> bool:
        """Send the answer; False when the connection ends with it."""
        fault = self._fault
        if fault.kind == "status":
            return self._error(fault.status, fault.code or "InternalError", fault.headers)
        if fault.kind == "nonsense":
            self._connection.sendall(b"220 this is not the protocol that you look for\r\n\r\n")
            return False
        if self._one is None:
            return self._error(404, "NoSuchKey", {})
        if fault.kind == "page":
            kind = "text/html" if fault.code == "html" else "application/xml"
            error = "<Error><Code>InternalError</Code><Message>an error under 200</Message></Error>"
            text = f"<!DOCTYPE html><html><title>{error}</title></html>" if fault.code == "html" else error
            body = text.encode().ljust(fault.at)
            self._head(200, {"Content-Length": str(len(body)), "Content-Type": kind})
            return self._body(body)
        wanted = self._asked.get("if-match", "")
        if wanted and wanted.strip('"') != self._one.etag:
            return self._error(412, "PreconditionFailed", {})
        return self._object(self._one)

    def _object(self, one: Held) -> bool:
        fault, body = self._fault, one.body
        if fault.kind == "flip" and body:
            at = fault.at % len(body)
            body = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", self._asked.get("range", ""))
        start, end, status = 0, len(body), 200
        if match and fault.kind != "whole":
            start = int(match[1])
            end = min(len(body), int(match[2]) + 1) if match[2] else len(body)
            status = 206
            if start >= len(body):
                return self._error(416, "InvalidRange", {})
        headers = dict(one.headers)
        if one.etag:
            headers["ETag"] = f'"{one.etag}"'
        if status == 206:
            shown = start + 1 if fault.kind == "elsewhere" else start
            headers["Content-Range"] = f"bytes {shown}-{end - 1}/{len(body)}"
            headers = {k: v for k, v in headers.items() if not k.startswith("x-amz-checksum")}
            if fault.kind == "range-200":
                status = 200
        body = body[start:end]
        if fault.kind == "short":
            body = body[: fault.at]
        if fault.kind in ("chunked", "broken"):
            self._head(status, {**headers, "Transfer-Encoding": "chunked"})
            return self._chunks(body)
        self._head(status, {**headers, "Content-Length": str(len(body))})
        return True if self._method == "HEAD" else self._body(body)

    def _body(self, body: bytes) -> bool:
        kind, at = self._fault.kind, self._fault.at
        if self._method == "HEAD":
            return True
        if kind in ("cut", "reset", "stall", "drip", "kill"):
            self._put(body[:at])
            if kind == "kill" and self._server.victim:
                time.sleep(0.02)  # what was sent shall have arrived
                os.kill(self._server.victim, signal.SIGKILL)
            if kind == "reset":
                time.sleep(0.02)
                self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if kind == "stall":
                self._server.wait(20)
            if kind == "drip":
                for i in range(at, len(body)):
                    self._put(body[i : i + 1])
                    self._server.wait(0.05)
            return False
        if kind == "slow":
            for i in range(0, len(body), 65536):
                self._put(body[i : i + 65536])
                self._server.wait(self._fault.seconds)
            return True
        self._put(body)
        return True

    def _chunks(self, body: bytes) -> bool:
        end = self._fault.at if self._fault.kind == "broken" else len(body)
        for i in range(0, end, 10_000):
            piece = body[i : min(i + 10_000, end)]
            self._record.sent_bytes += len(piece)
            self._connection.sendall(f"{len(piece):x};x=y\r\n".encode() + piece + b"\r\n")
        if self._fault.kind == "broken":
            return False
        self._connection.sendall(b"0\r\nX-Trailer: yes\r\n\r\n")
        return True

    def _put(self, data: bytes) -> None:
        self._record.sent_bytes += len(data)
        self._connection.sendall(data)

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        self._record.status = status
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        moment = "Last-Modified: Wed, 25 Nov 2026 00:00:00 GMT\r\n"
        self._connection.sendall(f"HTTP/1.1 {status} Status\r\n{moment}{lines}\r\n".encode())

    def _error(self, status: int, code: str, headers: Mapping[str, str]) -> bool:
        text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>said: {code}</Message></Error>"
        body = b"" if self._method == "HEAD" else text.encode()
        self._head(
            status,
            {"Content-Length": str(len(body)), "Content-Type": "application/xml", **headers},
        )
        self._connection.sendall(body)
        return True


def repeat(fault: Fault, n: int) -> list[Fault]:
    """The same fault for several answers."""
    return [replace(fault) for _ in range(n)]

"""A file as an answer: whole or in ranges, with the conditions under which it need not be sent.

Source  RFC 9110 13 and 14; protocol/rest.md 5.4
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from connectomedb.errors import ConnectomeDBError
from connectomedb.server.failures import failure
from connectomedb.server.streaming import PATIENCE_S, NobodyListens

# What is sent at once; who takes less than that in `PATIENCE_S` is gone.
_SLICE_BYTES = 256 * 1024
# More ranges than that are no download, but a way to make work: the whole file is sent.
_MOST_RANGES = 16
_TYPES = {
    "txt": "text/plain", "log": "text/plain", "md": "text/plain", "bval": "text/plain", "bvec": "text/plain",
    "csv": "text/csv", "tsv": "text/tab-separated-values",
    "xml": "text/xml", "html": "text/html", "htm": "text/html", "json": "application/json",
    "pdf": "application/pdf", "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg",
    "gif": "image/gif", "tif": "image/tiff", "tiff": "image/tiff", "dcm": "application/dicom",
    "zip": "application/zip", "gz": "application/gzip", "tgz": "application/gzip", "tar": "application/x-tar",
}  # fmt: skip

Read = Callable[[int, int], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Download:
    """What is sent: its name, size, digest ('' if unknown), time of change (UTC), how to read a range."""

    name: str
    size_bytes: int
    tag: str
    modified: datetime
    read: Read


def content_type(name: str) -> str:
    """The content type by the extension."""
    kind = _TYPES.get(name.rpartition(".")[2].lower(), "application/octet-stream")
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


def attachment(name: str) -> str:
    """`Content-Disposition` for a name, whatever is in it: a browser saves it, and shows none of it."""
    plain = re.sub(r'[^ -~]|["\\%]', "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def answer_download(request: Request, download: Download) -> Response:
    """The file, a part of it, or that it need not be sent (304), or is not what was expected (412)."""
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": f'"{download.tag}"' if download.tag else "",
        "Last-Modified": format_datetime(_whole_second(download.modified), usegmt=True),
        "Cache-Control": "private, must-revalidate",
        "Content-Disposition": attachment(download.name),
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
    headers = {name: value for name, value in headers.items() if value}
    said = request.headers
    if not meets(said.get("if-match", ""), download.tag) or _changed_since(
        said.get("if-unmodified-since", "") if "if-match" not in said else "", download.modified
    ):
        return Response("the file was changed", 412, headers, "text/plain; charset=utf-8")
    if "if-none-match" in said:
        is_known = tag_named(said["if-none-match"], download.tag)
    else:
        since = said.get("if-modified-since", "")
        is_known = bool(since) and _is_date(since) and not _changed_since(since, download.modified)
    if is_known:
        return Response(None, 304, headers)
    ranges = _ranges(request, download)
    if ranges == []:
        headers["Content-Range"] = f"bytes */{download.size_bytes}"
        detail = f"the file has {download.size_bytes} bytes; the range lies beyond its end"
        return Response(detail, 416, headers, "text/plain; charset=utf-8")
    return FileBody(download, headers, ranges)


def meets(if_match: str, tag: str) -> bool:
    """Whether `If-Match` allows it."""
    return not if_match or tag_named(if_match, tag)


def tag_named(said: str, tag: str) -> bool:
    """Whether a list of entity tags names this one; `*` names every one."""
    return said.strip() == "*" or (bool(tag) and tag in tags_of(said))


def tags_of(said: str) -> tuple[str, ...]:
    """The tags in an `If-Match` or `If-None-Match`, without quotes; ('*',) for any."""
    if said.strip() == "*":
        return ("*",)
    return tuple(re.findall(r'"([^"]*)"', said)) or tuple(
        word.strip() for word in said.split(",") if word.strip()
    )


class FileBody(Response):
    """The bytes of one download; `ranges` None for all of it, else (start, end) pairs in order."""

    def __init__(
        self, download: Download, headers: dict[str, str], ranges: Sequence[tuple[int, int]] | None
    ) -> None:
        size = download.size_bytes
        kind = content_type(download.name)
        self._read = download.read
        self._parts: list[tuple[bytes, int, int]] = [(b"", 0, size)]
        self._end = b""
        status = 200
        if ranges is not None and len(ranges) == 1:
            status, ((start, end),) = 206, ranges
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
            self._parts = [(b"", start, end)]
        elif ranges is not None:
            status, boundary = 206, secrets.token_hex(16)
            heads = (
                f"\r\n--{boundary}\r\nContent-Type: {kind}\r\nContent-Range: bytes {a}-{b - 1}/{size}\r\n\r\n"
                for a, b in ranges
            )
            self._parts = [(head.encode(), a, b) for head, (a, b) in zip(heads, ranges, strict=True)]
            self._end = f"\r\n--{boundary}--\r\n".encode()
            kind = f"multipart/byteranges; boundary={boundary}"
        length = sum(len(head) + end - start for head, start, end in self._parts) + len(self._end)
        self.status_code = status
        self.background = None
        self.body = b""
        self.init_headers({**headers, "Content-Length": str(length), "Content-Type": kind})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        pieces = self._pieces()
        try:
            # The first piece is read before the head is sent: a failure has a status of its own until then.
            piece = None if scope["method"] == "HEAD" else await run_in_threadpool(next, pieces, None)
        except ConnectomeDBError as error:
            await failure(Request(scope), error)(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        while piece is not None:
            coming = asyncio.ensure_future(run_in_threadpool(next, pieces, None))
            try:
                await self._send(piece, send)
            finally:
                piece = await asyncio.shield(coming)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, piece: bytes, send: Send) -> None:
        view = memoryview(piece)
        for at in range(0, len(piece), _SLICE_BYTES):
            body = view[at : at + _SLICE_BYTES]
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await send({"type": "http.response.body", "body": body, "more_body": True})
            except TimeoutError as problem:
                raise NobodyListens(f"nothing was taken of a file for {PATIENCE_S:.0f} s") from problem

    def _pieces(self) -> Iterator[bytes]:
        for head, start, end in self._parts:
            if head:
                yield head
            if end > start:
                yield from self._read(start, end)
        if self._end:
            yield self._end


def _ranges(request: Request, download: Download) -> list[tuple[int, int]] | None:
    """The ranges that are asked for, merged; None for the whole file, [] when none can be satisfied."""
    said = request.headers.get("range", "")
    if not said or request.method not in ("GET", "HEAD") or not _range_still_wanted(request, download):
        return None
    match = re.fullmatch(r"bytes=(\s*(?:\d*-\d*)\s*(?:,\s*(?:\d*-\d*)?\s*)*)", said.strip(), re.IGNORECASE)
    if match is None:
        return None
    size = download.size_bytes
    found: list[tuple[int, int]] = []
    for one in match[1].split(","):
        first, _, last = one.strip().partition("-")
        if len(first) > 18 or len(last) > 18:
            return None
        if first:
            start, end = int(first), min(size, int(last) + 1) if last else size
            if last and int(last) < int(first):
                return None
        elif last:
            start, end = max(0, size - int(last)), size
        else:
            continue
        if start < end:
            found.append((start, end))
    if len(found) > _MOST_RANGES:
        return None
    merged: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _range_still_wanted(request: Request, download: Download) -> bool:
    """`If-Range` names the file as it is now."""
    said = request.headers.get("if-range", "").strip()
    if not said:
        return True
    if said.startswith('"'):
        return said.strip('"') == download.tag != ""
    return _is_date(said) and parsedate_to_datetime(said) == _whole_second(download.modified)


def _changed_since(said: str, modified: datetime) -> bool:
    if not said or not _is_date(said):
        return False
    moment = parsedate_to_datetime(said)
    return _whole_second(modified) > (moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _is_date(said: str) -> bool:
    try:
        parsedate_to_datetime(said)
    except ValueError:
        return False
    return True


def _whole_second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0, tzinfo=UTC)

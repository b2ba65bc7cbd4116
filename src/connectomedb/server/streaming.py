"""An answer that is sent while it is made, and given up when nobody listens any more.

A short one goes out whole, with its length. A longer one that fails in the middle is cut off, so that no
client takes a part for the whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from threading import Lock

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from connectomedb.store.reading import Stopped

LEAST_PIECE_BYTES = 64 * 1024
# Rows that are there by then go out together with the head.
HEAD_START_S = 0.05
_STOP_AGAIN_AFTER_S = 0.5
# Who takes nothing for that long holds a connection of the database for nothing.
PATIENCE_S = 60.0


class NobodyListens(TimeoutError):
    """The caller is still there and takes nothing."""


class Streamed(Response):
    """Pieces as a response. `stop` is called once nothing more is wanted, in whatever way it ended."""

    def __init__(
        self,
        pieces: Iterator[bytes],
        stop: Callable[[], None],
        headers: Mapping[str, str],
        content_type: str,
    ) -> None:
        self.status_code = 200
        self.media_type = content_type
        self.background = None
        self.init_headers(headers)
        self._pieces = pieces
        self._stop = stop
        self._held: list[bytes] = []
        self._lock = Lock()
        self._hung_up = False
        self._is_over = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        watching = asyncio.create_task(self._watch(receive))
        try:
            await self._pump(send)
        except Stopped:
            if not self._hung_up:
                raise
        finally:
            watching.cancel()
            if not self._is_over:
                await run_in_threadpool(self._stop)

    async def _watch(self, receive: Receive) -> None:
        """Wait for the caller to hang up, then break off what the database is doing."""
        while (await receive())["type"] != "http.disconnect":
            pass
        self._hung_up = True
        while True:  # a statement that had not begun when it was stopped is stopped again
            await run_in_threadpool(self._stop)
            await asyncio.sleep(_STOP_AGAIN_AFTER_S)

    async def _pump(self, send: Send) -> None:
        # Until the first rows are there a failure has a status of its own; but who waits for a long sort is
        # told that the answer has begun.
        first = asyncio.ensure_future(run_in_threadpool(self._next))
        await asyncio.wait({first}, timeout=HEAD_START_S)
        head = b"" if first.done() else self._take_head()
        headers = list(self.raw_headers)
        if head:
            await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
            await send({"type": "http.response.body", "body": head, "more_body": True})
            piece, more = await first
            await self._within_reason(send({"type": "http.response.body", "body": piece, "more_body": more}))
            await self._rest(send, more)
            return
        piece, more = await first
        if not more:
            headers.append((b"content-length", str(len(piece)).encode()))
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": piece, "more_body": more})
        await self._rest(send, more)

    async def _rest(self, send: Send, more: bool) -> None:
        while more:
            piece, more = await run_in_threadpool(self._next)
            await self._within_reason(send({"type": "http.response.body", "body": piece, "more_body": more}))

    async def _within_reason(self, sending: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                await sending
        except TimeoutError as problem:
            raise NobodyListens(f"nothing was taken of an answer for {PATIENCE_S:.0f} s") from problem

    def _next(self) -> tuple[bytes, bool]:
        """The next bytes, not too few, and whether others may follow."""
        size = 0
        for piece in self._pieces:
            with self._lock:
                self._held.append(piece)
            size += len(piece)
            if size >= LEAST_PIECE_BYTES:
                return self._take_head(), True
        self._stop()
        self._is_over = True
        return self._take_head(), False

    def _take_head(self) -> bytes:
        """What was made and not sent yet."""
        with self._lock:
            held, self._held = self._held, []
        return b"".join(held)

"""When an answer begins: at once when its rows are there, with its head when they are late."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
from starlette.types import Message

from connectomedb.server.streaming import Streamed

WAIT_S = 20.0


async def _nobody_hangs_up() -> Message:
    await asyncio.Event().wait()
    raise AssertionError("never set")


def _answer(pieces: Iterator[bytes]) -> tuple[Streamed, list[Message]]:
    return Streamed(pieces, lambda: None, {}, "text/csv"), []


def test_the_head_goes_out_while_the_rows_are_made() -> None:
    begun, rows_may_come = threading.Event(), threading.Event()

    def pieces() -> Iterator[bytes]:
        yield b"head\n"
        assert rows_may_come.wait(WAIT_S)
        yield b"row\n"

    answer, sent = _answer(pieces())

    async def send(message: Message) -> None:
        sent.append(message)
        if message.get("body") == b"head\n":
            begun.set()
            rows_may_come.set()

    asyncio.run(answer({"type": "http"}, _nobody_hangs_up, send))
    assert begun.is_set()
    assert b"".join(m.get("body", b"") for m in sent) == b"head\nrow\n"
    assert not any(name == b"content-length" for name, _ in sent[0]["headers"])
    assert sent[-1]["more_body"] is False


def test_a_short_answer_that_is_there_goes_out_whole() -> None:
    answer, sent = _answer(iter([b"head\n", b"row\n"]))

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(answer({"type": "http"}, _nobody_hangs_up, send))
    assert [m.get("body") for m in sent] == [None, b"head\nrow\n"]
    assert (b"content-length", b"9") in sent[0]["headers"]


def test_a_failure_before_the_rows_has_no_answer_yet() -> None:
    def pieces() -> Iterator[bytes]:
        yield b"head\n"
        raise ValueError("no rows")

    answer, sent = _answer(pieces())

    async def send(message: Message) -> None:
        sent.append(message)

    with pytest.raises(ValueError, match="no rows"):
        asyncio.run(answer({"type": "http"}, _nobody_hangs_up, send))
    assert sent == []

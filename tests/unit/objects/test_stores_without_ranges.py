"""A store that answers a range with the whole is read in parts all the same."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectomedb.objects.stores import _cut, open_store

BODY = bytes(range(256)) * 20_000


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base names it so
        pass


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """`python -m http.server` knows no ranges."""
    (tmp_path / "a.bin").write_bytes(BODY)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("start", "end"), [(0, None), (0, 10), (3_000_000, 3_000_007), (5_000_000, None)])
def test_a_part_of_a_whole(url: str, start: int, end: int | None) -> None:
    assert b"".join(open_store(url).stream("a.bin", start, end)) == BODY[start:end]


@given(st.lists(st.binary(max_size=9)), st.integers(0, 60), st.none() | st.integers(0, 60))
def test_a_cut_is_a_slice(pieces: list[bytes], start: int, end: int | None) -> None:
    assert b"".join(_cut(iter(pieces), start, end)) == b"".join(pieces)[start:end]

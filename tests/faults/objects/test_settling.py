"""Groups of files become durable before any of them has its name, whatever the system can flush."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults.objects.conftest import store_on
from tests.faults.objects.server import FaultServer

from connectomedb.errors import ConnectomeDBError
from connectomedb.objects import settle
from connectomedb.objects.plan import make_plan
from connectomedb.objects.report import TransferReport
from connectomedb.objects.targets import TargetFolder, disk_trouble
from connectomedb.objects.transfer import run_plan
from connectomedb.vocabulary.records import FileRow

N = 40


def _run(server: FaultServer, folder: Path) -> TransferReport:
    rows = []
    for i in range(N):
        one = server.put(f"a/{i}", str(i).encode() * 100)
        rows.append(FileRow("1", f"a/{i}", len(one.body), "md5", one.etag))
    return run_plan(make_plan(rows, folder, location="s3://bucket"), store_on(server), parallel=2)


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was flushed (`all`, or a part's name) and which files got their names, in order."""
    seen: list[str] = []
    fsync, move_in = os.fsync, TargetFolder.move_in

    def flushed(handle: int) -> None:
        fsync(handle)
        seen.append(f"flushed {os.readlink(f'/proc/self/fd/{handle}')}")

    def moved(self: TargetFolder, path: Path, target: str) -> None:
        seen.append(f"named {path}")
        move_in(self, path, target)

    monkeypatch.setattr(os, "fsync", flushed)
    monkeypatch.setattr(TargetFolder, "move_in", moved)
    return seen


def _flush_with(monkeypatch: pytest.MonkeyPatch, flush: Callable[[Path], None] | None) -> None:
    monkeypatch.setattr(settle, "flush_function", lambda: flush)


def test_each_is_flushed_where_the_system_cannot_flush_all(
    server: FaultServer, tmp_path: Path, events: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _flush_with(monkeypatch, None)
    assert _run(server, tmp_path).counts == {"verified": N}
    for event in events:
        if event.startswith("named "):
            assert events.index(f"flushed {event[6:]}") < events.index(event)


def test_a_group_is_flushed_before_its_names(
    server: FaultServer, tmp_path: Path, events: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = tmp_path / ".connectomedb/parts"
    on_disk: set[str] = set()

    def flush(folder: Path) -> None:
        assert folder == parts
        on_disk.update(str(path) for path in parts.iterdir())

    _flush_with(monkeypatch, flush)
    assert _run(server, tmp_path).counts == {"verified": N}
    flushed = {event[8:] for event in events if event.startswith("flushed ")}
    assert {event[6:] for event in events if event.startswith("named ")} <= on_disk | flushed


def test_a_flush_that_fails_asks_every_file(
    server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flush(_: Path) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    def refuse(ready: settle.Ready) -> ConnectomeDBError | None:
        if ready.file.key == "a/7":
            return disk_trouble(OSError(errno.EIO, os.strerror(errno.EIO)), ready.file.target)
        return None

    _flush_with(monkeypatch, flush)
    monkeypatch.setattr(settle, "_flush_one", refuse)
    report = _run(server, tmp_path)
    assert report.counts == {"verified": N - 1, "failed": 1}
    assert "cannot write a/7" in str(report.failures[0].error)
    assert not (tmp_path / "a/7").exists()


def test_a_flush_that_takes_long_is_not_asked_for_again(
    server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Path] = []
    _flush_with(monkeypatch, calls.append)
    monkeypatch.setattr(settle, "_TOO_LONG_S", -1.0)
    assert _run(server, tmp_path).counts == {"verified": N}
    assert len(calls) <= 1


def test_the_systems_own_flush_works(tmp_path: Path) -> None:
    flush = settle.flush_function()
    assert flush is not None
    flush(tmp_path)
    with pytest.raises(OSError, match="No such file"):
        flush(tmp_path / "none")

"""Full disks, Ctrl-C and kill -9: nothing wrong ever has a good name, and no verified byte comes twice."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.faults.objects.conftest import store_on
from tests.faults.objects.server import BUCKET, Fault, FaultServer, repeat

from connectomedb.errors import DiskFull, ObjectMissing, TransferError
from connectomedb.objects.fetch import FileFetch
from connectomedb.objects.journal import Parts
from connectomedb.objects.plan import Space, TransferPlan, make_plan
from connectomedb.objects.report import Progress
from connectomedb.objects.stores import open_store
from connectomedb.objects.targets import disk_trouble
from connectomedb.objects.transfer import run_plan
from connectomedb.vocabulary.records import FileRow

BODY = os.urandom(1 << 21)
MD5 = hashlib.md5(BODY, usedforsecurity=False).hexdigest()
SEGMENT = 1 << 18

RUN = f"""
import sys
from pathlib import Path
from connectomedb.objects.plan import TransferPlan
from connectomedb.objects.stores import Patience, open_store
from connectomedb.objects.transfer import run_plan
plan = TransferPlan.from_json(Path(sys.argv[2]).read_text())
store = open_store("s3://{BUCKET}", endpoint=sys.argv[1], access_key="a", secret_key="b")
print("running", flush=True)
report = run_plan(plan, store, parallel=2, segment_bytes=int(sys.argv[3]))
print(report.summary())
"""


def _plan(folder: Path, *keys: str, size: int = len(BODY), digest: str = MD5) -> TransferPlan:
    rows = [FileRow("100307", key, size, "md5" if digest else "", digest) for key in keys or ("a/b",)]
    return make_plan(rows, folder, location=f"s3://{BUCKET}")


def _process(
    server: FaultServer, plan: TransferPlan, work: Path, segment: int, code: str = RUN
) -> subprocess.Popen[str]:
    saved = work / "plan.json"
    saved.write_text(plan.to_json())
    process = subprocess.Popen(
        [sys.executable, "-c", code, server.url, str(saved), str(segment)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "running\n"
    return process


def _end(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=20)
    return out + err


def test_a_missing_object_does_not_stop_the_others(server: FaultServer, tmp_path: Path) -> None:
    server.put("a/b", BODY)
    report = run_plan(_plan(tmp_path, "missing", "a/b"), store_on(server))
    assert report.counts == {"missing": 1, "verified": 1}
    with pytest.raises(ObjectMissing, match="missing"):
        report.raise_for_failures()


@pytest.mark.parametrize("segment", [SEGMENT, 1 << 24])
def test_a_full_disk_ends_the_run_and_leaves_no_good_name(
    server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, segment: int
) -> None:
    def full(*_: object) -> None:
        raise disk_trouble(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "a/b")

    monkeypatch.setattr(FileFetch, "write", full)
    keys = [f"a/{i}" for i in range(50)]
    for key in keys:
        server.put(key, BODY)
    report = run_plan(_plan(tmp_path, *keys), store_on(server), parallel=2, segment_bytes=segment)
    assert report.counts == {"failed": 50}
    with pytest.raises(DiskFull, match="free some"):
        report.raise_for_failures()
    assert len({a.key for a in server.asked}) < 10
    assert not list((tmp_path).glob("a/*"))


def test_too_little_space_is_said_before_anything_moves(
    server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TransferPlan, "space", lambda _: Space(2_000, 1_000))
    with pytest.raises(DiskFull, match="needs 2000 bytes, 1000 are free"):
        run_plan(_plan(tmp_path / "new"), store_on(server))
    assert not (tmp_path / "new").exists()


def test_a_real_size_limit_is_a_full_disk(server: FaultServer, tmp_path: Path) -> None:
    server.put("a/b", BODY)
    limit = "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))\n"
    code = limit + RUN + "print(type(report.failures[0].error).__name__, report.failures[0].error)\n"
    process = _process(server, _plan(tmp_path / "in"), tmp_path, 1 << 24, code)
    assert "DiskFull no room left" in _end(process)
    assert not (tmp_path / "in/a/b").exists()


@pytest.mark.parametrize("segment", [SEGMENT, 1 << 24], ids=["segments", "whole"])
@pytest.mark.parametrize("kill", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_run_is_gone_on_with(
    server: FaultServer, tmp_path: Path, kill: signal.Signals, segment: int
) -> None:
    server.put("a/b", BODY, *repeat(Fault("slow", seconds=0.05), 50))
    folder = tmp_path / "in"
    process = _process(server, _plan(folder), tmp_path, segment)
    while (Parts(folder).begun_bytes("a/b") or 0) < 600_000:
        time.sleep(0.01)
    started = time.monotonic()
    process.send_signal(kill)
    said = _end(process)
    assert process.returncode != 0
    assert time.monotonic() - started < 2
    if kill is signal.SIGINT:
        assert "KeyboardInterrupt" in said
    assert not (folder / "a/b").exists()
    have = Parts(folder).begun_bytes("a/b") or 0
    assert 600_000 <= have < len(BODY)
    server.faults["a/b"].clear()
    plan = _plan(folder)
    assert [f.action for f in plan.files] == ["resume"]
    report = run_plan(plan, store_on(server), segment_bytes=segment)
    report.raise_for_failures()
    assert report.fetched_bytes == len(BODY) - have
    assert (folder / "a/b").read_bytes() == BODY
    assert not list((folder / ".connectomedb/parts").iterdir())


@pytest.mark.parametrize(
    "where", ["journal.Journal.note", "targets.TargetFolder.move_in", "fetch.FileFetch.finish"]
)
@pytest.mark.parametrize("segment", [SEGMENT, 1 << 24], ids=["segments", "whole"])
def test_killed_between_two_steps_of_the_end(
    server: FaultServer, tmp_path: Path, where: str, segment: int
) -> None:
    # Before the verdict, before the name, between the name and the journal.
    server.put("a/b", BODY)
    module, owner, name = where.split(".")
    code = f"""
import os, signal
from connectomedb.objects import {module}
{module}.{owner}.{name} = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
{RUN}"""
    folder = tmp_path / "in"
    _end(_process(server, _plan(folder), tmp_path, segment, code))
    assert (folder / "a/b").exists() == (where == "journal.Journal.note")
    before = server.sent_bytes()
    assert before == len(BODY)
    run_plan(_plan(folder), store_on(server), segment_bytes=segment).raise_for_failures()
    assert server.sent_bytes() == before
    assert (folder / "a/b").read_bytes() == BODY
    assert not list((folder / ".connectomedb/parts").iterdir())


def test_two_processes_into_one_folder(server: FaultServer, tmp_path: Path) -> None:
    server.put("a/b", BODY, *repeat(Fault("slow", seconds=0.05), 50))
    first = _process(server, _plan(tmp_path / "in"), tmp_path, 1 << 24)
    while Parts(tmp_path / "in").begun_bytes("a/b") is None:
        time.sleep(0.01)
    second = _end(_process(server, _plan(tmp_path / "in"), tmp_path, 1 << 24))
    assert f"FolderInUse: another run works in {tmp_path / 'in'} (process {first.pid})" in second
    assert "1 verified" in _end(first)


def test_no_digest_means_uncovered_not_verified(server: FaultServer, tmp_path: Path) -> None:
    seen: list[Progress] = []
    server.put("a/b", BODY, etag="opaque")
    report = run_plan(_plan(tmp_path, digest=""), store_on(server), progress=seen.append)
    assert report.counts == {"uncovered": 1}
    assert report.ok
    assert "not covered by a digest" in report.summary()
    assert seen[-1].done_bytes == len(BODY)
    assert seen[-1].n_done == 1


def test_a_server_that_is_gone_is_a_failure_with_the_address(tmp_path: Path) -> None:
    store = open_store("http://127.0.0.1:9", retries=0, timeout_s=2)
    report = run_plan(_plan(tmp_path), store)
    with pytest.raises(TransferError, match=r"127\.0\.0\.1:9"):
        report.raise_for_failures()

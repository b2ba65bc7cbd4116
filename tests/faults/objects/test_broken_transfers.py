"""Cut connections, wrong bytes, full disks, Ctrl-C and kill -9: nothing wrong ever has a good name."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from connectomedb.errors import ChecksumMismatch, DiskFull, ObjectMissing, TransferError, Truncated
from connectomedb.objects import transfer
from connectomedb.objects.plan import TransferPlan, make_plan
from connectomedb.objects.stores import open_store
from connectomedb.objects.transfer import Progress, run_plan
from connectomedb.objects.verify import part_of
from connectomedb.vocabulary.records import FileRow

BODY = bytes(range(256)) * 8192  # 2 MiB
MD5 = hashlib.md5(BODY, usedforsecurity=False).hexdigest()


class _Trouble(BaseHTTPRequestHandler):
    """Serves BODY: whole, cut in the middle (`/cut`), slowly (`/slow`), or as other bytes (`/wrong`)."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        start = int((self.headers.get("Range") or "bytes=0-").split("=")[1].split("-")[0])
        body = BODY[start:]
        if self.path.endswith("wrong"):
            body = b"\0" * len(body)
        if self.path.endswith("missing"):
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Last-Modified", "Wed, 25 Nov 2026 00:00:00 GMT")
        self.send_header("ETag", '"x"')
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(BODY) - 1}/{len(BODY)}")
        self.end_headers()
        try:
            if self.path.endswith("cut"):
                self.wfile.write(body[: len(body) // 2])
                self.wfile.flush()
                self.close_connection = True
                self.connection.close()
            elif self.path.endswith("slow"):
                for at in range(0, len(body), 65536):
                    self.wfile.write(body[at : at + 65536])
                    time.sleep(0.05)
            else:
                self.wfile.write(body)
        except OSError:
            self.close_connection = True  # the reader went away, as some tests want

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class calls it so
        """Say nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Trouble)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def _plan(folder: Path, key: str, *, size: int = len(BODY), digest: str = MD5) -> TransferPlan:
    return make_plan([FileRow("100307", key, size, "md5", digest)], folder, location="http://test")


def _store(url: str):  # type: ignore[no-untyped-def]  # the type is open_store's
    return open_store(url, retries=0, timeout_s=5)


def test_wrong_bytes_are_a_mismatch_and_nothing_is_kept(url: str, tmp_path: Path) -> None:
    report = run_plan(_plan(tmp_path, "wrong"), _store(url))
    assert report.counts == {"mismatched": 1}
    with pytest.raises(ChecksumMismatch, match="nothing was kept"):
        report.raise_for_failures()
    assert not (tmp_path / "wrong").exists()
    assert not part_of(tmp_path / "wrong").exists()


def test_a_cut_connection_leaves_a_part_that_the_next_run_goes_on_from(url: str, tmp_path: Path) -> None:
    report = run_plan(_plan(tmp_path, "cut"), _store(url))
    assert report.counts == {"failed": 1}
    assert not (tmp_path / "cut").exists()
    part = part_of(tmp_path / "cut")
    have = part.stat().st_size if part.exists() else 0
    # The same object under an address that works: its part stands under that name.
    if have:
        part.rename(part_of(tmp_path / "whole"))
    again = _plan(tmp_path, "whole")
    resumed = run_plan(again, _store(url))
    resumed.raise_for_failures()
    assert resumed.fetched_bytes == len(BODY) - have
    assert (tmp_path / "whole").read_bytes() == BODY


def test_too_few_bytes_are_truncated_and_too_many_refused(url: str, tmp_path: Path) -> None:
    longer = run_plan(_plan(tmp_path, "whole", size=len(BODY) + 1), _store(url))
    with pytest.raises(Truncated, match="run again"):
        longer.raise_for_failures()
    shorter = run_plan(_plan(tmp_path / "b", "whole", size=len(BODY) - 1), _store(url))
    with pytest.raises(ChecksumMismatch):
        shorter.raise_for_failures()
    assert not list(tmp_path.rglob("whole"))


def test_a_missing_object_does_not_stop_the_others(url: str, tmp_path: Path) -> None:
    rows = [FileRow("1", key, len(BODY), "md5", MD5) for key in ("missing", "whole")]
    report = run_plan(make_plan(rows, tmp_path, location="http://test"), _store(url))
    assert report.counts == {"missing": 1, "verified": 1}
    with pytest.raises(ObjectMissing, match="missing"):
        report.raise_for_failures()


def test_a_full_disk_says_so_and_leaves_no_good_name(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise transfer._disk_trouble(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), tmp_path / "x")

    monkeypatch.setattr(transfer, "_write", full)
    with pytest.raises(DiskFull, match="free some"):
        run_plan(_plan(tmp_path, "whole"), _store(url))
    assert not (tmp_path / "whole").exists()


def test_a_real_size_limit_is_a_full_disk(url: str, tmp_path: Path) -> None:
    code = f"""
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
from connectomedb import open_store, run_plan
from connectomedb.errors import DiskFull
from connectomedb.objects.plan import make_plan
from connectomedb.vocabulary.records import FileRow
plan = make_plan([FileRow("1", "whole", {len(BODY)}, "md5", "{MD5}")], {str(tmp_path)!r}, location="x")
try:
    run_plan(plan, open_store("{url}"))
except DiskFull as trouble:
    print("FULL", trouble)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("FULL no room left")
    assert not (tmp_path / "whole").exists()


@pytest.mark.parametrize("kill", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_run_is_gone_on_with(url: str, tmp_path: Path, kill: signal.Signals) -> None:
    code = f"""
from connectomedb import open_store, run_plan
from connectomedb.objects.plan import make_plan
from connectomedb.vocabulary.records import FileRow
plan = make_plan([FileRow("1", "slow", {len(BODY)}, "md5", "{MD5}")], {str(tmp_path)!r}, location="x")
print("running", flush=True)
run_plan(plan, open_store("{url}"))
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "running\n"
    part = part_of(tmp_path / "slow")
    while not part.exists() or part.stat().st_size < 300_000:
        time.sleep(0.01)
    process.send_signal(kill)
    assert process.wait(10) != 0
    process.stdout.close()
    assert not (tmp_path / "slow").exists()
    have = part.stat().st_size
    assert 0 < have < len(BODY)
    report = run_plan(_plan(tmp_path, "slow"), _store(url))
    report.raise_for_failures()
    assert report.fetched_bytes == len(BODY) - have
    assert (tmp_path / "slow").read_bytes() == BODY


def test_no_digest_means_uncovered_not_verified(url: str, tmp_path: Path) -> None:
    seen: list[Progress] = []
    report = run_plan(_plan(tmp_path, "whole", digest=""), _store(url), progress=seen.append)
    assert report.counts == {"uncovered": 1}
    assert report.ok
    assert seen[-1].done_bytes == len(BODY)


def test_a_server_that_is_gone_is_a_failure_with_the_address(tmp_path: Path) -> None:
    report = run_plan(_plan(tmp_path, "whole"), _store("http://127.0.0.1:9"))
    with pytest.raises(TransferError, match=r"127\.0\.0\.1:9"):
        report.raise_for_failures()

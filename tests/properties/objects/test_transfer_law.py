"""Random faults, kills and resumes: the folder equals the manifest, or the report names every difference.

`CONNECTOMEDB_LAW=20000` looks longer.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import tempfile
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from tests.faults.objects.server import Fault, FaultServer, held
from tests.properties.objects.child import run_child

from connectomedb.objects.report import RIGHT
from connectomedb.vocabulary.records import FileRow

SEGMENT = 4096
SIZES = (0, 1, 100, SEGMENT - 1, SEGMENT, SEGMENT + 1, 3 * SEGMENT + 7, 6 * SEGMENT)
N_EXAMPLES = max(int(os.environ.get("CONNECTOMEDB_LAW", "400")) // 8, 1)
PROCESSES = get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.properties.objects.child"])

offsets = st.integers(0, max(SIZES))
faults = st.one_of(
    st.builds(
        Fault,
        st.sampled_from(["cut", "reset", "short", "flip", "whole", "elsewhere", "chunked", "broken"]),
        at=offsets,
    ),
    st.builds(Fault, st.just("page"), at=st.sampled_from([0, *SIZES]), code=st.sampled_from(["html", "xml"])),
    st.builds(
        Fault, st.just("status"), status=st.sampled_from([500, 503, 403, 404, 400]), code=st.just("SlowDown")
    ),
    st.just(Fault("nonsense")),
    st.just(Fault("none")),
    st.just(Fault("swap", at=0)),
    st.just(Fault("swap", at=1)),
)


@dataclass(frozen=True)
class Thing:
    """One object as the manifest has it, and how the store shows it."""

    key: str
    body: bytes
    etag: str
    row: FileRow


@st.composite
def things(draw: st.DrawFn) -> list[Thing]:
    """A handful of objects of all sorts."""
    found = []
    for i in range(draw(st.integers(1, 4))):
        size, kind = (
            draw(st.sampled_from(SIZES)),
            draw(st.sampled_from(["md5", "multipart", "opaque", "none"])),
        )
        body = random.Random(f"{i}:{size}").randbytes(size)
        md5 = hashlib.md5(body).hexdigest()
        multipart = f"{hashlib.md5(hashlib.md5(body).digest()).hexdigest()}-1"
        etag = {"md5": md5, "multipart": multipart, "opaque": f"v1-{i}", "none": ""}[kind]
        promised = draw(st.sampled_from(["md5", "none"] + (["s3-etag"] if kind == "multipart" else [])))
        digest = {"md5": md5, "none": "", "s3-etag": multipart}[promised]
        row = FileRow("1", f"k{i}/o", size, "" if promised == "none" else promised, digest)
        found.append(Thing(row.key, body, etag, row))
    return found


@st.composite
def rounds(draw: st.DrawFn) -> list[tuple[list[list[Fault]], int | None]]:
    """For every round: faults for each object, and after how many steps the process is killed."""
    one = st.tuples(
        st.lists(st.lists(faults, max_size=5), min_size=4, max_size=4), st.none() | st.integers(0, 60)
    )
    return draw(st.lists(one, min_size=1, max_size=4))


def _child(url: str, folder: Path, rows: list[FileRow], die_at: int | None) -> dict[str, Any] | None:
    """The report of a run, None of one that was killed."""
    here, there = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=run_child, args=(there, url, str(folder), rows, SEGMENT, die_at))
    process.start()
    there.close()
    try:
        report: dict[str, Any] = json.loads(here.recv())
    except EOFError:
        report = {}
    process.join(30)
    assert process.exitcode in (0, -9), process.exitcode
    process.close()
    here.close()
    return report or None


def _other(body: bytes) -> bytes:
    return bytes(255 - b for b in body)


def _judge(folder: Path, things: list[Thing], report: dict[str, Any] | None) -> None:
    """What must hold after every round, killed or not."""
    said = {f["key"]: f for f in report["files"]} if report else {}
    for thing in things:
        path, one = folder / thing.key, said.get(thing.key)
        data = path.read_bytes() if path.exists() else None
        if data is not None:
            assert len(data) == len(thing.body), "a file that is not whole has its name"
            if thing.row.digest:
                covered = one is None or one["status"] != "uncovered"
                assert data == thing.body or (thing.row.algorithm == "s3-etag" and not covered), thing
            elif one is None or not one["covered_by"]:
                pass  # nothing covers it; the report must say so, see below
        if one is None:
            continue
        status, covered_by = one["status"], one["covered_by"]
        if status in RIGHT:
            assert data is not None
            if status == "uncovered":
                assert thing.row.algorithm in ("", "s3-etag")
            else:
                algorithm, _, value = covered_by.partition(":")
                digest = hashlib.md5(data).digest()
                found = digest.hex() if algorithm == "md5" else f"{hashlib.md5(digest).hexdigest()}-1"
                assert found == value
        else:
            assert one["error"]
            event(f"ended as {status}")


@settings(
    max_examples=N_EXAMPLES,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(things(), rounds())
def test_the_folder_equals_the_manifest_or_the_report_names_the_difference(
    things: list[Thing], rounds: list[tuple[list[list[Fault]], int | None]]
) -> None:
    with tempfile.TemporaryDirectory(prefix="law-") as place, FaultServer() as server:
        folder, rows = Path(place) / "in", [t.row for t in things]
        for troubles, die_at in rounds:
            for thing, queue in zip(things, troubles, strict=False):
                swapped = held(_other(thing.body), etag=f"v2-{thing.etag}" if thing.etag else "")
                ready = [Fault("swap", at=f.at, held=swapped) if f.kind == "swap" else f for f in queue]
                server.put(thing.key, thing.body, *ready, etag=thing.etag)
            report = _child(server.url, folder, rows, die_at)
            event("killed" if report is None else "reported")
            _judge(folder, things, report)
        for thing in things:
            server.put(thing.key, thing.body, etag=thing.etag)
        report = _child(server.url, folder, rows, None)
        assert report is not None
        _judge(folder, things, report)
        assert {f["status"] for f in report["files"]} <= RIGHT, report
        for thing in things:
            if thing.row.digest and thing.row.algorithm == "md5":
                assert (folder / thing.key).read_bytes() == thing.body
        assert not list((folder / ".connectomedb/parts").iterdir())

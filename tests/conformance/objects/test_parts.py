"""A plan in parts: side by side into one folder, and as tasks of a job array."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conformance.objects.conftest import S3

from connectomedb.errors import FolderInUse
from connectomedb.objects.journal import FolderLock
from connectomedb.objects.layouts.hcp import HCP_Q1
from connectomedb.objects.plan import TransferPlan, make_plan, plan_again
from connectomedb.objects.report import TransferReport
from connectomedb.objects.scan import scan_store
from connectomedb.objects.transfer import run_plan
from connectomedb.objects.verify import verify_folder
from connectomedb.vocabulary.records import FileRow

RUN = """
import sys
from pathlib import Path
from connectomedb.objects.plan import TransferPlan
from connectomedb.objects.stores import open_store
from connectomedb.objects.transfer import run_plan
store = open_store("s3://mirror", endpoint=sys.argv[2], access_key=sys.argv[3], secret_key=sys.argv[4])
run_plan(TransferPlan.from_json(Path(sys.argv[1]).read_text()), store, parallel=2).raise_for_failures()
"""


def _plan(s3: S3, folder: Path, *labels: str) -> TransferPlan:
    rows = [r for label in labels for r in scan_store(s3.open(), HCP_Q1, f"q1/{label}/") if r.kind == "ev"]
    return make_plan(rows, folder, location="s3://mirror", subjects_wanted=[*labels, "144428"])


def test_parts_run_side_by_side_in_processes_of_their_own(s3: S3, tmp_path: Path) -> None:
    plan = _plan(s3, tmp_path / "in", "100307", "103515", "149337")
    parts = plan.split(3)
    assert sorted(f.key for p in parts for f in p.files) == sorted(f.key for f in plan.files)
    processes = []
    for i, part in enumerate(parts):
        saved = tmp_path / f"{i}.json"
        saved.write_text(part.to_json())
        keys = [s3.endpoint, s3.access_key, s3.secret_key]
        processes.append(subprocess.Popen([sys.executable, "-c", RUN, str(saved), *keys]))
    assert [p.wait(60) for p in processes] == [0, 0, 0]
    assert {f.action for f in plan_again(plan).files} == {"keep"}
    assert verify_folder(tmp_path / "in").counts == {"verified": plan.n_files}


def test_a_part_excludes_itself_and_whole_plans(tmp_path: Path) -> None:
    with FolderLock(tmp_path, "1 of 2"), FolderLock(tmp_path, "2 of 2"):
        with pytest.raises(FolderInUse), FolderLock(tmp_path, "1 of 2"):
            pass
        with pytest.raises(FolderInUse), FolderLock(tmp_path):
            pass
    with FolderLock(tmp_path), pytest.raises(FolderInUse), FolderLock(tmp_path, "1 of 2"):
        pass


def test_a_split_is_whole_balanced_and_the_same_everywhere() -> None:
    rows = [FileRow(f"s{i}", f"s{i}/{j}", 10 * i + j) for i in range(10) for j in range(3)]
    plan = make_plan(rows, "nowhere", location="s3://x", subjects_wanted=["gone"])
    parts = plan.split(4)
    assert parts == pickle.loads(pickle.dumps(plan)).split(4)
    assert sorted(f.key for p in parts for f in p.files) == sorted(r.key for r in rows)
    assert not any(set(a.subjects) & set(b.subjects) for a in parts for b in parts if a is not b)
    sizes = [p.size_bytes for p in parts]
    assert max(sizes) < 2 * min(sizes)
    assert [p.absent_subjects for p in parts] == [("gone",), (), (), ()]
    assert len(plan.split(100)) == 10


def test_reports_travel_and_become_one(s3: S3, tmp_path: Path) -> None:
    plan = _plan(s3, tmp_path / "in", "100307", "103515")
    wrong = make_plan([FileRow("1", "none", 1)], tmp_path / "in", location="s3://mirror")
    each = [run_plan(p, s3.open()) for p in (*plan.by_subject().values(), wrong)]
    merged = TransferReport.merged(pickle.loads(pickle.dumps(each)))
    assert merged.counts == {"verified": plan.n_files, "missing": 1}
    assert type(merged.failures[0].error) is type(each[-1].failures[0].error)

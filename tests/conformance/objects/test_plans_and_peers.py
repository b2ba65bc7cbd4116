"""Plans against real peers: exports that s5cmd and rclone run; cache, layouts, verify and repair."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from tests.conformance.objects.conftest import S3, md5

from connectomedb.errors import ConfigurationError
from connectomedb.objects.cache import ContentCache
from connectomedb.objects.digests import read_promise
from connectomedb.objects.layouts.hcp import HCP_Q1
from connectomedb.objects.plan import TransferPlan, make_plan, plan_again
from connectomedb.objects.scan import scan_store
from connectomedb.objects.stores import open_store
from connectomedb.objects.transfer import run_plan
from connectomedb.objects.verify import repair_folder, verify_folder
from connectomedb.vocabulary.records import FileRow


@pytest.fixture(scope="module")
def rows(s3: S3) -> list[FileRow]:
    """The small files of one subject's motor package."""
    found = scan_store(s3.open(), HCP_Q1, "q1/100307/")
    return [r for r in found if r.package == "tfMRI_MOTOR_preproc"]


def _tool(name: str) -> str:
    found = shutil.which(name, path=str(Path(sys.executable).parent))
    assert found, f"{name} is missing; `make test` installs it"
    return found


def _environment(s3: S3) -> dict[str, str]:
    keys = {
        "AWS_ACCESS_KEY_ID": s3.access_key,
        "AWS_SECRET_ACCESS_KEY": s3.secret_key,
        "AWS_REGION": "us-east-1",
    }
    return {**os.environ, **keys}


def test_s5cmd_runs_our_export(s3: S3, rows: list[FileRow], tmp_path: Path) -> None:
    plan = make_plan(rows, tmp_path / "it's here", location="s3://mirror", layout="{subject} x/{name}-{kind}")
    unique = replace(plan, files=tuple(f for f in plan.files if f.action == "fetch"))
    commands = tmp_path / "commands.txt"
    commands.write_text(unique.export("s5cmd"))
    subprocess.run(
        [_tool("s5cmd"), "--endpoint-url", s3.endpoint, "run", str(commands)],
        check=True,
        capture_output=True,
        env=_environment(s3),
    )
    report = verify_folder(tmp_path / "it's here", [unique])
    assert report.counts == {"verified": unique.n_files}


def test_rclone_runs_our_export(s3: S3, rows: list[FileRow], tmp_path: Path) -> None:
    plan = make_plan(rows, tmp_path / "in", location="s3://mirror")
    names = tmp_path / "names.txt"
    names.write_text(plan.export("rclone"))
    remote = f":s3,provider=Other,env_auth=true,endpoint='{s3.endpoint}':mirror"
    subprocess.run(
        [_tool("rclone"), "copy", "--files-from-raw", str(names), remote, plan.folder],
        check=True,
        capture_output=True,
        env={**_environment(s3), "RCLONE_CONFIG": str(tmp_path / "none")},
    )
    assert verify_folder(tmp_path / "in", [plan]).counts == {"verified": plan.n_files}
    moved = make_plan(rows, tmp_path / "in2", location="s3://mirror", layout="{subject}/{path}")
    with pytest.raises(ConfigurationError, match="to its own name"):
        moved.export("rclone")


def test_aws_lines_are_a_shell_script(s3: S3, rows: list[FileRow], tmp_path: Path) -> None:
    plan = make_plan(rows, tmp_path / "o'clock", location="s3://mirror")
    script = plan.export("aws")
    # `aws` itself is not there: a stand-in shows that the shell hands over what was meant.
    stand_in = tmp_path / "aws"
    stand_in.write_text('#!/bin/sh\nprintf "%s\\n" "$4" "$5"\n')
    stand_in.chmod(0o755)
    done = subprocess.run(
        ["sh", "-c", script],
        check=True,
        capture_output=True,
        text=True,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
    )
    said = done.stdout.splitlines()
    assert said[::2] == [f"s3://mirror/{f.key}" for f in plan.files]
    assert said[1::2] == [str(tmp_path / "o'clock" / f.target) for f in plan.files]


def test_aria2_gets_addresses_that_work_and_digests(s3: S3, rows: list[FileRow], tmp_path: Path) -> None:
    plan = make_plan(rows[:2], tmp_path / "in", location="s3://mirror")
    lines = plan.export("aria2", s3.open()).splitlines()
    assert lines[1:4] == [
        f"  dir={plan.folder}",
        f"  out={plan.files[0].target}",
        f"  checksum=md5={plan.files[0].digest}",
    ]
    assert httpx2.get(lines[0]).content == (s3.folder / plan.files[0].key).read_bytes()
    with pytest.raises(ConfigurationError, match="give the store"):
        plan.export("aria2")


def test_what_no_tool_can_write_is_said(tmp_path: Path) -> None:
    plan = make_plan([FileRow("1", "a\nb", 1)], tmp_path, location="s3://x")
    with pytest.raises(ConfigurationError, match="no way to write"):
        plan.export("s5cmd")
    with pytest.raises(ConfigurationError, match="unknown tool"):
        plan.export("curl")


@pytest.mark.parametrize("way", ["copy", "link"])
def test_two_cohorts_fetch_an_object_once(s3: S3, rows: list[FileRow], tmp_path: Path, way: str) -> None:
    cache = ContentCache(tmp_path / "cache", "link" if way == "link" else "copy")
    first = make_plan(rows, tmp_path / "one", location="s3://mirror", cache=cache.folder)
    run_plan(first, s3.open(), cache=cache).raise_for_failures()
    second = make_plan(rows, tmp_path / "two", location="s3://mirror", cache=cache.folder)
    assert {f.action for f in second.files} == {"take"}
    assert second.to_move_bytes == 0
    report = run_plan(second, open_store("memory://"), cache=cache)  # an empty store: any request would fail
    report.raise_for_failures()
    assert report.fetched_bytes == 0
    for row in rows:
        promise = read_promise(row.algorithm, row.digest)
        assert promise is not None
        there = tmp_path / "two" / row.key
        assert md5(there) == row.digest
        assert there.samefile(cache.path(promise)) == (way == "link")


def test_a_wrong_file_in_the_cache_is_fetched_instead(s3: S3, rows: list[FileRow], tmp_path: Path) -> None:
    cache = ContentCache(tmp_path / "cache")
    run_plan(make_plan(rows[:1], tmp_path / "one", location="s3://mirror"), s3.open(), cache=cache)
    promise = make_plan(rows[:1], tmp_path / "x", location="").files[0].promise
    assert promise is not None
    held = cache.path(promise)
    held.chmod(0o644)
    held.write_bytes(b"x" * rows[0].size_bytes)
    plan = make_plan(rows[:1], tmp_path / "two", location="s3://mirror", cache=cache.folder)
    assert plan.files[0].action == "take"
    report = run_plan(plan, s3.open(), cache=cache)
    assert report.fetched_bytes == rows[0].size_bytes
    assert md5(tmp_path / "two" / rows[0].key) == rows[0].digest
    assert md5(held) == rows[0].digest


def test_a_layout_that_gives_one_name_twice_refuses_the_second(tmp_path: Path) -> None:
    twice = [FileRow("1", "a/x", 1), FileRow("1", "b/x", 1)]
    plan = make_plan(twice, tmp_path, location="s3://x", layout="{subject}/{name}")
    assert [f.action for f in plan.files] == ["fetch", "refuse"]
    assert "another file of the plan" in plan.files[1].reason


def test_a_folder_is_verified_and_repaired(s3: S3, rows: list[FileRow], tmp_path: Path) -> None:
    folder = tmp_path / "in"
    plan = make_plan(rows, folder, location="s3://mirror")
    run_plan(plan, s3.open()).raise_for_failures()
    assert verify_folder(folder).counts == {"verified": len(rows)}
    (folder / rows[0].key).write_bytes(b"x" * rows[0].size_bytes)
    (folder / rows[1].key).write_bytes(b"shorter")
    (folder / rows[2].key).unlink()
    (folder / rows[3].key).unlink()
    (folder / rows[3].key).symlink_to(folder / rows[4].key)
    (folder / "notes.txt").write_text("mine")
    moved = folder.rename(tmp_path / "moved")
    report = verify_folder(moved)
    assert report.counts == {"mismatched": 3, "missing": 1, "verified": len(rows) - 4, "extra": 1}
    assert not report.ok
    repaired = repair_folder(moved, report, run=lambda p: run_plan(p, s3.open()))
    assert [r.counts for r in repaired] == [{"verified": 4}]
    assert verify_folder(moved).counts == {"verified": len(rows), "extra": 1}
    with pytest.raises(ConfigurationError, match="nothing was fetched into"):
        verify_folder(tmp_path)


def test_a_saved_plan_is_decided_anew(s3: S3, rows: list[FileRow], tmp_path: Path) -> None:
    plan = make_plan(rows, tmp_path / "in", location="s3://mirror")
    run_plan(plan, s3.open()).raise_for_failures()
    again = plan_again(TransferPlan.from_json(plan.to_json()))
    assert {f.action for f in again.files} == {"keep"}
    assert again.space().needed_bytes == 0


def test_the_report_is_a_table_and_json(s3: S3, rows: list[FileRow], tmp_path: Path) -> None:
    import json

    none = FileRow("100307", "q1/100307/none", 5)
    report = run_plan(make_plan([*rows[:1], none], tmp_path, location="s3://mirror"), s3.open())
    table = report.table()
    assert [row["status"] for row in table.as_dicts()] == ["verified", "missing"]
    facts = json.loads(report.to_json())
    assert facts["files"][0]["covered_by"] == f"md5:{rows[0].digest}"
    assert facts["files"][1]["error"].startswith("ObjectMissing: ")

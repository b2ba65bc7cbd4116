"""A cohort locked, fetched by its lock, compared with today's answer; through the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from connectomedb.cli.main import main
from connectomedb.client.connection import connect
from connectomedb.cohort_lock import read_lock, write_lock

ADMIN, READER = ("admin", "admin-demo"), ("guest-reader", "reader-demo")
QUESTION, PACKAGE = "NEOFAC_A > 40", "tfMRI_MOTOR_preproc"


@pytest.fixture
def cdb(demo_server: str, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("CONNECTOMEDB_SERVER", demo_server)
    monkeypatch.setenv("CONNECTOMEDB_USER", READER[0])
    monkeypatch.setenv("CONNECTOMEDB_PASSWORD", READER[1])
    return CliRunner()


def test_from_a_question_to_the_same_bytes(cdb: CliRunner, tmp_path: Path) -> None:
    file = tmp_path / "agreeable.lock.json"
    asked = ["cohort", "lock", QUESTION, "--project", "HCP_Q1", "--package", PACKAGE, "--out", str(file)]
    made = cdb.invoke(main, [*asked, "--json"])
    assert made.exit_code == 0, made.output
    facts = json.loads(made.output)
    lock = read_lock(file)
    assert (facts["n_subjects"], facts["sha256"]) == (4, lock.identity)
    assert lock.labels == ("149337", "732243", "792564", "877168")
    assert lock.synthetic
    assert all(one.digest for one in lock.files)
    fetched = cdb.invoke(main, ["get", "--locked", str(file), "--folder", str(tmp_path / "images"), "--json"])
    assert fetched.exit_code == 0, fetched.output
    assert json.loads(fetched.output)["counts"] == {"verified": len(lock.files)}
    again = cdb.invoke(main, ["cohort", "diff", str(file)])
    assert again.exit_code == 0, again.output
    assert again.output.splitlines()[0] == "nothing differs"
    assert "known issue: NEOFAC_A" in again.output
    cited = cdb.invoke(main, ["cohort", "cite", str(file)])
    assert cited.output.startswith("SYNTHETIC data. 4 subjects of project HCP_Q1")


def test_who_asked_does_not_show(demo_server: str) -> None:
    locks = []
    for login in (ADMIN, READER):
        with connect(demo_server, *login) as server:
            locks.append(server.project("HCP_Q1").lock("IWRD_TOT < 30", package=PACKAGE))
    assert locks[0].identity == locks[1].identity


def test_differences_are_named_and_tell_the_exit_status(
    cdb: CliRunner, tmp_path: Path, demo_server: str
) -> None:
    with connect(demo_server, *READER) as server:
        narrow = server.project("HCP_Q1").lock("NEOFAC_A > 41", package=PACKAGE)
        wide = server.project("HCP_Q1").lock("NEOFAC_A > 39", package=PACKAGE)
    write_lock(narrow, tmp_path / "a.json")
    write_lock(wide, tmp_path / "b.json")
    found = cdb.invoke(main, ["cohort", "diff", str(tmp_path / "a.json"), str(tmp_path / "b.json"), "--json"])
    assert found.exit_code == 3, found.output
    counts = json.loads(found.output)["counts"]
    assert counts["came"] == len(wide.labels) - len(narrow.labels) > 0
    assert counts["new_files"] == len(wide.files) - len(narrow.files)
    broken = tmp_path / "c.json"
    broken.write_text((tmp_path / "a.json").read_text("utf-8").replace("> 41", "> 40"), "utf-8")
    refused = cdb.invoke(main, ["get", "--locked", str(broken), "--folder", str(tmp_path)])
    assert refused.exit_code != 0
    assert "changed after it was made" in refused.stderr

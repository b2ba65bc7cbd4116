"""`connectomedb demo` as a person runs it, and the commands against the site it makes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connectomedb.server.run import ServerThread
from connectomedb.store.site import open_site

Run = Callable[..., "subprocess.CompletedProcess[str]"]
COMMAND = [sys.executable, "-c", "from connectomedb.cli.main import main; main()"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def run(home: Path) -> Run:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CONNECTOMEDB_")}
    env = kept | {"HOME": str(home), "XDG_CACHE_HOME": str(home), "XDG_CONFIG_HOME": str(home)}

    def call(*arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *arguments], capture_output=True, text=True, cwd=home, env=env | extra, timeout=300
        )

    return call


@pytest.fixture(scope="module")
def demo(run: Run, home: Path) -> Path:
    folder = home / "demo"
    done = run("demo", "--folder", str(folder), "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    facts = json.loads(done.stdout)
    assert facts["ok"]
    assert all(step["ok"] for step in facts["steps"])
    assert len(facts["steps"]) == 19
    return folder


@pytest.fixture(scope="module")
def asking(demo: Path) -> Iterator[dict[str, str]]:
    site = open_site(demo / "site")
    with ServerThread(site) as server:
        yield {
            "CONNECTOMEDB_SERVER": server.url,
            "CONNECTOMEDB_USER": "guest-reader",
            "CONNECTOMEDB_PASSWORD": "reader-demo",
            "CONNECTOMEDB_PROJECT": "HCP_Q1",
        }
    site.close()


def test_the_report_is_there_and_says_synthetic(demo: Path) -> None:
    page = (demo / "report.html").read_text()
    assert "SYNTHETIC" in page
    assert "19 of 19 as printed" in page
    assert "<svg" in page


def test_a_second_run_uses_what_is_there_and_repairs_what_is_not(
    run: Run, demo: Path, tmp_path: Path
) -> None:
    demo = Path(shutil.copytree(demo, tmp_path / "demo"))
    again = run("demo", "--folder", str(demo))
    assert again.returncode == 0, again.stdout + again.stderr
    assert "found: mirror" in again.stdout
    assert "found: site" in again.stdout
    (demo / "mirror/q1/100307/Diffusion/data/bvals").unlink()
    repaired = run("demo", "--folder", str(demo))
    assert repaired.returncode == 0, repaired.stdout + repaired.stderr
    assert "made: mirror" in repaired.stdout


def test_a_broken_database_is_built_again(run: Run, demo: Path, tmp_path: Path) -> None:
    # A copy: other tests serve the site in `demo`.
    demo = Path(shutil.copytree(demo, tmp_path / "demo"))
    (demo / "site/connectomedb.db").write_bytes(b"no database")
    done = run("demo", "--folder", str(demo))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "made: site" in done.stdout


def test_questions_on_the_command_line(run: Run, asking: dict[str, str]) -> None:
    assert "guest-reader" in run("whoami", **asking).stdout
    assert "HCP_Q1" in run("projects", **asking).stdout
    assert len(json.loads(run("subjects", "--json", **asking).stdout)["rows"]) == 76
    assert "100307_NonToolbox" in run("experiments", "--subject", "100307", **asking).stdout
    assert "nt:scores" in run("types", **asking).stdout
    assert "NEO_NEOFAC_A" in run("fields", "nt:scores", **asking).stdout
    rows = json.loads(run("search", "NEOFAC_A > 40", "--json", **asking).stdout)["rows"]
    assert [row["subject_label"] for row in rows] == ["149337", "732243", "792564", "877168"]


def test_from_a_question_to_verified_files(run: Run, asking: dict[str, str], tmp_path: Path) -> None:
    question = [
        "NEOFAC_A > 40",
        "--run",
        "tfMRI_MOTOR_LR",
        "--kind",
        "dtseries",
        "--folder",
        str(tmp_path / "m"),
    ]
    planned = run("plan", *question, **asking)
    assert planned.returncode == 0, planned.stderr
    got = run("get", *question, "--save", str(tmp_path / "plan.json"), **asking)
    assert got.returncode == 0, got.stderr
    assert "4 verified" in got.stdout
    checked = run("verify", str(tmp_path / "plan.json"))
    assert (checked.returncode, checked.stdout) == (0, "4 verified\n")
    next((tmp_path / "m").rglob("*.dtseries.nii")).write_bytes(b"x")
    assert run("verify", str(tmp_path / "plan.json")).returncode == 3


def test_an_absent_subject_is_named_and_partly_done(run: Run, asking: dict[str, str], tmp_path: Path) -> None:
    done = run(
        "get", "--subjects", "100307,144428", "--kind", "dtseries", "--folder", str(tmp_path), **asking
    )
    assert done.returncode == 3, done.stderr
    assert "144428" in done.stdout


def test_wrong_questions_and_passwords_are_one_line(run: Run, asking: dict[str, str]) -> None:
    unknown = run("search", "NEOFAC_AA > 40", **asking)
    assert unknown.returncode == 1
    assert "NEOFAC_A" in unknown.stderr
    refused = run("subjects", **(asking | {"CONNECTOMEDB_PASSWORD": "wrong"}))
    assert refused.returncode == 1
    for done in (unknown, refused):
        assert done.stderr.startswith("error: ")
        assert done.stderr.count("\n") == 1

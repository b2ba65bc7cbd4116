"""plan, get and verify as a person types them, against a server and the synthetic mirror."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from connectomedb.cli.main import main

Call = Callable[..., Result]
MOTOR = ["NEOFAC_A > 40", "--project", "HCP_Q1", "--package", "tfMRI_MOTOR_preproc"]


@pytest.fixture
def call(demo_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("CONNECTOMEDB_SERVER", demo_server)
    monkeypatch.setenv("CONNECTOMEDB_USER", "guest-reader")
    monkeypatch.setenv("CONNECTOMEDB_PASSWORD", "reader-demo")
    monkeypatch.delenv("CONNECTOMEDB_FOLDER", raising=False)
    runner = CliRunner()
    return lambda *arguments: runner.invoke(main, list(arguments))


def test_a_dry_run_says_how_much_and_moves_nothing(call: Call, tmp_path: Path) -> None:
    said = call("get", *MOTOR, "--folder", "m", "--dry-run")
    assert said.exit_code == 0, said.stderr
    assert "to fetch" in said.stdout
    assert "are free" in said.stdout
    facts = json.loads(call("get", *MOTOR, "--folder", "m", "--dry-run", "--json").stdout)
    assert facts["needed_bytes"] == facts["to_move_bytes"] == facts["size_bytes"] > 0
    assert not (tmp_path / "m").exists()


def test_what_is_selected_goes_where_the_layout_says(call: Call, tmp_path: Path) -> None:
    selected = ["--include", "*.txt", "--exclude", "**/EVs/**", "--smallest", "1", "--largest", "1M"]
    done = call("get", *MOTOR, *selected, "--layout", "{subject}/{run}/{name}", "--folder", "m")
    assert done.exit_code == 0, done.stderr
    came = sorted(str(p.relative_to(tmp_path / "m")) for p in (tmp_path / "m").rglob("*.txt"))
    assert len({name.split("/")[0] for name in came}) == 4
    assert "149337/tfMRI_MOTOR_LR/Movement_Regressors.txt" in came
    assert not any("Sync" in name for name in came)
    # Who has no file of the selection is not absent from the mirror.
    none = call("get", *MOTOR, "--include", "*.none", "--folder", "n")
    assert (none.exit_code, none.stdout) == (0, "no files\n")


def test_several_packages_and_those_that_are_not_wanted(call: Call) -> None:
    both = ["NEOFAC_A > 40", "--project", "HCP_Q1", "--package", "tfMRI_MOTOR_preproc,Diffusion_preproc"]
    one = json.loads(call("get", *MOTOR, "--folder", "m", "--dry-run", "--json").stdout)["n_files"]
    two = json.loads(call("get", *both, "--folder", "m", "--dry-run", "--json").stdout)["n_files"]
    without = [*both, "--exclude-package", "Diffusion_preproc"]
    assert two > one
    assert json.loads(call("get", *without, "--folder", "m", "--dry-run", "--json").stdout)["n_files"] == one
    unknown = call("get", *MOTOR[:-1], "tfMRI_MOTOR_preproc,Motor", "--folder", "m")
    assert unknown.exit_code == 1
    assert "'Motor'" in unknown.stderr


def test_get_verify_break_repair(call: Call, tmp_path: Path) -> None:
    got = call("get", *MOTOR, "--kind", "dtseries", "--folder", "m", "--report", "r.json", "--save", "p.json")
    assert got.exit_code == 0, got.stderr
    report = json.loads((tmp_path / "r.json").read_text())
    assert {f["status"] for f in report["files"]} == {"verified"}
    assert all(f["covered_by"].startswith("md5:") for f in report["files"])
    assert call("verify", "m").stdout == "8 verified\n"
    files = sorted((tmp_path / "m").rglob("*.dtseries.nii"))
    files[0].write_bytes(b"x")
    files[1].unlink()
    (tmp_path / "m/mine.txt").write_text("mine")
    broken = call("verify", "m")
    assert broken.exit_code == 3
    assert broken.stdout == "1 mismatched, 1 missing, 6 verified, 1 extra\n"
    assert "extra: mine.txt" in broken.stderr
    repaired = call("verify", "m", "--repair", "--json")
    assert repaired.exit_code == 0, repaired.stderr
    assert json.loads(repaired.stdout)["counts"] == {"verified": 8, "extra": 1}
    for path in files:
        path.unlink()
    assert call("verify", "p.json").exit_code == 1
    again = call("get", "--plan", "p.json")
    assert (again.exit_code, again.stdout) == (0, "8 verified\n")
    assert call("get", "--plan", "p.json").stdout == "8 kept\n"


def test_the_tasks_of_a_job_array(call: Call) -> None:
    counts = []
    for i in range(1, 7):
        done = call("get", *MOTOR, "--kind", "dtseries", "--folder", "m", "--part", f"{i}/6", "--json")
        assert done.exit_code == 0, done.stderr
        counts.append(json.loads(done.stdout)["counts"].get("verified", 0))
    assert counts == [2, 2, 2, 2, 0, 0]
    assert call("verify", "m").stdout == "8 verified\n"
    assert call("get", *MOTOR, "--folder", "m", "--part", "7/6").exit_code == 2


def test_verify_without_a_place_looks_at_the_folder_of_the_settings(call: Call, tmp_path: Path) -> None:
    (tmp_path / "connectomedb.toml").write_text('folder = "m"\n')
    assert call("verify").exit_code == 1
    assert call("get", *MOTOR, "--kind", "dtseries").exit_code == 0
    assert call("verify").stdout == "8 verified\n"


def test_two_cohorts_and_one_cache(call: Call, tmp_path: Path) -> None:
    cached = ["--kind", "dtseries", "--cache", "cache", "--cache-way", "link"]
    assert call("get", *MOTOR, *cached, "--folder", "one").exit_code == 0
    said = call("get", *MOTOR, *cached, "--folder", "two", "--json")
    assert json.loads(said.stdout)["fetched_bytes"] == 0
    one, two = (sorted((tmp_path / n).rglob("*.nii")) for n in ("one", "two"))
    assert len(one) == 8
    assert all(a.samefile(b) for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize("tool", ["s5cmd", "rclone", "aws"])
def test_a_plan_for_another_tool(call: Call, tool: str) -> None:
    done = call("plan", *MOTOR, "--kind", "dtseries", "--export", tool)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.count(".dtseries.nii") in (8, 16)


def test_wrong_wishes_are_one_line(call: Call) -> None:
    for wrong in (["--largest", "big"], ["--layout", "{nothing}"]):
        done = call("get", *MOTOR, "--folder", "m", *wrong)
        assert done.exit_code == 1
        assert done.stderr.startswith("error: ")
        assert done.stderr.count("\n") == 1

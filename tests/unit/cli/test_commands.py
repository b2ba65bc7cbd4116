"""The command line without a server: help, usage errors, one-line errors, exit statuses."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from connectomedb.cli.main import _COMMANDS, main
from connectomedb.errors import ConfigurationError


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CliRunner:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("SERVER", "USER", "PASSWORD", "PROJECT"):
        monkeypatch.delenv(f"CONNECTOMEDB_{name}", raising=False)
    return CliRunner()


def _paths() -> list[list[str]]:
    found: list[list[str]] = []
    for name in _COMMANDS:
        command = main.get_command(click.Context(main), name)
        subs = list(command.commands) if isinstance(command, click.Group) else []
        found += [[name, sub] for sub in subs] or [[name]]
    return found


@pytest.mark.parametrize("path", _paths(), ids=" ".join)
def test_every_command_has_an_example_and_json(runner: CliRunner, path: list[str]) -> None:
    done = runner.invoke(main, [*path, "--help"])
    assert done.exit_code == 0
    assert "Example:" in done.output
    assert "--json" in done.output


def test_an_unknown_command_is_wrong_usage(runner: CliRunner) -> None:
    done = runner.invoke(main, ["serch"])
    assert done.exit_code == 2
    assert "'serch'; did you mean search" in done.stderr


def test_a_missing_project_is_wrong_usage(runner: CliRunner) -> None:
    done = runner.invoke(main, ["search", "NEOFAC_A > 40"])
    assert done.exit_code == 2
    assert "--project" in done.stderr


def test_a_server_that_is_down_is_one_line_and_status_1(runner: CliRunner) -> None:
    done = runner.invoke(main, ["projects", "--server", "http://127.0.0.1:9"])
    assert done.exit_code == 1
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.output
    assert "127.0.0.1:9" in done.stderr


def test_no_site_says_how_to_make_one(runner: CliRunner, tmp_path: Path) -> None:
    done = runner.invoke(main, ["serve", str(tmp_path / "none")])
    assert done.exit_code == 1
    assert "connectomedb init" in done.stderr


def test_a_file_that_is_no_plan(runner: CliRunner, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("no")
    done = runner.invoke(main, ["verify", "x.json"])
    assert done.exit_code == 1
    assert "x.json is no saved plan" in done.stderr


def test_settings_in_json(runner: CliRunner) -> None:
    done = runner.invoke(main, ["settings", "--json"], env={"CONNECTOMEDB_PARALLEL": "3"})
    assert done.exit_code == 0
    rows = {row["setting"]: row for row in json.loads(done.stdout)["rows"]}
    assert (rows["parallel"]["value"], rows["parallel"]["from"]) == (3, "environment")


@pytest.mark.parametrize(
    ("trouble", "status"), [(KeyboardInterrupt(), 130), (ConfigurationError("a\nb"), 1), (OSError("disk"), 1)]
)
def test_trouble_inside_a_command(
    runner: CliRunner, monkeypatch: pytest.MonkeyPatch, trouble: BaseException, status: int
) -> None:
    def fail() -> None:
        raise trouble

    monkeypatch.setattr(
        "connectomedb.cli.preferences.settings_command", click.Command("settings", callback=fail)
    )
    done = runner.invoke(main, ["settings"])
    assert done.exit_code == status
    assert done.stderr.count("\n") <= 2
    assert "Traceback" not in done.output

"""Settings: layers in their order, and every mistake named."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from connectomedb.errors import ConfigurationError
from connectomedb.settings import SETTINGS, Found, SettingValue, load_settings

NOWHERE = Path("/nonexistent/settings.toml")


def load(
    arguments: Mapping[str, SettingValue | None] | None = None,
    env: Mapping[str, str] | None = None,
    project: Path = NOWHERE,
    user: Path = NOWHERE,
) -> dict[str, Found]:
    return load_settings(arguments, environment=env or {}, project_file=project, user_file=user)


def test_defaults_when_nothing_is_said() -> None:
    found = load()
    assert list(found) == [s.name for s in SETTINGS]
    assert {f.layer for f in found.values()} == {"default"}


def test_the_stronger_layer_wins(tmp_path: Path) -> None:
    project, user = tmp_path / "connectomedb.toml", tmp_path / "settings.toml"
    user.write_text("parallel = 1\nuser = 'u'\nproject = 'p'\ntimeout_s = 5\n")
    project.write_text("parallel = 2\nuser = 'v'\nproject = 'q'\n")
    env = {"CONNECTOMEDB_PARALLEL": "3", "CONNECTOMEDB_USER": "w"}
    found = load({"parallel": 4, "user": None}, env, project, user)
    assert (found["parallel"].value, found["parallel"].layer) == (4, "argument")
    assert (found["user"].value, found["user"].layer) == ("w", "environment")
    assert (found["project"].value, found["project"].layer) == ("q", str(project))
    assert (found["timeout_s"].value, found["timeout_s"].layer) == (5.0, str(user))


def test_an_unknown_key_is_refused_with_the_nearest(tmp_path: Path) -> None:
    project = tmp_path / "connectomedb.toml"
    project.write_text("paralel = 2\n")
    with pytest.raises(ConfigurationError, match=r"unknown setting 'paralel'.*did you mean parallel"):
        load(project=project)
    with pytest.raises(ConfigurationError, match="did you mean server"):
        load(env={"CONNECTOMEDB_SEVER": "x"})


def test_a_wrong_type_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"parallel from environment is 'many', but must be int"):
        load(env={"CONNECTOMEDB_PARALLEL": "many"})


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    project = tmp_path / "connectomedb.toml"
    project.write_text("parallel = \n")
    with pytest.raises(ConfigurationError, match="is not TOML"):
        load(project=project)


def test_the_password_is_no_setting() -> None:
    assert "password" not in load(env={"CONNECTOMEDB_PASSWORD": "secret"})

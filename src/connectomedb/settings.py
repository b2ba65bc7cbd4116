"""Every setting: its name, type, default, environment variable and meaning, and where its value came from.

Strongest first: an argument, the environment, `connectomedb.toml` in the working folder, the user's file,
the default. Passwords are no settings: they come from the environment, `.netrc` or a prompt.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from connectomedb.errors import ConfigurationError

SettingValue = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting."""

    name: str
    type: type[str] | type[int] | type[float] | type[bool]
    default: SettingValue
    help: str

    @property
    def variable(self) -> str:
        """`server` → `CONNECTOMEDB_SERVER`."""
        return f"CONNECTOMEDB_{self.name.upper()}"


@dataclass(frozen=True, slots=True)
class Found:
    """A value and the layer that gave it."""

    setting: Setting
    value: SettingValue
    layer: str


SETTINGS = (
    Setting("server", str, "http://127.0.0.1:8080", "URL of the server that the client commands ask"),
    Setting("user", str, "", "login name at the server; empty asks as guest"),
    Setting("project", str, "", "project that search, files, plan and get use when none is named"),
    Setting("timeout_s", float, 30.0, "seconds to wait for an answer"),
    Setting("parallel", int, 8, "files fetched at the same time"),
    Setting("folder", str, ".", "folder that get and verify work in"),
    Setting("session_lifetime_s", float, 1800.0, "seconds after which an unused login of the server ends"),
)
PASSWORD_VARIABLE = "CONNECTOMEDB_PASSWORD"  # noqa: S105 - the name of a variable, not a secret
OTHER_VARIABLES = (PASSWORD_VARIABLE, "CONNECTOMEDB_SHARED", "CONNECTOMEDB_REQUIRE_EVERYTHING")


def load_settings(
    arguments: Mapping[str, SettingValue | None] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    project_file: Path | None = None,
    user_file: Path | None = None,
) -> dict[str, Found]:
    """Every setting with its value and layer.

    Raises   ConfigurationError for an unknown key or variable, a value of the wrong type, a broken file
    """
    env = os.environ if environment is None else environment
    project = Path("connectomedb.toml") if project_file is None else project_file
    layers: list[tuple[str, Mapping[str, object]]] = [
        ("argument", {k: v for k, v in (arguments or {}).items() if v is not None}),
        ("environment", _from_environment(env)),
        (str(project), _from_file(project)),
    ]
    user = default_user_file() if user_file is None else user_file
    layers.append((str(user), _from_file(user)))
    for layer, values in layers:
        for name in values:
            _check_name(name, layer)
    return {setting.name: _find(setting, layers) for setting in SETTINGS}


def default_user_file() -> Path:
    """`settings.toml` in the user's configuration folder."""
    from platformdirs import user_config_path

    return user_config_path("connectomedb") / "settings.toml"


def _find(setting: Setting, layers: list[tuple[str, Mapping[str, object]]]) -> Found:
    for layer, values in layers:
        if setting.name in values:
            return Found(setting, _typed(setting, values[setting.name], layer), layer)
    return Found(setting, setting.default, "default")


def _typed(setting: Setting, value: object, layer: str) -> SettingValue:
    if isinstance(value, setting.type) and (setting.type is bool or not isinstance(value, bool)):
        return value
    if setting.type is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str) and setting.type is not bool:
        try:
            return setting.type(value)
        except ValueError:
            pass  # said below, with the layer
    elif isinstance(value, str) and value.lower() in ("1", "true", "yes", "0", "false", "no"):
        return value.lower() in ("1", "true", "yes")
    raise ConfigurationError(
        f"setting {setting.name} from {layer} is {value!r}, "
        f"but must be {setting.type.__name__}: {setting.help}"
    )


def _from_environment(env: Mapping[str, str]) -> dict[str, object]:
    prefix = "CONNECTOMEDB_"
    return {
        variable.removeprefix(prefix).lower(): value
        for variable, value in env.items()
        if variable.startswith(prefix) and variable not in OTHER_VARIABLES
    }


def _from_file(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as source:
            return tomllib.load(source)
    except FileNotFoundError:
        return {}
    except OSError as problem:
        raise ConfigurationError(f"settings file {path} cannot be read: {problem.strerror}") from problem
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise ConfigurationError(f"settings file {path} is not TOML: {problem}") from problem


def _check_name(name: str, layer: str) -> None:
    names = [setting.name for setting in SETTINGS]
    if name in names:
        return
    near = get_close_matches(name, names, n=2)
    cure = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(names)}"
    raise ConfigurationError(f"unknown setting {name!r} from {layer}; {cure}")

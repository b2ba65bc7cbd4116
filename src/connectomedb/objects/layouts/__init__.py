"""Between object keys and what they are: subject, session, run, kind and package; one module per layout."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connectomedb.errors import ConfigurationError
from connectomedb.objects.layouts import bids, hcp, xnat
from connectomedb.objects.layouts.model import KeyFacts, Layout, Rule, RuledLayout
from connectomedb.objects.layouts.templates import Alphabet

__all__ = ["LAYOUTS", "KeyFacts", "Layout", "find_layout", "parse_key", "read_layout", "subject_prefix"]

_SHIPPED: Mapping[str, Layout] = {
    layout.name: layout
    for layout in (hcp.HCP_Q1, hcp.HCP_500, hcp.HCP_900, hcp.HCP_1200, bids.Bids(), xnat.XNAT)
}
LAYOUTS = tuple(_SHIPPED)


def find_layout(name: str) -> Layout:
    """The layout of that name, or the one that the file `name` (`*.toml`) describes.

    Raises   ConfigurationError for one that is not known
    """
    if name in _SHIPPED:
        return _SHIPPED[name]
    if name.endswith(".toml"):
        return read_layout(Path(name))
    raise ConfigurationError(
        f"unknown layout {name!r}; there are: {', '.join(LAYOUTS)}, and your own as a file NAME.toml"
    )


def parse_key(layout: str, key: str) -> KeyFacts | None:
    """What the key says in this layout; None for a key of no subject.

    Raises   ConfigurationError for a layout that is not known
    """
    return find_layout(layout).parse(key)


def subject_prefix(layout: str, subject: str, *, release: str = "") -> str:
    """Where the objects of one subject begin: `q1/100307/`, `sub-10159/`."""
    return find_layout(layout).subject_prefix(subject, release=release)


_TEXTS = ("path", "package", "run", "session", "kind")


def read_layout(path: Path) -> RuledLayout:
    """The layout that a TOML file describes: `name`, `root`, `[names]`, `[[rule]]`, `[[kind]]`.

    Raises   ConfigurationError with the file's name and what is wrong in it
    """
    try:
        said = tomllib.loads(path.read_text("utf-8"))
    except OSError as problem:
        raise ConfigurationError(f"cannot read the layout {path}: {problem.strerror}") from problem
    except ValueError as problem:
        raise ConfigurationError(f"{path} is not TOML: {problem}") from problem
    try:
        rules = tuple(_rule(path, one) for one in said.get("rule", []))
        names: dict[str, Alphabet] = {
            name: tuple(value) if isinstance(value, list) else str(value)
            for name, value in said.get("names", {}).items()
        }
        layout = RuledLayout(
            str(said.get("name", path.stem)),
            str(said["root"]),
            (*rules, Rule("**")),
            {"subject": r"[^/]+", "release": r"[^/]+", **names},
            str(said.get("release", "")),
            str(said.get("session", "")),
            tuple((str(one["ends"]), str(one["is"])) for one in said.get("kind", [])),
        )
        layout.check()
    except KeyError as problem:
        raise ConfigurationError(f"{path} lacks {problem}") from problem
    except ConfigurationError as problem:
        raise ConfigurationError(f"{path}: {problem}") from problem
    return layout


def _rule(path: Path, said: Mapping[str, Any]) -> Rule:
    unknown = sorted(set(said) - set(_TEXTS))
    if unknown:
        raise ConfigurationError(f"{unknown[0]!r} is nothing a rule says; it says: {', '.join(_TEXTS)}")
    return Rule(**{"path": said["path"], **{name: str(text) for name, text in said.items()}})

"""The levels of the XNAT hierarchy and what may stand below what; pure, no I/O."""

from __future__ import annotations

from typing import Literal

Level = Literal["projects", "subjects", "experiments"]

LEVELS: tuple[Level, ...] = ("projects", "subjects", "experiments")

BELOW: dict[Level | None, tuple[Level, ...]] = {
    None: ("projects", "subjects", "experiments"),
    "projects": ("subjects", "experiments"),
    "subjects": ("experiments",),
    "experiments": (),
}


def level_of(word: str) -> Level | None:
    """The level that `word` names, in the singular or the plural; None when it names none."""
    for level in LEVELS:
        if word.lower() in (level, level[:-1]):
            return level
    return None

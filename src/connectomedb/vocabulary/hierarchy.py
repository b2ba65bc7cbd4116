"""The levels of the XNAT hierarchy and what may stand below what; pure, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Level = Literal[
    "projects",
    "subjects",
    "experiments",
    "assessors",
    "reconstructions",
    "scans",
    "resources",
    "in_resources",
    "out_resources",
    "files",
]

BELOW: Mapping[Level | None, tuple[Level, ...]] = {
    None: ("projects", "subjects", "experiments"),
    "projects": ("subjects", "experiments", "resources"),
    "subjects": ("experiments", "resources"),
    "experiments": ("assessors", "reconstructions", "scans", "resources"),
    "assessors": ("resources", "in_resources", "out_resources"),
    "reconstructions": ("in_resources", "out_resources"),
    "scans": ("resources",),
    "resources": ("files",),
    "in_resources": ("files",),
    "out_resources": ("files",),
    "files": (),
}
LEVELS: tuple[Level, ...] = tuple(level for level in BELOW if level is not None)
# How an address spells a level, where that is not its name.
SEGMENTS: Mapping[Level, tuple[str, ...]] = {
    "in_resources": ("in", "resources"),
    "out_resources": ("out", "resources"),
}


def level_of(word: str) -> Level | None:
    """The level that `word` names, in the singular or the plural; None when it names none."""
    for level in LEVELS:
        if word.lower() in (level, level[:-1]):
            return level
    return None


def segments(level: Level) -> tuple[str, ...]:
    """How an address spells the level."""
    return SEGMENTS.get(level, (level,))


def chains_to(level: Level, above: Level | None = None) -> tuple[tuple[Level, ...], ...]:
    """Every way from `above` down to the level; from the root the ways begin with a project.

    `//scans` means all of them. Experiments are reached through subjects, so that each comes once.
    """
    starts: tuple[Level, ...] = ("projects",) if above is None else BELOW[above]
    if above == "projects":
        starts = tuple(one for one in starts if one != "experiments")
    found: list[tuple[Level, ...]] = []
    for first in starts:
        if first == level:
            found.append((first,))
        found += [(first, *rest) for rest in chains_to(level, first)]
    return tuple(found)

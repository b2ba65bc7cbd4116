"""The paths by which XNAT addresses the hierarchy; pure, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from connectomedb.errors import QueryError
from connectomedb.vocabulary.hierarchy import BELOW, Level, level_of


@dataclass(frozen=True, slots=True)
class Step:
    """One level of a path and the id, label or pattern asked for there."""

    level: Level
    name: str = "*"


def join_uri(parent: str, *parts: str) -> str:
    """`/data/projects` + `a b` → `/data/projects/a%20b`: every part is percent-encoded once."""
    return "/".join((parent.rstrip("/"), *(quote(part, safe="") for part in parts)))


def parse_path(path: str) -> tuple[Step, ...]:
    """`/projects/HCP_Q1/subjects/*` as steps; a bare last level means all of it."""
    words = [word for word in path.split("/") if word]
    steps: list[Step] = []
    above: Level | None = None
    for position in range(0, len(words), 2):
        level = level_of(words[position])
        if level is None or level not in BELOW[above]:
            raise QueryError(
                f"the path {path!r} has {words[position]!r} where a level should stand; there may be: "
                f"{', '.join(BELOW[above]) or 'nothing'}"
            )
        steps.append(Step(level, words[position + 1] if position + 1 < len(words) else "*"))
        above = level
    if not steps:
        raise QueryError(f"the path {path!r} names nothing; write for example '/projects/HCP_Q1/subjects/*'")
    return tuple(steps)

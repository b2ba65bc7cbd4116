"""The paths by which XNAT addresses the hierarchy; pure, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from connectomedb.errors import QueryError
from connectomedb.vocabulary.hierarchy import BELOW, Level, chains_to, level_of, segments


@dataclass(frozen=True, slots=True)
class Step:
    """One level of a path and the id, label or pattern asked for there."""

    level: Level
    name: str = "*"


def join_uri(parent: str, *parts: str) -> str:
    """`/data/projects` + `a b` → `/data/projects/a%20b`: every part is percent-encoded once."""
    return "/".join((parent.rstrip("/"), *(quote(part, safe="") for part in parts)))


def level_uri(parent: str, level: Level) -> str:
    """The address of a level below an element."""
    return join_uri(parent, *segments(level))


def file_uri(parent: str, path: str) -> str:
    """The address of a file: its folders stay folders."""
    return join_uri(parent, *path.strip("/").split("/"))


def parse_path(path: str) -> tuple[tuple[Step, ...], ...]:
    """`/projects/HCP_Q1/subjects/*` as steps; a bare last level means all of it.

    Shape    one path, or with `//` one for each way down: `//scans`, `/projects/P//resources`
    Raises   QueryError naming what may stand where something else does
    """
    words = [word for word in path.replace("//", "/ /").split("/") if word]
    paths: list[tuple[Step, ...]] = [()]
    anyway, position = False, 0
    while position < len(words):
        word = words[position]
        if word == " ":
            anyway, position = True, position + 1
            continue
        level = level_of(word)
        above = {steps[-1].level if steps else None for steps in paths}
        if level is None or not any(anyway or level in BELOW[one] for one in above):
            allowed = sorted({name for one in above for name in BELOW[one]})
            raise QueryError(
                f"the path {path!r} has {word!r} where a level should stand; there may be: "
                f"{', '.join(allowed) or 'nothing'}"
            )
        if level == "files":  # a file's name has folders in it
            name, position = "/".join(words[position + 1 :]) or "*", len(words)
        else:
            following = words[position + 1] if position + 1 < len(words) else "*"
            name, position = (following, position + 2) if following != " " else ("*", position + 1)
        paths = [way for steps in paths for way in _ways(steps, level, name, anyway=anyway)]
        anyway = False
    if not paths or not paths[0]:
        raise QueryError(f"the path {path!r} names nothing; write for example '/projects/HCP_Q1/subjects/*'")
    return tuple(paths)


def _ways(steps: tuple[Step, ...], level: Level, name: str, *, anyway: bool) -> list[tuple[Step, ...]]:
    above = steps[-1].level if steps else None
    if not anyway:
        return [(*steps, Step(level, name))]
    return [
        (*steps, *(Step(one) for one in chain[:-1]), Step(level, name)) for chain in chains_to(level, above)
    ]

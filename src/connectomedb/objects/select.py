"""Which files are wanted, and where each goes: patterns, packages, sizes, and templates of targets."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from connectomedb.errors import ConfigurationError
from connectomedb.vocabulary.records import FileRow

FIELDS = ("key", "path", "folder", "name", "subject", "session", "run", "kind", "package", "release")
_UNITS = {"": 1, "b": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_BINARY = {"ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}


@dataclass(frozen=True, slots=True)
class Selection:
    """Conditions on files; all that are given must hold.

    Patterns are matched against the whole key: `*` within a folder, `**` across folders, `?`, `[abc]`; one
    without a slash against the name alone. `exclude` wins over `include`.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    unwanted_packages: tuple[str, ...] = ()
    smallest_bytes: int | None = None
    largest_bytes: int | None = None

    def wants(self, row: FileRow) -> bool:
        """True when the file meets every condition."""
        if self.packages and row.package not in self.packages:
            return False
        if row.package in self.unwanted_packages:
            return False
        if self.smallest_bytes is not None and row.size_bytes < self.smallest_bytes:
            return False
        if self.largest_bytes is not None and row.size_bytes > self.largest_bytes:
            return False
        if self.include and not any(matches(p, row.key) for p in self.include):
            return False
        return not any(matches(p, row.key) for p in self.exclude)

    def of(self, rows: Iterable[FileRow]) -> Iterator[FileRow]:
        """The rows that are wanted, in their order."""
        return (row for row in rows if self.wants(row))


def select(
    *,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    packages: Sequence[str] = (),
    unwanted_packages: Sequence[str] = (),
    smallest: str = "",
    largest: str = "",
) -> Selection:
    """A selection in a person's words; sizes as `10M`, `1.5G`, `64Ki`. ConfigurationError for a bad size."""
    return Selection(
        tuple(include),
        tuple(exclude),
        tuple(packages),
        tuple(unwanted_packages),
        parse_size(smallest) if smallest else None,
        parse_size(largest) if largest else None,
    )


def parse_size(text: str) -> int:
    """`10M` → 10,000,000 and `10Mi` → 10,485,760; a bare number is bytes."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", text.lower())
    unit = match[2] if match else "?"
    unit = unit.removesuffix("b") if unit not in ("", "b") else unit
    factor = _UNITS.get(unit) or _BINARY.get(unit)
    if match is None or factor is None:
        raise ConfigurationError(f"{text!r} is no size; write 500k, 10M, 1.5G or 64Mi")
    return round(float(match[1]) * factor)


def matches(pattern: str, key: str) -> bool:
    """True when the key, or its last name for a pattern without slash, is of this form."""
    return _compiled(pattern).fullmatch(key if "/" in pattern else key.rsplit("/", 1)[-1]) is not None


@dataclass(frozen=True, slots=True)
class TargetTemplate:
    """A template of target paths; '' keeps the keys."""

    template: str = ""

    def target(self, row: FileRow) -> str:
        """Where the file goes. `{path}` is the key below its subject's folder.

        Raises   ConfigurationError for a field that is not known, or that this file has no value for
        """
        if not self.template:
            return row.key
        folder, _, name = row.key.rpartition("/")
        marker = f"{row.subject_label}/"
        below = row.key.split(marker, 1)[1] if marker in row.key else row.key
        values = {
            "key": row.key,
            "path": below,
            "folder": folder,
            "name": name,
            "subject": row.subject_label,
            "session": row.session,
            "run": row.run,
            "kind": row.kind,
            "package": row.package,
            "release": row.release,
        }
        out = []
        for text, field in _template_parts(self.template):
            out.append(text)
            if field is not None:
                if not values[field]:
                    raise ConfigurationError(f"{row.key} has no {field}, which {self.template!r} asks for")
                out.append(values[field])
        return "".join(out)


@lru_cache(maxsize=32)
def _template_parts(template: str) -> tuple[tuple[str, str | None], ...]:
    try:
        parsed = tuple(string.Formatter().parse(template))
    except ValueError as problem:
        raise ConfigurationError(f"{template!r} is no template: {problem}") from problem
    for _, field, how, conversion in parsed:
        if field is not None and (field not in FIELDS or how or conversion):
            raise ConfigurationError(f"{template!r}: there is no {field!r}; there are {', '.join(FIELDS)}")
    return tuple((text, field) for text, field, _, _ in parsed)


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    out, i = [], 0
    while i < len(pattern):
        if pattern.startswith("**/", i):
            out.append("(?:.*/)?")
            i += 3
        elif pattern.startswith("**", i):
            out.append(".*")
            i += 2
        elif pattern[i] in "*?":
            out.append("[^/]*" if pattern[i] == "*" else "[^/]")
            i += 1
        elif pattern[i] == "[" and "]" in pattern[i + 2 :]:
            end = pattern.index("]", i + 2)
            inner = pattern[i + 1 : end].replace("\\", r"\\").replace("[", r"\[")
            out.append(f"[^{inner[1:]}]" if inner.startswith("!") else f"[{inner}]")
            i = end + 1
        else:
            out.append(re.escape(pattern[i]))
            i += 1
    return re.compile("".join(out), re.DOTALL)

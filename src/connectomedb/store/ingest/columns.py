"""What the columns of a table mean: the element each one fills, and how its cells become values."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectomedb.errors import NotValid, QueryError, UnknownField
from connectomedb.schema.documents import check_value
from connectomedb.schema.model import ElementPath, Value
from connectomedb.schema.registry import DataTypes
from connectomedb.schema.values import parse_value
from connectomedb.search.query import FieldRef, SearchField, SearchQuery
from connectomedb.search.resolve import resolve
from connectomedb.store.ingest.tables import facts_of

MISSING = frozenset({"", "n/a", "NA"})
TABLE_FACTS = "MeasurementToolMetadata"
# pandas writes whole numbers so when one of their column is missing.
_WHOLE = re.compile(r"([+-]?\d+)\.0*")
_LARGEST = 2**63


@dataclass(frozen=True, slots=True)
class ColumnUse:
    """One column: its place in the table, the element it fills, and what a cell may hold."""

    name: str
    position: int
    element: ElementPath
    missing: frozenset[str]
    levels: frozenset[str] = frozenset()
    low: float | None = None
    high: float | None = None

    def read(self, cell: str) -> Value | None:
        """The cell's value; None when it is missing. Raises ValueError with the reason."""
        bare = cell.strip()
        if cell in self.missing or bare in self.missing:
            return None
        value = self._parse(cell, bare)
        if self.levels and bare not in self.levels:
            raise ValueError(f"is none of the dictionary's levels: {', '.join(sorted(self.levels)[:12])}")
        if isinstance(value, int | float) and not isinstance(value, bool):
            if self.low is not None and value < self.low:
                raise ValueError(f"is less than {self.low:g}, the dictionary's least")
            if self.high is not None and value > self.high:
                raise ValueError(f"is more than {self.high:g}, the dictionary's greatest")
        reason = check_value(self.element, value)
        if reason:
            raise ValueError(f"is refused: {reason}")
        return value

    def _parse(self, cell: str, bare: str) -> Value:
        kind = self.element.value_type
        if kind == "integer" and (whole := _WHOLE.fullmatch(bare)):
            bare = whole[1]
        try:
            value = parse_value(cell if kind == "string" else bare, kind)
        except ValueError as problem:
            raise ValueError(f"is not a value of type {kind}") from problem
        if kind == "integer" and isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
            raise ValueError("is larger than any whole number that can be stored")
        return value


def match_columns(
    head: Sequence[str],
    xsi_type: str,
    types: DataTypes,
    dictionary: Mapping[str, Any],
    *,
    leave: Collection[str],
    missing: Collection[str] | None = None,
    paths: Mapping[str, str] | None = None,
) -> tuple[ColumnUse, ...]:
    """What each column means, those to `leave` aside.

    A column's element is the one that `paths` or the dictionary's `Path` gives it, else what a search
    understands by its name: an element path, a display id, a dictionary column.

    Raises   NotValid naming each column that means nothing, with the nearest names
    """
    uses: list[ColumnUse] = []
    reasons: list[str] = []
    taken: dict[str, str] = {}
    default = _missing_of(facts_of(dictionary, TABLE_FACTS), missing, MISSING)
    for position, name in enumerate(head):
        if name in leave:
            continue
        facts = facts_of(dictionary, name)
        try:
            asked = (paths or {}).get(name) or str(facts.get("Path", "")).removeprefix(f"{xsi_type}/") or name
            element = _element(asked, xsi_type, types)
            use = _use(name, position, element, facts, default)
        except (QueryError, ValueError) as problem:
            reasons.append(f"column {name!r}: {problem}")
            continue
        if element.path in taken:
            reasons.append(f"the columns {taken[element.path]!r} and {name!r} both fill {element.path}")
        taken[element.path] = name
        uses.append(use)
    if reasons:
        raise NotValid(reasons)
    return tuple(uses)


def _use(
    name: str, position: int, element: ElementPath, facts: Mapping[str, Any], default: frozenset[str]
) -> ColumnUse:
    levels = facts.get("Levels")
    named = frozenset(str(level) for level in levels) if isinstance(levels, Mapping) else frozenset[str]()
    missing = _missing_of(facts, None, default)
    if "MissingValues" not in facts:
        missing = missing - named | {""}
    low, high = _bound(facts, "MinValue"), _bound(facts, "MaxValue")
    # A type's own bounds are hints, which values in the archive may exceed: only the type itself judges them.
    low = None if low == element.min_value else low
    high = None if high == element.max_value else high
    return ColumnUse(name, position, element, missing, named, low, high)


def _element(name: str, xsi_type: str, types: DataTypes) -> ElementPath:
    try:
        return types.element(xsi_type, name)
    except UnknownField:
        query = SearchQuery(xsi_type, fields=(SearchField(FieldRef(xsi_type, name)),))
        (found,) = resolve(query, types).fields
        if found.display.expression[0] != "element":
            raise UnknownField(name, xsi_type) from None
        return types.element(xsi_type, found.display.expression[1])


def _missing_of(
    facts: Mapping[str, Any], given: Collection[str] | None, default: frozenset[str]
) -> frozenset[str]:
    """The spellings of a missing value; the empty cell always is one."""
    if given is not None:
        return frozenset(given) | {""}
    said = facts.get("MissingValues")
    if said is None:
        return default
    return (
        frozenset(str(one) for one in said) | {""} if isinstance(said, list) else frozenset({str(said), ""})
    )


def _bound(facts: Mapping[str, Any], name: str) -> float | None:
    said = facts.get(name)
    if said is None or str(said).strip() == "":
        return None
    try:
        return float(said)
    except (TypeError, ValueError) as problem:
        raise ValueError(f"{name} in the dictionary is {said!r}, which is no number") from problem

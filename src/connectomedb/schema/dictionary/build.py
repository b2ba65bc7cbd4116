"""Columns, their values and their dictionary, brought together; contradictions are refused all at once."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from connectomedb.errors import NotValid
from connectomedb.schema.dictionary.facts import METADATA, MISSING, ColumnFacts, Dictionary, from_bids
from connectomedb.schema.dictionary.write import TypeColumn, legal, write_display, write_xsd
from connectomedb.schema.model import ValueType
from connectomedb.schema.values import parse_value

_WHOLE = re.compile(r"[+-]?\d{1,18}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, slots=True)
class TypeFiles:
    """A data type as two files, where each column of the table went, and what was mapped on the way."""

    xsi_type: str
    xsd: bytes
    display: bytes
    columns: Mapping[str, str]
    value_types: Mapping[str, ValueType]
    notes: tuple[str, ...] = ()


def type_from_table(
    name: str,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    dictionary: Mapping[str, Any] | Dictionary,
    *,
    prefix: str = "bids",
    namespace: str = "http://connectomedb.org/bids",
    description: str = "",
) -> TypeFiles:
    """The type `prefix:name` for the columns of a table, the column of subjects left out by the caller.

    A column of an instrument (or else a category) stands in a grouping element of that name.
    Raises   NotValid with every contradiction between the dictionary and the table
    """
    known = dictionary if isinstance(dictionary, Dictionary) else from_bids(dictionary)
    reasons = [
        f"{name}: the dictionary describes {c.name!r}, which the table lacks"
        for c in known.columns
        if c.name not in head and c.name not in METADATA
    ]
    reasons += [
        f"{name}: the column {c!r} stands twice" for c in sorted({c for c in head if head.count(c) > 1})
    ]
    reasons += _alike(name, head)
    columns, notes = [], list(known.notes)
    taken, groups = set[str](), dict[str, str]()
    for position, column in enumerate(head):
        cells = [row[position].strip() for row in rows if position < len(row)]
        facts = known.get(column)
        present = [cell for cell in cells if cell not in facts.missing]
        value_type = facts.value_type or infer_type(present)
        reasons += _contradictions(name, facts, present, value_type)
        path = legal(column, taken)
        taken.add(path.lower())
        if path != column:
            notes.append(f"{name}: the column {column!r} is the element {path}")
        columns.append(_described(facts, path, value_type, _group(facts, groups)))
    if reasons:
        raise NotValid(reasons)
    return type_files(f"{prefix}:{legal(name, set())}", namespace, columns, description or name, tuple(notes))


def type_files(
    xsi_type: str,
    namespace: str,
    columns: Sequence[TypeColumn],
    description: str,
    notes: tuple[str, ...] = (),
) -> TypeFiles:
    """The two files of a type with these columns."""
    return TypeFiles(
        xsi_type,
        write_xsd(xsi_type, namespace, columns, description),
        write_display(xsi_type, columns, description),
        {c.name: c.whole_path for c in columns},
        {c.name: c.value_type for c in columns},
        notes,
    )


def merge_columns(before: Sequence[TypeColumn], dictionary: Dictionary) -> tuple[TypeColumn, ...]:
    """An existing type's columns with what a newer dictionary adds; words, units and bounds may change.

    Raises   NotValid for every column whose type, tier or name changes in a way that loses or opens values
    """
    by_name = {c.name: c for c in before}
    folded = {c.name.lower(): c.name for c in before}
    taken = {c.path.lower() for c in before}
    groups = {c.group: c.group for c in before if c.group}
    reasons: list[str] = []
    merged: dict[str, TypeColumn] = dict(by_name)
    for facts in dictionary.columns:
        old = by_name.get(facts.name)
        if old is None and facts.name.lower() in folded:
            reasons.append(f"{facts.name!r} differs from {folded[facts.name.lower()]!r} only by capitals")
        elif old is None:
            path = legal(facts.name, taken)
            taken.add(path.lower())
            merged[facts.name] = _described(facts, path, facts.value_type or "string", _group(facts, groups))
        elif facts.value_type not in (None, old.value_type):
            reasons.append(
                f"{facts.name!r} was {old.value_type} and is now {facts.value_type}: stored values would be "
                "lost; give the new column a new name"
            )
        elif set(old.levels) - set(facts.levels) and facts.levels:
            gone = ", ".join(sorted(set(old.levels) - set(facts.levels)))
            reasons.append(f"{facts.name!r} loses the levels {gone}, which stored values may have")
        else:
            new = _described(facts, old.path, old.value_type, old.group)
            merged[facts.name] = replace(
                new,
                description=new.description or old.description,
                unit=new.unit or old.unit,
                low=new.low or old.low,
                high=new.high or old.high,
                levels=new.levels or old.levels,
                # A dictionary that is silent about the tier opens nothing.
                tier=old.tier if facts.tier == "open" else facts.tier,
            )
    if reasons:
        raise NotValid(reasons)
    return tuple(merged.values())


def infer_type(cells: Sequence[str]) -> ValueType:
    """integer, float, boolean, date or string, from all values that are there; string when there is none."""
    present = [cell.strip() for cell in cells if cell.strip() not in MISSING]
    if not present:
        return "string"
    if all(_WHOLE.fullmatch(cell) for cell in present):
        return "integer"
    if all(_is_number(cell) for cell in present):
        return "float"
    if all(cell.lower() in ("true", "false") for cell in present):
        return "boolean"
    if all(_DAY.fullmatch(cell) and _fits(cell, "date") for cell in present):
        return "date"
    return "string"


def _alike(table: str, head: Sequence[str]) -> list[str]:
    """Names that differ by capitals alone cannot be told apart in a search."""
    seen: dict[str, str] = {}
    reasons = []
    for column in dict.fromkeys(head):
        other = seen.setdefault(column.lower(), column)
        if other != column:
            reasons.append(f"{table}: {other!r} and {column!r} differ only by capitals; rename one")
    return reasons


def _contradictions(
    table: str, facts: ColumnFacts, present: Sequence[str], value_type: ValueType
) -> list[str]:
    """Where the dictionary promises a type, bounds or levels, other values are contradictions."""
    column = facts.name
    bounds = {k: v for k, v in (("MinValue", facts.low), ("MaxValue", facts.high)) if v.strip()}
    unread = [k for k, v in bounds.items() if not _is_number(v)]
    if unread:
        return [f"{table}: {unread[0]} of {column!r} is {bounds[unread[0]]!r}, which is no number"]
    odd = next((cell for cell in present if not _fits(cell, value_type)), None)
    if odd is not None:
        return [f"{table}: {column!r} is {value_type} in the dictionary but has the value {odd!r}"]
    if bounds and value_type == "string" and present:
        odd = next((cell for cell in present if not _is_number(cell)), present[0])
        return [f"{table}: {column!r} has bounds in the dictionary but the value {odd!r} in the table"]
    if facts.levels and facts.closed_levels:
        odd = next((cell for cell in present if cell not in facts.levels), None)
        if odd is not None:
            return [f"{table}: {column!r} has the value {odd!r}, which is none of its levels"]
    return []


def _described(facts: ColumnFacts, path: str, value_type: ValueType, group: str) -> TypeColumn:
    text = " ".join(facts.description.split())
    if any(facts.levels.values()):
        text += f" ({'; '.join(f'{k} = {v}' for k, v in facts.levels.items())})"
    # What existing clients' code generators choke on, in documentation.
    clean = text.replace("\\", "/").replace('"', "'")
    levels = tuple(facts.levels) if facts.closed_levels and value_type == "string" else ()
    return TypeColumn(
        facts.name, path, value_type, clean, facts.unit, facts.low, facts.high, facts.tier, group, levels
    )


def _group(facts: ColumnFacts, groups: dict[str, str]) -> str:
    title = facts.instrument or facts.category
    if not title:
        return ""
    if title not in groups:
        groups[title] = legal(title, {g.lower() for g in groups.values()})
    return groups[title]


def _fits(cell: str, value_type: ValueType) -> bool:
    try:
        parse_value(cell, value_type)
    except ValueError:
        return False
    return True


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text)) and "_" not in text
    except ValueError:
        return False

"""pyxnat's constraint lists: `[(field, operator, value), […, 'OR'], 'AND']` ↔ CriteriaSet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connectomedb.errors import BadConstraint
from connectomedb.search.operators import normalise
from connectomedb.search.query import MOST_DEPTH, CriteriaSet, Criterion, FieldRef, Method


def parse_constraints(constraints: Sequence[Any], default_type: str = "", _depth: int = 0) -> CriteriaSet:
    """The set that a constraint list means; a list without a method is an AND.

    Values may be numbers as well as texts, and `*` in a text is `%`, as pyxnat has it.
    Raises   BadConstraint naming the part that is no constraint
    """
    if _depth > MOST_DEPTH:
        raise BadConstraint(f"constraints are nested deeper than {MOST_DEPTH} levels")
    members: list[Criterion | CriteriaSet] = []
    method: Method = "AND"
    for position, part in enumerate(constraints):
        if isinstance(part, str):
            word = part.strip().upper()
            if word not in ("AND", "OR") or position != len(constraints) - 1:
                raise BadConstraint(f"{part!r} is no constraint; 'AND' or 'OR' stands last in its list")
            method = "AND" if word == "AND" else "OR"
        elif isinstance(part, tuple):
            members.append(_criterion(part, default_type))
        elif isinstance(part, list):
            members.append(parse_constraints(part, default_type, _depth + 1))
        else:
            raise BadConstraint(f"{part!r} is no constraint; use (field, operator, value)")
    return CriteriaSet(method, tuple(members))


def print_constraints(criteria: CriteriaSet) -> list[Any]:
    """The constraint list that `parse_constraints` reads back."""
    parts: list[Any] = []
    for member in criteria.members:
        if isinstance(member, Criterion):
            parts.append((str(member.ref), member.comparison_type, member.value))
        else:
            parts.append(print_constraints(member))
    return [*parts, criteria.method]


def _criterion(part: tuple[Any, ...], default_type: str) -> Criterion:
    if len(part) != 3 or not isinstance(part[0], str) or not isinstance(part[1], str):
        raise BadConstraint(f"{part!r} is no constraint; use (field, operator, value)")
    field, spelling, value = part
    head, slash, name = field.partition("/")
    if not slash or ":" not in head:
        if not default_type:
            raise BadConstraint(f"{field!r} names no data type; write type/FIELD")
        head, name = default_type, field
    text = "" if value is None else str(value)
    comparison, text = normalise(spelling, text.replace("*", "%"))
    return Criterion(FieldRef(head, name), comparison, text)

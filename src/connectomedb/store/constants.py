"""The values that a question compares with, taken out: questions that differ in nothing else share a plan.

A value is taken out only where the statement is the same whatever it is; `execute.prepare` finds the places
of the stand-ins by their identity, and what it does not find is compiled with the value inside.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any

from connectomedb.schema.model import Value, ValueType
from connectomedb.search.resolve import ResolvedCriterion, ResolvedQuery, ResolvedSet

_COMPARED = ("=", "!=", "<", "<=", ">", ">=")
# Membership is another statement when owner and share are compared with one project; entries are compared by
# the type of each kind that has them.
_ASIDE = ("member_owner", "member_share", "entry")
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1


@dataclass(frozen=True, slots=True)
class Lifted:
    """A question with stand-ins, what tells it from others but their values, and the values in that order."""

    query: ResolvedQuery
    shape: Hashable
    stand_ins: tuple[Value, ...] = ()
    values: tuple[Value, ...] = ()


def lift(query: ResolvedQuery) -> Lifted:
    """The question without the values that its statement does not depend on."""
    stand_ins: list[Value] = []
    values: list[Value] = []
    where, shape = _set(query.where, stand_ins, values)
    return Lifted(replace(query, where=where), shape, tuple(stand_ins), tuple(values))


def _set(
    criteria: ResolvedSet, stand_ins: list[Value], values: list[Value]
) -> tuple[ResolvedSet, tuple[Hashable, ...]]:
    members: list[ResolvedCriterion | ResolvedSet] = []
    shapes: list[Hashable] = [criteria.method]
    for member in criteria.members:
        one, shape = (
            _set(member, stand_ins, values)
            if isinstance(member, ResolvedSet)
            else _criterion(member, stand_ins, values)
        )
        members.append(one)
        shapes.append(shape)
    return ResolvedSet(criteria.method, tuple(members)), tuple(shapes)


def _criterion(
    criterion: ResolvedCriterion, stand_ins: list[Value], values: list[Value]
) -> tuple[ResolvedCriterion, Hashable]:
    shape = (
        criterion.data_type.xsi_type,
        criterion.display,
        criterion.value,
        criterion.comparison_type,
        criterion.by_path,
    )
    compared = criterion.operands if criterion.comparison_type == "BETWEEN" else (criterion.operand,)
    plain = [_plain(one, criterion.display.value_type) for one in compared]
    if (
        criterion.comparison_type not in (*_COMPARED, "BETWEEN")
        or criterion.display.expression[0] in _ASIDE
        or any(one is None for one in plain)
    ):
        # Equal values of other types, and 0.0 beside -0.0, are told apart by how they are written.
        return criterion, (*shape, repr(criterion.operand), repr(criterion.operands))
    places = [_STAND_INS[criterion.display.value_type](len(stand_ins) + n) for n in range(len(plain))]
    stand_ins += places
    values += [one for one in plain if one is not None]
    if criterion.comparison_type == "BETWEEN":
        return replace(criterion, operands=tuple(places)), shape
    return replace(criterion, operand=places[0]), shape


def _plain(value: Value | None, value_type: ValueType) -> Value | None:
    """The value as it is compared; None for one that might be compared in another way than most."""
    kind = type(value)
    if value_type == "integer":
        return value if isinstance(value, int) and kind is int and _LOWEST <= value <= _HIGHEST else None
    if value_type == "float" and isinstance(value, int | float) and kind is not bool:
        return float(value) if abs(value) < 1e300 and math.isfinite(value) else None
    if value_type == "string" and isinstance(value, str):
        whole = value and "\0" not in value and not any("\ud800" <= c <= "\udfff" for c in value)
        return value if whole else None
    return value if kind is _DATES.get(value_type) else None


_DATES: Mapping[str, type] = {"date": date, "dateTime": datetime, "time": time}
# New objects each time: they are found again by identity.
_STAND_INS: Mapping[str, Callable[[int], Any]] = {
    "integer": lambda n: 10**15 + n,
    "float": lambda n: n + 0.5,
    "string": lambda n: f"value {n}",
    "date": lambda n: date(2000, 1, 1 + n % 28),
    "dateTime": lambda n: datetime(2000, 1, 1, 0, n % 60),
    "time": lambda n: time(1, n % 60),
}

"""A filter of a listing by value: `gender=female`, `age=20-30`, `label=AB*,CD*`.

Source  protocol/rest.md 2.4
"""

from __future__ import annotations

import re

from sqlalchemy import ColumnElement, or_, true

from connectomedb.errors import BadConstraint
from connectomedb.schema.model import Value, ValueType
from connectomedb.search.operands import parse_operand
from connectomedb.store.comparisons import compare
from connectomedb.store.engine import Dialect
from connectomedb.store.rows import Expr


def matches(dialect: Dialect, expr: Expr, value: str, called: str) -> ColumnElement[bool]:
    """A filter by value: commas are OR; patterns with `%` or `*`; ranges of numbers and dates."""
    parts = [part.strip() for part in value.split(",") if part.strip()]
    if not parts:
        return true()
    single: list[Value] = []
    others: list[ColumnElement[bool]] = []
    for text in parts:
        if "%" in text or "*" in text:
            others.append(compare(dialect, expr, "LIKE", (), text.replace("*", "%")))
            continue
        values = (text,) if expr.value_type == "string" else _values(expr.value_type, text, called)
        if len(values) == 1:
            single += values
        else:
            others.append(compare(dialect, expr, "BETWEEN", values, None))
    if len(others) > MOST_PATTERNS:
        raise BadConstraint(
            f"{called} has {len(others)} patterns and ranges; at most {MOST_PATTERNS} at once"
        )
    if len(single) > 1:
        others.append(compare(dialect, expr, "IN", tuple(single), None))
    elif single:
        others.append(compare(dialect, expr, "=", tuple(single), single[0]))
    return or_(*others)


def _values(value_type: ValueType, text: str, called: str) -> tuple[Value, ...]:
    """A value, or the two ends of a range."""
    try:
        return tuple(parse_operand(end, value_type) for end in _range(text, value_type))
    except ValueError as error:
        raise BadConstraint(f"{called}={text!r}: not a {value_type}, nor a range a-b") from error


# Each is a comparison of its own, and statements may not be nested too deeply.
MOST_PATTERNS = 200
_NUMBER = r"[+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?"
_DAY = r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}/[0-9]{1,2}/[0-9]{4})"


def _range(text: str, value_type: ValueType) -> tuple[str, ...]:
    """`a-b` or `a..b` as two values; a single value, a leading minus or an ISO date as one."""
    low, dots, high = text.partition("..")
    if dots:
        return (low, high)
    unit = _NUMBER if value_type in ("integer", "float") else _DAY
    found = re.fullmatch(f"({unit})-({unit})", text)
    return (found[1], found[2]) if found else (text,)

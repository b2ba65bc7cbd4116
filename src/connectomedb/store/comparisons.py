"""One comparison of a value with what a user typed, as SQL: typed, every value bound.

Source  protocol/search-and-types.md 4.2 to 4.5
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import ColumnElement, and_, false, literal, or_, true
from sqlalchemy.types import BigInteger, Boolean, Date, DateTime, Float, Time, TypeEngine

from connectomedb.errors import BadConstraint
from connectomedb.schema.model import Value, ValueType
from connectomedb.schema.values import print_value
from connectomedb.store.engine import Dialect
from connectomedb.store.rows import Expr, bound

_LOWEST, _HIGHEST = -(2**63), 2**63 - 1
# SQLite refuses patterns of more than 50,000 bytes.
MOST_OF_A_PATTERN = 10_000
_OPPOSITE_ENDS = {"<": "<=", ">=": ">"}
_COMPARE: Mapping[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_KINDS: Mapping[ValueType, tuple[type, TypeEngine[Any]]] = {
    "float": (float, Float(53)),
    "boolean": (bool, Boolean()),
    "date": (date, Date()),
    "time": (time, Time()),
    "dateTime": (datetime, DateTime()),
}


def compare(
    dialect: Dialect,
    expr: Expr,
    comparison_type: str,
    operands: tuple[Value, ...],
    operand: Value | None,
    *,
    by_path: bool = False,
) -> ColumnElement[bool]:
    """Whether the value compares so.

    Null    nothing but IS NULL, IS [NOT] DISTINCT FROM and `!=` on a display field is true of no value
    Raises  BadConstraint for a value of another type, or one that no database holds
    """
    sql = expr.sql
    if comparison_type == "IS NULL" or (comparison_type == "=" and operand in (None, "")):
        return sql.is_(None)
    if comparison_type == "IS NOT NULL" or (comparison_type == "!=" and operand in (None, "")):
        return sql.is_not(None)
    if comparison_type in ("LIKE", "NOT LIKE"):
        matches = like(dialect, dialect.printed(sql, expr.value_type), str(operand or ""))
        return matches if comparison_type == "LIKE" else ~matches
    values = operands if comparison_type in ("IN", "NOT IN", "BETWEEN") else (operand,)
    if len(values) != 2 and comparison_type == "BETWEEN":
        raise BadConstraint("BETWEEN needs two values: a AND b")
    if expr.value_type == "dateTime" and not all(isinstance(one, datetime) for one in values):
        expr = Expr(dialect.printed(sql, "dateTime"), "string")
    typed = [_typed(value, expr.value_type) for value in values]
    result = _compared(dialect, expr, comparison_type, typed)
    if comparison_type == "!=" and not by_path:
        return or_(result, sql.is_(None))
    return result


def like(dialect: Dialect, printed: ColumnElement[Any], pattern: str) -> ColumnElement[bool]:
    """The text matches the pattern, capitals aside. Raises BadConstraint for a pattern that is none."""
    if (len(pattern) - len(pattern.rstrip("\\"))) % 2:
        raise BadConstraint(f"the pattern {pattern!r} ends in a lone backslash; double it")
    if len(pattern) > MOST_OF_A_PATTERN:
        raise BadConstraint(
            f"a pattern of {len(pattern)} characters; at most {MOST_OF_A_PATTERN} are matched"
        )
    return dialect.lower(printed).like(dialect.lower(bound(pattern)), escape="\\")


def _typed(value: Value | None, value_type: ValueType) -> Any:
    """The value as the database compares it; whole and broken numbers stay for `_of_integers`."""
    if value_type == "string":
        if isinstance(value, str):
            return value
        if isinstance(value, datetime):
            return print_value(value, "dateTime")
        if value is not None:
            return "1" if value is True else "0" if value is False else str(value)
    elif value_type == "integer":
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
    else:
        kind = _KINDS[value_type][0]
        if value_type == "float" and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if isinstance(value, kind) and (kind is not date or not isinstance(value, datetime)):
            return value
    raise BadConstraint(f"{value!r} is not a {value_type}")


def _compared(dialect: Dialect, expr: Expr, comparison_type: str, values: list[Any]) -> ColumnElement[bool]:
    if comparison_type == "BETWEEN":
        ends = zip((">=", "<="), values, strict=True)
        return and_(*(_compared(dialect, expr, end, [value]) for end, value in ends))
    if expr.value_type == "integer":
        if comparison_type in ("<", "<=", ">", ">="):
            return _ordered_integer(expr.sql, comparison_type, values[0])
        whole = (v for v in values if v == math.floor(v) and _LOWEST <= v <= _HIGHEST)
        values = [v if isinstance(v, int) else int(v) for v in whole]
        if not values:  # no integer is equal to any of them
            return {"!=": expr.sql.is_not(None), "NOT IN": expr.sql.is_not(None)}.get(
                comparison_type, true() if comparison_type == "IS DISTINCT FROM" else false()
            )
    if comparison_type in ("IN", "NOT IN"):
        found = _among(dialect, expr, values)
        return found if comparison_type == "IN" else ~found
    operand = _literal(values[0], expr.value_type)
    if comparison_type == "IS DISTINCT FROM":
        return expr.sql.is_distinct_from(operand)
    if comparison_type == "IS NOT DISTINCT FROM":
        return expr.sql.is_not_distinct_from(operand)
    if comparison_type not in _COMPARE:
        raise BadConstraint(f"unknown operator {comparison_type!r}")
    return _COMPARE[comparison_type](expr.sql, operand)


def _ordered_integer(sql: ColumnElement[Any], comparison_type: str, value: float) -> ColumnElement[bool]:
    """Against a whole number: databases compare an integer with a float after rounding it."""
    whole = value if isinstance(value, int) else math.floor(value)
    if whole != value:
        comparison_type = _OPPOSITE_ENDS.get(comparison_type, comparison_type)
    if not _LOWEST <= whole <= _HIGHEST:
        below = whole < _LOWEST
        return sql.is_not(None) if below == (comparison_type in (">", ">=")) else false()
    return _COMPARE[comparison_type](sql, literal(whole, BigInteger()))


def _among(dialect: Dialect, expr: Expr, values: Sequence[Any]) -> ColumnElement[bool]:
    if expr.value_type == "string":
        for value in values:
            bound(value)
    return dialect.among(expr.sql, list(dict.fromkeys(values)), expr.value_type)


def _literal(value: Any, value_type: ValueType) -> ColumnElement[Any]:
    if value_type == "string":
        return bound(value)
    return literal(value, BigInteger() if value_type == "integer" else _KINDS[value_type][1])

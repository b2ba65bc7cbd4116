"""A formula of a display document as SQL: typed, and with the same answer on both databases.

Source  schema.expressions says what a formula can hold
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, case, cast, func, literal, not_, null, or_
from sqlalchemy.types import BigInteger, Float

from connectomedb.errors import BadConstraint
from connectomedb.schema.expressions import Call, CallName, Case, Cast, CastType, Constant, Formula, Input
from connectomedb.schema.model import ValueType
from connectomedb.store import tables as t
from connectomedb.store.engine import Dialect
from connectomedb.store.rows import Expr, bound

InputValue = Callable[[tuple[str, ...]], Expr]
_NUMBERS = ("integer", "float")
_DATES = ("date", "dateTime")
# A float below this is a whole number of 64 bits when its fraction is taken off.
_LARGEST = 9.2e18


def build(formula: Formula, dialect: Dialect, input_value: InputValue) -> Expr:
    """The value of a formula; `input_value` gives that of an input.

    Null     a missing input gives none, COALESCE and CASE aside; so do a division by zero, a text that is
             cast to a number and is none, and a whole number of more than 64 bits
    Raises   BadConstraint for what the types of the inputs do not allow
    """
    return _Builder(dialect, input_value).value(formula)


def conform(expr: Expr, value_type: ValueType, dialect: Dialect) -> Expr:
    """The value as its field says its type; dates and times stay what they are."""
    if expr.value_type == value_type:
        return expr
    if value_type == "string":
        return Expr(dialect.printed(expr.sql, expr.value_type), "string")
    if value_type == "float" and expr.value_type == "integer":
        return Expr(cast(expr.sql, Float(53)), "float")
    if value_type == "integer" and expr.value_type == "float":
        whole = cast(dialect.rounded(expr.sql, 0), BigInteger())
        return Expr(case((_fits(expr.sql), whole)), "integer")
    if value_type == "date" and expr.value_type == "dateTime":
        return Expr(dialect.day(expr.sql), "date")
    return expr


class _Builder:
    def __init__(self, dialect: Dialect, input_value: InputValue) -> None:
        self.dialect = dialect
        self.input_value = input_value

    def value(self, formula: Formula) -> Expr:
        if isinstance(formula, Constant):
            return _constant(formula.value)
        if isinstance(formula, Input):
            return self.input_value(formula.expression)
        if isinstance(formula, Cast):
            return self.cast(self.value(formula.value), formula.to)
        if isinstance(formula, Case):
            values = self.alike([*(v for _, v in formula.branches), formula.otherwise])
            conditions = [self.condition(c) for c, _ in formula.branches]
            pairs = zip(conditions, values[:-1], strict=True)
            sql = case(*((c, v.sql) for c, v in pairs), else_=values[-1].sql)
            return Expr(sql, values[0].value_type)
        return _CALLS[formula.name](self, formula.arguments)

    def condition(self, formula: Formula) -> ColumnElement[bool]:
        assert isinstance(formula, Call), "the parser lets nothing else stand as a condition"
        return _CONDITIONS[formula.name](self, formula.arguments)

    def alike(self, formulas: Sequence[Formula]) -> list[Expr]:
        """Values of one type: numbers as floats if one is, anything else that differs as printed text."""
        given = [None if f == Constant(None) else self.value(f) for f in formulas]
        kinds = {e.value_type for e in given if e is not None}
        if len(kinds) == 1:
            kind = kinds.pop()
        else:
            kind = "float" if kinds and kinds <= set(_NUMBERS) else "string"
        empty = Expr(cast(null(), t.SQL_TYPES[kind]), kind)
        return [empty if e is None else conform(e, kind, self.dialect) for e in given]

    def text(self, formula: Formula) -> ColumnElement[str]:
        return conform(self.value(formula), "string", self.dialect).sql

    def number(self, formula: Formula) -> Expr:
        found = self.value(formula)
        if found.value_type not in _NUMBERS:
            raise BadConstraint(f"a number is needed where a {found.value_type} stands; use CAST")
        return found

    def cast(self, found: Expr, to: CastType) -> Expr:
        if to == "date":
            if found.value_type not in _DATES:
                raise BadConstraint(f"a {found.value_type} cannot be cast to a date")
            return conform(found, "date", self.dialect)
        if to in _NUMBERS and found.value_type == "string":
            found = Expr(self.dialect.number(found.sql), "float")
        elif to in _NUMBERS and found.value_type not in _NUMBERS:
            raise BadConstraint(f"a {found.value_type} cannot be cast to a number")
        return conform(found, to, self.dialect)

    # Values

    def coalesce(self, arguments: Sequence[Formula]) -> Expr:
        values = self.alike(arguments)
        sql = [v.sql for v in values]
        return Expr(sql[0] if len(sql) == 1 else func.coalesce(*sql), values[0].value_type)

    def nullif(self, arguments: Sequence[Formula]) -> Expr:
        first, second = self.alike(arguments)
        return Expr(func.nullif(first.sql, second.sql, type_=first.sql.type), first.value_type)

    def concat(self, arguments: Sequence[Formula]) -> Expr:
        first, second = (self.text(a) for a in arguments)
        return Expr(first.concat(second), "string")

    def substring(self, arguments: Sequence[Formula]) -> Expr:
        start, length = (a.value for a in arguments[1:] if isinstance(a, Constant))
        return Expr(func.substr(self.text(arguments[0]), start, length, type_=t.string), "string")

    def lower(self, arguments: Sequence[Formula]) -> Expr:
        return Expr(self.dialect.lower(self.text(arguments[0])), "string")

    def floor(self, arguments: Sequence[Formula]) -> Expr:
        found = self.number(arguments[0])
        if found.value_type == "integer":
            return found
        return Expr(case((_fits(found.sql), self.dialect.floor(found.sql))), "integer")

    def round(self, arguments: Sequence[Formula]) -> Expr:
        digits = arguments[1] if len(arguments) > 1 else Constant(0)
        if not isinstance(digits, Constant) or not isinstance(digits.value, int) or digits.value > 15:
            raise BadConstraint("ROUND takes a number of digits from 0 to 15")
        return Expr(self.dialect.rounded(self.number(arguments[0]).sql, digits.value), "float")

    def year(self, arguments: Sequence[Formula]) -> Expr:
        found = self.value(arguments[0])
        if found.value_type not in _DATES:
            raise BadConstraint(f"a {found.value_type} has no year")
        return Expr(self.dialect.year(found.sql), "integer")

    def subtract(self, arguments: Sequence[Formula]) -> Expr:
        """Numbers, or the days between two dates."""
        left, right = (self.value(a) for a in arguments)
        if left.value_type in _DATES and right.value_type in _DATES:
            days = (conform(e, "date", self.dialect).sql for e in (right, left))
            return Expr(self.dialect.days_between(*days), "integer")
        return self.arithmetic(arguments, lambda a, b: a - b)

    def divide(self, arguments: Sequence[Formula]) -> Expr:
        def divided(a: ColumnElement[Any], b: ColumnElement[Any]) -> ColumnElement[Any]:
            divisor = func.nullif(b, 0, type_=b.type)
            return a / divisor if isinstance(b.type, Float) else a // divisor

        return self.arithmetic(arguments, divided)

    def arithmetic(
        self, arguments: Sequence[Formula], combine: Callable[[Any, Any], ColumnElement[Any]]
    ) -> Expr:
        pair = [self.number(a) for a in arguments]
        kind: ValueType = "float" if any(e.value_type == "float" for e in pair) else "integer"
        left, right = (cast(e.sql, t.SQL_TYPES[kind]) for e in pair)
        found = combine(left, right)
        if kind == "integer":
            # One database would turn to floats, the other would stop: what is too large is no value.
            found = case((_fits(combine(cast(left, Float(53)), cast(right, Float(53)))), found))
        return Expr(found, kind)

    def negate(self, arguments: Sequence[Formula]) -> Expr:
        found = self.number(arguments[0])
        return Expr(-found.sql, found.value_type)

    # Conditions

    def compared(
        self, arguments: Sequence[Formula], compare: Callable[[Any, Any], ColumnElement[bool]]
    ) -> ColumnElement[bool]:
        left, right = self.alike(arguments)
        return compare(left.sql, right.sql)


def _fits(number: ColumnElement[Any]) -> ColumnElement[bool]:
    """A float that a whole number of 64 bits can hold."""
    return func.abs(number, type_=Float(53)) < _LARGEST


def _constant(value: str | int | float | None) -> Expr:
    if value is None:
        return Expr(cast(null(), t.string), "string")
    if isinstance(value, str):
        return Expr(bound(value), "string")
    kind: ValueType = "integer" if isinstance(value, int) else "float"
    return Expr(literal(value, t.SQL_TYPES[kind]), kind)


_CALLS: Mapping[CallName, Callable[[_Builder, Sequence[Formula]], Expr]] = {
    "coalesce": _Builder.coalesce,
    "nullif": _Builder.nullif,
    "concat": _Builder.concat,
    "substring": _Builder.substring,
    "lower": _Builder.lower,
    "floor": _Builder.floor,
    "round": _Builder.round,
    "year": _Builder.year,
    "add": lambda b, a: b.arithmetic(a, lambda x, y: x + y),
    "subtract": _Builder.subtract,
    "multiply": lambda b, a: b.arithmetic(a, lambda x, y: x * y),
    "divide": _Builder.divide,
    "negate": _Builder.negate,
}
_CONDITIONS: Mapping[CallName, Callable[[_Builder, Sequence[Formula]], ColumnElement[bool]]] = {
    "equal": lambda b, a: b.compared(a, lambda x, y: x == y),
    "unequal": lambda b, a: b.compared(a, lambda x, y: x != y),
    "less": lambda b, a: b.compared(a, lambda x, y: x < y),
    "at_most": lambda b, a: b.compared(a, lambda x, y: x <= y),
    "greater": lambda b, a: b.compared(a, lambda x, y: x > y),
    "at_least": lambda b, a: b.compared(a, lambda x, y: x >= y),
    "is_null": lambda b, a: b.value(a[0]).sql.is_(None),
    "and": lambda b, a: and_(*(b.condition(one) for one in a)),
    "or": lambda b, a: or_(*(b.condition(one) for one in a)),
    "not": lambda b, a: not_(b.condition(a[0])),
}

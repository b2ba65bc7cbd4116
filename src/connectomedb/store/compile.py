"""(resolved question, who asks) → one SELECT, with visibility inside.

Criteria on the root type and on its subject test that one row. Criteria on another type of the same
subject (`nt:scores` in a search for subjects) are true if some visible item meets them; all of them on
one type are judged on the same item, different types vary independently, and where the subject has no
item of that type their fields have no value. As a column, another type shows its latest item.

Source  protocol/search-and-types.md 4.1 to 4.7
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    asc,
    cast,
    desc,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.types import BigInteger, Boolean, Date, DateTime, Float, Time

from connectomedb.errors import BadConstraint
from connectomedb.schema.model import DataType, Value, ValueType
from connectomedb.search.resolve import ResolvedCriterion, ResolvedField, ResolvedQuery, ResolvedSet
from connectomedb.store import tables as t
from connectomedb.store.engine import Dialect
from connectomedb.store.rows import Expr, Expressions, Row, bound
from connectomedb.store.tiers import guarded
from connectomedb.tables.result import Column
from connectomedb.vocabulary.records import Principal

STATUS_KEY = "quarantine_status"
# Types judged together multiply the statement; three are 2³ branches.
MOST_JOINED_TYPES = 3
_LONGEST_INTEGER = 2**63

_COMPARE: Mapping[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Compiled:
    """One statement and the columns that it gives."""

    statement: Select[Any]
    columns: tuple[Column, ...]
    root: str


# The rows on which criteria are judged, by type; None stands for "nothing joins".
_Env = dict[str, Row | None]


class _Compiler:
    def __init__(self, query: ResolvedQuery, who: Principal, layout: t.Layout, dialect: Dialect) -> None:
        self.query = query
        self.who = who
        self.layout = layout
        self.types = layout.types
        self.dialect = dialect
        self.expressions = Expressions(layout, dialect, who)
        self.root = Row(layout, query.root)

    def compile(self) -> Compiled:
        columns: list[Column] = []
        cells: list[ColumnElement[Any]] = []
        for field in self.query.fields:
            expr = self.column(field)
            columns.append(
                Column(
                    field.key,
                    field.display.value_type,
                    field.header,
                    field.data_type.xsi_type,
                    f"{field.display.id}={field.value}" if field.value else field.display.id,
                    field.visible,
                    field.display.description,
                    field.display.unit,
                )
            )
            cells.append(expr.sql.label(f"c{len(cells)}"))
        status: ColumnElement[Any] = (
            literal("active", t.string) if self.root.family == "file" else self.root.base.c.status
        )
        columns.append(Column(STATUS_KEY))
        cells.append(status.label(f"c{len(cells)}"))
        where = self.where(self.query.where)
        order: list[ColumnElement[Any]] = []
        for field, direction in self.query.order:
            sql = self.column(field).sql
            order.append(asc(sql).nulls_last() if direction == "ASC" else desc(sql).nulls_first())
        order.append(asc(self.root.pk))
        statement = (
            select(*cells)
            .select_from(self.root.joined())
            .where(self.root.of_type(), self.root.seen_by(self.who), where)
            .order_by(*order)
        )
        return Compiled(statement, tuple(columns), self.query.root.xsi_type)

    # Columns

    def column(self, field: ResolvedField) -> Expr:
        row = self.to_one(field.data_type)
        if row is not None:
            return self.expressions.of(row, field.display, field.value, field.data_type)
        return self.latest(field)

    def to_one(self, data_type: DataType) -> Row | None:
        """The root's row or its subject's; None for a type of which there may be many."""
        root, other = self.query.root.xsi_type, data_type.xsi_type
        if self.types.is_a(root, other) or self.types.is_a(other, root):
            return self.root
        family = self.layout.family(other)
        if self.root.family == "project" or family == "project" or family is None:
            raise BadConstraint(f"{other} does not connect to {root}; search {other} by itself")
        if family == "subject":
            return self.root.subject
        return None

    def latest(self, field: ResolvedField) -> Expr:
        """The value in the subject's latest item of that type."""
        row = Row(self.layout, field.data_type)
        if row.family == "file":
            raise BadConstraint(
                f"{field.data_type.xsi_type} has many rows per subject; use FILE_COUNT= or search it alone"
            )
        value = self.expressions.of(row, field.display, field.value, field.data_type)
        latest = desc(row.base.c.date)
        # A subject shows its undated session before the dated ones; among experiments it comes last.
        ordered = latest.nulls_first() if self.root.family == "subject" else latest.nulls_last()
        query = (
            select(value.sql)
            .select_from(row.joined())
            .where(*self.link(row))
            .order_by(ordered, desc(row.pk))
            .limit(1)
            .correlate_except(*row.own_frames())
        )
        return Expr(query.scalar_subquery(), value.value_type)

    def link(self, row: Row) -> tuple[ColumnElement[bool], ...]:
        """The row is a visible one of the root's subject."""
        return (row.subject_pk == self.root.subject_pk, row.of_type(), row.seen_by(self.who))

    # Conditions

    def where(self, criteria: ResolvedSet) -> ColumnElement[bool]:
        if criteria.method == "AND":
            return and_(true(), *(self.quantified(group) for group in self.groups(criteria)))
        return self.quantified(criteria)

    def groups(self, criteria: ResolvedSet) -> list[ResolvedSet]:
        """Parts of an AND that share no joined type; each can be judged by itself."""
        parts: list[tuple[set[str], list[ResolvedCriterion | ResolvedSet]]] = []
        for member in criteria.members:
            names = set(self.joined_types(member))
            members = [member]
            rest = []
            for other_names, other_members in parts:
                if names & other_names:
                    names |= other_names
                    members = other_members + members
                else:
                    rest.append((other_names, other_members))
            parts = [*rest, (names, members)]
        return [ResolvedSet("AND", tuple(members)) for _, members in parts]

    def joined_types(self, member: ResolvedCriterion | ResolvedSet) -> dict[str, DataType]:
        """The to-many types named below, in order."""
        if isinstance(member, ResolvedCriterion):
            if self.to_one(member.data_type) is not None:
                return {}
            return {member.data_type.xsi_type: member.data_type}
        names: dict[str, DataType] = {}
        for one in member.members:
            names |= self.joined_types(one)
        return names

    def quantified(self, criteria: ResolvedSet) -> ColumnElement[bool]:
        joined = tuple(self.joined_types(criteria).values())
        if len(joined) > MOST_JOINED_TYPES:
            raise BadConstraint(
                f"one group of conditions joins {len(joined)} other types "
                f"({', '.join(d.xsi_type for d in joined)}); at most {MOST_JOINED_TYPES} can be judged "
                "together, split the question"
            )
        return self.some(joined, criteria, {})

    def some(self, joined: tuple[DataType, ...], criteria: ResolvedSet, env: _Env) -> ColumnElement[bool]:
        """True for at least one combination of items of the joined types."""
        if not joined:
            return self.tree(criteria, env)
        first, *others = joined
        row = Row(self.layout, first)
        holds = self.some(tuple(others), criteria, {**env, first.xsi_type: row})
        met = exists(
            select(literal(1))
            .select_from(row.joined())
            .where(*self.link(row), holds)
            .correlate_except(*row.own_frames())
        )
        absent = self.some(tuple(others), criteria, {**env, first.xsi_type: None})
        if absent is _NEVER:
            return met
        bare = Row(self.layout, first)
        anything = exists(
            select(literal(1))
            .select_from(bare.joined())
            .where(*self.link(bare))
            .correlate_except(*bare.own_frames())
        )
        return or_(met, and_(~anything, absent))

    def tree(self, criteria: ResolvedSet, env: _Env) -> ColumnElement[bool]:
        if not criteria.members:
            return true()
        project = self.in_project(criteria)
        if project is not None:
            return project
        parts = [
            self.tree(member, env) if isinstance(member, ResolvedSet) else self.criterion(member, env)
            for member in criteria.members
        ]
        if criteria.method == "AND":
            return _NEVER if any(part is _NEVER for part in parts) else and_(*parts)
        possible = [part for part in parts if part is not _NEVER]
        return or_(*possible) if possible else _NEVER

    def in_project(self, criteria: ResolvedSet) -> ColumnElement[bool] | None:
        """'owned by P or shared into P' is membership, answered from its index."""
        found: dict[str, str] = {}
        rows: list[Row] = []
        for member in criteria.members:
            if not isinstance(member, ResolvedCriterion) or member.comparison_type != "=":
                return None
            row = self.to_one(member.data_type)
            if row is None or row.family == "file" or not isinstance(member.operand, str):
                return None
            found[member.display.expression[0]] = member.operand
            rows.append(row)
        if (
            criteria.method != "OR"
            or len(criteria.members) != 2
            or set(found)
            != {
                "member_owner",
                "member_share",
            }
        ):
            return None
        if len(set(found.values())) != 1 or rows[0] is not rows[1]:
            return None
        m = t.membership.c
        inside = select(m.item_pk).where(m.project == bound(found["member_owner"]))
        return rows[0].pk.in_(inside)

    def criterion(self, criterion: ResolvedCriterion, env: _Env) -> ColumnElement[bool]:
        row = self.to_one(criterion.data_type) or env[criterion.data_type.xsi_type]
        if row is None:
            return true() if _true_of_nothing(criterion) else _NEVER
        name, *arguments = criterion.display.expression
        if name == "member_owner":
            owner = row.base.c.id if row.family == "project" else row.base.c.project
            return self.compare(Expr(owner, "string"), criterion)
        if name == "member_share":
            return self.shared(row, criterion)
        if name == "element" and row.leaf(arguments[0], criterion.data_type) is None:
            return self.some_entry(row, arguments[0], criterion)
        expr = self.expressions.of(row, criterion.display, criterion.value, criterion.data_type)
        return self.compare(expr, criterion)

    def shared(self, row: Row, criterion: ResolvedCriterion) -> ColumnElement[bool]:
        """Some share of the item meets the criterion."""
        share = t.membership.alias()
        query = select(literal(1)).where(share.c.item_pk == row.pk, share.c.position > 0)
        return self.some_of(query, Expr(share.c.project, "string"), criterion, share)

    def some_entry(self, row: Row, path: str, criterion: ResolvedCriterion) -> ColumnElement[bool]:
        """Some entry of a repeated part meets the criterion."""
        found = row.child(path)
        if found is None:
            raise BadConstraint(f"{criterion.data_type.xsi_type}/{path} is not stored and cannot be searched")
        child, leaf = found
        frame = child.table.alias()
        expr = Expr(frame.c[child.columns[leaf].name], child.fields[leaf].value_type)
        expr = guarded(expr, row, path, criterion.data_type, self.who)
        query = select(literal(1)).where(frame.c.owner_pk == row.pk)
        return self.some_of(query, expr, criterion, frame)

    def some_of(
        self, query: Select[Any], expr: Expr, criterion: ResolvedCriterion, frame: Any
    ) -> ColumnElement[bool]:
        if _is_absence(criterion):
            return ~exists(query.where(expr.sql.is_not(None)).correlate_except(frame))
        return exists(query.where(self.compare(expr, criterion)).correlate_except(frame))

    def compare(self, expr: Expr, criterion: ResolvedCriterion) -> ColumnElement[bool]:
        return compare(
            self.dialect,
            expr,
            criterion.comparison_type,
            criterion.operands,
            criterion.operand,
            by_path=criterion.by_path,
        )


_NEVER = false()


def compile_search(query: ResolvedQuery, who: Principal, layout: t.Layout, dialect: Dialect) -> Compiled:
    """The one statement that answers the question for this user.

    Shape   the columns asked for, in that order, then `quarantine_status`
    Null    rows without a value come last when ascending and first when descending
    Raises  BadConstraint for types that do not connect and for values that cannot be compared
    """
    return _Compiler(query, who, layout, dialect).compile()


def compare(
    dialect: Dialect,
    expr: Expr,
    comparison_type: str,
    operands: tuple[Value, ...],
    operand: Value | None,
    *,
    by_path: bool = False,
) -> ColumnElement[bool]:
    """One comparison, typed, every value bound.

    Null  `!=` on a display field is also true of no value; by path it is not.
    """
    sql = expr.sql
    if comparison_type == "IS NULL" or (comparison_type == "=" and operand in (None, "")):
        return sql.is_(None)
    if comparison_type == "IS NOT NULL" or (comparison_type == "!=" and operand in (None, "")):
        return sql.is_not(None)
    if comparison_type in ("LIKE", "NOT LIKE"):
        matches = _like(dialect, expr, str(operand or ""))
        return matches if comparison_type == "LIKE" else ~matches
    if comparison_type in ("IN", "NOT IN", "BETWEEN"):
        values = operands
    else:
        values = (operand,) if operand is not None else ()
    sql, literals = _typed(dialect, expr, values)
    if comparison_type == "IN":
        return sql.in_(literals)
    if comparison_type == "NOT IN":
        return sql.not_in(literals)
    if comparison_type == "BETWEEN":
        if len(literals) != 2:
            raise BadConstraint("BETWEEN needs two values: a AND b")
        return sql.between(literals[0], literals[1])
    if len(literals) != 1:
        raise BadConstraint(f"{comparison_type} needs a value")
    if comparison_type == "IS DISTINCT FROM":
        return sql.is_distinct_from(literals[0])
    if comparison_type == "IS NOT DISTINCT FROM":
        return sql.is_not_distinct_from(literals[0])
    if comparison_type not in _COMPARE:
        raise BadConstraint(f"unknown operator {comparison_type!r}")
    result = _COMPARE[comparison_type](sql, literals[0])
    if comparison_type == "!=" and not by_path:
        return or_(result, sql.is_(None))
    return result


def _like(dialect: Dialect, expr: Expr, pattern: str) -> ColumnElement[bool]:
    if (len(pattern) - len(pattern.rstrip("\\"))) % 2:
        raise BadConstraint(f"the pattern {pattern!r} ends in a lone backslash; double it")
    printed = dialect.printed(expr.sql, expr.value_type)
    return dialect.lower(printed).like(dialect.lower(bound(pattern)), escape="\\")


def _typed(
    dialect: Dialect, expr: Expr, values: tuple[Value | None, ...]
) -> tuple[ColumnElement[Any], list[ColumnElement[Any]]]:
    """The expression and the values in one common type."""
    if expr.value_type == "dateTime":
        moments = [_moment(value) for value in values]
        if all(moment is not None for moment in moments):
            return expr.sql, [literal(moment, DateTime()) for moment in moments]
        return dialect.printed(expr.sql, expr.value_type), [bound(str(value)) for value in values]
    if expr.value_type == "string":
        return expr.sql, [bound(value if isinstance(value, str) else _text(value)) for value in values]
    return expr.sql, [_literal(value, expr.value_type) for value in values]


def _literal(value: Value | None, value_type: ValueType) -> ColumnElement[Any]:
    if isinstance(value, bool) and value_type == "boolean":
        return literal(value, Boolean())
    if isinstance(value, int | float) and value_type in ("integer", "float"):
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LONGEST_INTEGER:
            return literal(value, BigInteger())
        return literal(float(value), Float(53))
    if isinstance(value, datetime) and value_type == "date":
        return cast(literal(value.date(), Date()), Date())
    if isinstance(value, date) and value_type == "date":
        return literal(value, Date())
    if isinstance(value, time) and value_type == "time":
        return literal(value, Time())
    raise BadConstraint(f"{value!r} is not a {value_type}")


def _moment(value: Value | None) -> datetime | None:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value.strip()).replace(tzinfo=None)
        except ValueError:
            return None
    return None


def _text(value: Value | None) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value)


def _is_absence(criterion: ResolvedCriterion) -> bool:
    """The criterion asks for no value."""
    return criterion.comparison_type == "IS NULL" or (
        criterion.comparison_type == "=" and criterion.operand in (None, "")
    )


def _true_of_nothing(criterion: ResolvedCriterion) -> bool:
    """The criterion is true where its field has no value."""
    if _is_absence(criterion) or criterion.comparison_type == "IS DISTINCT FROM":
        return True
    return criterion.comparison_type == "!=" and not criterion.by_path and criterion.operand not in (None, "")


def n_rows(compiled: Compiled) -> Select[Any]:
    """The number of rows of an answer, without fetching them."""
    return select(func.count()).select_from(compiled.statement.order_by(None).subquery())

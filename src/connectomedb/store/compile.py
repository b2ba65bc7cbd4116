"""(resolved question, who asks) → one SELECT, with visibility inside.

Criteria on the root type, its subject and its session test that one row. Criteria on a type of which there
may be many are true if some visible item meets them; all of them on one type are judged on the same item,
different types vary independently, and where nothing joins their fields have no value. As a column such a
type shows the item that `joins` chooses.

Source  protocol/search-and-types.md 4.1 to 4.8
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    asc,
    case,
    desc,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.sql.elements import Grouping

from connectomedb.errors import BadConstraint
from connectomedb.schema.model import DataType
from connectomedb.search.links import link_props
from connectomedb.search.query import Method
from connectomedb.search.resolve import (
    ResolvedCriterion,
    ResolvedField,
    ResolvedQuery,
    ResolvedSet,
    chosen_entries,
)
from connectomedb.store import tables as t
from connectomedb.store.comparisons import compare, like
from connectomedb.store.computed import Expressions
from connectomedb.store.engine import Dialect
from connectomedb.store.entries import Entries, some_of
from connectomedb.store.joins import Joins
from connectomedb.store.membership import (
    in_one_project,
    is_about_one_project,
    lists_project,
    membership_key,
    share_of,
)
from connectomedb.store.rows import Expr, Row
from connectomedb.store.visibility import HIDDEN_STATUSES, accessible
from connectomedb.tables.result import Column
from connectomedb.vocabulary.records import Principal

STATUS_KEY = "quarantine_status"
# Types judged together multiply the statement; three are 2³ branches.
MOST_JOINED_TYPES = 3


@dataclass(frozen=True, slots=True)
class Compiled:
    """One statement and the columns that it gives."""

    statement: Select[Any]
    columns: tuple[Column, ...]
    root: str


# The rows on which criteria are judged, by type; None stands for "nothing joins".
_Env = dict[str, Row | None]
_NEVER = false()
_LONGEST_CHAIN = 32
# Families whose items are members of projects themselves.
_MEMBERS = ("subject", "experiment")


class Compiler:
    """One question of one user, part by part; `compile_search` puts them together."""

    def __init__(self, query: ResolvedQuery, who: Principal, layout: t.Layout, dialect: Dialect) -> None:
        self.query = query
        self.who = who
        self.layout = layout
        self.dialect = dialect
        self.expressions = Expressions(layout, dialect, who)
        self.joins = Joins(layout, query.root, who)
        self.root = self.joins.root

    def select(self, *cells: ColumnElement[Any]) -> Select[Any]:
        """These values of every row that the user sees and that meets the conditions."""
        # The conditions come first: they add the joins that they need.
        where = (self.root.of_type(), self.seen(), self.where(self.query.where))
        return select(*cells).select_from(self.joins.frame()).where(*where)

    def seen(self) -> ColumnElement[bool]:
        """The user sees the row. Where every row must be in a project that the user reads, that says so."""
        asked = self.query.where
        members = asked.members if asked.method == "AND" else ()
        for one in (asked, *(m for m in members if isinstance(m, ResolvedSet))):
            found = in_one_project(one)
            if found and self.root.family in _MEMBERS and self.joins.to_one(found[1]) is self.root:
                base = self.root.base.c
                return and_(base.status.not_in(HIDDEN_STATUSES), accessible(base.xsi_type, self.who))
        return self.root.seen_by(self.who)

    # Columns

    def column(self, field: ResolvedField) -> Expr:
        """The value of a column; that of the chosen item for a type of which there may be many."""
        row = self.joins.to_one(field.data_type)
        if row is not None:
            return self.value(row, field)
        row = Row(self.layout, field.data_type)
        if row.family == "file":
            raise BadConstraint(
                f"{field.data_type.xsi_type} has many rows per subject; use FILE_COUNT= or search it alone"
            )
        value, link = self.value(row, field), self.joins.link(row)
        query = (
            select(value.sql)
            .select_from(row.joined())
            .where(*link)
            .order_by(*self.joins.chosen_first(row))
            .limit(1)
            .correlate_except(*row.own_frames())
        )
        return Expr(query.scalar_subquery(), value.value_type)

    def value(self, row: Row, field: ResolvedField | ResolvedCriterion) -> Expr:
        """The value of a field on a row."""
        name = field.display.expression[0]
        if name == "member_owner":
            expr = Expr(row.base.c.project, "string")
        elif name == "xsi_type" and row.family != "file":
            expr = Expr(row.base.c.xsi_type, "string")
        elif name == "status" and row.family != "file":
            expr = Expr(row.base.c.status, "string")
        elif name == "shares":
            expr = share_of(row)
        else:
            expr = self.expressions.of(row, field.display, field.value, field.data_type)
        narrowed = self.joins.narrowed(field.data_type) if row is self.root else None
        return expr if narrowed is None else Expr(case((narrowed, expr.sql)), expr.value_type)

    # Conditions

    def where(self, criteria: ResolvedSet) -> ColumnElement[bool]:
        """The conditions, each judged on the rows that it is about.

        A combination of items is looked for only where it matters: members that share no joined type are
        judged one by one.
        """
        parts = []
        for members in self.groups(criteria):
            if len(members) == 1 and isinstance(members[0], ResolvedSet):
                parts.append(self.where(members[0]))
            else:
                parts.append(self.quantified(ResolvedSet(criteria.method, tuple(members))))
        return _combined(criteria.method, parts) if parts else true()

    def groups(self, criteria: ResolvedSet) -> list[list[ResolvedCriterion | ResolvedSet]]:
        """The members that must be judged together, because they share a joined type."""
        if self.is_pattern(criteria):
            return [list(criteria.members)]
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
        return [members for _, members in parts]

    def is_pattern(self, criteria: ResolvedSet) -> bool:
        """The members are 'in project P' and say nothing when taken apart."""
        return in_one_project(criteria) is not None

    def joined_types(self, member: ResolvedCriterion | ResolvedSet) -> dict[str, DataType]:
        """The types below of which there may be many, in order."""
        if isinstance(member, ResolvedCriterion):
            if self.joins.to_one(member.data_type) is not None:
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
        link = self.joins.link(row)
        met = exists(
            select(literal(1))
            .select_from(row.joined())
            .where(*link, holds)
            .correlate_except(*row.own_frames())
        )
        absent = self.some(tuple(others), criteria, {**env, first.xsi_type: None})
        if absent is _NEVER:
            return met
        bare = Row(self.layout, first)
        link = self.joins.link(bare)
        anything = exists(
            select(literal(1)).select_from(bare.joined()).where(*link).correlate_except(*bare.own_frames())
        )
        return or_(met, and_(~anything, absent))

    def tree(self, criteria: ResolvedSet, env: _Env) -> ColumnElement[bool]:
        if not criteria.members:
            return true()
        project = self.in_project(criteria, env)
        if project is not None:
            return project
        parts = [
            self.tree(member, env) if isinstance(member, ResolvedSet) else self.criterion(member, env)
            for member in criteria.members
        ]
        if criteria.method == "AND":
            return _NEVER if any(part is _NEVER for part in parts) else _combined("AND", parts)
        possible = [part for part in parts if part is not _NEVER]
        return _combined("OR", possible) if possible else _NEVER

    def in_project(self, criteria: ResolvedSet, env: _Env) -> ColumnElement[bool] | None:
        """'Owned by P or shared into P' is membership, answered from its index; None for anything else."""
        found = in_one_project(criteria)
        if found is None:
            return None
        project, data_type = found
        row = self.row(data_type, env)
        if row is None:
            return _NEVER
        if row.family == "file":
            return None
        inside = lists_project(row, project, self.who)
        narrowed = self.joins.narrowed(data_type)
        return inside if narrowed is None else and_(narrowed, inside)

    def row(self, data_type: DataType, env: _Env) -> Row | None:
        """The row on which a criterion of that type is judged; None where nothing joins."""
        return self.joins.to_one(data_type) or env[data_type.xsi_type]

    def criterion(self, criterion: ResolvedCriterion, env: _Env) -> ColumnElement[bool]:
        row = self.row(criterion.data_type, env)
        if row is None:
            return true() if _true_of_nothing(criterion) else _NEVER
        holds = self.judged(row, criterion)
        narrowed = self.joins.narrowed(criterion.data_type) if row is self.root else None
        if narrowed is None or criterion.display.expression[0] not in ("member_share", "entry"):
            return holds
        of_another = ~narrowed if _true_of_nothing(criterion) else _NEVER
        return or_(and_(narrowed, holds), of_another)

    def judged(self, row: Row, criterion: ResolvedCriterion) -> ColumnElement[bool]:
        name, *arguments = criterion.display.expression
        if name == "member_share":
            return self.shared(row, criterion)
        if name == "entry":
            entries = Entries(self.layout, self.dialect, self.who, criterion)
            return entries.some(row, criterion.data_type, arguments[0], chosen_entries(criterion.display))
        if name == "projects" and criterion.comparison_type == "LIKE":
            by_member = self.projects_like(row, str(criterion.operand or ""))
            if by_member is not None and self.joins.narrowed(criterion.data_type) is None:
                return by_member
        return self.compare(self.value(row, criterion), criterion)

    def projects_like(self, row: Row, pattern: str) -> ColumnElement[bool] | None:
        """The PROJECTS text matches: asked of each project's id once, then of the index of members.

        None where that could differ from matching the whole text.
        """
        if row.family not in ("subject", "experiment") or not is_about_one_project(pattern):
            return None
        p, m = t.project.alias(), t.membership.alias()
        named = literal("<", t.string) + p.c.id + literal(">", t.string)
        projects = select(p.c.id).where(like(self.dialect, named, pattern))
        return row.pk.in_(select(m.c.item_pk).where(m.c.project.in_(projects)))

    def shared(self, row: Row, criterion: ResolvedCriterion) -> ColumnElement[bool]:
        """Some share of the item meets the criterion."""
        share = t.membership.alias()
        query = select(literal(1)).where(share.c.item_pk == membership_key(row), share.c.position > 0)
        return some_of(self.dialect, query, Expr(share.c.project, "string"), criterion, share)

    def compare(self, expr: Expr, criterion: ResolvedCriterion) -> ColumnElement[bool]:
        return compare(
            self.dialect,
            expr,
            criterion.comparison_type,
            criterion.operands,
            criterion.operand,
            by_path=criterion.by_path,
        )


class _Bracket(Grouping[bool]):
    """Brackets that stay when their content stands under the same method as they do."""

    operator = None  # what conditions are merged by
    inherit_cache = True


def _combined(method: Method, parts: list[ColumnElement[bool]]) -> ColumnElement[bool]:
    """Conditions under one method, in brackets of a few: to SQLite a chain is a deep expression."""
    combine = and_ if method == "AND" else or_
    while len(parts) > _LONGEST_CHAIN:
        starts = range(0, len(parts), _LONGEST_CHAIN)
        parts = [_Bracket(combine(*parts[n : n + _LONGEST_CHAIN])) for n in starts]
    return combine(*parts)


def compile_search(query: ResolvedQuery, who: Principal, layout: t.Layout, dialect: Dialect) -> Compiled:
    """The one statement that answers the question for this user.

    Shape   the columns asked for, in that order, then `quarantine_status`
    Null    rows without a value come last when ascending and first when descending
    Raises  BadConstraint for types that do not connect and for values that cannot be compared
    """
    compiler = Compiler(query, who, layout, dialect)
    cells = [compiler.column(field).sql for field in query.fields]
    columns = (*(column_of(field, query.root) for field in query.fields), Column(STATUS_KEY))
    return Compiled(ordered(compiler, cells), columns, query.root.xsi_type)


def ordered(compiler: Compiler, cells: list[ColumnElement[Any]]) -> Select[Any]:
    """These cells and the status of the rows that the question asks for, in its order."""
    root = compiler.root
    status = literal("active", t.string) if root.family == "file" else root.base.c.status
    order: list[ColumnElement[Any]] = []
    for field, direction in compiler.query.order:
        sql = compiler.column(field).sql
        order.append(asc(sql).nulls_last() if direction == "ASC" else desc(sql).nulls_first())
    named = [cell.label(f"c{n}") for n, cell in enumerate([*cells, status])]
    return compiler.select(*named).order_by(*order, asc(root.pk))


def column_of(field: ResolvedField, root: DataType) -> Column:
    """What the answer says of a column."""
    display = field.display
    return Column(
        field.key,
        display.value_type,
        field.header,
        field.element_name,
        f"{display.id}={field.value}" if field.value else display.id,
        field.visible,
        display.description,
        display.unit,
        display.shown_type,
        display.sort_by,
        link_props(field, root),
        display.image,
    )


def n_rows(compiled: Compiled) -> Select[Any]:
    """The number of rows of an answer, without fetching them."""
    return select(func.count()).select_from(compiled.statement.order_by(None).subquery())


def _true_of_nothing(criterion: ResolvedCriterion) -> bool:
    """The criterion is true where its field has no value."""
    if criterion.is_absence or criterion.comparison_type == "IS DISTINCT FROM":
        return True
    return criterion.comparison_type == "!=" and not criterion.by_path and criterion.operand not in (None, "")

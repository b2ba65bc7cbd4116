"""A question in two statements: which rows the user sees, and cells that are the same for all who see them.

The first is the law's, with everything that depends on who asks; it is asked each time. The second knows no
user at all: what it reads may be held and shown beside any row that the first one gave.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable
from typing import Any

from sqlalchemy import asc, select

from connectomedb.schema.model import DataType
from connectomedb.search.query import SearchQuery
from connectomedb.search.resolve import ResolvedField, ResolvedQuery, ResolvedSet
from connectomedb.store import tables as t
from connectomedb.store.compile import STATUS_KEY, Compiled, Compiler, column_of, ordered
from connectomedb.store.engine import Dialect
from connectomedb.tables.result import Column
from connectomedb.vocabulary.records import Principal


def compile_rows(
    query: ResolvedQuery, places: Collection[int], who: Principal, layout: t.Layout, dialect: Dialect
) -> Compiled:
    """The same rows, each by the primary key of its item, with the columns at these places only.

    Shape   `pk`, the columns, `quarantine_status`
    """
    compiler = Compiler(query, who, layout, dialect)
    fields = [query.fields[place] for place in places]
    cells = [compiler.root.pk, *(compiler.column(field).sql for field in fields)]
    columns = (Column("pk", "integer"), *(column_of(f, query.root) for f in fields), Column(STATUS_KEY))
    return Compiled(ordered(compiler, cells), columns, query.root.xsi_type)


class AsksWho(LookupError):
    """What is built depends on the user."""


class _Nobody(Principal):
    """Stands where a user is wanted and none may be looked at."""

    def __getattribute__(self, name: str) -> Any:
        raise AsksWho(f"this value depends on the user's {name}")


_NOBODY = _Nobody("nobody")


def cells_key(field: ResolvedField) -> tuple[Hashable, ...]:
    """What tells apart the cells of two columns of one question; the same cells may have several titles."""
    return (field.data_type.xsi_type, field.display, field.value)


def same_for_all(
    fields: tuple[ResolvedField, ...], root: DataType, layout: t.Layout, dialect: Dialect
) -> tuple[bool, ...]:
    """Which columns hold the same for everybody who sees the row: their values are built without a user."""
    compiler = Compiler(_bare(root, fields), _NOBODY, layout, dialect)

    def is_same(field: ResolvedField) -> bool:
        try:
            compiler.column(field)
        except AsksWho:
            return False
        return True

    return tuple(is_same(field) for field in fields)


def compile_cells(
    fields: tuple[ResolvedField, ...], root: DataType, layout: t.Layout, dialect: Dialect, most_rows: int
) -> Compiled:
    """The values of columns on every row of the type, seen by the user or not: for copies, not for answers.

    Shape   `pk`, the columns; ordered by pk, at most so many rows
    Raises  AsksWho for a column that is not the same for everybody who sees the row
    """
    compiler = Compiler(_bare(root, fields), _NOBODY, layout, dialect)
    cells = [compiler.root.pk, *(compiler.column(field).sql for field in fields)]
    statement = select(*(cell.label(f"c{n}") for n, cell in enumerate(cells)))
    statement = statement.select_from(compiler.joins.frame()).where(compiler.root.of_type())
    columns = (Column("pk", "integer"), *(column_of(field, root) for field in fields))
    return Compiled(statement.order_by(asc(compiler.root.pk)).limit(most_rows), columns, root.xsi_type)


def _bare(root: DataType, fields: tuple[ResolvedField, ...]) -> ResolvedQuery:
    return ResolvedQuery(root, fields, ResolvedSet("AND"), (), SearchQuery(root.xsi_type))

"""Statements made ready once and run by the bare driver: building and compiling costs more than running them.

Several can be sent together: PostgreSQL then answers them in one round trip, SQLite has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.elements import ClauseElement, ColumnElement

from connectomedb.store import postgresql, sqlite
from connectomedb.store.driver import as_sqlalchemy, driver_of, run

Processor = Callable[[Any], Any]
_KEPT = "connectomedb_insert"
OneOf = Callable[[ColumnElement[Any], str], ColumnElement[bool]]
Rows = Sequence[Mapping[str, Any]]


class Statement:
    """One statement whose values have names; it is compiled when it first runs, once for each database.

    `make` is given what says that a column is one of a bound list of texts, as the databases bind lists
    differently. Cells come as the driver gives them: ask for texts and whole numbers only.
    """

    def __init__(self, make: Callable[[OneOf], ClauseElement]) -> None:
        self._make = make
        self._ready: dict[str, tuple[str, Callable[[Mapping[str, Any]], Any]]] = {}

    def ready(self, connection: Connection) -> tuple[str, Callable[[Mapping[str, Any]], Any]]:
        """Its text, and what turns named values into those that the driver takes."""
        name = connection.dialect.name
        if name not in self._ready:
            if name == "sqlite":
                compiled: Any = self._make(sqlite.one_of).compile(dialect=connection.dialect)
                self._ready[name] = str(compiled), _in_order(compiled.positiontup)
            else:
                compiled = self._make(postgresql.one_of).compile(dialect=connection.dialect)
                self._ready[name] = str(compiled), lambda values: values
        return self._ready[name]

    def run(self, connection: Connection, **values: Any) -> list[tuple[Any, ...]]:
        """The rows that it answers."""
        return ask(connection, [(self, values)])[0]


def _in_order(names: Sequence[str]) -> Callable[[Mapping[str, Any]], Any]:
    def values_of(values: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple([sqlite.bindable(values[name]) for name in names])

    return values_of


def ask(
    connection: Connection, questions: Sequence[tuple[Statement, Mapping[str, Any]]]
) -> list[list[tuple[Any, ...]]]:
    """The rows of each statement, in order; every statement must answer rows. Cost: one round trip."""
    if _one_by_one(connection, len(questions)):
        return [_start(connection, *question).fetchall() for question in questions]
    with _together(connection):
        cursors = [_start(connection, *question) for question in questions]
        return [cursor.fetchall() for cursor in cursors]


def _start(connection: Connection, statement: Statement, values: Mapping[str, Any]) -> Any:
    sql, values_of = statement.ready(connection)
    return run(connection, sql, values_of(values))


class Refused(Exception):
    """A table did not take its rows, because of a key that must be there or must be there once."""

    def __init__(self, table: str) -> None:
        self.table = table


def insert_rows(connection: Connection, tables: Sequence[tuple[Table, Rows]]) -> None:
    """Write rows into tables, in this order; each row says every column of its table.

    Raises   Refused with the table, from the driver's IntegrityError
    Cost     one round trip
    """
    filled = [(table, rows) for table, rows in tables if rows]
    current = ""
    try:
        if connection.dialect.name == "sqlite":
            for table, rows in filled:
                current = table.name
                _insert(connection, table).run(connection, rows)
        elif filled:
            prepare = connection.dialect.identifier_preparer
            sql = postgresql.insert_of([prepare.format_table(table) for table, _ in filled])
            run(connection, sql, [postgresql.rows_as_json(rows) for _, rows in filled])
    except IntegrityError as problem:
        raise Refused(current or postgresql.table_of(problem.orig)) from problem


@dataclass(frozen=True, slots=True)
class _Insert:
    """SQLite's INSERT of whole rows of a table."""

    sql: str
    pick: Callable[[Mapping[str, Any]], tuple[Any, ...]]
    processors: tuple[tuple[int, Processor], ...]

    def values(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        picked = self.pick(row)
        if not self.processors:
            return picked
        cells = list(picked)
        for place, process in self.processors:
            if cells[place] is not None:
                cells[place] = process(cells[place])
        return tuple(cells)

    def run(self, connection: Connection, rows: Rows) -> None:
        if len(rows) == 1:
            run(connection, self.sql, self.values(rows[0]))
        else:
            run(connection, self.sql, map(self.values, rows), many=True)


def _insert(connection: Connection, table: Table) -> _Insert:
    """The INSERT of a table; it lives as long as that."""
    kept: _Insert | None = table.info.get(_KEPT)
    if kept is None:
        dialect = connection.dialect
        prepare = dialect.identifier_preparer
        first, *others = names = [column.name for column in table.columns]
        quoted = ", ".join(map(prepare.quote, names))
        processors = (
            (place, column.type.dialect_impl(dialect).bind_processor(dialect))
            for place, column in enumerate(table.columns)
        )
        kept = table.info[_KEPT] = _Insert(
            f"INSERT INTO {prepare.format_table(table)} ({quoted}) VALUES ({', '.join('?' * len(names))})",  # noqa: S608  # our own names
            itemgetter(first, *others) if others else lambda row: (row[first],),
            tuple((place, process) for place, process in processors if process),
        )
    return kept


def _one_by_one(connection: Connection, n_statements: int) -> bool:
    """Nothing is gained by sending the statements together."""
    return n_statements < 2 or connection.dialect.name == "sqlite"


@contextmanager
def _together(connection: Connection) -> Iterator[None]:
    """Within it, statements are sent without waiting for answers."""
    dbapi: Any = connection.dialect.loaded_dbapi
    try:
        with driver_of(connection).pipeline():
            yield
    except dbapi.Error as problem:
        raise as_sqlalchemy(connection, "several statements sent together", problem) from problem

"""A compiled search, made ready once and run often by the bare driver, in batches.

Building and compiling a statement costs more than most searches do; what comes out depends on the question
and on who asks, never on the data, so it is kept.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from threading import Lock
from typing import Any, TypeVar, cast

from sqlalchemy import Boolean, Connection, Date, DateTime, Time
from sqlalchemy.engine.interfaces import Dialect as Driver
from sqlalchemy.types import TypeEngine

from connectomedb.store.compile import Compiled
from connectomedb.tables.result import Column, Row

T = TypeVar("T")
BATCH_ROWS = 1_000
_MOST_KEPT = 256
_CURSOR = "connectomedb_answer"
_TYPES: dict[type, TypeEngine[Any]] = {date: Date(), datetime: DateTime(), time: Time(), bool: Boolean()}
_CONVERTED = (Date, DateTime, Time, Boolean)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement as text, its values as the driver takes them, and what turns cells into values.

    `holes` says which of its values are to be filled in: the place in `values`, and the number of the value.
    """

    sql: str
    values: Any
    columns: tuple[Column, ...]
    root: str
    converters: tuple[tuple[int, Callable[[Any], Any]], ...]
    holes: tuple[tuple[Any, int], ...] = ()


class ValueMoved(LookupError):
    """A stand-in is not in the statement as it was given: its value decides about more than its place."""


def prepare(compiled: Compiled, dialect: Driver, stand_ins: Sequence[Any] = ()) -> Prepared:
    """The statement, ready for `run` on a connection of this database once its stand-ins are filled in.

    Raises  ValueMoved when one of them is not there
    """
    sql: Any = compiled.statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    given = sql.construct_params()
    ready = {name: _bound(value, dialect) for name, value in given.items()}
    places = list(enumerate(sql.positiontup)) if sql.positional else [(name, name) for name in given]
    values = tuple(ready[name] for name in sql.positiontup) if sql.positional else ready
    numbers = {id(one): number for number, one in enumerate(stand_ins)}
    holes = tuple((place, numbers[id(given[name])]) for place, name in places if id(given[name]) in numbers)
    if {number for _, number in holes} != set(range(len(stand_ins))):
        raise ValueMoved("a value of this question cannot be taken out of its statement")
    converters = []
    for position, cell in enumerate(compiled.statement.selected_columns):
        if not isinstance(cell.type, _CONVERTED):
            continue
        convert = cell.type.dialect_impl(dialect).result_processor(dialect, None)
        if convert is not None:
            converters.append((position, cast(Callable[[Any], Any], convert)))
    return Prepared(str(sql), values, compiled.columns, compiled.root, tuple(converters), holes)


def filled(prepared: Prepared, values: Sequence[Any], dialect: Driver) -> Prepared:
    """The statement with these values where its stand-ins are."""
    if not prepared.holes:
        return prepared
    ready: Any = dict(prepared.values) if isinstance(prepared.values, dict) else list(prepared.values)
    for place, number in prepared.holes:
        ready[place] = _bound(values[number], dialect)
    return replace(prepared, values=ready if isinstance(ready, dict) else tuple(ready))


def _bound(value: Any, dialect: Driver) -> Any:
    """A value as this driver takes it, by its Python type: expanded lists have no types of their own."""
    kind = _TYPES.get(type(value))
    process = kind.dialect_impl(dialect).bind_processor(dialect) if kind else None
    return process(value) if process else value


def run(connection: Connection, prepared: Prepared, *, stream: bool = False) -> Iterator[list[Row]]:
    """The rows in batches; with `stream` the database keeps those that were not fetched yet.

    Memory   one batch when streamed; SQLite always streams
    """
    cursor = _cursor(connection, prepared, stream=stream)
    try:
        while rows := cursor.fetchmany(BATCH_ROWS):
            yield _converted(rows, prepared.converters) if prepared.converters else rows
    finally:
        cursor.close()


def _cursor(connection: Connection, prepared: Prepared, *, stream: bool) -> Any:
    if stream and connection.dialect.supports_server_side_cursors:
        # Not through SQLAlchemy: its result of a streamed statement fetches the first row for itself.
        cursor: Any = connection.connection.cursor(name=_CURSOR)
        cursor.execute(prepared.sql, prepared.values)
        return cursor
    return connection.exec_driver_sql(prepared.sql, prepared.values).cursor


def _converted(rows: list[Row], converters: tuple[tuple[int, Callable[[Any], Any]], ...]) -> list[Row]:
    """The rows with the cells of these columns converted, column by column."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    for position, convert in converters:
        columns[position] = [convert(cell) for cell in columns[position]]
    return list(zip(*columns, strict=True))


class Kept:
    """The last few hundred values by key, made when first asked for. Safe between threads."""

    def __init__(self) -> None:
        self._values: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value of the key. What `make` raises is raised each time."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return cast(T, self._values[key])
        value = make()
        with self._lock:
            self._values[key] = value
            if len(self._values) > _MOST_KEPT:
                self._values.popitem(last=False)
        return value

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._values.clear()

"""Open the database and say what it can do: SQLite by file or PostgreSQL by URL.

What differs between the two is behind `Dialect`; no other module asks which one it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, case, func, literal
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import Text

from connectomedb.errors import ConfigurationError, Conflict, DiskFull
from connectomedb.schema.model import ValueType
from connectomedb.store import postgresql, sqlite


class Dialect(Protocol):
    """The few expressions that the two databases spell differently."""

    def lower(self, text: ColumnElement[Any]) -> ColumnElement[str]: ...
    def printed(self, value: ColumnElement[Any], value_type: ValueType) -> ColumnElement[str]: ...
    def year(self, day: ColumnElement[Any]) -> ColumnElement[int]: ...
    def years_between(self, start: ColumnElement[Any], end: ColumnElement[Any]) -> ColumnElement[int]: ...
    def whole(self, number: ColumnElement[Any]) -> ColumnElement[int]: ...
    def days_between(self, start: ColumnElement[Any], end: ColumnElement[Any]) -> ColumnElement[int]: ...
    def day(self, moment: ColumnElement[Any]) -> ColumnElement[Any]: ...
    def floor(self, number: ColumnElement[Any]) -> ColumnElement[int]: ...
    def rounded(self, number: ColumnElement[Any], n_digits: int) -> ColumnElement[float]: ...
    def number(self, text: ColumnElement[Any]) -> ColumnElement[float]: ...
    def join_text(
        self, text: ColumnElement[Any], separator: str, order: ColumnElement[Any] | None = None
    ) -> ColumnElement[str]: ...
    def among(
        self, value: ColumnElement[Any], operands: Sequence[Any], value_type: ValueType
    ) -> ColumnElement[bool]: ...
    def interrupt(self, driver_connection: Any) -> None: ...


@dataclass(frozen=True, slots=True)
class _Sqlite:
    def lower(self, text: ColumnElement[Any]) -> ColumnElement[str]:
        return sqlite.lower(text)

    def printed(self, value: ColumnElement[Any], value_type: ValueType) -> ColumnElement[str]:
        return _printed(value, value_type, sqlite.print_float, sqlite.print_stamp, sqlite.print_plain)

    def year(self, day: ColumnElement[Any]) -> ColumnElement[int]:
        return sqlite.year(day)

    def years_between(self, start: ColumnElement[Any], end: ColumnElement[Any]) -> ColumnElement[int]:
        return sqlite.years_between(start, end)

    def whole(self, number: ColumnElement[Any]) -> ColumnElement[int]:
        return sqlite.whole(number)

    def days_between(self, start: ColumnElement[Any], end: ColumnElement[Any]) -> ColumnElement[int]:
        return sqlite.days_between(start, end)

    def day(self, moment: ColumnElement[Any]) -> ColumnElement[Any]:
        return sqlite.day(moment)

    def floor(self, number: ColumnElement[Any]) -> ColumnElement[int]:
        return sqlite.floor(number)

    def rounded(self, number: ColumnElement[Any], n_digits: int) -> ColumnElement[float]:
        return sqlite.rounded(number, n_digits)

    def number(self, text: ColumnElement[Any]) -> ColumnElement[float]:
        return sqlite.number(text)

    def join_text(
        self, text: ColumnElement[Any], separator: str, order: ColumnElement[Any] | None = None
    ) -> ColumnElement[str]:
        return sqlite.join_text(text, separator, order)

    def among(
        self, value: ColumnElement[Any], operands: Sequence[Any], value_type: ValueType
    ) -> ColumnElement[bool]:
        return sqlite.among(value, operands, value_type)

    def interrupt(self, driver_connection: Any) -> None:
        sqlite.interrupt(driver_connection)


@dataclass(frozen=True, slots=True)
class _Postgresql:
    collation: str

    def lower(self, text: ColumnElement[Any]) -> ColumnElement[str]:
        return postgresql.lower(text, self.collation)

    def printed(self, value: ColumnElement[Any], value_type: ValueType) -> ColumnElement[str]:
        return _printed(
            value, value_type, postgresql.print_float, postgresql.print_stamp, postgresql.print_plain
        )

    def year(self, day: ColumnElement[Any]) -> ColumnElement[int]:
        return postgresql.year(day)

    def years_between(self, start: ColumnElement[Any], end: ColumnElement[Any]) -> ColumnElement[int]:
        return postgresql.years_between(start, end)

    def whole(self, number: ColumnElement[Any]) -> ColumnElement[int]:
        return postgresql.whole(number)

    def days_between(self, start: ColumnElement[Any], end: ColumnElement[Any]) -> ColumnElement[int]:
        return postgresql.days_between(start, end)

    def day(self, moment: ColumnElement[Any]) -> ColumnElement[Any]:
        return postgresql.day(moment)

    def floor(self, number: ColumnElement[Any]) -> ColumnElement[int]:
        return postgresql.floor(number)

    def rounded(self, number: ColumnElement[Any], n_digits: int) -> ColumnElement[float]:
        return postgresql.rounded(number, n_digits)

    def number(self, text: ColumnElement[Any]) -> ColumnElement[float]:
        return postgresql.number(text)

    def join_text(
        self, text: ColumnElement[Any], separator: str, order: ColumnElement[Any] | None = None
    ) -> ColumnElement[str]:
        return postgresql.join_text(text, separator, order)

    def among(
        self, value: ColumnElement[Any], operands: Sequence[Any], value_type: ValueType
    ) -> ColumnElement[bool]:
        return postgresql.among(value, operands, value_type)

    def interrupt(self, driver_connection: Any) -> None:
        postgresql.interrupt(driver_connection)


def open_engine(url: str) -> Engine:
    """The database at `url`: `sqlite:///path/file.db` or `postgresql://user@host/name`.

    Raises  ConfigurationError when it is neither, or when nobody answers there.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigurationError(
            f"not a database URL: {url!r}; write sqlite:///FILE or postgresql://HOST/NAME"
        ) from error
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise ConfigurationError("a site needs a database file; write sqlite:///FILE")
        engine = sqlite.open_sqlite(parsed)
    elif backend == "postgresql":
        engine = postgresql.open_postgresql(parsed)
    else:
        raise ConfigurationError(f"no support for {backend!r} databases; use sqlite:/// or postgresql://")
    try:
        with engine.connect():
            pass
    except OperationalError as error:
        shown = parsed.render_as_string(hide_password=True)
        engine.dispose()
        raise ConfigurationError(f"cannot open the database {shown}: {error.orig}") from error
    return engine


def dialect_of(engine: Engine) -> Dialect:
    """The expressions for this database."""
    if engine.dialect.name == "sqlite":
        return _Sqlite()
    with engine.connect():
        version = engine.dialect.server_version_info or (0,)
    return _Postgresql(postgresql.UNICODE_COLLATION if version >= postgresql.UNICODE_SINCE else "")


@contextmanager
def writing(engine: Engine, *, changes_data: bool = True) -> Iterator[Connection]:
    """One transaction that writes: all of it is durable at the end, or nothing of it happened.

    Logins and the like leave the data as it was: they say so, and answers that are kept stay good. Where only
    one transaction can write at a time, those of this process take turns in the order in which they came.

    Raises  DiskFull when there is no room for it; Conflict when another writer does not end
    """
    turn = sqlite.turn_of(engine)
    if turn is not None and not turn.take(sqlite.WAIT_S):
        raise Conflict("another import or a long change holds the database; try again when it is done")
    try:
        with engine.connect().execution_options(**{sqlite.WRITING: True}) as connection, connection.begin():
            yield connection
            # A caller that took everything back has ended the transaction, and changed nothing.
            if changes_data and connection.in_transaction() and connection.dialect.name == "sqlite":
                sqlite.note_change(connection)
    except DBAPIError as error:
        if is_full(error):
            raise DiskFull("no room for the database to grow; free some, nothing was stored") from error
        raise
    finally:
        if turn is not None:
            turn.give()


def one_at_a_time(engine: Engine) -> bool:
    """Only one transaction can write at a time, whatever it changes."""
    return sqlite.turn_of(engine) is not None


def is_full(error: DBAPIError) -> bool:
    """There was no room for what failed."""
    return any(sqlite.is_full(cause) or postgresql.is_full(cause) for cause in causes_of(error))


def data_version(connection: Connection) -> str:
    """A text that is another one after every change of the data.

    Source   SQLite: a counter that every writing transaction raises; PostgreSQL: the snapshot, which every
             commit changes
    """
    if connection.dialect.name == "sqlite":
        return sqlite.data_version(connection)
    return postgresql.data_version(connection)


def one_view(engine: Engine) -> Connection:
    """A connection whose statements all see the same data, from the first one on."""
    connection = engine.connect()
    if connection.dialect.name != "sqlite":  # which does so by itself
        connection.execution_options(isolation_level="REPEATABLE READ")
    return connection


def causes_of(error: DBAPIError) -> Iterator[BaseException | None]:
    """What the driver said, the last first: SQLite ends a transaction that finds no room, and then taking
    back its savepoint fails as well and hides why."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen.orig if isinstance(seen, DBAPIError) else seen
        seen = seen.__context__


def _printed(
    value: ColumnElement[Any], value_type: ValueType, print_float: Any, print_stamp: Any, print_plain: Any
) -> ColumnElement[str]:
    if value_type == "string":
        return value
    if value_type == "float":
        printed: ColumnElement[str] = print_float(value)
        return printed
    if value_type == "boolean":
        return case((value.is_(True), literal("1", Text())), (value.is_(False), literal("0", Text())))
    if value_type == "time":
        # Without the zeros of a fraction, which only one of the databases prints.
        clock: ColumnElement[str] = print_plain(value)
        bare = func.rtrim(func.rtrim(clock, "0"), ".", type_=Text())
        return case((clock.like("%.%"), bare), else_=clock)
    if value_type == "dateTime":
        bare = func.rtrim(print_stamp(value), "0", type_=Text())
        return bare + case((bare.like("%."), "0"), else_="")
    plain: ColumnElement[str] = print_plain(value)
    return plain

"""What only SQLite needs: pragmas, a lower() that knows Unicode, dates and printed numbers."""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, func, literal, type_coerce
from sqlalchemy.engine import URL
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import Integer, Text

WRITING = "connectomedb_writing"


def fold(text: str | None) -> str | None:
    """Lower case, one character for one character, as PostgreSQL does it."""
    if text is None:
        return None
    if text.isascii():
        return text.lower()
    return "".join(c.lower()[0] for c in text)


def _print_float(number: float | int | None) -> str | None:
    return None if number is None else repr(float(number))


def open_sqlite(url: URL) -> Engine:
    """An engine whose every connection is durable (WAL, FULL), checks keys and waits for locks."""
    engine = create_engine(
        url, connect_args={"timeout": 30, "check_same_thread": False}, pool_size=16, max_overflow=48
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        # The driver's own transactions start too late for DDL and for reads: ours are explicit.
        connection.isolation_level = None
        for pragma in (
            "busy_timeout=30000",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "temp_store=MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}")
        connection.create_function("cdb_lower", 1, fold, deterministic=True)
        connection.create_function("cdb_print_float", 1, _print_float, deterministic=True)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer that begins as a reader cannot wait for another writer; it fails at once.
        writing = connection.get_execution_options().get(WRITING, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def is_full(error: BaseException | None) -> bool:
    """The database could not grow: the disk is full, or a limit is reached."""
    # Beyond a limit of the process, writing fails and SQLite calls it an I/O error.
    codes = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE)
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode in codes


def lower(text: ColumnElement[Any]) -> ColumnElement[str]:
    """Lower case of any alphabet."""
    return func.cdb_lower(text, type_=Text())


def print_float(number: ColumnElement[Any]) -> ColumnElement[str]:
    """A float as people read it, always with a point."""
    return func.cdb_print_float(number, type_=Text())


def print_stamp(moment: ColumnElement[Any]) -> ColumnElement[str]:
    """Date and time with six digits of a fraction."""
    return type_coerce(moment, Text())


def print_plain(value: ColumnElement[Any]) -> ColumnElement[str]:
    """A date, a time or an integer as it is stored."""
    return func.printf(literal("%s", Text()), type_coerce(value, Text()), type_=Text())


def year(day: ColumnElement[Any]) -> ColumnElement[int]:
    """Year of a date."""
    return func.substr(type_coerce(day, Text()), 1, 4).cast(Integer())


def years_between(start: ColumnElement[Any], end: ColumnElement[Any]) -> ColumnElement[int]:
    """Full years from one date to another."""
    before = func.substr(type_coerce(end, Text()), 6, 5) < func.substr(type_coerce(start, Text()), 6, 5)
    return year(end) - year(start) - before.cast(Integer())


def join_text(text: ColumnElement[Any], separator: str) -> ColumnElement[str]:
    """Texts of a group in the order of the rows given."""
    return func.group_concat(text, separator, type_=Text())


def whole(number: ColumnElement[Any]) -> ColumnElement[int]:
    """A number without its fraction."""
    return number.cast(Integer())

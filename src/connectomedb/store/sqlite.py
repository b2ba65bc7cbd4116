"""What only SQLite needs: pragmas, a lower() that knows Unicode, dates and printed numbers."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, func, literal, select, type_coerce
from sqlalchemy.engine import URL
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import Integer, Text

from connectomedb.schema.model import ValueType

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
    return type_coerce(value, Text()).cast(Text())


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


def among(value: ColumnElement[Any], operands: Sequence[Any], value_type: ValueType) -> ColumnElement[bool]:
    """Equal to one of many, which are bound as one JSON text: there may be more than a statement has places.

    Floats are compared as printed, since SQLite does not read every printed one back exactly.
    """
    listed: list[str | int]
    if value_type == "float":
        listed = [
            text for number in operands for text in (("0.0", "-0.0") if number == 0 else (repr(number),))
        ]
        value = print_float(value)
    elif value_type == "integer":
        listed = list(operands)
    else:
        listed = [_stored(operand) for operand in operands]
    entries = func.json_each(literal(json.dumps(listed), Text())).table_valued("value")
    return value.in_(select(entries.c.value))


def _stored(operand: Any) -> str | int:
    """A value as its column holds it."""
    if isinstance(operand, bool):
        return int(operand)
    if isinstance(operand, datetime):
        return operand.strftime("%Y-%m-%d %H:%M:%S.%f").rjust(26, "0")
    if isinstance(operand, time):
        return operand.isoformat("microseconds")
    return operand.isoformat() if isinstance(operand, date) else str(operand)


def whole(number: ColumnElement[Any]) -> ColumnElement[int]:
    """A number without its fraction."""
    return number.cast(Integer())

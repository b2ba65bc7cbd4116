"""What only SQLite needs: pragmas, a lower() that knows Unicode, dates and printed numbers."""

from __future__ import annotations

import json
import math
import re
import sqlite3
from collections import deque
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import ROUND_HALF_UP, Context, Decimal
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, create_engine, event, func, literal, select, type_coerce
from sqlalchemy.engine import URL
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import Date, Float, Integer, Text

from connectomedb.schema.model import ValueType
from connectomedb.schema.values import print_value
from connectomedb.store.driver import run

WRITING = "connectomedb_writing"
_TURN = "connectomedb_turn"
# How long a writer waits for another one.
WAIT_S = 30
# Pages that all connections share instead of copying each: twice as fast for what is in memory anyway.
MAPPED_BYTES = 256 * 1024 * 1024
# A text that counts as a number, on both databases.
PLAIN_NUMBER = r"[-+]?[0-9]{1,15}([.][0-9]{1,15})?"


# The largest float has 309 digits before its point.
_WIDE = Context(prec=400)


def fold(text: str | None) -> str | None:
    """Lower case, one character for one character, as PostgreSQL does it."""
    if text is None:
        return None
    if text.isascii():
        return text.lower()
    return "".join(c.lower()[0] for c in text)


def _print_float(number: float | int | None) -> str | None:
    return None if number is None else print_value(float(number), "float")


def _floor(number: float | int | None) -> int | None:
    return None if number is None else math.floor(number)


def _rounded(number: float | int | None, n_digits: int) -> float | None:
    """Half away from zero, on the fifteen digits that PostgreSQL's numeric takes of a float."""
    if number is None:
        return None
    if not math.isfinite(number):
        return number
    digits = Decimal(f"{number:.15g}")
    return float(digits.quantize(Decimal(1).scaleb(-n_digits), ROUND_HALF_UP, _WIDE))


def _number(text: str | None) -> float | None:
    return float(text) if text is not None and re.fullmatch(PLAIN_NUMBER, text.strip(" "), re.ASCII) else None


class Turn:
    """Lets one thread at a time write, in the order in which they came.

    SQLite's own waiting is a row of naps: whoever naps longest, a long import, would never find it free.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._taken = False
        self._waiting: deque[Lock] = deque()

    def take(self, timeout_s: float) -> bool:
        """Wait for the turn; False when it did not come in time."""
        with self._lock:
            if not self._taken:
                self._taken = True
                return True
            called = Lock()
            called.acquire()
            self._waiting.append(called)
        if called.acquire(timeout=timeout_s):
            return True
        with self._lock:
            if called in self._waiting:
                self._waiting.remove(called)
                return False
        return True  # it came in the very last moment

    def give(self) -> None:
        """Let the next one write."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False


def turn_of(engine: Engine) -> Turn | None:
    """The turn of everybody who writes through this engine; None for other databases."""
    turn: Turn | None = engine.get_execution_options().get(_TURN)
    return turn


def open_sqlite(url: URL) -> Engine:
    """An engine whose every connection is durable (WAL, FULL), checks keys and waits for locks."""
    engine = create_engine(
        url,
        connect_args={"timeout": WAIT_S, "check_same_thread": False},
        execution_options={_TURN: Turn()},
        pool_size=16,
        max_overflow=48,
        pool_use_lifo=True,  # the connection whose pages were read last
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        # The driver's own transactions start too late for DDL and for reads: ours are explicit.
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout={WAIT_S * 1000}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"mmap_size={MAPPED_BYTES}",
        ):
            connection.execute(f"PRAGMA {pragma}")
        connection.create_function("cdb_lower", 1, fold, deterministic=True)
        connection.create_function("cdb_print_float", 1, _print_float, deterministic=True)
        connection.create_function("cdb_floor", 1, _floor, deterministic=True)
        connection.create_function("cdb_rounded", 2, _rounded, deterministic=True)
        connection.create_function("cdb_number", 1, _number, deterministic=True)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer that begins as a reader cannot wait for another writer; it fails at once.
        writing = connection.get_execution_options().get(WRITING, False)
        run(connection, "BEGIN IMMEDIATE" if writing else "BEGIN")

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
    return type_coerce(value, Text()).cast(Text())


def year(day: ColumnElement[Any]) -> ColumnElement[int]:
    """Year of a date."""
    return func.substr(type_coerce(day, Text()), 1, 4).cast(Integer())


def years_between(start: ColumnElement[Any], end: ColumnElement[Any]) -> ColumnElement[int]:
    """Full years from one date to another."""
    before = func.substr(type_coerce(end, Text()), 6, 5) < func.substr(type_coerce(start, Text()), 6, 5)
    return year(end) - year(start) - before.cast(Integer())


def days_between(start: ColumnElement[Any], end: ColumnElement[Any]) -> ColumnElement[int]:
    """Days from one date to another."""
    count = func.julianday(type_coerce(end, Text())) - func.julianday(type_coerce(start, Text()))
    return func.round(count, type_=Float()).cast(Integer())


def day(moment: ColumnElement[Any]) -> ColumnElement[Any]:
    """The date of a date and time."""
    return type_coerce(func.substr(type_coerce(moment, Text()), 1, 10), Date())


def floor(number: ColumnElement[Any]) -> ColumnElement[int]:
    """The next whole number below."""
    return func.cdb_floor(number, type_=Integer())


def rounded(number: ColumnElement[Any], n_digits: int) -> ColumnElement[float]:
    """A number with so many digits after the point, halves away from zero."""
    return func.cdb_rounded(number, n_digits, type_=Float(53))


def number(text: ColumnElement[Any]) -> ColumnElement[float]:
    """A text as a number; no value when it is none."""
    return func.cdb_number(text, type_=Float(53))


def join_text(
    text: ColumnElement[Any], separator: str, _order: ColumnElement[Any] | None = None
) -> ColumnElement[str]:
    """Texts of a group in the order of the rows given."""
    return func.group_concat(text, separator, type_=Text())


def among(value: ColumnElement[Any], operands: Sequence[Any], value_type: ValueType) -> ColumnElement[bool]:
    """Equal to one of many, which are bound as one JSON text: there may be more than a statement has places.

    Floats are compared as printed, since SQLite does not read every printed one back exactly.
    """
    listed: list[str | int]
    if value_type == "float":
        listed = [
            text
            for number in operands
            for text in (("0.0", "-0.0") if number == 0 else (print_value(number, "float"),))
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


def one_of(value: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """A text is one of a list that is bound later by this name; see `bindable`."""
    listed = func.json_each(bindparam(name, type_=Text())).table_valued("value")
    return value.in_(select(listed.c.value))


def bindable(value: Any) -> Any:
    """A value as the driver binds it: a list as one JSON text."""
    return json.dumps(value) if isinstance(value, list) else value


def whole(number: ColumnElement[Any]) -> ColumnElement[int]:
    """A number without its fraction."""
    return number.cast(Integer())


def interrupt(connection: sqlite3.Connection) -> None:
    """Break off the statement that another thread runs on this connection."""
    connection.interrupt()


def note_change(connection: Connection) -> None:
    """Raise the counter of changes, in the transaction that made one."""
    run(
        connection,
        "INSERT INTO counter (name, value) VALUES ('change', 1) "
        "ON CONFLICT (name) DO UPDATE SET value = value + 1",
    )


def data_version(connection: Connection) -> str:
    """The counter of changes."""
    found = connection.exec_driver_sql("SELECT value FROM counter WHERE name = 'change'").scalar()
    return str(found or 0)

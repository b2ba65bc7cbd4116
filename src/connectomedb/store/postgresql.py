"""What only PostgreSQL needs: the driver, a Unicode lower() beside the "C" order, dates and numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from time import monotonic
from typing import Any

import psycopg
import psycopg.adapt
from psycopg.abc import Buffer
from sqlalchemy import (
    Connection,
    Engine,
    String,
    and_,
    any_,
    bindparam,
    case,
    collate,
    create_engine,
    event,
    func,
    literal,
    or_,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import ARRAY, DOUBLE_PRECISION, aggregate_order_by
from sqlalchemy.engine import URL
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import (
    BigInteger,
    Boolean,
    Date,
    DateTime,
    Float,
    Integer,
    Numeric,
    Text,
    Time,
    TypeEngine,
)

from connectomedb.schema.model import ValueType
from connectomedb.store.sqlite import PLAIN_NUMBER

_ARRAY_TYPES: Mapping[ValueType, TypeEngine[Any]] = {
    "string": Text(),
    "integer": BigInteger(),
    "float": DOUBLE_PRECISION(),
    "boolean": Boolean(),
    "date": Date(),
    "time": Time(),
    "dateTime": DateTime(),
}
# Built into PostgreSQL 17 and later; older servers fold by the database's own rules.
UNICODE_COLLATION = "pg_c_utf8"
UNICODE_SINCE = (17, 0)
_DISK_FULL = "53100"
# A connection that was used so short a time ago is taken to be open still.
TRUSTED_S = 1.0
_USED_AT = "connectomedb_used_at"


def open_postgresql(url: URL) -> Engine:
    """An engine on psycopg 3; sessions run in UTC, and answers come in binary."""
    engine = create_engine(
        url,
        pool_size=16,
        max_overflow=48,
        connect_args={"options": "-c timezone=UTC -c datestyle=ISO", "cursor_factory": _BinaryCursor},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: psycopg.Connection[Any], _record: Any) -> None:
        connection.server_cursor_factory = _BinaryServerCursor
        for vector in ("int2vector", "oidvector"):
            connection.adapters.register_loader(vector, _VectorLoader)

    @event.listens_for(engine, "checkin")
    def note_use(_connection: object, record: Any) -> None:
        record.info[_USED_AT] = monotonic()

    @event.listens_for(engine, "checkout")
    def see_whether_it_lives(connection: psycopg.Connection[Any], record: Any, _proxy: object) -> None:
        # To ask each time costs a round trip, which is what a small read costs.
        if monotonic() - record.info.get(_USED_AT, math.inf) < TRUSTED_S:
            return
        try:
            connection.execute("SELECT 1")
            connection.rollback()
        except psycopg.Error as problem:
            raise DisconnectionError from problem

    return engine


class _BinaryCursor(psycopg.Cursor[Any]):
    """Numbers in binary are read in a quarter of the time that their texts take."""

    def __init__(self, connection: psycopg.Connection[Any], **options: Any) -> None:
        super().__init__(connection, **options)
        self.format = psycopg.pq.Format.BINARY


class _VectorLoader(psycopg.adapt.Loader):
    """Vectors of the catalogue as the text that SQLAlchemy's reflection reads, `1 2`."""

    format = psycopg.pq.Format.BINARY

    def load(self, data: Buffer) -> str:
        content = bytes(data)
        found, start = [], 20  # after dimensions, flags, type, length and lower bound
        while start < len(content):
            size = int.from_bytes(content[start : start + 4], "big")
            found.append(int.from_bytes(content[start + 4 : start + 4 + size], "big", signed=True))
            start += 4 + size
        return " ".join(map(str, found))


class _BinaryServerCursor(psycopg.ServerCursor[Any]):
    def __init__(self, connection: psycopg.Connection[Any], name: str, **options: Any) -> None:
        super().__init__(connection, name, **options)
        self.format = psycopg.pq.Format.BINARY


def is_full(error: BaseException | None) -> bool:
    """The database could not grow: the disk is full, or a file reached a limit, which has no own code."""
    told = getattr(getattr(error, "diag", None), "source_function", None)
    return getattr(error, "sqlstate", None) == _DISK_FULL or told in ("mdextend", "mdzeroextend")


def lower(text: ColumnElement[Any], collation: str) -> ColumnElement[str]:
    """Lower case of any alphabet."""
    plain: ColumnElement[str] = text.cast(Text())
    return func.lower(collate(plain, collation) if collation else plain, type_=Text())


def print_float(number: ColumnElement[Any]) -> ColumnElement[str]:
    """A float as people read it: always with a point, with an exponent from 1e16 on."""
    text: ColumnElement[Any] = number.cast(Text())
    size = func.abs(number)
    digits = func.split_part(text, "e", 1).cast(Numeric())
    rounded = func.trim_scale(func.round(digits, func.scale(digits) - 1)).cast(Text())
    shorter = rounded + "e" + func.split_part(text, "e", 2)
    text = case(
        # PostgreSQL turns to exponents at 1e15 already,
        (and_(size >= 1e15, size < 1e16), text.cast(Numeric()).cast(Text())),
        # and spells some large ones with a digit more than it takes to tell them apart.
        (
            and_(size >= 1e16, text.like("%e%"), shorter.cast(DOUBLE_PRECISION()) == number, rounded != "10"),
            shorter,
        ),
        else_=text,
    )
    return case(
        (or_(text.like("%.%"), text.like("%n%")), text),
        (text.like("%e%"), func.replace(text, "e", ".0e")),
        else_=text + ".0",
    )


def print_stamp(moment: ColumnElement[Any]) -> ColumnElement[str]:
    """Date and time with six digits of a fraction."""
    return func.to_char(moment, "YYYY-MM-DD HH24:MI:SS.US", type_=Text())


def print_plain(value: ColumnElement[Any]) -> ColumnElement[str]:
    """A date, a time or an integer as it is stored."""
    return value.cast(Text())


def year(day: ColumnElement[Any]) -> ColumnElement[int]:
    """Year of a date."""
    return func.date_part("year", day).cast(Integer())


def years_between(start: ColumnElement[Any], end: ColumnElement[Any]) -> ColumnElement[int]:
    """Full years from one date to another."""
    return func.date_part("year", func.age(end, start)).cast(Integer())


def days_between(start: ColumnElement[Any], end: ColumnElement[Any]) -> ColumnElement[int]:
    """Days from one date to another."""
    return type_coerce(end.cast(Date()) - start.cast(Date()), Integer())


def day(moment: ColumnElement[Any]) -> ColumnElement[Any]:
    """The date of a date and time."""
    return moment.cast(Date())


def floor(number: ColumnElement[Any]) -> ColumnElement[int]:
    """The next whole number below."""
    return func.floor(number).cast(BigInteger())


def rounded(number: ColumnElement[Any], n_digits: int) -> ColumnElement[float]:
    """A number with so many digits after the point, halves away from zero."""
    return func.round(number.cast(Float(53)).cast(Numeric()), n_digits).cast(Float(53))


def number(text: ColumnElement[Any]) -> ColumnElement[float]:
    """A text as a number; no value when it is none."""
    bare = func.trim(text, type_=Text())
    return case((bare.op("~")(f"^({PLAIN_NUMBER})$"), bare.cast(Float(53))))


def join_text(
    text: ColumnElement[Any], separator: str, order: ColumnElement[Any] | None = None
) -> ColumnElement[str]:
    """Texts of a group in the given order, else in their own."""
    by = text if order is None else order
    return func.string_agg(
        text.cast(String()), aggregate_order_by(literal(separator, Text()), by), type_=Text()
    )


def among(value: ColumnElement[Any], operands: Sequence[Any], value_type: ValueType) -> ColumnElement[bool]:
    """Equal to one of many, which are bound as one array."""
    return value == any_(literal(list(operands), ARRAY(_ARRAY_TYPES[value_type])))


def one_of(value: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """A text is one of a list that is bound later by this name."""
    return value == any_(bindparam(name, type_=ARRAY(Text())))


def insert_of(names: Sequence[str]) -> str:
    """One statement that fills tables, in this order, with rows in JSON: a text for each table.

    However many rows there are, and whichever columns they fill, it is one text that is planned once.
    """
    parts = [f"INSERT INTO {n} SELECT * FROM json_populate_recordset(NULL::{n}, %s::json)" for n in names]  # noqa: S608  # our own names
    *first, last = parts
    named = ", ".join(f"part_{n} AS ({part})" for n, part in enumerate(first))
    return f"WITH {named} {last}" if named else last


def rows_as_json(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows for `insert_of`; what is not said is no value."""
    said = [{name: value for name, value in row.items() if value is not None} for row in rows]
    try:
        return json.dumps(said, default=_as_text, ensure_ascii=False, allow_nan=False)
    except ValueError:
        # JSON has no word for what is not finite; the database reads the text.
        said = [{n: str(v) if isinstance(v, float) else v for n, v in row.items()} for row in said]
        return json.dumps(said, default=_as_text, ensure_ascii=False)


def _as_text(value: date | datetime | time) -> str:
    return value.isoformat()


def table_of(error: BaseException | None) -> str:
    """The table that the server names in its refusal; '' when there is no such error."""
    return (error.diag.table_name or "") if isinstance(error, psycopg.Error) else ""


def whole(number: ColumnElement[Any]) -> ColumnElement[int]:
    """A number without its fraction."""
    return func.trunc(number).cast(Integer())


def interrupt(connection: psycopg.Connection[Any]) -> None:
    """Break off the statement that another thread runs on this connection."""
    connection.cancel()


def data_version(connection: Connection) -> str:
    """What is visible now; the same text means the same rows."""
    return str(connection.exec_driver_sql("SELECT pg_current_snapshot()::text").scalar())

"""What only PostgreSQL needs: the driver, a Unicode lower() beside the "C" order, dates and numbers."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, String, case, collate, create_engine, func, literal, or_
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.engine import URL
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import Integer, Text

# Built into PostgreSQL 17 and later; older servers fold by the database's own rules.
UNICODE_COLLATION = "pg_c_utf8"
UNICODE_SINCE = (17, 0)
_DISK_FULL = "53100"


def open_postgresql(url: URL) -> Engine:
    """An engine on psycopg 3; sessions run in UTC with ISO dates."""
    return create_engine(
        url,
        pool_size=16,
        max_overflow=48,
        pool_pre_ping=True,
        connect_args={"options": "-c timezone=UTC -c datestyle=ISO"},
    )


def is_full(error: BaseException | None) -> bool:
    """The database could not grow."""
    return getattr(error, "sqlstate", None) == _DISK_FULL


def lower(text: ColumnElement[Any], collation: str) -> ColumnElement[str]:
    """Lower case of any alphabet."""
    plain: ColumnElement[str] = text.cast(Text())
    return func.lower(collate(plain, collation) if collation else plain, type_=Text())


def print_float(number: ColumnElement[Any]) -> ColumnElement[str]:
    """A float as people read it, always with a point."""
    text = number.cast(Text())
    return case((or_(text.like("%.%"), text.like("%e%"), text.like("%n%")), text), else_=text + ".0")


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


def join_text(text: ColumnElement[Any], separator: str) -> ColumnElement[str]:
    """Texts of a group in their own order."""
    return func.string_agg(
        text.cast(String()), aggregate_order_by(literal(separator, Text()), text), type_=Text()
    )


def whole(number: ColumnElement[Any]) -> ColumnElement[int]:
    """A number without its fraction."""
    return func.trunc(number).cast(Integer())

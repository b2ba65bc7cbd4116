"""The bare driver below SQLAlchemy's connection, for statements run so often that the way there counts.

What the driver raises is raised as SQLAlchemy raises it, so that nobody needs to know which way one went.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError


def driver_of(connection: Connection) -> Any:
    """The driver's own connection."""
    return connection.connection.driver_connection


def run(connection: Connection, sql: str, values: Any = (), *, many: bool = False) -> Any:
    """The driver's cursor after it ran a statement; with `many`, once for each of the values."""
    cursor = driver_of(connection).cursor()
    dbapi: Any = connection.dialect.loaded_dbapi
    try:
        if many:
            cursor.executemany(sql, values)
        else:
            cursor.execute(sql, values)
    except dbapi.Error as problem:
        raise as_sqlalchemy(connection, sql, problem) from problem
    return cursor


def as_sqlalchemy(connection: Connection, sql: str, problem: Exception) -> BaseException:
    """An error of the driver in SQLAlchemy's words."""
    dbapi: Any = connection.dialect.loaded_dbapi
    return DBAPIError.instance(sql, None, problem, dbapi.Error, dialect=connection.dialect)

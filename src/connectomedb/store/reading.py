"""Rows that are read while they are sent: a cursor on a connection of its own that can be stopped.

The statement begins with the first batch that is asked for; the connection goes back after the last one,
or when the reading is stopped, whatever the database is doing then.
"""

from __future__ import annotations

from collections.abc import Iterator
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from connectomedb.errors import ConnectomeDBError
from connectomedb.store.engine import Dialect
from connectomedb.store.execute import Prepared, run
from connectomedb.tables.result import Row


class Stopped(ConnectomeDBError):
    """The reading was stopped; what was read is not all."""


class Reading(Iterator[list[Row]]):
    """The batches of a statement. `stop` may come from another thread, also in the middle of a batch."""

    def __init__(self, engine: Engine, dialect: Dialect, prepared: Prepared) -> None:
        self._engine = engine
        self._dialect = dialect
        self._prepared = prepared
        self._connection: Connection | None = None
        self._rows: Iterator[list[Row]] | None = None
        self._lock = Lock()
        self._busy = False
        self._over = False
        self._stopped = False

    def __next__(self) -> list[Row]:
        with self._lock:
            if self._stopped:
                raise Stopped("this answer is not read any more")
            if self._over:
                raise StopIteration
            self._busy = True
        ended = True
        try:
            batch = next(self._started())
            ended = False
            return batch
        except (self._engine.dialect.loaded_dbapi.Error, DBAPIError) as problem:
            if self._stopped:
                raise Stopped("this answer was stopped while the database worked on it") from problem
            raise
        finally:
            with self._lock:
                self._busy = False
                if ended or self._stopped:
                    self._give_back()

    def stop(self) -> None:
        """End it: the statement is broken off, the connection goes back. Twice is no trouble."""
        with self._lock:
            self._stopped = True
            if not self._busy:
                self._give_back()
            elif self._connection is not None:
                self._dialect.interrupt(self._driver())

    def _started(self) -> Iterator[list[Row]]:
        if self._rows is None:
            connection = self._connect()
            with self._lock:
                self._connection = connection
                if self._stopped:
                    raise Stopped("this answer was stopped before it began")
            prepared, stream = self._chosen(connection)
            self._rows = run(connection, prepared, stream=stream)
        return self._rows

    def _connect(self) -> Connection:
        return self._engine.connect()

    def _chosen(self, _connection: Connection) -> tuple[Prepared, bool]:
        """The statement, and whether the database keeps what was not fetched yet."""
        return self._prepared, True

    def _driver(self) -> Any:
        assert self._connection is not None
        return self._connection.connection.driver_connection

    def _give_back(self) -> None:
        self._over = True
        if self._rows is not None:
            self._rows.close()  # type: ignore[attr-defined]  # `run` is a generator
        if self._connection is not None:
            self._connection.close()
        self._rows = self._connection = None

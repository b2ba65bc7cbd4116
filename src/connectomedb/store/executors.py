"""Who answers a resolved question: the seam between what is asked and where the rows come from.

A `ResolvedQuery` knows nothing of SQL. Each executor says what it can answer; the first that can, does. Today
there is the database; a columnar copy for the biggest reads will stand before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Engine

from connectomedb.search.resolve import ResolvedQuery
from connectomedb.store import execute
from connectomedb.store import tables as t
from connectomedb.store.compile import compile_search
from connectomedb.store.engine import Dialect
from connectomedb.store.reading import Reading
from connectomedb.tables.result import Column, Row
from connectomedb.vocabulary.records import Principal


class Batches(Iterator[list[Row]], Protocol):
    """Rows while they are read; `stop` ends it, also from another thread."""

    def stop(self) -> None: ...


class Plan(Protocol):
    """A question made ready, to be answered as often as it is asked."""

    @property
    def columns(self) -> tuple[Column, ...]: ...
    @property
    def root(self) -> str: ...
    def rows(self) -> tuple[Row, ...]: ...
    def batches(self) -> Batches: ...


class Executor(Protocol):
    """One place that rows may come from."""

    def plan(self, query: ResolvedQuery, who: Principal) -> Plan | None:
        """How it would answer this user; None when it cannot. The law of visibility is inside."""
        ...


@dataclass(frozen=True, slots=True)
class SqlPlan:
    """One statement of the database."""

    engine: Engine
    dialect: Dialect
    prepared: execute.Prepared

    @property
    def columns(self) -> tuple[Column, ...]:
        return self.prepared.columns

    @property
    def root(self) -> str:
        return self.prepared.root

    def rows(self) -> tuple[Row, ...]:
        with self.engine.connect() as connection:
            return tuple(row for batch in execute.run(connection, self.prepared) for row in batch)

    def batches(self) -> Reading:
        return Reading(self.engine, self.dialect, self.prepared)


@dataclass(frozen=True, slots=True)
class SqlExecutor:
    """The database, which can answer everything."""

    engine: Engine
    layout: t.Layout
    dialect: Dialect

    def plan(self, query: ResolvedQuery, who: Principal) -> SqlPlan:
        compiled = compile_search(query, who, self.layout, self.dialect)
        return SqlPlan(self.engine, self.dialect, execute.prepare(compiled, self.engine.dialect))


def first_plan(executors: Sequence[Executor], query: ResolvedQuery, who: Principal) -> Plan:
    """The plan of the first executor that can answer; the last one always can."""
    plans = (executor.plan(query, who) for executor in executors)
    found = next((plan for plan in plans if plan is not None), None)
    assert found is not None, "the database answers everything"
    return found

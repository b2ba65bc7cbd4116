"""Who answers a resolved question: the seam between what is asked and where the rows come from.

A `ResolvedQuery` knows nothing of SQL. Each executor says what it can answer; the first that can, does: the
copies, where cells are the same for all who see a row, else the database.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from sqlalchemy import Connection, Engine

from connectomedb.schema.model import Value
from connectomedb.search.resolve import ResolvedQuery
from connectomedb.store import execute
from connectomedb.store import tables as t
from connectomedb.store.compile import column_of, compile_search
from connectomedb.store.copied import compile_rows, same_for_all
from connectomedb.store.copies import Copies, HeldCells
from connectomedb.store.engine import Dialect, data_version, one_view
from connectomedb.store.reading import Reading
from connectomedb.tables.columns import HeldRows
from connectomedb.tables.result import Column, Row
from connectomedb.vocabulary.records import Principal


class Batches(Iterator[Sequence[Row]], Protocol):
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
    def filled(self, values: Sequence[Value]) -> Plan:
        """The plan with these values where it was made for stand-ins; see `constants.lift`."""
        ...


class Executor(Protocol):
    """One place that rows may come from."""

    def plan(self, query: ResolvedQuery, who: Principal, stand_ins: Sequence[Value] = ()) -> Plan | None:
        """How it would answer this user; None when it cannot. The law of visibility is inside.

        Raises  execute.ValueMoved when the question must be planned with its values
        """
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

    def filled(self, values: Sequence[Value]) -> SqlPlan:
        return replace(self, prepared=execute.filled(self.prepared, values, self.engine.dialect))


@dataclass(frozen=True, slots=True)
class SqlExecutor:
    """The database, which can answer everything."""

    engine: Engine
    layout: t.Layout
    dialect: Dialect

    def plan(self, query: ResolvedQuery, who: Principal, stand_ins: Sequence[Value] = ()) -> SqlPlan:
        compiled = compile_search(query, who, self.layout, self.dialect)
        return SqlPlan(self.engine, self.dialect, execute.prepare(compiled, self.engine.dialect, stand_ins))


@dataclass(slots=True)
class _Learned:
    """What was seen of a question, whatever its values: how many rows it had last, and its ordinary plan."""

    n_rows: int = 0
    ordinary: SqlPlan | None = None


@dataclass(frozen=True, slots=True)
class CopyPlan:
    """The law's statement for the rows, and the copies for the cells that are the same for all.

    `places` says of each column where it is: the number of a copy, or None for the next of the statement's.
    """

    executor: CopyExecutor
    query: ResolvedQuery
    who: Principal
    stand_ins: Sequence[Value]
    rows_of: execute.Prepared
    columns: tuple[Column, ...]
    places: tuple[int | None, ...]
    values: Sequence[Value] = ()
    learned: _Learned = field(default_factory=_Learned)

    @property
    def root(self) -> str:
        return self.query.root.xsi_type

    def rows(self) -> tuple[Row, ...]:
        return tuple(row for batch in self.batches() for row in batch)

    def batches(self) -> CopyReading:
        return CopyReading(self)

    def filled(self, values: Sequence[Value]) -> CopyPlan:
        rows_of = execute.filled(self.rows_of, values, self.executor.engine.dialect)
        return replace(self, rows_of=rows_of, values=values)

    def ordinary(self) -> execute.Prepared:
        """The one statement that answers the same, made when it is first needed."""
        if self.learned.ordinary is None:
            database = SqlExecutor(self.executor.engine, self.executor.layout, self.executor.dialect)
            self.learned.ordinary = database.plan(self.query, self.who, self.stand_ins)
        return execute.filled(self.learned.ordinary.prepared, self.values, self.executor.engine.dialect)


class CopyReading(Reading):
    """The rows that the law's statement gives, with cells of the copies; or the ordinary answer.

    Memory   one batch; the keys of the rows, of which a type with copies has few
    """

    def __init__(self, plan: CopyPlan) -> None:
        super().__init__(plan.executor.engine, plan.executor.dialect, plan.rows_of)
        self._plan = plan
        self._held: HeldCells | None = None
        self._version = ""
        self._n_rows = 0

    def __next__(self) -> Sequence[Row]:  # type: ignore[override]  # rows, if not in a list
        plan = self._plan
        try:
            rows = super().__next__()
        except StopIteration:
            plan.learned.n_rows = self._n_rows
            if self._held is None:
                n_cells = self._n_rows * len(plan.places)
                plan.executor.copies.note_read(plan.query.root, self._version, n_cells)
            raise
        self._n_rows += len(rows)
        return rows if self._held is None else _beside(self._held, plan.places, rows)

    def _connect(self) -> Connection:
        return one_view(self._plan.executor.engine)

    def _chosen(self, connection: Connection) -> tuple[execute.Prepared, bool]:
        plan = self._plan
        numbers = [place for place in plan.places if place is not None]
        # Read first: what is newer than its version is only read once more.
        self._version = data_version(connection)
        self._held = plan.executor.copies.find(
            connection, plan.query.root, numbers, self._version, plan.learned.n_rows
        )
        return (plan.ordinary(), True) if self._held is None else (plan.rows_of, False)


def _beside(held: HeldCells, places: Sequence[int | None], rows: Sequence[Row]) -> HeldRows:
    """The rows of the law's statement (key, its columns, status) with the held cells in their places."""
    keys, *own = zip(*rows, strict=True)
    numbers = [held.numbers[key] for key in keys]
    columns: list[Any] = []
    ours, theirs = iter(own), iter(held.columns)
    columns = [next(ours) if place is None else next(theirs) for place in places]
    return HeldRows([*columns, next(ours)], numbers)


@dataclass(frozen=True, slots=True)
class CopyExecutor:
    """The copies, for questions with columns that are the same for all who see a row."""

    engine: Engine
    layout: t.Layout
    dialect: Dialect
    copies: Copies

    def plan(self, query: ResolvedQuery, who: Principal, stand_ins: Sequence[Value] = ()) -> CopyPlan | None:
        shared = same_for_all(query.fields, query.root, self.layout, self.dialect)
        if not any(shared):
            return None
        own = [place for place, is_shared in enumerate(shared) if not is_shared]
        compiled = compile_rows(query, own, who, self.layout, self.dialect)
        places = tuple(
            self.copies.number(query.root, one) if is_shared else None
            for one, is_shared in zip(query.fields, shared, strict=True)
        )
        prepared = execute.prepare(compiled, self.engine.dialect, stand_ins)
        columns = (*(column_of(one, query.root) for one in query.fields), compiled.columns[-1])
        return CopyPlan(self, query, who, stand_ins, prepared, columns, places)


def first_plan(
    executors: Sequence[Executor], query: ResolvedQuery, who: Principal, stand_ins: Sequence[Value] = ()
) -> Plan:
    """The plan of the first executor that can answer; the last one always can."""
    plans = (executor.plan(query, who, stand_ins) for executor in executors)
    found = next((plan for plan in plans if plan is not None), None)
    assert found is not None, "the database answers everything"
    return found

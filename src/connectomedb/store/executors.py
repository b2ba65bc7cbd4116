"""Who answers a resolved question: the seam between what is asked and where the rows come from.

A question knows nothing of SQL. Each executor says what it can answer; the first that can, does: the
copies, where cells are the same for all who see a row, else the database.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from sqlalchemy import Connection, Engine

from connectomedb.schema.model import Value
from connectomedb.store import execute
from connectomedb.store import tables as t
from connectomedb.store.compile import STATUS_KEY, column_of, compile_search
from connectomedb.store.constants import Lifted
from connectomedb.store.copied import cells_key, compile_rows
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

    def plan(self, asked: Lifted, who: Principal) -> Plan | None:
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

    def plan(self, asked: Lifted, who: Principal) -> SqlPlan:
        compiled = compile_search(asked.query, who, self.layout, self.dialect)
        prepared = execute.prepare(compiled, self.engine.dialect, asked.stand_ins)
        return SqlPlan(self.engine, self.dialect, prepared)


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
    asked: Lifted
    who: Principal
    rows_of: execute.Prepared
    columns: tuple[Column, ...]
    places: tuple[int | None, ...]
    values: Sequence[Value] = ()
    learned: _Learned = field(default_factory=_Learned)

    @property
    def root(self) -> str:
        return self.asked.query.root.xsi_type

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
            self.learned.ordinary = database.plan(self.asked, self.who)
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
                plan.executor.copies.note_read(plan.asked.query.root, self._version, n_cells)
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
            connection, plan.asked.query.root, numbers, self._version, plan.learned.n_rows
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
    statements: execute.Kept = field(default_factory=execute.Kept)

    def plan(self, asked: Lifted, who: Principal) -> CopyPlan | None:
        query = asked.query
        places = tuple(self.copies.numbers(query.root, query.fields))
        own = [n for n, place in enumerate(places) if place is None]
        if len(own) == len(places):
            return None
        # The rows do not depend on which of the held columns are shown.
        told_apart = tuple(cells_key(query.fields[n]) for n in own)
        order = tuple((*cells_key(one), direction) for one, direction in query.order)

        def prepared() -> execute.Prepared:
            compiled = compile_rows(query, own, who, self.layout, self.dialect)
            return execute.prepare(compiled, self.engine.dialect, asked.stand_ins)

        key = (query.root.xsi_type, told_apart, order, asked.shape, who)
        rows_of = self.statements.get(key, prepared)
        columns = (*(column_of(one, query.root) for one in query.fields), Column(STATUS_KEY))
        return CopyPlan(self, asked, who, rows_of, columns, places)


def first_plan(executors: Sequence[Executor], asked: Lifted, who: Principal) -> Plan:
    """The plan of the first executor that can answer; the last one always can."""
    plans = (executor.plan(asked, who) for executor in executors)
    found = next((plan for plan in plans if plan is not None), None)
    assert found is not None, "the database answers everything"
    return found

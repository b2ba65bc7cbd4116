"""Answers that are kept for paging: a snapshot of typed cells, for the user who asked.

Rows are kept in parts of a few hundred, as JSON; a page reads the parts that it needs, a sort reads one
column of all. An answer is dropped an hour after its last use, and ends before that when the rights under
which it was made do: whoever asks for more of it asks the question again.

Source  protocol/search-and-types.md 3.6
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from threading import Lock
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    DateTime,
    Engine,
    Index,
    Integer,
    Table,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy import (
    Column as SqlColumn,
)

from connectomedb.errors import BadConstraint, NotFound
from connectomedb.schema.values import parse_value
from connectomedb.search.links import LinkProp
from connectomedb.store import tables as t
from connectomedb.store.engine import data_version, writing
from connectomedb.tables.cells import VALUE_TYPES, spell
from connectomedb.tables.result import Cell, Column, ResultStream, ResultTable, Row
from connectomedb.vocabulary.records import Principal

KEY = "key"
LIFETIME = timedelta(hours=1)
_USED_AGAIN_AFTER = timedelta(minutes=1)
_PART_ROWS = 500
_PARTS_PER_COMMIT = 20
_UNFINISHED = -1
_IDS_AT_ONCE = 500
_ID = re.compile(r"xs[0-9a-f]{32}\Z")

kept_result = Table(
    "kept_result",
    t.core,
    SqlColumn("id", t.string, primary_key=True),
    SqlColumn("user_id", Integer, nullable=False),
    SqlColumn("search_id", t.string, nullable=False),
    SqlColumn("question", t.string, nullable=False),
    SqlColumn("root", t.string, nullable=False),
    SqlColumn("title", t.string, nullable=False),
    SqlColumn("columns", t.string, nullable=False),
    SqlColumn("n_rows", BigInteger, nullable=False),
    SqlColumn("made_at", DateTime, nullable=False),
    SqlColumn("used_at", DateTime, nullable=False),
    Index("kept_result_by_user", "user_id", "search_id"),
)

# The rights under which an answer was made, see `standing`; one without a row here is not given out.
kept_rights = Table(
    "kept_rights",
    t.core,
    SqlColumn("result_id", t.string, primary_key=True),
    SqlColumn("rights", t.string, nullable=False),
)

kept_rows = Table(
    "kept_rows",
    t.core,
    SqlColumn("result_id", t.string, primary_key=True),
    SqlColumn("part", Integer, primary_key=True, autoincrement=False),
    SqlColumn("cells", t.string, nullable=False),
)


class ResultGone(NotFound):
    """A kept answer was dropped; ask the question again."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of a kept answer without its rows."""

    id: str
    columns: tuple[Column, ...]
    n_rows: int
    root: str
    title: str
    question: str
    made_at: datetime


def utc_now() -> datetime:
    """Now, in UTC without the zone, as databases keep it."""
    return datetime.now(UTC).replace(tzinfo=None)


Rights = Callable[[Connection, Principal], str]


class KeptResults:
    """The kept answers of one site. Every server process sees them.

    `rights` says what a user may read, as a text that changes when any of it does.
    """

    def __init__(self, engine: Engine, rights: Rights, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._engine = engine
        self._rights = rights
        self._clock = clock
        self._being_made: dict[Hashable, Future[Kept]] = {}
        self._lock = Lock()

    def keep(self, answer: ResultStream, who: Principal, *, search_id: str, question: str) -> Kept:
        """Read an answer to its end and keep it; what nobody used for an hour is dropped first.

        Who asks the same of the same data while it is being made waits for it (within a process).

        Raises  ResultGone when the rights ended while it was made
        Memory  a few thousand rows; nobody sees the answer before it is whole
        """
        self.drop_old()
        with self._engine.connect() as connection:
            version, rights = data_version(connection), self._rights(connection, who)
        keys = tuple(column.key for column in answer.columns)
        key = (who, search_id, question, keys, version, rights)
        with self._lock:
            making = self._being_made.get(key)
            mine: Future[Kept] = Future()
            if making is None:
                self._being_made[key] = mine
        if making is not None:
            answer.stop()
            return making.result()
        try:
            kept = self._make(answer, who, search_id=search_id, question=question, rights=rights)
        except BaseException as trouble:  # whatever it was, those who wait get it too
            mine.set_exception(trouble)
            raise
        finally:
            with self._lock:
                del self._being_made[key]
        mine.set_result(kept)
        return kept

    def _make(
        self, answer: ResultStream, who: Principal, *, search_id: str, question: str, rights: str
    ) -> Kept:
        moment = self._clock()
        columns = (*answer.columns, Column(KEY, "integer"))
        kept = Kept(f"xs{secrets.token_hex(16)}", columns, 0, answer.root, answer.title, question, moment)
        head: dict[str, object] = {
            "id": kept.id,
            "user_id": who.user_id,
            "search_id": search_id,
            "question": question,
            "root": kept.root,
            "title": kept.title,
            "columns": json.dumps([asdict(column) for column in columns]),
            "n_rows": _UNFINISHED,
            "made_at": moment,
            "used_at": moment,
        }
        n_rows = 0
        parts: list[dict[str, object]] = []
        try:
            for number, rows in enumerate(_cut(answer.batches, _PART_ROWS)):
                parts.append({"result_id": kept.id, "part": number, "cells": _dump(rows, answer.columns)})
                n_rows += len(rows)
                if len(parts) == _PARTS_PER_COMMIT:
                    with writing(self._engine, changes_data=False) as connection:
                        _write(connection, head if number < _PARTS_PER_COMMIT else {}, parts, rights)
                    parts.clear()
        finally:
            answer.stop()
        with writing(self._engine, changes_data=False) as connection:
            _write(connection, head if n_rows <= _PART_ROWS * _PARTS_PER_COMMIT else {}, parts, rights)
            connection.execute(update(kept_result).where(kept_result.c.id == kept.id).values(n_rows=n_rows))
            ended = self._rights(connection, who) != rights
            if ended:
                _drop(connection, [kept.id])
        if ended:
            raise ResultGone("what you may read changed while the answer was made; ask the question again")
        return replace(kept, n_rows=n_rows)

    def latest(self, who: Principal, search_id: str) -> Kept | None:
        """The user's last answer to the search of that id, if it is still there."""
        c = kept_result.c
        query = (
            select(kept_result)
            .where(c.user_id == who.user_id, c.search_id == search_id, c.n_rows != _UNFINISHED)
            .where(c.used_at > self._clock() - LIFETIME)
            .order_by(c.made_at.desc(), c.id)
            .limit(1)
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
            good = row is not None and self._is_good(connection, row.id, who)
        return _kept(row) if good else None

    def find(self, result_id: str, who: Principal) -> Kept:
        """The user's kept answer, its life renewed.

        Raises  ResultGone when it was dropped, or rights of the user changed since; NotFound when it is
                somebody else's, or no id of one
        """
        if not _ID.match(result_id):
            raise NotFound(f"{result_id[:80]!r} is no kept answer")
        moment = self._clock()
        with self._engine.connect() as connection:
            row = connection.execute(select(kept_result).where(kept_result.c.id == result_id)).one_or_none()
            good = row is not None and self._is_good(connection, row.id, who)
        if row is None or row.used_at <= moment - LIFETIME:
            raise ResultGone(f"the answer {result_id} is not kept any more; ask the question again")
        if row.user_id != who.user_id or row.n_rows == _UNFINISHED:
            raise NotFound(f"{result_id!r} is no kept answer of yours")
        if not good:
            with writing(self._engine, changes_data=False) as connection:
                _drop(connection, [result_id])
            raise ResultGone(f"what you may read changed since {result_id} was made; ask the question again")
        if moment - row.used_at > _USED_AGAIN_AFTER:
            with writing(self._engine, changes_data=False) as connection:
                connection.execute(
                    update(kept_result).where(kept_result.c.id == result_id).values(used_at=moment)
                )
        return _kept(row)

    def forget(self, who: Principal, search_id: str) -> None:
        """Drop the user's answers to the search of that id."""
        c = kept_result.c
        mine = select(c.id).where(c.user_id == who.user_id, c.search_id == search_id)
        with writing(self._engine, changes_data=False) as connection:
            _drop(connection, connection.scalars(mine).all())

    def drop_old(self) -> None:
        """Drop what nobody used for an hour."""
        too_old = kept_result.c.used_at <= self._clock() - LIFETIME
        with self._engine.connect() as connection:
            if connection.scalar(select(kept_result.c.id).where(too_old).limit(1)) is None:
                return
        with writing(self._engine, changes_data=False) as connection:
            _drop(connection, connection.scalars(select(kept_result.c.id).where(too_old)).all())

    def page(
        self,
        kept: Kept,
        *,
        offset: int = 0,
        limit: int | None = None,
        sort_by: str = "",
        descending: bool = False,
    ) -> ResultStream:
        """Rows of a kept answer, in the order it was made or by one of its columns.

        Null    no value comes last when ascending, first when descending
        Raises  BadConstraint naming the columns there are
        Cost    the parts of the page; sorted by a column, one reading of all parts before
        """
        end = kept.n_rows if limit is None else min(kept.n_rows, offset + limit)
        if not sort_by:
            rows = self._rows(kept, range(offset, end))
        else:
            place = self._place(kept, sort_by)
            cells = [(row[place], number) for number, row in enumerate(self._rows(kept, range(kept.n_rows)))]
            empty = [number for cell, number in cells if cell is None]
            filled = [pair for pair in cells if pair[0] is not None]
            # Stable: rows of one value stay in the order they were made, in both directions.
            filled.sort(key=lambda pair: pair[0], reverse=descending)  # type: ignore[arg-type,return-value]  # one column holds one type
            order = [number for _, number in filled]
            chosen = (empty + order if descending else order + empty)[offset:end]
            in_place = sorted(chosen)
            found = dict(zip(in_place, self._rows(kept, in_place), strict=True))
            rows = (found[number] for number in chosen)
        batches = _cut(([row] for row in rows), _PART_ROWS)
        return ResultStream(kept.columns, batches, kept.title, kept.root)

    def values(self, kept: Kept, key: str) -> ResultTable:
        """Each value of one column and how often it is there, in the order of the values."""
        place = self._place(kept, key)
        counts: dict[Cell, int] = {}
        for row in self._rows(kept, range(kept.n_rows)):
            counts[row[place]] = counts.get(row[place], 0) + 1
        filled = sorted((c for c in counts if c is not None), key=lambda c: c)
        ordered = [*filled, *([None] if None in counts else [])]
        columns = (Column("values", kept.columns[place].value_type), Column("count", "integer"))
        return ResultTable(columns, tuple((cell, counts[cell]) for cell in ordered))

    def _is_good(self, connection: Connection, result_id: str, who: Principal) -> bool:
        """The rights under which it was made are those of today."""
        made_under = select(kept_rights.c.rights).where(kept_rights.c.result_id == result_id)
        return connection.scalar(made_under) == self._rights(connection, who)

    def _place(self, kept: Kept, key: str) -> int:
        keys = [column.key for column in kept.columns]
        if key.lower() not in keys:
            raise BadConstraint(f"{key!r} is no column of this answer; there are: {', '.join(keys)}")
        return keys.index(key.lower())

    def _rows(self, kept: Kept, numbers: Sequence[int]) -> Iterator[Row]:
        """The rows of these numbers, which ascend."""
        for part, wanted in groupby(numbers, lambda number: number // _PART_ROWS):
            with self._engine.connect() as connection:
                rows = _load(connection, kept, part)
            for number in wanted:
                yield rows[number % _PART_ROWS]


def _write(
    connection: Connection, head: dict[str, object], parts: list[dict[str, object]], rights: str
) -> None:
    """Some parts of an answer; with the first ones go its head and the rights that it is bound to."""
    if head:
        connection.execute(insert(kept_result).values(head))
        connection.execute(insert(kept_rights).values(result_id=head["id"], rights=rights))
    if parts:
        connection.execute(insert(kept_rows), parts)


def _drop(connection: Connection, ids: Sequence[str]) -> None:
    for start in range(0, len(ids), _IDS_AT_ONCE):
        some = ids[start : start + _IDS_AT_ONCE]
        for column in (kept_rows.c.result_id, kept_rights.c.result_id, kept_result.c.id):
            connection.execute(delete(column.table).where(column.in_(some)))


def _cut(batches: Iterator[Sequence[Row]], n_rows: int) -> Iterator[list[Row]]:
    """The same rows in batches of that many."""
    held: list[Row] = []
    for batch in batches:
        held += batch
        while len(held) >= n_rows:
            yield held[:n_rows]
            del held[:n_rows]
    if held:
        yield held


def _kept(row: object) -> Kept:
    facts = row._mapping  # type: ignore[attr-defined]  # a row of `kept_result`
    columns = tuple(_column(said) for said in json.loads(facts["columns"]))
    return Kept(
        facts["id"],
        columns,
        facts["n_rows"],
        facts["root"],
        facts["title"],
        facts["question"],
        facts["made_at"],
    )


def _column(said: dict[str, Any]) -> Column:
    links = tuple(
        LinkProp(one["name"], one["value"], tuple((name, key) for name, key in one["inserts"]))
        for one in said["links"]
    )
    return Column(**{**said, "links": links})


def _dump(rows: Sequence[Row], columns: Sequence[Column]) -> str:
    kinds = [column.value_type for column in columns]
    return json.dumps(
        [[_plain(cell, kind) for cell, kind in zip(row, kinds, strict=True)] for row in rows],
        separators=(",", ":"),
    )


def _plain(cell: Cell, value_type: str) -> str | int | float | bool | None:
    if cell is None or isinstance(cell, str):
        return cell
    if isinstance(cell, int | float) and value_type in ("integer", "float", "boolean"):
        return cell
    return spell(cell, value_type)


def _load(connection: Connection, kept: Kept, part: int) -> list[Row]:
    text = connection.scalar(
        select(kept_rows.c.cells).where(kept_rows.c.result_id == kept.id, kept_rows.c.part == part)
    )
    if text is None:
        raise ResultGone(f"the answer {kept.id} is not kept any more; ask the question again")
    kinds = [VALUE_TYPES.get(column.value_type, "string") for column in kept.columns[:-1]]
    return [
        (
            *(
                parse_value(cell, kind) if isinstance(cell, str) else cell
                for cell, kind in zip(row, kinds, strict=True)
            ),
            part * _PART_ROWS + place + 1,
        )
        for place, row in enumerate(json.loads(text))
    ]

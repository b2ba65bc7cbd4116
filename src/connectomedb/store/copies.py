"""Columns of data types that were read whole, held until the data change.

A copy knows no user and no question: it gives cells by primary key, to whoever was told the keys by the law's
own statement. It is good for one version of the data, which is read in the same view as the keys.

Memory   `most_bytes` for all columns of a site; what was used least lately goes first
Cost     a copy is made when the cells that were read from the database since the last change, and the ones
         wanted now, are as many as making it reads; so it never costs more than twice what it spares
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from itertools import count
from operator import itemgetter
from threading import Lock

from sqlalchemy import Connection, func, literal, select

from connectomedb.schema.model import DataType
from connectomedb.search.resolve import ResolvedField
from connectomedb.store import execute
from connectomedb.store import tables as t
from connectomedb.store.copied import cells_key, compile_cells, same_for_all
from connectomedb.store.engine import Dialect
from connectomedb.tables.columns import HeldColumn

MOST_BYTES = 96 * 1024 * 1024
# Beyond that an answer is streamed from the database: reading whole columns for it would hold what it spares.
MOST_ROWS = 20_000
# What a cell takes at least, places and a share of the values; a copy that cannot fit is not begun.
_LEAST_CELL_BYTES = 40


@dataclass(slots=True)
class _Type:
    """What is known of one data type at one version of the data."""

    version: str
    n_rows: int
    numbers: dict[int, int] = field(default_factory=dict)
    columns: dict[int, HeldColumn] = field(default_factory=dict)
    n_cells_read: int = 0
    too_large: bool = False


@dataclass(frozen=True, slots=True)
class HeldCells:
    """The number of each row by its primary key, and the columns that were asked for."""

    numbers: dict[int, int]
    columns: tuple[HeldColumn, ...]


class Copies:
    """The copies of one site. Safe between threads."""

    def __init__(
        self,
        layout: t.Layout,
        dialect: Dialect,
        *,
        most_bytes: int = MOST_BYTES,
        most_rows: int = MOST_ROWS,
        at_once: bool = False,
    ) -> None:
        self._layout = layout
        self._dialect = dialect
        self._most_bytes = most_bytes
        self._most_rows = most_rows
        self._at_once = at_once
        self._types: dict[str, _Type] = {}
        self._fields: dict[Hashable, int | None] = {}
        self._asked: list[ResolvedField] = []
        self._uses = count()
        self._statements = execute.Kept()
        self._lock = Lock()

    @property
    def n_bytes(self) -> int:
        """What is held now."""
        with self._lock:
            return sum(column.n_bytes for known in self._types.values() for column in known.columns.values())

    def numbers(self, root: DataType, fields: Sequence[ResolvedField]) -> list[int | None]:
        """The number under which each column is held, one for all that have the same cells; None where the
        cells depend on the user."""
        keys = [(root.xsi_type, *cells_key(one)) for one in fields]
        with self._lock:
            unknown = {key: one for key, one in zip(keys, fields, strict=True) if key not in self._fields}
        shared: tuple[bool, ...] = ()
        if unknown:
            shared = same_for_all(tuple(unknown.values()), root, self._layout, self._dialect)
        with self._lock:
            for (key, one), is_shared in zip(unknown.items(), shared, strict=True):
                if key not in self._fields:
                    self._fields[key] = len(self._asked) if is_shared else None
                    self._asked += [one] if is_shared else []
            return [self._fields[key] for key in keys]

    def find(
        self, connection: Connection, root: DataType, numbers: Sequence[int], version: str, n_rows: int
    ) -> HeldCells | None:
        """The columns of these numbers at the version that the connection sees, read if that pays.

        `n_rows` is how many rows the answer is thought to have. None where the database should answer.
        """
        known = self._known(connection, root, version)
        if known.n_rows > self._most_rows or known.too_large:
            return None
        with self._lock:
            missing = [number for number in dict.fromkeys(numbers) if number not in known.columns]
            if not missing:
                return self._held(known, numbers)
            pays = known.n_cells_read + n_rows * len(numbers) >= known.n_rows * len(missing)
        if not (pays or self._at_once) or known.n_rows * len(numbers) * _LEAST_CELL_BYTES > self._most_bytes:
            return None
        keys, read = self._read(connection, root, missing)
        known.n_rows = len(keys)
        if known.n_rows > self._most_rows:
            return None
        with self._lock:
            # One version, one set of rows, in one order.
            known.numbers = {key: number for number, key in enumerate(keys)}
            known.columns |= read
            held = self._held(known, numbers)
            known.too_large = sum(known.columns[n].n_bytes for n in set(numbers)) > self._most_bytes
            self._make_room()
        return held

    def note_read(self, root: DataType, version: str, n_cells: int) -> None:
        """So many cells of the type were read from the database."""
        with self._lock:
            known = self._types.get(root.xsi_type)
            if known is not None and known.version == version:
                known.n_cells_read += n_cells

    def _known(self, connection: Connection, root: DataType, version: str) -> _Type:
        with self._lock:
            known = self._types.get(root.xsi_type)
        if known is not None and known.version == version:
            return known
        # Counted once: what has grown since shows when it is read.
        n_rows = self._count(connection, root) if known is None else known.n_rows
        known = _Type(version, n_rows)
        with self._lock:
            self._types[root.xsi_type] = known
        return known

    def _count(self, connection: Connection, root: DataType) -> int:
        """The rows of the type, counted no further than matters."""
        if self._layout.family(root.xsi_type) == "file":
            some = select(literal(1)).select_from(t.file)
        else:
            names = [one.data_type.xsi_type for one in self._layout.concrete(root.xsi_type)]
            some = select(literal(1)).select_from(t.item).where(t.item.c.xsi_type.in_(names))
        query = select(func.count()).select_from(some.limit(self._most_rows + 1).subquery())
        return connection.scalar(query) or 0

    def _read(
        self, connection: Connection, root: DataType, missing: list[int]
    ) -> tuple[Sequence[int], dict[int, HeldColumn]]:
        fields = tuple(self._asked[number] for number in missing)

        def prepared() -> execute.Prepared:
            compiled = compile_cells(fields, root, self._layout, self._dialect, self._most_rows + 1)
            return execute.prepare(compiled, connection.dialect)

        statement = self._statements.get(tuple(missing), prepared)
        rows = [row for batch in execute.run(connection, statement) for row in batch]
        keys, *columns = zip(*rows, strict=True) if rows else ((),) * (len(missing) + 1)
        return keys, {number: HeldColumn(cells) for number, cells in zip(missing, columns, strict=True)}

    def _held(self, known: _Type, numbers: Sequence[int]) -> HeldCells:
        columns = tuple(known.columns[number] for number in numbers)
        use = next(self._uses)
        for column in columns:
            column.last_use = use
        return HeldCells(known.numbers, columns)

    def _make_room(self) -> None:
        held = [
            (one.last_use, number, known)
            for known in self._types.values()
            for number, one in known.columns.items()
        ]
        n_bytes = sum(known.columns[number].n_bytes for _, number, known in held)
        for _, number, known in sorted(held, key=itemgetter(0)):
            if n_bytes <= self._most_bytes:
                break
            n_bytes -= known.columns.pop(number).n_bytes

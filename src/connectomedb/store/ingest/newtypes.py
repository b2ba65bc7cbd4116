"""New data types out of tables: their files in the site's folder, taken back when the import fails.

A kill between two files leaves types that load: the schema is complete before a display document names it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select

from connectomedb.schema.dictionary import TypeFiles, merge_schemas, type_from_table
from connectomedb.schema.registry import DataTypes, load_types
from connectomedb.store import tables as t
from connectomedb.store.engine import writing

if TYPE_CHECKING:
    from connectomedb.store.archive import Archive

_PARTS = "parts"
# Enough of a column's values to tell its type and its levels; the first of each shape is always among them.
_WITNESSES = 200
_MOST_DIGITS = 18
_DIGIT = re.compile(r"\d+")


class Witnesses:
    """A few values of each column that stand for all: memory does not grow with the table.

    A value is kept when no value of its shape was seen (`12.5` and `7.25` have one shape), or while there is
    room for distinct ones.
    """

    def __init__(self, head: Sequence[str]) -> None:
        self.head = tuple(head)
        self._values: list[dict[str, None]] = [{} for _ in head]
        self._shapes: list[set[str]] = [set() for _ in head]

    def add(self, cells: Sequence[str]) -> None:
        """See one row; a missing cell is ''."""
        for cell, values, shapes in zip(cells, self._values, self._shapes, strict=True):
            if not cell or cell in values:
                continue
            shape = _shape(cell)
            if len(values) < _WITNESSES or (shape not in shapes and len(shapes) < _WITNESSES):
                values[cell] = None
                shapes.add(shape)

    def rows(self) -> list[list[str]]:
        """A table of the values that were kept."""
        columns = [list(values) for values in self._values]
        longest = max((len(column) for column in columns), default=0)
        return [[column[n] if n < len(column) else "" for column in columns] for n in range(longest)]


class NewTypes:
    """The type files of one prefix of a site; what was written goes away again unless it is kept."""

    def __init__(self, archive: Archive, folder: Path, prefix: str, namespace: str) -> None:
        self._archive = archive
        self._root = folder
        self._folder = folder / prefix
        self._prefix, self._namespace = prefix, namespace
        self._before: dict[Path, bytes | None] = {}
        self._types_before: DataTypes | None = None
        self._kept = False

    def __enter__(self) -> NewTypes:
        return self

    def __exit__(self, *_: object) -> None:
        if self._kept:
            return
        for path, content in reversed(self._before.items()):
            if content is None:
                path.unlink(missing_ok=True)
            else:
                path.write_bytes(content)
        if self._types_before is not None:
            _forget_tables(self._archive, self._types_before)
            self._archive.use_types(self._types_before)

    def use(self, files: Sequence[TypeFiles]) -> None:
        """Write the types and let the archive make their tables."""
        parts = self._folder / _PARTS
        for one in files:
            self._write(parts / f"{_local(one)}.xsd", one.xsd)
        every = [path.read_bytes() for path in sorted(parts.glob("*.xsd"))]
        if every:
            self._write(
                self._folder / f"{self._prefix}.xsd", merge_schemas(self._prefix, self._namespace, every)
            )
        for one in files:
            self._write(self._folder / "display" / f"{self._prefix}_{_local(one)}_display.xml", one.display)
        types = load_types([self._root])
        self._types_before = self._archive.types
        self._archive.use_types(types)

    def keep(self) -> None:
        """What was written stays."""
        self._kept = True

    def _write(self, path: Path, content: bytes) -> None:
        if path not in self._before:
            self._before[path] = path.read_bytes() if path.exists() else None
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.new")
        beside.write_bytes(content)
        beside.replace(path)


def make_type(
    name: str,
    witnesses: Witnesses,
    dictionary: Mapping[str, Any],
    *,
    prefix: str,
    namespace: str,
    leave: Iterable[str],
    description: str = "",
) -> TypeFiles:
    """The type of a table; see `type_from_table`. Columns to `leave` are no part of it."""
    left = set(leave)
    columns = [n for n, column in enumerate(witnesses.head) if column not in left]
    return type_from_table(
        name,
        [witnesses.head[n] for n in columns],
        [[row[n] for n in columns] for row in witnesses.rows()],
        {column: facts for column, facts in dictionary.items() if column not in left},
        prefix=prefix,
        namespace=namespace,
        description=description,
    )


def _forget_tables(archive: Archive, before: DataTypes) -> None:
    """Drop the empty tables of types that are not to be: their columns would bind the next try."""
    kept = {table.name for table in t.Layout(before).metadata.tables.values()}
    made = [table for table in t.Layout(archive.types).metadata.sorted_tables if table.name not in kept]
    with writing(archive.engine) as connection:
        empty = [one for one in made if not connection.scalar(select(func.count()).select_from(one))]
        for table in reversed(empty):
            table.drop(connection)
        connection.execute(
            delete(t.type_layout).where(t.type_layout.c.table_name.in_([one.name for one in empty]))
        )


def _local(files: TypeFiles) -> str:
    return files.xsi_type.partition(":")[2]


def _shape(cell: str) -> str:
    """`12.5` → `9.9`; numbers too long for a whole number, and long texts, have shapes of their own."""
    return _DIGIT.sub(lambda run: "9" if len(run[0]) <= _MOST_DIGITS else "99", cell.strip())[:32]

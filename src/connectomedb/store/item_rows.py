"""One item spread over the rows of its tables: its leaves, and the entries of its repeated parts.

Nothing is written here, and nothing that has no column is dropped: it is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Table

from connectomedb.errors import DocumentError
from connectomedb.schema.documents import UNWRITABLE
from connectomedb.schema.model import ElementPath, Item, Value
from connectomedb.schema.values import PYTHON_TYPES
from connectomedb.store import tables as t


@dataclass(slots=True)
class Rows:
    """Rows of one batch, by table, in the order in which they must be written."""

    items: list[dict[str, Any]] = field(default_factory=list)
    projects: list[dict[str, Any]] = field(default_factory=list)
    memberships: list[dict[str, Any]] = field(default_factory=list)
    typed: dict[Table, list[dict[str, Any]]] = field(default_factory=dict)

    def by_table(self) -> list[tuple[Table, list[dict[str, Any]]]]:
        """All of them, in the order in which they must be written."""
        fixed = [(t.item, self.items), (t.project, self.projects), (t.membership, self.memberships)]
        return [*fixed, *self.typed.items()]


def add_leaves(item: Item, pk: int, typed: t.TypedTable, rows: Rows) -> None:
    """The typed row of an item, over all tables of its type. Raises DocumentError for a homeless leaf."""
    kept_in_item = t.item_paths(typed.family)
    found: dict[Table, dict[str, Any]] = {
        table: dict.fromkeys(table.columns.keys()) | {"pk": pk} for table in typed.tables
    }
    for path, value in item.values.items():
        if path.lower() in kept_in_item:
            continue
        column = typed.columns.get(path.lower())
        if column is None:
            raise DocumentError(f"{item.xsi_type} has no place for {path}")
        found[column.table][column.name] = _fitting(value, typed.fields[path.lower()])
    for table, row in found.items():
        rows.typed.setdefault(table, []).append(row)


def add_repeated(item: Item, pk: int, typed: t.TypedTable, rows: Rows) -> None:
    """The rows of all repeated parts that are no items themselves."""
    numbers: Counter[str] = Counter()
    for path, entries in item.children.items():
        key = path.lower()
        if key not in typed.held and (key != t.SHARES or typed.family in t.PARTS):
            _add_entries(typed, path, entries, pk, None, numbers, rows)


def _add_entries(
    typed: t.TypedTable,
    path: str,
    entries: Sequence[Item],
    pk: int,
    parent_entry: int | None,
    numbers: Counter[str],
    rows: Rows,
) -> None:
    """The entries of a repeated part, and of those inside them."""
    child = typed.children.get(path.lower())
    if child is None:
        raise DocumentError(f"{typed.data_type.xsi_type} has no place for {path}")
    found = rows.typed.setdefault(child.table, [])
    for entry in entries:
        numbers[child.path] += 1
        number = numbers[child.path]
        row: dict[str, Any] = dict.fromkeys(child.table.columns.keys())
        row |= {"owner_pk": pk, "entry": number, "entry_type": entry.xsi_type}
        if parent_entry is not None:
            row["parent_entry"] = parent_entry
        for leaf, value in entry.values.items():
            if leaf.lower() not in child.columns:
                raise DocumentError(f"{path} has no place for {leaf}")
            row[child.columns[leaf.lower()].name] = _fitting(value, child.fields[leaf.lower()])
        found.append(row)
        for inner, inside in entry.children.items():
            _add_entries(typed, f"{path}/{inner}", inside, pk, number, numbers, rows)


def _fitting(value: Value, field: ElementPath) -> Value:
    """The value, when a column of its type holds it and a document can say it."""
    if type(value) not in PYTHON_TYPES[field.value_type]:
        raise DocumentError(f"{field.path} is {value!r}: it is no {field.value_type}")
    if type(value) is str:
        if UNWRITABLE.search(value):
            raise DocumentError(f"{field.path} is {value[:60]!r}: it holds a character that XML cannot carry")
    elif type(value) is int and not -(2**63) <= value < 2**63:
        raise DocumentError(f"{field.path} is {value}: it has more than 64 bits")
    elif value != value:
        raise DocumentError(f"{field.path} is not a number; leave a missing value out")
    return value

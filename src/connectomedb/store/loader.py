"""Rows as documents again: any number of items at once, with everything inside them.

Reads a constant number of statements per table, however many items there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, cast

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, select

from connectomedb.schema.model import Item, Value
from connectomedb.store import tables as t
from connectomedb.store.visibility import visible
from connectomedb.vocabulary.records import Principal

# How much of what belongs to an item stands in its document: its scans, reconstructions and resources;
# also the assessors of a session; also the experiments of a subject.
Contents = Literal["parts", "assessors", "experiments"]

_SHARE_TYPES: Mapping[str, str] = {
    "subject": "xnat:projectParticipant",
    "experiment": "xnat:experimentData_share",
}
_ASSESSORS = "assessors/assessor"
_EXPERIMENTS = "experiments/experiment"
_CHUNK = 500


def load_documents(
    connection: Connection,
    layout: t.Layout,
    pks: Sequence[int],
    who: Principal,
    *,
    contents: Contents = "assessors",
) -> dict[int, Item]:
    """The documents of projects, subjects, experiments or parts, by primary key.

    The caller has made sure that the user sees these; experiments inside them are checked here.

    Cost     for 500 items: two statements, one per table of each type of item found
    """
    found: dict[int, Item] = {}
    for start in range(0, len(pks), _CHUNK):
        loading = _Loading(connection, layout, who, contents)
        found |= loading.documents(pks[start : start + _CHUNK])
    return found


class _Loading:
    def __init__(self, connection: Connection, layout: t.Layout, who: Principal, contents: Contents) -> None:
        self._connection = connection
        self._layout = layout
        self._who = who
        self._contents = contents
        self._items: dict[int, RowMapping] = {}
        # Items inside others: by owner and place, in document order.
        self._inside: dict[int, dict[str, list[int]]] = {}
        self._values: dict[int, dict[str, Value]] = {}
        self._children: dict[int, dict[str, tuple[Item, ...]]] = {}

    def documents(self, pks: Sequence[int]) -> dict[int, Item]:
        """Find every row that is needed, read each table once, put it together."""
        self._find_items(t.item.c.pk.in_(pks))
        if self._contents == "experiments":
            self._find_assessors(_EXPERIMENTS, t.item.c.subject_pk)
        if self._contents != "parts":
            self._find_assessors(_ASSESSORS, t.item.c.owner_pk)
        self._find_parts()
        by_type: dict[str, list[int]] = {}
        for pk, row in self._items.items():
            by_type.setdefault(row["xsi_type"], []).append(pk)
        for xsi_type, some in by_type.items():
            self._read_type(self._layout.typed(xsi_type), some)
        self._read_shares()
        return {pk: self._item(pk) for pk in pks if pk in self._items}

    # Which items

    def _find_items(self, condition: ColumnElement[bool]) -> list[RowMapping]:
        rows = (
            self._connection.execute(select(t.item).where(condition).order_by(t.item.c.pk)).mappings().all()
        )
        self._items |= {row["pk"]: row for row in rows}
        return list(rows)

    def _find_assessors(self, place: str, tie: ColumnElement[Any]) -> None:
        """Experiments that stand in another item's document: those that the user sees."""
        holders = [pk for pk, row in self._items.items() if place in self._layout.typed(row["xsi_type"]).held]
        for some in _chunks(holders):
            rows = self._find_items(
                and_(tie.in_(some), t.item.c.family == "experiment", visible(t.item, self._who))
            )
            for row in rows:
                holder = self._items[row[tie]]
                entry_type = self._layout.typed(holder["xsi_type"]).held[place].item_type
                if self._layout.types.is_a(row["xsi_type"], entry_type):
                    self._inside.setdefault(holder["pk"], {}).setdefault(place, []).append(row["pk"])
                else:
                    del self._items[row["pk"]]

    def _find_parts(self) -> None:
        """Scans, reconstructions and resources, level by level; few levels there are."""
        holders = [
            pk
            for pk, row in self._items.items()
            if any(self._is_part(m.item_type) for m in self._layout.typed(row["xsi_type"]).held.values())
        ]
        while holders:
            below: list[int] = []
            for some in _chunks(holders):
                rows = self._connection.execute(
                    select(t.item)
                    .where(t.item.c.owner_pk.in_(some), t.item.c.place.is_not(None))
                    .order_by(t.item.c.owner_pk, t.item.c.place, t.item.c.entry)
                ).mappings()
                for row in rows:
                    self._items[row["pk"]] = row
                    self._inside.setdefault(row["owner_pk"], {}).setdefault(row["place"], []).append(
                        row["pk"]
                    )
                    if self._layout.typed(row["xsi_type"]).held:
                        below.append(row["pk"])
            holders = below

    def _is_part(self, xsi_type: str) -> bool:
        return self._layout.family(xsi_type) in t.PARTS

    # What they say

    def _read_type(self, typed: t.TypedTable, pks: Sequence[int]) -> None:
        for table in typed.tables:
            leaves = [(typed.fields[p].path, c.name) for p, c in typed.columns.items() if c.table is table]
            for row in self._rows(select(table), table.c.pk, pks):
                said = {path: row[name] for path, name in leaves if row[name] is not None}
                self._values.setdefault(row["pk"], {}).update(said)
        if typed.children:
            entries: dict[str, dict[int, list[RowMapping]]] = {}
            for path, child in typed.children.items():
                query = select(child.table).order_by(child.table.c.owner_pk, child.table.c.entry)
                by_owner = entries.setdefault(path, {})
                for row in self._rows(query, child.table.c.owner_pk, pks):
                    by_owner.setdefault(row["owner_pk"], []).append(row)
            for pk in {pk for by_owner in entries.values() for pk in by_owner}:
                mine = {path: by_owner[pk] for path, by_owner in entries.items() if pk in by_owner}
                self._children[pk] = _entries(typed, mine)

    def _rows(self, query: Select[Any], key: ColumnElement[Any], pks: Sequence[int]) -> Iterator[RowMapping]:
        for some in _chunks(pks):
            yield from self._connection.execute(query.where(key.in_(some))).mappings()

    def _read_shares(self) -> None:
        m = t.membership.c
        shared = [pk for pk, row in self._items.items() if row["family"] in _SHARE_TYPES]
        query = select(t.membership).where(m.position > 0).order_by(m.item_pk, m.position)
        shares: dict[int, list[Item]] = {}
        for row in self._rows(query, m.item_pk, shared):
            said = {"label": row["label"], "project": row["project"]}
            said |= {leaf: row[name] for leaf, name in t.SHARE_LEAVES.items() if row[name] is not None}
            kind = _SHARE_TYPES[self._items[row["item_pk"]]["family"]]
            shares.setdefault(row["item_pk"], []).append(Item(kind, said))
        for pk, found in shares.items():
            self._children[pk] = {t.SHARES: tuple(found), **self._children.get(pk, {})}

    def _item(self, pk: int) -> Item:
        row = self._items[pk]
        values: dict[str, Value] = {}
        if row["family"] not in t.PARTS:
            values["ID"] = row["id"]
            if row["family"] != "project":
                values |= {"project": row["project"], "label": row["label"]}
        children = dict(self._children.get(pk, {}))
        for place, pks in self._inside.get(pk, {}).items():
            children[place] = tuple(self._item(one) for one in pks)
        return Item(row["xsi_type"], values | self._values[pk], children)


def _entries(typed: t.TypedTable, rows: Mapping[str, Sequence[RowMapping]]) -> dict[str, tuple[Item, ...]]:
    """The repeated parts of one item, inner ones inside outer ones; `rows` by the path of their table."""
    # Inner tables come after outer ones, so backwards every entry finds what is inside it.
    inside: dict[tuple[str, int | None], dict[str, tuple[Item, ...]]] = {}
    for path, child in reversed(list(typed.children.items())):
        grouped: dict[int | None, list[Item]] = {}
        for row in rows.get(path, ()):
            values = {
                child.fields[leaf].path: row[column.name]
                for leaf, column in child.columns.items()
                if row[column.name] is not None
            }
            parts = inside.get((path, row["entry"]), {})
            around = row["parent_entry"] if child.parent else None
            grouped.setdefault(around, []).append(Item(cast(str, row["entry_type"]), values, parts))
        for around, items in grouped.items():
            inside.setdefault((child.parent, around), {})[child.multiple.path] = tuple(items)
    return inside.get(("", None), {})


def _chunks(pks: Iterable[int]) -> Iterator[list[int]]:
    every = list(pks)
    for start in range(0, len(every), _CHUNK):
        yield every[start : start + _CHUNK]

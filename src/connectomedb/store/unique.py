"""Values that are one of a kind on the site, because their schema says so: `unique` of a field or a relation.

Compared over all data types that inherit the field. Entries of repeated parts are judged by their relation
only: XNAT keeps one definition or protocol for many projects, so their own fields repeat between documents.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, Connection, Table, func, select, union_all

from connectomedb.errors import ValueTaken
from connectomedb.schema.model import Node
from connectomedb.store import tables as t

_BATCH = 500


@dataclass(frozen=True, slots=True)
class UniqueColumn:
    """A column whose values are one of a kind among all columns of the same `field`, `xnat:resource/URI`."""

    field: str
    column: Column[Any]

    @property
    def owner(self) -> Column[Any]:
        """The item that a row is about."""
        table = self.column.table
        return table.c["pk"] if "pk" in table.c else table.c["owner_pk"]


@lru_cache(maxsize=4)  # a site has one layout, and a new one after its types have changed
def unique_columns(layout: t.Layout) -> tuple[UniqueColumn, ...]:
    """Every such column of a site's data types."""
    found: list[UniqueColumn] = []
    for typed in layout.all():
        for path, column in typed.columns.items():
            field = typed.fields[path]
            if field.hint("unique") == "true":
                found.append(UniqueColumn(f"{field.declared_in}/{field.path}", column))
        for node in _repeated_texts(typed.data_type.nodes):
            child = typed.children.get(node.path.lower())
            if child is not None and node.name.lower() in child.columns:
                found.append(UniqueColumn(node.item_type, child.columns[node.name.lower()]))
    return tuple(found)


def _repeated_texts(nodes: Iterable[Node]) -> Iterator[Node]:
    for node in nodes:
        if node.kind != "multiple":
            yield from _repeated_texts(node.children)
        elif node.has_text and dict(node.hints).get("unique") == "true":
            yield node


def refuse_taken(
    connection: Connection,
    layout: t.Layout,
    rows: Mapping[Table, Sequence[Mapping[str, Any]]],
    names: Mapping[int, str],
) -> None:
    """Refuse rows that are about to be written with a value that another item has.

    `names` are the ids of the items that the rows are about, by primary key.

    Raises  ValueTaken that names the field, the value and both items
    Cost    a statement per type that has the field; none when no row has a value for one
    """
    wanted: dict[str, dict[Any, int]] = {}
    for one in unique_columns(layout):
        for row in rows.get(one.column.table, ()):
            value = row.get(one.column.name)
            if value is not None:
                pk = row[one.owner.name]
                first = wanted.setdefault(one.field, {}).setdefault(value, pk)
                if first != pk:
                    raise _taken(one.field, value, names.get(pk, ""), names.get(first, ""))
    for field, values in sorted(wanted.items()):
        if connection.dialect.name == "postgresql":
            # Whoever writes such a value at the same time waits here, and then sees ours.
            connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(field, 0))))
        for one in unique_columns(layout):
            if one.field == field:
                _compare(connection, one, values, names)


def _compare(
    connection: Connection, one: UniqueColumn, values: Mapping[Any, int], names: Mapping[int, str]
) -> None:
    texts = list(values)
    for start in range(0, len(texts), _BATCH):
        some = texts[start : start + _BATCH]
        there = select(one.column, one.owner).where(one.column.in_(some))
        for value, pk in connection.execute(there).all():
            if pk != values[value]:
                other = connection.scalar(select(t.item.c.id).where(t.item.c.pk == pk))
                raise _taken(one.field, value, names.get(values[value], ""), str(other))


def shared_values(
    connection: Connection, layout: t.Layout, limit: int
) -> Iterator[tuple[str, Any, list[str]]]:
    """Field, value and the items that have it, where several do: from before the schema said `unique`."""
    i = t.item.c
    by_field: dict[str, list[UniqueColumn]] = {}
    for one in unique_columns(layout):
        by_field.setdefault(one.field, []).append(one)
    for field, columns in sorted(by_field.items()):
        held = union_all(
            *(
                select(one.column.label("value"), one.owner.label("pk")).where(one.column.is_not(None))
                for one in columns
            )
        ).subquery()
        several = select(held.c.value).group_by(held.c.value).having(func.count(held.c.pk.distinct()) > 1)
        for value in connection.scalars(several.order_by(held.c.value).limit(limit)).all():
            of_them = select(i.id).where(i.pk.in_(select(held.c.pk).where(held.c.value == value)))
            yield field, value, list(connection.scalars(of_them.order_by(i.id).limit(limit)))


def _taken(field: str, value: Any, mine: str, other: str) -> ValueTaken:
    name = field.rpartition("/")[2]
    return ValueTaken(
        f"{mine}: {name} is {str(value)[:60]!r}, which {other} has already; it is one of a kind on the site, "
        "give one of them another",
    )

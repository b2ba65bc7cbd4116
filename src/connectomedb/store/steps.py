"""The steps between versions of the core tables, one function each.

What a released step leaves behind never changes; later versions have steps of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    Row,
    Table,
    delete,
    insert,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.schema import CreateColumn

from connectomedb.errors import ConfigurationError, DocumentError
from connectomedb.schema.model import Item, Value
from connectomedb.store import growth
from connectomedb.store import tables as t
from connectomedb.store.writer import Holder, ItemWriter

# Version 1 took entries of an abstract type; these are the plainest kinds that say as much.
_PLAIN: Mapping[str, str] = {"scan": "xnat:otherDicomScanData", "resource": "xnat:resource"}


def parts_become_items(connection: Connection, layout: t.Layout) -> None:
    """1 → 2: scans, reconstructions and resources were rows of their session, and become items.

    Image assessors are tied to their session, subjects are named by id, shares say more, and tables for
    history and tombstones come in.
    """
    _add_columns(connection, t.item, "owner_pk", "place", "entry", "number")
    _add_columns(connection, t.item, "root_pk", default="0")
    _add_columns(connection, t.membership, *t.SHARE_LEAVES.values())
    connection.execute(update(t.item).values(root_pk=t.item.c.pk))
    there = {index["name"] for index in inspect(connection).get_indexes(t.item.name)}
    for index in t.item.indexes:
        if index.name not in there:
            index.create(connection)
    t.core.create_all(connection)
    known = set(connection.scalars(select(t.counter.c.name)))
    connection.execute(
        insert(t.counter),
        [{"name": n, "value": 0} for n in ("resource", "history", "tombstone") if n not in known],
    )
    old = list(_old_places(connection, layout))
    # They leave the list of typed tables first, as no type wants them any more.
    names = [one.table.name for one in old]
    connection.execute(delete(t.type_layout).where(t.type_layout.c.table_name.in_(names)))
    growth.grow(connection, layout)
    for one in old:
        _move_entries(connection, layout, one)
        one.table.drop(connection)
    _tie_experiments(connection, layout)


@dataclass(frozen=True, slots=True)
class _OldPlace:
    """A table of version 1 whose rows become items."""

    typed: t.TypedTable
    place: str
    table: Table
    leaves: Mapping[str, str]


def _old_places(connection: Connection, layout: t.Layout) -> Iterator[_OldPlace]:
    inspector = inspect(connection)
    there = set(inspector.get_table_names())
    for typed in layout.all():
        for key, multiple in typed.held.items():
            name = t.short_name(f"t_{typed.data_type.sql_name}__{key.replace('/', '_')}")
            if name not in there or layout.family(multiple.item_type) not in t.PARTS:
                continue
            fields = {
                leaf.path.lower(): leaf
                for subtype in reversed(layout.types.subtypes(multiple.item_type))
                for leaf in subtype.fields
            }
            columns = t.columns_of(fields.values(), reserved=("owner_pk", "entry", "entry_type"))
            had = {column["name"] for column in inspector.get_columns(name)}
            kept = {fields[path].path: c for path, c in columns.items() if c.name in had}
            keys: list[Column[Any]] = [Column(n) for n in ("owner_pk", "entry", "entry_type")]
            table = Table(name, MetaData(), *keys, *kept.values())
            yield _OldPlace(typed, multiple.path, table, {path: c.name for path, c in kept.items()})


def _move_entries(connection: Connection, layout: t.Layout, old: _OldPlace) -> None:
    rows = connection.execute(select(old.table).order_by(old.table.c.owner_pk, old.table.c.entry)).mappings()
    by_owner: dict[int, list[tuple[str, int, Item]]] = {}
    for row in rows.all():
        values: dict[str, Value] = {
            path: row[name] for path, name in old.leaves.items() if row[name] is not None
        }
        kind = row["entry_type"]
        if not layout.is_stored(kind):
            kind = _PLAIN[layout.family(kind) or "scan"]
        entry = len(by_owner.get(row["owner_pk"], ())) + 1
        by_owner.setdefault(row["owner_pk"], []).append((old.place, entry, Item(kind, values)))
    i = t.item.c
    for pk, parts in by_owner.items():
        owner = connection.execute(select(t.item).where(i.pk == pk)).one()
        writer = ItemWriter(connection, layout, user=owner.insert_user, project=owner.project, site_id="")
        try:
            writer.store_inside(_holder(owner), parts, {})
        except DocumentError as problem:
            raise ConfigurationError(
                f"{owner.id} cannot be brought to this version: {problem}; change it with the software that "
                "made it, then try again"
            ) from problem
        inside = (i.owner_pk == pk) & i.place.is_not(None)
        connection.execute(
            update(t.item)
            .where(inside)
            .values(insert_date=owner.insert_date, last_modified=owner.last_modified)
        )


def _holder(row: Row[Any]) -> Holder:
    subject_pk = row.pk if row.family == "subject" else row.subject_pk
    return Holder(row.pk, row.id, row.label, row.project, subject_pk, row.root_pk, row.projects_text)


def _tie_experiments(connection: Connection, layout: t.Layout) -> None:
    """Assessors know their session and its subject; every document names its subject by id."""
    item, other = t.item, t.item.alias()
    for typed in layout.all():
        session, subject = typed.columns.get("imagesession_id"), typed.columns.get("subject_id")
        if session is not None:
            named = select(session).where(session.table.c.pk == item.c.pk).scalar_subquery()
            for column in (other.c.pk, other.c.subject_pk):
                found = select(column).where(other.c.id == named).scalar_subquery()
                target = "owner_pk" if column is other.c.pk else "subject_pk"
                connection.execute(
                    update(item).where(item.c.xsi_type == typed.data_type.xsi_type).values({target: found})
                )
        if subject is not None:
            table = subject.table
            found = (
                select(other.c.id)
                .where(
                    other.c.pk == select(item.c.subject_pk).where(item.c.pk == table.c.pk).scalar_subquery()
                )
                .scalar_subquery()
            )
            tied = select(item.c.pk).where(item.c.subject_pk.is_not(None))
            connection.execute(update(table).where(table.c.pk.in_(tied)).values({subject.name: found}))


def _add_columns(connection: Connection, table: Table, *names: str, default: str = "") -> None:
    """Columns that a later version has; `default` is what rows have until they are filled."""
    quote = connection.dialect.identifier_preparer
    had = {column["name"] for column in inspect(connection).get_columns(table.name)}
    for name in names:
        if name in had:
            continue
        column = table.c[name]
        definition = str(CreateColumn(column).compile(dialect=connection.dialect))
        if default:
            definition = definition.replace(" NOT NULL", f" DEFAULT {default} NOT NULL")
        # A column definition leaves references to the table around it.
        for key in column.foreign_keys:
            target = quote.format_table(key.column.table)
            definition += f" REFERENCES {target} ({quote.format_column(key.column)})"
        connection.execute(text(f"ALTER TABLE {quote.format_table(table)} ADD COLUMN {definition}"))

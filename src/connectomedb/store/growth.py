"""The typed tables follow their types: new types, new fields, fields that move between tables.

What would lose data is refused with the reason: a type or field that is gone and has values, a field whose
values are not of its new type. Does not know the core tables; those are `migrations`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from contextlib import closing
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    MetaData,
    Select,
    Table,
    delete,
    insert,
    inspect,
    literal_column,
    select,
    text,
)
from sqlalchemy.schema import CreateColumn, DropIndex

from connectomedb.errors import ConfigurationError
from connectomedb.schema.documents import check_value
from connectomedb.schema.model import ElementPath
from connectomedb.store import tables as t
from connectomedb.store.engine import writing
from connectomedb.store.unique import unique_columns

Known = Mapping[str, Mapping[str, str]]


def follow_types(engine: Engine, layout: t.Layout) -> None:
    """Bring the typed tables to what the layout wants, all of it or nothing.

    Raises  ConfigurationError when data would be lost
    Cost    one statement when nothing has changed
    """
    with engine.connect() as connection:
        known = _known(connection)
    if known == _wanted(layout):
        return
    with writing(engine) as connection:
        grow(connection, layout)


def grow(connection: Connection, layout: t.Layout) -> None:
    """The same within a transaction that the caller holds."""
    # Whoever opens the site at the same time waits here.
    connection.execute(select(t.schema_version).with_for_update()).all()
    known = _known(connection)
    wanted = _wanted(layout)
    groups = [one.tables for one in layout.all()]
    groups += [(child.table,) for one in layout.all() for child in one.children.values()]
    ours: set[str] = set()
    for tables in groups:
        before = _of_group(tables[0].name, known)
        ours |= set(before)
        if not before:
            layout.metadata.create_all(connection, tables=list(tables))
        elif any(known.get(table.name) != wanted[table.name] for table in tables) or len(before) > len(
            tables
        ):
            _follow(connection, tables, before)
    for name in known:
        if name not in ours and name not in wanted and _has_rows(connection, name):
            raise ConfigurationError(
                f"the data type of table {name} has items and is not defined any more; put its schema back"
            )
    _note(connection, known, wanted)


def add_indexes(engine: Engine, layout: t.Layout) -> None:
    """Indexes of values that are one of a kind, in tables that are older than them."""
    found = inspect(engine)
    missing = [
        index
        for table in {one.column.table for one in unique_columns(layout)}
        for index in table.indexes
        if index.name not in {known["name"] for known in found.get_indexes(table.name)}
    ]
    if missing:
        with writing(engine) as connection:
            for index in sorted(missing, key=lambda one: str(one.name)):
                index.create(connection, checkfirst=True)


def _follow(connection: Connection, tables: tuple[Table, ...], before: Known) -> None:
    """One type that has changed."""
    columns = {c.name: c for table in tables for c in table.columns}
    had = {name: (where, kind) for where, found in before.items() for name, kind in found.items()}
    gone = [name for name in had if name not in columns]
    changed = [
        name for name, (_, kind) in had.items() if name in columns and kind.split()[0] != _kind(columns[name])
    ]
    for name in (*gone, *changed):
        where, kind = had[name]
        if _has_values(connection, where, name):
            raise ConfigurationError(_would_lose(where, name, kind.split()[0], columns.get(name)))
    for name, column in columns.items():
        if name in had and name not in changed and had[name][1] != _described(column):
            _check_facets(connection, had[name][0], column)
    moved = any(
        had[name][0] != column.table.name
        for name, column in columns.items()
        if name in had and not column.primary_key
    )
    if moved or len(before) > len(tables):
        _rebuild(connection, tables, before, {*gone, *changed})
        return
    for table in tables:
        _alter(connection, table, before.get(table.name, {}), {*gone, *changed}, before)


def _alter(
    connection: Connection, table: Table, had: Mapping[str, str], dropped: set[str], before: Known
) -> None:
    """Columns added and dropped; a further table of a wide type gets a row for every item."""
    quote = connection.dialect.identifier_preparer
    if not had:
        table.metadata.create_all(connection, tables=[table])
        first = min(before, key=len)
        connection.execute(
            insert(table).from_select(
                ["pk"], select(literal_column("pk")).select_from(text(quote.quote(first)))
            )
        )
        return
    target = quote.format_table(table)
    for name in had:
        if name in dropped:
            connection.execute(text(f"DROP INDEX IF EXISTS {quote.quote(t.index_name(table.name, name))}"))
            connection.execute(text(f"ALTER TABLE {target} DROP COLUMN {quote.quote(name)}"))
    for column in table.columns:
        if column.name not in had or column.name in dropped:
            definition = CreateColumn(column).compile(dialect=connection.dialect)
            connection.execute(text(f"ALTER TABLE {target} ADD COLUMN {definition}"))


def _rebuild(connection: Connection, tables: tuple[Table, ...], before: Known, dropped: set[str]) -> None:
    """New tables filled from the old ones: columns of a wide type have moved between its tables.

    PostgreSQL counts dropped columns for ever, so moving them one by one would use a table up.
    """
    quote = connection.dialect.identifier_preparer
    old: dict[str, Table] = {}
    scratch = MetaData()
    for table in tables:
        for index in table.indexes:
            connection.execute(DropIndex(index, if_exists=True))
    for name in before:
        aside = f"before_{name}"
        connection.execute(text(f"ALTER TABLE {quote.quote(name)} RENAME TO {quote.quote(aside)}"))
        old[name] = Table(aside, scratch, autoload_with=connection)
    first, *others = old.values()
    for table in tables:
        table.create(connection)
        sources: dict[str, Column[Any]] = {"pk": first.c.pk}
        for column in table.columns:
            for name, found in before.items():
                if column.name in found and column.name not in dropped and not column.primary_key:
                    sources[column.name] = old[name].c[column.name]
        frame: Any = first
        for other in others:
            frame = frame.outerjoin(other, other.c.pk == first.c.pk)
        connection.execute(
            insert(table).from_select(list(sources), select(*sources.values()).select_from(frame))
        )
    for table in old.values():
        table.drop(connection)


def _check_facets(connection: Connection, where: str, column: Column[Any]) -> None:
    """Stored values must be values of the field as it is now."""
    field: ElementPath = column.info["field"]
    held = Table(where, MetaData(), Column(column.name, column.type))
    values = select(held.c[column.name]).where(held.c[column.name].is_not(None)).distinct()
    with closing(connection.execute(values, execution_options={"yield_per": 1000})) as found:
        for value in found.scalars():
            reason = check_value(field, value)
            if reason:
                raise ConfigurationError(
                    f"field {field.path} ({where}) holds {value!r}, and now {reason}; change that value "
                    "first, or keep the field as it was"
                )


def _would_lose(where: str, name: str, before: str, column: Column[Any] | None) -> str:
    if column is None:
        return f"column {name} of {where} has values and no field any more; put the field back"
    return (
        f"column {name} of {where} was {before} and is now {_kind(column)}; "
        "keep the type of a field that has values, or give the field a new name"
    )


def _has_values(connection: Connection, where: str, name: str) -> bool:
    held: Column[Any] = Column(name)
    table = Table(where, MetaData(), held)
    found = select(held).select_from(table).where(held.is_not(None)).limit(1)
    return connection.execute(found).first() is not None


def _has_rows(connection: Connection, name: str) -> bool:
    table = Table(name, MetaData())
    found: Select[Any] = select(literal_column("1")).select_from(table).limit(1)
    return inspect(connection).has_table(name) and connection.execute(found).first() is not None


def _known(connection: Connection) -> dict[str, dict[str, str]]:
    rows = connection.execute(select(t.type_layout.c.table_name, t.type_layout.c.fingerprint)).all()
    return {name: _parsed(fingerprint) for name, fingerprint in rows}


def _parsed(fingerprint: str) -> dict[str, str]:
    lines = (line.partition(" ") for line in fingerprint.split("\n"))
    return {name: kind for name, _, kind in lines}


def _wanted(layout: t.Layout) -> dict[str, dict[str, str]]:
    return {
        table.name: {c.name: _described(c) for c in table.columns} for table in layout.metadata.sorted_tables
    }


def _note(connection: Connection, known: Known, wanted: Known) -> None:
    fresh = {name: found for name, found in wanted.items() if known.get(name) != found}
    # A type that is gone without a trace of data may come back; its tables are left for it.
    stale = [name for name in known if name not in wanted and not inspect(connection).has_table(name)]
    names = [*fresh, *stale]
    if names:
        connection.execute(delete(t.type_layout).where(t.type_layout.c.table_name.in_(names)))
    if fresh:
        connection.execute(
            insert(t.type_layout),
            [
                {"table_name": name, "fingerprint": "\n".join(f"{c} {kind}" for c, kind in found.items())}
                for name, found in fresh.items()
            ],
        )


def _of_group(name: str, known: Known) -> dict[str, Mapping[str, str]]:
    """The tables that a type has so far, the first one first."""
    pattern = re.compile(re.escape(name) + r"(__\d+)?\Z")
    found = [one for one in known if pattern.match(one)]
    return {one: known[one] for one in sorted(found, key=lambda n: (len(n), n))}


def _described(column: Column[Any]) -> str:
    """Kind of the column, and a mark that changes when the field allows other values."""
    field: ElementPath | None = column.info.get("field")
    if field is None:
        return _kind(column)
    facets = _facets(field)
    mark = hashlib.sha256(repr(facets).encode()).hexdigest()[:8] if any(facets) else ""
    return f"{_kind(column)} {mark}".rstrip()


def _facets(field: ElementPath) -> Iterable[Any]:
    return (field.enumeration, field.max_length, field.pattern)


def _kind(column: Column[Any]) -> str:
    return type(column.type).__name__

"""The tables: a fixed core, and one typed table per data type with real columns.

A type's table holds its single-valued leaves; its repeated parts (`fields/field`, `scans/scan`) have a
table each, one level deep. Nothing is stored as text that has a type, and nothing that has no column is
dropped: `ingest` refuses it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Engine,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    Time,
    UniqueConstraint,
    insert,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateColumn
from sqlalchemy.types import TypeEngine

from connectomedb.errors import ConfigurationError
from connectomedb.schema.model import DataType, ElementPath, Multiple, ValueType
from connectomedb.schema.registry import DataTypes
from connectomedb.store.engine import writing

SCHEMA_VERSION = 1
Family = Literal["project", "subject", "experiment", "file"]

PROJECT = "xnat:projectData"
SUBJECT = "xnat:subjectData"
EXPERIMENT = "xnat:experimentData"
FILE = "hcp:file"

# Kept in `item`, never in a typed table.
ITEM_PATHS = {"id": "id", "project": "project", "label": "label"}
SHARES = "sharing/share"
MOST_COLUMNS = 1200
_LONGEST_NAME = 60

# Text in the order of code points, the same on every back end.
string = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")

SQL_TYPES: Mapping[ValueType, TypeEngine[Any]] = {
    "string": string,
    "integer": BigInteger(),
    "float": Float(53),
    "boolean": Boolean(),
    "date": Date(),
    "time": Time(),
    "dateTime": DateTime(),
}

core = MetaData()

schema_version = Table("schema_version", core, Column("version", Integer, nullable=False))

counter = Table(
    "counter",
    core,
    Column("name", string, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

setting = Table(
    "setting", core, Column("name", string, primary_key=True), Column("value", string, nullable=False)
)

type_layout = Table(
    "type_layout",
    core,
    Column("table_name", string, primary_key=True),
    Column("fingerprint", string, nullable=False),
)

item = Table(
    "item",
    core,
    Column("pk", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("id", string, nullable=False, unique=True),
    Column("family", string, nullable=False),
    Column("xsi_type", string, nullable=False),
    Column("project", string, nullable=False),
    Column("label", string, nullable=False),
    Column("subject_pk", BigInteger, ForeignKey("item.pk")),
    Column("date", Date),
    Column("projects_text", string, nullable=False),
    Column("status", string, nullable=False, server_default="active"),
    Column("insert_date", DateTime, nullable=False),
    Column("insert_user", string, nullable=False),
    Column("last_modified", DateTime, nullable=False),
    Index("item_by_subject", "subject_pk", "xsi_type"),
    Index("item_by_type", "xsi_type"),
    Index("item_by_family", "family", "id"),
)

project = Table(
    "project",
    core,
    Column("pk", BigInteger, ForeignKey("item.pk", ondelete="CASCADE"), primary_key=True),
    Column("id", string, nullable=False, unique=True),
    Column("folded_id", string, nullable=False, unique=True),
    Column("accessibility", string, nullable=False),
)

membership = Table(
    "membership",
    core,
    Column("item_pk", BigInteger, ForeignKey("item.pk", ondelete="CASCADE"), primary_key=True),
    Column("project", string, ForeignKey("project.id"), primary_key=True),
    Column("family", string, nullable=False),
    Column("label", string, nullable=False),
    Column("position", Integer, nullable=False),
    UniqueConstraint("project", "family", "label", name="label_once_per_project"),
    Index("membership_by_project", "project", "item_pk"),
)

account = Table(
    "account",
    core,
    Column("user_id", Integer, primary_key=True, autoincrement=False),
    Column("login", string, nullable=False, unique=True),
    Column("password_hash", string, nullable=False),
    Column("is_admin", Boolean, nullable=False),
    Column("email", string, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("insert_date", DateTime, nullable=False),
)

project_user = Table(
    "project_user",
    core,
    Column("user_id", Integer, ForeignKey("account.user_id", ondelete="CASCADE"), primary_key=True),
    Column("project", string, ForeignKey("project.id", ondelete="CASCADE"), primary_key=True),
    Column("group_name", string, nullable=False),
)

login_session = Table(
    "login_session",
    core,
    Column("digest", string, primary_key=True),
    Column("user_id", Integer, ForeignKey("account.user_id", ondelete="CASCADE"), nullable=False),
    Column("lifetime_s", Float(53), nullable=False),
    Column("expires_at", DateTime, nullable=False, index=True),
)

file = Table(
    "file",
    core,
    Column("pk", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("subject_pk", BigInteger, ForeignKey("item.pk", ondelete="CASCADE")),
    Column("project", string, ForeignKey("project.id", ondelete="CASCADE"), nullable=False),
    Column("subject_label", string),
    Column("session", string),
    Column("run", string),
    Column("kind", string),
    Column("package", string),
    Column("key", string, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("algorithm", string),
    Column("digest", string),
    Column("release", string),
    Column("location", string, nullable=False),
    UniqueConstraint("project", "location", "key", name="key_once_per_location"),
    Index("file_by_subject_kind", "subject_pk", "kind"),
    Index("file_by_subject_run", "subject_pk", "run"),
    Index("file_by_subject_package", "subject_pk", "package"),
    Index("file_by_run_kind", "run", "kind"),
)


@dataclass(frozen=True, slots=True)
class ChildTable:
    """One repeated part of a type: its table and the column of each leaf, by lower-case path."""

    multiple: Multiple
    table: Table
    columns: Mapping[str, Column[Any]]
    fields: Mapping[str, ElementPath]


@dataclass(frozen=True, slots=True)
class TypedTable:
    """One concrete data type: its table and the column of each leaf, by lower-case path."""

    data_type: DataType
    table: Table
    columns: Mapping[str, Column[Any]]
    fields: Mapping[str, ElementPath]
    children: Mapping[str, ChildTable]


class Layout:
    """The typed tables of all data types that a site has."""

    def __init__(self, types: DataTypes) -> None:
        self.types = types
        self.metadata = MetaData()
        self._typed: dict[str, TypedTable] = {}
        self._concrete: dict[str, tuple[TypedTable, ...]] = {}
        for data_type in types.all():
            if not data_type.abstract and self._is_stored(data_type):
                self._typed[data_type.xsi_type.lower()] = self._typed_table(data_type)

    def _is_stored(self, data_type: DataType) -> bool:
        return self.family(data_type.xsi_type) in ("project", "subject", "experiment")

    def family(self, xsi_type: str) -> Family | None:
        """Which of the archive's families a type belongs to; None for parts of others."""
        families: tuple[tuple[str, Family], ...] = (
            (EXPERIMENT, "experiment"),
            (SUBJECT, "subject"),
            (PROJECT, "project"),
            (FILE, "file"),
        )
        for base, family in families:
            if base in self.types and self.types.is_a(xsi_type, base):
                return family
        return None

    def typed(self, xsi_type: str) -> TypedTable:
        """The table of one concrete type."""
        return self._typed[xsi_type.lower()]

    def concrete(self, xsi_type: str) -> tuple[TypedTable, ...]:
        """The tables of a type and of everything that extends it."""
        key = xsi_type.lower()
        if key not in self._concrete:
            below = (t.xsi_type.lower() for t in self.types.subtypes(xsi_type))
            self._concrete[key] = tuple(self._typed[name] for name in below if name in self._typed)
        return self._concrete[key]

    def all(self) -> tuple[TypedTable, ...]:
        """Every typed table."""
        return tuple(self._typed.values())

    def _typed_table(self, data_type: DataType) -> TypedTable:
        fields = [f for f in data_type.fields if f.path.lower() not in ITEM_PATHS]
        if len(fields) > MOST_COLUMNS:
            raise ConfigurationError(
                f"data type {data_type.xsi_type} has {len(fields)} fields, a table holds {MOST_COLUMNS}; "
                "split it into several types"
            )
        name = _short(f"t_{data_type.sql_name}")
        columns = _columns(fields, reserved=("pk",))
        table = Table(name, self.metadata, _owner(primary_key=True), *columns.values())
        if "subject_id" in columns:
            Index(_short(f"{name}_by_subject"), columns["subject_id"])
        children = {
            multiple.path.lower(): self._child_table(data_type, multiple)
            for multiple in data_type.multiples
            if multiple.path.lower() != SHARES and not self._is_document(multiple.item_type)
        }
        return TypedTable(data_type, table, columns, {f.path.lower(): f for f in fields}, children)

    def _is_document(self, xsi_type: str) -> bool:
        """Entries that are experiments are documents of their own, never rows of their owner."""
        return xsi_type in self.types and self.family(xsi_type) is not None

    def _child_table(self, data_type: DataType, multiple: Multiple) -> ChildTable:
        fields = {f.path.lower(): f for f in multiple.fields}
        if multiple.item_type in self.types:
            for subtype in self.types.subtypes(multiple.item_type):
                for field in subtype.fields:
                    fields.setdefault(field.path.lower(), field)
        columns = _columns(fields.values(), reserved=("owner_pk", "entry", "entry_type"))
        table = Table(
            _short(f"t_{data_type.sql_name}__{multiple.path.replace('/', '_').lower()}"),
            self.metadata,
            _owner("owner_pk", primary_key=True),
            Column("entry", Integer, primary_key=True, autoincrement=False),
            Column("entry_type", string, nullable=False),
            *columns.values(),
        )
        return ChildTable(multiple, table, columns, fields)


def create(engine: Engine, layout: Layout) -> None:
    """Make the tables of a new site; an existing one is left as it is, its version checked."""
    with writing(engine) as connection:
        core.create_all(connection)
        if connection.scalar(select(schema_version.c.version)) is None:
            connection.execute(insert(schema_version).values(version=SCHEMA_VERSION))
            connection.execute(
                insert(counter),
                [{"name": n, "value": 0} for n in ("pk", "subject", "experiment", "file", "account")],
            )
    check_version(engine)
    update_layout(engine, layout)


def check_version(engine: Engine) -> None:
    """Refuse a database that another version of the software made."""
    if not inspect(engine).has_table(schema_version.name):
        raise ConfigurationError("the database holds no site yet; make one with `connectomedb init`")
    with engine.connect() as connection:
        found = connection.scalar(select(schema_version.c.version))
    if found != SCHEMA_VERSION:
        raise ConfigurationError(
            f"the database has schema version {found}, this software reads version {SCHEMA_VERSION}; "
            "use the software that made it, or restore a backup of this version"
        )


def update_layout(engine: Engine, layout: Layout) -> None:
    """Make tables for new types and columns for new fields; a field that changed its type is refused."""
    wanted = {t.name: _fingerprint(t) for t in layout.metadata.sorted_tables}
    with engine.connect() as connection:
        known = dict(connection.execute(select(type_layout.c.table_name, type_layout.c.fingerprint)).all())
    fresh = {name for name, fingerprint in wanted.items() if known.get(name) != fingerprint}
    if not fresh:
        return
    with writing(engine) as connection:
        for table in layout.metadata.sorted_tables:
            if table.name in fresh and table.name in known:
                _grow(connection, table, known[table.name])
                connection.execute(
                    update(type_layout)
                    .where(type_layout.c.table_name == table.name)
                    .values(fingerprint=wanted[table.name])
                )
        new = [t for t in layout.metadata.sorted_tables if t.name in fresh and t.name not in known]
        if new:
            layout.metadata.create_all(connection, tables=new)
            connection.execute(
                insert(type_layout), [{"table_name": t.name, "fingerprint": wanted[t.name]} for t in new]
            )


def _grow(connection: Connection, table: Table, before: str) -> None:
    had = dict(entry.split(" ", 1) for entry in before.split("\n"))
    for column in table.columns:
        kind = _kind(column)
        if column.name not in had:
            definition = CreateColumn(column).compile(dialect=connection.dialect)
            quoted = connection.dialect.identifier_preparer.format_table(table)
            connection.execute(text(f"ALTER TABLE {quoted} ADD COLUMN {definition}"))
        elif had[column.name] != kind:
            raise ConfigurationError(
                f"column {column.name} of {table.name} was {had[column.name]} and is now {kind}; "
                "keep the type of a field that has values, or give the field a new name"
            )


def _fingerprint(table: Table) -> str:
    return "\n".join(f"{c.name} {_kind(c)}" for c in table.columns)


def _kind(column: Column[Any]) -> str:
    return type(column.type).__name__


def _owner(name: str = "pk", *, primary_key: bool) -> Column[Any]:
    kind = BigInteger().with_variant(Integer, "sqlite")
    return Column(
        name, kind, ForeignKey(item.c.pk, ondelete="CASCADE"), primary_key=primary_key, autoincrement=False
    )


def _columns(fields: Iterable[ElementPath], reserved: tuple[str, ...]) -> dict[str, Column[Any]]:
    taken = set(reserved)
    columns: dict[str, Column[Any]] = {}
    for field in fields:
        name = _short(field.column.lower())
        if name in taken:
            name = _short(f"{name}_{_hash(field.path)}")
        taken.add(name)
        columns[field.path.lower()] = Column(name, SQL_TYPES[field.value_type])
    return columns


def _short(name: str) -> str:
    """A name that PostgreSQL does not cut: at most 60 characters, the rest as a hash."""
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 9]}_{_hash(name)}"


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:8]

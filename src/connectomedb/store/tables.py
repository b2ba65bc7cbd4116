"""The tables: a fixed core, and one typed table per data type with real columns.

A type's table holds its single-valued leaves; each of its repeated parts (`fields/field`) has a table of its
own, and so has a part repeated inside one. Scans, reconstructions and resources are rows of `item` with a
typed table of their own, tied to what holds them. Nothing is stored as text that has a type, and nothing that
has no column is dropped: `writer` refuses it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    FromClause,
    Index,
    Integer,
    MetaData,
    Select,
    Table,
    Text,
    Time,
    UniqueConstraint,
    select,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from connectomedb.errors import ConfigurationError
from connectomedb.schema.model import DataType, ElementPath, Multiple, Node, ValueType
from connectomedb.schema.registry import DataTypes

SCHEMA_VERSION = 2
Family = Literal[
    "project", "subject", "experiment", "file", "scan", "reconstruction", "resource", "investigator"
]

PROJECT = "xnat:projectData"
SUBJECT = "xnat:subjectData"
EXPERIMENT = "xnat:experimentData"
SESSION = "xnat:imageSessionData"
SCAN = "xnat:imageScanData"
FILE = "hcp:file"
_FAMILIES: tuple[tuple[str, Family], ...] = (
    (EXPERIMENT, "experiment"),
    (SUBJECT, "subject"),
    (PROJECT, "project"),
    (FILE, "file"),
    ("xnat:imageScanData", "scan"),
    ("xnat:reconstructedImageData", "reconstruction"),
    ("xnat:abstractResource", "resource"),
)
# Items that live inside another one and are visible with it.
PARTS: frozenset[Family] = frozenset(("scan", "reconstruction", "resource"))
ROOTS: tuple[Family, ...] = ("project", "subject", "experiment")

# Kept in `item`, never in the typed table of a project, a subject or an experiment.
ITEM_PATHS = {"id": "id", "project": "project", "label": "label"}
SHARES = "sharing/share"
VARIABLES = "fields/field"
# What a share says beside project and label, and the column of `membership` that keeps it.
SHARE_LEAVES = {"group": "group_name", "visit": "visit", "protocol": "protocol", "share": "text"}
# A row of PostgreSQL fits into a page of 8 kB, whatever its values: texts shrink to 24 bytes, not further.
MOST_COLUMNS = 1200
MOST_BYTES = 7800
_TEXT_BYTES, _OTHER_BYTES = 25, 8
COUNTERS = ("pk", "subject", "experiment", "resource", "file", "account", "history", "tombstone")
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
    # What holds it: a part's owner, an image assessor's session.
    Column("owner_pk", BigInteger, ForeignKey("item.pk")),
    # The item whose membership decides who sees it: itself, unless it is a part.
    Column("root_pk", BigInteger, nullable=False),
    # For parts: the repeated element of the owner's document (`scans/scan`), and which entry of it.
    Column("place", string),
    Column("entry", Integer),
    # A resource's number on the site.
    Column("number", BigInteger),
    Column("date", Date),
    Column("projects_text", string, nullable=False),
    Column("status", string, nullable=False, server_default="active"),
    Column("insert_date", DateTime, nullable=False),
    Column("insert_user", string, nullable=False),
    Column("last_modified", DateTime, nullable=False),
    Index("item_by_subject", "subject_pk", "xsi_type"),
    Index("item_by_owner", "owner_pk", "place", "entry"),
    Index("item_by_root", "root_pk"),
    Index("item_by_number", "number", unique=True),
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
    *(Column(name, string) for name in SHARE_LEAVES.values()),
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

tombstone = Table(
    "tombstone",
    core,
    Column("pk", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("id", string, nullable=False),
    Column("family", string, nullable=False),
    Column("xsi_type", string, nullable=False),
    Column("project", string, nullable=False),
    Column("label", string, nullable=False),
    Column("at", DateTime, nullable=False),
    Column("login", string, nullable=False),
    Column("reason", string, nullable=False),
    Index("tombstone_by_id", "id"),
    Index("tombstone_by_project", "project", "pk"),
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
    """One repeated part of a type: its table and the column of each leaf, by lower-case path.

    `path` leads to it from the type, lower case; `parent` is the path of the repeated part around it, if any.
    A row is entry number `entry` of its owner, counted through the whole document; `parent_entry` is that of
    the entry around it. `multiple.path` is relative to what is around it.
    """

    multiple: Multiple
    table: Table
    columns: Mapping[str, Column[Any]]
    fields: Mapping[str, ElementPath]
    path: str
    parent: str = ""


@dataclass(frozen=True, slots=True)
class TypedTable:
    """One concrete data type: its tables and the column of each leaf, by lower-case path.

    A wide type has several tables; each has a row for every item, and each leaf is in one of them
    (`columns[path].table`). `children` are its repeated parts by full lower-case path, outer ones before
    inner ones; `held` are the repeated elements whose entries are items themselves, by lower-case path.
    """

    data_type: DataType
    family: Family
    tables: tuple[Table, ...]
    columns: Mapping[str, Column[Any]]
    fields: Mapping[str, ElementPath]
    children: Mapping[str, ChildTable]
    held: Mapping[str, Multiple]

    @property
    def table(self) -> Table:
        """The first of its tables."""
        return self.tables[0]

    def select(self, names: Mapping[str, str]) -> Select[Any]:
        """`pk` and these leaves under these names, for every item of the type; `names` by lower-case path."""
        needed = dict.fromkeys((self.columns[path].table for path in names), None) or {self.table: None}
        first, *others = needed
        frame: FromClause = first
        for other in others:
            frame = frame.join(other, other.c.pk == first.c.pk)
        leaves = (self.columns[path].label(name) for path, name in names.items())
        return select(first.c.pk, *leaves).select_from(frame)


class Layout:
    """The typed tables of all data types that a site has."""

    def __init__(self, types: DataTypes) -> None:
        self.types = types
        self.metadata = MetaData()
        self._families: dict[str, Family | None] = {}
        self._typed: dict[str, TypedTable] = {}
        self._concrete: dict[str, tuple[TypedTable, ...]] = {}
        self._leaves: dict[str, frozenset[str]] = {}
        for data_type in types.all():
            family = self.family(data_type.xsi_type)
            if not data_type.abstract and family not in (None, "file"):
                self._typed[data_type.xsi_type.lower()] = self._typed_table(data_type, family)

    def family(self, xsi_type: str) -> Family | None:
        """Which of the archive's families a type belongs to; None for parts of others."""
        key = xsi_type.lower()
        if key not in self._families:
            known = ((base, family) for base, family in _FAMILIES if base in self.types)
            self._families[key] = next((f for base, f in known if self.types.is_a(key, base)), None)
        return self._families[key]

    def leaves(self, xsi_type: str) -> frozenset[str]:
        """Paths of a type's single-valued leaves, in lower case."""
        key = xsi_type.lower()
        if key not in self._leaves:
            self._leaves[key] = frozenset(f.path.lower() for f in self.types.get(xsi_type).fields)
        return self._leaves[key]

    def typed(self, xsi_type: str) -> TypedTable:
        """The table of one concrete type."""
        return self._typed[xsi_type.lower()]

    def is_stored(self, xsi_type: str) -> bool:
        """Whether items of this very type have a table."""
        return xsi_type.lower() in self._typed

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

    def _typed_table(self, data_type: DataType, family: Family) -> TypedTable:
        kept_in_item = item_paths(family)
        fields = [f for f in data_type.fields if f.path.lower() not in kept_in_item]
        name = self._table_name(data_type.sql_name, data_type.xsi_type)
        columns = columns_of(fields, reserved=("pk",))
        tables = tuple(
            Table(name if n == 1 else f"{name}__{n}", self.metadata, _owner(primary_key=True), *some)
            for n, some in enumerate(_split(columns.values()), 1)
        )
        if "subject_id" in columns:
            Index(short_name(f"{name}_by_subject"), columns["subject_id"])
        for column in columns.values():
            if column.info["field"].hint("unique") == "true":
                Index(index_name(column.table.name, column.name), column)
        children: dict[str, ChildTable] = {}
        held: dict[str, Multiple] = {}
        for node in _repeated(data_type.nodes):
            if node.path.lower() == SHARES and family not in PARTS:
                continue
            if self.family(node.item_type) is not None:
                held[node.path.lower()] = Multiple(node.path, node.item_type)
            else:
                self._add_child_tables(data_type, node, children, (), "")
        by_path = {f.path.lower(): f for f in fields}
        return TypedTable(data_type, family, tables, columns, by_path, children, held)

    def _add_child_tables(
        self,
        data_type: DataType,
        node: Node,
        children: dict[str, ChildTable],
        around: tuple[str, ...],
        parent: str,
    ) -> None:
        """The table of a repeated part and those of the parts repeated in it.

        A type that holds itself ends there: documents that go deeper are refused when they are stored.
        """
        if node.item_type in around:
            return
        path = f"{parent}/{node.path}".lower().lstrip("/")
        insides = [node.children]
        if node.item_type in self.types:
            insides = [t.nodes for t in self.types.subtypes(node.item_type)]
        fields: dict[str, ElementPath] = {}
        inner: dict[str, Node] = {}
        for nodes in insides:
            for leaf in _leaves(nodes):
                known = fields.setdefault(leaf.path.lower(), leaf)
                if known.value_type != leaf.value_type:
                    raise ConfigurationError(
                        f"{data_type.xsi_type}: {path}/{leaf.path} is {known.value_type} in one kind of "
                        f"{node.item_type} and {leaf.value_type} in another; give them different names"
                    )
            for one in _repeated(nodes):
                inner.setdefault(one.path.lower(), one)
        nesting = [Column("parent_entry", Integer, nullable=False)] if parent else []
        columns = columns_of(fields.values(), reserved=("owner_pk", "entry", "entry_type", "parent_entry"))
        table = Table(
            self._table_name(f"{data_type.sql_name}__{path.replace('/', '_')}", data_type.xsi_type + path),
            self.metadata,
            _owner("owner_pk", primary_key=True),
            Column("entry", Integer, primary_key=True, autoincrement=False),
            *nesting,
            Column("entry_type", string, nullable=False),
            *columns.values(),
        )
        multiple = Multiple(node.path, node.item_type, tuple(fields.values()))
        children[path] = ChildTable(multiple, table, columns, fields, path, parent)
        for one in inner.values():
            if self.family(one.item_type) is None:
                self._add_child_tables(data_type, one, children, (*around, node.item_type), path)

    def _table_name(self, name: str, origin: str) -> str:
        """`t_NAME`; with a hash of what it stands for when two would look the same."""
        short = short_name(f"t_{name}")
        return short if short not in self.metadata.tables else f"{short[:51]}_{_hash(origin)}"


def item_paths(family: Family) -> Mapping[str, str]:
    """Leaves that are columns of `item` for this family; those of a part are all in its typed table."""
    return {} if family in PARTS else ITEM_PATHS


def _split(columns: Iterable[Column[Any]]) -> list[list[Column[Any]]]:
    """The columns of each table of a type, in order; one table for all but the widest types."""
    tables: list[list[Column[Any]]] = [[]]
    size = 0
    for column in columns:
        weight = _TEXT_BYTES if isinstance(column.type, Text) else _OTHER_BYTES
        if len(tables[-1]) == MOST_COLUMNS or size + weight > MOST_BYTES:
            tables.append([])
            size = 0
        tables[-1].append(column)
        size += weight
    return tables


def _repeated(nodes: Iterable[Node]) -> Iterator[Node]:
    """The repeated elements below some nodes, not those inside repeated ones."""
    for node in nodes:
        if node.kind == "multiple":
            yield node
        else:
            yield from _repeated(node.children)


def _leaves(nodes: Iterable[Node]) -> Iterator[ElementPath]:
    """The single-valued leaves of one entry."""
    for node in nodes:
        if node.element is not None:
            yield node.element
        if node.kind != "multiple":
            yield from _leaves(node.children)


def _owner(name: str = "pk", *, primary_key: bool) -> Column[Any]:
    kind = BigInteger().with_variant(Integer, "sqlite")
    return Column(
        name, kind, ForeignKey(item.c.pk, ondelete="CASCADE"), primary_key=primary_key, autoincrement=False
    )


def columns_of(fields: Iterable[ElementPath], reserved: tuple[str, ...]) -> dict[str, Column[Any]]:
    taken = set(reserved)
    columns: dict[str, Column[Any]] = {}
    for field in fields:
        name = short_name(field.column.lower())
        if name in taken:
            name = short_name(f"{name}_{_hash(field.path)}")
        taken.add(name)
        columns[field.path.lower()] = Column(name, SQL_TYPES[field.value_type], info={"field": field})
    return columns


def index_name(table: str, column: str) -> str:
    return short_name(f"{table}_by_{column}")


def short_name(name: str) -> str:
    """A name that PostgreSQL does not cut: at most 60 characters, the rest as a hash."""
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 9]}_{_hash(name)}"


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:8]

"""One row of a data type inside a statement: its leaves and the joins that they need.

What is computed of them is the business of `computed`; which rows there are, of `compile` and `listings`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnClause,
    ColumnElement,
    FromClause,
    cast,
    column,
    literal,
    null,
    select,
    table,
    true,
    union_all,
)
from sqlalchemy.types import BigInteger

from connectomedb.errors import BadConstraint
from connectomedb.schema.model import DataType, ElementPath, ValueType
from connectomedb.store import investigators
from connectomedb.store import tables as t
from connectomedb.store.visibility import (
    visible,
    visible_file,
    visible_project,
    visible_with_root,
)
from connectomedb.vocabulary.records import Principal

# Leaves of a file that are not columns of its table.
_FILE_ALIASES = {"uri": "location"}


@dataclass(frozen=True, slots=True)
class Expr:
    """A value of a row: SQL and its type."""

    sql: ColumnElement[Any]
    value_type: ValueType


@dataclass(frozen=True, slots=True)
class _Source:
    """A table (or a union of tables) that holds the leaves of a type."""

    frame: FromClause
    columns: Mapping[str, ColumnElement[Any]]
    fields: Mapping[str, ElementPath]


class _LeafColumns(Mapping[str, ColumnElement[Any]]):
    """The leaves of a type as columns of a frame, made when they are asked for."""

    def __init__(self, frame: FromClause, typed: t.TypedTable) -> None:
        self._frame = frame
        self._typed = typed
        self._made: dict[str, ColumnElement[Any]] = {}

    def __getitem__(self, path: str) -> ColumnElement[Any]:
        if path not in self._made:
            stored = self._typed.columns[path]
            made: ColumnClause[Any] = column(stored.name, stored.type)
            made.table = self._frame
            self._made[path] = made
        return self._made[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._typed.columns)

    def __len__(self) -> int:
        return len(self._typed.columns)


class Row:
    """One row of `data_type` (or of a type that extends it) in a FROM clause; joins appear when used."""

    def __init__(self, layout: t.Layout, data_type: DataType) -> None:
        self.layout = layout
        self.data_type = data_type
        family = layout.family(data_type.xsi_type)
        if data_type.xsi_type == investigators.INVESTIGATOR:
            family = "investigator"
        if family is None:
            raise BadConstraint(f"{data_type.xsi_type} is part of other types; search those")
        self.family: t.Family = family
        self.base: FromClause = _base(layout, family)
        self.project: FromClause = t.project.alias()
        self._uses_project = False
        self._sources: dict[str, _Source] = {}
        self._subject: Row | None = None
        self._session: Row | None = None

    @property
    def pk(self) -> ColumnElement[Any]:
        """Primary key."""
        return self.base.c.pk

    @property
    def subject_pk(self) -> ColumnElement[Any]:
        """Primary key of the subject that this row is or belongs to."""
        return self.base.c.pk if self.family == "subject" else self.base.c.subject_pk

    @property
    def subject(self) -> Row:
        """The subject's row; itself for a subject."""
        if self.family == "subject":
            return self
        if self._subject is None:
            self._subject = Row(self.layout, self.layout.types.get(t.SUBJECT))
        return self._subject

    @property
    def session(self) -> Row:
        """The imaging session that a scan or an image assessor belongs to."""
        if self._session is None:
            self._session = Row(self.layout, self.layout.types.get(t.SESSION))
        return self._session

    def accessibility(self) -> ColumnElement[Any]:
        """Accessibility of a project's row."""
        self._uses_project = True
        return self.project.c.accessibility

    def of_type(self) -> ColumnElement[bool]:
        """The row is of the type."""
        if self.family in ("file", "investigator"):
            return true()
        names = [one.data_type.xsi_type for one in self.layout.concrete(self.data_type.xsi_type)]
        return self.base.c.xsi_type.in_(names)

    def seen_by(self, who: Principal) -> ColumnElement[bool]:
        """The user sees the row."""
        if self.family == "file":
            return visible_file(self.base, who)
        if self.family == "investigator":
            return investigators.seen(self.layout, self.base, who)
        if self.family == "project":
            return visible_project(self.base, who)
        if self.family in t.PARTS:
            return visible_with_root(self.base, who)
        return visible(self.base, who)

    def own_frames(self) -> list[FromClause]:
        """Every table of this row's FROM clause."""
        frames: list[FromClause] = [self.base, *(source.frame for source in self._sources.values())]
        if self._uses_project:
            frames.append(self.project)
        if self._subject is not None:
            frames += self._subject.own_frames()
        if self._session is not None:
            frames += self._session.own_frames()
        return frames

    def joined(self) -> FromClause:
        """The FROM clause with all joins that were used."""
        return self._joined_to(self.base)

    def attached(self, frame: FromClause, on: ColumnElement[bool]) -> FromClause:
        """`frame` with this row beside each of its rows, or with nothing where `on` holds of none."""
        return self._joined_to(frame.outerjoin(self.base, on))

    def _joined_to(self, frame: FromClause) -> FromClause:
        for source in self._sources.values():
            frame = frame.outerjoin(source.frame, source.frame.c.pk == self.base.c.pk)
        if self._uses_project:
            frame = frame.join(self.project, self.project.c.pk == self.base.c.pk)
        if self._subject is not None:
            frame = frame.outerjoin(self._subject.base, self._subject.base.c.pk == self.base.c.subject_pk)
            frame = self._subject._joined_to(frame)
        if self._session is not None:
            frame = frame.outerjoin(self._session.base, self._session.base.c.pk == self.base.c.owner_pk)
            frame = self._session._joined_to(frame)
        return frame

    def leaf(self, path: str, data_type: DataType) -> Expr | None:
        """A single-valued leaf; None when the type has none of that path."""
        key = path.lower()
        if self.family == "file":
            return self._file_leaf(key)
        if self.family == "investigator":
            return Expr(self.base.c[key], "string") if key in self.layout.leaves(data_type.xsi_type) else None
        if key in t.item_paths(self.family):
            return Expr(self.base.c[t.ITEM_PATHS[key]], "string")
        if self.family == "experiment":
            if key == "date":
                return Expr(self.base.c.date, "date")
            if key == "subject_id" and len(self.layout.concrete(self.data_type.xsi_type)) != 1:
                return Expr(self.subject.base.c.id, "string")
        narrower = data_type if self._is_narrower(data_type) else self.data_type
        if key not in self.layout.leaves(narrower.xsi_type):
            return None
        source = self._source(narrower, key)
        return Expr(source.columns[key], source.fields[key].value_type)

    def child(self, path: str) -> tuple[t.ChildTable, str] | None:
        """The table of a repeated part and the leaf inside it, for a path that leads into one."""
        key = path.lower()
        for one in self.layout.concrete(self.data_type.xsi_type):
            for prefix, child in one.children.items():
                if key.startswith(prefix + "/") and key[len(prefix) + 1 :] in child.columns:
                    return child, key[len(prefix) + 1 :]
        return None

    def _is_narrower(self, data_type: DataType) -> bool:
        own = self.data_type.xsi_type
        return data_type.xsi_type != own and self.layout.types.is_a(data_type.xsi_type, own)

    def _file_leaf(self, key: str) -> Expr | None:
        if key == "subject_id":
            return Expr(self.subject.base.c.id, "string")
        name = _FILE_ALIASES.get(key, key)
        if name in ("pk", "subject_pk") or name not in self.base.c:
            return None
        return Expr(self.base.c[name], "integer" if name == "size" else "string")

    def _source(self, data_type: DataType, path: str) -> _Source:
        """The table that holds a leaf; a wide type has several, and only those that are used are joined."""
        typed = self.layout.concrete(data_type.xsi_type)
        key = data_type.xsi_type.lower()
        if len(typed) == 1:
            key += f" {typed[0].columns[path].table.name}"
        if key not in self._sources:
            self._sources[key] = self._make_source(data_type, path)
        return self._sources[key]

    def _make_source(self, data_type: DataType, path: str) -> _Source:
        typed = self.layout.concrete(data_type.xsi_type)
        if len(typed) == 1:
            # An alias of the table itself would copy all its columns, hundreds in most types.
            bare = table(typed[0].columns[path].table.name, column("pk", BigInteger()))
            frame: FromClause = bare.alias()
            return _Source(frame, _LeafColumns(frame, typed[0]), typed[0].fields)
        kept_in_item = t.item_paths(self.family)
        fields = {f.path.lower(): f for f in data_type.fields if f.path.lower() not in kept_in_item}
        if not typed:
            empty = select(cast(null(), BigInteger()).label("pk")).where(literal(1) == literal(0))
            frame = empty.subquery()
            nothing = {p: cast(null(), t.SQL_TYPES[f.value_type]) for p, f in fields.items()}
            return _Source(frame, nothing, fields)
        names = {path: f"f{n}" for n, path in enumerate(fields)}
        parts = [one.select(names) for one in typed]
        frame = union_all(*parts).subquery()
        return _Source(frame, {path: frame.c[name] for path, name in names.items()}, fields)


def _base(layout: t.Layout, family: t.Family) -> FromClause:
    if family == "investigator":
        return investigators.rows_of(layout)
    return t.file.alias() if family == "file" else t.item.alias()


def bound(text: str) -> ColumnElement[str]:
    """A text as a bound value. Raises BadConstraint for text that no database holds."""
    if "\0" in text:
        raise BadConstraint(f"{text!r} holds a NUL character; no value does")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise BadConstraint(f"{text!r} holds half a character; send it as UTF-8")
    return literal(text, t.string)

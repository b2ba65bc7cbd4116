"""One row of a data type inside a statement, and every value that can be had from it.

`Row` knows the joins; `Expressions` turns a display field's expression into SQL on such a row. Neither
decides which rows there are: that is `compile` and `listings`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Select,
    case,
    cast,
    func,
    literal,
    null,
    select,
    true,
    union_all,
)
from sqlalchemy.types import BigInteger, Float

from connectomedb.errors import BadConstraint
from connectomedb.schema.model import DataType, DisplayField, ElementPath, ValueType
from connectomedb.store import tables as t
from connectomedb.store.engine import Dialect
from connectomedb.store.tiers import guarded
from connectomedb.store.visibility import (
    reads_project,
    visible,
    visible_file,
    visible_project,
    visible_subject_pk,
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


class Row:
    """One row of `data_type` (or of a type that extends it) in a FROM clause; joins appear when used."""

    def __init__(self, layout: t.Layout, data_type: DataType) -> None:
        self.layout = layout
        self.data_type = data_type
        family = layout.family(data_type.xsi_type)
        if family is None:
            raise BadConstraint(f"{data_type.xsi_type} is part of other types; search those")
        self.family: t.Family = family
        self.base: FromClause = t.file.alias() if family == "file" else t.item.alias()
        self.project: FromClause = t.project.alias()
        self._uses_project = False
        self._sources: dict[str, _Source] = {}
        self._subject: Row | None = None

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

    def accessibility(self) -> ColumnElement[Any]:
        """Accessibility of a project's row."""
        self._uses_project = True
        return self.project.c.accessibility

    def of_type(self) -> ColumnElement[bool]:
        """The row is of the type."""
        if self.family == "file":
            return true()
        names = [table.data_type.xsi_type for table in self.layout.concrete(self.data_type.xsi_type)]
        return self.base.c.xsi_type.in_(names)

    def seen_by(self, who: Principal) -> ColumnElement[bool]:
        """The user sees the row."""
        if self.family == "file":
            return visible_file(self.base, who)
        if self.family == "project":
            return visible_project(self.base, who)
        return visible(self.base, who)

    def own_frames(self) -> list[FromClause]:
        """Every table of this row's FROM clause."""
        frames: list[FromClause] = [self.base, *(source.frame for source in self._sources.values())]
        if self._uses_project:
            frames.append(self.project)
        if self._subject is not None:
            frames += self._subject.own_frames()
        return frames

    def joined(self) -> FromClause:
        """The FROM clause with all joins that were used."""
        return self._joined_to(self.base)

    def _joined_to(self, frame: FromClause) -> FromClause:
        for source in self._sources.values():
            frame = frame.outerjoin(source.frame, source.frame.c.pk == self.base.c.pk)
        if self._uses_project:
            frame = frame.join(self.project, self.project.c.pk == self.base.c.pk)
        if self._subject is not None:
            frame = frame.outerjoin(self._subject.base, self._subject.base.c.pk == self.base.c.subject_pk)
            frame = self._subject._joined_to(frame)
        return frame

    def leaf(self, path: str, data_type: DataType) -> Expr | None:
        """A single-valued leaf; None when the type has none of that path."""
        key = path.lower()
        if self.family == "file":
            return self._file_leaf(key)
        if key in t.ITEM_PATHS:
            return Expr(self.base.c[t.ITEM_PATHS[key]], "string")
        if self.family == "experiment":
            if key == "date":
                return Expr(self.base.c.date, "date")
            if key == "subject_id" and len(self.layout.concrete(self.data_type.xsi_type)) != 1:
                return Expr(self.subject.base.c.id, "string")
        narrower = data_type if self._is_narrower(data_type) else self.data_type
        if not any(f.path.lower() == key for f in narrower.fields):
            return None
        source = self._source(narrower)
        return Expr(source.columns[key], source.fields[key].value_type)

    def child(self, path: str) -> tuple[t.ChildTable, str] | None:
        """The table of a repeated part and the leaf inside it, for a path that leads into one."""
        key = path.lower()
        for table in self.layout.concrete(self.data_type.xsi_type):
            for prefix, child in table.children.items():
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

    def _source(self, data_type: DataType) -> _Source:
        key = data_type.xsi_type.lower()
        if key not in self._sources:
            self._sources[key] = self._make_source(data_type)
        return self._sources[key]

    def _make_source(self, data_type: DataType) -> _Source:
        typed = self.layout.concrete(data_type.xsi_type)
        if len(typed) == 1:
            frame: FromClause = typed[0].table.alias()
            columns = {path: frame.c[column.name] for path, column in typed[0].columns.items()}
            return _Source(frame, columns, typed[0].fields)
        fields = {f.path.lower(): f for f in data_type.fields if f.path.lower() not in t.ITEM_PATHS}
        if not typed:
            empty = select(cast(null(), BigInteger()).label("pk")).where(literal(1) == literal(0))
            frame = empty.subquery()
            nothing = {p: cast(null(), t.SQL_TYPES[f.value_type]) for p, f in fields.items()}
            return _Source(frame, nothing, fields)
        names = {path: f"f{n}" for n, path in enumerate(fields)}
        parts = [
            select(one.table.c.pk, *(one.columns[path].label(name) for path, name in names.items()))
            for one in typed
        ]
        frame = union_all(*parts).subquery()
        return _Source(frame, {path: frame.c[name] for path, name in names.items()}, fields)


class Expressions:
    """Display fields as SQL, for one user on one database."""

    def __init__(self, layout: t.Layout, dialect: Dialect, who: Principal) -> None:
        self.layout = layout
        self.dialect = dialect
        self.who = who

    def of(self, row: Row, display: DisplayField, value: str, data_type: DataType) -> Expr:
        """The value of a display field on a row. Raises BadConstraint when it cannot be computed."""
        name, *arguments = display.expression
        if name == "element":
            found = row.leaf(arguments[0], data_type)
            if found is None:
                raise BadConstraint(
                    f"{data_type.xsi_type}/{arguments[0]} repeats or is not stored; it can stand in a "
                    "condition, not in a column"
                )
            return guarded(found, row, arguments[0], data_type, self.who)
        if name == "subject_element":
            found = row.subject.leaf(arguments[0], row.subject.data_type)
            if found is None:
                raise BadConstraint(f"{t.SUBJECT}/{arguments[0]} is not a single value of a subject")
            return guarded(found, row.subject, arguments[0], row.subject.data_type, self.who)
        builder = _BUILDERS.get(name)
        if builder is None:
            raise BadConstraint(f"{data_type.xsi_type}/{display.id} cannot be computed here ({name})")
        return builder(self, row, display, arguments, value)

    def visible_child(self, row: Row, table: t.ChildTable) -> tuple[FromClause, ColumnElement[bool]]:
        """A repeated part of a row and the condition that ties them."""
        frame = table.table.alias()
        return frame, frame.c.owner_pk == row.pk

    def _label(self, row: Row, *_: Any) -> Expr:
        if row.family == "file":
            return Expr(row.base.c.subject_label, "string")
        return Expr(func.coalesce(func.nullif(row.base.c.label, ""), row.base.c.id), "string")

    def _subject_label(self, row: Row, *rest: Any) -> Expr:
        if row.family == "file":
            return Expr(row.base.c.subject_label, "string")
        return self._label(row.subject, *rest)

    def _project(self, row: Row, *_: Any) -> Expr:
        return Expr(row.base.c.project, "string")

    def _projects(self, row: Row, *_: Any) -> Expr:
        owner = row.subject if row.family == "file" else row
        return Expr(owner.base.c.projects_text, "string")

    def _insert_date(self, row: Row, *_: Any) -> Expr:
        owner = row.subject if row.family == "file" else row
        return Expr(owner.base.c.insert_date, "dateTime")

    def _insert_user(self, row: Row, *_: Any) -> Expr:
        owner = row.subject if row.family == "file" else row
        return Expr(owner.base.c.insert_user, "string")

    def _last_modified(self, row: Row, *_: Any) -> Expr:
        owner = row.subject if row.family == "file" else row
        return Expr(owner.base.c.last_modified, "dateTime")

    def _age(self, row: Row, display: DisplayField, *_: Any) -> Expr:
        """Whole years: as stated, else from birth to the date of the experiment."""
        stated = row.leaf("age", row.data_type) if row.family == "experiment" else None
        ways: list[ColumnElement[Any]] = [] if stated is None else [self._whole(stated)]
        person = row.subject
        age, dob, yob = (person.leaf(f"demographics/{n}", person.data_type) for n in ("age", "dob", "yob"))
        if age is not None:
            ways.append(self._whole(age))
        if row.family == "experiment":
            day = row.base.c.date
            if dob is not None:
                ways.append(self.dialect.years_between(dob.sql, day))
            if yob is not None:
                ways.append(self.dialect.year(day) - yob.sql)
        years: ColumnElement[Any] = func.coalesce(*ways, null()) if ways else null()
        if display.value_type == "float":
            return Expr(cast(years, Float(53)), "float")
        return Expr(cast(years, Integer()), "integer")

    def _whole(self, expr: Expr) -> ColumnElement[Any]:
        return self.dialect.whole(expr.sql) if expr.value_type == "float" else expr.sql

    def _file_count(self, row: Row, _display: DisplayField, _arguments: list[str], value: str) -> Expr:
        return self._files(row, value, func.count())

    def _file_bytes(self, row: Row, _display: DisplayField, _arguments: list[str], value: str) -> Expr:
        return self._files(row, value, func.sum(t.file.c.size))

    def _files(self, row: Row, value: str, total: ColumnElement[Any]) -> Expr:
        """Over the subject's files for which each word is the kind, the run or the package."""
        f = t.file.c
        words = [word.strip() for word in value.split(",") if word.strip()]
        if not words:
            raise BadConstraint("FILE_COUNT and FILE_BYTES need a kind, run or package: FILE_COUNT=T1w")
        conditions = [f.subject_pk == row.subject_pk]
        conditions += [(f.kind == bound(w)) | (f.run == bound(w)) | (f.package == bound(w)) for w in words]
        if not self.who.is_admin:
            conditions.append(visible_subject_pk(f.subject_pk, self.who))
        counted = select(func.nullif(cast(total, BigInteger()), 0)).select_from(t.file).where(*conditions)
        return Expr(counted.correlate_except(t.file).scalar_subquery(), "integer")

    def _count(self, row: Row, _display: DisplayField, arguments: list[str], value: str) -> Expr:
        """The row's experiments of a type: a subject's, or those of a project; no value for zero."""
        xsi_type, project = (arguments[0], value) if arguments and arguments[0] else (value, "")
        counted = Row(self.layout, self.layout.types.get(xsi_type))
        query: Select[Any] = select(func.nullif(func.count(), 0)).select_from(counted.base)
        query = query.where(counted.of_type(), counted.seen_by(self.who))
        if row.family == "subject":
            query = query.where(counted.base.c.subject_pk == row.pk)
        elif row.family == "project":
            query = query.where(
                counted.base.c.pk.in_(self._members(row.base.c.id).correlate_except(t.membership))
            )
        else:
            raise BadConstraint(f"{row.data_type.xsi_type} has no experiments of its own to count")
        if project:
            query = query.where(counted.base.c.pk.in_(self._members(bound(project))))
        return Expr(query.correlate_except(counted.base).scalar_subquery(), "integer")

    def _members(self, project: ColumnElement[Any]) -> Select[Any]:
        return select(t.membership.c.item_pk).where(t.membership.c.project == project)

    def _label_in_project(self, row: Row, _display: DisplayField, _arguments: list[str], value: str) -> Expr:
        m = t.membership.c
        label = (
            select(m.label)
            .where(m.item_pk == row.pk, m.project == bound(value), reads_project(m.project, self.who))
            .correlate_except(t.membership)
        )
        return Expr(label.scalar_subquery(), "string")

    def _field_map(self, row: Row, _display: DisplayField, _arguments: list[str], value: str) -> Expr:
        found = row.child("fields/field/name")
        texts = row.child("fields/field/field")
        if found is None or texts is None:
            raise BadConstraint(f"{row.data_type.xsi_type} has no custom variables")
        if len(self.layout.concrete(row.data_type.xsi_type)) != 1:
            raise BadConstraint("custom variables are columns of one concrete type; name it")
        frame, tie = self.visible_child(row, found[0])
        name = frame.c[found[0].columns["name"].name]
        text = frame.c[found[0].columns["field"].name]
        query = select(text).where(tie, name == bound(value)).order_by(frame.c.entry).limit(1)
        return Expr(query.correlate_except(frame).scalar_subquery(), "string")

    def _project_access(self, row: Row, *_: Any) -> Expr:
        if row.family != "project":
            raise BadConstraint("only a project has an accessibility")
        return Expr(row.accessibility(), "string")

    def _project_users(self, row: Row, _display: DisplayField, arguments: list[str], _value: str) -> Expr:
        u = t.project_user.c
        logins = (
            select(t.account.c.login)
            .join_from(t.project_user, t.account)
            .where(u.project == row.base.c.id)
            .order_by(t.account.c.login)
            .correlate_except(t.project_user, t.account)
        )
        if arguments and arguments[0]:
            logins = logins.where(u.group_name == arguments[0].lower().removesuffix("s"))
        listed = logins.subquery()
        return Expr(select(self.dialect.join_text(listed.c.login, " <br/> ")).scalar_subquery(), "string")

    def _user_role(self, row: Row, _display: DisplayField, _arguments: list[str], value: str) -> Expr:
        """Name of the group that a user (by numeric id) has in the project."""
        u = t.project_user.c
        user = self.who.user_id if value in ("", "{XDAT_USER_ID}") else int(value) if value.isdigit() else -1
        named = case(
            {"owner": "Owners", "member": "Members", "collaborator": "Collaborators"}, value=u.group_name
        )
        query = select(named).where(u.project == row.base.c.id, u.user_id == user)
        return Expr(query.correlate_except(t.project_user).scalar_subquery(), "string")

    def _uri(self, row: Row, *_: Any) -> Expr:
        level = {"project": "projects", "subject": "subjects"}.get(row.family, "experiments")
        return Expr(literal(f"/archive/{level}/", t.string) + row.base.c.id, "string")


_BUILDERS = {
    "label": Expressions._label,
    "subject_label": Expressions._subject_label,
    "project": Expressions._project,
    "projects": Expressions._projects,
    "insert_date": Expressions._insert_date,
    "insert_user": Expressions._insert_user,
    "last_modified": Expressions._last_modified,
    "age": Expressions._age,
    "file_count": Expressions._file_count,
    "file_bytes": Expressions._file_bytes,
    "count": Expressions._count,
    "label_in_project": Expressions._label_in_project,
    "field_map": Expressions._field_map,
    "project_access": Expressions._project_access,
    "project_users": Expressions._project_users,
    "user_role": Expressions._user_role,
    "uri": Expressions._uri,
}


def bound(text: str) -> ColumnElement[str]:
    """A text as a bound value. Raises BadConstraint for text that no database holds."""
    if "\0" in text:
        raise BadConstraint(f"{text!r} holds a NUL character; no value does")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise BadConstraint(f"{text!r} holds half a character; send it as UTF-8")
    return literal(text, t.string)

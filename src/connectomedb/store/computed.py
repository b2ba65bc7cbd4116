"""Every value that a display field can have, as SQL on a row, for one user.

One builder per name of `schema.built_ins`; those that count are in `counts`, formulas in `formulas`. A label,
a login or a count that the user may not know is no value: the law stands inside each expression.

Source  protocol/search-and-types.md 2.2 to 2.5 and 4.8
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, FromClause, case, cast, func, literal, null, select
from sqlalchemy.types import Boolean, Float, Integer

from connectomedb.errors import BadConstraint
from connectomedb.schema.model import DataType, DisplayField
from connectomedb.store import counts
from connectomedb.store import tables as t
from connectomedb.store.asked import Asked, Builder
from connectomedb.store.engine import Dialect
from connectomedb.store.formulas import build, conform
from connectomedb.store.project_facts import DEFAULTS, project_favorite, project_setting, project_visit
from connectomedb.store.rows import Expr, Row, bound
from connectomedb.store.tiers import read_leaf
from connectomedb.store.visibility import reads_in
from connectomedb.vocabulary.records import Principal

_BREAK = " <br/> "
_ROLES = {"owner": "Owners", "member": "Members", "collaborator": "Collaborators"}
ME = "{XDAT_USER_ID}"


class Expressions:
    """Display fields as SQL, for one user on one database."""

    def __init__(self, layout: t.Layout, dialect: Dialect, who: Principal) -> None:
        self.layout = layout
        self.dialect = dialect
        self.who = who

    def of(self, row: Row, display: DisplayField, value: str, data_type: DataType) -> Expr:
        """The value of a display field on a row. Raises BadConstraint when it cannot be computed."""
        if display.formula is None:
            found = self._value(row, display, display.expression, value, data_type)
        else:
            found = build(
                display.formula,
                self.dialect,
                lambda expression: self._value(row, display, expression, value, data_type),
            )
        return conform(found, display.value_type, self.dialect)

    def _value(
        self, row: Row, display: DisplayField, expression: tuple[str, ...], value: str, data_type: DataType
    ) -> Expr:
        name, *arguments = expression
        if name == "element":
            found = read_leaf(row, arguments[0], data_type, self.who)
            if found is None:
                raise BadConstraint(
                    f"{data_type.xsi_type}/{arguments[0]} repeats or is not stored; it can stand in a "
                    "condition, not in a column"
                )
            return found
        if name == "element_of":
            return self._element_of(row, arguments[0], arguments[1])
        builder = _BUILDERS.get(name)
        if builder is None:
            raise BadConstraint(f"{data_type.xsi_type}/{display.id} cannot be computed here ({name})")
        return builder(Asked(self.layout, self.dialect, self.who, row, display, tuple(arguments), value))

    def _element_of(self, row: Row, xsi_type: str, path: str) -> Expr:
        """A leaf of the item itself, of its subject or of its session; reading the item is enough."""
        types = self.layout.types
        if types.is_a(row.data_type.xsi_type, xsi_type):
            owner = row
        elif types.is_a(xsi_type, t.SUBJECT):
            owner = row.subject
        elif types.is_a(xsi_type, t.SESSION):
            owner = row.session
        else:
            raise BadConstraint(f"{row.data_type.xsi_type} does not lead to {xsi_type}")
        found = read_leaf(owner, path, types.get(xsi_type), self.who)
        if found is None:
            raise BadConstraint(f"{xsi_type}/{path} is not a single value")
        return found


# Facts of the item itself


def _stated(row: Row) -> FromClause:
    """The frame that knows when something was stored: files share their subject's."""
    return row.subject.base if row.family == "file" else row.base


def _label_of(row: Row) -> Expr:
    return Expr(func.coalesce(func.nullif(row.base.c.label, ""), row.base.c.id), "string")


def _value_named(asked: Asked) -> Expr:
    return Expr(bound(asked.value), "string")


def _label(asked: Asked) -> Expr:
    if asked.row.family == "file":
        return Expr(asked.row.base.c.subject_label, "string")
    return _label_of(asked.row)


def _subject_label(asked: Asked) -> Expr:
    if asked.row.family == "file":
        return Expr(asked.row.base.c.subject_label, "string")
    return _label_of(asked.row.subject)


def _session_label(asked: Asked) -> Expr:
    return _label_of(asked.row.session)


def _session_id(asked: Asked) -> Expr:
    return Expr(asked.row.session.base.c.id, "string")


def _subject_id(asked: Asked) -> Expr:
    return Expr(asked.row.subject.base.c.id, "string")


def _key(asked: Asked) -> Expr:
    return Expr(asked.row.pk, "integer")


def _project(asked: Asked) -> Expr:
    return Expr(asked.row.base.c.project, "string")


def _projects(asked: Asked) -> Expr:
    return Expr(_stated(asked.row).c.projects_text, "string")


def _insert_date(asked: Asked) -> Expr:
    return Expr(_stated(asked.row).c.insert_date, "dateTime")


def _insert_user(asked: Asked) -> Expr:
    return Expr(_stated(asked.row).c.insert_user, "string")


def _last_modified(asked: Asked) -> Expr:
    stated = _stated(asked.row).c
    return Expr(func.coalesce(stated.last_modified, stated.insert_date), "dateTime")


def _uri(asked: Asked) -> Expr:
    level = {"project": "projects", "subject": "subjects"}.get(asked.row.family, "experiments")
    return Expr(literal(f"/archive/{level}/", t.string) + asked.row.base.c.id, "string")


def _last_workflow(_asked: Asked) -> Expr:
    """No value: no workflow runs on this site, so no item ever had one."""
    return Expr(cast(null(), t.string), "string")


# Labels by project


def _label_in_project(asked: Asked) -> Expr:
    m = t.membership.c
    label = (
        select(func.coalesce(func.nullif(m.label, ""), asked.row.base.c.id))
        .where(
            m.item_pk == asked.row.pk,
            m.project == bound(asked.needed_value()),
            reads_in(m.project, asked.row.base.c.xsi_type, asked.who),
        )
        .correlate_except(t.membership)
    )
    return Expr(label.scalar_subquery(), "string")


def _all_labels(asked: Asked) -> Expr:
    """Own label, then those of the shares into projects that the user reads, in the order of sharing."""
    m = t.membership.alias()
    reads = reads_in(m.c.project, asked.row.base.c.xsi_type, asked.who)
    listed = (
        select(m.c.label, m.c.position)
        .where(m.c.item_pk == asked.row.pk, (m.c.position == 0) | reads)
        .order_by(m.c.position)
        .correlate_except(m)
        .subquery()
    )
    joined = asked.dialect.join_text(listed.c.label, ", ", listed.c.position)
    return Expr(select(joined).scalar_subquery(), "string")


def _shared_label(asked: Asked) -> Expr:
    m = t.membership.alias()
    reads = reads_in(m.c.project, asked.row.base.c.xsi_type, asked.who)
    label = (
        select(m.c.label)
        .where(m.c.item_pk == asked.row.pk, m.c.position > 0, reads)
        .order_by(m.c.position)
        .limit(1)
        .correlate_except(m)
    )
    return Expr(label.scalar_subquery(), "string")


# Age and custom variables


def _age(asked: Asked) -> Expr:
    """By the first way that gives one; whole years, unless `exact` is among the ways."""
    exact = "exact" in asked.arguments
    found = [sql for way in asked.arguments if (sql := _age_by(way, asked, exact=exact)) is not None]
    kind = Float(53) if exact else Integer()
    years = func.coalesce(*found, null()) if found else null()
    return Expr(cast(years, kind), "float" if exact else "integer")


def _age_by(way: str, asked: Asked, *, exact: bool) -> ColumnElement[Any] | None:
    row, dialect = asked.row, asked.dialect
    if way == "stated":
        return _years_said(read_leaf(row, "age", row.data_type, asked.who), asked, exact=exact)
    person = row.subject
    age, dob, yob = (
        read_leaf(person, f"demographics/{name}", person.data_type, asked.who)
        for name in ("age", "dob", "yob")
    )
    if way == "demographics":
        return _years_said(age, asked, exact=exact)
    if row.family != "experiment":
        return None
    day = row.base.c.date
    if way == "year":
        return None if yob is None else dialect.year(day) - yob.sql
    if dob is None:
        return None
    if way == "birthday":
        return dialect.years_between(dob.sql, day)
    days = dialect.days_between(dob.sql, day)
    return cast(days, Float(53)) / 365.25 if way == "exact" else days // 365


def _years_said(expr: Expr | None, asked: Asked, *, exact: bool) -> ColumnElement[Any] | None:
    if expr is None or exact or expr.value_type != "float":
        return None if expr is None else expr.sql
    return asked.dialect.whole(expr.sql)


def _field_map(asked: Asked) -> Expr:
    """The custom variable named, from the table of whichever concrete type the item is."""
    row, name = asked.row, bound(asked.needed_value())
    found = []
    for typed in asked.layout.concrete(row.data_type.xsi_type):
        child = typed.children.get(t.VARIABLES)
        if child is not None:
            frame = child.table.alias()
            texts = (
                select(frame.c[child.columns["field"].name])
                .where(frame.c.owner_pk == row.pk, frame.c[child.columns["name"].name] == name)
                .order_by(frame.c.entry)
                .limit(1)
            )
            found.append(texts.correlate_except(frame).scalar_subquery())
    if not found:
        raise BadConstraint(f"{row.data_type.xsi_type} has no custom variables")
    return Expr(found[0] if len(found) == 1 else func.coalesce(*found), "string")


# Projects


def _project_access(asked: Asked) -> Expr:
    return Expr(asked.project().accessibility(), "string")


def _project_users(asked: Asked) -> Expr:
    u = t.project_user.c
    logins = (
        select(t.account.c.login)
        .join_from(t.project_user, t.account)
        .where(u.project == asked.project().base.c.id)
        .order_by(t.account.c.login)
        .correlate_except(t.project_user, t.account)
    )
    if asked.arguments:
        logins = logins.where(u.group_name == asked.arguments[0])
    listed = logins.subquery()
    return Expr(select(asked.dialect.join_text(listed.c.login, _BREAK)).scalar_subquery(), "string")


def _project_investigators(asked: Asked) -> Expr:
    """`Last, First` of the principal investigator, then of the others in document order."""
    row = asked.project()
    names = [row.leaf(f"PI/{part}", row.data_type) for part in ("lastname", "firstname")]
    found = row.child("investigators/investigator/lastname")
    if found is None or names[0] is None or names[1] is None:
        raise BadConstraint(f"{row.data_type.xsi_type} has no investigators")
    pi = names[0].sql.concat(", ").concat(names[1].sql)
    frame = found[0].table.alias()
    last, first = (frame.c[found[0].columns[part].name] for part in ("lastname", "firstname"))
    listed = (
        select(last.concat(", ").concat(first).label("name"), frame.c.entry)
        .where(frame.c.owner_pk == row.pk)
        .order_by(frame.c.entry)
        .correlate_except(frame)
        .subquery()
    )
    joined = asked.dialect.join_text(listed.c.name, _BREAK, listed.c.entry)
    others = select(joined).scalar_subquery()
    return Expr(func.coalesce(pi.concat(_BREAK).concat(others), pi, others), "string")


def _project_setting(asked: Asked) -> Expr:
    s = project_setting.c
    name = asked.arguments[0]
    found = select(s.value).where(s.project == asked.project().base.c.id, s.name == name)
    stored = found.correlate_except(project_setting).scalar_subquery()
    return Expr(func.coalesce(stored, DEFAULTS[name]), "integer")


def _user_role(asked: Asked) -> Expr:
    """Name of the group that a user (by numeric id) has in the project."""
    u = t.project_user.c
    named = case(_ROLES, value=u.group_name, else_=u.group_name)
    query = select(named).where(u.project == asked.project().base.c.id, u.user_id == _user(asked))
    return Expr(query.correlate_except(t.project_user).scalar_subquery(), "string")


def _last_accessed(asked: Asked) -> Expr:
    """When a user last opened the project; of others only an administrator learns it."""
    user = _user(asked)
    if user != asked.who.user_id and not asked.who.is_admin:
        return Expr(cast(null(), t.SQL_TYPES["dateTime"]), "dateTime")
    v = project_visit.c
    query = select(v.visited_at).where(v.project == asked.project().base.c.id, v.user_id == user)
    return Expr(query.correlate_except(project_visit).scalar_subquery(), "dateTime")


def _project_last_access(asked: Asked) -> Expr:
    v = project_visit.c
    query = select(func.max(v.visited_at)).where(v.project == asked.project().base.c.id)
    return Expr(query.correlate_except(project_visit).scalar_subquery(), "dateTime")


def _project_favorite(asked: Asked) -> Expr:
    f = project_favorite.c
    query = select(f.project).where(f.project == asked.project().base.c.id, f.user_id == asked.who.user_id)
    return Expr(cast(query.correlate_except(project_favorite).exists(), Boolean()), "boolean")


def _user(asked: Asked) -> int:
    """The numeric id that is named; -1, which nobody has, for what is none."""
    value = asked.needed_value()
    if value == ME:
        return asked.who.user_id
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else -1


_BUILDERS: Mapping[str, Builder] = {
    "value": _value_named,
    "label": _label,
    "subject_label": _subject_label,
    "session_label": _session_label,
    "session_id": _session_id,
    "subject_id": _subject_id,
    "key": _key,
    "project": _project,
    "projects": _projects,
    "all_labels": _all_labels,
    "shared_label": _shared_label,
    "label_in_project": _label_in_project,
    "insert_date": _insert_date,
    "insert_user": _insert_user,
    "last_modified": _last_modified,
    "uri": _uri,
    "age": _age,
    "field_map": _field_map,
    "count": counts.count,
    "count_in_project": counts.count_in_project,
    "scan_count": counts.scan_count,
    "scan_summary": counts.scan_summary,
    "file_count": counts.file_count,
    "file_bytes": counts.file_bytes,
    "project_access": _project_access,
    "project_users": _project_users,
    "project_investigators": _project_investigators,
    "project_setting": _project_setting,
    "user_role": _user_role,
    "last_accessed": _last_accessed,
    "project_last_access": _project_last_access,
    "project_favorite": _project_favorite,
    "last_workflow": _last_workflow,
}

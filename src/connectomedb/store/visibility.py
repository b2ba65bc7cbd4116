"""Who sees what, as predicates that stand inside every query.

The law:

* A user reads a project whole when they are in one of its standard groups, or when it is public.
* A custom group reads the items of those data types, and of a project, for which it has the right to. The
  type of an item is its concrete one.
* An item is visible when the user reads it in at least one project that it belongs to, as owner or by a
  share: `item.pk IN (SELECT item_pk FROM membership WHERE project IN (projects read by the user))`.
* Of a type that is registered as not secured, all who are logged in see every item; of one that is registered
  as not accessible, nobody but administrators sees any.
* The project record itself is visible to everybody in one of its groups, and moreover when it is protected.
* A scan, a reconstruction or a resource is visible when the item at its top (`root_pk`) is.
* A file is visible when its subject is, in a project where the user reads files; one without a subject, when
  the user reads the files of its project.
* An administrator sees everything; who is in a site group for all data reads every project; the guest is a
  user in no group.
* What is deleted or obsolete is visible to nobody.

No result is ever filtered after it was fetched.

Source  protocol/search-and-types.md 1.7 and 4.8; the records of types are `registration`, groups `groups`
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import CompoundSelect, FromClause, Select, and_, false, literal, or_, select, true, union_all
from sqlalchemy.sql.elements import ColumnElement

from connectomedb.store import tables as t
from connectomedb.store.groups import project_group_right, project_group_user
from connectomedb.store.registration import element_security
from connectomedb.vocabulary.records import Principal

HIDDEN_STATUSES = ("deleted", "obsolete")


def read_projects(who: Principal) -> CompoundSelect[Any]:
    """Ids of the projects that the user reads whole (not for administrators, who read all)."""
    return (
        select(t.project_user.c.project)
        .where(t.project_user.c.user_id == who.user_id)
        .union_all(
            select(t.project.c.id).where(true() if who.all_data else t.project.c.accessibility == "public")
        )
    )


def reads_project(project: ColumnElement[Any], who: Principal) -> ColumnElement[bool]:
    """The user reads this project, whole or in part: which of its items, `reads_in` says."""
    if who.is_admin:
        return true()
    u = project_group_user.c
    return or_(
        project.in_(read_projects(who)), project.in_(select(u.project).where(u.user_id == who.user_id))
    )


def reads_in(
    project: ColumnElement[Any], xsi_type: ColumnElement[Any], who: Principal
) -> ColumnElement[bool]:
    """The user reads items of this concrete type in this project."""
    if who.is_admin:
        return true()
    pairs = _rights(who)
    mine = select(literal(1)).where(pairs.c.project == project, pairs.c.xsi_type == xsi_type)
    return or_(
        project.in_(read_projects(who)), mine.correlate_except(pairs).exists(), _open_to(xsi_type, who)
    )


def accessible(xsi_type: ColumnElement[Any], who: Principal) -> ColumnElement[bool]:
    """Items of this type are for more than administrators."""
    return true() if who.is_admin else xsi_type.not_in(_closed_types())


def visible(item: FromClause, who: Principal) -> ColumnElement[bool]:
    """The user sees this row of `item` (or of an alias of it)."""
    alive = item.c.status.notin_(HIDDEN_STATUSES)
    if who.is_admin:
        return alive
    return and_(alive, accessible(item.c.xsi_type, who), item.c.pk.in_(_members(who)))


def visible_with_root(item: FromClause, who: Principal) -> ColumnElement[bool]:
    """The user sees this row of `item`, a part of another one or not: its root is visible."""
    alive = item.c.status.notin_(HIDDEN_STATUSES)
    if who.is_admin:
        return alive
    top = t.item.alias()
    closed = select(top.c.pk).where(top.c.xsi_type.in_(_closed_types()))
    return and_(
        alive,
        accessible(item.c.xsi_type, who),
        item.c.root_pk.in_(_members(who)),
        item.c.root_pk.not_in(closed),
    )


def visible_project(item: FromClause, who: Principal) -> ColumnElement[bool]:
    """The user sees this project record: protected ones too."""
    alive = item.c.status.notin_(HIDDEN_STATUSES)
    if who.is_admin:
        return alive
    shown = select(t.project.c.pk).where(t.project.c.accessibility == "protected")
    return and_(
        alive, accessible(item.c.xsi_type, who), or_(reads_project(item.c.id, who), item.c.pk.in_(shown))
    )


def visible_subject_pk(subject_pk: ColumnElement[Any], who: Principal) -> ColumnElement[bool]:
    """The user sees the subject of this primary key."""
    if who.is_admin:
        return true()
    return and_(subject_pk.in_(_members(who, "subject")), accessible(literal(t.SUBJECT, t.string), who))


def visible_file(file: FromClause, who: Principal) -> ColumnElement[bool]:
    """The user sees this row of `file`."""
    if who.is_admin:
        return true()
    kind = literal(t.FILE, t.string)
    m = t.membership.alias()
    somewhere = select(m.c.item_pk).where(m.c.family == "subject", reads_in(m.c.project, kind, who))
    of_subject = and_(visible_subject_pk(file.c.subject_pk, who), file.c.subject_pk.in_(somewhere))
    alone = and_(file.c.subject_pk.is_(None), reads_in(file.c.project, kind, who))
    return and_(accessible(kind, who), or_(of_subject, alone, _open_to(kind, who)))


def _members(who: Principal, family: str = "") -> CompoundSelect[Any]:
    """Keys of what the user reads in some project, or wherever it is; of one family when that is said."""
    m, typed, top, open_item = (
        t.membership.c,
        t.membership.alias(),
        t.item.alias(),
        t.item.alias(),
    )
    pairs = _rights(who)
    whole: Select[Any] = select(m.item_pk).where(m.project.in_(read_projects(who)))
    in_part: Select[Any] = (
        select(typed.c.item_pk)
        .join_from(pairs, typed, typed.c.project == pairs.c.project)
        .join(top, and_(top.c.pk == typed.c.item_pk, top.c.xsi_type == pairs.c.xsi_type))
    )
    anywhere: Select[Any] = select(open_item.c.pk).where(_open_to(open_item.c.xsi_type, who))
    if family:
        whole, in_part = whole.where(m.family == family), in_part.where(typed.c.family == family)
        anywhere = anywhere.where(open_item.c.family == family)
    return union_all(whole, in_part, anywhere)


def _rights(who: Principal) -> FromClause:
    """(project, xsi_type) of what the user's custom groups read."""
    u, r = project_group_user.c, project_group_right.c
    return (
        select(r.project, r.xsi_type)
        .join_from(
            project_group_user,
            project_group_right,
            and_(r.project == u.project, r.group_id == u.group_id),
        )
        .where(u.user_id == who.user_id, r.may_read)
        .subquery()
    )


def _closed_types() -> Select[Any]:
    """Types that only administrators see."""
    s = element_security.c
    return select(s.element_name).where(s.accessible.is_(False))


def _open_to(xsi_type: ColumnElement[Any], who: Principal) -> ColumnElement[bool]:
    """Items of this type are for everybody who is logged in, whatever projects they read."""
    if who.is_guest:
        return false()
    s = element_security.c
    return xsi_type.in_(select(s.element_name).where(or_(s.secure.is_(False), s.secure_read.is_(False))))

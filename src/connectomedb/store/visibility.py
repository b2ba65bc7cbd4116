"""Who sees what, as predicates that stand inside every query.

The law:

* A user reads a project when they are in one of its groups, or when it is public.
* An item is visible when at least one project that it belongs to, as owner or by a share, is read by
  the user: `item.pk IN (SELECT item_pk FROM membership WHERE project IN (projects read by the user))`.
* The project record itself is moreover visible when the project is protected.
* A scan, a reconstruction or a resource is visible when the item at its top (`root_pk`) is.
* A file is visible when its subject is; one without a subject, when its project is read.
* An administrator sees everything; who is in a site group for all data reads every project; the guest is a
  user in no group.
* What is deleted or obsolete is visible to nobody.

No result is ever filtered after it was fetched.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import CompoundSelect, FromClause, and_, or_, select, true
from sqlalchemy.sql.elements import ColumnElement

from connectomedb.store import tables as t
from connectomedb.vocabulary.records import Principal

HIDDEN_STATUSES = ("deleted", "obsolete")


def read_projects(who: Principal) -> CompoundSelect[Any]:
    """Ids of the projects whose data the user reads (not for administrators, who read all)."""
    return (
        select(t.project_user.c.project)
        .where(t.project_user.c.user_id == who.user_id)
        .union_all(
            select(t.project.c.id).where(true() if who.all_data else t.project.c.accessibility == "public")
        )
    )


def reads_project(project: ColumnElement[Any], who: Principal) -> ColumnElement[bool]:
    """The user reads the data of this project."""
    if who.is_admin:
        return true()
    return project.in_(read_projects(who))


def visible(item: FromClause, who: Principal) -> ColumnElement[bool]:
    """The user sees this row of `item` (or of an alias of it)."""
    alive = item.c.status.notin_(HIDDEN_STATUSES)
    if who.is_admin:
        return alive
    members = select(t.membership.c.item_pk).where(t.membership.c.project.in_(read_projects(who)))
    return and_(alive, item.c.pk.in_(members))


def visible_with_root(item: FromClause, who: Principal) -> ColumnElement[bool]:
    """The user sees this row of `item`, a part of another one or not: its root is visible."""
    alive = item.c.status.notin_(HIDDEN_STATUSES)
    if who.is_admin:
        return alive
    members = select(t.membership.c.item_pk).where(t.membership.c.project.in_(read_projects(who)))
    return and_(alive, item.c.root_pk.in_(members))


def visible_project(item: FromClause, who: Principal) -> ColumnElement[bool]:
    """The user sees this project record: protected ones too."""
    alive = item.c.status.notin_(HIDDEN_STATUSES)
    if who.is_admin:
        return alive
    shown = select(t.project.c.pk).where(t.project.c.accessibility == "protected")
    return and_(alive, or_(item.c.id.in_(read_projects(who)), item.c.pk.in_(shown)))


def visible_subject_pk(subject_pk: ColumnElement[Any], who: Principal) -> ColumnElement[bool]:
    """The user sees the subject of this primary key."""
    if who.is_admin:
        return true()
    members = select(t.membership.c.item_pk).where(
        t.membership.c.family == "subject", t.membership.c.project.in_(read_projects(who))
    )
    return subject_pk.in_(members)


def visible_file(file: FromClause, who: Principal) -> ColumnElement[bool]:
    """The user sees this row of `file`."""
    if who.is_admin:
        return true()
    return or_(
        visible_subject_pk(file.c.subject_pk, who),
        and_(file.c.subject_pk.is_(None), reads_project(file.c.project, who)),
    )

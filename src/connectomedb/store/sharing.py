"""Share items into further projects, take shares back, and keep the `PROJECTS` text in step.

What follows along: a subject's experiments do not follow a share, but leave a project together with it; a
session's scans and resources are seen with it; its assessors are shared on their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from connectomedb.errors import AccessDenied, AlreadyShared, BadConstraint
from connectomedb.store import tables as t
from connectomedb.store.history import note_change
from connectomedb.store.items import label_taken, not_found
from connectomedb.store.projects import LEGAL_NAME, existing_project, now
from connectomedb.store.rights import need_right, target_project
from connectomedb.store.standing import note_taking_away
from connectomedb.store.visibility import visible
from connectomedb.store.writer import projects_text
from connectomedb.vocabulary.records import Principal


def share(
    connection: Connection,
    layout: t.Layout,
    item_id: str,
    project: str,
    label: str,
    who: Principal,
    *,
    reason: str = "",
) -> None:
    """Let a further project see an item, under a label of its own ('' for the owner's), or relabel it there.

    Raises  NotFound when the user does not see the item; NoSuchProject; AccessDenied when the user is
            neither owner nor member there; AlreadyShared; LabelTaken
    """
    found = _seen_item(connection, item_id, who)
    target = target_project(connection, project, who, "create", f"sharing {item_id} there")
    m = t.membership.c
    there = connection.execute(
        select(m.label, m.position).where(m.item_pk == found.pk, m.project == target)
    ).one_or_none()
    if there is not None and (there.position == 0 or label in ("", there.label)):
        raise AlreadyShared(f"{item_id} is in {target} already")
    label = label or found.label
    if not LEGAL_NAME.match(label):
        raise BadConstraint(f"the label {label!r} is not legal: letters, digits, _ and - only")
    note_change(connection, layout, found.pk, who, "shared", reason)
    try:
        if there is not None:
            connection.execute(
                update(t.membership).where(m.item_pk == found.pk, m.project == target).values(label=label)
            )
        else:
            last = connection.scalar(select(func.max(m.position)).where(m.item_pk == found.pk)) or 0
            connection.execute(
                insert(t.membership).values(
                    item_pk=found.pk, project=target, family=found.family, label=label, position=last + 1
                )
            )
    except IntegrityError as problem:
        raise label_taken(found.family, label, target) from problem
    _touch(connection, [found.pk])


def unshare(
    connection: Connection, layout: t.Layout, item_id: str, project: str, who: Principal, *, reason: str = ""
) -> None:
    """Take an item out of a project that it is shared into; a subject's shared experiments leave with it.

    Raises  NotFound when it is not there for the user; AccessDenied when the user may not delete there, or
            the project owns experiments of that subject or assessors of that session
    """
    found = _seen_item(connection, item_id, who)
    target = existing_project(connection, project)
    m, i = t.membership.c, t.item.c
    position = connection.scalar(select(m.position).where(m.item_pk == found.pk, m.project == target))
    if position is None:
        raise not_found(found.family, item_id, project)
    if position == 0:
        raise AccessDenied(f"{target} owns {item_id}; delete it there, or move it to another project first")
    need_right(connection, who, target, "delete", f"taking {item_id} out of {target}")
    inside = i.subject_pk == found.pk if found.family == "subject" else i.owner_pk == found.pk
    members = connection.execute(
        select(i.pk, m.position)
        .join_from(t.item, t.membership, m.item_pk == i.pk)
        .where(inside, i.family == "experiment", m.project == target)
        .with_for_update()
    ).all()
    if any(one.position == 0 for one in members):
        what = "experiments of that subject" if found.family == "subject" else "assessors of that session"
        raise AccessDenied(f"{target} owns {what}; delete or move them first")
    leaving = [found.pk]
    if found.family == "subject":
        leaving += [one.pk for one in members]
    for pk in leaving:
        note_change(connection, layout, pk, who, "unshared", reason)
    connection.execute(delete(t.membership).where(m.item_pk.in_(leaving), m.project == target))
    note_taking_away(connection)
    _touch(connection, leaving)


def move(
    connection: Connection, layout: t.Layout, item_id: str, project: str, who: Principal, *, reason: str = ""
) -> None:
    """Give an item to another project; the old owner keeps a share, an own share there is taken over.

    Raises  NotFound, NoSuchProject; AccessDenied without the right to delete here and create there;
            AlreadyShared when it is the owner already; LabelTaken
    """
    found = _seen_item(connection, item_id, who)
    target = target_project(connection, project, who, "create", f"moving {item_id} there")
    if target == found.project:
        raise AlreadyShared(f"{target} owns {item_id} already")
    need_right(connection, who, found.project, "delete", f"moving {item_id} away")
    m, i = t.membership.c, t.item.c
    note_change(connection, layout, found.pk, who, "moved", reason)
    mine = m.item_pk == found.pk
    label = connection.scalar(select(m.label).where(mine, m.project == target))
    last = connection.scalar(select(func.max(m.position)).where(mine)) or 0
    try:
        connection.execute(update(t.membership).where(mine, m.position == 0).values(position=last + 1))
        if label is None:
            label = found.label
            connection.execute(
                insert(t.membership).values(
                    item_pk=found.pk, project=target, family=found.family, label=label, position=0
                )
            )
        else:
            connection.execute(update(t.membership).where(mine, m.project == target).values(position=0))
    except IntegrityError as problem:
        raise label_taken(found.family, found.label, target) from problem
    connection.execute(update(t.item).where(i.root_pk == found.pk).values(project=target))
    connection.execute(update(t.item).where(i.pk == found.pk).values(label=label))
    _touch(connection, [found.pk])


def refresh_projects_text(connection: Connection, pks: Iterable[int]) -> None:
    """Make the `PROJECTS` text of items, and of their parts, what their memberships say."""
    m, i = t.membership.c, t.item.c
    for pk in pks:
        rows = connection.execute(
            select(m.family, m.project).where(m.item_pk == pk).order_by(m.position)
        ).all()
        if rows:
            text = projects_text(rows[0].family, [row.project for row in rows])
            connection.execute(update(t.item).where(i.root_pk == pk).values(projects_text=text))


def _touch(connection: Connection, pks: list[int]) -> None:
    refresh_projects_text(connection, pks)
    connection.execute(update(t.item).where(t.item.c.pk.in_(pks)).values(last_modified=now()))


def _seen_item(connection: Connection, item_id: str, who: Principal) -> Row[Any, Any, Any, Any]:
    """The subject or experiment, when the user sees it; nobody else changes it meanwhile."""
    i = t.item.c
    found = connection.execute(
        select(i.pk, i.family, i.label, i.project)
        .where(i.id == item_id, i.family.in_(("subject", "experiment")), visible(t.item, who))
        .with_for_update()
    ).one_or_none()
    if found is None:
        raise not_found("", item_id)
    return found

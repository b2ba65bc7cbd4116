"""Find an experiment by what a path says, and share items into further projects."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from connectomedb.errors import AccessDenied, AlreadyShared, ConfigurationError
from connectomedb.store import tables as t
from connectomedb.store.items import label_taken, not_found
from connectomedb.store.projects import LEGAL_NAME, existing_project, now
from connectomedb.store.subjects import locate
from connectomedb.store.visibility import visible
from connectomedb.vocabulary.records import Located, Principal

_MAY_SHARE_INTO = ("owner", "member")


def locate_experiment(
    connection: Connection, text: str, who: Principal, *, project: str = "", subject: str = ""
) -> Located:
    """The experiment of that id; within a project also of the label it has there.

    With `subject` (an id, or a label in the project) only an experiment of that subject.

    Raises  NoSuchExperiment, also when the user may not see it
    Cost    one statement
    Source  protocol/rest.md 0.7
    """
    return locate(connection, "experiment", text, who, project=project, subject=subject)


def share(connection: Connection, item_id: str, project: str, label: str, who: Principal) -> None:
    """Let a further project see an item, under a label of its own ('' for the owner's).

    Raises  NotFound when the user does not see the item; NoSuchProject; AccessDenied when the user is
            neither owner nor member there; AlreadyShared; LabelTaken
    """
    found = _seen_item(connection, item_id, who)
    target = existing_project(connection, project)
    if not who.is_admin and not _may_share_into(connection, target, who):
        raise AccessDenied(f"sharing into {target} needs to be its owner or member")
    label = label or found.label
    if not LEGAL_NAME.match(label):
        raise ConfigurationError(f"the label {label!r} is not legal: letters, digits, _ and - only")
    m = t.membership.c
    if connection.scalar(select(m.position).where(m.item_pk == found.pk, m.project == target)) is not None:
        raise AlreadyShared(f"{item_id} is in {target} already")
    taken = select(m.item_pk).where(m.project == target, m.family == found.family, m.label == label)
    if connection.scalar(taken) is not None:
        raise label_taken(found.family, label, target)
    last = connection.scalar(select(func.max(m.position)).where(m.item_pk == found.pk)) or 0
    connection.execute(
        insert(t.membership).values(
            item_pk=found.pk, project=target, family=found.family, label=label, position=last + 1
        )
    )
    connection.execute(
        update(t.item)
        .where(t.item.c.pk == found.pk)
        .values(projects_text=f"{found.projects_text},<{target}>", last_modified=now())
    )


def _seen_item(connection: Connection, item_id: str, who: Principal) -> Row[Any, Any, Any, Any]:
    i = t.item.c
    found = connection.execute(
        select(i.pk, i.family, i.label, i.projects_text).where(
            i.id == item_id, i.family != "project", visible(t.item, who)
        )
    ).one_or_none()
    if found is None:
        raise not_found("", item_id)
    return found


def _may_share_into(connection: Connection, project: str, who: Principal) -> bool:
    u = t.project_user.c
    group = connection.scalar(select(u.group_name).where(u.project == project, u.user_id == who.user_id))
    return group in _MAY_SHARE_INTO

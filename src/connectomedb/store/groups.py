"""Groups of a project: the three that each has, and those that its owners make.

A custom group has its own rights per data type; it is kept beside the standard groups, so that whoever is in
one and nothing else sees only what its rights say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    Table,
    delete,
    func,
    insert,
    select,
    update,
)

from connectomedb.errors import AccessDenied, BadConstraint, NotFound
from connectomedb.store import tables as t
from connectomedb.vocabulary.records import Group

DISPLAY_NAMES: Mapping[Group, str] = {"owner": "Owners", "member": "Members", "collaborator": "Collaborators"}
_LEGAL = re.compile(r"[A-Za-z0-9_-]{1,100}\Z")
_LEGAL_NAME = re.compile(r"[^_\x00-\x1f<>\"]{1,100}\Z")

project_group = Table(
    "project_group",
    t.core,
    Column("project", t.string, ForeignKey("project.id", ondelete="CASCADE"), primary_key=True),
    Column("id", t.string, primary_key=True),
    Column("display_name", t.string, nullable=False),
)

project_group_right = Table(
    "project_group_right",
    t.core,
    Column("project", t.string, primary_key=True),
    Column("group_id", t.string, primary_key=True),
    Column("xsi_type", t.string, primary_key=True),
    Column("may_read", Boolean, nullable=False),
    Column("may_edit", Boolean, nullable=False),
    Column("may_delete", Boolean, nullable=False),
    ForeignKeyConstraint(
        ["project", "group_id"], ["project_group.project", "project_group.id"], ondelete="CASCADE"
    ),
)

project_group_user = Table(
    "project_group_user",
    t.core,
    Column("project", t.string, primary_key=True),
    Column("group_id", t.string, primary_key=True),
    Column("user_id", Integer, ForeignKey("account.user_id", ondelete="CASCADE"), primary_key=True),
    ForeignKeyConstraint(
        ["project", "group_id"], ["project_group.project", "project_group.id"], ondelete="CASCADE"
    ),
)


@dataclass(frozen=True, slots=True)
class TypeRights:
    """What a custom group may do with items of one data type; edit includes create."""

    read: bool = False
    edit: bool = False
    delete: bool = False


@dataclass(frozen=True, slots=True)
class ProjectGroup:
    """A group of a project; `standard` is None for a custom one."""

    project: str
    id: str
    display_name: str
    standard: Group | None = None
    n_users: int = 0


def standard_groups(project: str) -> tuple[ProjectGroup, ...]:
    """The three groups that every project has."""
    return tuple(ProjectGroup(project, f"{project}_{g}", name, g) for g, name in DISPLAY_NAMES.items())


def find_group(connection: Connection, project: str, text: str) -> ProjectGroup:
    """The group of that id (`LIFESPAN_member`), suffix (`member`) or display name (`Members`).

    Raises  NotFound with the groups that there are
    """
    groups = (*standard_groups(project), *_custom_groups(connection, project))
    wanted = text.lower()
    for group in groups:
        if wanted in (group.id.lower(), group.display_name.lower(), group.standard):
            return group
    raise NotFound(f"no group {text!r} in {project}; there are: {', '.join(g.display_name for g in groups)}")


def list_groups(connection: Connection, project: str) -> tuple[ProjectGroup, ...]:
    """The groups of a project, the standard ones first, with the number of their people."""
    u = t.project_user.c
    query = select(u.group_name, func.count()).where(u.project == project).group_by(u.group_name)
    counts: dict[str, int] = dict(connection.execute(query).all())
    standard = tuple(
        ProjectGroup(g.project, g.id, g.display_name, g.standard, counts.get(g.standard or "", 0))
        for g in standard_groups(project)
    )
    return (*standard, *_custom_groups(connection, project))


def keep_group(
    connection: Connection, project: str, text: str, display_name: str, rights: Mapping[str, TypeRights]
) -> ProjectGroup:
    """Make a custom group, or change one: its name, and all of its rights.

    Raises  AccessDenied for a standard group; BadConstraint for an id or a name that is not legal
    """
    _refuse_standard(project, text)
    if not display_name or not _LEGAL_NAME.match(display_name):
        raise BadConstraint("xdat:userGroup/displayName must be given, without an underscore")
    if not _LEGAL.match(text):
        raise BadConstraint(f"the group id {text!r} is not legal: letters, digits, _ and - only")
    taken = {g.display_name.lower() for g in list_groups(connection, project) if g.id.lower() != text.lower()}
    if display_name.lower() in taken:
        raise BadConstraint(f"another group of {project} is called {display_name!r}; choose another name")
    g, r = project_group.c, project_group_right.c
    here = (g.project == project, g.id == text)
    if not connection.execute(update(project_group).where(*here).values(display_name=display_name)).rowcount:
        connection.execute(insert(project_group).values(project=project, id=text, display_name=display_name))
    connection.execute(delete(project_group_right).where(r.project == project, r.group_id == text))
    rows = [
        {
            "project": project,
            "group_id": text,
            "xsi_type": xsi_type,
            "may_read": may.read or may.edit or may.delete,
            "may_edit": may.edit,
            "may_delete": may.delete,
        }
        for xsi_type, may in rights.items()
    ]
    if rows:
        connection.execute(insert(project_group_right), rows)
    return ProjectGroup(project, text, display_name)


def drop_group(connection: Connection, project: str, text: str) -> None:
    """Raises AccessDenied for a standard group; NotFound."""
    _refuse_standard(project, text)
    group = find_group(connection, project, text)
    g = project_group.c
    connection.execute(delete(project_group).where(g.project == project, g.id == group.id))


def rights_of(connection: Connection, project: str, group_id: str) -> dict[str, TypeRights]:
    """What a custom group may do, by data type."""
    r = project_group_right.c
    query = select(project_group_right).where(r.project == project, r.group_id == group_id)
    rows = connection.execute(query.order_by(r.xsi_type))
    return {row.xsi_type: TypeRights(row.may_read, row.may_edit, row.may_delete) for row in rows}


def enter(connection: Connection, group: ProjectGroup, user_id: int) -> None:
    """Put a person into a group. Entering a standard one leaves the standard one they were in."""
    if group.standard is not None:
        u = t.project_user.c
        here = (u.user_id == user_id, u.project == group.project)
        connection.execute(delete(t.project_user).where(*here))
        row: dict[str, Any] = {"user_id": user_id, "project": group.project, "group_name": group.standard}
        connection.execute(insert(t.project_user).values(row))
        return
    leave(connection, group, user_id)
    row = {"user_id": user_id, "project": group.project, "group_id": group.id}
    connection.execute(insert(project_group_user).values(row))


def leave(connection: Connection, group: ProjectGroup, user_id: int) -> bool:
    """Take a person out of a group; False when they were not in it."""
    if group.standard is not None:
        u = t.project_user.c
        mine = (u.user_id == user_id, u.project == group.project, u.group_name == group.standard)
        return bool(connection.execute(delete(t.project_user).where(*mine)).rowcount)
    g = project_group_user.c
    mine = (g.user_id == user_id, g.project == group.project, g.group_id == group.id)
    return bool(connection.execute(delete(project_group_user).where(*mine)).rowcount)


def groups_of(connection: Connection, user_id: int) -> Sequence[str]:
    """Ids of the project groups that a person is in, in order."""
    u, g = t.project_user.c, project_group_user.c
    standard = connection.execute(select(u.project, u.group_name).where(u.user_id == user_id))
    custom = connection.scalars(select(g.group_id).where(g.user_id == user_id))
    return sorted([*(f"{row.project}_{row.group_name}" for row in standard), *custom])


def _custom_groups(connection: Connection, project: str) -> tuple[ProjectGroup, ...]:
    g, u = project_group.c, project_group_user.c
    n_users = (
        select(func.count()).where(u.project == g.project, u.group_id == g.id).correlate(project_group)
    ).scalar_subquery()
    query = select(g.project, g.id, g.display_name, n_users).where(g.project == project).order_by(g.id)
    return tuple(ProjectGroup(row[0], row[1], row[2], None, row[3]) for row in connection.execute(query))


def _refuse_standard(project: str, text: str) -> None:
    for group in standard_groups(project):
        if text.lower() in (group.id.lower(), group.display_name.lower(), group.standard):
            raise AccessDenied(f"{group.id} is one of the three groups that every project has; it stays")

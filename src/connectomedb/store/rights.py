"""Who may change what: the rights of a project's groups, asked before every change.

Owners do everything; members create and edit; collaborators read; administrators do everything everywhere.
What a user may not see does not exist for them; what they see and may not change is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from sqlalchemy import Connection, bindparam, select

from connectomedb.errors import AccessDenied, NoSuchProject
from connectomedb.store import tables as t
from connectomedb.store.projects import existing_project
from connectomedb.store.statements import Statement
from connectomedb.store.visibility import visible_project
from connectomedb.vocabulary.records import Principal

Right = Literal["create", "edit", "delete", "manage"]
_GROUPS: Mapping[Right, tuple[str, ...]] = {
    "create": ("owner", "member"),
    "edit": ("owner", "member"),
    "delete": ("owner",),
    "manage": ("owner",),
}
_GROUP = Statement(
    lambda _: select(t.project_user.c.group_name).where(
        t.project_user.c.project == bindparam("project", type_=t.string),
        t.project_user.c.user_id == bindparam("user_id", type_=t.project_user.c.user_id.type),
    )
)


def has_right(connection: Connection, who: Principal, project: str, right: Right) -> bool:
    """The user has this right in the project."""
    if who.is_admin or who.all_data == "write":
        return True
    found = _GROUP.run(connection, project=project, user_id=who.user_id)
    return bool(found) and found[0][0] in _GROUPS[right]


def need_right(connection: Connection, who: Principal, project: str, right: Right, what: str) -> None:
    """Raises AccessDenied when the user lacks the right; `what` is what they wanted to do."""
    if not has_right(connection, who, project, right):
        raise AccessDenied(f"{what} needs to be {' or '.join(_GROUPS[right])} of {project}; ask its owners")


def target_project(connection: Connection, text: str, who: Principal, right: Right, what: str) -> str:
    """The project of that id, in which the user has the right.

    Raises  NoSuchProject when the user does not see it, AccessDenied when they lack the right
    """
    project = existing_project(connection, text)
    check_target(connection, project, text, who, right, what)
    return project


def check_target(
    connection: Connection, project: str, text: str, who: Principal, right: Right, what: str
) -> None:
    """Raises as `target_project`, for the project of this very id, which the user called `text`."""
    if has_right(connection, who, project, right):
        return
    seen = select(t.item.c.pk).where(
        t.item.c.family == "project", t.item.c.id == project, visible_project(t.item, who)
    )
    if connection.scalar(seen) is None:
        raise NoSuchProject(f"no project {text!r}")  # how it is spelled is not theirs to know
    raise AccessDenied(f"{what} needs to be {' or '.join(_GROUPS[right])} of {project}; ask its owners")

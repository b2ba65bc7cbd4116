"""Who is in a project, who asks to be, and who was invited: asked and changed on a user's behalf.

The owners of a project (and administrators) say who is in it. A person who sees the record of a project may
ask to be let in; owners invite an e-mail address that has no account yet, and whoever has it then accepts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast, get_args

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    DateTime,
    ForeignKey,
    Integer,
    Row,
    Select,
    Table,
    and_,
    func,
    insert,
    or_,
    select,
    update,
)

from connectomedb.errors import AccessDenied, BadConstraint, Conflict, NoSuchProject, NotFound
from connectomedb.store import groups
from connectomedb.store import tables as t
from connectomedb.store.groups import DISPLAY_NAMES, ProjectGroup
from connectomedb.store.profiles import account_profile, with_profile
from connectomedb.store.projects import now
from connectomedb.store.rights import has_right
from connectomedb.store.visibility import reads_project, visible_project
from connectomedb.vocabulary.records import Group, Principal

access_request = Table(
    "access_request",
    t.core,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("project", t.string, ForeignKey("project.id", ondelete="CASCADE"), nullable=False),
    # Who wants in; nobody for an invitation, which names an e-mail address.
    Column("user_id", Integer, ForeignKey("account.user_id", ondelete="CASCADE")),
    Column("email", t.string, nullable=False),
    Column("group_name", t.string, nullable=False),
    Column("created_at", DateTime, nullable=False),
    Column("approved", Boolean),
    Column("answered_at", DateTime),
    Column("answered_by", t.string),
)


@dataclass(frozen=True, slots=True)
class Member:
    """One person in one group of a project."""

    group_id: str
    display_name: str
    login: str
    firstname: str
    lastname: str
    email: str


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """A wish to be in a project, or an invitation to it (`login` is empty until it is accepted)."""

    id: int
    project: str
    project_name: str
    description: str
    secondary_id: str
    group: str
    created_at: datetime
    login: str
    firstname: str
    lastname: str
    email: str
    approved: bool | None
    answered_at: datetime | None

    @property
    def is_invitation(self) -> bool:
        return not self.login


def members(
    connection: Connection,
    project: str,
    who: Principal,
    *,
    disabled: bool = False,
    only_editors: bool = False,
) -> tuple[Member, ...]:
    """The people of a project, for its readers; addresses are for its owners and oneself.

    Raises  NoSuchProject; AccessDenied for guests, for people who only see its record, and with
            `only_editors` for everybody but owners
    """
    _need_seen(connection, project, who)
    manages = has_right(connection, who, project, "manage")
    reads = connection.scalar(
        select(t.project.c.id).where(t.project.c.id == project, reads_project(t.project.c.id, who))
    )
    if who.is_guest or (only_editors and not manages) or reads is None:
        raise AccessDenied(
            f"who is in {project} is shown to {'its owners' if only_editors else 'its readers'}"
        )
    found = [_member(project, row) for row in connection.execute(_standard(project, disabled))]
    found += [_custom_member(row) for row in connection.execute(_custom(project, disabled))]
    if not manages:
        found = [m if m.login == who.login else _without_email(m) for m in found]
    return tuple(found)


def add_people(connection: Connection, project: str, group: str, people: str, who: Principal) -> list[int]:
    """Put people into a group: logins, e-mail addresses or account numbers, with commas.

    An address that no account has is invited; the numbers of the invitations are returned.

    Raises  NoSuchProject, AccessDenied, NotFound; Conflict when nobody would own the project any more
    """
    found = _managed(connection, project, group, who)
    invited = []
    for text in _names(people):
        user_id = _find_person(connection, text)
        if user_id is not None:
            if found.standard not in (None, "owner"):
                _need_another_owner(connection, project, user_id)
            groups.enter(connection, found, user_id)
        elif "@" in text and found.standard is not None:
            invited.append(_keep_request(connection, project, None, text, found.standard))
        else:
            raise NotFound(f"no account {text!r}; write a login, or an e-mail address to invite somebody")
    return invited


def remove_people(connection: Connection, project: str, group: str, people: str, who: Principal) -> None:
    """Take people out of a group.

    Raises  NoSuchProject, AccessDenied; NotFound for somebody who is not in it; Conflict for the last owner
    """
    found = _managed(connection, project, group, who)
    for text in _names(people):
        user_id = _find_person(connection, text)
        if user_id is not None and found.standard == "owner":
            _need_another_owner(connection, project, user_id)
        if user_id is None or not groups.leave(connection, found, user_id):
            raise NotFound(f"{text!r} is not among the {found.display_name} of {project}")


def project_groups(connection: Connection, project: str, who: Principal) -> tuple[ProjectGroup, ...]:
    """The groups of a project, for its owners and other readers with an account. Raises as `members`."""
    members(connection, project, who)
    return groups.list_groups(connection, project)


def need_manager(connection: Connection, project: str, who: Principal, what: str) -> None:
    """Raises NoSuchProject when the user does not see it, AccessDenied when they do not own it."""
    _need_seen(connection, project, who)
    if not has_right(connection, who, project, "manage"):
        raise AccessDenied(f"{what} needs to be owner of {project}; ask its owners")


# Asking, inviting, and the answer


def ask_access(connection: Connection, project: str, level: str, who: Principal) -> int:
    """Ask to be let into a project; the number of the request.

    Raises  NoSuchProject when the user does not see its record; AccessDenied for guests; BadConstraint for a
            group that is none; Conflict when they are in it, or asked already
    """
    _need_seen(connection, project, who)
    if who.is_guest:
        raise AccessDenied("a guest cannot ask for access; log in first")
    group = groups.find_group(connection, project, level).standard if level else "collaborator"
    if group not in get_args(Group):
        raise BadConstraint(f"level={level!r} is none; there are: {', '.join(get_args(Group))}")
    u, r = t.project_user.c, access_request.c
    inside = select(u.group_name).where(u.project == project, u.user_id == who.user_id)
    if (there := connection.scalar(inside)) is not None:
        raise Conflict(f"you are among the {DISPLAY_NAMES[cast('Group', there)]} of {project} already")
    waiting = select(r.id).where(r.project == project, r.user_id == who.user_id, r.approved.is_(None))
    if (number := connection.scalar(waiting)) is not None:
        raise Conflict(f"you asked for access to {project} already (request {number}); its owners answer")
    email = connection.scalar(select(t.account.c.email).where(t.account.c.user_id == who.user_id)) or ""
    return _keep_request(connection, project, who.user_id, email, cast("Group", group))


def my_requests(connection: Connection, layout: t.Layout, who: Principal) -> tuple[AccessRequest, ...]:
    """What the user asked for, was invited to, or has to answer as an owner; what waits first."""
    r, u = access_request.c, t.project_user.c
    owned = select(u.project).where(u.user_id == who.user_id, u.group_name == "owner")
    mine = or_(r.user_id == who.user_id, _invites(who), and_(r.user_id.is_not(None), r.project.in_(owned)))
    return _requests(connection, layout, mine) if not who.is_guest else ()


def project_requests(
    connection: Connection, layout: t.Layout, project: str, who: Principal
) -> tuple[AccessRequest, ...]:
    """Everything that was asked of a project, for its owners. Raises NoSuchProject, AccessDenied."""
    need_manager(connection, project, who, "the list of access requests")
    return _requests(connection, layout, access_request.c.project == project)


def find_request(connection: Connection, layout: t.Layout, number: int, who: Principal) -> AccessRequest:
    """One request. Raises NotFound; AccessDenied for one that is nobody's business of the user."""
    found = _requests(connection, layout, access_request.c.id == number)
    if not found:
        raise NotFound(f"no access request {number}")
    one = found[0]
    if not (one.login == who.login or _may_answer(connection, one, who)):
        raise AccessDenied(f"access request {number} is not yours")
    return one


def answer_request(
    connection: Connection, layout: t.Layout, number: int, who: Principal, *, accept: bool
) -> AccessRequest:
    """Let somebody in, or not; an invitation is answered by whom it was sent to.

    Raises  NotFound; AccessDenied for whoever may not answer it; Conflict when it was answered
    """
    connection.execute(select(access_request.c.id).where(access_request.c.id == number).with_for_update())
    one = find_request(connection, layout, number, who)
    if not _may_answer(connection, one, who):
        raise AccessDenied(f"access request {number} is for the owners of {one.project} to answer")
    if one.approved is not None:
        said = "accepted" if one.approved else "declined"
        raise Conflict(f"access request {number} was {said} already")
    r = access_request.c
    user_id = who.user_id if one.is_invitation else _find_person(connection, one.login)
    answer = {"approved": accept, "answered_at": now(), "answered_by": who.login, "user_id": user_id}
    connection.execute(update(access_request).where(r.id == number).values(answer))
    u = t.project_user.c
    inside = select(u.group_name).where(u.project == one.project, u.user_id == user_id)
    # Whoever came in meanwhile keeps what they were given.
    if accept and user_id is not None and connection.scalar(inside) is None:
        groups.enter(connection, groups.find_group(connection, one.project, one.group), user_id)
    return find_request(connection, layout, number, who)


def _may_answer(connection: Connection, one: AccessRequest, who: Principal) -> bool:
    if not one.is_invitation:
        return has_right(connection, who, one.project, "manage")
    r = access_request.c
    return connection.scalar(select(r.id).where(r.id == one.id, _invites(who))) is not None


def _invites(who: Principal) -> Any:
    """The request is an invitation to the address of this user."""
    r, a = access_request.c, t.account.c
    mine = select(func.lower(a.email)).where(a.user_id == who.user_id, a.email != "")
    return and_(r.user_id.is_(None), func.lower(r.email).in_(mine))


def _requests(connection: Connection, layout: t.Layout, condition: Any) -> tuple[AccessRequest, ...]:
    r, a, p = access_request.c, t.account.c, account_profile.c
    typed = layout.typed(t.PROJECT)
    texts = [typed.columns[name] for name in ("name", "description", "secondary_id")]
    frame = (
        access_request.outerjoin(t.account, a.user_id == r.user_id)
        .outerjoin(account_profile, p.user_id == a.user_id)
        .join(t.project, t.project.c.id == r.project)
        .outerjoin(typed.table, typed.table.c.pk == t.project.c.pk)
    )
    query = (
        select(
            r.id,
            r.project,
            *(func.coalesce(text, "") for text in texts),
            r.group_name,
            r.created_at,
            func.coalesce(a.login, ""),
            func.coalesce(p.firstname, ""),
            func.coalesce(p.lastname, ""),
            r.email,
            r.approved,
            r.answered_at,
        )
        .select_from(frame)
        .where(condition)
        .order_by(r.approved.is_not(None), r.id)
    )
    return tuple(AccessRequest(*tuple(row)) for row in connection.execute(query))


def _keep_request(connection: Connection, project: str, user_id: int | None, email: str, group: Group) -> int:
    r = access_request.c
    if user_id is None:
        waiting = select(r.id).where(
            r.project == project,
            r.user_id.is_(None),
            r.approved.is_(None),
            func.lower(r.email) == email.lower(),
        )
        if (there := connection.scalar(waiting)) is not None:
            connection.execute(update(access_request).where(r.id == there).values(group_name=group))
            return int(there)
    number = (connection.scalar(select(func.max(r.id))) or 0) + 1
    row = {"id": number, "project": project, "user_id": user_id, "email": email, "group_name": group}
    connection.execute(insert(access_request).values({**row, "created_at": now()}))
    return int(number)


def _managed(connection: Connection, project: str, group: str, who: Principal) -> ProjectGroup:
    need_manager(connection, project, who, "to say who is in it")
    # One change of a project's people at a time, so that two owners never remove each other.
    connection.execute(select(t.project.c.pk).where(t.project.c.id == project).with_for_update())
    return groups.find_group(connection, project, group)


def _need_seen(connection: Connection, project: str, who: Principal) -> None:
    seen = select(t.item.c.pk).where(
        t.item.c.family == "project", t.item.c.id == project, visible_project(t.item, who)
    )
    if connection.scalar(seen) is None:
        raise NoSuchProject(f"no project {project!r} that you may see")


def _need_another_owner(connection: Connection, project: str, user_id: int) -> None:
    u = t.project_user.c
    owners = connection.scalars(select(u.user_id).where(u.project == project, u.group_name == "owner")).all()
    if list(owners) == [user_id]:
        raise Conflict(f"this is the last owner of {project}; make another one first")


def _names(people: str) -> Sequence[str]:
    names = [name.strip() for name in people.split(",") if name.strip()]
    if not names:
        raise BadConstraint("nobody is named; write a login or an e-mail address")
    return names


def _find_person(connection: Connection, text: str) -> int | None:
    """The account of that login, e-mail address or number, in this order."""
    a = t.account.c
    found = connection.scalar(select(a.user_id).where(a.login == text))
    if found is None and "@" in text:
        found = connection.scalar(select(a.user_id).where(func.lower(a.email) == text.lower()))
    if found is None and text.isascii() and text.isdigit() and len(text) < 10:
        found = connection.scalar(select(a.user_id).where(a.user_id == int(text)))
    return None if found is None else int(found)


def _standard(project: str, disabled: bool) -> Select[Any]:
    u = t.project_user.c
    frame = t.project_user.join(t.account, t.account.c.user_id == u.user_id)
    return _people(select(u.group_name, *_PERSON), frame, disabled).where(u.project == project)


def _custom(project: str, disabled: bool) -> Select[Any]:
    u, g = groups.project_group_user.c, groups.project_group.c
    frame = groups.project_group_user.join(t.account, t.account.c.user_id == u.user_id).join(
        groups.project_group, and_(g.project == u.project, g.id == u.group_id)
    )
    return _people(select(u.group_id, g.display_name, *_PERSON), frame, disabled).where(u.project == project)


_PERSON = (
    t.account.c.login,
    func.coalesce(account_profile.c.firstname, "").label("firstname"),
    func.coalesce(account_profile.c.lastname, "").label("lastname"),
    t.account.c.email,
)


def _people(query: Select[Any], frame: Any, disabled: bool) -> Select[Any]:
    query = with_profile(query, frame).order_by(t.account.c.login)
    return query if disabled else query.where(t.account.c.enabled.is_(True))


def _member(project: str, row: Row[Any]) -> Member:
    name = DISPLAY_NAMES[cast("Group", row.group_name)]
    return Member(f"{project}_{row.group_name}", name, *tuple(row)[1:])


def _custom_member(row: Row[Any]) -> Member:
    return Member(*tuple(row))


def _without_email(one: Member) -> Member:
    return Member(one.group_id, one.display_name, one.login, one.firstname, one.lastname, "")

"""People of a site: who they are, what they are on the site, and the projects they are in.

What a password is, `passwords` knows; how fast it may be guessed, `throttle`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from sqlalchemy import (
    Connection,
    Engine,
    Row,
    Select,
    and_,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from connectomedb.errors import AccessDenied, BadCredentials, ConfigurationError, Conflict, NotFound
from connectomedb.store import tables as t
from connectomedb.store.engine import writing
from connectomedb.store.passwords import REMEMBER_S, Passwords
from connectomedb.store.profiles import (
    PRINCIPAL,
    account_profile,
    account_role,
    keep_profile,
    principal_of,
    with_profile,
)
from connectomedb.store.projects import existing_project, now
from connectomedb.store.sessions import end_logins
from connectomedb.store.throttle import Throttle
from connectomedb.vocabulary.records import AllData, Group, Membership, Principal

__all__ = ["REMEMBER_S", "Account", "Accounts"]

_LOGIN = re.compile(r"[A-Za-z0-9_.@'-]{1,100}\Z")
ADMINISTRATOR = "Administrator"
# XNAT's other roles; they are kept and shown, and change nothing but what the routes say.
ROLES = (ADMINISTRATOR, "DataManager", "Privileged", "non_expiring")
SITE_GROUPS: dict[str, AllData] = {"ALL_DATA_ADMIN": "write", "ALL_DATA_ACCESS": "read"}


@dataclass(frozen=True, slots=True)
class Account:
    """One person, as shown to administrators; the password is not part of it. Times are UTC.

    `verified` is kept as XNAT has it and shown; it does not keep anybody from logging in.
    """

    user_id: int
    login: str
    email: str
    is_admin: bool
    enabled: bool
    firstname: str = ""
    lastname: str = ""
    verified: bool = True
    all_data: AllData = ""
    last_modified: datetime | None = None
    last_login: datetime | None = None


class Accounts:
    """Accounts and memberships of one site."""

    def __init__(self, engine: Engine, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._passwords = Passwords(clock=clock)
        self._throttle = Throttle(engine)

    def add(
        self,
        login: str,
        password: str,
        *,
        is_admin: bool = False,
        email: str = "",
        firstname: str = "",
        lastname: str = "",
        enabled: bool = True,
        verified: bool = True,
    ) -> Principal:
        """Make an account.

        Raises  ConfigurationError for a login that cannot be used; WeakPassword; Conflict when the login
                (capitals aside) or the e-mail address is taken
        """
        if not _LOGIN.match(login):
            raise ConfigurationError(f"login {login!r} is not usable: letters, digits and _ . @ ' - only")
        if login.lower() == "guest":
            raise ConfigurationError("'guest' is everybody without an account; choose another login")
        hashed = self._passwords.hash(login, password)
        moment = now()
        with writing(self._engine) as connection:
            a = t.account.c
            if connection.scalar(select(a.user_id).where(func.lower(a.login) == login.lower())) is not None:
                raise Conflict(f"the account {login!r} exists already; change its password instead")
            _need_free_email(connection, email, login)
            user_id = connection.execute(
                update(t.counter)
                .where(t.counter.c.name == "account")
                .values(value=t.counter.c.value + 1)
                .returning(t.counter.c.value)
            ).scalar_one()
            connection.execute(
                insert(t.account).values(
                    user_id=user_id,
                    login=login,
                    password_hash=hashed,
                    is_admin=is_admin,
                    email=email,
                    enabled=enabled,
                    insert_date=moment,
                )
            )
            keep_profile(
                connection, user_id, moment, firstname=firstname, lastname=lastname, verified=verified
            )
        return Principal(login, user_id, is_admin)

    def verify(self, login: str, password: str, address: str = "") -> Principal:
        """Who that is. `address` is where they ask from; '' for this machine's own command line.

        Raises  BadCredentials, in the same words whether the login or the password is wrong;
                TooManyAttempts
        Cost    one row read; the slow check at most once in five minutes for the same pair
        """
        row = self._row(login) if _LOGIN.match(login) else None
        stored = row.password_hash if row is not None else self._passwords.decoy
        if not self._passwords.knows(login, stored, password):
            with self._passwords.turn(login, password):
                if not self._passwords.knows(login, stored, password):
                    self._check(login, stored, password, address)
        if row is None or not row.enabled:
            raise BadCredentials("login or password is wrong")
        return principal_of(row)

    def set_password(self, login: str, password: str) -> None:
        """Change a password; logins that are open end, and alias tokens are void."""
        hashed = self._passwords.hash(login, password)
        with writing(self._engine) as connection:
            user_id = _user_id(connection, login)
            here = t.account.c.user_id == user_id
            connection.execute(update(t.account).where(here).values(password_hash=hashed))
            keep_profile(connection, user_id, now())
            end_logins(connection, user_id, tokens=True)
        self._passwords.forget()

    def find(self, login: str) -> Principal:
        """The account of that login, without a check. Raises NotFound."""
        row = self._row(login)
        if row is None:
            raise NotFound(f"no account {login!r}")
        return principal_of(row)

    def account(self, login: str) -> Account:
        """One account. Raises NotFound."""
        with self._engine.connect() as connection:
            row = connection.execute(_accounts().where(t.account.c.login == login)).one_or_none()
        if row is None:
            raise NotFound(f"no account {login!r}")
        return Account(*row)

    def users(self) -> tuple[Account, ...]:
        """Every account, by login."""
        with self._engine.connect() as connection:
            return tuple(Account(*row) for row in connection.execute(_accounts().order_by(t.account.c.login)))

    def change(
        self,
        login: str,
        *,
        email: str | None = None,
        firstname: str | None = None,
        lastname: str | None = None,
        enabled: bool | None = None,
        verified: bool | None = None,
    ) -> bool:
        """Change what is given; False when all of it was so already. Who is disabled is logged out at once.

        Raises  NotFound; Conflict for an e-mail address that is taken, or the last administrator
        """
        before = self.account(login)
        given = {"email": email, "firstname": firstname, "lastname": lastname}
        wanted: dict[str, Any] = {**given, "enabled": enabled, "verified": verified}
        changed = {k: v for k, v in wanted.items() if v is not None and v != getattr(before, k)}
        if not changed:
            return False
        with writing(self._engine) as connection:
            if "email" in changed:
                _need_free_email(connection, changed["email"], login)
            if changed.get("enabled") is False:
                _need_another_administrator(connection, before.user_id)
            core = {k: changed.pop(k) for k in ("email", "enabled") if k in changed}
            here = t.account.c.user_id == before.user_id
            if core:
                connection.execute(update(t.account).where(here).values(**core))
            if core.get("enabled") is False:
                end_logins(connection, before.user_id, tokens=True)
            keep_profile(connection, before.user_id, now(), **changed)
        return True

    # What somebody is on the site

    def roles(self, login: str) -> tuple[str, ...]:
        """The roles of an account, by name. Raises NotFound."""
        found = self.account(login)
        r = account_role.c
        with self._engine.connect() as connection:
            kept = connection.scalars(select(r.role).where(r.user_id == found.user_id)).all()
        return tuple(sorted([*kept, *([ADMINISTRATOR] if found.is_admin else [])]))

    def give_role(self, login: str, role: str) -> None:
        """Raises NotFound for the account or a role that there is not."""
        self._change_role(login, role, has=True)

    def take_role(self, login: str, role: str) -> None:
        """Raises NotFound; Conflict for the last administrator."""
        self._change_role(login, role, has=False)

    def set_site_group(self, login: str, all_data: AllData) -> None:
        """What the account may do in every project. Raises NotFound."""
        with writing(self._engine) as connection:
            keep_profile(connection, _user_id(connection, login), now(), all_data=all_data)

    def _change_role(self, login: str, role: str, *, has: bool) -> None:
        if role not in ROLES:
            raise NotFound(f"no role {role!r}; there are: {', '.join(ROLES)}")
        with writing(self._engine) as connection:
            user_id = _user_id(connection, login)
            if role == ADMINISTRATOR:
                if not has:
                    _need_another_administrator(connection, user_id)
                here = t.account.c.user_id == user_id
                connection.execute(update(t.account).where(here).values(is_admin=has))
                return
            mine = and_(account_role.c.user_id == user_id, account_role.c.role == role)
            connection.execute(delete(account_role).where(mine))
            if has:
                connection.execute(insert(account_role).values(user_id=user_id, role=role))

    # Who is in which project

    def grant(self, project: str, login: str, group: Group) -> None:
        """Put a person into a group of a project; they leave the group they were in.

        Raises  NoSuchProject; NotFound for the login; ConfigurationError for a group that is none.
        """
        if group not in get_args(Group):
            raise ConfigurationError(f"no group {group!r}; there are: {', '.join(get_args(Group))}")
        with writing(self._engine) as connection:
            join_group(connection, existing_project(connection, project), _user_id(connection, login), group)

    def revoke(self, project: str, login: str) -> None:
        """Take a person out of a project."""
        who = select(t.account.c.user_id).where(t.account.c.login == login).scalar_subquery()
        with writing(self._engine) as connection:
            connection.execute(
                delete(t.project_user).where(
                    t.project_user.c.user_id == who, t.project_user.c.project == project
                )
            )

    def members(self, project: str) -> tuple[Membership, ...]:
        """Who is in a project, by login."""
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(t.project_user.c.project, t.account.c.login, t.project_user.c.group_name)
                .join_from(t.project_user, t.account)
                .where(t.project_user.c.project == project)
                .order_by(t.account.c.login)
            )
            return tuple(Membership(*row) for row in rows)

    def n_users(self) -> int:
        """Number of accounts."""
        with self._engine.connect() as connection:
            return connection.scalar(select(func.count(literal(1))).select_from(t.account)) or 0

    def _row(self, login: str) -> Row[Any] | None:
        c = t.account.c
        query = with_profile(select(*PRINCIPAL, c.password_hash, c.enabled), t.account)
        with self._engine.connect() as connection:
            return connection.execute(query.where(c.login == login)).one_or_none()

    def _check(self, login: str, stored: str, password: str, address: str) -> None:
        if address:
            self._throttle.begin(login, address)
        if not self._passwords.matches(stored, password):
            raise BadCredentials("login or password is wrong")
        if address:
            self._throttle.succeeded(login, address)
        self._passwords.remember(login, stored, password)


def join_group(connection: Connection, project: str, user_id: int, group: str) -> None:
    """Put a person into a group of a project; they leave the group they were in."""
    here = and_(t.project_user.c.user_id == user_id, t.project_user.c.project == project)
    connection.execute(delete(t.project_user).where(here))
    connection.execute(insert(t.project_user).values(user_id=user_id, project=project, group_name=group))


def _accounts() -> Select[Any]:
    a, p = t.account.c, account_profile.c
    query = select(
        a.user_id,
        a.login,
        a.email,
        a.is_admin,
        a.enabled,
        func.coalesce(p.firstname, ""),
        func.coalesce(p.lastname, ""),
        or_(p.verified.is_(None), p.verified.is_(True)),
        func.coalesce(p.all_data, ""),
        func.coalesce(p.last_modified, a.insert_date),
        p.last_login,
    )
    return with_profile(query, t.account)


def _user_id(connection: Connection, login: str) -> int:
    found = connection.scalar(select(t.account.c.user_id).where(t.account.c.login == login))
    if found is None:
        raise NotFound(f"no account {login!r}")
    return int(found)


def _need_free_email(connection: Connection, email: str, login: str) -> None:
    a = t.account.c
    taken = select(a.user_id).where(func.lower(a.email) == email.lower(), a.login != login)
    if email and connection.scalar(taken) is not None:
        raise Conflict(f"another account has the e-mail address {email!r}")


def _need_another_administrator(connection: Connection, user_id: int) -> None:
    a = t.account.c
    others = select(a.user_id).where(a.is_admin.is_(True), a.enabled.is_(True)).with_for_update()
    if list(connection.scalars(others)) == [user_id]:
        raise Conflict("this is the last administrator of the site; make another one first")


def need_administrator(who: Principal, what: str) -> None:
    """Raises AccessDenied for everybody else."""
    if not who.is_admin:
        raise AccessDenied(f"{what} is for administrators")


def need_self(who: Principal, login: str, what: str) -> None:
    """Raises AccessDenied for all but that person and administrators, whether the login exists or not."""
    if not who.is_admin and who.login != login:
        raise AccessDenied(f"{what} of another person is for administrators")


def ids_of(projects: Collection[Membership]) -> list[str]:
    """Group ids as XNAT writes them: `LIFESPAN_member`."""
    return [f"{one.project}_{one.group}" for one in projects]

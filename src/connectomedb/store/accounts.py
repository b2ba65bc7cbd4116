"""People of a site: their passwords, and the projects they are in.

A password is kept as an argon2id hash. Checking it is slow on purpose, and clients send it with every
request, so a checked pair is remembered for five minutes: under a key of this process, together with
the stored hash, so that a changed password is never answered from memory.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Engine, Row, and_, delete, func, insert, literal, select, update

from connectomedb.errors import BadCredentials, ConfigurationError, Conflict, NotFound
from connectomedb.store import tables as t
from connectomedb.store.engine import writing
from connectomedb.store.projects import existing_project, now
from connectomedb.vocabulary.records import Group, Membership, Principal

REMEMBER_S = 300.0
LONGEST_PASSWORD = 1024
_LOGIN = re.compile(r"[A-Za-z0-9_.@-]{1,100}\Z")
_REMEMBERED_AT_MOST = 4096


@dataclass(frozen=True, slots=True)
class Account:
    """One person, as shown to administrators; the password is not part of it."""

    user_id: int
    login: str
    email: str
    is_admin: bool
    enabled: bool


class Accounts:
    """Accounts and memberships of one site."""

    def __init__(self, engine: Engine, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._clock = clock
        self._hasher = PasswordHasher()
        self._key = secrets.token_bytes(32)
        self._remembered: dict[bytes, float] = {}
        self._lock = threading.Lock()
        # Checked when the login does not exist, so that both refusals take the same time.
        self._decoy = self._hasher.hash(secrets.token_hex(16))

    def add(self, login: str, password: str, *, is_admin: bool = False, email: str = "") -> Principal:
        """Make an account.

        Raises  ConfigurationError for a login or password that cannot be used; Conflict when the login
                exists.
        """
        if not _LOGIN.match(login):
            raise ConfigurationError(f"login {login!r} is not usable: letters, digits and _ . @ - only")
        if login.lower() == "guest":
            raise ConfigurationError("'guest' is everybody without an account; choose another login")
        hashed = self._hash(password)
        with writing(self._engine) as connection:
            if connection.scalar(select(t.account.c.user_id).where(t.account.c.login == login)) is not None:
                raise Conflict(f"the account {login!r} exists already; change its password instead")
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
                    enabled=True,
                    insert_date=now(),
                )
            )
        return Principal(login, user_id, is_admin)

    def verify(self, login: str, password: str) -> Principal:
        """Who that is.

        Raises  BadCredentials, in the same words whether the login or the password is wrong.
        Cost    one row read; the slow check at most once in five minutes for the same pair.
        """
        row = self._row(login) if _LOGIN.match(login) else None
        stored = row.password_hash if row is not None else self._decoy
        mark = hmac.new(self._key, f"{login}\0{stored}\0{password}".encode(), hashlib.sha256).digest()
        if not self._is_remembered(mark):
            if not self._matches(stored, password):
                raise BadCredentials("login or password is wrong")
            self._remember(mark)
        if row is None or not row.enabled:
            raise BadCredentials("login or password is wrong")
        return Principal(row.login, row.user_id, row.is_admin)

    def set_password(self, login: str, password: str) -> None:
        """Change a password; logins that are open end."""
        hashed = self._hash(password)
        with writing(self._engine) as connection:
            user_id = connection.execute(
                update(t.account)
                .where(t.account.c.login == login)
                .values(password_hash=hashed)
                .returning(t.account.c.user_id)
            ).scalar()
            if user_id is None:
                raise NotFound(f"no account {login!r}")
            connection.execute(delete(t.login_session).where(t.login_session.c.user_id == user_id))
        with self._lock:
            self._remembered.clear()

    def find(self, login: str) -> Principal:
        """The account of that login, without a check. Raises NotFound."""
        row = self._row(login)
        if row is None:
            raise NotFound(f"no account {login!r}")
        return Principal(row.login, row.user_id, row.is_admin)

    def users(self) -> tuple[Account, ...]:
        """Every account, by login."""
        c = t.account.c
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(c.user_id, c.login, c.email, c.is_admin, c.enabled).order_by(c.login)
            )
            return tuple(Account(*row) for row in rows)

    def grant(self, project: str, login: str, group: Group) -> None:
        """Put a person into a group of a project; they leave the group they were in.

        Raises  NoSuchProject; NotFound for the login; ConfigurationError for a group that is none.
        """
        if group not in get_args(Group):
            raise ConfigurationError(f"no group {group!r}; there are: {', '.join(get_args(Group))}")
        with writing(self._engine) as connection:
            project_id = existing_project(connection, project)
            user_id = connection.scalar(select(t.account.c.user_id).where(t.account.c.login == login))
            if user_id is None:
                raise NotFound(f"no account {login!r}")
            here = and_(t.project_user.c.user_id == user_id, t.project_user.c.project == project_id)
            connection.execute(delete(t.project_user).where(here))
            connection.execute(
                insert(t.project_user).values(user_id=user_id, project=project_id, group_name=group)
            )

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

    def _row(self, login: str) -> Row[Any, Any, Any, Any, Any] | None:
        c = t.account.c
        with self._engine.connect() as connection:
            return connection.execute(
                select(c.user_id, c.login, c.password_hash, c.is_admin, c.enabled).where(c.login == login)
            ).one_or_none()

    def _hash(self, password: str) -> str:
        if not password:
            raise ConfigurationError("the password is empty; choose one")
        if len(password) > LONGEST_PASSWORD:
            raise ConfigurationError(f"the password is longer than {LONGEST_PASSWORD} characters")
        return self._hasher.hash(password)

    def _matches(self, stored: str, password: str) -> bool:
        if len(password) > LONGEST_PASSWORD:
            return False
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    def _is_remembered(self, mark: bytes) -> bool:
        with self._lock:
            return self._remembered.get(mark, 0.0) > self._clock()

    def _remember(self, mark: bytes) -> None:
        moment = self._clock()
        with self._lock:
            if len(self._remembered) >= _REMEMBERED_AT_MOST:
                self._remembered = {m: until for m, until in self._remembered.items() if until > moment}
                if len(self._remembered) >= _REMEMBERED_AT_MOST:
                    self._remembered.clear()
            self._remembered[mark] = moment + REMEMBER_S

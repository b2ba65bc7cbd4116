"""Login sessions and alias tokens: what a `JSESSIONID` cookie and a pair (alias, secret) stand for.

Kept in the database, so that any server process knows every login, and one that was ended is ended everywhere
with the next request. Only digests are stored: who reads the database cannot use it to log in.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    Engine,
    ForeignKey,
    Integer,
    Table,
    and_,
    delete,
    insert,
    or_,
    select,
    update,
)

from connectomedb.errors import BadCredentials, NotFound
from connectomedb.store import tables as t
from connectomedb.store.engine import writing
from connectomedb.store.profiles import PRINCIPAL, note_login, principal_of, with_profile
from connectomedb.vocabulary.records import Principal

_SESSION_ID = re.compile(r"[0-9A-F]{32}\Z")
ALIAS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
# A login is renewed on use; writing that for every request would cost a commit each.
_RENEW_AFTER = 0.1
_RENEW_AFTER_AT_MOST_S = 60.0
SESSIONS_AT_MOST = 1000
TOKEN_LIFETIME_S = 2 * 86400.0
_SECRET_LETTERS = 64

login_fact = Table(
    "login_fact",
    t.core,
    Column("digest", t.string, ForeignKey("login_session.digest", ondelete="CASCADE"), primary_key=True),
    Column("opened_at", DateTime, nullable=False),
    # Of a login by an alias token: it ends with the token, however much it is used.
    Column("alias", t.string),
    Column("ends_at", DateTime),
)

alias_token = Table(
    "alias_token",
    t.core,
    Column("alias", t.string, primary_key=True),
    Column("digest", t.string, nullable=False),
    Column("user_id", Integer, ForeignKey("account.user_id", ondelete="CASCADE"), nullable=False),
    Column("created_at", DateTime, nullable=False),
    Column("expires_at", DateTime, nullable=False),
)


@dataclass(frozen=True, slots=True)
class LoginSession:
    """One login; `expires_at` is UTC, and later after each use."""

    session_id: str = field(repr=False)
    login: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class OpenLogin:
    """A login as administrators see it: a name that nobody can log in with, and its times (UTC)."""

    name: str
    login: str
    opened_at: datetime | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Token:
    """An alias token; its secret is known only when it is issued. Times are UTC."""

    alias: str
    login: str
    user_id: int
    created_at: datetime
    expires_at: datetime
    secret: str = field(default="", repr=False)


def utc_now() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


class LoginSessions:
    """The logins of one site."""

    def __init__(self, engine: Engine, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._engine = engine
        self._clock = clock

    def open(self, login: str, lifetime_s: float, token: Token | None = None) -> LoginSession:
        """A new login of an account that was verified before; expired ones are cleared away.

        Raises  NotFound when there is no such account.
        """
        session_id = secrets.token_hex(16).upper()
        moment = self._clock()
        expires_at = moment + timedelta(seconds=lifetime_s)
        s = t.login_session.c
        with writing(self._engine, changes_data=False) as connection:
            connection.execute(delete(t.login_session).where(s.expires_at <= _bare(moment)))
            user_id = connection.scalar(select(t.account.c.user_id).where(t.account.c.login == login))
            if user_id is None:
                raise NotFound(f"no account {login!r}")
            connection.execute(
                insert(t.login_session).values(
                    digest=_digest(session_id),
                    user_id=user_id,
                    lifetime_s=lifetime_s,
                    expires_at=_bare(expires_at),
                )
            )
            connection.execute(
                insert(login_fact).values(
                    digest=_digest(session_id),
                    opened_at=_bare(moment),
                    alias=token.alias if token else None,
                    ends_at=_bare(token.expires_at) if token else None,
                )
            )
            beyond = select(s.digest).where(s.user_id == user_id).order_by(s.expires_at.desc())
            too_many = connection.scalars(beyond.offset(SESSIONS_AT_MOST)).all()
            if too_many:
                connection.execute(delete(t.login_session).where(s.digest.in_(too_many)))
            note_login(connection, user_id)
        return LoginSession(session_id, login, expires_at)

    def touch(self, session_id: str) -> Principal | None:
        """Whose login this is, its life renewed; None when it is unknown or over.

        Cost  one row read; a write at most once per tenth of a lifetime (or minute).
        """
        if not _SESSION_ID.match(session_id):
            return None
        moment = self._clock()
        s, a, f = t.login_session.c, t.account.c, login_fact.c
        frame = t.login_session.join(t.account).outerjoin(login_fact, f.digest == s.digest)
        query = with_profile(select(s.lifetime_s, s.expires_at, *PRINCIPAL), frame).where(
            s.digest == _digest(session_id),
            s.expires_at > _bare(moment),
            or_(f.ends_at.is_(None), f.ends_at > _bare(moment)),
            a.enabled.is_(True),
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        renewed = _bare(moment + timedelta(seconds=row.lifetime_s))
        gained_s = (renewed - row.expires_at).total_seconds()
        if gained_s > min(row.lifetime_s * _RENEW_AFTER, _RENEW_AFTER_AT_MOST_S):
            with writing(self._engine, changes_data=False) as connection:
                connection.execute(
                    update(t.login_session).where(s.digest == _digest(session_id)).values(expires_at=renewed)
                )
        return principal_of(row)

    def close(self, session_id: str) -> None:
        """Log out; an unknown id is no trouble."""
        with writing(self._engine, changes_data=False) as connection:
            connection.execute(delete(t.login_session).where(t.login_session.c.digest == _digest(session_id)))

    def open_logins(self, login: str = "") -> tuple[OpenLogin, ...]:
        """The logins that are open, of one account or of all, by login and time."""
        moment = _bare(self._clock())
        s, a, f = t.login_session.c, t.account.c, login_fact.c
        frame = t.login_session.join(t.account).outerjoin(login_fact, f.digest == s.digest)
        query = select(s.digest, a.login, f.opened_at, s.expires_at).select_from(frame)
        query = query.where(s.expires_at > moment, or_(f.ends_at.is_(None), f.ends_at > moment))
        if login:
            query = query.where(a.login == login)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(a.login, f.opened_at, s.digest))
            return tuple(OpenLogin(name_of_digest(row.digest), *row[1:]) for row in rows)

    def end(self, login: str) -> tuple[str, ...]:
        """End all logins of an account; their names are returned. Raises NotFound for the account."""
        s = t.login_session.c
        with writing(self._engine, changes_data=False) as connection:
            user_id = connection.scalar(select(t.account.c.user_id).where(t.account.c.login == login))
            if user_id is None:
                raise NotFound(f"no account {login!r}")
            ended = connection.scalars(
                delete(t.login_session).where(s.user_id == user_id).returning(s.digest)
            ).all()
        return tuple(sorted(name_of_digest(digest) for digest in ended))

    # Alias tokens

    def issue_token(self, login: str, lifetime_s: float = TOKEN_LIFETIME_S) -> Token:
        """A new token of an account; ones that are over are cleared away. Raises NotFound."""
        moment = self._clock()
        alias = str(uuid.uuid4())
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
        secret = "".join(secrets.choice(letters) for _ in range(_SECRET_LETTERS))
        expires_at = moment + timedelta(seconds=lifetime_s)
        with writing(self._engine, changes_data=False) as connection:
            connection.execute(delete(alias_token).where(alias_token.c.expires_at <= _bare(moment)))
            user_id = connection.scalar(select(t.account.c.user_id).where(t.account.c.login == login))
            if user_id is None:
                raise NotFound(f"no account {login!r}")
            connection.execute(
                insert(alias_token).values(
                    alias=alias,
                    digest=_digest(secret),
                    user_id=user_id,
                    created_at=_bare(moment),
                    expires_at=_bare(expires_at),
                )
            )
        return Token(alias, login, int(user_id), moment, expires_at, secret)

    def tokens(self, login: str) -> tuple[Token, ...]:
        """The live tokens of an account, without their secrets."""
        k, a = alias_token.c, t.account.c
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(k.alias, a.login, a.user_id, k.created_at, k.expires_at)
                .join_from(alias_token, t.account)
                .where(a.login == login, k.expires_at > _bare(self._clock()))
                .order_by(k.created_at, k.alias)
            )
            return tuple(
                Token(row[0], row[1], row[2], row[3].replace(tzinfo=UTC), row[4].replace(tzinfo=UTC))
                for row in rows
            )

    def check_token(self, alias: str, secret: str) -> Token:
        """The live token of that pair, of an account that may log in.

        Raises  NotFound for an unknown alias; BadCredentials for a wrong secret
        """
        k, a = alias_token.c, t.account.c
        with self._engine.connect() as connection:
            row = connection.execute(
                select(k.alias, k.digest, a.login, a.user_id, k.created_at, k.expires_at)
                .join_from(alias_token, t.account)
                .where(k.alias == alias, k.expires_at > _bare(self._clock()), a.enabled.is_(True))
            ).one_or_none()
        if row is None:
            raise NotFound(f"no token {alias!r}; it was never issued, or is over")
        if not hmac.compare_digest(row.digest, _digest(secret)):
            raise BadCredentials("the secret of this token is another one")
        times = (row.created_at.replace(tzinfo=UTC), row.expires_at.replace(tzinfo=UTC))
        return Token(row.alias, row.login, row.user_id, *times)

    def void_token(self, alias: str, login: str = "") -> None:
        """A token is worth nothing from now on, and neither are logins that were opened with it.

        Raises  NotFound for one that is not there, or not of that account where one is given
        """
        k, s, f = alias_token.c, t.login_session.c, login_fact.c
        owner = select(t.account.c.user_id).where(t.account.c.login == login).scalar_subquery()
        mine = and_(k.alias == alias, k.user_id == owner) if login else k.alias == alias
        with writing(self._engine, changes_data=False) as connection:
            if not connection.execute(delete(alias_token).where(mine)).rowcount:
                raise NotFound(f"no token {alias!r} of yours; it was never issued, or is over")
            opened = select(f.digest).where(f.alias == alias)
            connection.execute(delete(t.login_session).where(s.digest.in_(opened)))


def end_logins(connection: Connection, user_id: int, *, tokens: bool) -> None:
    """End every login of an account, and its alias tokens."""
    connection.execute(delete(t.login_session).where(t.login_session.c.user_id == user_id))
    if tokens:
        connection.execute(delete(alias_token).where(alias_token.c.user_id == user_id))


def name_of_digest(digest: str) -> str:
    """What a login is called in lists: like a session id, but it opens nothing."""
    return digest[:32].upper()


def _digest(session_id: str) -> str:
    return hashlib.sha256(session_id.encode()).hexdigest()


def _bare(moment: datetime) -> datetime:
    """UTC without the zone, as the database keeps it."""
    return moment.astimezone(UTC).replace(tzinfo=None)

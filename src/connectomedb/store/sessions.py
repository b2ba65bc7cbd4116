"""Login sessions: what a `JSESSIONID` cookie stands for.

Kept in the database, so that any server process knows every login. Only a digest of the id is stored:
who reads the database cannot use it to log in.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, delete, insert, select, update

from connectomedb.errors import NotFound
from connectomedb.store import tables as t
from connectomedb.store.engine import writing
from connectomedb.vocabulary.records import Principal

_SESSION_ID = re.compile(r"[0-9A-F]{32}\Z")
# A login is renewed on use; writing that for every request would cost a commit each.
_RENEW_AFTER = 0.1
_RENEW_AFTER_AT_MOST_S = 60.0


@dataclass(frozen=True, slots=True)
class LoginSession:
    """One login; `expires_at` is UTC, and later after each use."""

    session_id: str = field(repr=False)
    login: str
    expires_at: datetime


def utc_now() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


class LoginSessions:
    """The logins of one site."""

    def __init__(self, engine: Engine, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._engine = engine
        self._clock = clock

    def open(self, login: str, lifetime_s: float) -> LoginSession:
        """A new login of an account that was verified before; expired ones are cleared away.

        Raises  NotFound when there is no such account.
        """
        session_id = secrets.token_hex(16).upper()
        moment = self._clock()
        expires_at = moment + timedelta(seconds=lifetime_s)
        with writing(self._engine, changes_data=False) as connection:
            connection.execute(delete(t.login_session).where(t.login_session.c.expires_at <= _bare(moment)))
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
        return LoginSession(session_id, login, expires_at)

    def touch(self, session_id: str) -> Principal | None:
        """Whose login this is, its life renewed; None when it is unknown or over.

        Cost  one row read; a write at most once per tenth of a lifetime (or minute).
        """
        if not _SESSION_ID.match(session_id):
            return None
        moment = self._clock()
        s, a = t.login_session.c, t.account.c
        with self._engine.connect() as connection:
            row = connection.execute(
                select(s.lifetime_s, s.expires_at, a.login, a.user_id, a.is_admin)
                .join_from(t.login_session, t.account)
                .where(s.digest == _digest(session_id), s.expires_at > _bare(moment), a.enabled.is_(True))
            ).one_or_none()
        if row is None:
            return None
        renewed = _bare(moment + timedelta(seconds=row.lifetime_s))
        gained_s = (renewed - row.expires_at).total_seconds()
        if gained_s > min(row.lifetime_s * _RENEW_AFTER, _RENEW_AFTER_AT_MOST_S):
            with writing(self._engine, changes_data=False) as connection:
                connection.execute(
                    update(t.login_session).where(s.digest == _digest(session_id)).values(expires_at=renewed)
                )
        return Principal(row.login, row.user_id, row.is_admin)

    def close(self, session_id: str) -> None:
        """Log out; an unknown id is no trouble."""
        with writing(self._engine, changes_data=False) as connection:
            connection.execute(delete(t.login_session).where(t.login_session.c.digest == _digest(session_id)))


def _digest(session_id: str) -> str:
    return hashlib.sha256(session_id.encode()).hexdigest()


def _bare(moment: datetime) -> datetime:
    """UTC without the zone, as the database keeps it."""
    return moment.astimezone(UTC).replace(tzinfo=None)

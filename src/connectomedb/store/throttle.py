"""Guessing of passwords made slow: after some wrong ones, the next is looked at only after a pause.

Counted are an account from one address, an account from everywhere, and an address; each has its pause, which
doubles up to a few minutes, and is forgotten after a quarter of an hour. Nobody is locked out for good: an
attempt within a pause is refused unseen and prolongs nothing, and an address from which the account was used
before is not held up by what others guess. The counts are in the database, so that all processes know them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    Column,
    DateTime,
    Engine,
    Integer,
    Table,
    and_,
    bindparam,
    delete,
    or_,
    select,
    text,
    update,
)

from connectomedb.errors import TooManyAttempts
from connectomedb.store import tables as t
from connectomedb.store.engine import writing

FORGOTTEN_AFTER_S = 900.0
KNOWN_FOR_S = 30 * 86400.0

login_attempt = Table(
    "login_attempt",
    t.core,
    Column("subject", t.string, primary_key=True),
    Column("n_wrong", Integer, nullable=False),
    Column("at", DateTime, nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class Limit:
    """So many wrong passwords are free; each further one doubles the pause, up to the longest."""

    n_free: int
    longest_pause_s: float

    def pause_s(self, n_wrong: int) -> float:
        """Seconds to wait after the last of so many wrong passwords."""
        over = n_wrong - self.n_free
        return 0.0 if over < 0 else min(2.0 ** min(over, 30), self.longest_pause_s)


LIMITS: Mapping[str, Limit] = {
    "pair": Limit(8, 300.0),
    "account": Limit(40, 60.0),
    "address": Limit(80, 300.0),
}


def utc_now() -> datetime:
    """Now, in UTC, as the database keeps it."""
    return datetime.now(UTC).replace(tzinfo=None)


class Throttle:
    """Wrong passwords of one site."""

    def __init__(self, engine: Engine, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._engine = engine
        self._clock = clock

    def begin(self, login: str, address: str) -> None:
        """Count an attempt as wrong before it is looked at, so that many at once are counted too.

        Raises  TooManyAttempts within a pause
        """
        moment, subjects, known = self._clock(), _subjects(login, address), _known(login, address)
        fresh = moment - timedelta(seconds=FORGOTTEN_AFTER_S)
        with writing(self._engine, changes_data=False) as connection:
            a = login_attempt.c
            rows = connection.execute(
                select(login_attempt)
                .where(a.subject.in_([*subjects.values(), known]))
                .order_by(a.subject)
                .with_for_update()
            )
            found = {row.subject: row for row in rows}
            kinds = [kind for kind in subjects if not (kind == "account" and known in found)]
            wait_s = max(
                (
                    LIMITS[kind].pause_s(row.n_wrong) - (moment - row.at).total_seconds()
                    for kind in kinds
                    if (row := found.get(subjects[kind])) is not None and row.at >= fresh
                ),
                default=0.0,
            )
            if wait_s > 0:
                raise TooManyAttempts(
                    f"too many wrong passwords; try again in {int(wait_s) + 1} seconds", retry_after_s=wait_s
                )
            for subject in sorted(subjects.values()):
                connection.execute(_COUNT, {"subject": subject, "n": 1, "moment": moment, "fresh": fresh})

    def succeeded(self, login: str, address: str) -> None:
        """The attempt was right: it is not counted, and the address is known for this account."""
        moment, subjects = self._clock(), _subjects(login, address)
        a = login_attempt.c
        with writing(self._engine, changes_data=False) as connection:
            for subject in sorted((subjects["account"], subjects["address"])):
                less = update(login_attempt).where(a.subject == subject, a.n_wrong > 0)
                connection.execute(less.values(n_wrong=a.n_wrong - 1))
            count = {"subject": _known(login, address), "n": 0, "moment": moment, "fresh": moment}
            connection.execute(_COUNT, count)
            connection.execute(delete(login_attempt).where(a.subject == subjects["pair"]))
            over = or_(
                and_(a.subject.not_like("known %"), a.at < moment - timedelta(seconds=FORGOTTEN_AFTER_S)),
                a.at < moment - timedelta(seconds=KNOWN_FOR_S),
            )
            # What another process counts just now is left to it.
            unused = select(a.subject).where(over).with_for_update(skip_locked=True)
            connection.execute(delete(login_attempt).where(a.subject.in_(unused)))


_COUNT = text(
    "INSERT INTO login_attempt (subject, n_wrong, at) VALUES (:subject, :n, :moment) "
    "ON CONFLICT (subject) DO UPDATE SET at = :moment, "
    "n_wrong = CASE WHEN login_attempt.at < :fresh THEN :n ELSE login_attempt.n_wrong + :n END"
).bindparams(
    bindparam("n", type_=Integer), bindparam("moment", type_=DateTime), bindparam("fresh", type_=DateTime)
)


def _subjects(login: str, address: str) -> dict[str, str]:
    name, place = login.lower()[:100], _network(address)
    return {"pair": f"pair {place} {name}", "account": f"account {name}", "address": f"address {place}"}


def _known(login: str, address: str) -> str:
    return f"known {_network(address)} {login.lower()[:100]}"


def _network(address: str) -> str:
    """The address; of IPv6 the half that a customer gets."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "local"
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)

"""What is known of a person beside their account: names, standing on the site, last login."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    DateTime,
    ForeignKey,
    Integer,
    Row,
    Select,
    Table,
    func,
    insert,
    update,
)

from connectomedb.store import tables as t
from connectomedb.store.projects import now
from connectomedb.vocabulary.records import AllData, Principal

account_profile = Table(
    "account_profile",
    t.core,
    Column("user_id", Integer, ForeignKey("account.user_id", ondelete="CASCADE"), primary_key=True),
    Column("firstname", t.string, nullable=False),
    Column("lastname", t.string, nullable=False),
    Column("verified", Boolean, nullable=False),
    Column("all_data", t.string, nullable=False),
    Column("last_modified", DateTime, nullable=False),
    Column("last_login", DateTime),
)

account_role = Table(
    "account_role",
    t.core,
    Column("user_id", Integer, ForeignKey("account.user_id", ondelete="CASCADE"), primary_key=True),
    Column("role", t.string, primary_key=True),
)


# What a principal is made of, of `account` and its profile.
PRINCIPAL: tuple[ColumnElement[Any], ...] = (
    t.account.c.login,
    t.account.c.user_id,
    t.account.c.is_admin,
    func.coalesce(account_profile.c.all_data, "").label("all_data"),
)


def with_profile(query: Select[Any], frame: Any) -> Select[Any]:
    """The query over `frame`, which has `account`, and the profile of each account."""
    return query.select_from(
        frame.outerjoin(account_profile, account_profile.c.user_id == t.account.c.user_id)
    )


def principal_of(row: Row[Any]) -> Principal:
    """Who that row is about."""
    return Principal(row.login, row.user_id, row.is_admin, cast("AllData", row.all_data))


def note_login(connection: Connection, user_id: int) -> None:
    """The account logged in now."""
    p = account_profile.c
    done = update(account_profile).where(p.user_id == user_id).values(last_login=now())
    if not connection.execute(done).rowcount:
        keep_profile(connection, user_id, now())
        connection.execute(done)


def keep_profile(connection: Connection, user_id: int, moment: datetime, **values: object) -> None:
    """Change the profile of an account, and note when that was."""
    p = account_profile.c
    done = update(account_profile).where(p.user_id == user_id).values(last_modified=moment, **values)
    if not connection.execute(done).rowcount:
        blank = {"firstname": "", "lastname": "", "verified": True, "all_data": ""}
        connection.execute(
            insert(account_profile).values({**blank, **values, "user_id": user_id, "last_modified": moment})
        )

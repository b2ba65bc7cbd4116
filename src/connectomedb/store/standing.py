"""What a user may read, as one text: another one as soon as any of it changes.

Answers that are kept for paging are bound to it: they end with the rights that they were made under. What
takes a single item away from some of its readers (an unsharing) changes it for all but administrators.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    Integer,
    Select,
    Table,
    and_,
    case,
    cast,
    func,
    insert,
    literal,
    or_,
    select,
)

from connectomedb.schema.registry import DataTypes
from connectomedb.store import tables as t
from connectomedb.store.groups import project_group_right, project_group_user
from connectomedb.store.projects import now
from connectomedb.store.registration import element_security
from connectomedb.store.tiers import held_pairs
from connectomedb.vocabulary.records import Principal

taking_away = Table(
    "taking_away",
    t.core,
    Column("pk", Integer, primary_key=True),
    Column("at", DateTime, nullable=False),
)


def note_taking_away(connection: Connection) -> None:
    """An item was taken away from people who read it by that project."""
    connection.execute(insert(taking_away).values(at=now()))


def standing(connection: Connection, types: DataTypes, who: Principal) -> str:
    """The projects, types and tiers that the user reads by, and which fields are closed, as a digest.

    Cost    one statement
    """
    u, p, s = t.project_user.c, t.project.c, element_security.c
    gu, gr = project_group_user.c, project_group_right.c
    mine = and_(gr.project == gu.project, gr.group_id == gu.group_id)
    flags = case((s.accessible.is_(False), "closed"), else_="open")
    parts: tuple[Select[*tuple[Any, ...]], ...] = (
        select(literal("in", t.string), u.project, literal("", t.string)).where(u.user_id == who.user_id),
        select(literal("public", t.string), p.id, literal("", t.string)).where(p.accessibility == "public"),
        select(literal("part", t.string), gr.project, gr.xsi_type)
        .join_from(project_group_user, project_group_right, mine)
        .where(gu.user_id == who.user_id, gr.may_read),
        select(literal("type", t.string), s.element_name, flags).where(
            or_(s.accessible.is_(False), s.secure.is_(False), s.secure_read.is_(False))
        ),
        held_pairs(who, literal("tier", t.string)),
    )
    if not who.is_admin:
        last = cast(func.max(taking_away.c.pk), t.string)
        parts = (*parts, select(literal("taken", t.string), last, literal("", t.string)))
    first, *others = parts
    rows = sorted(tuple(map(str, row)) for row in connection.execute(first.union_all(*others)))
    text = repr((who, rows, _closed_leaves(types)))
    return hashlib.sha256(text.encode()).hexdigest()


@lru_cache(maxsize=4)
def _closed_leaves(types: DataTypes) -> tuple[tuple[str, str, str], ...]:
    found = (
        (data_type.xsi_type, leaf.path, leaf.tier)
        for data_type in types.all()
        for fields in (data_type.fields, *(m.fields for m in data_type.multiples))
        for leaf in fields
        if leaf.tier != "open"
    )
    return tuple(sorted(found))

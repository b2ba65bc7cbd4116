"""Delete items with everything inside them, and remember who did it, when and why.

A tombstone stays for every project, subject, experiment and part; its document is the last entry of
`history`. The id of what was deleted is not given again, except to a part of an item that is still there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, update

from connectomedb.errors import AccessDenied, Conflict
from connectomedb.store import tables as t
from connectomedb.store.history import note_change
from connectomedb.store.items import not_found
from connectomedb.store.projects import now
from connectomedb.store.resource_files import keys_of
from connectomedb.store.rights import need_right
from connectomedb.store.sharing import refresh_projects_text
from connectomedb.store.visibility import reads_project, visible_project, visible_with_root
from connectomedb.store.writer import take
from connectomedb.vocabulary.records import Principal

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What was deleted: its names, when (UTC), by whom and why."""

    id: str
    family: t.Family
    xsi_type: str
    project: str
    label: str
    at: datetime
    login: str
    reason: str


@dataclass(frozen=True, slots=True)
class Deleted:
    """Ids of what was deleted, the item's own first, and keys of objects that no file points to now."""

    ids: tuple[str, ...]
    keys: tuple[str, ...]


def delete_item(
    connection: Connection,
    layout: t.Layout,
    item_id: str,
    who: Principal,
    reason: str,
    *,
    with_shares: bool = False,
) -> Deleted:
    """Delete an item with its parts, assessors, experiments and files.

    Raises  NotFound when the user does not see it; AccessDenied without the right to delete, or when it
            holds experiments of another project; Conflict when something is shared, unless `with_shares`
    """
    top = _find(connection, item_id, who)
    right = "manage" if top.family == "project" else "delete"
    need_right(connection, who, top.project, right, f"deleting {item_id}")  # type: ignore[arg-type]  # both are rights
    roots = _roots(connection, top)
    foreign = [row for row in roots if row.project != top.project]
    if foreign:
        raise AccessDenied(
            f"{item_id} holds {len(foreign)} experiments that other projects own; they must be deleted or "
            "moved there first"
        )
    root_pks = [row.pk for row in roots if row.family in t.ROOTS]
    if not with_shares:
        n_shared = sum(_count_shared(connection, some) for some in _chunks(root_pks))
        if n_shared:
            raise Conflict(
                f"{n_shared} items of {item_id} are shared into other projects; ask to delete shares too"
            )
    if top.family == "project":
        _empty_of_shares(connection, top.project)
    if top.family in t.PARTS:
        note_change(connection, layout, top.root_pk, who, "changed", reason)
        connection.execute(update(t.item).where(t.item.c.pk == top.root_pk).values(last_modified=now()))
    for pk in root_pks:
        note_change(connection, layout, pk, who, "deleted", reason)
    rows = [*roots]
    if root_pks:
        for some in _chunks(root_pks):
            rows += _rows(connection, (t.item.c.root_pk.in_(some)) & (t.item.c.pk != t.item.c.root_pk))
    keys = _held_keys(connection, [row.pk for row in rows if row.family == "resource"])
    _bury(connection, rows, who, reason)
    _delete_rows(connection, rows)
    return Deleted(tuple(row.id for row in rows), tuple(keys))


def read_tombstones(connection: Connection, project: str, who: Principal) -> tuple[Tombstone, ...]:
    """What was deleted from a project, the last first; nothing for a project that the user does not read."""
    b = t.tombstone.c
    rows = connection.execute(
        select(t.tombstone).where(b.project == project, reads_project(b.project, who)).order_by(b.pk.desc())
    )
    return tuple(
        Tombstone(r.id, r.family, r.xsi_type, r.project, r.label, r.at, r.login, r.reason) for r in rows
    )


def _find(connection: Connection, item_id: str, who: Principal) -> Row[Any]:
    i = t.item.c
    seen = visible_with_root(t.item, who) | ((i.family == "project") & visible_project(t.item, who))
    row = connection.execute(select(t.item).where(i.id == item_id, seen).with_for_update()).one_or_none()
    if row is None:
        raise not_found("", item_id)
    return row


def _roots(connection: Connection, top: Row[Any]) -> list[Row[Any]]:
    """The item, and the items that go with it although they have a membership of their own."""
    i = t.item.c
    if top.family in t.PARTS:
        found, level = [top], [top.pk]
        while level:
            inside = _rows(connection, i.owner_pk.in_(level))
            found += inside
            level = [row.pk for row in inside]
        return found
    if top.family == "experiment":
        return [top, *_rows(connection, (i.owner_pk == top.pk) & (i.family == "experiment"))]
    if top.family == "subject":
        return [top, *_rows(connection, (i.subject_pk == top.pk) & (i.family == "experiment"))]
    subjects = select(i.pk).where(i.project == top.project, i.family == "subject")
    of_project = (i.project == top.project) & i.family.in_(("subject", "experiment"))
    others = i.subject_pk.in_(subjects) & (i.family == "experiment") & (i.project != top.project)
    return [top, *_rows(connection, of_project | others)]


def _rows(connection: Connection, condition: ColumnElement[bool]) -> Sequence[Row[Any]]:
    return connection.execute(select(t.item).where(condition).order_by(t.item.c.pk)).all()


def _held_keys(connection: Connection, resource_pks: list[int]) -> list[str]:
    """Keys of the files of resources, which nobody enters files into from now on."""
    for some in _chunks(resource_pks):
        connection.execute(select(t.item.c.pk).where(t.item.c.pk.in_(some)).with_for_update())
    return keys_of(connection, resource_pks)


def _count_shared(connection: Connection, pks: list[int]) -> int:
    m = t.membership.c
    found = select(func.count(m.item_pk.distinct())).where(m.item_pk.in_(pks), m.position > 0)
    return connection.scalar(found) or 0


def _empty_of_shares(connection: Connection, project: str) -> None:
    """What is shared into a project stays where it is owned."""
    m = t.membership.c
    shared = list(connection.scalars(select(m.item_pk).where(m.project == project, m.position > 0)))
    connection.execute(delete(t.membership).where(m.project == project, m.position > 0))
    refresh_projects_text(connection, shared)


def _bury(connection: Connection, rows: Sequence[Row[Any]], who: Principal, reason: str) -> None:
    first, moment = take(connection, "tombstone", len(rows)), now()
    connection.execute(
        insert(t.tombstone),
        [
            {
                "pk": first + n,
                "id": row.id,
                "family": row.family,
                "xsi_type": row.xsi_type,
                "project": row.project,
                "label": row.label,
                "at": moment,
                "login": who.login,
                "reason": reason,
            }
            for n, row in enumerate(rows)
        ],
    )


def _delete_rows(connection: Connection, rows: Sequence[Row[Any]]) -> None:
    """Inner items before what holds them; typed rows, repeated parts and memberships go with each."""
    order = {"resource": 0, "reconstruction": 1, "scan": 2, "experiment": 3, "subject": 4, "project": 5}
    inner_first = sorted(rows, key=lambda row: (order[row.family], row.owner_pk is None, -row.pk))
    for some in _chunks([row.pk for row in inner_first]):
        connection.execute(delete(t.membership).where(t.membership.c.item_pk.in_(some)))
        connection.execute(delete(t.project).where(t.project.c.pk.in_(some)))
        connection.execute(delete(t.item).where(t.item.c.pk.in_(some)))


def _chunks(pks: Sequence[int]) -> list[list[int]]:
    return [list(pks[start : start + _CHUNK]) for start in range(0, len(pks), _CHUNK)]

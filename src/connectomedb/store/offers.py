"""What a user can choose from when they ask: custom variables that there are, and projects they read."""

from __future__ import annotations

from sqlalchemy import Connection, select

from connectomedb.store import tables as t
from connectomedb.store.rows import Row
from connectomedb.store.visibility import reads_project
from connectomedb.vocabulary.records import Principal

VARIABLES = "fields/field"


def custom_variables(connection: Connection, layout: t.Layout, xsi_type: str, who: Principal) -> list[str]:
    """Names of the custom variables that visible items of a concrete type have, in order.

    Cost   one statement; reads the variables of that type
    """
    if not layout.is_stored(xsi_type):
        return []
    child = layout.typed(xsi_type).children.get(VARIABLES)
    if child is None or "name" not in child.columns:
        return []
    row = Row(layout, layout.types.get(xsi_type))
    frame = child.table.alias()
    name = frame.c[child.columns["name"].name]
    found = (
        select(name)
        .distinct()
        .join_from(frame, row.base, row.pk == frame.c.owner_pk)
        .where(name.is_not(None), row.of_type(), row.seen_by(who))
        .order_by(name)
    )
    return list(connection.scalars(found))


def read_project_ids(connection: Connection, who: Principal) -> list[str]:
    """Ids of the projects whose data the user reads, in order."""
    p = t.project.c
    return list(connection.scalars(select(p.id).where(reads_project(p.id, who)).order_by(p.id)))

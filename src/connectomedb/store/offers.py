"""What a user can choose from when they ask: custom variables that there are, and projects they read."""

from __future__ import annotations

from sqlalchemy import Connection, select

from connectomedb.store import tables as t
from connectomedb.store.rows import Row
from connectomedb.store.visibility import reads_project
from connectomedb.vocabulary.records import Principal


def custom_variables(connection: Connection, layout: t.Layout, xsi_type: str, who: Principal) -> list[str]:
    """Names of the custom variables that visible items of a type have, in order.

    Cost   one statement per concrete type; reads the variables of those types
    """
    found: set[str] = set()
    for typed in layout.concrete(xsi_type):
        child = typed.children.get(t.VARIABLES)
        if child is not None:
            row = Row(layout, typed.data_type)
            frame = child.table.alias()
            name = frame.c[child.columns["name"].name]
            names = (
                select(name)
                .distinct()
                .join_from(frame, row.base, row.pk == frame.c.owner_pk)
                .where(name.is_not(None), row.seen_by(who))
            )
            found.update(connection.scalars(names))
    return sorted(found)


def read_project_ids(connection: Connection, who: Principal) -> list[str]:
    """Ids of the projects whose data the user reads, in order."""
    p = t.project.c
    return list(connection.scalars(select(p.id).where(reads_project(p.id, who)).order_by(p.id)))

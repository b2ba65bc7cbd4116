"""What is inside a session, found by what a path says: assessors, scans and reconstructions."""

from __future__ import annotations

from sqlalchemy import Connection, select

from connectomedb.errors import NoSuchExperiment, NotFound
from connectomedb.store import tables as t
from connectomedb.store.experiments import locate_experiment
from connectomedb.store.rows import Expr, Row, bound
from connectomedb.store.visibility import reads_in, visible_with_root
from connectomedb.vocabulary.records import Located, Principal
from connectomedb.vocabulary.short_names import SCAN


def locate_part(
    connection: Connection, session: Located, family: t.Family, text: str, who: Principal
) -> Located:
    """A scan or reconstruction of a session, by its ID there.

    Raises  NotFound, also when the user may not see it
    """
    i, holder = t.item, t.item.alias()
    held_by = select(holder.c.pk).where(holder.c.id == bound(session.id)).scalar_subquery()
    row = connection.execute(
        select(i.c.id, i.c.label, i.c.xsi_type, i.c.project, i.c.insert_date).where(
            i.c.owner_pk == held_by,
            i.c.family == family,
            i.c.label == bound(text),
            visible_with_root(i, who),
        )
    ).one_or_none()
    if row is None:
        raise NotFound(f"no {family} {text!r} in {session.label}")
    return Located(
        row.id, row.label, row.xsi_type, row.project, session.project, session.subject_id, row.insert_date
    )


def locate_assessor(
    connection: Connection, session: Located, text: str, who: Principal, *, project: str = ""
) -> Located:
    """An assessor of a session, by id, or by its label in the project.

    Raises  NoSuchExperiment, also when the user may not see it
    """
    found = locate_experiment(connection, text, who, project=project or session.owner_project)
    holder = t.item.alias()
    held_by = connection.scalar(
        select(holder.c.id)
        .join_from(t.item, holder, t.item.c.owner_pk == holder.c.pk)
        .where(t.item.c.id == found.id, t.item.c.place.is_(None))
    )
    if held_by != session.id:
        raise NoSuchExperiment(f"no assessor {text!r} of {session.label}")
    return found


def shown_in(
    connection: Connection, layout: t.Layout, item_id: str, who: Principal
) -> list[tuple[str, str, str, str]]:
    """The projects that show an item, the owner first: its label there, the project's id, second id, name.

    Projects that the user does not read are left out, as are their names everywhere.
    """
    i, m, p = t.item, t.membership, t.project
    typed = layout.typed(t.PROJECT)
    second, name = typed.columns["secondary_id"], typed.columns["name"]
    rows = connection.execute(
        select(m.c.label, p.c.id, second, name)
        .select_from(
            m.join(i, i.c.pk == m.c.item_pk)
            .join(p, p.c.id == m.c.project)
            .outerjoin(typed.table, typed.table.c.pk == p.c.pk)
        )
        .where(i.c.id == bound(item_id), visible_with_root(i, who), reads_in(m.c.project, i.c.xsi_type, who))
        .order_by(m.c.position)
    )
    return [(label, project, second or "", name or "") for label, project, second, name in rows]


def scan_types(
    connection: Connection, layout: t.Layout, who: Principal, project: str = ""
) -> list[tuple[str, str]]:
    """Series description and type of the scans that the user sees, each pair once."""
    row = Row(layout, layout.types.get(SCAN))
    leaves = [row.leaf(name, row.data_type) for name in ("series_description", "type")]
    return [(text or "", kind or "") for text, kind in _distinct(connection, row, leaves, who, project)]


def scanners(connection: Connection, layout: t.Layout, who: Principal, project: str = "") -> list[str]:
    """The scanners of the sessions that the user sees."""
    row = Row(layout, layout.types.get(t.SESSION))
    found = _distinct(connection, row, [row.leaf("scanner", row.data_type)], who, project)
    return [name for (name,) in found if name]


def _distinct(
    connection: Connection, row: Row, leaves: list[Expr | None], who: Principal, project: str
) -> list[tuple[str | None, ...]]:
    columns = [leaf.sql for leaf in leaves if leaf is not None]
    query = select(*columns).distinct().select_from(row.joined()).where(row.of_type(), row.seen_by(who))
    if project:
        m, top = t.membership, t.item.alias()
        joined = select(m.c.item_pk).join_from(m, top, top.c.pk == m.c.item_pk)
        roots = joined.where(m.c.project == project, reads_in(m.c.project, top.c.xsi_type, who))
        query = query.where(row.base.c.root_pk.in_(roots))
    return [tuple(found) for found in connection.execute(query.order_by(*columns))]

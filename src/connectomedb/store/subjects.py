"""Find a subject by what a path says: an id of the site, or a label in a project."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, FromClause, case, or_, select

from connectomedb.store import tables as t
from connectomedb.store.items import not_found
from connectomedb.store.rows import bound
from connectomedb.store.visibility import reads_in, visible
from connectomedb.vocabulary.records import Located, Principal


def locate_subject(connection: Connection, text: str, who: Principal, *, project: str = "") -> Located:
    """The subject of that id; within a project also of the label it has there, owned before shared.

    Raises  NoSuchSubject, also when the user may not see it
    Cost    one statement
    Source  protocol/rest.md 0.7
    """
    return locate(connection, "subject", text, who, project=project)


def locate(
    connection: Connection,
    family: t.Family,
    text: str,
    who: Principal,
    *,
    project: str = "",
    subject: str = "",
) -> Located:
    """A subject or an experiment; see `locate_subject` and `experiments.locate_experiment`."""
    i, m = t.item.alias(), t.membership.alias()
    owner = t.item.alias()
    sought = bound(text)
    query = (
        select(
            i.c.id,
            m.c.label,
            i.c.xsi_type,
            i.c.project.label("owner_project"),
            m.c.project.label("project"),
            owner.c.id.label("subject_id"),
            i.c.insert_date,
        )
        .select_from(i.join(m, m.c.item_pk == i.c.pk).outerjoin(owner, owner.c.pk == i.c.subject_pk))
        .where(i.c.family == family, visible(i, who))
    )
    if project:
        query = query.where(m.c.project == bound(project), reads_in(m.c.project, i.c.xsi_type, who))
        query = query.where(or_(i.c.id == sought, m.c.label == sought))
    else:
        query = query.where(i.c.id == sought, m.c.position == 0)
    if subject:
        query = query.where(_of_subject(owner, subject, project))
    by_id_first = case((i.c.id == sought, 0), else_=1)
    row = connection.execute(query.order_by(by_id_first, m.c.position, i.c.pk).limit(1)).one_or_none()
    if row is None:
        raise not_found(family, text, project)
    return Located(
        row.id, row.label, row.xsi_type, row.owner_project, row.project, row.subject_id or "", row.insert_date
    )


def _of_subject(owner: FromClause, subject: str, project: str) -> ColumnElement[bool]:
    """The item's subject has this id, or this label in the project."""
    by_id = owner.c.id == bound(subject)
    if not project:
        return by_id
    m = t.membership.c
    named = select(m.item_pk).where(
        m.project == bound(project), m.family == "subject", m.label == bound(subject)
    )
    return or_(by_id, owner.c.pk.in_(named))

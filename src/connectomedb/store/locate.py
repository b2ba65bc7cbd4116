"""Finds a subject or an experiment by id or label, with the caller's rights: what they may not see is not there."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import Connection, case, select

from connectomedb.errors import NoSuchExperiment, NoSuchSubject
from connectomedb.store import tables as t
from connectomedb.store.visibility import visible
from connectomedb.vocabulary.records import Located, Principal


def locate(
    connection: Connection,
    family: Literal["subject", "experiment"],
    text: str,
    who: Principal,
    *,
    project: str = "",
    subject: str = "",
) -> Located:
    """The item of that id, or with a project of that label there; ids win over labels.

    Raises   NoSuchSubject, NoSuchExperiment
    """
    i, m, s = t.item, t.membership, t.item.alias()
    named = i.c.id == text
    query = (
        select(
            i, m.c.label.label("label_here"), m.c.project.label("project_here"), s.c.id.label("subject_id")
        )
        .join_from(i, m, m.c.item_pk == i.c.pk)
        .outerjoin(s, s.c.pk == i.c.subject_pk)
        .where(i.c.family == family, visible(i, who))
    )
    if project:
        query = query.where(m.c.project == project, named | (m.c.label == text))
    else:
        query = query.where(m.c.position == 0, named)
    if subject:
        query = query.where(s.c.id == subject)
    query = query.order_by(case((named, 0), else_=1), m.c.position).limit(1)
    row = connection.execute(query).one_or_none()
    if row is None:
        kind = NoSuchSubject if family == "subject" else NoSuchExperiment
        place = f" of {subject}" if subject else ""
        place += f" in project {project}" if project else ""
        hint = "" if project else "; outside a project only ids are known, not labels"
        raise kind(f"no {family} {text!r}{place} that you may see{hint}")
    return Located(
        id=row.id,
        label=row.label_here,
        xsi_type=row.xsi_type,
        owner_project=row.project,
        project=row.project_here,
        subject_id=row.subject_id or "",
        insert_date=row.insert_date,
    )

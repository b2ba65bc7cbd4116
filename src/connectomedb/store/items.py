"""Items as a whole: a new project, a document by its id, and the errors for what is not there."""

from __future__ import annotations

from sqlalchemy import Connection, select

from connectomedb.errors import LabelTaken, NoSuchExperiment, NoSuchSubject, NotFound
from connectomedb.schema.model import Item
from connectomedb.store import tables as t
from connectomedb.store.loader import Contents, load_documents
from connectomedb.store.projects import locate_project
from connectomedb.store.visibility import visible_with_root
from connectomedb.vocabulary.records import Principal


def load_item(
    connection: Connection,
    layout: t.Layout,
    item_id: str,
    who: Principal,
    *,
    contents: Contents = "assessors",
) -> Item:
    """The document of a subject, an experiment or a part. Raises NotFound for what is not to be seen."""
    i = t.item.c
    pk = connection.scalar(
        select(i.pk).where(i.id == item_id, i.family != "project", visible_with_root(t.item, who))
    )
    if pk is None:
        raise not_found("", item_id)
    return load_documents(connection, layout, [pk], who, contents=contents)[pk]


def load_project(connection: Connection, layout: t.Layout, project_id: str, who: Principal) -> Item:
    """The document of a project. Raises NoSuchProject."""
    found = locate_project(connection, layout, project_id, who)
    pk = connection.execute(select(t.project.c.pk).where(t.project.c.id == found)).scalar_one()
    return load_documents(connection, layout, [pk], who)[pk]


def not_found(family: str, text: str, project: str = "") -> NotFound:
    """The error for an item that is not there, or not to be seen: the two look alike."""
    kind = {"subject": NoSuchSubject, "experiment": NoSuchExperiment}.get(family, NotFound)
    place = f" in project {project}" if project else "; outside a project only ids are known, not labels"
    return kind(f"no {family or 'item'} {text!r} that you may see{place}")


def label_taken(family: str, label: str, project: str) -> LabelTaken:
    """The error for a label that another item of the project has."""
    return LabelTaken(f"the label {label!r} is in use for a {family} of project {project}; choose another")

"""An export as XML documents: `project.xml`, and a folder per subject with its own and its experiments'."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, select

from connectomedb.schema.documents import write_document
from connectomedb.store import facts, items
from connectomedb.store import tables as t
from connectomedb.store.export.folder import SYNTHETIC
from connectomedb.store.export.reading import iter_documents
from connectomedb.vocabulary.records import Principal

# Experiments of no subject that the user sees.
_NO_SUBJECT = "without-subject"


def write_documents(
    connection: Connection,
    layout: t.Layout,
    project: str,
    who: Principal,
    folder: Path,
    progress: Callable[[int], None],
    *,
    synthetic: bool,
) -> int:
    """Write every document that the project owns; answers how many.

    Documents have no place for it, so a note beside them says that a site is synthetic.

    Each has a note that other readers pass over: when it came in and through whom, and the numbers of its
    resources; see `store.facts`.

    Subjects come before their experiments in the order of names, so that an import needs one pass.
    """
    types = layout.types
    document = items.load_project(connection, layout, project, who)
    (stated,) = facts.load(connection, {_project_pk(connection, project): document}).values()
    (folder / "project.xml").write_bytes(facts.write_facts(write_document(document, types), stated))
    if synthetic:
        (folder / "SYNTHETIC.txt").write_text(f"{SYNTHETIC}\n", encoding="utf-8")
    n = 1
    for place in iter_documents(connection, layout, project, who):
        beside = folder / (place.subject or _NO_SUBJECT)
        if layout.family(place.item.xsi_type) == "subject":
            path = beside / "subject.xml"
        else:
            path = beside / "experiments" / f"{place.item.text('label')}.xml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(facts.write_facts(write_document(place.item, types), place.stated))
        n += 1
        progress(n)
    return n


def _project_pk(connection: Connection, project: str) -> int:
    pk: int = connection.execute(select(t.project.c.pk).where(t.project.c.id == project)).scalar_one()
    return pk

"""What became of the documents: every change with the document as it was before, kept for good.

Owns the table `history`. Who reads the project that owns an item reads its history.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import BigInteger, Column, Connection, DateTime, Index, Integer, Row, Table, insert, select

from connectomedb.errors import AccessDenied
from connectomedb.schema.documents import read_document, write_document
from connectomedb.schema.model import Item
from connectomedb.store import tables as t
from connectomedb.store.items import not_found
from connectomedb.store.loader import load_documents
from connectomedb.store.projects import now
from connectomedb.store.tiers import without_closed
from connectomedb.store.visibility import reads_project, visible_project, visible_with_root
from connectomedb.store.writer import take
from connectomedb.vocabulary.records import Principal

ChangeKind = Literal["changed", "renamed", "shared", "unshared", "moved", "deleted"]

history = Table(
    "history",
    t.core,
    Column("pk", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("item_id", t.string, nullable=False),
    Column("project", t.string, nullable=False),
    Column("kind", t.string, nullable=False),
    Column("at", DateTime, nullable=False),
    Column("login", t.string, nullable=False),
    Column("reason", t.string, nullable=False),
    Column("document", t.string, nullable=False),
    Index("history_by_item", "item_id", "pk"),
)


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a document: what was done, when (UTC), by whom, why, and the document before it.

    Null    `document` is empty for a type that has no root element, as it cannot be a document
    """

    item_id: str
    kind: ChangeKind
    at: datetime
    login: str
    reason: str
    document: str


def note_change(
    connection: Connection,
    layout: t.Layout,
    root_pk: int,
    who: Principal,
    kind: ChangeKind,
    reason: str,
) -> None:
    """Keep the document of a project, subject or experiment as it is now, before it changes."""
    # Everything inside counts; assessors have a history of their own.
    item = load_documents(connection, layout, [root_pk], who, contents="parts")[root_pk]
    owner = connection.scalar(select(t.item.c.project).where(t.item.c.pk == root_pk))
    connection.execute(
        insert(history).values(
            pk=take(connection, "history"),
            item_id=item.text("ID"),
            project=owner,
            kind=kind,
            at=now(),
            login=who.login,
            reason=reason,
            document=_document(item, layout),
        )
    )


def read_history(
    connection: Connection, layout: t.Layout, item_id: str, who: Principal
) -> tuple[Change, ...]:
    """The changes of an item, the last first; also those of one that was deleted.

    Raises  NotFound when the user does not see it; AccessDenied when they see it only by a share
    """
    i, h = t.item.c, history.c
    rows = connection.execute(
        select(history).where(h.item_id == item_id, reads_project(h.project, who)).order_by(h.pk.desc())
    ).all()
    if not rows:
        found = connection.execute(
            select(i.project, i.family).where(
                i.id == item_id, visible_with_root(t.item, who) | _project_seen(who)
            )
        ).one_or_none()
        if found is None:
            raise not_found("", item_id)
        reads = select(t.project.c.pk).where(
            t.project.c.id == found.project, reads_project(t.project.c.id, who)
        )
        if connection.scalar(reads) is None:
            raise AccessDenied(f"the history of {item_id} is for readers of the project that owns it")
    return tuple(_change(connection, layout, row, who) for row in rows)


def _project_seen(who: Principal) -> Any:
    return (t.item.c.family == "project") & visible_project(t.item, who)


def _change(connection: Connection, layout: t.Layout, row: Row[Any], who: Principal) -> Change:
    """The change, its document without what is closed to the user now."""
    document = row.document
    if document and not who.is_admin:
        item = read_document(document.encode(), layout.types)
        shown = without_closed(connection, layout.types, item, who)
        document = document if shown == item else _document(shown, layout)
    return Change(row.item_id, row.kind, row.at, row.login, row.reason, document)


def _document(item: Item, layout: t.Layout) -> str:
    if not layout.types.get(item.xsi_type).root_element:
        return ""
    return write_document(item, layout.types).decode()

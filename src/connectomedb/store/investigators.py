"""Investigators as rows of their own: the people whom projects, subjects and experiments name.

They stand in documents, so there is no table of them. A search for `xnat:investigatorData` reads them from
where they stand: one row for each first and last name, as the oldest of the items says it that the user sees.

Deviation: XNAT shows every investigator to everybody who is logged in. Here the name of an investigator is
part of the item that says it, and seen with it: a private project does not give away who leads it.

Source  protocol/search-and-types.md 1.4 (unique by first and last name) and 1.7
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    FromClause,
    Select,
    and_,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)

from connectomedb.schema.model import Node
from connectomedb.store import tables as t
from connectomedb.store.visibility import visible_project, visible_with_root
from connectomedb.vocabulary.records import Principal

INVESTIGATOR = "xnat:investigatorData"
# An item names fewer investigators than this.
_PLACES = 1_000_000


def rows_of(layout: t.Layout, *families: t.Family) -> FromClause:
    """Every mention: its number, the item that makes it, and the leaves under their lower-case paths.

    Shape   the columns of `item` that every row has stand beside them, most without a value
    Cost    reads every item of these families, of all when none is named
    """
    mentions = union_all(*_mentions(layout, families)).subquery()
    c = mentions.c
    leaves = [c[path] for path in _paths(layout)]
    facts: dict[str, ColumnElement[Any]] = {
        "status": literal("active", t.string),
        "xsi_type": literal(INVESTIGATOR, t.string),
        "project": cast(null(), t.string),
        "label": cast(null(), t.string),
        "insert_date": cast(null(), DateTime()),
        "last_modified": cast(null(), DateTime()),
        "insert_user": cast(null(), t.string),
        "subject_pk": cast(null(), BigInteger()),
        "owner_pk": cast(null(), BigInteger()),
    }
    columns = [c.pk, c.holder_pk, *leaves, *(value.label(name) for name, value in facts.items())]
    return select(*columns).where(c.lastname.is_not(None)).subquery()


def seen(layout: t.Layout, mention: FromClause, who: Principal, *families: t.Family) -> ColumnElement[bool]:
    """The mention is the first one of that name that the user sees."""
    every, item = rows_of(layout, *families), t.item.alias()
    owners = and_(item.c.family == "project", visible_project(item, who))
    others = and_(item.c.family != "project", visible_with_root(item, who))
    first = (
        select(func.min(every.c.pk))
        .join_from(every, item, item.c.pk == every.c.holder_pk)
        .where(or_(owners, others))
        .group_by(every.c.firstname, every.c.lastname)
    )
    return mention.c.pk.in_(first)


def _paths(layout: t.Layout) -> list[str]:
    return [leaf.path.lower() for leaf in layout.types.get(INVESTIGATOR).fields]


def _mentions(layout: t.Layout, families: tuple[t.Family, ...]) -> Iterator[Select[Any]]:
    paths = _paths(layout)
    for typed in layout.all():
        if families and typed.family not in families:
            continue
        for number, place in enumerate(_places(typed.data_type.nodes)):
            names = {f"{place}/{path}": path for path in paths if f"{place}/{path}" in typed.columns}
            if names:
                named = typed.select(names).subquery()
                yield _mention(named, named.c.pk * _PLACES + number, named.c.pk, set(names.values()), paths)
        for child in typed.children.values():
            if child.multiple.item_type.lower() == INVESTIGATOR.lower():
                frame = child.table.alias()
                leaves = [frame.c[column.name].label(leaf) for leaf, column in child.columns.items()]
                entry = select(frame.c.owner_pk, frame.c.entry, *leaves).subquery()
                # Behind what the document names once.
                pk = entry.c.owner_pk * _PLACES + 100 + entry.c.entry
                yield _mention(entry, pk, entry.c.owner_pk, set(child.columns), paths)


def _mention(
    frame: FromClause, pk: ColumnElement[Any], holder: ColumnElement[Any], there: set[str], paths: list[str]
) -> Select[Any]:
    leaves = [(frame.c[p] if p in there else cast(null(), t.string)).label(p) for p in paths]
    return select(cast(pk, BigInteger()).label("pk"), holder.label("holder_pk"), *leaves)


def _places(nodes: tuple[Node, ...]) -> Iterator[str]:
    """Where a document names one investigator, in lower case."""
    for node in nodes:
        if node.kind == "item" and node.item_type == INVESTIGATOR:
            yield node.path.lower()
        elif node.kind != "multiple":
            yield from _places(node.children)

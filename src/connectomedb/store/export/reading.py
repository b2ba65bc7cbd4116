"""What an export reads: documents a page at a time, and the rows of a data type as a stream; for one user."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Select, and_, func, literal, select

from connectomedb.schema.model import DataType, ElementPath, Item, Value
from connectomedb.store import facts
from connectomedb.store import tables as t
from connectomedb.store.loader import load_documents
from connectomedb.store.rows import Row
from connectomedb.store.tiers import held, read_leaf, shown
from connectomedb.store.visibility import reads_in, visible
from connectomedb.store.writer import Imported
from connectomedb.vocabulary.records import Principal

_PAGE = 500
_COUNTED_AT_ONCE = 500
# Said by columns of their own, or by the project that is exported.
_BESIDE = frozenset({"id", "label", "project", "subject_id"})


@dataclass(frozen=True, slots=True)
class Place:
    """A document and where it belongs, the label of its subject; and what the site states beside it."""

    subject: str
    item: Item
    stated: Imported


@dataclass(frozen=True, slots=True)
class TypeRows:
    """A data type as the project shows it: the leaves that say something, and a stream of their values.

    A row is (subject label, id, label, the facts of `facts.COLUMNS`, then the fields' values); labels are
    those of the project.
    """

    data_type: DataType
    fields: tuple[ElementPath, ...]
    query: Select[Any]

    def rows(self, connection: Connection) -> Iterator[tuple[Value | None, ...]]:
        """Ordered by label. Cost: memory for 1,000 rows."""
        streamed = connection.execution_options(stream_results=True, yield_per=1000)
        for row in streamed.execute(self.query):
            yield tuple(row)


def iter_documents(connection: Connection, layout: t.Layout, project: str, who: Principal) -> Iterator[Place]:
    """Every document that the project owns and the user sees: subjects first, then experiments.

    Scans, reconstructions and resources stand in the documents; assessors are documents of their own.

    Cost     memory for 500 documents
    """
    i = t.item.c
    person = t.item.alias()
    seen = and_(person.c.pk == i.subject_pk, visible(person, who))
    mine = held(connection, who)
    for family in ("subject", "experiment"):
        last = -1
        while True:
            found = connection.execute(
                select(i.pk, i.label, person.c.label.label("subject"))
                .select_from(t.item.outerjoin(person, seen))
                .where(
                    i.family == family,
                    i.project == project,
                    i.pk > last,
                    visible(t.item, who),
                    reads_in(i.project, i.xsi_type, who),
                )
                .order_by(i.pk)
                .limit(_PAGE)
            ).all()
            if not found:
                break
            last = found[-1].pk
            documents = load_documents(connection, layout, [row.pk for row in found], who, contents="parts")
            stated = facts.load(connection, documents)
            for row in found:
                subject = row.label if family == "subject" else row.subject or ""
                document = documents[row.pk]
                whole = document if who.is_admin else shown(layout.types, document, mine)
                yield Place(subject, whole, stated[row.pk])


def types_in(connection: Connection, project: str, who: Principal) -> tuple[str, ...]:
    """The types of the subjects and experiments that the project shows to the user, by name."""
    i, m = t.item.c, t.membership.c
    found = connection.scalars(
        select(i.xsi_type)
        .join_from(t.item, t.membership, m.item_pk == i.pk)
        .where(
            m.project == project,
            m.family.in_(("subject", "experiment")),
            visible(t.item, who),
            reads_in(m.project, i.xsi_type, who),
        )
        .distinct()
    )
    return tuple(sorted(found))


def type_rows(
    connection: Connection, layout: t.Layout, xsi_type: str, project: str, who: Principal
) -> TypeRows:
    """The rows of one type that the project shows, with every leaf that has a value in one of them."""
    data_type = layout.types.get(xsi_type)
    row = Row(layout, data_type)
    leaves: list[tuple[ElementPath, ColumnElement[Any]]] = []
    for field in data_type.fields:
        found = None if field.path.lower() in _BESIDE else read_leaf(row, field.path, data_type, who)
        if found is not None:
            leaves.append((field, found.sql))
    m, person, named = t.membership.alias(), t.item.alias(), t.membership.alias()
    frame = _shown(row.joined(), row.pk, m, project)
    frame = frame.outerjoin(person, and_(person.c.pk == row.subject_pk, visible(person, who)))
    frame = frame.outerjoin(named, and_(named.c.item_pk == person.c.pk, named.c.project == project))
    condition = and_(
        row.base.c.xsi_type == data_type.xsi_type,
        row.seen_by(who),
        reads_in(m.c.project, row.base.c.xsi_type, who),
    )
    used = _used(connection, [sql for _, sql in leaves], frame, condition)
    kept = [leaf for leaf, n in zip(leaves, used, strict=True) if n]
    subject = m.c.label if row.family == "subject" else func.coalesce(named.c.label, person.c.label)
    query = (
        select(
            subject,
            row.base.c.id,
            m.c.label.label("label_here"),
            *(row.base.c[name] for name in facts.COLUMNS),
            *(sql for _, sql in kept),
        )
        .select_from(frame)
        .where(condition)
        .order_by(m.c.label, row.pk)
    )
    return TypeRows(data_type, tuple(field for field, _ in kept), query)


def left_out(
    connection: Connection, layout: t.Layout, xsi_type: str, project: str, who: Principal
) -> tuple[str, ...]:
    """The repeated parts that a table of the type has no column for, with their numbers."""
    typed = layout.typed(xsi_type)
    i, m, part = t.item, t.membership.alias(), t.item.alias()
    base = _shown(i, i.c.pk, m, project)
    condition = and_(i.c.xsi_type == xsi_type, visible(i, who), reads_in(m.c.project, i.c.xsi_type, who))
    said: list[str] = []
    for child in typed.children.values():
        frame = base.join(child.table, child.table.c.owner_pk == i.c.pk)
        n = connection.scalar(select(func.count()).select_from(frame).where(condition))
        if n:
            said.append(f"{xsi_type}: {n} entries of {child.multiple.path}")
    frame = base.join(part, part.c.owner_pk == i.c.pk)
    parts = select(part.c.place, func.count()).select_from(frame).where(condition, part.c.place.is_not(None))
    for place, n in connection.execute(parts.group_by(part.c.place)):
        said.append(f"{xsi_type}: {n} of {place}")
    return tuple(said)


def _shown(frame: FromClause, pk: ColumnElement[Any], m: FromClause, project: str) -> Any:
    return frame.join(m, and_(m.c.item_pk == pk, m.c.project == literal(project)))


def _used(
    connection: Connection,
    columns: Sequence[ColumnElement[Any]],
    frame: FromClause,
    condition: ColumnElement[bool],
) -> list[int]:
    """How many values each column has."""
    counts: list[int] = []
    for start in range(0, len(columns), _COUNTED_AT_ONCE):
        some = [func.count(column) for column in columns[start : start + _COUNTED_AT_ONCE]]
        counts += connection.execute(select(*some).select_from(frame).where(condition)).one()
    return counts

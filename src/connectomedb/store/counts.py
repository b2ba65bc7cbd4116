"""Display fields that count: experiments and assessors by type, scans by what they are, files of the mirrors.

A count of nothing is no value. Only what the user sees is counted.

Source  protocol/search-and-types.md 2.2
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, cast, func, null, select, union_all
from sqlalchemy.types import BigInteger, Text

from connectomedb.errors import BadConstraint
from connectomedb.store import tables as t
from connectomedb.store.asked import Asked
from connectomedb.store.rows import Expr, Row, bound
from connectomedb.store.visibility import HIDDEN_STATUSES, reads_in, visible_file


def count(asked: Asked) -> Expr:
    """The row's items of a type: a subject's, a session's or a project's; the type is fixed or the value."""
    fixed = asked.arguments[0] if asked.arguments else ""
    if fixed and fixed not in asked.layout.types:
        return _nothing()  # the site lacks the type, so it has none of it
    return _counted(asked, fixed or asked.needed_value())


def count_in_project(asked: Asked) -> Expr:
    """The row's items of a type that a project has, which the user must read."""
    m = t.membership.c
    project = bound(asked.needed_value())
    top = t.item.alias()
    members = select(m.item_pk).join_from(t.membership, top, top.c.pk == m.item_pk)
    members = members.where(m.project == project, reads_in(m.project, top.c.xsi_type, asked.who))
    return _counted(asked, asked.arguments[0], members)


def _counted(asked: Asked, xsi_type: str, among: Select[Any] | None = None) -> Expr:
    row = asked.row
    counted = Row(asked.layout, asked.layout.types.get(xsi_type))
    query: Select[Any] = select(func.nullif(func.count(), 0)).select_from(counted.base)
    query = query.where(counted.of_type(), counted.seen_by(asked.who))
    if counted.family == "file":
        raise BadConstraint(f"{asked.name} counts items; FILE_COUNT= counts files")
    if row.family == "subject":
        query = query.where(counted.base.c.subject_pk == row.pk)
    elif row.family == "experiment":
        query = query.where(counted.base.c.owner_pk == row.pk)
    elif row.family == "project":
        m = t.membership.c
        members = select(m.item_pk).where(m.project == row.base.c.id).correlate_except(t.membership)
        top = counted.base.c.root_pk if counted.family in t.PARTS else counted.base.c.pk
        query = query.where(top.in_(members))
    else:
        raise BadConstraint(f"{row.data_type.xsi_type} holds no items that could be counted")
    if among is not None:
        query = query.where(counted.base.c.pk.in_(among))
    return Expr(query.correlate_except(counted.base).scalar_subquery(), "integer")


def scan_count(asked: Asked) -> Expr:
    """Scans whose leaf equals or contains a text, ignoring case; the text is fixed or the value."""
    leaf, match, *words = asked.arguments
    wanted = asked.dialect.lower(bound(" ".join(words) or asked.needed_value()))
    scans = _scans(asked, leaf)
    if scans is None:
        return _nothing()
    text = asked.dialect.lower(scans.c.text)
    if match == "equal":
        holds = text == wanted
    else:
        pattern = _escaped(" ".join(words) or asked.value)
        holds = text.like(asked.dialect.lower(bound(f"%{pattern}%")), escape="\\")
    query = select(func.nullif(func.count(), 0)).select_from(scans).where(holds)
    return Expr(query.scalar_subquery(), "integer")


def scan_summary(asked: Asked) -> Expr:
    """`T1(2), T2(1)`: the types of the scans in their order, each with its number."""
    scans = _scans(asked, "type")
    if scans is None:
        return Expr(cast(null(), t.string), "string")
    number = asked.dialect.printed(func.count(type_=BigInteger()), "integer")
    one = scans.c.text.concat("(").concat(number).concat(")")
    groups = (
        select(one.label("said"), scans.c.text.label("text"))
        .where(scans.c.text.is_not(None))
        .group_by(scans.c.text)
        .order_by(scans.c.text)
        .subquery()
    )
    joined = asked.dialect.join_text(groups.c.said, ", ", groups.c.text)
    return Expr(select(joined).scalar_subquery(), "string")


def _scans(asked: Asked, leaf: str) -> FromClause | None:
    """One leaf (`text`) of every scan of the row's session; None when no kind of scan has it."""
    row = asked.row
    if row.family != "experiment":
        raise BadConstraint(f"{row.data_type.xsi_type} has no scans")
    parts: list[Select[Any]] = []
    for typed in asked.layout.concrete(t.SCAN):
        if leaf not in typed.columns:
            continue
        item, frame = t.item.alias(), typed.columns[leaf].table.alias()
        column: ColumnElement[Any] = frame.c[typed.columns[leaf].name]
        parts.append(
            select(cast(column, Text()).label("text"))
            .join_from(item, frame, frame.c.pk == item.c.pk)
            .where(
                item.c.owner_pk == row.pk,
                item.c.xsi_type == typed.data_type.xsi_type,
                item.c.status.notin_(HIDDEN_STATUSES),
            )
            .correlate_except(item, frame)
        )
    if not parts:
        return None
    return union_all(*parts).subquery() if len(parts) > 1 else parts[0].subquery()


def file_count(asked: Asked) -> Expr:
    """Files of the row's subject."""
    return _files(asked, func.count())


def file_bytes(asked: Asked) -> Expr:
    """Bytes of the files of the row's subject."""
    return _files(asked, func.sum(t.file.c.size))


def _files(asked: Asked, total: ColumnElement[Any]) -> Expr:
    """Over the subject's files for which each word is the kind, the run or the package."""
    f = t.file.c
    words = [word.strip() for word in asked.value.split(",") if word.strip()]
    if not words:
        raise BadConstraint("FILE_COUNT and FILE_BYTES need a kind, run or package: FILE_COUNT=T1w")
    conditions: Sequence[ColumnElement[bool]] = [
        f.subject_pk == asked.row.subject_pk,
        *((f.kind == bound(w)) | (f.run == bound(w)) | (f.package == bound(w)) for w in words),
    ]
    if not asked.who.is_admin:
        conditions = [*conditions, visible_file(t.file, asked.who)]
    counted = select(func.nullif(cast(total, BigInteger()), 0)).select_from(t.file).where(*conditions)
    return Expr(counted.correlate_except(t.file).scalar_subquery(), "integer")


def _nothing() -> Expr:
    return Expr(cast(null(), BigInteger()), "integer")


def _escaped(text: str) -> str:
    for character in ("\\", "%", "_"):
        text = text.replace(character, "\\" + character)
    return text

"""The two idioms that ask for a project's items, answered from the index of members instead of text.

    sharing/share/project = P or project = P        in P, owned or shared
    PROJECTS like %P%                               in some project of such an id

Source  protocol/search-and-types.md 2.5, 4.7, 4.8 and 8
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal, select

from connectomedb.schema.model import DataType
from connectomedb.search.resolve import ResolvedCriterion, ResolvedSet
from connectomedb.store import tables as t
from connectomedb.store.rows import Expr, Row, bound
from connectomedb.store.visibility import reads_in
from connectomedb.vocabulary.records import Principal


def in_one_project(criteria: ResolvedSet) -> tuple[str, DataType] | None:
    """The project and the type when the set says 'owned by P or shared into P' and nothing else."""
    if criteria.method != "OR" or len(criteria.members) != 2:
        return None
    found: dict[str, str] = {}
    types: list[DataType] = []
    for member in criteria.members:
        if (
            not isinstance(member, ResolvedCriterion)
            or member.comparison_type != "="
            or not isinstance(member.operand, str)
        ):
            return None
        found[member.display.expression[0]] = member.operand
        types.append(member.data_type)
    if set(found) != {"member_owner", "member_share"} or len(set(found.values())) != 1:
        return None
    return (found["member_owner"], types[0]) if types[0] is types[1] else None


def lists_project(row: Row, project: str, who: Principal) -> ColumnElement[bool]:
    """The row is in the project, which the user reads.

    Deviation: XNAT answers the question for a project that one may not read with an error; here it is empty.
    """
    m = t.membership.alias()
    inside = select(m.c.item_pk).where(m.c.project == bound(project))
    return and_(reads_in(bound(project), member_type(row), who), membership_key(row).in_(inside))


def membership_key(row: Row) -> ColumnElement[Any]:
    """The item whose memberships count: the row's own, its root's, a file's subject's."""
    if row.family == "file":
        return row.subject_pk
    return row.base.c.root_pk if row.family in t.PARTS else row.pk


def member_type(row: Row) -> ColumnElement[Any]:
    """The concrete type that rights are judged by: the row's own, its root's, that of files."""
    if row.family == "file":
        return literal(t.FILE, t.string)
    if row.family not in t.PARTS:
        return row.base.c.xsi_type
    top = t.item.alias()
    found = select(top.c.xsi_type).where(top.c.pk == row.base.c.root_pk)
    return found.correlate_except(top).scalar_subquery()


def share_of(row: Row) -> Expr:
    """The projects that the item is shared into, in the order of sharing: `<P1>,<P2>`."""
    base = (row.subject if row.family == "file" else row).base.c
    # PROJECTS without the owner: a comma stands first in a subject's.
    owner = func.length(base.project) + case((base.family == "subject", 5), else_=4)
    rest = func.substr(base.projects_text, owner, type_=t.string)
    return Expr(func.nullif(rest, literal("", t.string), type_=t.string), "string")


def is_about_one_project(pattern: str) -> bool:
    """Whether a pattern for PROJECTS matches the whole text just when it matches some `<id>` in it.

    It must be `%X%` where no character of X, wildcards included, can stand for the `>,<` between two ids.
    """
    tokens: list[str] = []  # characters; wildcards doubled
    rest = iter(pattern)
    for character in rest:
        if character == "\\":
            tokens.append(next(rest, "\\"))
        else:
            tokens.append(character * 2 if character in "%_" else character)
    if len(tokens) < 3 or tokens[0] != "%%" or tokens[-1] != "%%":
        return False
    inside = tokens[1:-1]
    if inside[0] == "<":
        inside = inside[1:]
    if inside and inside[-1] == ">":
        inside = inside[:-1]
    if any(one in ("%%", ",", "<", ">") for one in inside):
        return False
    return not any(one == other == "__" for one, other in pairwise(inside))

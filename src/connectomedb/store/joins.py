"""How the rows of another type stand beside a search's own: which they are, and which one is shown.

    same      the other type extends the root's, or is extended by it: one and the same item
    subject   the one subject that the root's item is about
    session   the one session that the root's scan, reconstruction or assessor belongs to
    parts     the scans, reconstructions and assessors of the root's session
    cohort    everything about the root's subject
    linked    what a display document joins by a SchemaLink: elements of both that have the same values

A SchemaLink comes first, as its writer means it. Of the others the nearest holds: a scan's assessors are
those of its session, not of its subject.

Source  protocol/search-and-types.md 4.7
"""

from __future__ import annotations

import re
from typing import Literal

from sqlalchemy import ColumnElement, FromClause, and_, desc

from connectomedb.errors import BadConstraint
from connectomedb.schema.model import DataType
from connectomedb.schema.registry import canonical
from connectomedb.store import tables as t
from connectomedb.store.rows import Row
from connectomedb.store.tiers import read_leaf
from connectomedb.vocabulary.records import Principal

SESSION = "xnat:imageSessionData"
MEASURE = "xnat:subjectAssessorData"
_IN_SESSION = ("xnat:imageScanData", "xnat:reconstructedImageData", "xnat:imageAssessorData")

Tie = Literal["same", "subject", "session", "parts", "cohort", "linked"]


class Joins:
    """A search's own row, the single rows above it, and the ties to all others."""

    def __init__(self, layout: t.Layout, root: DataType, who: Principal) -> None:
        self._layout = layout
        self._types = layout.types
        self._who = who
        self._root_type = root.xsi_type
        self._ties: dict[str, Tie] = {}
        self._sessions: dict[str, Row] = {}
        self.root = Row(layout, root)

    def tie(self, data_type: DataType) -> Tie:
        """How the type connects to the root's. Raises BadConstraint for one that does not."""
        name = data_type.xsi_type
        if name not in self._ties:
            self._ties[name] = self._tie(name)
        return self._ties[name]

    def to_one(self, data_type: DataType) -> Row | None:
        """The one row of that type beside the root's; None where there may be many."""
        tie = self.tie(data_type)
        if tie == "same":
            return self.root
        if tie == "subject":
            return self.root.subject
        if tie == "session":
            return self._sessions.setdefault(data_type.xsi_type, Row(self._layout, data_type))
        return None

    def frame(self) -> FromClause:
        """The FROM clause: the root's row and the single rows above it that were used."""
        frame = self.root.joined()
        for session in self._sessions.values():
            frame = session.attached(frame, and_(session.pk == self.root.base.c.owner_pk, session.of_type()))
        return frame

    def narrowed(self, data_type: DataType) -> ColumnElement[bool] | None:
        """That the root's row is of this type, when it need not be."""
        if self._types.is_a(self._root_type, data_type.xsi_type) or self.tie(data_type) != "same":
            return None
        names = [one.data_type.xsi_type for one in self._layout.concrete(data_type.xsi_type)]
        return self.root.base.c.xsi_type.in_(names)

    def link(self, row: Row) -> tuple[ColumnElement[bool], ...]:
        """`row` is one of those beside the root's that the user sees."""
        tie = self.tie(row.data_type)
        if tie == "linked":
            return (*self._linked(row), row.of_type(), row.seen_by(self._who))
        if tie == "parts":
            root = self.root
            session = root.pk if self._is(self._root_type, SESSION) else root.base.c.owner_pk
            beside = row.base.c.owner_pk == session
        else:
            beside = row.subject_pk == self.root.subject_pk
        return (beside, row.of_type(), row.seen_by(self._who))

    def chosen_first(self, row: Row) -> tuple[ColumnElement[bool], ...]:
        """The order in which the first of many is the one whose values are shown.

        Among experiments the latest; seen from elsewhere one without a date comes before all. What has no
        date goes by when it was inserted.
        """
        if row.family == "experiment":
            latest = desc(row.base.c.date)
            by_date = self.root.family == "experiment"
            return (latest.nulls_last() if by_date else latest.nulls_first(), desc(row.pk))
        return (desc(row.base.c.insert_date), desc(row.pk))

    def _linked(self, row: Row) -> tuple[ColumnElement[bool], ...]:
        """The values that a SchemaLink compares, as far as the user may read them; without one, no link."""
        conditions = []
        for here, there in self._mappings(row.data_type.xsi_type):
            mine = read_leaf(self.root, here, self._types.get(self._root_type), self._who)
            theirs = read_leaf(row, there, row.data_type, self._who)
            if mine is None or theirs is None or mine.value_type != theirs.value_type:
                raise BadConstraint(
                    f"the SchemaLink from {self._root_type}/{here} to {row.data_type.xsi_type}/{there} does "
                    "not join two elements of one type; mend the display document"
                )
            conditions.append(theirs.sql == mine.sql)
        return tuple(conditions)

    def _mappings(self, other: str) -> tuple[tuple[str, str], ...]:
        """The element paths that a SchemaLink to that type compares, here and there; () without one."""
        for link in self._types.display(self._root_type).schema_links:
            if link.element_name.lower() == other.lower():
                return tuple((_path_of(here), _path_of(there)) for here, there in link.mappings)
        return ()

    def _tie(self, other: str) -> Tie:
        root = self._root_type
        if self._is(root, other) or self._is(other, root):
            return "same"
        if self._mappings(other):
            return "linked"
        if self._about_subject(root):
            if self._is(other, t.SUBJECT):
                return "subject"
            if self._in_session(root) and self._is(other, SESSION):
                return "session"
        if self._in_session(other) and (self._is(root, SESSION) or self._in_session(root)):
            return "parts"
        if (self._about_subject(root) or self._is(root, t.SUBJECT)) and self._about_subject(other):
            return "cohort"
        raise BadConstraint(f"{other} does not connect to {root}; search {other} by itself")

    def _is(self, xsi_type: str, base: str) -> bool:
        return self._types.is_a(xsi_type, base)

    def _in_session(self, xsi_type: str) -> bool:
        return any(self._is(xsi_type, base) for base in _IN_SESSION)

    def _about_subject(self, xsi_type: str) -> bool:
        """Some item of the type may belong to a subject."""
        kinds = (MEASURE, t.FILE, *_IN_SESSION)
        return any(self._is(one.xsi_type, k) for one in self._types.subtypes(xsi_type) for k in kinds)


def _path_of(text: str) -> str:
    """`xnat:subjectData.ID` and `xnat:subjectData/ID` → `ID`."""
    match = re.match(r"\w+:\w+[/.](.+)", text, re.DOTALL)
    return canonical(match[1] if match else text)

"""Listings of every level of the hierarchy, with the columns and filters that a URL names.

They use the same rows, expressions and comparisons as searches, and one statement each. Other than in a
search, a column inside a repeated part gives one row per entry.

Source  protocol/rest.md 2.2 to 2.7, protocol/search-and-types.md 5
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    and_,
    asc,
    cast,
    func,
    literal,
    null,
    select,
)
from sqlalchemy.types import DateTime

from connectomedb.errors import BadConstraint, UnknownField
from connectomedb.schema.model import DataType, DisplayField
from connectomedb.schema.registry import canonical, nearest
from connectomedb.store import tables as t
from connectomedb.store.computed import Expressions
from connectomedb.store.engine import Dialect
from connectomedb.store.list_filters import matches
from connectomedb.store.membership import member_type
from connectomedb.store.rows import Expr, Row, bound
from connectomedb.store.tiers import admit_paths, guarded, read_leaf
from connectomedb.store.visibility import reads_in
from connectomedb.tables.result import Column, ResultTable
from connectomedb.vocabulary.records import Principal
from connectomedb.vocabulary.short_names import (
    DEFAULT_COLUMNS,
    IMAGE_ASSESSOR,
    LEVEL_TYPES,
    RECONSTRUCTION,
    SCAN,
    SESSION,
    SHORT_NAMES,
    SUBJECT_ASSESSOR,
    ListLevel,
)

Level = ListLevel

_EXPERIMENT_LEVELS: frozenset[Level] = frozenset(("experiments", "assessors"))
_PART_LEVELS: frozenset[Level] = frozenset(("scans", "reconstructions"))
# What a session holds, as columns beside it: the place, the type, and the family whose paths lead there.
_HELD: tuple[tuple[str, str, t.Family | None], ...] = (
    ("scans/scan", SCAN, "scan"),
    ("reconstructions/reconstructedimage", RECONSTRUCTION, "reconstruction"),
    ("assessors/assessor", IMAGE_ASSESSOR, None),
)
_TITLES: Mapping[Level, str] = {
    "projects": "Projects",
    "subjects": "Subjects",
    "experiments": "Matching experiments",
    "assessors": "Matching experiments",
    "scans": "Scans",
    "reconstructions": "Reconstructions",
}


@dataclass(frozen=True, slots=True)
class _Asked:
    """One column or filter by name: its key in the answer and what it stands for."""

    key: str
    data_type: DataType
    path: str = ""
    short: str = ""


@dataclass(slots=True)
class _Listing:
    layout: t.Layout
    dialect: Dialect
    who: Principal
    level: Level
    project: str
    subject: str
    root: DataType
    row: Row
    session: str = ""
    membership: FromClause = field(default_factory=lambda: t.membership.alias())
    subject_membership: FromClause = field(default_factory=lambda: t.membership.alias())
    uses_subject_membership: bool = False
    inner: dict[str, Row] = field(default_factory=dict)
    entries: dict[str, tuple[t.ChildTable, FromClause]] = field(default_factory=dict)

    def value(self, asked: _Asked) -> Expr:
        """The SQL of a column; a path that the rows do not have gives no value."""
        held = self.held(asked)
        if held is not None:
            inner, path = held
            return read_leaf(inner, path, asked.data_type, self.who) or Expr(cast(null(), t.string), "string")
        short = asked.short.lower()
        if short == "note" and self.level == "projects":
            return self.note()
        if short in _BUILT:
            return _BUILT[short](self)
        family = self.layout.family(asked.data_type.xsi_type)
        row = self.row.subject if family == "subject" else self.row
        if family == self.row.family and asked.path.lower() == "label":
            return self.label()
        if self.level in _EXPERIMENT_LEVELS and family == "experiment" and asked.path.lower() == "project":
            return self.owner()
        found = read_leaf(row, asked.path, asked.data_type, self.who)
        if found is not None:
            return found
        child = row.child(asked.path)
        if child is not None and row is self.row:
            return guarded(self.entry(*child), row, asked.path, asked.data_type, self.who)
        return Expr(cast(null(), t.string), "string")

    def held(self, asked: _Asked) -> tuple[Row, str] | None:
        """The scan or assessor inside a session that a column is of, and the path there; each is a row."""
        if self.level not in _EXPERIMENT_LEVELS or asked.short:
            return None
        for place, kind, family in _HELD:
            path = asked.path
            if path.lower().startswith(f"{place}/"):
                path = path[len(place) + 1 :]
            elif self.layout.family(asked.data_type.xsi_type) != family:
                continue
            if place not in self.inner:
                self.inner[place] = Row(self.layout, self.layout.types.get(kind))
            return self.inner[place], path
        return None

    def entry(self, child: t.ChildTable, leaf: str) -> Expr:
        """A leaf of a repeated part; the part is joined once, however many of its leaves are asked for."""
        _, frame = self.entries.setdefault(child.table.name, (child, child.table.alias()))
        return Expr(frame.c[child.columns[leaf].name], child.fields[leaf].value_type)

    def label(self) -> Expr:
        """The label in the project that is listed, else where the user reads it first."""
        return Expr(self.membership.c.label if self.reads_here else self.row.base.c.label, "string")

    @property
    def reads_here(self) -> bool:
        """Rows are seen through one membership: the listed project's, or the first that the user reads.

        Deviation: XNAT names the owner to everybody. A reader of the shared item alone could do nothing
        with that name, and clients that build addresses from it run into a 404.
        """
        if self.level in _PART_LEVELS:
            return False
        return bool(self.project) or (self.level in _EXPERIMENT_LEVELS and not self.who.is_admin)

    def owner(self) -> Expr:
        """The project: the owner; in a project's list of experiments that project."""
        if self.reads_here and self.level in _EXPERIMENT_LEVELS:
            return Expr(self.membership.c.project, "string")
        return Expr(self.row.base.c.project, "string")

    def subject_label(self) -> Expr:
        """The subject's label in the project that is listed; elsewhere its own."""
        own = self.row.subject.base.c.label
        if not self.project:
            return Expr(own, "string")
        self.uses_subject_membership = True
        return Expr(func.coalesce(self.subject_membership.c.label, own), "string")

    def computed(self, name: str) -> Expr:
        """A value that is no element: insert_date and the like."""
        display = DisplayField(name, name, "string", (name,))
        expressions = Expressions(self.layout, self.dialect, self.who)
        return expressions.of(self.row, display, "", self.root)

    def note(self) -> Expr:
        """A project's custom variable `note`."""
        display = DisplayField("note", "note", "string", ("field_map",), valued=True)
        return Expressions(self.layout, self.dialect, self.who).of(self.row, display, "note", self.root)

    def of_session(self, column: str) -> Expr:
        """A fact about the session that an image assessor belongs to, when the user sees the session."""
        session_id = self.row.leaf("imageSession_ID", self.layout.types.get(IMAGE_ASSESSOR))
        if session_id is None:
            return Expr(cast(null(), t.string), "string")
        session = Row(self.layout, self.layout.types.get(SESSION))
        query = (
            select(session.base.c[column])
            .where(session.base.c.id == session_id.sql, session.seen_by(self.who))
            .correlate_except(session.base)
        )
        return Expr(query.scalar_subquery(), "string")

    def frame(self) -> FromClause:
        """Everything joined."""
        frame = self.row.joined()
        if self.level in _PART_LEVELS:
            pass  # what a part shows is decided by its session
        elif self.project:
            m = self.membership.c
            frame = frame.join(
                self.membership, and_(m.item_pk == self.row.pk, m.project == bound(self.project))
            )
        elif self.reads_here:
            m, other = self.membership.c, t.membership.alias()
            reads = reads_in(other.c.project, self.row.base.c.xsi_type, self.who)
            first = (
                select(func.min(other.c.position))
                .where(other.c.item_pk == m.item_pk, reads)
                .correlate(self.membership, self.row.base)
                .scalar_subquery()
            )
            frame = frame.join(self.membership, and_(m.item_pk == self.row.pk, m.position == first))
        if self.uses_subject_membership:
            m = self.subject_membership.c
            frame = frame.outerjoin(
                self.subject_membership,
                and_(m.item_pk == self.row.subject_pk, m.project == bound(self.project)),
            )
        for inner in self.inner.values():
            here = and_(inner.base.c.owner_pk == self.row.pk, inner.of_type(), inner.seen_by(self.who))
            frame = inner.attached(frame, here)
        for _, entry in self.entries.values():
            frame = frame.outerjoin(entry, entry.c.owner_pk == self.row.pk)
        return frame

    def uri(self) -> ColumnElement[str]:
        """Where the item is, within the site."""
        level = self.level if self.level in ("projects", "subjects") else "experiments"
        return literal(f"/data/{level}/", t.string) + self.row.base.c.id

    def key(self) -> Expr:
        """What names the row: an id of the site; of a part its ID within the session."""
        column = self.row.base.c.label if self.level in _PART_LEVELS else self.row.base.c.id
        return Expr(column, "string")

    def order(self) -> tuple[ColumnElement[Any], ...]:
        """By id; parts as they stand in the document."""
        base = self.row.base.c
        first = (asc(base.entry), asc(base.pk)) if self.level in _PART_LEVELS else (asc(base.id),)
        inside = (asc(inner.pk) for inner in self.inner.values())
        return (*first, *inside, *(asc(entry.c.entry) for _, entry in self.entries.values()))

    def number(self) -> Expr:
        """A part's number on the site."""
        return Expr(self.row.pk, "integer")

    def of_holder(self) -> ColumnElement[bool]:
        """The row belongs to the session that is listed."""
        holder = t.item.alias()
        found = select(holder.c.pk).where(holder.c.id == bound(self.session)).scalar_subquery()
        return self.row.base.c.owner_pk == found


_BUILT: Mapping[str, Callable[[_Listing], Expr]] = {
    "insert_date": lambda listing: listing.computed("insert_date"),
    "insert_user": lambda listing: listing.computed("insert_user"),
    "last_modified": lambda listing: listing.computed("last_modified"),
    "xnat_imagescandata_id": lambda listing: listing.number(),
    "xnat_reconstructedimagedata_id": lambda listing: listing.number(),
    "xsitype": lambda listing: Expr(listing.row.base.c.xsi_type, "string"),
    "subject_label": lambda listing: listing.subject_label(),
    "subject_project": lambda listing: Expr(listing.row.subject.base.c.project, "string"),
    "session_label": lambda listing: listing.of_session("label"),
    "session_project": lambda listing: listing.of_session("project"),
}


def list_level(
    connection: Connection,
    layout: t.Layout,
    dialect: Dialect,
    level: Level,
    who: Principal,
    *,
    project: str = "",
    subject: str = "",
    session: str = "",
    since: datetime | None = None,
    columns: Sequence[str] = (),
    xsi_types: Sequence[str] = (),
    filters: Mapping[str, str] | None = None,
) -> ResultTable:
    """What the user may see of one level, ordered by id; parts in the order of their session's document.

    `session` is the id of the session whose assessors, scans or reconstructions these are; `since` leaves
    out what was inserted before.

    Shape   the columns asked for (or the level's own), the root type's key, `URI` last
    Raises  UnknownDataType and UnknownField for a filter on a path that there is not; BadConstraint for
            a filter value that is not of the field's type. Unknown columns are left out, as clients
            probe with guessed ones.
    Cost    one statement
    """
    base = _base(layout, level, project, subject)
    types = layout.types
    wanted = [found for name in columns if (found := _asked(layout, level, name)) is not None]
    conditions = [
        (found, value)
        for name, value in (filters or {}).items()
        if (found := _filter(layout, level, name)) is not None
    ]
    named = (*wanted, *(c for c, _ in conditions))
    admit_paths(connection, types, [(one.data_type, one.path) for one in named], who)
    mentioned = [one.data_type for one in (*wanted, *(c for c, _ in conditions)) if not one.short]
    chosen = [types.get(name) for name in xsi_types]
    root = _root(layout, base, chosen, mentioned)
    if not columns:
        wanted = _default_columns(layout, level, base, root, chosen)
    elif level in _EXPERIMENT_LEVELS and chosen and root.abstract:
        # Source  clients.md 2.2: pyxnat reads which kind it is where it asked for an abstract one.
        wanted += [one for one in [_asked(layout, level, "xsiType")] if one is not None and one not in wanted]
    listing = _Listing(layout, dialect, who, level, project, subject, root, Row(layout, root), session)
    cells: dict[str, Expr] = {one.key: listing.value(one) for one in wanted}
    key = _key_column(level, base, root)
    cells.setdefault(key, listing.key())
    cells["URI"] = Expr(listing.uri(), "string")
    where = [listing.row.of_type(), listing.row.seen_by(who)]
    if len(chosen) > 1:
        names = {
            one.data_type.xsi_type for data_type in chosen for one in layout.concrete(data_type.xsi_type)
        }
        where.append(listing.row.base.c.xsi_type.in_(sorted(names)))
    if project:
        where.append(reads_in(bound(project), member_type(listing.row), who))
    if session:
        where.append(listing.of_holder())
    if since is not None:
        where.append(listing.row.base.c.insert_date >= literal(since, DateTime()))
    if subject:
        where.append(listing.row.subject.base.c.id == bound(subject))
    where += [matches(dialect, listing.value(one), value, one.key) for one, value in conditions]
    statement = (
        select(*(cell.sql.label(f"c{n}") for n, cell in enumerate(cells.values())))
        .select_from(listing.frame())
        .where(*where)
        .order_by(*listing.order())
    )
    rows = connection.execute(statement).all()
    described = tuple(Column(name, cell.value_type, name) for name, cell in cells.items())
    return ResultTable(described, tuple(tuple(row) for row in rows), _TITLES[level], root.xsi_type)


def known_fields(level: Level) -> tuple[tuple[str, str], ...]:
    """The short names of a level with the path that each stands for."""
    return tuple((s.name, f"{s.xsi_type}/{s.path or s.name}") for s in SHORT_NAMES[level].values())


def _base(layout: t.Layout, level: Level, project: str, subject: str) -> DataType:
    name = LEVEL_TYPES[level]
    if level == "assessors":
        name = IMAGE_ASSESSOR
    elif level == "experiments" and (project or subject):
        name = SUBJECT_ASSESSOR
    return layout.types.get(name)


def _asked(layout: t.Layout, level: Level, name: str) -> _Asked | None:
    """What a column name stands for; None for one that is unknown."""
    shorts = SHORT_NAMES[level]
    short = shorts.get(name.lower())
    if short is not None:
        if short.xsi_type not in layout.types:
            return None
        return _Asked(short.name, layout.types.get(short.xsi_type), short.path, short.name)
    xsi_type, path = _split(name)
    if xsi_type not in layout.types or not path:
        return None
    data_type = layout.types.get(xsi_type)
    for one in shorts.values():
        if (one.xsi_type.lower(), one.path.lower()) == (xsi_type.lower(), path.lower()):
            return _Asked(one.name, data_type, path, one.name)
    family = layout.family(xsi_type)
    row_family = layout.family(LEVEL_TYPES[level])
    beside = row_family == "experiment" and family in ("subject", "scan", "reconstruction")
    if family != row_family and not beside:
        return None
    if xsi_type.lower() == t.SUBJECT.lower() and level in _EXPERIMENT_LEVELS and path.lower() == "label":
        return _Asked(name.lower(), data_type, path, "subject_label")
    return _Asked(name.lower(), data_type, path)


def _filter(layout: t.Layout, level: Level, name: str) -> _Asked | None:
    """What a filter names; a word that is neither short name nor path is no filter."""
    found = _asked(layout, level, name)
    if "/" not in name or ":" not in name.partition("/")[0]:
        return found
    xsi_type, path = _split(name)
    data_type = layout.types.get(xsi_type)
    known = {f.path.lower() for f in data_type.fields}
    known |= {
        f"{prefix}/{leaf}"
        for one in layout.concrete(xsi_type)
        for prefix, child in one.children.items()
        for leaf in child.columns
    }
    if path.lower() not in known:
        raise UnknownField(path, data_type.xsi_type, nearest(path, (f.path for f in data_type.fields)))
    if found is None:
        raise BadConstraint(f"{name} does not connect to a list of {level}; search {xsi_type} instead")
    return found


def _split(name: str) -> tuple[str, str]:
    xsi_type, _, path = name.partition("/")
    return xsi_type, canonical(path)


def _root(
    layout: t.Layout, base: DataType, chosen: Sequence[DataType], mentioned: Sequence[DataType]
) -> DataType:
    """The single type asked for, else the most derived one that a column or filter names."""
    types = layout.types
    if len(chosen) == 1:
        if not types.is_a(chosen[0].xsi_type, base.xsi_type):
            raise BadConstraint(f"{chosen[0].xsi_type} is not a kind of {base.xsi_type}; list it elsewhere")
        return chosen[0]
    root = base
    for data_type in mentioned:
        if types.is_a(data_type.xsi_type, root.xsi_type):
            root = data_type
    return root


def _default_columns(
    layout: t.Layout, level: Level, base: DataType, root: DataType, chosen: Sequence[DataType]
) -> list[_Asked]:
    names = list(DEFAULT_COLUMNS[level])
    if level == "experiments" and chosen and base.xsi_type == t.EXPERIMENT:
        if layout.types.is_a(root.xsi_type, SUBJECT_ASSESSOR):
            names += ["subject_ID", "subject_label"]
        elif layout.types.is_a(root.xsi_type, IMAGE_ASSESSOR):
            names += ["session_ID", "session_label"]
    return [found for name in names if (found := _asked(layout, level, name)) is not None]


def _key_column(level: Level, base: DataType, root: DataType) -> str:
    if root.xsi_type == LEVEL_TYPES[level]:
        return "ID"
    return "session_ID" if root.xsi_type == SESSION else f"{root.xsi_type.lower()}/id"

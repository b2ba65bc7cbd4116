"""Fields that need more than the right to read a project: tiers, their terms, and who holds which.

The law:

* A field is open unless its element says otherwise (`<cdb:measure tier="restricted"/>`). Tiers stand side by
  side: holding `sensitive` does not give `restricted`.
* A user holds a tier in a project when an administrator granted it there, the user accepted the project's
  terms for it, and the user reads the project. An administrator holds every tier everywhere.
* A closed field may be named by a user who holds its tier in some project; else it is refused by name.
* Its value exists on the rows that belong to a project, as owner or by a share, in which the user holds the
  tier. On other rows it is no value at all: columns, conditions and orders see NULL, documents leave it out.

So nothing that a user is told depends on a value that is closed to them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    Engine,
    ForeignKey,
    Integer,
    Select,
    Table,
    and_,
    case,
    delete,
    insert,
    select,
    update,
)

from connectomedb.errors import AccessDenied, ConfigurationError, NotFound, QueryError, TermsNotAccepted
from connectomedb.schema.expressions import inputs_of
from connectomedb.schema.model import DataType, DisplayField, Item
from connectomedb.schema.registry import DataTypes
from connectomedb.search.resolve import (
    KIND,
    ResolvedCriterion,
    ResolvedQuery,
    ResolvedSet,
    chosen_entries,
)
from connectomedb.store import tables as t
from connectomedb.store.engine import writing
from connectomedb.store.projects import existing_project, now
from connectomedb.store.visibility import reads_project
from connectomedb.vocabulary.records import Principal

if TYPE_CHECKING:
    from connectomedb.store.rows import Expr, Row

OPEN = "open"
TIERS = ("restricted", "sensitive")
DEFAULT_TERMS = (
    "Do not try to find out who a participant is. Follow the rules of your institution. Pass the values on "
    "only under these terms. Acknowledge the source. Never print a value together with a subject's id."
)

_terms = Table(
    "tier_terms",
    t.core,
    Column("project", t.string, ForeignKey("project.id", ondelete="CASCADE"), primary_key=True),
    Column("tier", t.string, primary_key=True),
    Column("text", t.string, nullable=False),
)
_grant = Table(
    "tier_grant",
    t.core,
    Column("user_id", Integer, ForeignKey("account.user_id", ondelete="CASCADE"), primary_key=True),
    Column("project", t.string, ForeignKey("project.id", ondelete="CASCADE"), primary_key=True),
    Column("tier", t.string, primary_key=True),
    Column("granted_at", DateTime, nullable=False),
)
_acceptance = Table(
    "tier_acceptance",
    t.core,
    Column("user_id", Integer, ForeignKey("account.user_id", ondelete="CASCADE"), primary_key=True),
    Column("project", t.string, ForeignKey("project.id", ondelete="CASCADE"), primary_key=True),
    Column("tier", t.string, primary_key=True),
    Column("accepted_at", DateTime, nullable=False),
)


@dataclass(frozen=True, slots=True)
class HeldTier:
    """A tier of a project as one user has it; times are UTC, None for what has not happened."""

    project: str
    tier: str
    terms: str
    granted_at: datetime | None
    accepted_at: datetime | None

    @property
    def holds(self) -> bool:
        """The values may be read."""
        return self.granted_at is not None and self.accepted_at is not None


# Who holds what


def held_pairs(who: Principal, *before: Any) -> Select[Any]:
    """The (project, tier) pairs that a user holds as a query, after the columns `before`."""
    return select(*before, _grant.c.project, _grant.c.tier).where(_holds(who))


def held(connection: Connection, who: Principal) -> frozenset[tuple[str, str]]:
    """The (project, tier) pairs that a user holds; not for administrators, who hold all."""
    rows = connection.execute(held_pairs(who))
    return frozenset((project, tier) for project, tier in rows)


def _holds(who: Principal) -> Any:
    g, a = _grant.c, _acceptance.c
    accepted = select(a.project).where(a.user_id == g.user_id, a.project == g.project, a.tier == g.tier)
    return and_(
        g.user_id == who.user_id,
        accepted.correlate(_grant).exists(),
        reads_project(g.project, who),
    )


def tiers_of(connection: Connection, who: Principal) -> tuple[HeldTier, ...]:
    """What a user was granted or has accepted in the projects that they read, by project and tier."""
    g, a = _grant.c, _acceptance.c
    granted = {
        (p, tier): moment
        for p, tier, moment in connection.execute(
            select(g.project, g.tier, g.granted_at).where(
                g.user_id == who.user_id, reads_project(g.project, who)
            )
        )
    }
    accepted = {
        (p, tier): moment
        for p, tier, moment in connection.execute(
            select(a.project, a.tier, a.accepted_at).where(
                a.user_id == who.user_id, reads_project(a.project, who)
            )
        )
    }
    return tuple(
        HeldTier(p, tier, terms(connection, p, tier), granted.get((p, tier)), accepted.get((p, tier)))
        for p, tier in sorted({*granted, *accepted})
    )


def holders(connection: Connection, project: str) -> tuple[tuple[str, HeldTier], ...]:
    """(login, tier) of everybody who was granted a tier of the project or has accepted its terms.

    Raises  NoSuchProject
    """
    place = existing_project(connection, project)
    found: dict[tuple[str, str], HeldTier] = {}
    for table, name in ((_grant, "granted_at"), (_acceptance, "accepted_at")):
        query = (
            select(t.account.c.login, table.c.tier, table.c[name])
            .join_from(table, t.account, t.account.c.user_id == table.c.user_id)
            .where(table.c.project == place)
        )
        for login, tier, moment in connection.execute(query):
            key = (login, tier)
            if key not in found:
                found[key] = HeldTier(place, tier, terms(connection, place, tier), None, None)
            found[key] = replace(found[key], **{name: moment})
    return tuple((login, found[login, tier]) for login, tier in sorted(found))


def read_terms(connection: Connection, who: Principal, project: str, tier: str) -> str:
    """The terms of a tier in a project that the user reads. Raises NotFound, ConfigurationError."""
    return terms(connection, **_read_place(connection, who, project, tier))


def terms(connection: Connection, project: str, tier: str) -> str:
    """The text that a user accepts."""
    found = connection.scalar(select(_terms.c.text).where(_terms.c.project == project, _terms.c.tier == tier))
    return found or DEFAULT_TERMS


def set_terms(engine: Engine, project: str, tier: str, text: str) -> None:
    """New terms; everybody has to accept them anew. Raises NoSuchProject, ConfigurationError."""
    with writing(engine) as connection:
        place = _place(connection, project, tier)
        changed = connection.execute(update(_terms).where(*_at(_terms, place)).values(text=text))
        if not changed.rowcount:
            connection.execute(insert(_terms).values(**place, text=text))
        connection.execute(delete(_acceptance).where(*_at(_acceptance, place)))


def grant_tier(engine: Engine, project: str, login: str, tier: str) -> None:
    """Let a user hold a tier of a project once they accept its terms; granted twice is granted once.

    Raises  NoSuchProject; NotFound for the login; ConfigurationError for a tier that is none
    """
    with writing(engine) as connection:
        place = _place(connection, project, tier) | {"user_id": _user_id(connection, login)}
        if connection.execute(select(_grant).where(*_at(_grant, place))).first() is None:
            connection.execute(insert(_grant).values(**place, granted_at=now()))


def revoke_tier(engine: Engine, project: str, login: str, tier: str) -> None:
    """Take a tier back; the acceptance stays on record."""
    with writing(engine) as connection:
        place = _place(connection, project, tier) | {"user_id": _user_id(connection, login)}
        connection.execute(delete(_grant).where(*_at(_grant, place)))


def accept_terms(engine: Engine, who: Principal, project: str, tier: str) -> HeldTier:
    """Note that a user accepts the terms, with the date of the first time.

    Raises  NotFound when the user reads no such project; AccessDenied for the guest; ConfigurationError for a
            tier that is none
    """
    if who.user_id == 0:
        raise AccessDenied("terms are accepted by a person; log in first")
    with writing(engine) as connection:
        place = _read_place(connection, who, project, tier) | {"user_id": who.user_id}
        if connection.execute(select(_acceptance).where(*_at(_acceptance, place))).first() is None:
            connection.execute(insert(_acceptance).values(**place, accepted_at=now()))
        mine = tiers_of(connection, who)
    return next(one for one in mine if (one.project, one.tier) == (place["project"], tier))


def _read_place(connection: Connection, who: Principal, project: str, tier: str) -> dict[str, Any]:
    readable = select(t.project.c.id).where(t.project.c.id == project, reads_project(t.project.c.id, who))
    if connection.scalar(readable) is None:
        raise NotFound(f"no project {project!r} that you may read")
    return _place(connection, project, tier)


def _place(connection: Connection, project: str, tier: str) -> dict[str, Any]:
    if tier not in TIERS:
        raise ConfigurationError(f"no tier {tier!r}; there are: {', '.join(TIERS)}")
    return {"project": existing_project(connection, project), "tier": tier}


def _at(table: Table, place: Mapping[str, Any]) -> list[Any]:
    return [table.c[name] == value for name, value in place.items()]


def _user_id(connection: Connection, login: str) -> int:
    found = connection.scalar(select(t.account.c.user_id).where(t.account.c.login == login))
    if found is None:
        raise NotFound(f"no account {login!r}")
    return int(found)


# The law on fields


def tier_of(types: DataTypes, data_type: DataType, path: str) -> str:
    """The tier of a leaf, inside repeated parts too; open for what there is not."""
    return _tier(types, data_type.xsi_type, path.lower())


@lru_cache(maxsize=16_384)
def _tier(types: DataTypes, xsi_type: str, path: str) -> str:
    try:
        element = types.address(xsi_type, path).element
    except QueryError:
        return OPEN
    return element.tier if element is not None else OPEN


def read_leaf(row: Row, path: str, data_type: DataType, who: Principal) -> Expr | None:
    """A leaf of a row as the user may read it; None when the type has none of that path."""
    found = row.leaf(path, data_type)
    return None if found is None else guarded(found, row, path, data_type, who)


def guarded(found: Expr, row: Row, path: str, data_type: DataType, who: Principal) -> Expr:
    """The value where the user holds the field's tier, NULL elsewhere; an open field as it is."""
    tier = tier_of(row.layout.types, data_type, path)
    if tier == OPEN or who.is_admin:
        return found
    g, m = _grant.c, t.membership.c
    projects = select(g.project).where(g.tier == tier, _holds(who))
    allowed = select(m.item_pk).where(m.project.in_(projects))
    if row.family in ("experiment", "subject"):
        condition = row.pk.in_(allowed.correlate(None))
    elif row.family in t.PARTS:
        condition = row.base.c.root_pk.in_(allowed.correlate(None))
    else:
        own = row.base.c.project if row.family == "file" else row.base.c.id
        condition = own.in_(projects.correlate(None))
    return replace(found, sql=case((condition, found.sql)))


def closed_fields(query: ResolvedQuery, types: DataTypes) -> frozenset[tuple[str, str]]:
    """(tier, name) of the closed fields that a question names, its columns included."""
    columns = [(f.data_type, f.display) for f in query.fields]
    return frozenset(_closed(types, [*_conditions(query), *columns]))


def admit(connection: Connection, query: ResolvedQuery, types: DataTypes, who: Principal) -> ResolvedQuery:
    """The question, when the user may name all of its fields; its default columns without closed ones.

    Raises  AccessDenied (TermsNotAccepted when only that is missing) naming the field, the tier and the cure
    Cost    two statements when a closed field is named
    """
    if who.is_admin:
        return query
    if query.source.fields:
        _refuse(connection, sorted(closed_fields(query, types)), who)
        return query
    _refuse(connection, _closed(types, _conditions(query)), who)
    mine = {tier for _, tier in held(connection, who)}
    kept = tuple(
        f for f in query.fields if all(tier in mine for tier, _ in _closed(types, [(f.data_type, f.display)]))
    )
    return replace(query, fields=kept)


def _conditions(query: ResolvedQuery) -> list[tuple[DataType, DisplayField]]:
    """What orders and conditions name."""
    named = [(f.data_type, f.display) for f, _ in query.order]
    return named + [(c.data_type, c.display) for c in _criteria(query.where)]


def admit_paths(
    connection: Connection, types: DataTypes, paths: Iterable[tuple[DataType, str]], who: Principal
) -> None:
    """The same for elements that are named by their paths, as listings do."""
    if not who.is_admin:
        found = ((d, path, tier_of(types, d, path)) for d, path in paths)
        closed = [(tier, f"{d.xsi_type}/{path}") for d, path, tier in found if tier != OPEN]
        _refuse(connection, closed, who)


def without_closed(connection: Connection, types: DataTypes, item: Item, who: Principal) -> Item:
    """The document as the user may read it: elements of tiers not held in its projects are left out.

    Cost    one statement; for many documents look `held` up once and use `shown`
    """
    return item if who.is_admin else shown(types, item, held(connection, who))


def shown(types: DataTypes, item: Item, mine: Collection[tuple[str, str]]) -> Item:
    """The document as somebody may read it who holds these (project, tier) pairs."""
    return _kept(types, types.get(item.xsi_type), item, _tiers_on(item, mine))


def _tiers_on(item: Item, mine: Collection[tuple[str, str]]) -> set[str]:
    """The tiers that somebody who holds these pairs holds on a document, the open one among them."""
    shares = item.children.get(t.SHARES, ())
    projects = {item.text("project") or item.text("ID"), *(s.text("project") for s in shares)}
    return {OPEN, *(tier for project, tier in mine if project in projects)}


def unseen(
    connection: Connection, types: DataTypes, stored: Item, said: Item, cleared: Iterable[str], who: Principal
) -> Item:
    """What a change must leave as it is: the part of the stored document that is closed to the user.

    Raises  AccessDenied when the change names a closed element: nobody changes what they may not read
    """
    if who.is_admin:
        return replace(stored, values={}, children={})
    data_type, mine = types.get(stored.xsi_type), _tiers_on(stored, held(connection, who))
    for path in (*said.values, *cleared):
        if (tier := tier_of(types, data_type, path)) not in mine:
            raise AccessDenied(f"{path} is {tier}, and you do not hold that tier here; leave it out")
    before = _kept(types, data_type, stored, mine)
    children = {p: e for p, e in stored.children.items() if before.children[p] != e}
    for path in set(children) & set(said.children):
        raise AccessDenied(f"{path} holds values that are closed to you; leave it out")
    values = {p: v for p, v in stored.values.items() if p not in before.values}
    return replace(stored, values=values, children=children)


def _kept(types: DataTypes, data_type: DataType, item: Item, mine: set[str], inside: str = "") -> Item:
    """The item without closed leaves; a part of a type of its own is judged by that type."""
    children: dict[str, tuple[Item, ...]] = {}
    for path, entries in item.children.items():
        kept = []
        for entry in entries:
            if entry.xsi_type in types:
                kept.append(_kept(types, types.get(entry.xsi_type), entry, mine))
            else:
                kept.append(_kept(types, data_type, entry, mine, f"{inside}{path}/"))
        children[path] = tuple(kept)
    values = {p: v for p, v in item.values.items() if tier_of(types, data_type, inside + p) in mine}
    return replace(item, values=values, children=children)


def _criteria(criteria: ResolvedSet) -> list[ResolvedCriterion]:
    found: list[ResolvedCriterion] = []
    for member in criteria.members:
        found += [member] if isinstance(member, ResolvedCriterion) else _criteria(member)
    return found


def _closed(types: DataTypes, named: Iterable[tuple[DataType, DisplayField]]) -> list[tuple[str, str]]:
    """(tier, name) of the closed fields among those named."""
    closed = []
    for data_type, display in named:
        for owner, path in _leaves_of(types, data_type, display):
            tier = tier_of(types, owner, path)
            if tier != OPEN:
                closed.append((tier, f"{owner.xsi_type}/{display.header or display.id}"))
    return closed


def _leaves_of(
    types: DataTypes, data_type: DataType, display: DisplayField
) -> Iterator[tuple[DataType, str]]:
    """The leaves that a display field shows."""
    expressions = [display.expression]
    if display.formula is not None:
        expressions = [one.expression for one in inputs_of(display.formula)]
    for name, *arguments in expressions:
        if name in ("element", "entry"):
            yield data_type, arguments[0]
        if name == "entry":
            chosen = (one for one in chosen_entries(display) if one.leaf != KIND)
            yield from ((data_type, f"{one.part}/{one.leaf}") for one in chosen)
        elif name == "element_of":
            yield types.get(arguments[0]), arguments[1]


def _refuse(connection: Connection, closed: list[tuple[str, str]], who: Principal) -> None:
    if not closed:
        return
    mine = {tier for _, tier in held(connection, who)}
    for tier, name in closed:
        if tier in mine:
            continue
        waiting = [one.project for one in tiers_of(connection, who) if one.tier == tier and one.granted_at]
        if waiting:
            raise TermsNotAccepted(
                f"{name} is {tier}: accept the terms of {waiting[0]} first, with "
                f"`connectomedb tiers accept {tier} --project {waiting[0]}` or "
                f"PUT /data/projects/{waiting[0]}/terms/{tier}"
            )
        raise AccessDenied(
            f"{name} is {tier}: it needs the tier {tier!r} in a project that you read; ask an administrator "
            f"to `connectomedb tiers grant {tier} {who.login} --project PROJECT`, then accept its terms: "
            f"`connectomedb tiers accept {tier} --project PROJECT` or PUT /data/projects/PROJECT/terms/{tier}"
        )

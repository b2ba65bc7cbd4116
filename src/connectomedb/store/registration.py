"""Registered data types: one `xdat:element_security` record for each, with XNAT's defaults.

A type is registered by being there; the table keeps what an administrator changed. `secure`, `secure_read`
and `accessible` say who sees its items: that stands in `visibility`. `searchable` says whether others than
administrators may ask for its fields. `browse` and what is left are for pages, and kept as they are said.
Source   protocol/search-and-types.md 1.7
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from time import monotonic
from typing import Any

from sqlalchemy import Boolean, Column, Connection, Engine, Integer, Table, insert, select, update

from connectomedb.errors import AccessDenied, BadConstraint, UnknownDataType
from connectomedb.schema.registry import DataTypes, nearest
from connectomedb.search.resolve import ResolvedQuery
from connectomedb.store import tables as t
from connectomedb.vocabulary.records import Principal

# The one type of a default site that anybody who is logged in may search.
UNSECURED = "xnat:investigatorData"
ACTIONS: Mapping[str, str] = {
    "xml": "View XML",
    "edit": "Edit",
    "xml_file": "Download XML",
    "email_report": "Email",
}
_GOOD_FOR_S = 10.0
# Attributes as requests spell them, where records do otherwise.
_OLD_NAMES: Mapping[str, str] = {"browseable": "browse"}
_TRUTH = {"1": True, "true": True, "0": False, "false": False}


@dataclass(frozen=True, slots=True)
class ElementSecurity:
    """How one data type is registered; `primary_security_fields` name the projects of an item."""

    element_name: str
    singular: str = ""
    plural: str = ""
    code: str = ""
    category: str = ""
    usage: str = ""
    sequence: int = 2
    secure: bool = True
    browse: bool = True
    searchable: bool = True
    accessible: bool = True
    secure_read: bool = True
    secure_edit: bool = True
    secure_create: bool = True
    secure_delete: bool = True
    secondary_password: bool = False
    secure_ip: bool = False
    quarantine: bool = False
    pre_load: bool = False
    primary_security_fields: tuple[str, ...] = ()
    element_actions: tuple[str, ...] = tuple(ACTIONS)


_ATTRIBUTES = tuple(
    f for f in fields(ElementSecurity) if f.name not in ("primary_security_fields", "element_actions")
)
_SQL: Mapping[str, Any] = {"str": t.string, "int": Integer(), "bool": Boolean()}

element_security = Table(
    "element_security",
    t.core,
    Column("element_name", t.string, primary_key=True),
    *(Column(f.name, _SQL[str(f.type)]) for f in _ATTRIBUTES if f.name != "element_name"),
)


def registrations(connection: Connection, types: DataTypes) -> dict[str, ElementSecurity]:
    """The record of every registered type, by xsi_type, in the order of listings.

    Cost     one statement
    """
    rows = {str(row["element_name"]): row for row in connection.execute(select(element_security)).mappings()}
    found = []
    for name in _registered(types):
        changed = {k: v for k, v in rows.get(name, {}).items() if v is not None}
        found.append(replace(_default(name, types), **changed))
    return {record.element_name: record for record in sorted(found, key=lambda r: r.sequence)}


def register(
    connection: Connection, types: DataTypes, xsi_type: str, changes: Mapping[str, str], who: Principal
) -> ElementSecurity:
    """The record of a type after these attributes were set; booleans are 1, 0, true or false.

    Raises   AccessDenied for everybody but administrators, UnknownDataType, BadConstraint for an attribute or
             a value that a record does not have
    """
    if not who.is_admin:
        raise AccessDenied("only an administrator registers data types; ask one")
    name = types.get(xsi_type).xsi_type
    if name not in _registered(types):
        raise UnknownDataType(name, nearest(name, _registered(types)))
    spelled = {_OLD_NAMES.get(key, key): text for key, text in changes.items()}
    values = {key: _parsed(key, text) for key, text in spelled.items()}
    if values:
        here = element_security.c.element_name == name
        done = connection.execute(update(element_security).where(here).values(**values))
        if not done.rowcount:
            connection.execute(insert(element_security).values(element_name=name, **values))
    return registrations(connection, types)[name]


def unsearchable(connection: Connection) -> frozenset[str]:
    """The types that only administrators search."""
    s = element_security.c
    return frozenset(connection.scalars(select(s.element_name).where(s.searchable.is_(False))))


def admit(names: frozenset[str], query: ResolvedQuery, who: Principal) -> None:
    """Raises  AccessDenied when the question names one of these types, for all but administrators"""
    if not names or who.is_admin:
        return
    for data_type in (query.root, *(one.data_type for one in query.named())):
        if data_type.xsi_type in names:
            raise AccessDenied(
                f"{data_type.xsi_type} is registered as not searchable; ask an administrator to change that"
            )


class Searchable:
    """The types that only administrators search, looked up every ten seconds at most.

    Whose items somebody sees is never decided by it: that is asked of the database each time.
    """

    def __init__(self, engine: Engine, *, clock: Callable[[], float] = monotonic) -> None:
        self._engine = engine
        self._clock = clock
        self._known: tuple[float, frozenset[str]] | None = None

    def admit(self, query: ResolvedQuery, who: Principal) -> None:
        """See `admit`."""
        if who.is_admin:
            return
        now = self._clock()
        if self._known is None or now - self._known[0] > _GOOD_FOR_S:
            with self._engine.connect() as connection:
                self._known = (now, unsearchable(connection))
        admit(self._known[1], query, who)

    def forget(self) -> None:
        """Look again at the next question."""
        self._known = None


def _registered(types: DataTypes) -> list[str]:
    names = [one.xsi_type for one in types.searchable()]
    return [*names, UNSECURED] if UNSECURED in types and UNSECURED not in names else names


def _default(name: str, types: DataTypes) -> ElementSecurity:
    display = types.display(name)
    owned = any(types.is_a(name, base) for base in ("xnat:subjectData", "xnat:experimentData"))
    paths: tuple[str, ...] = (f"{name}/project", f"{name}/sharing/share/project") if owned else ()
    if types.is_a(name, "xnat:projectData"):
        paths = (f"{name}/ID",)
    return ElementSecurity(
        name,
        display.singular or name,
        display.plural or name,
        secure=name != UNSECURED,
        primary_security_fields=paths,
    )


def _parsed(name: str, text: str) -> str | int | bool:
    kinds = {f.name: str(f.type) for f in _ATTRIBUTES if f.name != "element_name"}
    if name not in kinds:
        near = nearest(name, kinds)
        hint = f"; did you mean {' or '.join(near)}?" if near else f"; there are: {', '.join(kinds)}"
        raise BadConstraint(f"a registered type has no attribute {name!r}{hint}")
    if kinds[name] == "str":
        return text
    if kinds[name] == "bool" and text.lower() in _TRUTH:
        return _TRUTH[text.lower()]
    if kinds[name] == "int" and text.isascii() and text.isdigit() and len(text) < 9:
        return int(text)
    allowed = "1 or 0" if kinds[name] == "bool" else "a whole number"
    raise BadConstraint(f"{name}={text!r} is not {allowed}")

"""The other listing of projects: by who may do what with them, and how they were used lately.

It is a search like any other, so what the caller may not see is not in it.

Source   protocol/rest.md 2.3
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from starlette.responses import Response

from connectomedb.errors import BadConstraint
from connectomedb.search.query import CriteriaSet, Criterion, FieldRef, SearchField, SearchQuery
from connectomedb.server.inbound import Ask
from connectomedb.server.outbound import answer_table
from connectomedb.tables.result import ResultTable
from connectomedb.vocabulary.short_names import PROJECT

# Any of these asks for this listing.
SWITCHES = (
    *("accessible", "data", "owner", "member", "collaborator", "recent", "favorite"),
    *("activeSince", "admin", "users", "prearc_code"),
)
_ROLES = {"owner": "Owners", "member": "Members", "collaborator": "Collaborators"}
_COLUMNS = (
    *("ID", "NAME", "DESCRIPTION", "SECONDARY_ID", "PI", "PROJECT_INVS", "PROJECT_ACCESS"),
    *("PROJECT_ACCESS_IMG", "INSERT_DATE", "INSERT_USER"),
)
_SETTINGS = ("PROJ_QUARANTINE", "PROJ_PREARCHIVE_CODE")


def is_asked_for(ask: Ask) -> bool:
    """The query string has one of the switches."""
    return any(name in ask.request.query_params for name in SWITCHES)


def listing(ask: Ask) -> Response:
    """The projects that meet every switch. Raises BadConstraint for a switch that says nothing."""
    number = str(ask.who.user_id)
    names = [*_COLUMNS, f"USER_ROLE={number}", f"LAST_ACCESSED={number}"]
    if ask.flag("prearc_code"):
        names += _SETTINGS
    fields = tuple(SearchField(FieldRef(PROJECT, name)) for name in names)
    query = SearchQuery(PROJECT, fields, CriteriaSet("AND", tuple(_conditions(ask, number))))
    found = ask.archive.search(query, ask.who)
    # A search ends with the status of its rows, which no project has.
    columns = [replace(column, key=_key(name)) for column, name in zip(found.columns, names, strict=False)]
    rows = tuple(row[: len(names)] for row in found.rows)
    facts = {"xdat_user_id": number}
    return answer_table(ask, ResultTable(tuple(columns), rows, "Projects", PROJECT, facts))


def _key(name: str) -> str:
    return name.lower().replace("=", "_")


def _conditions(ask: Ask, number: str) -> list[CriteriaSet | Criterion]:
    found: list[CriteriaSet | Criterion] = []
    role = FieldRef(PROJECT, f"USER_ROLE={number}")
    access = FieldRef(PROJECT, "PROJECT_ACCESS")
    accessible = ask.param("accessible").lower()
    data = ask.param("data").lower()
    if data not in ("", "readable", "writable"):
        raise BadConstraint(f"data={data!r} is neither readable nor writable")
    if (accessible == "true" or data == "readable") and not ask.who.is_admin:
        mine = Criterion(role, "IS NOT NULL")
        found.append(CriteriaSet("OR", (mine, Criterion(access, "=", "public"))))
    if accessible == "false":
        found += [Criterion(role, "IS NULL"), Criterion(access, "=", "protected")]
    if data == "writable" and not ask.who.is_admin:
        found.append(_any_role(role, ("owner", "member")))
    roles = tuple(name for name in _ROLES if ask.flag(name))
    if roles:
        found.append(_any_role(role, roles))
    visited = FieldRef(PROJECT, f"LAST_ACCESSED={number}")
    if ask.flag("recent"):
        found.append(Criterion(visited, "IS NOT NULL"))
    if ask.flag("favorite"):
        found.append(Criterion(FieldRef(PROJECT, "PROJECT_FAV"), "=", "1"))
    since = ask.param("activeSince").strip()
    if since:
        found.append(Criterion(visited, ">=", _day(since)))
    return found


def _any_role(ref: FieldRef, names: tuple[str, ...]) -> CriteriaSet:
    return CriteriaSet("OR", tuple(Criterion(ref, "=", _ROLES[name]) for name in names))


def _day(text: str) -> str:
    for form in ("%m/%d/%Y", "%Y-%m-%d"):
        try:
            return datetime.strptime(text, form).date().isoformat()
        except ValueError:
            continue
    raise BadConstraint(f"activeSince={text!r} is no day; write MM/DD/YYYY")

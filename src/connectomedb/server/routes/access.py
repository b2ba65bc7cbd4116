"""What the caller may do where: projects with the caller's part in them, and data types by right."""

from __future__ import annotations

from starlette.responses import Response

from connectomedb.errors import AuthenticationError, NotFound
from connectomedb.server.inbound import Ask
from connectomedb.server.outbound import answer_json
from connectomedb.store.accounts import ROLES

_DISPLAYS = ("readable", "writable", "searchable", "createable", "browseable", "browseableCreateable")


def projects(ask: Ask) -> Response:
    """The projects that the caller reads, each with what they are there."""
    return answer_json(_projects(ask))


def role_projects(ask: Ask) -> Response:
    """The same by `id`; who has the role Privileged gets every project that they see by name."""
    found = [{"id": one["ID"], **one} for one in _projects(ask)]
    if not ask.who.is_guest and "Privileged" in ask.archive.people.accounts.roles(ask.who.login):
        known = {one["id"] for one in found}
        others = sorted(set(ask.archive.people.project_ids()) - known)
        found += [{"id": one, "ID": one, "name": "", "role": ""} for one in others]
    return answer_json(found)


def roles(ask: Ask) -> Response:
    """The roles that there are."""
    if ask.who.is_guest:
        raise AuthenticationError("log in first")
    return answer_json(list(ROLES))


def displays(ask: Ask) -> Response:
    """The data types that the caller may read, write, search or create, somewhere."""
    kind = ask.part("kind")
    if kind not in _DISPLAYS:
        raise NotFound(f"no list of types that are {kind!r}; there are: {', '.join(_DISPLAYS)}")
    types = ask.site.types
    writes = kind in ("writable", "createable", "browseableCreateable")
    if writes and not ask.archive.people.writes_somewhere(ask.who):
        return answer_json([])
    shown = [
        {
            "elementName": t.xsi_type,
            "singular": types.display(t.xsi_type).singular or t.xsi_type,
            "plural": types.display(t.xsi_type).plural or t.xsi_type,
        }
        for t in types.searchable()
        if not (writes and t.abstract)
    ]
    if kind.startswith("browseable"):
        used = ask.archive.elements_used(ask.who)
        shown = [one for one in shown if one["elementName"] in used]
    return answer_json(shown)


def _projects(ask: Ask) -> list[dict[str, str]]:
    parts = ask.archive.people.accesses(ask.who)
    rows = ask.archive.listing("projects", ask.who).as_dicts()
    named = {str(row["ID"]): row for row in rows}
    return [
        {
            "ID": project,
            "name": str(named[project]["name"] or ""),
            "secondary_ID": str(named[project]["secondary_ID"] or ""),
            "description": str(named[project]["description"] or ""),
            "role": part,
        }
        for project, part in sorted(parts.items())
        if project in named
    ]

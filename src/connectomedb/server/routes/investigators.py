"""Investigators: the list, one of them, and the projects that name them.

Source   protocol/rest.md 2.2, 6.4
"""

from __future__ import annotations

import json
from dataclasses import replace

from starlette.responses import Response

from connectomedb.errors import AccessDenied, BadConstraint, NotFound
from connectomedb.schema.model import Item
from connectomedb.server.inbound import Ask
from connectomedb.server.outbound import answer_json, answer_table, answer_text, text_table
from connectomedb.store.edits import Edit
from connectomedb.store.investigator_list import FACTS, Investigator

_LISTED = "investigators/investigator"
_FIRST, _LAST = (f"xnat:projectData/{_LISTED}/{name}" for name in ("firstname", "lastname"))


def table(ask: Ask) -> Response:
    """Everybody, as a table."""
    keys = "firstname lastname institution department email xnat_investigatordata_id login"
    rows = [
        (i.firstname, i.lastname, i.institution, i.department, i.email, str(i.number), i.login)
        for i in ask.archive.investigators.all()
    ]
    return answer_table(ask, text_table("Investigators", tuple(keys.split()), rows))


def listing(ask: Ask) -> Response:
    """Everybody, as JSON."""
    return answer_json([_json(ask, one) for one in ask.archive.investigators.all()])


def create(ask: Ask) -> Response:
    """Add somebody."""
    return answer_json(_json(ask, ask.archive.investigators.add(_facts(ask), ask.who)), 201)


def read(ask: Ask) -> Response:
    """One of them."""
    return answer_json(_json(ask, ask.archive.investigators.find(_number(ask))))


def change(ask: Ask) -> Response:
    """Change what is said of one; 304 when that was said already."""
    number = _number(ask)
    if not ask.archive.investigators.change(number, _facts(ask), ask.who):
        return Response(status_code=304)
    return answer_json(_json(ask, ask.archive.investigators.find(number)))


def delete(ask: Ask) -> Response:
    """Take one off the list and out of the projects that name them; administrators do."""
    if not ask.who.is_admin:
        raise AccessDenied("investigators are for administrators to delete")
    known = ask.archive.investigators.find(_number(ask))
    primary, others = _projects(ask, known)
    for project_id in dict.fromkeys((*primary, *others)):
        item = _without(ask.archive.load_project_item(project_id, ask.who), known)
        reason = f"investigator {known.firstname} {known.lastname} was deleted"
        ask.archive.edit_project(project_id, Edit(item, whole=True, reason=reason), ask.who)
    ask.archive.investigators.delete(known.number)
    return answer_text("")


def _without(item: Item, known: Investigator) -> Item:
    """The project without that person."""
    values = dict(item.values)
    if _is(known, item.text("PI/firstname"), item.text("PI/lastname")):
        values = {path: value for path, value in values.items() if not path.startswith("PI/")}
    listed = item.children.get(_LISTED, ())
    kept = tuple(one for one in listed if not _is(known, one.text("firstname"), one.text("lastname")))
    return replace(item, values=values, children={**item.children, _LISTED: kept})


def _projects(ask: Ask, known: Investigator) -> tuple[list[str], list[str]]:
    """The projects whose first investigator that is, and those that list them, as far as they are seen."""
    pis = ask.archive.listing("projects", ask.who, columns=("ID", "pi_firstname", "pi_lastname"))
    listed = ask.archive.listing("projects", ask.who, columns=("ID", _FIRST, _LAST))
    primary = [r["ID"] for r in pis.as_dicts() if _is(known, r["pi_firstname"], r["pi_lastname"])]
    others = [r["ID"] for r in listed.as_dicts() if _is(known, r[_FIRST.lower()], r[_LAST.lower()])]
    return [str(one) for one in primary], [str(one) for one in others]


def _is(known: Investigator, firstname: object, lastname: object) -> bool:
    return (known.firstname, known.lastname) == (firstname, lastname)


def _json(ask: Ask, one: Investigator) -> dict[str, object]:
    primary, others = _projects(ask, one)
    return {
        "xnatInvestigatordataId": one.number,
        "id": None,
        **{name: getattr(one, name) for name in FACTS},
        "primaryProjects": primary,
        "investigatorProjects": others,
    }


def _number(ask: Ask) -> int:
    text = ask.part("number")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise NotFound(f"no investigator {text!r}")
    return int(text)


def _facts(ask: Ask) -> dict[str, str]:
    try:
        sent = json.loads(ask.body.decode())
    except ValueError as problem:
        raise BadConstraint(f"the body is no JSON in UTF-8: {problem}") from problem
    if not isinstance(sent, dict):
        raise BadConstraint('the body is no JSON object; send {"firstname": …, "lastname": …}')
    return {name: str(sent[name]) for name in FACTS if sent.get(name) is not None}

"""A document without an address: it says itself where it belongs.

Source   protocol/rest.md 2.12.5
"""

from __future__ import annotations

from starlette.responses import Response

from connectomedb.errors import (
    BadConstraint,
    DocumentError,
    NoSuchProject,
    NotFound,
    NotValid,
    UnknownDataType,
)
from connectomedb.schema.documents import read_document
from connectomedb.schema.model import Item
from connectomedb.server.failures import BadValue
from connectomedb.server.inbound import Ask
from connectomedb.server.outbound import answer_text
from connectomedb.server.said import need_reason
from connectomedb.store.edits import Edit
from connectomedb.vocabulary.records import Located
from connectomedb.vocabulary.short_names import EXPERIMENT, PROJECT, SUBJECT


def upload(ask: Ask) -> Response:
    """Store a document: a new item, or a change of the one that it names; its URI is the answer."""
    need_reason(ask)
    if "allowDataDeletion" not in ask.request.query_params:
        raise BadConstraint("say allowDataDeletion=false to lay the document over what is stored, or true")
    types = ask.site.types
    try:
        item = read_document(ask.document(), types)
    except UnknownDataType as problem:
        raise DocumentError(str(problem)) from problem
    except NotValid as problem:
        raise BadValue("; ".join(problem.reasons)) from problem
    level = next(
        (level for kind, level in _LEVELS.items() if types.is_a(item.xsi_type, kind)),
        "",
    )
    if not level:
        raise DocumentError(f"a {item.xsi_type} is stored at its own address, inside what holds it")
    try:
        item_id = _project(ask, item) if level == "projects" else _member(ask, item, level)
    except NotValid as problem:
        raise BadValue("; ".join(problem.reasons)) from problem
    return answer_text(f"/data/{level}/{item_id}")


_LEVELS = {PROJECT: "projects", SUBJECT: "subjects", EXPERIMENT: "experiments"}


def _project(ask: Ask, item: Item) -> str:
    name = item.text("ID")
    try:
        project_id = ask.archive.locate_project(name, ask.who)
    except NoSuchProject:
        ask.archive.found_project(item, ask.who, "protected")
        return name
    ask.archive.edit_project(project_id, _edit(ask, item), ask.who)
    return project_id


def _member(ask: Ask, item: Item, level: str) -> str:
    project = item.text("project")
    if not project:
        raise BadValue("the document names no project; say project=… at its root")
    project_id = ask.archive.locate_project(project, ask.who)
    for name in (item.text("ID"), item.text("label")):
        if name:
            try:
                found = _located(ask, level, name, project_id)
            except NotFound:
                continue
            ask.archive.edit(found.id, _edit(ask, item), ask.who)
            return found.id
    return ask.archive.add_items([item], ask.who, project=project_id).ids[0]


def _located(ask: Ask, level: str, name: str, project_id: str) -> Located:
    locate = ask.archive.locate_subject if level == "subjects" else ask.archive.locate_experiment
    return locate(name, ask.who, project=project_id)


def _edit(ask: Ask, item: Item) -> Edit:
    return Edit(
        item,
        whole=ask.flag("allowDataDeletion"),
        expected=ask.revisions(),
        reason=ask.param("event_reason").strip(),
    )

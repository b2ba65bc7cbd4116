"""Custom fields: a JSON object beside every project, subject, experiment, assessor and scan.

They are the leaf `custom_fields` of the document, so rights and history are those of every change.

Source   protocol/rest.md 6.3
"""

from __future__ import annotations

import json
from collections.abc import Callable

from starlette.responses import Response

from connectomedb.errors import (
    AccessDenied,
    BadConstraint,
    NoSuchExperiment,
    NoSuchProject,
    NoSuchSubject,
    NotFound,
    Outdated,
)
from connectomedb.schema.model import Item
from connectomedb.server.inbound import Ask
from connectomedb.server.outbound import answer_json
from connectomedb.server.places import experiment_of, item_of, subject_of
from connectomedb.store.edits import Edit, revision
from connectomedb.vocabulary.records import Located
from connectomedb.vocabulary.short_names import PROJECT

LEAF = "custom_fields"
_ATTEMPTS = 5
Fields = dict[str, object]


def read(ask: Ask) -> Response:
    """All fields of an item, or those that `fieldNames` names."""
    fields = _fields(_load(ask, _found(ask)))
    names = ask.words("fieldNames")
    return answer_json({name: value for name, value in fields.items() if not names or name in names})


def read_one(ask: Ask) -> Response:
    """One field of an item."""
    fields, name = _fields(_load(ask, _found(ask))), ask.part("name")
    if name not in fields:
        raise NotFound(f"no custom field {name!r}")
    return answer_json(fields[name])


def put(ask: Ask) -> Response:
    """Lay an object over the stored one."""
    try:
        said = json.loads(ask.body.decode())
    except ValueError as problem:
        raise BadConstraint(f"the body is no JSON in UTF-8: {problem}") from problem
    if not isinstance(said, dict):
        raise BadConstraint('the body is no JSON object; send {"name": value}')
    return answer_json(_changed(ask, lambda fields: {**fields, **said}))


def delete(ask: Ask) -> Response:
    """Take one field away; the rest is the answer."""
    name = ask.part("name")

    def without(fields: Fields) -> Fields:
        if name not in fields:
            raise NotFound(f"no custom field {name!r}")
        return {known: value for known, value in fields.items() if known != name}

    return answer_json(_changed(ask, without))


def _changed(ask: Ask, change: Callable[[Fields], Fields]) -> Fields:
    """The object after a change that nobody else's change gets lost by."""
    found = _found(ask)
    for attempt in range(_ATTEMPTS):
        item = _load(ask, found)
        fields = change(_fields(item))
        text = json.dumps(fields, ensure_ascii=False)
        said = Item(item.xsi_type, {LEAF: text} if fields else {})
        edit = Edit(said, () if fields else (LEAF,), expected=(revision(item),))
        try:
            if item.xsi_type == PROJECT:
                ask.archive.edit_project(found.id, edit, ask.who)
            else:
                ask.archive.edit(found.id, edit, ask.who)
        except Outdated:
            if attempt + 1 == _ATTEMPTS:
                raise
            continue
        return fields
    raise AssertionError("the last attempt returns or raises")


def _found(ask: Ask) -> Located:
    """The item. Source: what is not to be seen is 403 here, as everywhere below /xapi."""
    try:
        if ask.part("experiment"):
            experiment_of(ask)
        elif ask.part("subject"):
            subject_of(ask)
        else:
            return item_of(ask)
    except (NoSuchProject, NoSuchSubject, NoSuchExperiment) as problem:
        raise AccessDenied(str(problem)) from problem
    return item_of(ask)


def _load(ask: Ask, found: Located) -> Item:
    if found.xsi_type == PROJECT:
        return ask.archive.load_project_item(found.id, ask.who)
    return ask.archive.load_item(found.id, ask.who)


def _fields(item: Item) -> Fields:
    text = item.text(LEAF)
    if not text:
        return {}
    try:
        held = json.loads(text)
    except ValueError:
        held = None
    if not isinstance(held, dict):
        raise BadConstraint("the custom fields of this item are no JSON object; mend them in its document")
    return held

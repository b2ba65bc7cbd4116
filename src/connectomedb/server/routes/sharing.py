"""The projects that an item is in: listed, shared into, moved to, and taken out of."""

from __future__ import annotations

from starlette.responses import Response

from connectomedb.server.inbound import Ask, decoded_again
from connectomedb.server.outbound import answer_table, answer_text, text_table
from connectomedb.vocabulary.records import Located


def projects(ask: Ask) -> Response:
    """The projects that an item is in and that the caller sees, with its label there; the owner first."""
    rows = ask.archive.shown_in(_item(ask).id, ask.who)
    return answer_table(ask, text_table("Projects", ("label", "ID", "Secondary_ID", "Name"), rows))


def share(ask: Ask) -> Response:
    """Share an item, under `label=`; with `primary=true` the other project owns it from now on."""
    found, target = _item(ask), _target(ask)
    if ask.param("primary").lower() in ("true", "1"):
        along = [_located(ask, text, "").id for text in ask.words("moveAssessors")]
        reason = ask.param("event_reason")
        ask.archive.move_item(found.id, target, ask.who, reason=reason, along=along)
    else:
        ask.archive.share(found.id, target, ask.param("label"), ask.who)
    return answer_text("")


def unshare(ask: Ask) -> Response:
    """Take an item out of a project that it is shared into."""
    ask.archive.unshare(_item(ask).id, _target(ask), ask.who, reason=ask.param("event_reason"))
    return answer_text("")


def _target(ask: Ask) -> str:
    return decoded_again(lambda text: ask.archive.locate_project(text, ask.who), ask.part("target"))


def _item(ask: Ask) -> Located:
    project = ask.part("project")
    if project:
        project = decoded_again(lambda text: ask.archive.locate_project(text, ask.who), project)
    subject = ""
    if ask.part("subject"):
        found = decoded_again(
            lambda text: ask.archive.locate_subject(text, ask.who, project=project), ask.part("subject")
        )
        if not ask.part("experiment"):
            return found
        subject = found.id
    session = _located(ask, ask.part("experiment"), project, subject)
    return _located(ask, ask.part("assessor"), project) if ask.part("assessor") else session


def _located(ask: Ask, text: str, project: str, subject: str = "") -> Located:
    return decoded_again(
        lambda one: ask.archive.locate_experiment(one, ask.who, project=project, subject=subject), text
    )

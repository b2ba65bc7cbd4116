"""What all writes have in common: reasons, revisions, legal names, and what a refusal means.

Source   protocol/rest.md 2.12
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import Response

from connectomedb.errors import DocumentError, NotValid, Outdated
from connectomedb.server.failures import BadValue
from connectomedb.server.inbound import Ask
from connectomedb.server.outbound import answer_text
from connectomedb.store.projects import LEGAL_NAME


def need_no_revision(ask: Ask, name: str) -> None:
    """Raises Outdated for a change that was meant for something that is not there."""
    if ask.revisions():
        raise Outdated(f"{name} is not there, and If-Match asks for one that is")


def translated(act: Callable[[], object]) -> None:
    """Do it; what is refused about a value, an id or a label is a bad request, and no bad document."""
    try:
        act()
    except NotValid as problem:
        raise BadValue("; ".join(problem.reasons)) from problem
    except DocumentError as problem:
        raise BadValue(str(problem)) from problem


def legal(what: str, text: str) -> str:
    """Raises BadValue for an id or label that no address can hold, and names the wrong character."""
    if not LEGAL_NAME.match(text):
        wrong = next((c for c in text if not LEGAL_NAME.match(c)), "")
        said = f" and holds {wrong!r}" if wrong else ""
        raise BadValue(f"the {what} {text[:80]!r} is not legal{said}: letters, digits, _ and - only")
    if len(text) > 255:
        raise BadValue(f"the {what} {text[:40]!r}… is longer than 255 characters")
    return text


def create_only(ask: Ask) -> bool:
    """The caller sent `If-None-Match: *`: make it, change nothing."""
    return "*" in ask.revisions("if-none-match")


def reason(ask: Ask) -> str:
    """Why the change is made, as the caller says."""
    return ask.param("event_reason").strip()


def made(uri: str, status: int) -> Response:
    """The address of something new, as the body and as `Location`."""
    response = answer_text(uri, status)
    response.headers["Location"] = uri
    return response

"""Which answer of a server means which exception; the only place that decides."""

from __future__ import annotations

import json
import re

from connectomedb.client.transport import Response
from connectomedb.errors import (
    AccessDenied,
    BadCredentials,
    Conflict,
    ConnectomeDBError,
    LoginExpired,
    NoSuchExperiment,
    NoSuchFile,
    NoSuchProject,
    NoSuchSubject,
    NotFound,
    QueryError,
    ServerFault,
    UnknownDataType,
    UnknownField,
)

_EXCERPT_CHARS = 300
_NO_SUCH: dict[str, type[NotFound]] = {
    "projects": NoSuchProject,
    "subjects": NoSuchSubject,
    "experiments": NoSuchExperiment,
    "files": NoSuchFile,
}
_LEVEL = re.compile(r"/(projects|subjects|experiments|files)/[^/?]+")


def is_web_page(response: Response) -> bool:
    """Whether the body is HTML, whatever its status says."""
    return response.body[:200].lstrip().lower().startswith((b"<html", b"<!doctype html"))


def is_login_page(response: Response) -> bool:
    """Whether the server sent its login form instead of an answer."""
    page = response.body.lower()
    return is_web_page(response) and ("login" in response.url.lower() or b'type="password"' in page)


def excerpt(response: Response) -> str:
    """What went wrong in one line, for a message: a problem's `detail`, else the beginning of the body."""
    detail = _problem(response).get("detail")
    if isinstance(detail, str) and detail:
        return detail[:_EXCERPT_CHARS]
    text = response.body[: _EXCERPT_CHARS * 4].decode("utf-8", "replace")
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())[:_EXCERPT_CHARS]


def failure_of(response: Response, *, url: str, renewed: bool = False) -> ConnectomeDBError | None:
    """The exception that `response` means, or None when it holds what was asked."""
    status, said = response.status, excerpt(response)
    if status < 300:
        if is_login_page(response):
            return LoginExpired(f"{url}: the server sent its login page; the login has ended, connect again")
        if is_web_page(response):
            return ServerFault(
                f"{url} sent a web page where data was promised: {said}", status=status, url=url, excerpt=said
            )
        return None
    if status < 400:
        place = response.headers.get("location", "another address")
        return ServerFault(f"{url} has moved to {place}; connect to that server", status=status, url=url)
    if status == 401:
        if renewed:
            return LoginExpired(f"the login at {url} ended and could not be renewed; connect again")
        return BadCredentials(f"{url} refused the login: the user name or the password is wrong, or missing")
    named = _unknown_name(response)
    if named is not None:
        return named
    if status == 403:
        return AccessDenied(f"{url} may not be read by this user: {said}")
    if status == 404:
        levels = _LEVEL.findall(url)
        return (_NO_SUCH[levels[-1]] if levels else NotFound)(said or f"there is nothing at {url}")
    if status == 409:
        return Conflict(said or f"{url}: what is there already stands in the way")
    if status in (400, 422):
        return QueryError(said or f"{url} did not understand the question")
    return ServerFault(f"{url} failed with status {status}: {said}", status=status, url=url, excerpt=said)


def _problem(response: Response) -> dict[str, object]:
    """The problem document (RFC 9457) of an answer; empty when there is none."""
    if not response.headers.get("content-type", "").startswith("application/problem+json"):
        return {}
    try:
        facts = json.loads(response.body)
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}


def _unknown_name(response: Response) -> QueryError | None:
    """The error for a misspelt name, when the answer says which one it was."""
    facts = _problem(response)
    near = facts.get("nearest")
    nearest = [str(n) for n in near] if isinstance(near, list) else []
    if "field" in facts:
        return UnknownField(str(facts["field"]), str(facts.get("data_type", "")), nearest)
    if "name" in facts and "nearest" in facts:
        return UnknownDataType(str(facts["name"]), nearest)
    return None

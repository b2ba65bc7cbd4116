"""Which answer of a server means which exception; the only place that decides."""

from __future__ import annotations

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
    """The beginning of the body in one line, for a message."""
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
    if status == 401:
        if renewed:
            return LoginExpired(f"the login at {url} ended and could not be renewed; connect again")
        return BadCredentials(f"{url} refused the login: the user name or the password is wrong, or missing")
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

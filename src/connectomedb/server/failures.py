"""Trouble as an answer: which exception becomes which status, in one dictionary.

An error is one line of plain text that names the thing and the cure. Deviation: XNAT sends HTML pages;
released clients crash over those, or lose the message. `application/problem+json` (RFC 9457) on request.
"""

from __future__ import annotations

import json
import logging

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from connectomedb import errors as e
from connectomedb.server.audit import scrubbed_path
from connectomedb.store.results import ResultGone

log = logging.getLogger("connectomedb.server")

STATUS: dict[type[Exception], int] = {
    e.AuthenticationError: 401,
    e.TooManyAttempts: 429,
    e.WeakPassword: 400,
    e.AccessDenied: 403,
    e.NotFound: 404,
    e.Conflict: 409,
    e.QueryError: 400,
    e.DocumentError: 422,
}

PHRASES = {
    400: "Bad request",
    401: "Authentication required",
    403: "Refused",
    404: "Unknown",
    405: "Method not offered",
    406: "Representation not offered",
    408: "Too slow",
    409: "Conflict",
    410: "Gone",
    412: "Not as expected",
    413: "Too large",
    417: "Contents wanted",
    422: "Document refused",
    429: "Too many attempts",
    500: "Server error",
    502: "Store failed",
    507: "No room",
}

# pyxnat recognises a failed login by this sentence.
LOGIN_WANTED = "The request requires user authentication"


class TooLarge(e.ConnectomeDBError):
    """The body is larger than any question needs to be."""


class NotOffered(e.ConnectomeDBError):
    """A representation that this installation cannot make."""


class BadUpload(e.ConnectomeDBError):
    """A body that is no file, or not the one that was promised."""


class TooSlow(e.ConnectomeDBError):
    """A body that comes too slowly to be waited for."""


class RootRefused(e.UnknownDataType):
    """A search for a data type that there is not, or that the user may not search."""


class BadValue(e.DocumentError):
    """A value, an id or a label that an item cannot have."""


class NothingSaid(e.ConnectomeDBError):
    """A PUT that would make something new, and does not say what."""


class BadProjectId(e.ConnectomeDBError):
    """An id that no project can have, or another one than the address names."""


STATUS |= {BadValue: 400, NothingSaid: 417, BadProjectId: 417, e.Outdated: 412}
STATUS |= {TooLarge: 413, NotOffered: 406, RootRefused: 403, ResultGone: 410}
STATUS |= {BadUpload: 400, TooSlow: 408, e.ChecksumMismatch: 400, e.TooMuch: 413}
STATUS |= {e.DiskFull: 507, e.TransferError: 502}


def status_of(error: Exception) -> int:
    """The status of an exception: that of its nearest base in the dictionary, else 500."""
    return next((STATUS[c] for c in type(error).__mro__ if c in STATUS), 500)


def failure(request: Request, error: e.ConnectomeDBError) -> Response:
    """The answer for one of our own exceptions."""
    status = status_of(error)
    if status == 500:
        log.error("%s %s failed: %s", request.method, scrubbed_path(request.url.path), error)
    facts = {
        name: getattr(error, name)
        for name in ("name", "field", "data_type", "nearest", "reasons")
        if hasattr(error, name)
    }
    answer = refusal(request, status, str(error), facts)
    if isinstance(error, e.TooManyAttempts):
        answer.headers["Retry-After"] = str(int(error.retry_after_s) + 1)
    return answer


async def on_http_exception(request: Request, error: Exception) -> Response:
    """Unknown routes and methods, found out by the router itself."""
    assert isinstance(error, HTTPException)
    path = request.scope.get("connectomedb.asked_path", request.url.path)
    if error.status_code == 404:
        detail = f"nothing is served at {path}"
    elif error.status_code == 405:
        offered = offered_methods(request)
        error.headers = {**(error.headers or {}), "Allow": offered}
        detail = f"{request.method} is not offered at {path}; there is {offered}"
    else:
        detail = error.detail
    answer = refusal(request, error.status_code, detail)
    answer.headers.update(error.headers or {})
    return answer


def offered_methods(request: Request) -> str:
    """Every method of the address; the router itself knows only the first route that fits."""
    fitting = (route for route in request.app.routes if route.matches(request.scope)[0] != Match.NONE)
    return ", ".join(sorted({m for route in fitting for m in getattr(route, "methods", None) or ()}))


async def on_fault(request: Request, error: Exception) -> Response:
    """Anything unforeseen: the reason goes to the log, never to the caller.

    The trace itself is logged by the ASGI server, which gets the exception after this answer.
    """
    log.error("%s %s failed: %s", request.method, scrubbed_path(request.url.path), type(error).__name__)
    return refusal(request, 500, "the server failed over this request; its log says why")


def refusal(request: Request, status: int, detail: str, facts: dict[str, object] | None = None) -> Response:
    """One line of text, or a problem document when the caller prefers JSON."""
    line = " ".join(detail.split())
    if status == 401:
        line = f"{LOGIN_WANTED}: {line}"
    # pyxnat takes these two words anywhere in a body for a dead connection.
    line = line.replace("Not Found", "Not found")
    headers = {"WWW-Authenticate": f'Basic realm="{realm(request)}"'} if status == 401 else None
    accept = request.headers.get("accept", "")
    if "application/json" in accept or "application/problem+json" in accept:
        problem = {"title": PHRASES.get(status, "Error"), "status": status, "detail": line, **(facts or {})}
        return Response(json.dumps(problem), status, headers, "application/problem+json")
    return Response(line, status, headers, "text/plain; charset=utf-8")


def realm(request: Request) -> str:
    """The name that a login dialogue shows."""
    name = str(getattr(request.app.state.site, "site_id", "") or "connectomedb")
    return "".join(c for c in name if c.isascii() and c.isprintable() and c not in '"\\')

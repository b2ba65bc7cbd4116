"""Logins: /data/JSESSION, /data/auth, /data/services/auth, the login page, and the logins of others."""

from __future__ import annotations

import html
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from connectomedb.errors import AccessDenied, BadConstraint, BadCredentials, TooManyAttempts
from connectomedb.server.auth import (
    address_of,
    csrf_token,
    guest_session_id,
    local_path,
    session_ids,
    set_cookies,
    without_provider,
)
from connectomedb.server.failures import realm
from connectomedb.server.inbound import Ask
from connectomedb.server.outbound import answer_json, answer_text
from connectomedb.store.accounts import need_administrator, need_self

_PROVIDERS = ("", "localdb")


def open_session(ask: Ask) -> Response:
    """The id of the caller's login session; a guest's id for somebody without one."""
    session_id = ask.caller.session_id or guest_session_id()
    response = answer_text(_with_csrf(ask, session_id, session_id))
    if not ask.caller.session_id:
        set_cookies(response, ask.request, session_id, ask.gate.session_lifetime_s, is_new=True)
    return response


def close_session(ask: Ask) -> Response:
    """Log out: every session the caller named ends."""
    for session_id in {*session_ids(ask.request), ask.caller.session_id} - {""}:
        ask.archive.close_session(session_id)
    response = answer_text("")
    response.headers.append("Set-Cookie", "JSESSIONID=; Path=/; HttpOnly; Max-Age=0")
    return response


def who_am_i(ask: Ask) -> Response:
    """`User 'alice' is logged in`."""
    return answer_text(_with_csrf(ask, f"User '{ask.who.login}' is logged in", ask.caller.session_id))


def log_in(ask: Ask) -> Response:
    """Log in by a form; the body of the answer is the session id, a new one each time."""
    login, password = _form_credentials(ask)
    try:
        caller = ask.gate.log_in(ask.archive, login, password, address_of(ask.request))
    except (BadCredentials, TooManyAttempts) as error:
        # xnatpy shows what stands between <h3> and </h3>, and nothing else.
        text = f"<h3>Authentication failed: {html.escape(str(error))}</h3>"
        if isinstance(error, TooManyAttempts):
            return Response(text, 429, {"Retry-After": str(int(error.retry_after_s) + 1)}, _HTML)
        return Response(text, 401, {"WWW-Authenticate": f'Basic realm="{realm(ask.request)}"'}, _HTML)
    response = answer_text(caller.session_id)
    set_cookies(response, ask.request, caller.session_id, ask.gate.session_lifetime_s, is_new=True)
    return response


_HTML = "text/html; charset=utf-8"


def log_in_by_page(ask: Ask) -> Response:
    """Log in from a page, and go on to where it came from; the login that the browser had before ends.

    Raises  AccessDenied for a form of another site; TooManyAttempts
    """
    if ask.request.headers.get("sec-fetch-site") == "cross-site":
        raise AccessDenied("this form was sent by another site; log in on the page of this one")
    login, password = _form_credentials(ask)
    to = local_path(ask.form().get("to", ""))
    try:
        caller = ask.gate.log_in(ask.archive, login, password, address_of(ask.request))
    except BadCredentials:
        return RedirectResponse(f"/?refused=1&to={quote(to, safe='')}", 303)
    for session_id in session_ids(ask.request):
        ask.archive.close_session(session_id)
    response = RedirectResponse(to, 303)
    set_cookies(response, ask.request, caller.session_id, ask.gate.session_lifetime_s, is_new=True)
    return response


def log_out_by_page(ask: Ask) -> Response:
    """Log out from a page, and go to the home page."""
    closed = close_session(ask)
    response = RedirectResponse("/", 303)
    response.headers.append("Set-Cookie", closed.headers["set-cookie"])
    return response


# The logins of one person, and of everybody


def count_sessions(ask: Ask) -> Response:
    """`{"alice": 2}`, for administrators and oneself."""
    login = _known_login(ask)
    return answer_json({login: len(ask.archive.people.logins(login))})


def end_sessions(ask: Ask) -> Response:
    """End every login of a person: all that were open are named."""
    return answer_json(list(ask.archive.people.sessions.end(_known_login(ask))))


def active(ask: Ask) -> Response:
    """Who is logged in, with the names of their logins.

    Deviation: XNAT shows session ids; here they are names, with which nobody can log in.
    """
    need_administrator(ask.who, "the list of logins")
    found: dict[str, list[str]] = {}
    for one in ask.archive.people.logins():
        found.setdefault(one.login, []).append(one.name)
    return answer_json({login: {"sessions": names, "count": len(names)} for login, names in found.items()})


def active_of(ask: Ask) -> Response:
    """The names of one person's logins."""
    return answer_json([one.name for one in ask.archive.people.logins(_known_login(ask))])


def current(ask: Ask) -> Response:
    """Logins of the people who are logged in."""
    need_administrator(ask.who, "the list of logins")
    return answer_json(sorted({one.login for one in ask.archive.people.logins()}))


def _known_login(ask: Ask) -> str:
    login = ask.part("user")
    need_self(ask.who, login, "the list of logins")
    return ask.archive.people.accounts.account(login).login


def _with_csrf(ask: Ask, text: str, session_id: str) -> str:
    wanted = ask.param("CSRF").lower() not in ("", "false", "0") and session_id
    return f"{text}; XNAT_CSRF={csrf_token(session_id)}" if wanted else text


def _form_credentials(ask: Ask) -> tuple[str, str]:
    form = ask.form()
    login = form.get("username") or form.get("j_username") or ""
    password = form.get("password") or form.get("j_password") or ""
    if not login:
        raise BadConstraint("the form names no user; send username=…&password=… as the body")
    for name in ("provider", "authenticatorId", "login_method"):
        if form.get(name, "") not in _PROVIDERS:
            raise BadConstraint(f"{name}={form[name]!r} is unknown here; there is localdb")
    return without_provider(login), password

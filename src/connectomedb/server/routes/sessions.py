"""Logins, and who is who: /data/JSESSION, /data/auth, /data/services/auth, users."""

from __future__ import annotations

import html

from starlette.responses import RedirectResponse, Response

from connectomedb.errors import BadConstraint, BadCredentials
from connectomedb.server.auth import guest_session_id, session_ids, set_cookies, without_provider
from connectomedb.server.failures import realm
from connectomedb.server.inbound import Ask
from connectomedb.server.outbound import answer_table, answer_text, text_table


def open_session(ask: Ask) -> Response:
    """The id of the caller's login session; a guest's id for somebody without one."""
    if ask.caller.session_id:
        return answer_text(ask.caller.session_id)
    session_id = guest_session_id()
    response = answer_text(session_id)
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
    return answer_text(f"User '{ask.who.login}' is logged in")


def log_in(ask: Ask) -> Response:
    """Log in by a form; the body of the answer is the session id."""
    login, password = _form_credentials(ask)
    try:
        caller = ask.gate.log_in(ask.archive, login, password)
    except BadCredentials as error:
        # xnatpy shows what stands between <h3> and </h3>, and nothing else.
        text = f"<h3>Authentication failed: {html.escape(str(error))}</h3>"
        challenge = {"WWW-Authenticate": f'Basic realm="{realm(ask.request)}"'}
        return Response(text, 401, challenge, "text/html; charset=utf-8")
    response = answer_text(caller.session_id)
    set_cookies(response, ask.request, caller.session_id, ask.gate.session_lifetime_s, is_new=True)
    return response


def log_in_by_page(ask: Ask) -> Response:
    """Log in from the home page, and go back to it."""
    login, password = _form_credentials(ask)
    try:
        caller = ask.gate.log_in(ask.archive, login, password)
    except BadCredentials:
        return RedirectResponse("/?refused=1", 303)
    response = RedirectResponse("/", 303)
    set_cookies(response, ask.request, caller.session_id, ask.gate.session_lifetime_s, is_new=True)
    return response


def log_out_by_page(ask: Ask) -> Response:
    """Log out from the home page, and go back to it."""
    closed = close_session(ask)
    response = RedirectResponse("/", 303)
    response.headers.append("Set-Cookie", closed.headers["set-cookie"])
    return response


def user_name(ask: Ask) -> Response:
    """The caller's login, bare."""
    return answer_text(ask.who.login)


def users(ask: Ask) -> Response:
    """Everybody with an account; addresses are for administrators and oneself."""
    keys = ("xdat_user_id", "login", "firstname", "lastname", "email")
    rows = [
        (a.user_id, a.login, "", "", a.email if ask.who.is_admin or a.login == ask.who.login else "")
        for a in ask.archive.users()
        if a.enabled
    ]
    return answer_table(ask, text_table("Users", keys, rows))


def _form_credentials(ask: Ask) -> tuple[str, str]:
    form = ask.form()
    login = form.get("username") or form.get("j_username") or ""
    password = form.get("password") or form.get("j_password") or ""
    if not login:
        raise BadConstraint("the form names no user; send username=…&password=… as the body")
    return without_provider(login), password

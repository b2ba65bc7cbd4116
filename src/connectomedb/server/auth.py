"""Who is asking: HTTP Basic, the JSESSIONID cookie, and the cookies of the answer.

A valid cookie comes first when it belongs to the user of the Basic header, or when there is none. An
unknown or expired cookie is the same as no cookie.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
import time
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from connectomedb.errors import AuthenticationError, BadCredentials, LoginExpired
from connectomedb.store.archive import Archive
from connectomedb.vocabulary.records import GUEST, Principal

# Read by hand: a client of 2014 sends a Cookie header that no cookie parser takes.
_COOKIE = re.compile(r"(?:^|[;,\s])JSESSIONID=\"?([0-9A-F]{32})(?![0-9A-Za-z])")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and the login session they ask in; `session_id` is '' for nobody."""

    who: Principal
    session_id: str = field(default="", repr=False)
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Gate:
    """The rules of one site: how long a login lives, and whether strangers are let in."""

    session_lifetime_s: float = 1800
    require_login: bool = True

    def caller(self, request: Request, archive: Archive, *, open_to_all: bool = False) -> Caller:
        """Who asks.

        Raises  BadCredentials for a wrong Basic header, wherever it is sent; LoginExpired for a cookie
                that is worth nothing; AuthenticationError when there is neither and the site is closed.
        """
        cookies = session_ids(request)
        basic = basic_credentials(request)
        for session_id in cookies:
            who = archive.touch_session(session_id)
            if who is not None and (basic is None or basic[0] == who.login):
                return Caller(who, session_id)
        if basic is not None:
            return self.log_in(archive, *basic)
        if open_to_all or not self.require_login:
            return Caller(GUEST)
        if cookies:
            raise LoginExpired("this login has expired or was ended; log in again")
        raise AuthenticationError("send a login and a password")

    def log_in(self, archive: Archive, login: str, password: str) -> Caller:
        """A new login session. Raises BadCredentials."""
        who = archive.verify_password(login, password)
        opened = archive.open_session(who.login, self.session_lifetime_s)
        return Caller(who, opened.session_id, is_new=True)


def session_ids(request: Request) -> list[str]:
    """Every session id the caller sent."""
    return _COOKIE.findall(request.headers.get("cookie", ""))


def basic_credentials(request: Request) -> tuple[str, str] | None:
    """Login and password of the Basic header; None when there is no such header.

    Raises  BadCredentials when the header cannot be read.
    """
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        login, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise BadCredentials("the Authorization header is not readable Basic credentials") from None
    if not colon:
        raise BadCredentials("the Authorization header names no password")
    return without_provider(login), password


def without_provider(login: str) -> str:
    """`localdb/alice` is alice: there is one provider here."""
    return login.rsplit("/", 1)[-1]


def guest_session_id() -> str:
    """An id for somebody who has not logged in; nothing is kept about it."""
    return secrets.token_hex(16).upper()


def set_cookies(
    response: Response, request: Request, session_id: str, lifetime_s: float, *, is_new: bool
) -> None:
    """Cookies of a login: the session's first, as old clients expect it, then when it ends.

    Written raw: the quotes belong to the value.
    """
    secure = "; Secure" if request.url.scheme == "https" else ""
    if is_new:
        cookie = f"JSESSIONID={session_id}; Path=/; HttpOnly; SameSite=Lax{secure}"
        response.headers.append("Set-Cookie", cookie)
    times = f"{int(time.time() * 1000)},{int(lifetime_s * 1000)}"
    response.headers.append("Set-Cookie", f'SESSION_EXPIRATION_TIME="{times}"; Path=/{secure}')

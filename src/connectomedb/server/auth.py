"""Who is asking: HTTP Basic, alias tokens, the JSESSIONID cookie, and the cookies of the answer.

A valid cookie comes first when it belongs to the user of the Basic header, or when there is none. An
unknown or expired cookie is the same as no cookie.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from connectomedb.errors import AccessDenied, AuthenticationError, BadCredentials, LoginExpired, NotFound
from connectomedb.store.archive import Archive
from connectomedb.store.sessions import ALIAS
from connectomedb.vocabulary.records import GUEST, Principal

# Read by hand: a client of 2014 sends a Cookie header that no cookie parser takes.
_COOKIE = re.compile(r"(?:^|[;,\s])JSESSIONID=\"?([0-9A-F]{32})(?![0-9A-Za-z])")
_BROWSER = re.compile(r"MSIE|Mozilla|AppleWebKit|Opera")
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
CSRF = "XNAT_CSRF"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and the login session they ask in; `session_id` is '' for nobody.

    `by_cookie` says that nothing but the cookie vouches for them.
    """

    who: Principal
    session_id: str = field(default="", repr=False)
    is_new: bool = False
    by_cookie: bool = False


@dataclass(frozen=True, slots=True)
class Gate:
    """The rules of one site: how long a login lives, and whether strangers are let in.

    `require_login` None asks the site's setting, each time that somebody comes without a login.
    """

    session_lifetime_s: float = 1800
    require_login: bool | None = None

    def is_closed(self, archive: Archive) -> bool:
        """Strangers see nothing."""
        if self.require_login is not None:
            return self.require_login
        return bool(archive.people.setting("requireLogin"))

    def caller(self, request: Request, archive: Archive, *, open_to_all: bool = False) -> Caller:
        """Who asks.

        Raises  BadCredentials for a wrong Basic header, wherever it is sent; TooManyAttempts; LoginExpired
                for a cookie that is worth nothing; AuthenticationError for neither on a closed site
        """
        cookies = session_ids(request)
        basic = basic_credentials(request)
        if basic is not None and ALIAS.match(basic[0]):
            return self._by_token(archive, cookies, *basic)
        for session_id in cookies:
            who = archive.touch_session(session_id)
            if who is not None and (basic is None or basic[0] == who.login):
                return Caller(who, session_id, by_cookie=basic is None)
        if basic is not None:
            return self.log_in(archive, *basic, address=address_of(request))
        if open_to_all or not self.is_closed(archive):
            return Caller(GUEST)
        if cookies:
            raise LoginExpired("this login has expired or was ended; log in again")
        raise AuthenticationError("send a login and a password")

    def log_in(self, archive: Archive, login: str, password: str, address: str = "") -> Caller:
        """A new login session, by password or alias token. Raises BadCredentials, TooManyAttempts."""
        if ALIAS.match(login):
            return self._by_token(archive, [], login, password)
        who = archive.verify_password(login, password, address)
        opened = archive.open_session(who.login, self.session_lifetime_s)
        return Caller(who, opened.session_id, is_new=True)

    def _by_token(self, archive: Archive, cookies: list[str], alias: str, secret: str) -> Caller:
        sessions = archive.people.sessions
        try:
            token = sessions.check_token(alias, secret)
        except (NotFound, BadCredentials):
            raise BadCredentials(
                "alias or secret is wrong, or the token is over; issue another one"
            ) from None
        for session_id in cookies:
            who = archive.touch_session(session_id)
            if who is not None and who.login == token.login:
                return Caller(who, session_id)
        opened = sessions.open(token.login, self.session_lifetime_s, token)
        return Caller(archive.find_user(token.login), opened.session_id, is_new=True)


def need_csrf_token(request: Request, caller: Caller, body: bytes, archive: Archive) -> None:
    """Raises AccessDenied for a change by a browser that sent a cookie and nothing else to prove its will.

    Source  protocol/rest.md 1.6: scripts, and whoever sends Basic, are exempt
    """
    if request.method in _SAFE_METHODS or not caller.by_cookie or not is_browser(request):
        return
    sent = [request.query_params.get(CSRF), request.headers.get("x-xnat-csrf")]
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        sent += [value for name, value in parse_qsl(body.decode("latin-1")) if name == CSRF]
    wanted = csrf_token(caller.session_id)
    if any(one and hmac.compare_digest(one.encode(), wanted.encode()) for one in sent):
        return
    if archive.people.setting("enableCsrfToken"):
        raise AccessDenied(
            f"a change by a browser's cookie needs {CSRF}=…; GET /data/JSESSION?CSRF=true gives it"
        )


def csrf_token(session_id: str) -> str:
    """The token that forms of this login carry; nobody can tell it without the session id."""
    return hmac.new(session_id.encode(), b"XNAT_CSRF", hashlib.sha256).hexdigest()[:32]


def is_browser(request: Request) -> bool:
    """The caller says that it is a browser."""
    agent = request.headers.get("user-agent", "")
    return bool(_BROWSER.search(agent)) and "XNATDesktopClient" not in agent


def prefers_html(request: Request) -> bool:
    """A person looks at the answer: HTML stands first in what is accepted."""
    first = request.headers.get("accept", "").split(",")[0].split(";")[0].strip().lower()
    return first in ("text/html", "application/xhtml+xml")


def local_path(text: str) -> str:
    """A path of this site to go on to; `/` for everything that could lead elsewhere."""
    parsed = urlsplit(text)
    plain = text.startswith("/") and not text.startswith("//") and "\\" not in text and text.isprintable()
    return text if plain and not parsed.scheme and not parsed.netloc else "/"


def address_of(request: Request) -> str:
    """Where the caller asks from."""
    return request.client.host if request.client else "local"


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

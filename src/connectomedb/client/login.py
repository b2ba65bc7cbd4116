"""Who asks: finds the credentials, keeps the login session, renews it once when it has ended.

Passwords and session ids never appear in a repr or a message.
"""

from __future__ import annotations

import netrc
import os
import re
from base64 import b64encode
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from connectomedb.client.failures import is_login_page
from connectomedb.client.transport import Request, Response
from connectomedb.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user name and its password; both empty for a guest."""

    user: str = ""
    password: str = field(default="", repr=False)

    def __bool__(self) -> bool:
        return bool(self.user)


def find_credentials(server: str, user: str | None = None, password: str | None = None) -> Credentials:
    """From the arguments, else the environment, else ~/.netrc, else ~/.xnatPass, else a guest's.

    The environment's are CONNECTOMEDB_USER and CONNECTOMEDB_PASSWORD.
    """
    if user is not None and password is not None:
        return Credentials(user, password)
    named, secret = os.environ.get("CONNECTOMEDB_USER"), os.environ.get("CONNECTOMEDB_PASSWORD")
    if named and secret and user in (None, named):
        return Credentials(named, secret)
    found = _read_netrc(urlsplit(server).hostname or "")
    if found and user in (None, found.user):
        return found
    passed = read_xnat_pass()
    if passed and _same_host(passed[0], server) and user in (None, passed[1].user):
        return passed[1]
    if user:
        raise ConfigurationError(
            f"no password for {user!r}; give it, set CONNECTOMEDB_PASSWORD or write it into ~/.netrc"
        )
    return Credentials()


def _read_netrc(host: str) -> Credentials:
    path = Path.home() / ".netrc"
    if not path.is_file():
        return Credentials()
    try:
        entry = netrc.netrc(str(path)).authenticators(host)
    except (netrc.NetrcParseError, OSError) as error:
        reason = error.msg if isinstance(error, netrc.NetrcParseError) else error.strerror
        raise ConfigurationError(f"{path} cannot be read: {reason}") from error
    return Credentials(entry[0], entry[2]) if entry else Credentials()


def read_xnat_pass() -> tuple[str, Credentials] | None:
    """Server and login of the first line `+user@server=password` of ~/.xnatPass; None without one."""
    path = Path.home() / ".xnatPass"
    if not path.is_file():
        return None
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
    for line in lines:
        match = re.fullmatch(r"\+([^@]+)@([^=]+)=(.*)", line.strip())
        if match:
            server = match[2] if "://" in match[2] else f"https://{match[2]}"
            return server, Credentials(match[1], match[3])
    return None


def _same_host(one: str, other: str) -> bool:
    return urlsplit(one).hostname == urlsplit(other).hostname


class Login:
    """The cookie of the login session, and the credentials that renew it."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._session_id = ""
        self.was_open = False

    def __repr__(self) -> str:
        return f"Login({self._credentials.user or 'guest'!r})"

    @property
    def user(self) -> str:
        """The user name, `guest` when there is none."""
        return self._credentials.user or "guest"

    def converse(self, request: Request) -> Generator[Request, Response, Response]:
        """Yield what to send, be sent what came; returns the last response. Renews at most once."""
        response = yield self._sign(request, with_password=not self._session_id)
        ended = response.status == 401 or is_login_page(response)
        if ended and self._session_id and self._credentials:
            self._session_id = ""
            response = yield self._sign(request, with_password=True)
        fresh = response.cookies.get("JSESSIONID", "")
        if fresh and response.status < 400:
            self._session_id = fresh
            self.was_open = True
        return response

    def forget(self) -> None:
        """Drop the login session; the next request opens a new one."""
        self._session_id = ""

    def _sign(self, request: Request, *, with_password: bool) -> Request:
        headers = dict(request.headers)
        if self._session_id:
            headers["Cookie"] = f"JSESSIONID={self._session_id}"
        if with_password and self._credentials:
            pair = f"{self._credentials.user}:{self._credentials.password}".encode()
            headers["Authorization"] = "Basic " + b64encode(pair).decode("ascii")
        return replace(request, headers=headers)

"""Settings of the site over HTTP, and how long the server runs."""

from __future__ import annotations

import time

from starlette.responses import Response

from connectomedb.errors import AuthenticationError, BadConstraint
from connectomedb.server.inbound import Ask
from connectomedb.server.outbound import answer_json, answer_text

_STARTED = time.monotonic()
# Read without a login, on a closed site too.
OPEN_NAMES = ("siteId", "siteUrl", "siteHome", "siteLogoPath")


def all_settings(ask: Ask) -> Response:
    """The settings that the caller may read."""
    return answer_json(ask.archive.people.settings(ask.who))


def some_settings(ask: Ask) -> Response:
    """The settings of a comma list. Raises NotFound, AccessDenied."""
    names = [name.strip() for name in ask.part("names").split(",") if name.strip()]
    return answer_json({name: ask.archive.people.setting_for(name, ask.who) for name in names})


def one_setting(ask: Ask) -> Response:
    """One setting: a text bare, everything else as JSON."""
    value = ask.archive.people.setting_for(ask.part("name"), ask.who)
    return answer_text(value) if isinstance(value, str) else answer_json(value)


def open_setting(ask: Ask) -> Response:
    """One of the few settings that strangers read."""
    return answer_text(str(ask.archive.people.setting(ask.request.url.path.rpartition("/")[2])))


def change_settings(ask: Ask) -> Response:
    """Administrators change several settings: all of them, or none."""
    _need_account(ask)
    sent = ask.members()
    sent.pop("XNAT_CSRF", None)
    if not sent:
        raise BadConstraint('no setting is named; send {"requireLogin": false}')
    ask.archive.people.change_settings(sent, ask.who)
    return answer_text("")


def change_setting(ask: Ask) -> Response:
    """Administrators change one setting to what the body says."""
    _need_account(ask)
    value = ask.body.decode("utf-8", "replace").strip().strip('"')
    ask.archive.people.change_settings({ask.part("name"): value}, ask.who)
    return answer_text("")


def uptime(ask: Ask) -> Response:
    """How long this server process runs."""
    seconds = time.monotonic() - _STARTED
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    days, hours = divmod(hours, 24)
    facts = {"days": str(days), "hours": str(hours), "minutes": str(minutes), "seconds": f"{rest:.1f}"}
    return answer_json(facts)


def _need_account(ask: Ask) -> None:
    if ask.who.is_guest:
        raise AuthenticationError("log in first")

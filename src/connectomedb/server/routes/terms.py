"""Tiers of fields: what the caller holds, the terms of a project, and who is granted what."""

from __future__ import annotations

from starlette.responses import Response

from connectomedb.errors import AccessDenied, BadConstraint
from connectomedb.server.inbound import Ask
from connectomedb.server.outbound import answer_json, answer_table, answer_text, text_table
from connectomedb.store.tiers import HeldTier

_KEYS = ("project", "tier", "granted", "accepted", "holds")


def mine(ask: Ask) -> Response:
    """The tiers that the caller was granted or has accepted, with their terms."""
    rows = [tuple(_facts(one).values()) for one in ask.archive.tiers(ask.who)]
    return answer_table(ask, text_table("Terms", (*_KEYS, "terms"), rows))


def terms(ask: Ask) -> Response:
    """The text that one accepts for a tier of a project."""
    return answer_text(ask.archive.read_terms(ask.who, ask.part("project"), ask.part("tier")))


def accept(ask: Ask) -> Response:
    """The caller accepts the terms of a tier in a project."""
    return answer_json(_facts(ask.archive.accept_terms(ask.who, ask.part("project"), ask.part("tier"))))


def holders(ask: Ask) -> Response:
    """Who was granted tiers of a project, or has accepted its terms; administrators only."""
    _need_administrator(ask)
    found = ask.archive.tier_holders(ask.part("project"))
    rows = [(login, *list(_facts(one).values())[:-1]) for login, one in found]
    return answer_table(ask, text_table("Tiers", ("login", *_KEYS), rows))


def change_terms(ask: Ask) -> Response:
    """New terms for a tier of a project, in the body; everybody accepts them anew. Administrators only."""
    _need_administrator(ask)
    try:
        text = ask.body.decode("utf-8").strip()
    except UnicodeDecodeError as problem:
        raise BadConstraint("the terms are no UTF-8 text; send them as such") from problem
    if not text:
        raise BadConstraint("terms without a word bind nobody; send their text")
    ask.archive.set_terms(ask.part("project"), ask.part("tier"), text)
    return answer_text(text)


def grant(ask: Ask) -> Response:
    """Let a person hold a tier of a project once they accept its terms; administrators only."""
    _need_administrator(ask)
    project, tier, login = ask.part("project"), ask.part("tier"), ask.part("login")
    ask.archive.grant_tier(project, login, tier)
    return _granted(ask)


def withdraw(ask: Ask) -> Response:
    """Take a tier back, at once; administrators only."""
    _need_administrator(ask)
    ask.archive.revoke_tier(ask.part("project"), ask.part("login"), ask.part("tier"))
    return _granted(ask)


def _granted(ask: Ask) -> Response:
    """What the person has of the tier now."""
    project, tier, login = ask.part("project"), ask.part("tier"), ask.part("login")
    found = [one for name, one in ask.archive.tier_holders(project) if (name, one.tier) == (login, tier)]
    facts = _facts(found[0]) if found else {"project": project, "tier": tier, "granted": "", "holds": "false"}
    return answer_json({"login": login, **facts})


def _need_administrator(ask: Ask) -> None:
    if not ask.who.is_admin:
        raise AccessDenied("only an administrator says who holds a tier; ask one")


def _facts(one: HeldTier) -> dict[str, str]:
    return {
        "project": one.project,
        "tier": one.tier,
        "granted": one.granted_at.isoformat() if one.granted_at else "",
        "accepted": one.accepted_at.isoformat() if one.accepted_at else "",
        "holds": "true" if one.holds else "false",
        "terms": one.terms,
    }

"""Terms of closed tiers: what the caller was granted, and the acceptance of a project's terms."""

from __future__ import annotations

from starlette.responses import Response

from connectomedb.server.inbound import Ask
from connectomedb.server.outbound import answer_json, answer_table, text_table
from connectomedb.store.tiers import HeldTier


def mine(ask: Ask) -> Response:
    """The tiers that the caller was granted or has accepted, with their terms."""
    keys = ("project", "tier", "granted", "accepted", "holds", "terms")
    rows = [tuple(str(value) for value in _facts(one).values()) for one in ask.archive.tiers(ask.who)]
    return answer_table(ask, text_table("Terms", keys, rows))


def accept(ask: Ask) -> Response:
    """The caller accepts the terms of a tier in a project."""
    return answer_json(_facts(ask.archive.accept_terms(ask.who, ask.part("project"), ask.part("tier"))))


def _facts(one: HeldTier) -> dict[str, object]:
    return {
        "project": one.project,
        "tier": one.tier,
        "granted": one.granted_at.isoformat() if one.granted_at else "",
        "accepted": one.accepted_at.isoformat() if one.accepted_at else "",
        "holds": "true" if one.holds else "false",
        "terms": one.terms,
    }

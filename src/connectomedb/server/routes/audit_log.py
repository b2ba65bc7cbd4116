"""The audit log over HTTP, for administrators."""

from __future__ import annotations

from starlette.responses import Response

from connectomedb.errors import AuthenticationError
from connectomedb.server.audit import AuditLog
from connectomedb.server.inbound import Ask
from connectomedb.server.outbound import answer_table, text_table
from connectomedb.store.accounts import need_administrator

_KEYS = ("at", "request_id", "login", "address", "method", "path", "query", "status", "lost")
_MOST = 10_000


def lines(ask: Ask) -> Response:
    """The last lines, newest first: `n=` of them, and of those only some: `login=`, `method=`, `status=`,
    `request_id=`, `path=` (a part of it), `since=` (a time).

    The header X-Audit-Lost says how many this process could not write.
    """
    if ask.who.is_guest:
        raise AuthenticationError("log in first")
    need_administrator(ask.who, "the audit log")
    audit: AuditLog = ask.request.app.state.audit
    wanted = {name: ask.param(name) for name in ("login", "method", "status", "request_id", "path", "since")}
    found = audit.read(limit=min(ask.number("n") or 1000, _MOST), **wanted)
    rows = [tuple(str(one.get(key, "")) for key in _KEYS) for one in found]
    response = answer_table(ask, text_table("Audit", _KEYS, rows))
    response.headers["X-Audit-Lost"] = str(audit.n_lost)
    return response

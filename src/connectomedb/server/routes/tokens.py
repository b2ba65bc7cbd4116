"""Alias tokens: pairs that a script uses instead of a login and a password."""

from __future__ import annotations

from starlette.responses import Response

from connectomedb.errors import AccessDenied, AuthenticationError, BadConstraint, BadCredentials
from connectomedb.server.inbound import Ask
from connectomedb.server.outbound import answer_json
from connectomedb.store.accounts import need_administrator
from connectomedb.store.sessions import Token

_OPERATIONS = ("issue", "show", "validate", "invalidate")


def issue(ask: Ask) -> Response:
    """A new token, for the caller or, by an administrator, for somebody else."""
    return answer_json(_shown(ask.archive.people.issue_token(_whose(ask, others="to issue a token"))))


def show(ask: Ask) -> Response:
    """The live tokens of the caller, or of somebody else.

    Deviation: XNAT shows the secrets again; here nobody knows them once they are issued.
    """
    login = _whose(ask, others="to see the tokens")
    return answer_json([_shown(token) for token in ask.archive.people.sessions.tokens(login)])


def validate(ask: Ask) -> Response:
    """`{"valid": "alice"}`; an unknown alias is 404, a wrong secret nobody's."""
    try:
        token = ask.archive.people.sessions.check_token(ask.part("alias"), ask.part("secret"))
    except BadCredentials:
        return answer_json({"valid": None})
    return answer_json({"valid": token.login})


def invalidate(ask: Ask) -> Response:
    """A token is worth nothing from now on: one's own, by its secret, or any by an administrator."""
    sessions, alias, secret = ask.archive.people.sessions, ask.part("alias"), ask.part("secret")
    if secret:
        sessions.check_token(alias, secret)
        sessions.void_token(alias)
    else:
        if ask.who.is_guest:
            raise AuthenticationError("log in to invalidate a token of yours, or send its secret too")
        sessions.void_token(alias, "" if ask.who.is_admin else ask.who.login)
    return answer_json({"result": "OK"})


def incomplete(ask: Ask) -> Response:
    """An operation without what it needs, or one that there is not."""
    operation = ask.part("operation")
    if operation in ("validate", "invalidate"):
        raise BadCredentials(f"send the alias and the secret: /data/services/tokens/{operation}/ALIAS/SECRET")
    raise BadConstraint(f"{operation!r} is no operation of tokens; there are: {', '.join(_OPERATIONS)}")


def _whose(ask: Ask, *, others: str) -> str:
    login = ask.part("user")
    if ask.who.is_guest:
        if login:
            raise AccessDenied(f"{others} of a person is for administrators")
        raise AuthenticationError("log in first; a guest has no tokens")
    if login:
        need_administrator(ask.who, others)
    return login or ask.who.login


def _shown(token: Token) -> dict[str, object]:
    facts: dict[str, object] = {
        "alias": token.alias,
        "secret": token.secret,
        "singleUse": False,
        "estimatedExpirationTime": int(token.expires_at.timestamp() * 1000),
        "xdatUserId": token.login,
        "created": int(token.created_at.timestamp() * 1000),
    }
    return facts if token.secret else {k: v for k, v in facts.items() if k != "secret"}

"""People with an account: the lists, one of them, new ones, what they may do on the site."""

from __future__ import annotations

from datetime import UTC, datetime

from starlette.responses import Response

from connectomedb.errors import (
    AccessDenied,
    AuthenticationError,
    BadConstraint,
    ConfigurationError,
    NotFound,
    WeakPassword,
)
from connectomedb.server.auth import address_of
from connectomedb.server.inbound import Ask
from connectomedb.server.outbound import answer_json, answer_table, answer_text, text_table
from connectomedb.store.accounts import ROLES, Account, need_administrator, need_self

_LONGEST_NAME = 100
_TRUTH = {"true": True, "1": True, "false": False, "0": False}
_PROVIDER = "localdb"
# Words that stand where a login does in an address.
_TAKEN = ("username", "profiles", "profile", "projects", "current", "active", "authproviders", "authdetails")


# The old interface, /data


def table(ask: Ask) -> Response:
    """Everybody with an enabled account, by last name; addresses are for administrators and oneself."""
    if ask.who.is_guest:
        raise AccessDenied("the list of people is for people with an account; log in first")
    _need_user_list(ask)
    keys = ("xdat_user_id", "login", "firstname", "lastname", "email")
    people = sorted(ask.archive.people.everybody(), key=lambda a: (a.lastname.lower(), a.login))
    rows = [
        (
            a.user_id,
            a.login,
            a.firstname,
            a.lastname,
            a.email if ask.who.is_admin or a.login == ask.who.login else "",
        )
        for a in people
        if a.enabled
    ]
    return answer_table(ask, text_table("Users", keys, rows))


def one_old(ask: Ask) -> Response:
    """One account, for administrators; without a name, their own."""
    need_administrator(ask.who, "the account of a person")
    account = ask.archive.people.accounts.account(ask.part("user") or ask.who.login)
    facts = {
        "login": account.login,
        "email": account.email,
        "firstname": account.firstname,
        "lastname": account.lastname,
        "enabled": account.enabled,
        "verified": account.verified,
        "userAuths": [_auth(account)],
    }
    return answer_json(facts)


def roles_table(ask: Ask) -> Response:
    """The roles of an account, for administrators."""
    need_administrator(ask.who, "the list of a person's roles")
    roles = ask.archive.people.accounts.roles(ask.part("user"))
    return answer_table(ask, text_table("Roles", ("role",), [(role,) for role in roles]))


def give_roles(ask: Ask) -> Response:
    """`roles=a,b` are given to an account, by administrators."""
    need_administrator(ask.who, "to give roles")
    names = ask.words("roles") or tuple(w for w in ask.form().get("roles", "").split(",") if w)
    if not names:
        raise BadConstraint(f"no role is named; send roles=…, there are: {', '.join(ROLES)}")
    for name in names:
        ask.archive.people.accounts.give_role(ask.part("user"), name)
    return answer_text("", 202)


def favorites(ask: Ask) -> Response:
    """The caller's favourite projects."""
    _need_projects(ask)
    return answer_table(
        ask, text_table("Favorites", ("id",), [(p,) for p in ask.archive.people.favorites(ask.who)])
    )


def keep_favorite(ask: Ask) -> Response:
    """A project becomes a favourite of the caller."""
    _need_projects(ask)
    ask.archive.keep_favorite(ask.archive.locate_project(ask.part("project"), ask.who), ask.who)
    return answer_text("")


def drop_favorite(ask: Ask) -> Response:
    """A project is no favourite of the caller any more."""
    _need_projects(ask)
    ask.archive.drop_favorite(ask.archive.locate_project(ask.part("project"), ask.who), ask.who)
    return answer_text("")


# The newer one, /xapi


def names(ask: Ask) -> Response:
    """The logins of everybody with an account."""
    _need_account(ask)
    _need_user_list(ask)
    return answer_json([a.login for a in ask.archive.people.everybody()])


def user_name(ask: Ask) -> Response:
    """The caller's login, bare."""
    return answer_text(ask.who.login)


def profiles(ask: Ask) -> Response:
    """Every account, for administrators."""
    _need_account(ask)
    need_administrator(ask.who, "the list of accounts")
    return answer_json([_user(a) for a in ask.archive.people.everybody()])


def profile(ask: Ask) -> Response:
    """One account, for administrators and the person themselves; without a name, one's own."""
    return answer_json(_user(_account(ask)))


def create(ask: Ask) -> Response:
    """A new account, by an administrator."""
    _need_account(ask)
    need_administrator(ask.who, "to make accounts")
    sent = ask.members()
    login, password = _text(sent, "username"), _text(sent, "password", longest=10_000)
    if not login:
        raise BadConstraint('no username is given; send {"username": "alice", "password": "…"}')
    if not (login[0].isascii() and login[0].isalpha()) or len(login) > 64:
        raise BadConstraint(f"username {login!r} must begin with a letter and have at most 64 characters")
    if login.lower() in _TAKEN:
        raise BadConstraint(f"username {login!r} is a word of this interface; choose another one")
    try:
        ask.archive.people.accounts.add(
            login,
            password,
            email=_text(sent, "email"),
            firstname=_text(sent, "firstName"),
            lastname=_text(sent, "lastName"),
            enabled=_truth(sent, "enabled", default=True),
            verified=_truth(sent, "verified", default=True),
        )
    except WeakPassword:
        raise
    except ConfigurationError as error:
        raise BadConstraint(str(error)) from error
    return answer_json(_user(ask.archive.people.accounts.account(login)), 201)


def change(ask: Ask) -> Response:
    """Change an account: administrators all of it, people their own names and password.

    Deviation: whoever shows nothing but a cookie gives the old password (`currentPassword`) with a new one,
    and an address is changed by an administrator: invitations go to addresses.
    """
    before = _account(ask)
    sent = ask.members()
    login = _text(sent, "username") or before.login
    if login != before.login:
        raise BadConstraint("a login is never changed; make another account")
    own = not ask.who.is_admin
    wanted = {
        "email": _given_text(sent, "email"),
        "firstname": _given_text(sent, "firstName"),
        "lastname": _given_text(sent, "lastName"),
    }
    flags = {name: _given_truth(sent, name) for name in ("enabled", "verified")}
    if own and (
        wanted["email"] not in (None, before.email)
        or flags["enabled"] not in (None, before.enabled)
        or flags["verified"] not in (None, before.verified)
    ):
        raise AccessDenied("e-mail address, enabled and verified are for administrators to change")
    password = _text(sent, "password", longest=10_000)
    if password and ask.caller.by_cookie and before.login == ask.who.login:
        # A stolen cookie must not become a stolen account.
        current = _text(sent, "currentPassword", longest=10_000)
        if not current:
            raise AccessDenied(
                "a new password needs the old one as currentPassword, or send Basic credentials"
            )
        ask.archive.verify_password(before.login, current, address_of(ask.request))
    changed = ask.archive.people.accounts.change(
        before.login,
        email=wanted["email"],
        firstname=wanted["firstname"],
        lastname=wanted["lastname"],
        enabled=flags["enabled"],
        verified=flags["verified"],
    )
    if password:
        ask.archive.set_password(before.login, password)
    if not (changed or password):
        return Response(status_code=304)
    return answer_json(_user(ask.archive.people.accounts.account(before.login)))


def enabled(ask: Ask) -> Response:
    """Whether an account may log in."""
    return answer_json(_account(ask).enabled)


def set_enabled(ask: Ask) -> Response:
    """An administrator lets an account log in, or not; who is disabled is logged out at once."""
    value = _flag(ask, "enabled")
    ask.archive.people.accounts.change(ask.part("user"), enabled=value)
    return answer_json(value)


def verified(ask: Ask) -> Response:
    """Whether the address of an account was verified."""
    return answer_json(_account(ask).verified)


def set_verified(ask: Ask) -> Response:
    """An administrator says whether the address of an account was verified."""
    value = _flag(ask, "verified")
    ask.archive.people.accounts.change(ask.part("user"), verified=value)
    return answer_json(value)


def roles(ask: Ask) -> Response:
    """Names of the roles of an account."""
    return answer_json(list(ask.archive.people.accounts.roles(_account(ask).login)))


def give_role(ask: Ask) -> Response:
    """An account gets a role, by an administrator."""
    _need_account(ask)
    need_administrator(ask.who, "to give roles")
    ask.archive.people.accounts.give_role(ask.part("user"), ask.part("role"))
    return roles(ask)


def take_role(ask: Ask) -> Response:
    """An account loses a role, by an administrator."""
    _need_account(ask)
    need_administrator(ask.who, "to take roles")
    ask.archive.people.accounts.take_role(ask.part("user"), ask.part("role"))
    return roles(ask)


def groups(ask: Ask) -> Response:
    """Ids of the groups that an account is in."""
    return answer_json(ask.archive.people.groups_of(_account(ask).login))


def enter_group(ask: Ask) -> Response:
    """An account enters a group, by an administrator."""
    _need_account(ask)
    need_administrator(ask.who, "to put people into groups by their account")
    ask.archive.people.enter_group(ask.part("user"), ask.part("group"), ask.who)
    return groups(ask)


def leave_group(ask: Ask) -> Response:
    """An account leaves a group, by an administrator."""
    _need_account(ask)
    need_administrator(ask.who, "to take people out of groups by their account")
    ask.archive.people.leave_group(ask.part("user"), ask.part("group"), ask.who)
    return groups(ask)


def projects(ask: Ask) -> Response:
    """Ids of the projects that the caller reads."""
    return answer_json(sorted(ask.archive.people.accesses(ask.who)))


def providers(ask: Ask) -> Response:
    """Where passwords are checked: here."""
    return answer_json([_PROVIDER])


def auth_details(ask: Ask) -> Response:
    """Where the password of an account is checked."""
    return answer_json([_auth(_account(ask))])


def _need_account(ask: Ask) -> None:
    if ask.who.is_guest:
        raise AuthenticationError("log in first")


def _need_user_list(ask: Ask) -> None:
    if not ask.who.is_admin and ask.archive.people.setting("restrictUserListAccessToAdmins"):
        raise AccessDenied("the list of people is for administrators on this site")


def _need_projects(ask: Ask) -> None:
    if ask.who.is_guest:
        raise AccessDenied("a guest has no favourites; log in first")
    if ask.part("type").lower() not in ("project", "projects"):
        raise NotFound(f"there are no favourites of {ask.part('type')!r}; there are those of Project")


def _flag(ask: Ask, name: str) -> bool:
    """The flag that an administrator sets, in the path or as the body."""
    _need_account(ask)
    need_administrator(ask.who, f"to change {name}")
    text = (ask.part("value") or ask.body.decode("latin-1")).strip().strip('"').lower()
    if text not in _TRUTH:
        raise BadConstraint(f"{name}={text[:20]!r} is neither true nor false")
    return _TRUTH[text]


def _account(ask: Ask) -> Account:
    """The account that the path names, or the caller's; for administrators and oneself."""
    _need_account(ask)
    login = ask.part("user") or ask.who.login
    need_self(ask.who, login, "the account")
    return ask.archive.people.accounts.account(login)


def _user(account: Account) -> dict[str, object]:
    return {
        "id": account.user_id,
        "username": account.login,
        "firstName": account.firstname,
        "lastName": account.lastname,
        "email": account.email,
        "pendingEmail": None,
        "secured": True,
        "enabled": account.enabled,
        "verified": account.verified,
        "lastModified": _milliseconds(account.last_modified),
        "lastSuccessfulLogin": _milliseconds(account.last_login),
        "password": None,
        "authorization": None,
    }


def _auth(account: Account) -> dict[str, object]:
    return {
        "authMethod": _PROVIDER,
        "authMethodId": "",
        "authUser": account.login,
        "enabled": account.enabled,
    }


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.replace(tzinfo=UTC).timestamp() * 1000)


def _text(sent: dict[str, object], name: str, *, longest: int = _LONGEST_NAME) -> str:
    return _given_text(sent, name, longest=longest) or ""


def _given_text(sent: dict[str, object], name: str, *, longest: int = _LONGEST_NAME) -> str | None:
    value = sent.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > longest or not value.isprintable():
        raise BadConstraint(f"{name} must be a text of one line, at most {longest} characters")
    return value


def _truth(sent: dict[str, object], name: str, *, default: bool) -> bool:
    found = _given_truth(sent, name)
    return default if found is None else found


def _given_truth(sent: dict[str, object], name: str) -> bool | None:
    value = sent.get(name)
    if value is None or isinstance(value, bool):
        return value
    if str(value).lower() not in _TRUTH:
        raise BadConstraint(f"{name}={value!r} is neither true nor false")
    return _TRUTH[str(value).lower()]

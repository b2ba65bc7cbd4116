"""Who is in a project and what they may do there: users, groups, access requests, accessibility."""

from __future__ import annotations

import re

from starlette.responses import Response

from connectomedb.errors import AccessDenied, BadConstraint
from connectomedb.server.inbound import Ask, decoded_again
from connectomedb.server.outbound import answer_table, answer_text, text_table
from connectomedb.store.groups import TypeRights
from connectomedb.store.project_people import AccessRequest

_DISPLAY_NAME = "xdat:usergroup/displayname"
_RIGHT = re.compile(r"(?P<type>[A-Za-z]\w*?:[A-Za-z][A-Za-z0-9]*)_\S+_(?P<right>[RED])\Z")
_NO = ("", "0", "false")


def users(ask: Ask) -> Response:
    """The people of a project by group; `/users/true` also those who are disabled."""
    project = _project(ask)
    disabled = ask.part("disabled").lower() not in _NO
    people = ask.archive.people.members(project, ask.who, disabled=disabled)
    rows = [(m.group_id, m.display_name, m.login, m.firstname, m.lastname, m.email) for m in people]
    keys = ("GROUP_ID", "displayname", "login", "firstname", "lastname", "email")
    return answer_table(ask, text_table("Users", keys, rows))


def add_users(ask: Ask) -> Response:
    """People enter a group; an e-mail address without an account is invited."""
    ask.archive.people.add_people(_project(ask), ask.part("group"), ask.part("user"), ask.who)
    return users(ask)


def remove_users(ask: Ask) -> Response:
    """People leave a group."""
    project = _project(ask)
    ask.archive.people.remove_people(project, ask.part("group"), ask.part("user"), ask.who)
    # Who took themselves out sees the list no more.
    return users(ask) if ask.who.login not in ask.part("user").split(",") else answer_text("")


def groups(ask: Ask) -> Response:
    """The groups of a project."""
    found = ask.archive.people.project_groups(_project(ask), ask.who)
    rows = [(g.id, g.display_name, g.project, str(n), str(g.n_users)) for n, g in enumerate(found, 1)]
    keys = ("id", "displayname", "tag", "xdat_usergroup_id", "users")
    return answer_table(ask, text_table("Groups", keys, rows))


def keep_group(ask: Ask) -> Response:
    """Make or change a custom group: its name, and its rights as `{type}_{field}_{project}_R|_E|_D=1`.

    Source  protocol/rest.md 4.2
    """
    project = _project(ask)
    sent = {**ask.form(), **dict(ask.request.query_params.multi_items())}
    name = next((v for k, v in sent.items() if k.lower() == _DISPLAY_NAME), "").strip()
    rights: dict[str, TypeRights] = {}
    for key, value in sent.items():
        found = _RIGHT.match(key)
        if found is None or value.strip().lower() in _NO:
            continue
        if not key[:-2].lower().endswith(f"_{project.lower()}"):
            raise BadConstraint(f"{key} is a right in another project; a group has rights in its own")
        xsi_type = ask.site.types.get(found["type"]).xsi_type
        before, right = rights.get(xsi_type, TypeRights()), found["right"]
        rights[xsi_type] = TypeRights(
            before.read or right == "R", before.edit or right == "E", before.delete or right == "D"
        )
    ask.archive.people.keep_group(project, ask.part("group"), name, rights, ask.who)
    return groups(ask)


def drop_group(ask: Ask) -> Response:
    """Delete a custom group; its people leave it."""
    ask.archive.people.drop_group(_project(ask), ask.part("group"), ask.who)
    return groups(ask)


# Accessibility and the other words that stand behind a project


def accessibility(ask: Ask) -> Response:
    """`public`, `protected` or `private`."""
    return answer_text(ask.archive.people.accessibility(_project(ask)))


def set_accessibility(ask: Ask) -> Response:
    """Say who sees the project beside its groups."""
    project, level = _project(ask), ask.part("level")
    if not level:
        raise BadConstraint("no accessibility is named; PUT …/accessibility/public, /protected or /private")
    ask.archive.people.change_accessibility(project, level, ask.who)
    return answer_text("")


def prearchive_code(ask: Ask) -> Response:
    """Where new sessions go."""
    return answer_text(str(ask.archive.read_project_setting(_project(ask), "prearchive_code")))


def quarantine_code(ask: Ask) -> Response:
    """Whether new sessions are held back."""
    return answer_text(str(ask.archive.read_project_setting(_project(ask), "quarantine_code")))


def set_prearchive_code(ask: Ask) -> Response:
    """Change where new sessions go."""
    return _set_code(ask, "prearchive_code")


def set_quarantine_code(ask: Ask) -> Response:
    """Change whether new sessions are held back."""
    return _set_code(ask, "quarantine_code")


def _set_code(ask: Ask, name: str) -> Response:
    project, text = _project(ask), ask.part("code")
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise BadConstraint(f"{name} {text!r} is no whole number")
    ask.archive.people.change_project_setting(project, name, int(text), ask.who)
    return answer_text("")


# Access requests


def my_requests(ask: Ask) -> Response:
    """What the caller asked for, was invited to, or has to answer."""
    return _my_table(ask, ask.archive.people.requests(ask.archive.layout, ask.who))


def project_requests(ask: Ask) -> Response:
    """Everything that was asked of a project, for its owners."""
    return _project_table(ask, ask.archive.people.requests(ask.archive.layout, ask.who, _project(ask)))


def ask_access(ask: Ask) -> Response:
    """Ask to be let into a project as `level=` (collaborator when nothing is said).

    Deviation: XNAT offers this on a page only
    """
    project = _project(ask)
    number = ask.archive.people.ask_access(project, ask.param("level"), ask.who)
    return _my_table(ask, (ask.archive.people.request(ask.archive.layout, number, ask.who),))


def one_request(ask: Ask) -> Response:
    """One access request; with `accept=true` or `decline=true` it is answered.

    Deviation: XNAT answers by GET as well; here a link or a picture changes nothing.
    """
    return _my_table(ask, (ask.archive.people.request(ask.archive.layout, _number(ask), ask.who),))


def answer_request(ask: Ask) -> Response:
    """Let somebody in, or not."""
    accept, decline = (_is_true(ask, word) for word in ("accept", "decline"))
    if accept == decline:
        raise BadConstraint("say accept=true or decline=true")
    people, layout = ask.archive.people, ask.archive.layout
    return _my_table(ask, (people.answer_request(layout, _number(ask), ask.who, accept=accept),))


def _my_table(ask: Ask, requests: tuple[AccessRequest, ...]) -> Response:
    keys = "par_id proj_id level create_date login firstname lastname secondary_id name id description"
    rows = [
        (
            str(r.id),
            r.project,
            r.group,
            _printed(r.created_at),
            r.login,
            r.firstname,
            r.lastname,
            r.secondary_id,
            r.project_name,
            r.project,
            r.description,
            _said(r),
        )
        for r in requests
    ]
    return answer_table(ask, text_table("PARs", (*keys.split(), "approved"), rows))


def _project_table(ask: Ask, requests: tuple[AccessRequest, ...]) -> Response:
    head = "par_id proj_id level create_date email"
    keys = (*head.split(), "login", "secondary_id", "approved", "approval_date")
    rows = [
        (
            str(r.id),
            r.project,
            r.group,
            _printed(r.created_at),
            r.email,
            r.login,
            r.secondary_id,
            _said(r),
            _printed(r.answered_at),
        )
        for r in requests
    ]
    return answer_table(ask, text_table("PARs", keys, rows))


def _said(one: AccessRequest) -> str:
    return "" if one.approved is None else str(one.approved).lower()


def _printed(moment: object) -> str:
    return "" if moment is None else str(moment)


def _is_true(ask: Ask, name: str) -> bool:
    return name in ask.request.query_params and ask.param(name).lower() not in _NO[1:]


def _number(ask: Ask) -> int:
    text = ask.part("id")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BadConstraint(f"{text!r} is no number of an access request")
    if ask.who.is_guest:
        raise AccessDenied("access requests are for people with an account; log in first")
    return int(text)


def _project(ask: Ask) -> str:
    return decoded_again(lambda text: ask.archive.locate_project(text, ask.who), ask.part("project"))

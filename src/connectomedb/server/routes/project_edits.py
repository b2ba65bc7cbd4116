"""Found, change and delete projects.

Source   protocol/rest.md 2.12.1
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

from starlette.responses import Response

from connectomedb.errors import AccessDenied, BadConstraint, NoSuchProject, Outdated
from connectomedb.schema.model import Item, Value
from connectomedb.server.changing import create_only, made, need_no_revision, reason, translated
from connectomedb.server.failures import BadProjectId, NothingSaid
from connectomedb.server.filing import held
from connectomedb.server.inbound import Ask
from connectomedb.server.outbound import answer_text
from connectomedb.server.places import project_of
from connectomedb.server.said import Write, need_reason, read_write
from connectomedb.store.edits import Edit
from connectomedb.store.projects import LEGAL_NAME
from connectomedb.vocabulary.records import Accessibility
from connectomedb.vocabulary.short_names import PROJECT

_ACCESSIBILITIES: dict[str, Accessibility] = {
    "public": "public",
    "protected": "protected",
    "private": "private",
}


def put_project(ask: Ask) -> Response:
    """Change a project, or found a new one."""
    name = ask.part("project")
    try:
        project_id = project_of(ask)
    except NoSuchProject:
        write = read_write(ask, "projects", base=PROJECT, default=PROJECT)
        if write.item is None and not _creates(ask):
            raise NothingSaid("Need PUT Contents: a document, a form or fields of the new project") from None
        _found_project(ask, write, name)
        return answer_text("")
    if create_only(ask):
        raise Outdated(f"{project_id} is there already") from None
    write = read_write(ask, "projects", base=PROJECT, stored=PROJECT)
    said = write.text("ID")
    if said and said.lower() != project_id.lower():
        raise BadProjectId(f"the address names the project {project_id}, the request {said}")
    edit = Edit(write.item, write.cleared, write.whole, expected=ask.revisions(), reason=reason(ask))
    translated(lambda: ask.archive.edit_project(project_id, edit, ask.who))
    return answer_text("")


def post_project(ask: Ask) -> Response:
    """Found a project that a document or fields describe."""
    write = read_write(ask, "projects", base=PROJECT, default=PROJECT)
    name = write.text("ID")
    if not name:
        raise NothingSaid("the new project needs an ID, in its document or as ID=…")
    _found_project(ask, write, name)
    return made(f"/data/projects/{quote(name)}", 200)


def delete_project(ask: Ask) -> Response:
    """Delete a project with everything that it owns; what is shared in leaves it."""
    need_reason(ask)
    deleted = ask.archive.delete_at(
        project_of(ask),
        ask.who,
        expected=ask.revisions(),
        reason=reason(ask),
        with_shares=ask.flag("deleteShares"),
    )
    held(ask).remove(deleted.keys)
    return answer_text("")


def _creates(ask: Ask) -> bool:
    """A PUT without contents founds a project, too; so do all clients."""
    return not ask.body.strip()


def _found_project(ask: Ask, write: Write, name: str) -> None:
    need_no_revision(ask, name)
    if not LEGAL_NAME.match(name):
        raise BadProjectId(
            f"Invalid character in project ID. {name!r} may hold letters, digits, _ and - only"
        )
    if ask.who.is_guest:
        raise AccessDenied("guests make no projects; log in first")
    by_anybody = ask.archive.get_setting("siteConfig.uiAllowNonAdminProjectCreation", "true")
    if not ask.who.is_admin and by_anybody.lower() == "false":
        raise AccessDenied("on this site administrators make the projects; ask one of them")
    said = write.text("ID")
    if said and said.lower() != name.lower():
        raise BadProjectId(f"the address names the project {name}, the request {said}")
    word = ask.param("accessibility").strip().lower() or ask.archive.get_setting(
        "siteConfig.securityDefaultProjectAccessibility", "protected"
    )
    if word not in _ACCESSIBILITIES:
        raise BadConstraint(f"no accessibility {word!r}; there are: {', '.join(_ACCESSIBILITIES)}")
    item = write.item or Item(PROJECT, {})
    document = replace(item, values={**_trimmed(item), "ID": name})
    translated(lambda: ask.archive.found_project(document, ask.who, accessibility=_ACCESSIBILITIES[word]))


def _trimmed(item: Item) -> dict[str, Value]:
    return {path: value.strip() if isinstance(value, str) else value for path, value in item.values.items()}

"""Create, change, rename and delete: PUT, POST and DELETE on every level of the hierarchy.

Source   protocol/rest.md 2.12, 2.13
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

from starlette.responses import Response

from connectomedb.errors import (
    AccessDenied,
    BadConstraint,
    Conflict,
    DocumentError,
    LabelTaken,
    NoSuchExperiment,
    NoSuchProject,
    NoSuchSubject,
    NotFound,
    NotValid,
)
from connectomedb.schema.model import Item, Value
from connectomedb.server.failures import BadProjectId, BadValue, NothingSaid
from connectomedb.server.inbound import Ask
from connectomedb.server.outbound import answer_text
from connectomedb.server.places import (
    PARTS,
    assessor_of,
    experiment_of,
    item_of,
    part_of,
    project_of,
    subject_of,
)
from connectomedb.server.said import Write, concrete, filled, need_reason, read_write
from connectomedb.store.edits import Edit, Outdated
from connectomedb.store.projects import LEGAL_NAME
from connectomedb.vocabulary.records import Accessibility, Located
from connectomedb.vocabulary.short_names import (
    EXPERIMENT,
    IMAGE_ASSESSOR,
    LEVEL_TYPES,
    PROJECT,
    RECONSTRUCTION,
    SUBJECT,
    ListLevel,
)

_PART_LEVELS: dict[str, ListLevel] = {"scan": "scans", "reconstruction": "reconstructions"}
_ACCESSIBILITIES: dict[str, Accessibility] = {
    "public": "public",
    "protected": "protected",
    "private": "private",
}


# Projects


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
    if _create_only(ask):
        raise Outdated(f"{project_id} is there already") from None
    write = read_write(ask, "projects", base=PROJECT, stored=PROJECT)
    said = write.text("ID")
    if said and said.lower() != project_id.lower():
        raise BadProjectId(f"the address names the project {project_id}, the request {said}")
    edit = Edit(write.item, write.cleared, write.whole, expected=ask.revisions(), reason=_reason(ask))
    ask.archive.edit_project(project_id, edit, ask.who)
    return answer_text("")


def post_project(ask: Ask) -> Response:
    """Found a project that a document or fields describe."""
    write = read_write(ask, "projects", base=PROJECT, default=PROJECT)
    name = write.text("ID")
    if not name:
        raise NothingSaid("the new project needs an ID, in its document or as ID=…")
    _found_project(ask, write, name)
    return _made(f"/data/projects/{quote(name)}", 200)


def delete_project(ask: Ask) -> Response:
    """Delete a project with everything that it owns; what is shared in leaves it."""
    need_reason(ask)
    ask.archive.delete_at(
        project_of(ask),
        ask.who,
        expected=ask.revisions(),
        reason=_reason(ask),
        with_shares=ask.flag("deleteShares"),
    )
    return answer_text("")


def _creates(ask: Ask) -> bool:
    """A PUT without contents founds a project, too; so do all clients."""
    return not ask.body.strip()


def _found_project(ask: Ask, write: Write, name: str) -> None:
    if not LEGAL_NAME.match(name):
        raise BadProjectId(
            f"Invalid character in project ID. {name!r} may hold letters, digits, _ and - only"
        )
    if ask.who.is_guest:
        raise AccessDenied("guests make no projects; log in first")
    by_anybody = ask.archive.get_setting("uiAllowNonAdminProjectCreation", "true")
    if not ask.who.is_admin and by_anybody.lower() == "false":
        raise AccessDenied("on this site administrators make the projects; ask one of them")
    said = write.text("ID")
    if said and said.lower() != name.lower():
        raise BadProjectId(f"the address names the project {name}, the request {said}")
    word = ask.param("accessibility").strip().lower() or ask.archive.get_setting(
        "securityDefaultProjectAccessibility", "protected"
    )
    if word not in _ACCESSIBILITIES:
        raise BadConstraint(f"no accessibility {word!r}; there are: {', '.join(_ACCESSIBILITIES)}")
    item = write.item or Item(PROJECT, {})
    document = replace(item, values={**_trimmed(item), "ID": name})
    _translated(lambda: ask.archive.found_project(document, ask.who, accessibility=_ACCESSIBILITIES[word]))


def _trimmed(item: Item) -> dict[str, Value]:
    return {path: value.strip() if isinstance(value, str) else value for path, value in item.values.items()}


# Subjects


def put_subject(ask: Ask) -> Response:
    """Change a subject, or make a new one in the project."""
    for attempt in (1, 2):
        try:
            found = subject_of(ask)
        except NoSuchSubject:
            if not ask.part("project"):
                raise
            try:
                return answer_text(_new_subject(ask, ask.part("subject")), 201)
            except LabelTaken:
                # Somebody made it in this moment: then there is something to change.
                if attempt == 2:
                    raise
                continue
        return _changed(ask, "subjects", found, SUBJECT)
    raise AssertionError("the second attempt returns or raises")


def post_subject(ask: Ask) -> Response:
    """A new subject of a project."""
    write = read_write(ask, "subjects", base=SUBJECT, default=SUBJECT)
    if write.item is not None and write.item.children.get("experiments/experiment"):
        raise DocumentError("a subject is posted without its experiments; post each of them afterwards")
    return _made(f"/data/subjects/{_store_subject(ask, write, '')}", 200)


def _new_subject(ask: Ask, label: str) -> str:
    return _store_subject(ask, read_write(ask, "subjects", base=SUBJECT, default=SUBJECT), label)


def _store_subject(ask: Ask, write: Write, label: str) -> str:
    project_id = project_of(ask)
    item = _new_item(write, SUBJECT, project_id, label)
    return _stored(ask, [item], project_id)[0]


# Experiments


def put_experiment(ask: Ask) -> Response:
    """Change an experiment, or make a new one of a subject."""
    for attempt in (1, 2):
        try:
            found = experiment_of(ask)
        except (NoSuchExperiment, NoSuchSubject) as missing:
            if not ask.part("project") and not _names_its_place(ask, missing):
                raise
            try:
                return answer_text(_new_experiment(ask, ask.part("experiment"), missing), 201)
            except LabelTaken:
                if attempt == 2:
                    raise
                continue
        return _changed(ask, "experiments", found, EXPERIMENT)
    raise AssertionError("the second attempt returns or raises")


def post_experiment(ask: Ask) -> Response:
    """A new experiment of a subject that is there."""
    write = read_write(ask, "experiments", base=EXPERIMENT)
    subject = subject_of(ask)
    item = _new_experiment_item(ask, write, project_of(ask) or subject.project, "", subject.id)
    return _made(f"/data/experiments/{_stored(ask, [item], item.text('project'))[0]}", 200)


def _names_its_place(ask: Ask, missing: NotFound) -> bool:
    """A document at `/experiments/{id}` may make something new when it says where."""
    write = read_write(ask, "experiments", base=EXPERIMENT)
    return write.from_document and bool(write.text("project")) and isinstance(missing, NoSuchExperiment)


def _new_experiment(ask: Ask, label: str, missing: NotFound) -> str:
    write = read_write(ask, "experiments", base=EXPERIMENT)
    project_id = project_of(ask) or write.text("project")
    subject = ask.part("subject")
    items: list[Item] = []
    if not ask.part("project"):
        write = replace(write, item=filled(write.item or Item(write.xsi_type, {}), {"ID": label}))
        label = write.text("label") or label
    if subject and isinstance(missing, NoSuchSubject):
        # Source  protocol/rest.md 2.12.3: the subject is made with that label.
        items.append(Item(SUBJECT, {"project": project_id, "label": _legal("label", subject)}))
    item = _new_experiment_item(ask, write, project_id, label, subject)
    if not subject and not item.text("subject_ID") and "subject_ID" in _leaves(ask, item.xsi_type):
        raise BadConstraint(
            "a new experiment needs its subject; put it below …/subjects/SUBJECT, or add subject_ID="
        )
    return _stored(ask, [*items, item], project_id)[-1]


def _new_experiment_item(ask: Ask, write: Write, project_id: str, label: str, subject: str) -> Item:
    if not write.xsi_type:
        raise NothingSaid("Need PUT Contents: a document, or xsiType= and fields of the new experiment")
    concrete(ask.site.types, write.xsi_type)
    item = _new_item(write, write.xsi_type, project_id, label)
    said = item.text("subject_ID")
    if subject and said and said != subject:
        known = ask.archive.locate_subject(said, ask.who, project=project_id)
        if subject not in (known.id, known.label):
            raise BadConstraint(f"the address names the subject {subject}, the request {said}")
    return filled(item, {"subject_ID": subject}) if subject else item


def _leaves(ask: Ask, xsi_type: str) -> set[str]:
    return {leaf.path for leaf in ask.site.types.get(xsi_type).fields}


# Assessors


def put_assessor(ask: Ask) -> Response:
    """Change an assessor, or make a new one of a session."""
    session = experiment_of(ask)
    try:
        found = assessor_of(ask)
    except NoSuchExperiment:
        return answer_text(_new_assessor(ask, session, ask.part("assessor")), 201)
    if ask.param("label") not in ("", found.label):
        raise BadConstraint(f"an assessor keeps its label here; {found.label} is renamed as an experiment")
    return _changed(ask, "assessors", found, IMAGE_ASSESSOR)


def post_assessor(ask: Ask) -> Response:
    """A new assessor of a session."""
    return _made(f"/data/experiments/{_new_assessor(ask, experiment_of(ask), '')}", 200)


def _new_assessor(ask: Ask, session: Located, label: str) -> str:
    write = read_write(ask, "assessors", base=IMAGE_ASSESSOR)
    if not write.xsi_type:
        raise NothingSaid("Need PUT Contents: a document, or xsiType= and fields of the new assessor")
    concrete(ask.site.types, write.xsi_type)
    # The project of the address owns it, also where the session is only shared into that.
    project_id = project_of(ask) or session.owner_project
    item = _new_item(write, write.xsi_type, project_id, label)
    if item.text("imageSession_ID") not in ("", session.id, session.label):
        raise BadConstraint(f"the address names the session {session.id}, the request another one")
    item = replace(item, values={**item.values, "imageSession_ID": session.id})
    return _stored(ask, [item], project_id)[0]


# Scans and reconstructions


def put_part(ask: Ask) -> Response:
    """Change a scan or reconstruction of a session, or put a new one into it."""
    session = experiment_of(ask)
    kind = next(name for name in PARTS if ask.part(name))
    level = _PART_LEVELS[kind]
    try:
        found = part_of(ask)
    except NotFound:
        write = _part_write(ask, level)
        # Source  xnatpy 0.8.1 puts a scan at its type, and says the ID beside it.
        _add_part(ask, session, kind, write, write.text("ID") or ask.part(kind))
        return answer_text("")
    if _create_only(ask):
        raise Outdated(f"the {kind} {found.label} is there already")
    write = read_write(ask, level, base=LEVEL_TYPES[level], stored=found.xsi_type)
    if write.text("ID") not in ("", found.label):
        raise BadConstraint(f"a {kind} keeps its ID; it is {found.label}, not {write.text('ID')}")
    edit = Edit(write.item, write.cleared, write.whole, expected=ask.revisions(), reason=_reason(ask))
    _translated(lambda: ask.archive.edit(found.id, edit, ask.who))
    return answer_text("")


def post_part(ask: Ask) -> Response:
    """A new scan or reconstruction; the server chooses its ID when none is said."""
    session = experiment_of(ask)
    kind = ask.request.url.path.rstrip("/").rpartition("/")[2].removesuffix("s")
    write = _part_write(ask, _PART_LEVELS[kind])
    name = _add_part(ask, session, kind, write, write.text("ID"))
    return _made(f"/data/experiments/{session.id}/{_PART_LEVELS[kind]}/{quote(name)}", 200)


def _part_write(ask: Ask, level: ListLevel) -> Write:
    base = LEVEL_TYPES[level]
    default = RECONSTRUCTION if level == "reconstructions" else ""
    write = read_write(ask, level, base=base, default=default)
    if not write.xsi_type:
        raise BadConstraint(
            f"a new scan needs its type; say xsiType=xnat:mrScanData or another kind of {base}"
        )
    concrete(ask.site.types, write.xsi_type)
    return write


def _add_part(ask: Ask, session: Located, kind: str, write: Write, name: str) -> str:
    part = write.item or Item(write.xsi_type, {})
    part = replace(part, values={**part.values, **({"ID": name} if name else {})})
    made: list[str] = []
    _translated(
        lambda: made.append(
            ask.archive.add_part(session.id, PARTS[kind], part, ask.who, reason=_reason(ask))
        ),
    )
    return made[0]


# Deleting


def delete_item(ask: Ask) -> Response:
    """Delete an item from the project that owns it; take it out of one that it is shared into."""
    need_reason(ask)
    found = item_of(ask)
    project_id = project_of(ask)
    is_part = any(ask.part(name) for name in PARTS)
    if project_id and project_id != found.owner_project and not is_part:
        ask.archive.unshare(found.id, project_id, ask.who, reason=_reason(ask))
        return answer_text("")
    ask.archive.delete_at(
        found.id,
        ask.who,
        expected=ask.revisions(),
        reason=_reason(ask),
        with_shares=ask.flag("deleteShares"),
    )
    return answer_text("")


# What they have in common


def _changed(ask: Ask, level: ListLevel, found: Located, base: str) -> Response:
    """Change an item that is there; its id is the answer, nothing after a mere renaming."""
    if _create_only(ask):
        raise Outdated(f"{found.id} is there already")
    write = read_write(ask, level, base=base, stored=found.xsi_type)
    label = _legal("label", write.label) if write.label not in ("", found.label) else ""
    project_id = project_of(ask)
    where = project_id if project_id != found.owner_project else ""
    item = write.item
    if item is not None and where and item.text("label") == found.label:
        # The label that the item has in this project says nothing about its own.
        item = replace(item, values={k: v for k, v in item.values.items() if k != "label"})
    edit = Edit(
        item,
        write.cleared,
        write.whole,
        label,
        where,
        status="active" if ask.flag("activate") else "quarantine" if ask.flag("quarantine") else "",
        expected=ask.revisions(),
        reason=_reason(ask),
    )
    _translated(lambda: ask.archive.edit(found.id, edit, ask.who))
    return answer_text("" if label and item is None else found.id)


def _new_item(write: Write, xsi_type: str, project_id: str, label: str) -> Item:
    """The document of something new, with what the address says."""
    item = write.item or Item(xsi_type, {})
    if item.text("project") not in ("", project_id):
        raise Conflict(f"the address names the project {project_id}, the request {item.text('project')}")
    said = write.label or item.text("label") or label
    if said:
        _legal("label", said)
    if item.text("ID"):
        _legal("ID", item.text("ID"))
    own = {"project": project_id, **({"label": said} if said else {})}
    return replace(item, values={**item.values, **own})


def _stored(ask: Ask, items: list[Item], project_id: str) -> tuple[str, ...]:
    """Ids of new documents."""
    ids: list[str] = []
    _translated(lambda: ids.extend(ask.archive.add_items(items, ask.who, project=project_id).ids))
    return tuple(ids)


def _translated(act: Callable[[], object]) -> None:
    """Do it; what is refused about a value, an id or a label is a bad request, and no bad document."""
    try:
        act()
    except NotValid as problem:
        raise BadValue("; ".join(problem.reasons)) from problem
    except DocumentError as problem:
        raise BadValue(str(problem)) from problem


def _legal(what: str, text: str) -> str:
    if not LEGAL_NAME.match(text):
        wrong = next((c for c in text if not LEGAL_NAME.match(c)), "")
        said = f" and holds {wrong!r}" if wrong else ""
        raise BadValue(f"the {what} {text[:80]!r} is not legal{said}: letters, digits, _ and - only")
    if len(text) > 255:
        raise BadValue(f"the {what} {text[:40]!r}… is longer than 255 characters")
    return text


def _create_only(ask: Ask) -> bool:
    return "*" in ask.revisions("if-none-match")


def _reason(ask: Ask) -> str:
    return ask.param("event_reason").strip()


def _made(uri: str, status: int) -> Response:
    response = answer_text(uri, status)
    response.headers["Location"] = uri
    return response

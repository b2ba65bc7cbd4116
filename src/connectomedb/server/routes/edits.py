"""Create, change, rename and delete: PUT, POST and DELETE on what is inside projects.

Source   protocol/rest.md 2.12, 2.13
"""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import quote

from starlette.responses import Response

from connectomedb.errors import (
    BadConstraint,
    Conflict,
    DocumentError,
    LabelTaken,
    NoSuchExperiment,
    NoSuchSubject,
    NotFound,
    Outdated,
)
from connectomedb.schema.model import Item
from connectomedb.server.changing import create_only, legal, made, need_no_revision, reason, translated
from connectomedb.server.failures import NothingSaid
from connectomedb.server.filing import held
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
from connectomedb.store.edits import Edit
from connectomedb.vocabulary.records import Located
from connectomedb.vocabulary.short_names import (
    EXPERIMENT,
    IMAGE_ASSESSOR,
    LEVEL_TYPES,
    RECONSTRUCTION,
    SUBJECT,
    ListLevel,
)

_LIKE_AN_ID = re.compile(r"[SE][0-9]{5,}\Z")
_PART_LEVELS: dict[str, ListLevel] = {"scan": "scans", "reconstruction": "reconstructions"}


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
    return made(f"/data/subjects/{_store_subject(ask, write, '')}", 200)


def _new_subject(ask: Ask, label: str) -> str:
    return _store_subject(ask, read_write(ask, "subjects", base=SUBJECT, default=SUBJECT), label)


def _store_subject(ask: Ask, write: Write, label: str) -> str:
    project_id = project_of(ask)
    item = _new_item(ask, write, SUBJECT, project_id, label)
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
    return made(f"/data/experiments/{_stored(ask, [item], item.text('project'))[0]}", 200)


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
        items.append(_subject_on_the_way(ask, project_id, subject))
    item = _new_experiment_item(ask, write, project_id, label, subject)
    if not subject and not item.text("subject_ID") and "subject_ID" in _leaves(ask, item.xsi_type):
        raise BadConstraint(
            "a new experiment needs its subject; put it below …/subjects/SUBJECT, or add subject_ID="
        )
    return _stored(ask, [*items, item], project_id)[-1]


def _subject_on_the_way(ask: Ask, project_id: str, label: str) -> Item:
    item = Item(SUBJECT, {"project": project_id, "label": legal("label", label)})
    _need_no_id(ask, label, item)
    return item


def _new_experiment_item(ask: Ask, write: Write, project_id: str, label: str, subject: str) -> Item:
    if not write.xsi_type:
        raise NothingSaid("Need PUT Contents: a document, or xsiType= and fields of the new experiment")
    concrete(ask.site.types, write.xsi_type)
    item = _new_item(ask, write, write.xsi_type, project_id, label)
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
    return made(f"/data/experiments/{_new_assessor(ask, experiment_of(ask), '')}", 200)


def _new_assessor(ask: Ask, session: Located, label: str) -> str:
    write = read_write(ask, "assessors", base=IMAGE_ASSESSOR)
    if not write.xsi_type:
        raise NothingSaid("Need PUT Contents: a document, or xsiType= and fields of the new assessor")
    concrete(ask.site.types, write.xsi_type)
    # The project of the address owns it, also where the session is only shared into that.
    project_id = project_of(ask) or session.owner_project
    item = _new_item(ask, write, write.xsi_type, project_id, label)
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
    if create_only(ask):
        raise Outdated(f"the {kind} {found.label} is there already")
    write = read_write(ask, level, base=LEVEL_TYPES[level], stored=found.xsi_type)
    if write.text("ID") not in ("", found.label):
        raise BadConstraint(f"a {kind} keeps its ID; it is {found.label}, not {write.text('ID')}")
    edit = Edit(write.item, write.cleared, write.whole, expected=ask.revisions(), reason=reason(ask))
    translated(lambda: ask.archive.edit(found.id, edit, ask.who))
    return answer_text("")


def post_part(ask: Ask) -> Response:
    """A new scan or reconstruction; the server chooses its ID when none is said."""
    session = experiment_of(ask)
    kind = ask.request.url.path.rstrip("/").rpartition("/")[2].removesuffix("s")
    write = _part_write(ask, _PART_LEVELS[kind])
    name = _add_part(ask, session, kind, write, write.text("ID"))
    return made(f"/data/experiments/{session.id}/{_PART_LEVELS[kind]}/{quote(name)}", 200)


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
    need_no_revision(ask, name or kind)
    part = write.item or Item(write.xsi_type, {})
    part = replace(part, values={**part.values, **({"ID": name} if name else {})})
    names: list[str] = []
    translated(
        lambda: names.append(ask.archive.add_part(session.id, PARTS[kind], part, ask.who, reason=reason(ask)))
    )
    return names[0]


# Deleting


def delete_item(ask: Ask) -> Response:
    """Delete an item from the project that owns it; take it out of one that it is shared into."""
    need_reason(ask)
    found = item_of(ask)
    project_id = project_of(ask)
    is_part = any(ask.part(name) for name in PARTS)
    if project_id and project_id != found.owner_project and not is_part:
        ask.archive.unshare(found.id, project_id, ask.who, reason=reason(ask))
        return answer_text("")
    deleted = ask.archive.delete_at(
        found.id,
        ask.who,
        expected=ask.revisions(),
        reason=reason(ask),
        with_shares=ask.flag("deleteShares"),
    )
    held(ask).remove(deleted.keys)
    return answer_text("")


# What they have in common


def _changed(ask: Ask, level: ListLevel, found: Located, base: str) -> Response:
    """Change an item that is there; its id is the answer, nothing after a mere renaming."""
    if create_only(ask):
        raise Outdated(f"{found.id} is there already")
    write = read_write(ask, level, base=base, stored=found.xsi_type)
    label = legal("label", write.label) if write.label not in ("", found.label) else ""
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
        reason=reason(ask),
    )
    translated(lambda: ask.archive.edit(found.id, edit, ask.who))
    return answer_text("" if label and item is None else found.id)


def _new_item(ask: Ask, write: Write, xsi_type: str, project_id: str, label: str) -> Item:
    """The document of something new, with what the address says."""
    need_no_revision(ask, label or xsi_type)
    item = write.item or Item(xsi_type, {})
    if item.text("project") not in ("", project_id):
        raise Conflict(f"the address names the project {project_id}, the request {item.text('project')}")
    said = write.label or item.text("label") or label
    if said:
        legal("label", said)
        _need_no_id(ask, said, item)
    if item.text("ID"):
        legal("ID", item.text("ID"))
    own = {"project": project_id, **({"label": said} if said else {})}
    return replace(item, values={**item.values, **own})


def _need_no_id(ask: Ask, label: str, item: Item) -> None:
    """Raises NotFound for a label that reads as an id of this site: that item is gone, or not to be seen."""
    prefix = f"{ask.site.site_id}_"
    looks_so = label.startswith(prefix) and _LIKE_AN_ID.match(label.removeprefix(prefix))
    if looks_so and item.text("ID") != label:
        raise NotFound(f"no item {label!r} that you may see; new ids are given by the server")


def _stored(ask: Ask, items: list[Item], project_id: str) -> tuple[str, ...]:
    """Ids of new documents."""
    ids: list[str] = []
    translated(lambda: ids.extend(ask.archive.add_items(items, ask.who, project=project_id).ids))
    return tuple(ids)

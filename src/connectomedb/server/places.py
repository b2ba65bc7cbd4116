"""What a path of the hierarchy names: the project, the subject, the session and what is inside it.

Everything is found with the caller's rights: what they may not read is not there.

Source   protocol/rest.md 0.7, 2.1
"""

from __future__ import annotations

from connectomedb.errors import NotFound
from connectomedb.server.inbound import Ask, decoded_again
from connectomedb.store.tables import Family
from connectomedb.vocabulary.records import Located

# The piece of a path that names a part, and the family it is of.
PARTS: dict[str, Family] = {"scan": "scan", "reconstruction": "reconstruction"}
# Pieces of a path that name an item, the innermost first.
_ITEMS = ("scan", "reconstruction", "assessor", "experiment", "subject", "project")


def project_of(ask: Ask) -> str:
    """Id of the project in the path, '' when the path has none. Raises NoSuchProject."""
    text = ask.part("project")
    return decoded_again(lambda t: ask.archive.locate_project(t, ask.who), text) if text else ""


def subject_of(ask: Ask) -> Located:
    """The subject in the path. Raises NoSuchSubject."""
    project_id = project_of(ask)
    return decoded_again(
        lambda text: ask.archive.locate_subject(text, ask.who, project=project_id), ask.part("subject")
    )


def experiment_of(ask: Ask) -> Located:
    """The experiment in the path; it belongs to the subject there, if there is one. Raises NotFound."""
    project_id = project_of(ask)
    subject_id = subject_of(ask).id if ask.part("subject") else ""
    return decoded_again(
        lambda text: ask.archive.locate_experiment(text, ask.who, project=project_id, subject=subject_id),
        ask.part("experiment"),
    )


def assessor_of(ask: Ask) -> Located:
    """The assessor in the path, of the session there. Raises NotFound."""
    session = experiment_of(ask)
    project_id = project_of(ask)
    return decoded_again(
        lambda text: ask.archive.locate_assessor(session, text, ask.who, project_id), ask.part("assessor")
    )


def part_of(ask: Ask) -> Located:
    """The scan or reconstruction in the path, of the session there. Raises NotFound."""
    session = experiment_of(ask)
    name = next(name for name in PARTS if ask.part(name))
    return decoded_again(
        lambda text: ask.archive.locate_part(session, PARTS[name], text, ask.who), ask.part(name)
    )


def item_of(ask: Ask) -> Located:
    """The innermost thing that the path names. Raises NotFound."""
    name = next((name for name in _ITEMS if ask.part(name)), "")
    if name in PARTS:
        return part_of(ask)
    if name == "assessor":
        return assessor_of(ask)
    if name == "experiment":
        return experiment_of(ask)
    if name == "subject":
        return subject_of(ask)
    if name == "project":
        project_id = project_of(ask)
        return Located(project_id, project_id, "xnat:projectData", project_id, project_id)
    raise NotFound("the address names no item")

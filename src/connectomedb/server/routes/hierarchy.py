"""Projects, subjects and experiments: their listings and single items."""

from __future__ import annotations

from typing import Literal

from starlette.responses import Response

from connectomedb.server.inbound import Ask, decoded_again, known_types
from connectomedb.server.outbound import answer_item, answer_table
from connectomedb.vocabulary.records import Located

Level = Literal["projects", "subjects", "experiments"]


def projects(ask: Ask) -> Response:
    """Every project the caller may see."""
    return _listing(ask, "projects")


def project(ask: Ask) -> Response:
    """One project."""
    project_id = _project(ask)
    item = ask.archive.load_project_item(project_id, ask.who)
    return answer_item(ask, item, insert_date=None, heading=f"Project {project_id}")


def subjects(ask: Ask) -> Response:
    """Subjects of a project, or all that the caller may see."""
    return _listing(ask, "subjects", project=_project(ask))


def subject(ask: Ask) -> Response:
    """One subject, by id or by its label in the project."""
    found = _subject(ask)
    return _item(ask, found, f"Subject {found.label}")


def experiments(ask: Ask) -> Response:
    """Experiments of a subject, of a project, or all that the caller may see."""
    found = _subject(ask) if ask.part("subject") else None
    return _listing(ask, "experiments", project=_project(ask), subject=found.id if found else "")


def experiment(ask: Ask) -> Response:
    """One experiment, by id or by its label in the project."""
    project_id = _project(ask)
    subject_id = _subject(ask).id if ask.part("subject") else ""
    found = decoded_again(
        lambda text: ask.archive.locate_experiment(text, ask.who, project=project_id, subject=subject_id),
        ask.part("experiment"),
    )
    return _item(ask, found, f"{found.xsi_type} {found.label}")


def _listing(ask: Ask, level: Level, *, project: str = "", subject: str = "") -> Response:
    columns = ask.words("columns")
    table = ask.archive.listing(
        level,
        ask.who,
        project=project,
        subject=subject,
        columns=() if columns == ("DEFAULT",) else columns,
        xsi_types=known_types(ask, ask.words("xsiType")),
        filters=ask.filters(),
    )
    return answer_table(ask, table)


def _item(ask: Ask, found: Located, heading: str) -> Response:
    item = ask.archive.load_item(found.id, ask.who)
    return answer_item(ask, item, insert_date=found.insert_date, heading=heading)


def _project(ask: Ask) -> str:
    """Id of the project in the path, '' when the path has none."""
    text = ask.part("project")
    return decoded_again(lambda t: ask.archive.locate_project(t, ask.who), text) if text else ""


def _subject(ask: Ask) -> Located:
    project_id = _project(ask)
    return decoded_again(
        lambda text: ask.archive.locate_subject(text, ask.who, project=project_id), ask.part("subject")
    )

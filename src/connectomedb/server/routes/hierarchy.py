"""Projects, subjects, experiments, assessors, scans and reconstructions: their listings and single items."""

from __future__ import annotations

from datetime import timedelta

from starlette.responses import Response

from connectomedb.server.inbound import Ask, known_types
from connectomedb.server.outbound import answer_item, answer_table, text_table
from connectomedb.server.places import (
    assessor_of,
    experiment_of,
    part_of,
    project_of,
    subject_of,
)
from connectomedb.server.routes import project_lists
from connectomedb.store.listings import known_fields
from connectomedb.store.projects import now
from connectomedb.vocabulary.records import Located
from connectomedb.vocabulary.short_names import ListLevel

# `?recent` without a number of days.
_RECENT_DAYS = 60


def projects(ask: Ask) -> Response:
    """Every project the caller may see; those of a role, or used lately, in the other listing."""
    if project_lists.is_asked_for(ask):
        return project_lists.listing(ask)
    return _listing(ask, "projects")


def project(ask: Ask) -> Response:
    """One project."""
    project_id = project_of(ask)
    item = ask.archive.load_project_item(project_id, ask.who)
    return answer_item(ask, item, insert_date=None, heading=f"Project {project_id}")


def subjects(ask: Ask) -> Response:
    """Subjects of a project, or all that the caller may see."""
    return _listing(ask, "subjects", project=project_of(ask))


def subject(ask: Ask) -> Response:
    """One subject, by id or by its label in the project."""
    found = subject_of(ask)
    return _item(ask, found, f"Subject {found.label}")


def experiments(ask: Ask) -> Response:
    """Experiments of a subject, of a project, or all that the caller may see."""
    found = subject_of(ask) if ask.part("subject") else None
    return _listing(ask, "experiments", project=project_of(ask), subject=found.id if found else "")


def experiment(ask: Ask) -> Response:
    """One experiment, by id or by its label in the project."""
    found = experiment_of(ask)
    return _item(ask, found, f"{found.xsi_type} {found.label}")


def assessors(ask: Ask) -> Response:
    """Assessors of a session."""
    return _listing(ask, "assessors", project=project_of(ask), session=experiment_of(ask).id)


def assessor(ask: Ask) -> Response:
    """One assessor of a session, by id or by its label in the project."""
    found = assessor_of(ask)
    return _item(ask, found, f"{found.xsi_type} {found.label}")


def scans(ask: Ask) -> Response:
    """Scans of a session."""
    return _listing(ask, "scans", session=experiment_of(ask).id)


def scan(ask: Ask) -> Response:
    """One scan, by its ID in the session."""
    found = part_of(ask)
    return _item(ask, found, f"Scan {found.label}")


def reconstructions(ask: Ask) -> Response:
    """Reconstructions of a session."""
    return _listing(ask, "reconstructions", session=experiment_of(ask).id)


def reconstruction(ask: Ask) -> Response:
    """One reconstruction, by its ID in the session."""
    found = part_of(ask)
    return _item(ask, found, f"Reconstruction {found.label}")


def _listing(
    ask: Ask, level: ListLevel, *, project: str = "", subject: str = "", session: str = ""
) -> Response:
    if ask.flag("fields"):
        return answer_table(ask, text_table("Fields", ("key", "xpath"), known_fields(level)))
    columns = ask.words("columns")
    recent = level == "experiments" and ask.flag("recent")
    days = (ask.number("recent") if ask.param("recent").isdigit() else None) or _RECENT_DAYS
    table = ask.archive.listing(
        level,
        ask.who,
        project=project,
        subject=subject,
        session=session,
        since=now() - timedelta(days=min(days, 36500)) if recent else None,
        columns=() if columns == ("DEFAULT",) else columns,
        xsi_types=known_types(ask, ask.words("xsiType")),
        filters=ask.filters(),
    )
    return answer_table(ask, table)


def _item(ask: Ask, found: Located, heading: str) -> Response:
    item = ask.archive.load_item(found.id, ask.who)
    return answer_item(ask, item, insert_date=found.insert_date, heading=heading)

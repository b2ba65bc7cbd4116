"""What follows an item's address: its status, its history, where it is shown, a project's settings.

Accessibility and users of a project are elsewhere.

Source   protocol/rest.md 2.11, 2.12.1, 3.3
"""

from __future__ import annotations

from starlette.responses import Response

from connectomedb.errors import AccessDenied, BadConstraint, NotFound
from connectomedb.schema.built_ins import PROJECT_SETTINGS
from connectomedb.server.inbound import Ask
from connectomedb.server.outbound import answer_table, answer_text, text_table
from connectomedb.server.places import item_of, project_of
from connectomedb.store.history import Change
from connectomedb.tables.result import Cell, Column, ResultTable

# One archive folder, and types of scans are never mapped: fixed facts that clients may ask for and state.
_FIXED = {"current_arc": "arc001", "scan_type_mapping": "false"}


def status(ask: Ask) -> Response:
    """`active`, or `quarantine` for what waits for activation."""
    return answer_text(ask.archive.read_status(item_of(ask).id, ask.who))


def history(ask: Ask) -> Response:
    """Every change of an item, the last first; with `includeDetails` the document before each."""
    detailed = ask.flag("includeDetails")
    changes = ask.archive.history(item_of(ask).id, ask.who)
    keys = ["action", "event_date", "event_user", "event_reason", *(["document"] if detailed else [])]
    columns = tuple(Column(key, "dateTime" if key == "event_date" else "string") for key in keys)
    return answer_table(ask, ResultTable(columns, tuple(_row(c, detailed) for c in changes), "History"))


def scan_types(ask: Ask) -> Response:
    """What kinds of scans there are, of a project or on the site."""
    rows = ask.archive.scan_types(ask.who, project_of(ask))
    return answer_table(ask, text_table("Scan types", ("series_descriptions", "type"), rows))


def scanners(ask: Ask) -> Response:
    """What scanners there are, of a project or on the site."""
    rows = [(name,) for name in ask.archive.scanners(ask.who, project_of(ask))]
    return answer_table(ask, text_table("Scanners", ("scanner",), rows))


def prearchive(ask: Ask) -> Response:
    """What waits before the archive: nothing ever does."""
    project_of(ask)
    keys = "project timestamp lastmod uploaded scan_date scan_time subject folderName name tag status url"
    return answer_table(ask, text_table("", tuple(keys.split()), ()))


def setting(ask: Ask) -> Response:
    """One setting of a project, as bare text."""
    name, project_id = ask.part("setting"), project_of(ask)
    if name in _FIXED:
        return answer_text(_FIXED[name])
    if name not in PROJECT_SETTINGS:
        raise NotFound(_unknown(name))
    return answer_text(str(ask.archive.read_project_setting(project_id, name)))


def put_setting(ask: Ask) -> Response:
    """Change a setting of a project; owners do."""
    name, value, project_id = ask.part("setting"), ask.part("value"), project_of(ask)
    if name in (*PROJECT_SETTINGS, *_FIXED) and not ask.archive.may(project_id, "manage", ask.who):
        raise AccessDenied(f"settings of {project_id} are for its owners to change")
    if name in _FIXED:
        # Sub-folders of the one archive folder are a matter of the disk that XNAT keeps; here keys have none.
        if value.partition("/")[0].lower() != _FIXED[name]:
            raise BadConstraint(f"{name} is always {_FIXED[name]} here")
        return answer_text("")
    if name not in PROJECT_SETTINGS:
        raise BadConstraint(
            f"a project has no {name!r}; there are: {', '.join((*PROJECT_SETTINGS, *_FIXED))}"
        )
    if not (value.isascii() and value.isdigit() and len(value) < 6):
        raise BadConstraint(f"{name} is a number, not {value!r}")
    ask.archive.change_project_setting(project_id, name, int(value))
    return answer_text("")


def _unknown(name: str) -> str:
    return f"a project has no {name!r}; there are: {', '.join((*PROJECT_SETTINGS, *_FIXED))}"


def _row(change: Change, detailed: bool) -> tuple[Cell, ...]:
    document = (change.document,) if detailed else ()
    return (change.kind, change.at, change.login, change.reason, *document)

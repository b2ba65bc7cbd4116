"""The config service: `/data/config/{tool}/{path}`, for the site and for each project.

Source   protocol/rest.md 6.1
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from starlette.responses import Response

from connectomedb.errors import AccessDenied, BadConstraint, NotFound
from connectomedb.server.inbound import Ask
from connectomedb.server.outbound import answer_table, answer_text, text_table
from connectomedb.server.places import project_of
from connectomedb.store.configuration import Configured
from connectomedb.tables.result import Cell, Column, ResultTable

_STATUSES = ("enabled", "disabled")
_KEYS = (
    *("tool", "path", "project", "user", "create_date", "reason", "contents"),
    *("unversioned", "version", "status"),
)


def tools(ask: Ask) -> Response:
    """The tools that keep something here."""
    place = _place(ask)
    found = ask.archive.configurations.tools(place)
    return answer_table(ask, text_table("", ("tool",), [(tool,) for tool in found]))


def of_tool(ask: Ask) -> Response:
    """What one tool keeps here."""
    place = _place(ask)
    found = ask.archive.configurations.of_tool(place, ask.part("tool"))
    if not found:
        return _nothing(ask, ask.part("tool"))
    return _table(ask, found)


def one(ask: Ask) -> Response:
    """One configuration: a row, its bare text with `contents`, or all versions with `action=getHistory`."""
    place, tool, path = _place(ask), ask.part("tool"), ask.part("path")
    held = ask.archive.configurations
    if ask.param("action").lower() == "gethistory":
        every = held.versions(place, tool, path)
        return _table(ask, every) if every else _nothing(ask, f"{tool}/{path}")
    found = held.find(place, tool, path, ask.number("version"))
    if found is None and place and ask.flag("defaultToSiteWide"):
        found = held.find("", tool, path)
    if found is None:
        return _nothing(ask, f"{tool}/{path}")
    if ask.flag("contents"):
        return answer_text(found.contents)
    return _table(ask, [found], with_contents=not ask.flag("meta"))


def put(ask: Ask) -> Response:
    """Keep a text, or change its status."""
    status = ask.param("status").strip().lower()
    if "status" in ask.request.query_params and status not in _STATUSES:
        raise BadConstraint(f"status={status!r} is neither enabled nor disabled")
    contents, stated = _said(ask)
    made = _configure(ask, contents, status or stated)
    return answer_text("", 201 if made else 200)


def delete(ask: Ask) -> Response:
    """Disable a configuration; its versions stay."""
    _configure(ask, None, "disabled")
    return answer_text("")


def _configure(ask: Ask, contents: str | None, status: str) -> bool:
    place, tool, path = _place(ask, to_write=True), ask.part("tool"), ask.part("path")
    made = ask.archive.configurations.configure(
        place,
        tool,
        path,
        ask.who,
        contents=contents,
        status=status,
        reason=ask.param("reason") or ask.param("event_reason"),
    )
    if made is None:
        raise NotFound(f"no configuration {tool}/{path} here; PUT its contents first")
    return made


def _said(ask: Ask) -> tuple[str | None, str]:
    """The text and the status that a body states; no body means that only the status changes."""
    try:
        text = ask.body.decode()
    except UnicodeDecodeError:
        raise BadConstraint("a configuration is text in UTF-8") from None
    if not text and not ask.flag("inbody"):
        return (None, "") if ask.param("status") else ("", "")
    if "\0" in text:
        raise BadConstraint("a configuration is text; it holds a NUL character")
    is_json = "json" in ask.request.headers.get("content-type", "").lower()
    if is_json and not ask.flag("inbody"):
        try:
            sent = json.loads(text)
        except ValueError as problem:
            raise BadConstraint(f"the body is no JSON: {problem}") from problem
        if isinstance(sent, dict) and sent and set(sent) <= {"contents", "status"}:
            status = str(sent.get("status", "")).lower()
            if status and status not in _STATUSES:
                raise BadConstraint(f"status {status!r} is neither enabled nor disabled")
            return (str(sent["contents"]) if "contents" in sent else None), status
    return text, ""


def _place(ask: Ask, *, to_write: bool = False) -> str:
    """The project, '' for the site. Raises NoSuchProject, AccessDenied."""
    project_id = project_of(ask)
    if not project_id and not ask.who.is_admin:
        raise AccessDenied("configurations of the site are for administrators; ask for a project's")
    if project_id and not ask.archive.may(project_id, "manage", ask.who):
        if to_write:
            raise AccessDenied(f"configurations of {project_id} are for its owners to change")
        if project_id not in ask.archive.read_project_ids(ask.who):
            raise AccessDenied(f"configurations of {project_id} are for those who read it")
    return project_id


def _nothing(ask: Ask, what: str) -> Response:
    if ask.flag("accept-not-found"):
        return Response(status_code=204)
    raise NotFound(f"no configuration {what} here")


def _table(ask: Ask, found: Iterable[Configured], *, with_contents: bool = True) -> Response:
    columns = [Column(key, "dateTime" if key == "create_date" else "string") for key in _KEYS]
    rows = tuple(_row(one, with_contents) for one in found)
    return answer_table(ask, ResultTable(tuple(columns), rows))


def _row(one: Configured, with_contents: bool) -> tuple[Cell, ...]:
    contents = one.contents if with_contents else ""
    said = (one.tool, one.path, one.project, one.login, one.at, one.reason, contents)
    return (*said, "false", str(one.version), one.status)

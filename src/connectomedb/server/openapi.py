"""The interface as an OpenAPI document, made from the route table: nothing is described twice.

A route says what it does by the first line of its handler; what the query string may hold follows from the
kind of answer. A route without a description is refused.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence

from starlette.routing import BaseRoute, Mount, Route

import connectomedb
from connectomedb.errors import ConfigurationError

PARAMETERS: Mapping[str, str] = {
    "format": "Representation: json, csv, xml or html (searches: also xList, arrow, parquet).",
    "columns": "Columns to return: short names and schema paths, separated by commas.",
    "xsiType": "Data type of a listing's rows or of a new item; several, separated by commas, restrict.",
    "sortBy": "Columns to sort the finished table by.",
    "sortOrder": "ASC or DESC.",
    "limit": "Rows to return; * for all.",
    "offset": "Rows to leave out first.",
    "event_reason": "Why the change is made; kept in the history.",
    "req_format": "What the body is: xml, form or qs (the query string alone counts).",
    "allowDataDeletion": "The document takes the place of the stored one; what it lacks is deleted.",
    "label": "Another label.",
    "removeFiles": "Accepted: files go with their item in any case.",
    "deleteShares": "Delete also what other projects are shown.",
    "includeHistory": "Earlier versions of the item, too (JSON).",
    "includeDetails": "The document before each change, too.",
    "fieldNames": "Only these fields.",
    "contents": "The bare text.",
    "meta": "Everything but the text.",
    "version": "That version; the last one when left out.",
    "action": "getHistory: every version.",
    "status": "enabled or disabled.",
    "project": "Project to export.",
    "restricted": "0 for open fields, 1 or 2 for the tiers above.",
    "removeDelimitersFromFieldValues": "Take commas, quotes and line ends out of values.",
    "resource": "Label of the project resource.",
    "filePath": "Path of the file in the resource.",
}
_LISTING = ("format", "columns", "xsiType", "sortBy", "sortOrder", "limit", "offset")
_TABLE = ("format", "sortBy", "sortOrder", "limit", "offset")
_WRITE = ("xsiType", "req_format", "allowDataDeletion", "label", "event_reason")
_DELETE = ("removeFiles", "deleteShares", "event_reason")
# By module and name of the handler; others take what their method says.
_OF_HANDLER: Mapping[str, tuple[str, ...]] = {
    **{
        f"hierarchy.{level}": _LISTING
        for level in ("projects", "subjects", "experiments", "assessors", "scans", "reconstructions")
    },
    **{
        f"hierarchy.{one}": ("format", "includeHistory")
        for one in ("project", "subject", "experiment", "assessor", "scan", "reconstruction")
    },
    **{f"trailing.{table}": _TABLE for table in ("shares", "scan_types", "scanners")},
    "trailing.history": (*_TABLE, "includeDetails"),
    "trailing.status": (),
    "trailing.setting": (),
    "trailing.put_setting": (),
    "configuration.one": ("format", "contents", "meta", "version", "action"),
    "configuration.put": ("status", "event_reason"),
    "configuration.delete": ("event_reason",),
    "custom_fields.read": ("fieldNames",),
    "custom_fields.read_one": (),
    "custom_fields.put": (),
    "custom_fields.delete": (),
    "legacy.subject_export": ("format", "project", "restricted", "removeDelimitersFromFieldValues"),
    "legacy.download_link": ("project", "resource", "filePath"),
    "legacy.subject_file": (),
    **{
        f"edits.{name}": _WRITE
        for name in (
            *("put_subject", "post_subject", "put_experiment"),
            *("post_experiment", "put_assessor", "post_assessor", "put_part", "post_part"),
        )
    },
    "upload.upload": ("allowDataDeletion", "event_reason"),
    "edits.delete_item": _DELETE,
    "project_edits.put_project": _WRITE,
    "project_edits.post_project": _WRITE,
    "project_edits.delete_project": _DELETE,
}
_IN_PATH = re.compile(r"\{(\w+)(?::\w+)?\}")


def openapi(routes: Iterable[BaseRoute]) -> dict[str, object]:
    """The description of every route.

    Raises  ConfigurationError for a route whose handler says nothing
    """
    paths: dict[str, dict[str, object]] = {}
    for route in routes:
        if isinstance(route, Mount):
            continue
        if not isinstance(route, Route):
            raise ConfigurationError(f"{route} is of a kind that cannot be described")
        path = _IN_PATH.sub(r"{\1}", route.path)
        for method in sorted((route.methods or set()) - {"HEAD"}):
            # The first route that fits is the one that answers.
            paths.setdefault(path, {}).setdefault(method.lower(), _operation(route, method))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "connectomedb",
            "version": connectomedb.__version__,
            "description": "The XNAT REST interface of a connectomedb site. /REST and /data/archive are the "
            "same as /data.",
        },
        "paths": dict(sorted(paths.items())),
        "components": {
            "parameters": {
                name: {"name": name, "in": "query", "description": said, "schema": {"type": "string"}}
                for name, said in PARAMETERS.items()
            },
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic"},
                "session": {"type": "apiKey", "in": "cookie", "name": "JSESSIONID"},
            },
            "responses": {"refused": _refused()},
        },
        "security": [{"basic": []}, {"session": []}],
    }


def _operation(route: Route, method: str) -> dict[str, object]:
    handler = route.endpoint
    said = inspect.getdoc(handler) or ""
    name = f"{handler.__module__.rpartition('.')[2]}.{handler.__name__}"
    if not said:
        raise ConfigurationError(f"{method} {route.path}: its handler {name} says nothing of what it does")
    summary, _, more = said.partition("\n")
    found: dict[str, object] = {
        "summary": summary.strip(),
        "operationId": _id(method, route.path),
        "tags": [name.partition(".")[0]],
        "parameters": [
            *(_path_parameter(part) for part in _IN_PATH.findall(route.path)),
            *({"$ref": f"#/components/parameters/{one}"} for one in _parameters(name, method)),
        ],
        "responses": {
            "200": {"description": "Done, or what was asked for."},
            "default": {"$ref": "#/components/responses/refused"},
        },
    }
    if more.strip():
        found["description"] = more.strip()
    if method in ("PUT", "POST"):
        found["requestBody"] = {"content": {"*/*": {}}}
    if vars(handler).get("open_to_all"):
        found["security"] = []
    return found


def _path_parameter(name: str) -> dict[str, object]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _parameters(name: str, method: str) -> Sequence[str]:
    return _OF_HANDLER.get(name, ("format",) if method == "GET" else ())


def _id(method: str, path: str) -> str:
    return "_".join([method.lower(), *re.findall(r"\w+", _IN_PATH.sub(r"by_\1", path))])


def _refused() -> dict[str, object]:
    problem = {
        "type": "object",
        "properties": {
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
        },
    }
    return {
        "description": "Refused: one line of text, or a problem document for who accepts JSON.",
        "content": {"text/plain": {}, "application/problem+json": {"schema": problem}},
    }

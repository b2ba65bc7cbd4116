"""The XSD documents of the data types, by name."""

from __future__ import annotations

from starlette.responses import Response

from connectomedb.errors import NotFound
from connectomedb.server.inbound import Ask
from connectomedb.server.outbound import answer_json


def names(ask: Ask) -> Response:
    """Names of all schemas."""
    return answer_json([s.name for s in ask.site.types.schemas()])


def schema(ask: Ask) -> Response:
    """One schema: by its name, by folder and file, or by file alone; `.xsd` at the end or not."""
    asked = ask.part("name").removesuffix(".xsd")
    known = ask.site.types.schemas()
    for found in known:
        if asked in (found.name, f"{found.folder}/{found.name.rsplit('/', 1)[-1]}"):
            return _document(found.content)
    for found in known:
        if asked == found.name.rsplit("/", 1)[-1]:
            return _document(found.content)
    raise NotFound(f"no schema {asked!r}; there are: {', '.join(s.name for s in known)}")


def _document(content: bytes) -> Response:
    return Response(content, 200, {"Cache-Control": "no-cache"}, "application/xml")

"""The addresses of resources and files."""

from __future__ import annotations

from starlette.routing import BaseRoute

from connectomedb.server.routes import files, resources
from connectomedb.server.routing import get, post, sending


def file_routes() -> list[BaseRoute]:
    """Resources and files of every kind of item."""
    item = "/data/{item:item}"
    one = item + "/resources/{resource}"
    return [
        get(item + "/resources", resources.listing),
        post(item + "/resources", resources.create_unnamed),
        get(one, resources.catalog),
        post(one, resources.create, "PUT"),
        post(one, resources.delete, "DELETE"),
        get(one + "/files", files.listing),
        sending(one + "/files", files.send),
        get(one + "/files/{path:path}", files.fetch),
        sending(one + "/files/{path:path}", files.send),
        post(one + "/files/{path:path}", files.delete, "DELETE"),
        get(item + "/files", files.listing),
        get(item + "/files/{path:path}", files.fetch),
        sending(item + "/files/{path:path}", files.send),
        post(item + "/files/{path:path}", files.delete, "DELETE"),
        post("/data/services/refresh/catalog", resources.refresh),
    ]

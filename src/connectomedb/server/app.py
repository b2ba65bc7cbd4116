"""The site as an ASGI application: the route table, and what every request passes through.

One spelling of each address stands in the table; `OldAddresses` brings the others to it.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectomedb.objects.held import open_held
from connectomedb.server.answers import Answers
from connectomedb.server.audit import Audit, AuditLog
from connectomedb.server.auth import Gate
from connectomedb.server.failures import on_fault, on_http_exception
from connectomedb.server.outbound import WEB
from connectomedb.server.routes import hierarchy_table, sessions, site
from connectomedb.server.routes.file_table import file_routes
from connectomedb.server.routes.people_table import people_routes, sharing_routes
from connectomedb.server.routes.search_table import search_routes
from connectomedb.server.routing import get, post
from connectomedb.store.site import Site

_BYTES_OF_FILES = re.compile(r"/files/|[?&](?:format=(?:zip|tar|tgz)|index=)")


def routes() -> list[BaseRoute]:
    """Every address that is served."""
    return [
        get("/", site.home, open_to_all=True),
        post("/login", sessions.log_in_by_page, open_to_all=True),
        post("/logout", sessions.log_out_by_page, open_to_all=True),
        Mount("/web", StaticFiles(directory=WEB / "static")),
        post("/data/JSESSION", sessions.open_session, "GET", "POST", open_to_all=True),
        post("/data/JSESSION", sessions.close_session, "DELETE", open_to_all=True),
        get("/data/auth", sessions.who_am_i),
        post("/data/services/auth", sessions.log_in, "PUT", "POST", open_to_all=True),
        get("/openapi.json", site.description, open_to_all=True),
        *search_routes(),
        get("/xapi/siteConfig/buildInfo", site.build_info, open_to_all=True),
        get("/xapi/siteConfig/buildInfo/{property}", site.build_property, open_to_all=True),
        get("/xapi/plugins", site.plugins),
        get("/xapi/connectomedb", site.announcement),
        *people_routes(),
        *sharing_routes(),
        *hierarchy_table.legacy_routes(),
        *file_routes(),
        # Searches come first: there are many addresses here, and each is tried in turn.
        *hierarchy_table.hierarchy_routes(),
        *hierarchy_table.beside_routes(),
        # What is left below a project; last, as any word fits.
        *hierarchy_table.project_setting_routes(),
    ]


def make_app(site: Site, *, session_lifetime_s: float = 1800, require_login: bool | None = None) -> Starlette:
    """The application that serves an open site; closing the site stays the caller's business.

    `require_login` None goes by the site's setting, which is closed until an administrator opens it.
    """
    audit = AuditLog(site.folder / "audit")

    @asynccontextmanager
    async def living(_: Starlette) -> AsyncIterator[None]:
        yield
        audit.close()

    app = Starlette(
        lifespan=living,
        routes=routes(),
        middleware=[
            Middleware(OldAddresses),
            Middleware(Audit, audit=audit),
            Middleware(SafeHeaders),
            Middleware(GZipOfAnswers, minimum_size=2000, compresslevel=4),
        ],
        exception_handlers={HTTPException: on_http_exception, Exception: on_fault},
    )
    app.router.redirect_slashes = False  # a redirected POST becomes a GET in the clients
    app.state.site = site
    app.state.answers = Answers()
    app.state.audit = audit
    app.state.held = open_held(site.files_folder, site.files_url)
    app.state.held.clear_arrivals()
    app.state.gate = Gate(session_lifetime_s, require_login)
    return app


class GZipOfAnswers(GZipMiddleware):
    """Compresses answers, never files: their bytes are counted, cut into ranges, mostly packed already."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = f"{scope.get('path', '')}?{scope.get('query_string', b'').decode('latin-1')}"
        if _BYTES_OF_FILES.search(address):
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


class OldAddresses:
    """`/REST/…`, `/data/archive/…`, doubled and trailing slashes: all one address."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            asked: str = scope["path"]
            scope = {**scope, "path": canonical_path(asked), "connectomedb.asked_path": asked}
        await self.app(scope, receive, send)


_ARCHIVE = re.compile(
    r"\A/data/archive(?=/(?:projects|subjects|experiments|scan_types|scanners|investigators)(?:/|\Z))"
)


def canonical_path(path: str) -> str:
    """The address as the route table spells it."""
    path = re.sub(r"/{2,}", "/", path)
    path = re.sub(r"\A/REST(?=/|\Z)", "/data", path)
    path = re.sub(
        r"\A/data/archive(?=/(?:projects|subjects|experiments|scan_types|scanners|investigators)(?:/|\Z))",
        "/data",
        path,
    )
    return path.rstrip("/") or "/"


class SafeHeaders:
    """No answer is ever taken for another type than it says."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-content-type-options", b"nosniff")]
            await send(message)

        await self.app(scope, receive, send_marked)

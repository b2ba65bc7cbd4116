"""The site as an ASGI application: the route table, and what every request passes through.

One spelling of each address stands in the table; `OldAddresses` brings the others to it.
"""

from __future__ import annotations

import re
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute, Match, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectomedb.server.answers import Answers
from connectomedb.server.auth import Gate
from connectomedb.server.failures import on_fault, on_http_exception
from connectomedb.server.inbound import Handler, endpoint
from connectomedb.server.outbound import WEB
from connectomedb.server.routes import (
    facets,
    hierarchy_table,
    saved_searches,
    schemas,
    search,
    sessions,
    site,
    terms,
    types,
)
from connectomedb.store.site import Site


class QuickRoute(Route):
    """A route that sees at a glance that an address is none of its own: most are tried for every request."""

    def __init__(self, path: str, *args: Any, **options: Any) -> None:
        super().__init__(path, *args, **options)
        self._begins = path.partition("{")[0]
        self._n_slashes = None if ":path}" in path else path.count("/")

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        path: str = scope["path"]
        if not scope.get("root_path"):
            if not path.startswith(self._begins):
                return Match.NONE, {}
            if self._n_slashes is not None and path.count("/") != self._n_slashes:
                return Match.NONE, {}
        return super().matches(scope)


def get(path: str, handler: Handler, *, open_to_all: bool = False) -> Route:
    """Reads (HEAD included)."""
    return QuickRoute(path, endpoint(handler, open_to_all=open_to_all), methods=["GET"])


def post(path: str, handler: Handler, *methods: str, open_to_all: bool = False) -> Route:
    """Everything that is sent with a body, or changes something."""
    answer = endpoint(handler, open_to_all=open_to_all)
    return QuickRoute(path, answer, methods=list(methods) or ["POST"])


def routes() -> list[BaseRoute]:
    """Every address that is served."""
    p = "/data/projects/{project}"
    return [
        get("/", site.home, open_to_all=True),
        post("/login", sessions.log_in_by_page, open_to_all=True),
        post("/logout", sessions.log_out_by_page, open_to_all=True),
        Mount("/web", StaticFiles(directory=WEB / "static")),
        post("/data/JSESSION", sessions.open_session, "GET", "POST", open_to_all=True),
        post("/data/JSESSION", sessions.close_session, "DELETE", open_to_all=True),
        get("/data/auth", sessions.who_am_i),
        post("/data/services/auth", sessions.log_in, "PUT", "POST", open_to_all=True),
        get("/data/users", sessions.users),
        get("/openapi.json", site.description, open_to_all=True),
        post("/data/search", search.search),
        get("/data/search/elements", types.elements),
        get("/data/search/elements/{xsi_type}", types.fields),
        post("/data/search/elements/{xsi_type}", schemas.register, "PUT"),
        get("/data/search/elements/{xsi_type}/versions", types.versions),
        get("/data/search/saved", saved_searches.listing),
        get("/data/search/saved/{id}", saved_searches.document),
        post("/data/search/saved/{id}", saved_searches.save, "PUT"),
        post("/data/search/saved/{id}", saved_searches.delete, "DELETE"),
        get("/data/search/saved/{id}/results", saved_searches.results),
        get(p + "/searches", saved_searches.listing),
        get(p + "/searches/{id}", saved_searches.document),
        post(p + "/searches/{id}", saved_searches.save, "PUT"),
        post(p + "/searches/{id}", saved_searches.delete, "DELETE"),
        get(p + "/searches/{id}/results", saved_searches.results),
        get("/data/search/{id}", search.page),
        get("/data/search/{id}/{column}", search.values),
        get("/data/terms", terms.mine),
        get(p + "/terms/{tier}", terms.terms),
        post(p + "/terms/{tier}", terms.accept, "PUT"),
        post(p + "/terms/{tier}", terms.change_terms),
        get(p + "/tiers", terms.holders),
        post(p + "/tiers/{tier}/users/{login}", terms.grant, "PUT"),
        post(p + "/tiers/{tier}/users/{login}", terms.withdraw, "DELETE"),
        get("/xapi/schemas", schemas.names),
        get("/xapi/schemas/datatypes", schemas.data_types),
        get("/xapi/schemas/datatypes/searchable", schemas.searchable),
        get("/xapi/schemas/datatypes/names/{xsi_type}", schemas.type_names),
        post("/xapi/schemas/datatypes/names", schemas.type_names),
        get("/xapi/schemas/datatypes/elements/{xsi_type}", schemas.type_elements),
        post("/xapi/schemas/datatypes/elements", schemas.type_elements),
        get("/xapi/schemas/{name:path}", schemas.schema),
        get("/xapi/{name:path}.xsd", schemas.schema),
        get("/schemas/{name:path}", schemas.schema),
        get("/xapi/siteConfig/buildInfo", site.build_info, open_to_all=True),
        get("/xapi/siteConfig/buildInfo/{property}", site.build_property, open_to_all=True),
        get("/xapi/plugins", site.plugins),
        get("/xapi/users/username", sessions.user_name),
        get("/xapi/connectomedb", site.announcement),
        post("/xapi/connectomedb/explain", search.explain),
        post("/xapi/connectomedb/facets", facets.facet),
        # Searches come first: there are many addresses here, and each is tried in turn.
        *hierarchy_table.legacy_routes(get, post),
        *hierarchy_table.hierarchy_routes(get, post),
        *hierarchy_table.beside_routes(get, post),
        # What is left below a project; last, as any word fits.
        *hierarchy_table.project_setting_routes(get, post),
    ]


def make_app(site: Site, *, session_lifetime_s: float = 1800, require_login: bool = True) -> Starlette:
    """The application that serves an open site; closing the site stays the caller's business."""
    app = Starlette(
        routes=routes(),
        middleware=[
            Middleware(OldAddresses),
            Middleware(SafeHeaders),
            Middleware(GZipMiddleware, minimum_size=2000, compresslevel=4),
        ],
        exception_handlers={HTTPException: on_http_exception, Exception: on_fault},
    )
    app.router.redirect_slashes = False  # a redirected POST becomes a GET in the clients
    app.state.site = site
    app.state.answers = Answers()
    app.state.gate = Gate(session_lifetime_s, require_login)
    return app


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

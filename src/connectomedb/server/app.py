"""The site as an ASGI application: the route table, and what every request passes through.

One spelling of each address stands in the table; `OldAddresses` brings the others to it.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute, Match, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectomedb.objects.held import open_held
from connectomedb.server.answers import Answers
from connectomedb.server.audit import Audit, AuditLog
from connectomedb.server.auth import Gate
from connectomedb.server.failures import on_fault, on_http_exception
from connectomedb.server.inbound import Handler, endpoint
from connectomedb.server.outbound import WEB
from connectomedb.server.routes import (
    access,
    audit_log,
    facets,
    files,
    hierarchy_table,
    project_people,
    resources,
    saved_searches,
    schemas,
    search,
    sessions,
    sharing,
    site,
    site_config,
    terms,
    tokens,
    types,
    users,
)
from connectomedb.store.site import Site

_BYTES_OF_FILES = re.compile(r"/files/|[?&](?:format=(?:zip|tar|tgz)|index=)")


class QuickRoute(Route):
    """A route that sees at a glance that an address is none of its own: most are tried for every request."""

    def __init__(self, path: str, *args: Any, **options: Any) -> None:
        super().__init__(path, *args, **options)
        self._begins = path.partition("{")[0]
        self._n_slashes = None if ":path}" in path or ":item}" in path else path.count("/")

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


def sending(path: str, handler: Handler) -> Route:
    """Takes a body of any size, while it comes."""
    return QuickRoute(path, endpoint(handler, reads_body=False), methods=["PUT", "POST"])


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
        get("/xapi/connectomedb", site.announcement),
        post("/xapi/connectomedb/explain", search.explain),
        post("/xapi/connectomedb/facets", facets.facet),
        *_people(),
        *_sharing(),
        *file_routes("/data/{item:item}"),
        post("/data/services/refresh/catalog", resources.refresh),
        # Searches come first: there are many addresses here, and each is tried in turn.
        *hierarchy_table.legacy_routes(get, post),
        *hierarchy_table.hierarchy_routes(get, post),
        *hierarchy_table.beside_routes(get, post),
        # What is left below a project; last, as any word fits.
        *hierarchy_table.project_setting_routes(get, post),
    ]


def _people() -> list[BaseRoute]:
    """Accounts, logins, tokens, rights, settings of the site, the audit log."""
    p, users_, one = "/data/projects/{project}", "/xapi/users", "/xapi/users/{user}"
    tokens_, config = "/data/services/tokens", "/xapi/siteConfig"
    return [
        get("/app/template/Login.vm", site.home, open_to_all=True),
        get("/app/template/Index.vm", site.home, open_to_all=True),
        get("/data/users", users.table),
        get("/data/users/favorites/{type}", users.favorites),
        post("/data/users/favorites/{type}/{project}", users.keep_favorite, "PUT"),
        post("/data/users/favorites/{type}/{project}", users.drop_favorite, "DELETE"),
        get("/data/user", users.one_old),
        get("/data/user/{user}", users.one_old),
        get("/data/user/{user}/roles", users.roles_table),
        post("/data/user/{user}/roles", users.give_roles),
        get("/data/user/{user}/sessions", sessions.count_sessions),
        post("/data/user/{user}/sessions", sessions.end_sessions, "DELETE"),
        get(tokens_ + "/issue", tokens.issue),
        get(tokens_ + "/issue/user/{user}", tokens.issue),
        get(tokens_ + "/show", tokens.show),
        get(tokens_ + "/show/user/{user}", tokens.show),
        get(tokens_ + "/validate/{alias}/{secret}", tokens.validate),
        get(tokens_ + "/invalidate/{alias}", tokens.invalidate),
        get(tokens_ + "/invalidate/{alias}/{secret}", tokens.invalidate),
        get(tokens_ + "/{operation}", tokens.incomplete),
        get(tokens_ + "/{operation}/{rest:path}", tokens.incomplete),
        get(p + "/users", project_people.users),
        get(p + "/users/{disabled}", project_people.users),
        post(p + "/users/{group}/{user}", project_people.add_users, "PUT"),
        post(p + "/users/{group}/{user}", project_people.remove_users, "DELETE"),
        get(p + "/groups", project_people.groups),
        post(p + "/groups/{group}", project_people.keep_group, "PUT", "POST"),
        post(p + "/groups/{group}", project_people.drop_group, "DELETE"),
        get(p + "/accessibility", project_people.accessibility),
        post(p + "/accessibility", project_people.set_accessibility, "PUT"),
        post(p + "/accessibility/{level}", project_people.set_accessibility, "PUT"),
        get(p + "/prearchive_code", project_people.prearchive_code),
        post(p + "/prearchive_code/{code}", project_people.set_prearchive_code, "PUT"),
        get(p + "/quarantine_code", project_people.quarantine_code),
        post(p + "/quarantine_code/{code}", project_people.set_quarantine_code, "PUT"),
        get(p + "/pars", project_people.project_requests),
        post(p + "/pars", project_people.ask_access, "PUT", "POST"),
        get("/data/pars", project_people.my_requests),
        get("/data/pars/{id}", project_people.one_request),
        post("/data/pars/{id}", project_people.answer_request, "PUT"),
        get(users_, users.names),
        post(users_, users.create),
        get(users_ + "/username", users.user_name),
        get(users_ + "/profiles", users.profiles),
        get(users_ + "/profile", users.profile),
        get(users_ + "/profile/{user}", users.profile),
        get(users_ + "/projects", users.projects),
        get(users_ + "/current", sessions.current),
        get(users_ + "/active", sessions.active),
        get(users_ + "/active/{user}", sessions.active_of),
        post(users_ + "/active/{user}", sessions.end_sessions, "DELETE"),
        get(users_ + "/authProviders", users.providers),
        get(users_ + "/authDetails/{user}", users.auth_details),
        get(one, users.profile),
        post(one, users.change, "PUT"),
        get(one + "/enabled", users.enabled),
        post(one + "/enabled", users.set_enabled, "PUT"),
        post(one + "/enabled/{value}", users.set_enabled, "PUT"),
        get(one + "/verified", users.verified),
        post(one + "/verified", users.set_verified, "PUT"),
        post(one + "/verified/{value}", users.set_verified, "PUT"),
        get(one + "/roles", users.roles),
        post(one + "/roles/{role}", users.give_role, "PUT"),
        post(one + "/roles/{role}", users.take_role, "DELETE"),
        get(one + "/groups", users.groups),
        post(one + "/groups/{group}", users.enter_group, "PUT"),
        post(one + "/groups/{group}", users.leave_group, "DELETE"),
        get("/xapi/access/projects", access.projects),
        get("/xapi/access/displays/{kind}", access.displays),
        get("/xapi/role/projects", access.role_projects),
        get("/xapi/roles", access.roles),
        get(config, site_config.all_settings),
        post(config, site_config.change_settings),
        get(config + "/uptime", site_config.uptime),
        get(config + "/values/{names}", site_config.some_settings),
        *(get(f"{config}/{n}", site_config.open_setting, open_to_all=True) for n in site_config.OPEN_NAMES),
        get(config + "/{name}", site_config.one_setting),
        post(config + "/{name}", site_config.change_setting),
        get("/xapi/connectomedb/audit", audit_log.lines),
    ]


def _sharing() -> list[BaseRoute]:
    """Every way to say an item, and the projects that it is in."""
    p, s, e, a = (
        "/data/projects/{project}",
        "/subjects/{subject}",
        "/experiments/{experiment}",
        "/assessors/{assessor}",
    )
    experiments = (p + s + e, p + e, "/data" + s + e, "/data" + e)
    items = (p + s, "/data" + s, *experiments, *(one + a for one in experiments))
    return [
        route
        for item in items
        for route in (
            get(item + "/projects", sharing.projects),
            post(item + "/projects/{target}", sharing.share, "PUT"),
            post(item + "/projects/{target}", sharing.unshare, "DELETE"),
        )
    ]


def file_routes(item: str) -> list[BaseRoute]:
    """Resources and files of every kind of item."""
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

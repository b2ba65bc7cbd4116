"""Every route and everybody: generated from the route table, so that a new route without an entry fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import httpx2
import pytest
from starlette.routing import Mount, Route
from tests.conformance.people.conftest import PASSWORD, World

from connectomedb.server.app import routes
from connectomedb.server.run import ServerThread
from connectomedb.store.archive import Archive
from connectomedb.store.configuration import configuration
from connectomedb.store.project_people import access_request

CALLERS = ("guest", "stranger", "collaborator", "member", "owner", "admin")
_ITEMS = (
    "{p}/subjects/{subject}",
    "/data/subjects/{subject}",
    *(
        form + assessor
        for form in (
            "{p}/subjects/{subject}/experiments/{experiment}",
            "{p}/experiments/{experiment}",
            "/data/subjects/{subject}/experiments/{experiment}",
            "/data/experiments/{experiment}",
        )
        for assessor in ("", "/assessors/{assessor}")
    ),
)
SEARCH = (
    '<xdat:search xmlns:xdat="http://nrg.wustl.edu/security"><xdat:root_element_name>xnat:subjectData'
    "</xdat:root_element_name></xdat:search>"
)


@dataclass(frozen=True)
class Entry:
    """What the matrix says about a route."""

    statuses: tuple[int, ...]
    is_open: bool


def matrix() -> dict[str, Entry]:
    """The entries of matrix.txt by `methods path`."""
    found: dict[str, Entry] = {}
    for line in (Path(__file__).parent / "matrix.txt").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        methods, path, *rest = line.split()
        is_open = rest[-1] == "open"
        entry = Entry(tuple(int(status) for status in rest[: len(CALLERS)]), is_open)
        assert len(rest) == len(CALLERS) + is_open, line
        for item in _ITEMS if "{item}" in path else ("",):
            name = path.replace("{item}", item.replace("{p}", "/data/projects/{project}"))
            assert f"{methods} {name}" not in found, f"twice in the matrix: {methods} {name}"
            found[f"{methods} {name}"] = entry
    return found


def table() -> list[str]:
    """The routes that are served, by `methods path`."""
    found = []
    for route in routes():
        if isinstance(route, Mount):
            assert route.path == "/web", f"{route.path}: only the pages' own files are mounted"
            continue
        assert isinstance(route, Route)
        methods = sorted(set(route.methods or ()) - {"HEAD"})
        found.append(f"{','.join(methods)} {route.path}")
    return found


MATRIX = matrix()


# Addresses of something inside a project. What its members may do there is tested with what they do
# (tests/conformance/hierarchy, tests/conformance/files); here, that nobody else gets anything.
INSIDE = sorted(
    route
    for route in set(table()) - set(MATRIX)
    if any(one in route for one in ("{project}", "{subject}", "{experiment}", "{item:item}"))
)


def test_every_route_has_its_entry_and_every_entry_its_route() -> None:
    assert sorted(set(table()) - set(MATRIX) - set(INSIDE)) == [], "say in matrix.txt who gets what there"
    assert sorted(set(MATRIX) - set(table())) == [], "these are served no more"


@dataclass(frozen=True)
class Stage:
    """The world, a server that lets guests in, one that does not, and the ids of what is asked for."""

    world: World
    opened: str
    closed: str
    ids: dict[str, str]

    def address(self, path: str) -> str:
        """A route's path with names in it that make sense there."""
        if path.endswith("/{id}") and "search" in path:
            path = path.replace("{id}", str(next(_FRESH)))  # each is saved once
        for name, value in {**NAMES, **({} if "{project}" in path else self.ids)}.items():
            path = path.replace("{" + name + "}", value)
        assert "{" not in path, f"no example for {path}"
        return path

    def prepare(self, route: str) -> None:
        """Bring back what a request before may have taken or made."""
        archive = self.world.site.archive
        for key, make in PREPARED.items():
            if route.endswith(key):
                make(archive)
        if route.endswith("/projects/{target}"):
            admin = archive.find_user("admin")
            item = self.item(route)
            shared = "SEEN" in [project for _, project, *_ in archive.shown_in(item, admin)]
            if route.startswith("PUT") and shared:
                archive.unshare(item, "SEEN", admin)
            elif route.startswith("DELETE") and not shared:
                archive.share(item, "SEEN", item, admin)

    def item(self, route: str) -> str:
        """Id of the item that a route is about."""
        for name in ("assessor", "experiment", "subject"):
            if "{" + name + "}" in route:
                return self.ids[name]
        raise AssertionError(route)


NAMES = {
    "project": "HIDDEN",
    "subject": "one",
    "experiment": "one_3T",
    "assessor": "one_QC",
    "target": "SEEN",
    "user": "somebody",
    "group": "HIDDEN_helpers",
    "level": "private",
    "code": "1",
    "disabled": "true",
    "type": "Project",
    "alias": "00000000-0000-0000-0000-000000000000",
    "secret": "x",
    "operation": "frobnicate",
    "rest:path": "a/b",
    "kind": "readable",
    "names": "enableCsrfToken",
    "name": "enableCsrfToken",
    "name:path": "xnat",
    "property": "version",
    "role": "DataManager",
    "value": "true",
    "xsi_type": "xnat:subjectData",
    "id": "77777777",
    "column": "label",
    "tier": "restricted",
    "scan": "1",
    "reconstruction": "1",
    "resource": "NOTES",
    "path:path": "a.txt",
    "item:item": "projects/HIDDEN/subjects/one",
    "tool": "mytool",
    "number": "1",
    "setting": "accessibility",
    "value:path": "private",
    "view": "one",
    "again": "one",
    "dictionary": "Subject Information",
    "login": "somebody",
}
_FRESH = count(50_000_000)
BODIES: dict[str, dict[str, object]] = {
    "POST /data/search": {"content": SEARCH},
    "POST /xapi/connectomedb/explain": {"content": SEARCH},
    "POST /xapi/connectomedb/facets": {"content": SEARCH},
    "PUT /data/search/saved/{id}": {"content": SEARCH},
    "PUT /data/projects/{project}/searches/{id}": {"content": SEARCH},
    "POST /data/user/{user}/roles": {"params": {"roles": "DataManager"}},
    "PUT /xapi/users/{user}": {"json": {"firstName": "Some"}},
    "POST /xapi/siteConfig": {"json": {"siteDescription": "synthetic"}},
    "POST /xapi/siteConfig/{name}": {"content": "true"},
    "PUT /data/pars/{id}": {"params": {"accept": "true"}},
    "POST /xapi/users": {"json": {"username": "brandnew", "password": PASSWORD}},
    "POST,PUT /data/projects/{project}/groups/{group}": {"params": {"xdat:userGroup/displayName": "Helpers"}},
}


def _helpers(archive: Archive) -> None:
    people = archive.people
    admin = people.accounts.find("admin")
    people.keep_group("HIDDEN", "HIDDEN_helpers", "Helpers", {}, admin)
    people.add_people("HIDDEN", "Helpers", "somebody", admin)


def _nobody_waits(archive: Archive) -> None:
    with archive.engine.begin() as connection:
        connection.execute(access_request.delete())


def _nothing_configured(archive: Archive) -> None:
    with archive.engine.begin() as connection:
        connection.execute(configuration.delete())


PREPARED: dict[str, Callable[[Archive], None]] = {
    "/config/{tool}": _nothing_configured,
    "/config/{tool}/{path:path}": _nothing_configured,
    "/pars": _nobody_waits,
    "/groups/{group}": _helpers,
    "/users/{group}/{user}": _helpers,
}


@pytest.fixture(scope="module")
def stage(world: World) -> Iterator[Stage]:
    """Two servers on the site: one open to guests, one closed."""
    archive = world.site.archive
    archive.people.accounts.add("somebody", PASSWORD)
    admin = archive.find_user("admin")
    subject = archive.locate_subject("one", admin, project="HIDDEN")
    ids = {"subject": subject.id}
    for name, label in (("experiment", "one_3T"), ("assessor", "one_QC")):
        ids[name] = archive.locate_experiment(label, admin, project="HIDDEN").id
    with (
        ServerThread(world.site, require_login=False) as opened,
        ServerThread(world.site, require_login=True) as closed,
    ):
        yield Stage(world, opened.url, closed.url, ids)


@pytest.mark.parametrize("route", sorted(MATRIX))
def test_everybody_gets_what_the_reference_says(stage: Stage, route: str) -> None:
    entry, (methods, path) = MATRIX[route], route.split(" ")
    expected = dict(zip(CALLERS, entry.statuses, strict=True))
    for method in methods.split(","):
        found = {}
        for caller in CALLERS:
            stage.prepare(route)
            cookie = {} if caller == "guest" else {"Cookie": f"JSESSIONID={stage.world.session(caller)}"}
            found[caller] = _ask(stage, stage.opened, method, route, path, cookie).status_code
        assert found == expected


@pytest.mark.parametrize("route", INSIDE)
def test_what_is_inside_a_project_is_nothing_to_those_outside(stage: Stage, route: str) -> None:
    methods, path = route.split(" ")
    for method in methods.split(","):
        for caller in ("guest", "stranger"):
            cookie = {} if caller == "guest" else {"Cookie": f"JSESSIONID={stage.world.session(caller)}"}
            answer = _ask(stage, stage.opened, method, route, path, cookie)
            assert answer.status_code in (403, 404), f"{caller}: {method} {path}: {answer.text[:300]}"


@pytest.mark.parametrize("route", sorted((*MATRIX, *INSIDE)))
def test_whoever_is_nobody_any_more_is_let_in_nowhere(stage: Stage, route: str) -> None:
    """Nobody at all, a login that was ended, and a disabled account, on a closed site."""
    methods, path = route.split(" ")
    entry = MATRIX.get(route, Entry((), False))
    archive = stage.world.site.archive
    archive.people.accounts.change("disabled", enabled=True)
    ended, disabled = stage.world.session("owner"), stage.world.session("disabled")
    archive.close_session(ended)
    archive.people.accounts.change("disabled", enabled=False)
    stage.prepare(route)
    for method in methods.split(","):
        for headers in ({}, {"Cookie": f"JSESSIONID={ended}"}, {"Cookie": f"JSESSIONID={disabled}"}):
            answer = _ask(stage, stage.closed, method, route, path, headers)
            assert answer.status_code == (entry.statuses[0] if entry.is_open else 401), answer.text
            if answer.status_code == 401:
                assert answer.headers["www-authenticate"].startswith("Basic realm=")


def test_a_wrong_password_is_401_everywhere(stage: Stage) -> None:
    with httpx2.Client(base_url=stage.closed) as client:
        for route in MATRIX:
            methods, path = route.split(" ")
            wrong = {"Authorization": "Basic bm9ib2R5"}  # unreadable: nothing is counted
            answer = client.request(methods.split(",")[0], stage.address(path), headers=wrong)
            assert answer.status_code == 401, route


def _ask(
    stage: Stage, url: str, method: str, route: str, path: str, headers: dict[str, str]
) -> httpx2.Response:
    with httpx2.Client(base_url=url, headers=headers) as client:
        options = dict(BODIES.get(route, {}))
        if route.startswith("PUT /xapi/custom-fields/"):
            options = {"json": {"shade": "synthetic"}}
        if route.startswith("PUT") and route.endswith("/projects/{target}"):
            options = {"params": {"label": stage.item(route)}}
        answer = client.request(method, stage.address(path), **options)  # type: ignore[arg-type]  # as given
    if route == "POST /xapi/users" and answer.status_code == 201:
        assert answer.json()["username"] == "brandnew"
    return answer

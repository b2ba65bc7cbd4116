"""A running site with a few people on each database; every test makes projects of its own."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx2
import pytest
from tests.conformance.store.conftest import new_database, postgresql_url  # noqa: F401  # a fixture

from connectomedb.server.run import ServerThread
from connectomedb.store.site import Site, init_site

PASSWORD = "only-for-this-test"
PEOPLE = ("ann", "max", "col", "sue")
_NUMBERS = itertools.count(1)
Client = httpx2.Client


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    database = ""
    if request.param == "postgresql":
        database = new_database("postgresql", request, tmp_path_factory)
    made = init_site(tmp_path_factory.mktemp("hierarchy") / "site", database=database, site_id="CDB")
    made.archive.add_user("root", PASSWORD, is_admin=True)
    for login in PEOPLE:
        made.archive.add_user(login, PASSWORD)
    with made:
        yield made


@pytest.fixture(scope="module")
def url(site: Site) -> Iterator[str]:
    with ServerThread(site) as running:
        yield running.url


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[Callable[[str], Client]]:
    """A caller by login."""
    with ExitStack() as stack:
        made: dict[str, Client] = {}

        def of(login: str) -> Client:
            if login not in made:
                made[login] = stack.enter_context(Client(base_url=url, auth=(login, PASSWORD), timeout=30))
            return made[login]

        yield of


@pytest.fixture
def ann(client: Callable[[str], Client]) -> Client:
    """Owner of what she founds."""
    return client("ann")


@pytest.fixture
def sue(client: Callable[[str], Client]) -> Client:
    """Sees nothing that is not public."""
    return client("sue")


@pytest.fixture
def project(ann: Client, site: Site) -> str:
    """A private project of ann's; max is a member, col a collaborator."""
    name = f"P{next(_NUMBERS)}"
    assert ann.put(f"/data/projects/{name}?accessibility=private").status_code == 200
    site.archive.grant(name, "max", "member")
    site.archive.grant(name, "col", "collaborator")
    return name

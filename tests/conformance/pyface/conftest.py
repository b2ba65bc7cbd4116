"""A site of its own on each database, and our `Interface` on it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conformance.store.conftest import new_database, postgresql_url  # noqa: F401  # a fixture

from connectomedb.client.hierarchy import Experiment, Project, Subject
from connectomedb.client.interface import Interface
from connectomedb.client.transport import NetworkTransport, RecordingTransport
from connectomedb.server.run import ServerThread
from connectomedb.store.site import init_site

PASSWORD = "only-for-this-test"
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    database = ""
    if request.param == "postgresql":
        database = new_database("postgresql", request, tmp_path_factory)
    made = init_site(tmp_path_factory.mktemp("pyface") / "site", database=database, site_id="CDB")
    made.archive.add_user("root", PASSWORD, is_admin=True)
    for login in ("ann", "max"):
        made.archive.add_user(login, PASSWORD)
    with made, ServerThread(made) as running:
        yield running.url


@pytest.fixture
def wire() -> RecordingTransport:
    return RecordingTransport(NetworkTransport())


@pytest.fixture
def cdb(url: str, wire: RecordingTransport) -> Iterator[Interface]:
    with Interface(url, "ann", PASSWORD, transport=wire) as interface:
        yield interface


@pytest.fixture
def project(cdb: Interface) -> Project:
    made = cdb.select.project(f"P{next(_NUMBERS)}")
    made.create()
    return made


@pytest.fixture
def subject(project: Project) -> Subject:
    made = project.subject("one")
    made.create()
    return made


@pytest.fixture
def session(subject: Subject) -> Experiment:
    made = subject.experiment("one_MR")
    made.create(experiments="xnat:mrSessionData")
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files in a folder with a folder."""
    root = tmp_path / "data"
    (root / "deep").mkdir(parents=True)
    (root / "a.txt").write_bytes(b"synthetic a")
    (root / "deep" / "b c.txt").write_bytes(b"synthetic b")
    return root

"""A small site with people of every kind, on both databases, and a server on it: files go in and out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx2
import pytest
from tests.conformance.store.conftest import database, postgresql_url  # noqa: F401 - pytest finds them here

from connectomedb.schema.model import Item
from connectomedb.server.run import ServerThread
from connectomedb.store.site import Site, init_site

SESSION = "/data/projects/P/subjects/S1/experiments/S1_MR"
PLACES = (
    "/data/projects/P",
    "/data/projects/P/subjects/S1",
    SESSION,
    "/data/projects/P/experiments/S1_MR",
    f"{SESSION}/scans/3",
    f"{SESSION}/reconstructions/R1/out",
    f"{SESSION}/reconstructions/R1/in",
    f"{SESSION}/assessors/QC1/out",
    f"{SESSION}/assessors/QC1/in",
    "/data/projects/P/experiments/S1_NT",
)


def fill(site: Site) -> None:
    """Projects, people and a session with all its parts. The data are synthetic."""
    archive = site.archive
    for login in ("admin", "alice", "bob", "carol", "mary"):
        archive.add_user(login, f"{login}-of-the-test", is_admin=login == "admin")
    archive.add_project("P", insert_user="admin")
    archive.add_project("OTHER", insert_user="admin")
    archive.add_project("SEEN", accessibility="protected", insert_user="admin")
    archive.grant("P", "alice", "owner")
    archive.grant("P", "mary", "member")
    archive.grant("P", "bob", "collaborator")
    archive.grant("OTHER", "carol", "owner")
    scans = (
        Item("xnat:mrScanData", {"ID": "3", "type": "T1w"}),
        Item("xnat:mrScanData", {"ID": "4", "type": "rest run/1"}),
        Item("xnat:mrScanData", {"ID": "5", "type": "rest run/1"}),
    )
    parts = {
        "scans/scan": scans,
        "reconstructions/reconstructedImage": (Item("xnat:reconstructedImageData", {"ID": "R1"}),),
    }
    archive.store_items(
        [
            Item("xnat:subjectData", {"label": "S1"}),
            Item("xnat:mrSessionData", {"label": "S1_MR", "subject_ID": "S1"}, parts),
            Item("xnat:qcManualAssessorData", {"label": "QC1", "imageSession_ID": "S1_MR"}),
            Item("nt:scores", {"label": "S1_NT", "subject_ID": "S1"}),
        ],
        user="admin",
        project="P",
    )


@dataclass(frozen=True)
class Running:
    """A served site, and callers of it."""

    site: Site
    url: str
    caller: Callable[[str], httpx2.Client]


@pytest.fixture(scope="module")
def running(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:  # noqa: F811 - the fixture
    site = init_site(tmp_path_factory.mktemp("files") / "site", database=database)
    clients: dict[str, httpx2.Client] = {}
    with site:
        fill(site)
        with ServerThread(site) as server:

            def caller(login: str) -> httpx2.Client:
                if login not in clients:
                    auth = (login, f"{login}-of-the-test") if login else None
                    clients[login] = httpx2.Client(base_url=server.url, auth=auth, timeout=60)
                return clients[login]

            yield Running(site, server.url, caller)
            for client in clients.values():
                client.close()


@pytest.fixture(scope="module")
def alice(running: Running) -> httpx2.Client:
    """Owns the project."""
    return running.caller("alice")

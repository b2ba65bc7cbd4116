"""A small synthetic site with a person of every kind, served over real HTTP on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

import httpx2
import pytest
from tests.conformance.store.conftest import database, postgresql_url

from connectomedb.schema.model import Item
from connectomedb.server.run import ServerThread
from connectomedb.store.site import Site, init_site
from connectomedb.vocabulary.records import Group

__all__ = ["database", "postgresql_url"]

PASSWORD = "password-of-the-test"
PEOPLE = ("admin", "owner", "member", "collaborator", "stranger", "disabled")
_NUMBERS = count(1)


@dataclass(frozen=True)
class World:
    """The site, its address, and a client for each person; their cookies are all that vouches for them."""

    site: Site
    url: str
    logins: dict[str, str] = field(default_factory=dict)

    def client(self, login: str = "", **options: object) -> httpx2.Client:
        """A client with the cookie of a login; '' is nobody."""
        headers = dict(options.pop("headers", {}))  # type: ignore[call-overload]  # a mapping where given
        if login:
            headers["Cookie"] = f"JSESSIONID={self.session(login)}"
        return httpx2.Client(base_url=self.url, headers=headers, **options)  # type: ignore[arg-type]  # as given

    def session(self, login: str) -> str:
        """A fresh login of a person."""
        return self.site.archive.open_session(login, 1800).session_id

    def ask(self, login: str, method: str, path: str, **options: object) -> httpx2.Response:
        """One request of a person."""
        with self.client(login) as client:
            return client.request(method, path, **options)  # type: ignore[arg-type]  # as given

    def person(self, prefix: str = "person", **options: object) -> str:
        """A new account."""
        login = f"{prefix}{next(_NUMBERS)}"
        self.site.archive.people.accounts.add(login, PASSWORD, **options)  # type: ignore[arg-type]  # as given
        return login

    def project(self, accessibility: str = "private") -> str:
        """A new project, owned by `owner`, with one subject and its session, and the usual people in it."""
        name = f"P{next(_NUMBERS)}"
        fill_project(self.site, name, accessibility)
        return name


def fill_project(site: Site, name: str, accessibility: str) -> None:
    """A project with one subject, a session and an assessor, and the usual people in it."""
    archive = site.archive
    archive.add_project(name, accessibility=accessibility, insert_user="admin")  # type: ignore[arg-type]  # a word
    groups: tuple[Group, ...] = ("owner", "member", "collaborator")
    for group in groups:
        archive.grant(name, group, group)
    (subject,) = archive.store_items(
        [Item("xnat:subjectData", {"label": "one"})], user="owner", project=name
    ).ids
    (session,) = archive.store_items(
        [Item("xnat:mrSessionData", {"label": "one_3T", "subject_ID": subject})], user="owner", project=name
    ).ids
    qc = Item("xnat:qcManualAssessorData", {"label": "one_QC", "imageSession_ID": session})
    if "xnat:qcManualAssessorData" in archive.types:
        archive.store_items([qc], user="owner", project=name)


@pytest.fixture(scope="module")
def world(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The site, served."""
    with init_site(tmp_path_factory.mktemp("people") / "site", database=database, synthetic=True) as site:
        for login in PEOPLE:
            site.archive.people.accounts.add(
                login,
                PASSWORD,
                is_admin=login == "admin",
                email=f"{login}@example.org",
                lastname=login.title(),
            )
        fill_project(site, "HIDDEN", "private")
        fill_project(site, "SEEN", "protected")
        fill_project(site, "OPEN", "public")
        with ServerThread(site) as server:
            yield World(site, server.url)

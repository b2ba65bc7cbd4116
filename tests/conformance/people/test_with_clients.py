"""pyxnat 1.6.4 and xnatpy 0.8.1, unmodified: people, rights, logins and tokens; and what xnatctl sends."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from tests.conformance.people.conftest import PASSWORD, World

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the peers' own code, unmodified
    import pyxnat
    import xnat

pytestmark = pytest.mark.filterwarnings("ignore::Warning:xnat.*")


@pytest.fixture
def cdb(world: World) -> Iterator[Any]:
    """pyxnat as an owner."""
    interface = pyxnat.Interface(world.url, "owner", PASSWORD)
    yield interface
    interface.disconnect()


def connected(world: World, *account: str, **options: Any) -> Any:
    """xnatpy, connected."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes in the classes that it generates
        pair = dict(zip(("user", "password"), account, strict=False))
        return xnat.connect(world.url, loglevel="ERROR", **pair, **options)


def test_pyxnat_people_of_a_project(world: World, cdb: Any) -> None:
    login = world.person()
    project = cdb.select.project(world.project())
    assert sorted(project.users()) == ["collaborator", "member", "owner"]
    assert (project.owners(), project.members(), project.collaborators()) == (
        ["owner"],
        ["member"],
        ["collaborator"],
    )
    assert project.user_role("member") == "member"
    project.add_user(login, "collaborator")
    assert project.user_role(login) == "collaborator"
    project.add_user(login, "owner")
    assert login in project.owners()
    project.remove_user(login)
    assert login not in project.users()


def test_pyxnat_accessibility_and_codes(world: World, cdb: Any) -> None:
    project = cdb.select.project(world.project())
    assert project.accessibility() == b"private"
    for level in ("protected", "public", "private"):
        project.set_accessibility(level)
        assert project.accessibility() == level.encode()
    assert (project.prearchive_code(), project.quarantine_code()) == (4, 0)
    project.set_prearchive_code("0")
    assert project.prearchive_code() == 0


def test_pyxnat_users_of_the_site(world: World, cdb: Any) -> None:
    assert {"admin", "owner", "stranger"} <= set(cdb.manage.users())
    assert "disabled" in cdb.manage.users()
    assert cdb.manage.users.lastname("stranger") == "Stranger"
    assert cdb.manage.users.email("owner") == "owner@example.org"
    assert int(cdb.manage.users.id("admin")) == 1


def test_pyxnat_is_refused_in_words(world: World) -> None:
    interface = pyxnat.Interface(world.url, "member", PASSWORD)
    name = world.project()
    with pytest.raises(pyxnat.core.errors.DatabaseError, match="owner"):
        interface.select.project(name).add_user("stranger", "member")
    interface.disconnect()


def test_pyxnat_shares(world: World, cdb: Any) -> None:
    source, target = world.project(), world.project()
    archive = world.site.archive
    archive.delete_item(
        archive.locate_subject("one", archive.find_user("admin"), project=target).id,
        archive.find_user("admin"),
    )
    subject = cdb.select.project(source).subject("one")
    subject.share(target)
    assert sorted(p.id() for p in subject.shares()) == sorted([source, target])
    assert cdb.select.project(target).subject("one").exists()
    subject.unshare(target)
    assert not cdb.select.project(target).subject("one").exists()


def test_xnatpy_people(world: World) -> None:
    name, login = world.project(), world.person()
    with connected(world, "owner", PASSWORD) as session:
        assert session.users["stranger"].last_name == "Stranger"
        project = session.projects[name]
        assert {user: project.users[user].access_level for user in project.users} == {
            "owner": "Owners",
            "member": "Members",
            "collaborator": "Collaborators",
        }
        assert project.access_level == "Owners"
        project.set_access(login, "member")
        again = session.projects[name].users
        assert again[login].access_level == "Members"
        assert again[login].group == f"{name}_member"
        project.remove_access(again[login])
        assert login not in session.projects[name].users


def test_xnatpy_tokens_and_keepalive(world: World) -> None:
    with connected(world, "member", PASSWORD) as session:
        alias, secret = session.services.issue_token()
        session.heartbeat()
    with connected(world, alias, secret) as by_token:
        assert by_token.logged_in_user == "member"
        assert "HIDDEN" in by_token.projects
    world.site.archive.people.sessions.void_token(alias)
    with pytest.raises(Exception, match=r"(?i)log|auth|401"):
        connected(world, alias, secret)


def test_xnatpy_reuses_a_session_and_is_told_when_it_ended(world: World) -> None:
    jsession = world.session("member")
    with connected(world, jsession=jsession, user="member") as session:
        assert session.logged_in_user == "member"
        world.ask("admin", "DELETE", "/data/user/member/sessions")
        with pytest.raises(Exception, match="401"):
            session.get("/data/projects")


def test_xnatpy_as_guest_of_an_open_site(world: World) -> None:
    world.ask("admin", "POST", "/xapi/siteConfig/requireLogin", content="false")
    try:
        with connected(world) as session:
            assert {"SEEN", "OPEN"} <= {project.id for project in session.projects.values()}
            assert "HIDDEN" not in session.projects
    finally:
        world.ask("admin", "POST", "/xapi/siteConfig/requireLogin", content="true")


def test_requests_as_xnatctl_sends_them(world: World) -> None:
    """Basic once for a session id, then the cookie; JSON of /xapi/users and of project users."""
    with world.client(headers={"User-Agent": "xnatctl/1.0"}) as client:
        session = client.post("/data/JSESSION", auth=("admin", PASSWORD)).text
        client.cookies.clear()
        cookie = {"Cookie": f"JSESSIONID={session}"}
        assert client.get("/xapi/users/username", headers=cookie).text == "admin"
        assert "owner" in client.get("/xapi/users", headers=cookie).json()
        assert client.get("/xapi/users/owner", headers=cookie).json()["username"] == "owner"
        listing = client.get("/data/projects/HIDDEN/users?format=json", headers=cookie).json()
        assert len(listing["ResultSet"]["Result"]) == 3
        login, name = world.person(), world.project()
        path = f"/data/projects/{name}/users/Collaborators/{login}"
        assert client.put(path, headers=cookie).status_code == 200
        assert client.delete(path, headers=cookie).status_code == 200
        assert client.delete("/data/JSESSION", headers=cookie).status_code == 200
        assert client.get("/data/auth", headers=cookie).status_code == 401

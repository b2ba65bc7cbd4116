"""Accounts over REST: lists, profiles, roles, groups, what an administrator changes and what oneself."""

from __future__ import annotations

from typing import Any

import pytest
from tests.conformance.people.conftest import PASSWORD, World

from connectomedb.errors import BadCredentials

NEW = "a-new-password-of-the-test"


def test_the_table_of_users(world: World) -> None:
    answer = world.ask("member", "GET", "/data/users?format=csv")
    head, *lines = answer.text.splitlines()
    assert head == "xdat_user_id,login,firstname,lastname,email"
    people = {line.split(",")[1]: line.split(",") for line in lines}
    assert people["member"][4] == "member@example.org"
    assert people["owner"][4] == ""
    for_admin = world.ask("admin", "GET", "/data/users").json()["ResultSet"]["Result"]
    assert {r["login"]: r["email"] for r in for_admin}["owner"] == "owner@example.org"


def test_profiles_never_hold_a_password(world: World) -> None:
    for path in ("/xapi/users/profile", "/xapi/users/member", "/xapi/users/profile/member"):
        answer = world.ask("member", "GET", path)
        found = answer.json()
        assert found["password"] is None
        assert "argon2" not in answer.text
        assert (found["username"], found["lastName"], found["enabled"]) == ("member", "Member", True)
    for path in ("/xapi/users/profiles", "/xapi/users/owner", "/xapi/users/nobody-of-that-name"):
        assert world.ask("member", "GET", path).status_code == 403
    every = world.ask("admin", "GET", "/xapi/users/profiles")
    assert {one["username"] for one in every.json()} >= {"admin", "owner", "disabled"}
    assert "argon2" not in every.text
    assert world.ask("admin", "GET", "/xapi/users/nobody-of-that-name").status_code == 404


def test_a_new_account(world: World) -> None:
    body: dict[str, Any] = {
        "username": "newcomer",
        "firstName": "New",
        "lastName": "Comer",
        "email": "newcomer@example.org",
        "password": PASSWORD,
        "enabled": True,
        "verified": True,
    }
    assert world.ask("owner", "POST", "/xapi/users", json=body).status_code == 403
    made = world.ask("admin", "POST", "/xapi/users", json=body)
    assert made.status_code == 201
    assert PASSWORD not in made.text
    with world.client() as client:
        assert client.get("/data/auth", auth=("newcomer", PASSWORD)).text == "User 'newcomer' is logged in"
    assert world.ask("admin", "POST", "/xapi/users", json=body).status_code == 409
    assert world.ask("admin", "POST", "/xapi/users", json={**body, "username": "NewComer"}).status_code == 409
    same_address = {**body, "username": "another"}
    assert world.ask("admin", "POST", "/xapi/users", json=same_address).status_code == 409
    assert "newcomer" in world.ask("admin", "GET", "/xapi/users").json()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"username": ""}, "username"),
        ({"username": "1st"}, "letter"),
        ({"username": "guest"}, "guest"),
        ({"username": "Profiles"}, "word of this interface"),
        ({"username": "a b"}, "usable"),
        ({"username": "x" * 65}, "64"),
        ({"username": "<b>"}, "letter"),
        ({"password": ""}, "fewer than 8"),
        ({"password": "short"}, "fewer than 8"),
        ({"password": "aaaaaaaaaaaa"}, "different characters"),
        ({"password": "Password123"}, "first that are guessed"),
        ({"password": "weaklings", "username": "weaklings"}, "is the login"),
        ({"password": "x1y2" * 300}, "more than 1024"),
        ({"email": 7}, "email"),
        ({"firstName": "a\nb"}, "firstName"),
        ({"enabled": "perhaps"}, "enabled"),
    ],
)
def test_a_bad_account_is_refused_with_the_reason(world: World, change: dict[str, Any], said: str) -> None:
    body = {"username": "weakling", "password": PASSWORD, **change}
    answer = world.ask("admin", "POST", "/xapi/users", json=body)
    assert answer.status_code == 400, answer.text
    assert said in answer.text
    assert "weakling" not in world.ask("admin", "GET", "/xapi/users").json()


@pytest.mark.parametrize("content", [b"", b"[1]", b"{", b"\xff", b"[" * 5000])
def test_a_body_that_is_no_account(world: World, content: bytes) -> None:
    assert world.ask("admin", "POST", "/xapi/users", content=content).status_code == 400


def test_oneself_changes_names_and_an_administrator_the_rest(world: World) -> None:
    login = world.person()
    path = f"/xapi/users/{login}"
    changed = world.ask(login, "PUT", path, json={"firstName": "Ada"})
    assert (changed.status_code, changed.json()["firstName"]) == (200, "Ada")
    assert world.ask(login, "PUT", path, json={"firstName": "Ada"}).status_code == 304
    for theirs in ({"enabled": False}, {"email": "x@example.org"}, {"verified": False}):
        assert world.ask(login, "PUT", path, json=theirs).status_code == 403
    assert world.ask(login, "PUT", "/xapi/users/owner", json={"firstName": "x"}).status_code == 403
    assert world.ask("admin", "PUT", path, json={"username": "other"}).status_code == 400
    address = {"email": f"{login}@example.org"}
    assert world.ask("admin", "PUT", path, json=address).status_code == 200
    assert world.ask("admin", "PUT", "/xapi/users/nobody-here", json=address).status_code == 404
    assert world.ask("admin", "PUT", "/xapi/users/member", json=address).status_code == 409


def test_a_password_is_changed_by_oneself_with_the_old_one(world: World) -> None:
    login = world.person()
    path = f"/xapi/users/{login}"
    assert world.ask(login, "PUT", path, json={"password": NEW}).status_code == 403
    wrong = world.ask(login, "PUT", path, json={"password": NEW, "currentPassword": "wrong-one"})
    assert wrong.status_code == 401
    with world.client() as client:
        weak = client.put(path, json={"password": "weak"}, auth=(login, PASSWORD))
        assert weak.status_code == 400
        assert client.put(path, json={"password": NEW}, auth=(login, PASSWORD)).status_code == 200
    with world.client() as client:
        assert client.get("/data/auth", auth=(login, PASSWORD)).status_code == 401
        assert client.get("/data/auth", auth=(login, NEW)).status_code == 200
    body = {"password": PASSWORD, "currentPassword": NEW}
    assert world.ask(login, "PUT", path, json=body).status_code == 200


def test_an_administrator_resets_a_password_and_all_logins_end(world: World) -> None:
    login = world.person()
    session = world.session(login)
    token = world.ask(login, "GET", "/data/services/tokens/issue").json()
    cookie = {"Cookie": f"JSESSIONID={session}"}
    reset = world.ask("admin", "PUT", f"/xapi/users/{login}", json={"password": NEW})
    assert reset.status_code == 200
    assert NEW not in reset.text
    with world.client() as client:
        assert client.get("/data/auth", headers=cookie).status_code == 401
        assert client.get("/data/auth", auth=(token["alias"], token["secret"])).status_code == 401
        assert client.get("/data/auth", auth=(login, PASSWORD)).status_code == 401
        assert client.get("/data/auth", auth=(login, NEW)).status_code == 200


def test_who_is_disabled_is_out_at_once(world: World) -> None:
    login = world.person()
    path = f"/xapi/users/{login}/enabled"
    with world.client(login) as client, world.client() as by_password:
        assert client.get("/data/auth").status_code == 200
        assert by_password.get("/data/auth", auth=(login, PASSWORD)).status_code == 200
        assert world.ask(login, "PUT", f"{path}/false").status_code == 403
        assert world.ask(login, "GET", path).json() is True
        assert world.ask("admin", "PUT", f"{path}/false").json() is False
        assert client.get("/data/auth").status_code == 401
        by_password.cookies.clear()
        assert by_password.get("/data/auth", auth=(login, PASSWORD)).status_code == 401
    assert world.ask("admin", "PUT", path, content="true").status_code == 200
    assert world.ask(login, "GET", path).json() is True
    assert world.ask("admin", "PUT", f"{path}/maybe").status_code == 400
    verified = f"/xapi/users/{login}/verified"
    assert world.ask("admin", "PUT", f"{verified}/false").status_code == 200
    assert world.ask(login, "GET", verified).json() is False


def test_roles(world: World) -> None:
    login = world.person()
    path = f"/xapi/users/{login}/roles"
    assert world.ask(login, "GET", path).json() == []
    assert world.ask(login, "PUT", f"{path}/Administrator").status_code == 403
    assert world.ask("admin", "PUT", f"{path}/Emperor").status_code == 404
    assert world.ask("admin", "PUT", f"{path}/Administrator").json() == ["Administrator"]
    assert world.ask(login, "GET", "/xapi/users/profiles").status_code == 200
    assert world.ask("admin", "DELETE", f"{path}/Administrator").json() == []
    assert world.ask(login, "GET", "/xapi/users/profiles").status_code == 403
    given = world.ask("admin", "POST", f"/data/user/{login}/roles?roles=Privileged,DataManager")
    assert given.status_code == 202
    table = world.ask("admin", "GET", f"/data/user/{login}/roles?format=csv")
    assert table.text.splitlines() == ["role", "DataManager", "Privileged"]
    every = {one["id"] for one in world.ask(login, "GET", "/xapi/role/projects").json()}
    assert every >= {"HIDDEN", "SEEN", "OPEN"}
    assert "Privileged" in world.ask(login, "GET", "/xapi/roles").json()


def test_a_site_keeps_an_administrator(world: World) -> None:
    for method, path in (
        ("DELETE", "/xapi/users/admin/roles/Administrator"),
        ("PUT", "/xapi/users/admin/enabled/false"),
    ):
        answer = world.ask("admin", method, path)
        assert answer.status_code == 409
        assert "last administrator" in answer.text


def test_groups_of_a_person(world: World) -> None:
    project, login = world.project(), world.person()
    path = f"/xapi/users/{login}/groups"
    assert world.ask("owner", "PUT", f"{path}/{project}_member").status_code == 403
    assert world.ask("admin", "PUT", f"{path}/{project}_member").json() == [f"{project}_member"]
    assert world.ask("admin", "PUT", f"{path}/{project}_nobles").status_code == 404
    assert world.ask("admin", "DELETE", f"{path}/{project}_member").json() == []
    assert world.ask("admin", "DELETE", f"{path}/{project}_member").status_code == 404


def test_the_site_groups_read_and_write_everywhere(world: World) -> None:
    project, login = world.project(), world.person()
    groups, subjects = f"/xapi/users/{login}/groups", f"/data/projects/{project}/subjects"
    assert world.ask(login, "GET", f"{subjects}/one").status_code == 404
    assert world.ask("admin", "PUT", f"{groups}/ALL_DATA_ACCESS").json() == ["ALL_DATA_ACCESS"]
    assert world.ask(login, "GET", f"{subjects}/one").status_code == 200
    assert world.ask(login, "PUT", f"/data/projects/{project}/accessibility/public").status_code == 403
    assert world.ask(login, "GET", "/xapi/users/profiles").status_code == 403
    assert world.ask("admin", "PUT", f"{groups}/ALL_DATA_ADMIN").json() == ["ALL_DATA_ADMIN"]
    assert world.ask(login, "PUT", f"/data/projects/{project}/accessibility/protected").status_code == 200
    assert world.ask("admin", "DELETE", f"{groups}/ALL_DATA_ADMIN").json() == []
    assert world.ask(login, "GET", f"{subjects}/one").status_code == 404


def test_what_the_caller_may_do_where(world: World) -> None:
    found = {one["ID"]: one["role"] for one in world.ask("member", "GET", "/xapi/access/projects").json()}
    assert (found["HIDDEN"], found["OPEN"]) == ("Members", "Members")
    stranger = {
        one["ID"]: one["role"] for one in world.ask("stranger", "GET", "/xapi/access/projects").json()
    }
    assert stranger["OPEN"] == "Public"
    assert not {"HIDDEN", "SEEN"} & set(stranger)
    assert "OPEN" in world.ask("stranger", "GET", "/xapi/users/projects").json()
    for login, n in (("stranger", False), ("member", True)):
        listed = world.ask(login, "GET", "/xapi/access/displays/createable").json()
        assert bool(listed) is n
    readable = world.ask("stranger", "GET", "/xapi/access/displays/browseable").json()
    assert "xnat:subjectData" in {one["elementName"] for one in readable}
    assert world.ask("member", "GET", "/xapi/access/displays/edible").status_code == 404


def test_favorites(world: World) -> None:
    path = "/data/users/favorites/Project"
    assert world.ask("member", "PUT", f"{path}/HIDDEN").status_code == 200
    assert world.ask("member", "GET", f"{path}?format=csv").text == "id\nHIDDEN\n"
    assert world.ask("stranger", "PUT", f"{path}/HIDDEN").status_code == 404
    assert world.ask("member", "DELETE", f"{path}/HIDDEN").status_code == 200
    assert world.ask("member", "GET", f"{path}?format=csv").text == "id\n"
    assert world.ask("member", "GET", "/data/users/favorites/Scanner").status_code == 404


def test_settings_of_the_site_by_level(world: World) -> None:
    public = {"siteId", "siteUrl", "siteHome", "siteLogoPath", "siteDescription", "requireLogin"}
    stranger = world.ask("stranger", "GET", "/xapi/siteConfig").json()
    assert set(stranger) == {*public, "adminEmail"}
    assert stranger["siteId"] == "ConnectomeDB"
    assert "enableCsrfToken" in world.ask("admin", "GET", "/xapi/siteConfig").json()
    assert world.ask("", "GET", "/xapi/siteConfig").status_code == 401
    assert world.ask("", "GET", "/xapi/siteConfig/siteId").text == "ConnectomeDB"
    assert world.ask("stranger", "GET", "/xapi/siteConfig/enableCsrfToken").status_code == 403
    assert world.ask("stranger", "GET", "/xapi/siteConfig/mailPassword").status_code == 404
    two = world.ask("stranger", "GET", "/xapi/siteConfig/values/siteId,requireLogin").json()
    assert two == {"siteId": "ConnectomeDB", "requireLogin": True}
    changed = {"siteDescription": "Synthetic", "adminEmail": "a@example.org"}
    assert world.ask("owner", "POST", "/xapi/siteConfig", json=changed).status_code == 403
    assert world.ask("admin", "POST", "/xapi/siteConfig", json=changed).status_code == 200
    assert world.ask("stranger", "GET", "/xapi/siteConfig/siteDescription").text == "Synthetic"
    half = {"siteDescription": "half", "noSuchSetting": 1}
    assert world.ask("admin", "POST", "/xapi/siteConfig", json=half).status_code == 404
    assert world.ask("stranger", "GET", "/xapi/siteConfig/siteDescription").text == "Synthetic"
    for name, value in (("siteId", "X"), ("requireLogin", "perhaps"), ("aliasTokenLifetimeHours", "-1")):
        assert world.ask("admin", "POST", f"/xapi/siteConfig/{name}", content=value).status_code == 400
    assert set(world.ask("stranger", "GET", "/xapi/siteConfig/uptime").json()) == {
        "days",
        "hours",
        "minutes",
        "seconds",
    }


def test_the_last_login_is_noted(world: World) -> None:
    login = world.person()
    accounts = world.site.archive.people.accounts
    assert accounts.account(login).last_login is None
    world.session(login)
    assert accounts.account(login).last_login is not None
    assert isinstance(world.ask(login, "GET", "/xapi/users/profile").json()["lastSuccessfulLogin"], int)


def test_the_old_form_of_one_account(world: World) -> None:
    assert world.ask("owner", "GET", "/data/user/owner").status_code == 403
    found = world.ask("admin", "GET", "/data/user/owner").json()
    assert (found["login"], found["lastname"], found["enabled"]) == ("owner", "Owner", True)
    assert world.ask("admin", "GET", "/data/user").json()["login"] == "admin"
    assert world.ask("member", "GET", "/xapi/users/authDetails/member").json()[0]["authUser"] == "member"
    assert world.ask("member", "GET", "/xapi/users/authProviders").json() == ["localdb"]


def test_both_refusals_of_a_login_read_alike(world: World) -> None:
    said = []
    for login, password in (("member", "wrong-password"), ("nobody-here", PASSWORD), ("disabled", "wrong")):
        with pytest.raises(BadCredentials) as refused:
            world.site.archive.verify_password(login, password)
        said.append(str(refused.value))
    assert len(set(said)) == 1

"""Who is in a project: users, groups, access requests and accessibility, as the reference writes them."""

from __future__ import annotations

import pytest
from tests.conformance.people.conftest import World

USER_COLUMNS = ["GROUP_ID", "displayname", "login", "firstname", "lastname", "email"]


def rows(world: World, login: str, path: str) -> list[dict[str, str]]:
    answer = world.ask(login, "GET", path)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, str]] = answer.json()["ResultSet"]["Result"]
    return found


def group_of(world: World, project: str, login: str) -> str:
    people = {
        row["login"]: row["displayname"] for row in rows(world, "owner", f"/data/projects/{project}/users")
    }
    return people.get(login, "")


def test_the_list_has_the_columns_that_clients_read(world: World) -> None:
    found = rows(world, "owner", "/data/projects/HIDDEN/users")
    assert [list(row) for row in found] == [USER_COLUMNS] * 3
    assert found[0] == {
        "GROUP_ID": "HIDDEN_collaborator",
        "displayname": "Collaborators",
        "login": "collaborator",
        "firstname": "",
        "lastname": "Collaborator",
        "email": "collaborator@example.org",
    }
    empty = world.ask("stranger", "GET", "/data/projects/HIDDEN/users?format=csv")
    assert empty.status_code == 404


def test_addresses_are_for_owners_and_oneself(world: World) -> None:
    emails = {row["login"]: row["email"] for row in rows(world, "member", "/data/projects/HIDDEN/users")}
    assert emails == {"collaborator": "", "member": "member@example.org", "owner": ""}


@pytest.mark.parametrize("group", ["Members", "member", "{P}_member", "MEMBERS"])
@pytest.mark.parametrize("said", ["login", "email", "number"])
def test_people_are_added_by_any_name_of_group_and_person(world: World, group: str, said: str) -> None:
    project, login = world.project(), world.person()
    account = world.site.archive.people.accounts
    account.change(login, email=f"{login}@example.org")
    person = {"login": login, "email": f"{login}@EXAMPLE.org", "number": str(account.account(login).user_id)}
    path = f"/data/projects/{project}/users/{group.format(P=project)}/{person[said]}"
    answer = world.ask("owner", "PUT", path)
    assert answer.status_code == 200
    assert login in [row["login"] for row in answer.json()["ResultSet"]["Result"]]
    assert group_of(world, project, login) == "Members"
    assert (
        world.ask("owner", "PUT", f"/data/projects/{project}/users/Collaborators/{login}").status_code == 200
    )
    assert group_of(world, project, login) == "Collaborators"
    assert world.ask(login, "GET", f"/data/projects/{project}").status_code == 200
    assert (
        world.ask("owner", "DELETE", f"/data/projects/{project}/users/Collaborators/{login}").status_code
        == 200
    )
    assert world.ask(login, "GET", f"/data/projects/{project}").status_code == 404


def test_several_people_enter_at_once_or_nobody(world: World) -> None:
    project, one, two = world.project(), world.person(), world.person()
    path = f"/data/projects/{project}/users/member"
    assert world.ask("owner", "PUT", f"{path}/{one},nobody-of-that-name").status_code == 404
    assert group_of(world, project, one) == ""
    assert world.ask("owner", "PUT", f"{path}/{one},{two}").status_code == 200
    assert group_of(world, project, one) == group_of(world, project, two) == "Members"


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_only_owners_say_who_is_in_it(world: World, method: str) -> None:
    path = "/data/projects/{}/users/member/member"
    for login in ("member", "collaborator"):
        assert world.ask(login, method, path.format("HIDDEN")).status_code == 403
    assert world.ask("stranger", method, path.format("HIDDEN")).status_code == 404
    assert world.ask("stranger", method, path.format("SEEN")).status_code == 403
    assert world.ask("owner", method, "/data/projects/HIDDEN/users/nobles/member").status_code == 404
    assert world.ask("owner", method, "/data/projects/HIDDEN/users/member/nobody").status_code == 404
    assert group_of(world, "HIDDEN", "member") == "Members"


def test_a_project_keeps_an_owner(world: World) -> None:
    project = world.project()
    for method, group in (("DELETE", "owner"), ("PUT", "member")):
        answer = world.ask("owner", method, f"/data/projects/{project}/users/{group}/owner")
        assert answer.status_code == 409
        assert "last owner" in answer.text
    assert group_of(world, project, "owner") == "Owners"


def test_disabled_people_are_listed_only_when_asked_for(world: World) -> None:
    project, login = world.project(), world.person()
    world.site.archive.grant(project, login, "member")
    world.site.archive.people.accounts.change(login, enabled=False)
    assert login not in [r["login"] for r in rows(world, "owner", f"/data/projects/{project}/users")]
    assert login in [r["login"] for r in rows(world, "owner", f"/data/projects/{project}/users/true")]


def test_the_list_may_be_for_owners_alone(world: World) -> None:
    setting = "/xapi/siteConfig/restrictUserListAccessToAdmins"
    assert world.ask("admin", "POST", setting, content="true").status_code == 200
    try:
        assert world.ask("owner", "GET", "/data/projects/HIDDEN/users").status_code == 200
        assert world.ask("member", "GET", "/data/projects/HIDDEN/users").status_code == 403
        assert world.ask("member", "GET", "/data/users").status_code == 403
        assert world.ask("member", "GET", "/xapi/users").status_code == 403
        assert world.ask("admin", "GET", "/data/users").status_code == 200
    finally:
        world.ask("admin", "POST", setting, content="false")


def test_custom_groups_come_and_go(world: World) -> None:
    project = world.project()
    path = f"/data/projects/{project}/groups/{project}_raters"
    rights = {f"xnat:mrSessionData_xnat:mrSessionData.project_{project}_R": "1"}
    assert world.ask("owner", "PUT", path).status_code == 400
    assert world.ask("owner", "PUT", path, params={"xdat:userGroup/displayName": "a_b"}).status_code == 400
    named = {"xdat:userGroup/displayName": "Raters"}
    assert world.ask("member", "PUT", path, params=named).status_code == 403
    assert world.ask("owner", "PUT", path, params={**named, **rights}).status_code == 200
    listed = {row["id"]: row for row in rows(world, "owner", f"/data/projects/{project}/groups")}
    assert list(listed)[:3] == [f"{project}_owner", f"{project}_member", f"{project}_collaborator"]
    assert listed[f"{project}_raters"]["displayname"] == "Raters"
    assert listed[f"{project}_owner"]["users"] == "1"
    login = world.person()
    assert world.ask("owner", "PUT", f"/data/projects/{project}/users/Raters/{login}").status_code == 200
    assert group_of(world, project, login) == "Raters"
    assert world.ask("admin", "GET", f"/xapi/users/{login}/groups").json() == [f"{project}_raters"]
    assert world.ask("owner", "DELETE", path).status_code == 200
    assert group_of(world, project, login) == ""
    assert world.ask("owner", "DELETE", path).status_code == 404
    for standard in ("owner", f"{project}_member", "Collaborators"):
        assert world.ask("owner", "DELETE", f"/data/projects/{project}/groups/{standard}").status_code == 403


def test_accessibility(world: World) -> None:
    project = world.project()
    path = f"/data/projects/{project}/accessibility"
    assert world.ask("collaborator", "GET", path).text == "private"
    assert world.ask("stranger", "GET", path).status_code == 404
    assert world.ask("member", "PUT", f"{path}/public").status_code == 403
    assert world.ask("owner", "PUT", path).status_code == 400
    assert world.ask("owner", "PUT", f"{path}/secret").status_code == 400
    assert world.ask("owner", "PUT", "/data/projects/NONE/accessibility/public").status_code == 404
    assert world.ask("owner", "PUT", f"{path}/protected").status_code == 200
    assert world.ask("stranger", "GET", path).text == "protected"
    assert world.ask("stranger", "GET", f"/data/projects/{project}/subjects/one").status_code == 404
    assert world.ask("owner", "PUT", f"{path}/public").text == ""
    assert world.ask("stranger", "GET", f"/data/projects/{project}/subjects/one").status_code == 200
    assert world.ask("owner", "PUT", f"{path}/private").status_code == 200
    assert world.ask("stranger", "GET", f"/data/projects/{project}").status_code == 404


@pytest.mark.parametrize(("name", "default"), [("prearchive_code", "4"), ("quarantine_code", "0")])
def test_the_codes_of_a_project(world: World, name: str, default: str) -> None:
    project = world.project()
    path = f"/data/projects/{project}/{name}"
    assert world.ask("member", "GET", path).text == default
    assert world.ask("member", "PUT", f"{path}/1").status_code == 403
    assert world.ask("owner", "PUT", f"{path}/x").status_code == 400
    assert world.ask("owner", "PUT", f"{path}/1").status_code == 200
    assert world.ask("member", "GET", path).text == "1"


def test_asking_for_access_and_the_answer(world: World) -> None:
    project, login = world.project("protected"), world.person()
    path = f"/data/projects/{project}/pars"
    asked = world.ask(login, "PUT", f"{path}?level=member")
    assert asked.status_code == 200
    (one,) = asked.json()["ResultSet"]["Result"]
    assert (one["proj_id"], one["level"], one["login"], one["approved"]) == (project, "member", login, "")
    assert world.ask(login, "PUT", path).status_code == 409
    assert one["par_id"] in [row["par_id"] for row in rows(world, login, "/data/pars")]
    assert one["par_id"] in [row["par_id"] for row in rows(world, "owner", "/data/pars")]
    assert [row["login"] for row in rows(world, "owner", path)] == [login]
    answer = f"/data/pars/{one['par_id']}"
    assert world.ask("member", "GET", path).status_code == 403
    assert world.ask("stranger", "GET", answer).status_code == 403
    assert world.ask(login, "PUT", f"{answer}?accept=true").status_code == 403
    assert world.ask("member", "PUT", f"{answer}?accept=true").status_code == 403
    assert world.ask("owner", "PUT", answer).status_code == 400
    assert world.ask("owner", "PUT", f"{answer}?accept=true&decline=true").status_code == 400
    assert world.ask("owner", "GET", f"{answer}?accept=true").status_code == 200  # looking changes nothing
    assert group_of(world, project, login) == ""
    assert world.ask("owner", "PUT", f"{answer}?accept=true").status_code == 200
    assert group_of(world, project, login) == "Members"
    assert world.ask("owner", "PUT", f"{answer}?decline=true").status_code == 409
    assert world.ask("owner", "PUT", "/data/pars/999999?accept=true").status_code == 404
    assert world.ask(login, "PUT", path).status_code == 409  # is in it


def test_a_request_may_be_declined(world: World) -> None:
    project, login = world.project("protected"), world.person()
    asked = world.ask(login, "POST", f"/data/projects/{project}/pars").json()["ResultSet"]["Result"][0]
    declined = world.ask("owner", "PUT", f"/data/pars/{asked['par_id']}?decline=true")
    assert declined.json()["ResultSet"]["Result"][0]["approved"] == "false"
    assert group_of(world, project, login) == ""
    assert world.ask(login, "PUT", f"/data/projects/{project}/pars").status_code == 200  # asks again


def test_nobody_asks_for_what_they_do_not_see(world: World) -> None:
    assert world.ask("stranger", "PUT", "/data/projects/HIDDEN/pars").status_code == 404
    assert world.ask("stranger", "PUT", "/data/projects/SEEN/pars?level=king").status_code == 404


def test_an_unknown_address_is_invited_and_whoever_has_it_accepts(world: World) -> None:
    project = world.project()
    path = f"/data/projects/{project}/users/member/late@example.org"
    assert world.ask("owner", "PUT", path).status_code == 200
    assert world.ask("owner", "PUT", path).status_code == 200  # asked twice, invited once
    (one,) = rows(world, "owner", f"/data/projects/{project}/pars")
    assert (one["email"], one["login"]) == ("late@example.org", "")
    login = world.person(email="Late@example.org")
    answer = f"/data/pars/{one['par_id']}"
    assert [row["par_id"] for row in rows(world, login, "/data/pars")] == [one["par_id"]]
    assert world.ask("owner", "PUT", f"{answer}?accept=true").status_code == 403
    assert world.ask("stranger", "PUT", f"{answer}?accept=true").status_code == 403
    assert world.ask(login, "PUT", f"{answer}?accept=true").status_code == 200
    assert group_of(world, project, login) == "Members"
    assert world.ask(login, "PUT", f"{answer}?accept=true").status_code in (403, 409)
    world.site.archive.people.accounts.change(login, email="")


def test_nobody_takes_an_invitation_by_changing_their_address(world: World) -> None:
    project, login = world.project(), world.person()
    world.ask("owner", "PUT", f"/data/projects/{project}/users/owner/wanted@example.org")
    stolen = world.ask(login, "PUT", f"/xapi/users/{login}", json={"email": "wanted@example.org"})
    assert stolen.status_code == 403
    assert rows(world, login, "/data/pars") == []


def test_rights_change_with_the_next_request(world: World) -> None:
    project, login = world.project(), world.person()
    with world.client(login) as client:
        for group, expected in (("member", 200), ("owner", 200), ("", 404), ("collaborator", 200)):
            if group:
                world.site.archive.grant(project, login, group)  # type: ignore[arg-type]  # a group
            else:
                world.site.archive.revoke(project, login)
            assert client.get(f"/data/projects/{project}/subjects").status_code == expected

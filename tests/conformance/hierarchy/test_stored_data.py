"""The config service and custom fields."""

from __future__ import annotations

import threading
from collections.abc import Callable

import httpx2
from tests.conformance.hierarchy.conftest import PASSWORD

Client = httpx2.Client
MR = "xsiType=xnat:mrSessionData"


def rows(client: Client, address: str) -> list[dict[str, str]]:
    response = client.get(address)
    assert response.status_code == 200, response.text
    found: list[dict[str, str]] = response.json()["ResultSet"]["Result"]
    return found


def test_versions_of_a_configuration(ann: Client, project: str, client: Callable[[str], Client]) -> None:
    c = f"/data/projects/{project}/config"
    one = f"{c}/anon/dir/script"
    assert rows(ann, c) == []
    assert ann.get(one).status_code == 404
    assert ann.get(one + "?accept-not-found=true").status_code == 204
    assert ann.put(one, content="first").status_code == 201
    assert ann.put(one, content="second").status_code == 200
    assert ann.put(one, content="second").status_code == 200
    (row,) = rows(ann, one)
    assert (row["tool"], row["path"], row["project"], row["user"]) == ("anon", "dir/script", project, "ann")
    assert (row["version"], row["status"], row["contents"]) == ("2", "enabled", "second")
    assert ann.get(one + "?contents=true").text == "second"
    assert ann.get(one + "?contents=true&version=1").text == "first"
    assert rows(ann, one + "?meta=true")[0]["contents"] == ""
    assert ann.put(one + "?status=disabled").status_code == 200
    assert ann.put(one + "?status=sometimes").status_code == 400
    assert rows(ann, one)[0]["status"] == "disabled"
    assert rows(ann, one)[0]["contents"] == "second"
    assert [r["version"] for r in rows(ann, one + "?action=getHistory")] == ["1", "2", "3"]
    assert ann.put(one, json={"contents": "third", "status": "enabled"}).status_code == 200
    assert ann.get(one + "?contents=true").text == "third"
    assert ann.delete(one).status_code == 200
    assert rows(ann, one)[0]["status"] == "disabled"
    assert [r["tool"] for r in rows(ann, c)] == ["anon"]
    assert [r["path"] for r in rows(ann, f"{c}/anon")] == ["dir/script"]
    assert ann.get(f"{c}/other").status_code == 404
    assert client("col").get(one).status_code == 200
    for login in ("max", "col"):
        assert client(login).put(one, content="mine").status_code == 403
        assert client(login).delete(one).status_code == 403
    assert client("sue").get(one).status_code == 404
    assert client("sue").put(one, content="mine").status_code == 404


def test_configurations_of_the_site(ann: Client, project: str, client: Callable[[str], Client]) -> None:
    root, address = client("root"), f"/data/config/site{project}/path"
    assert root.put(address, content="for all").status_code == 201
    assert ann.get(address).status_code == 403
    assert ann.put(address, content="mine").status_code == 403
    mine = f"/data/projects/{project}/config/site{project}/path"
    assert ann.get(mine).status_code == 404
    assert ann.get(f"{mine}?defaultToSiteWide=true&contents=true").text == "for all"


def test_custom_fields(ann: Client, project: str, client: Callable[[str], Client]) -> None:
    p = f"/data/projects/{project}"
    e = ann.put(f"{p}/subjects/F/experiments/M?{MR}").text
    ann.put(f"{p}/experiments/M/scans/1?xsiType=xnat:mrScanData")
    ann.put(f"{p}/experiments/M/assessors/A?xsiType=xnat:qcManualAssessorData")
    held = {"text": "<b>ü", "number": 1, "float": 0.5, "yes": True, "none": None, "list": [1, {"a": []}]}
    scopes = [f"projects/{project}", f"projects/{project}/subjects/F", f"experiments/{e}"]
    scopes += [f"projects/{project}/experiments/M", f"projects/{project}/subjects/F/experiments/M"]
    scopes += [f"experiments/{e}/scans/1", f"projects/{project}/experiments/M/assessors/A"]
    for number, scope in enumerate(scopes):
        address = f"/xapi/custom-fields/{scope}/fields"
        mine = {**held, "only": number}
        assert ann.put(address, json=mine).json().items() >= mine.items()
        assert ann.get(address).json().items() >= mine.items()
        assert ann.get(address + "?fieldNames=number,yes").json() == {"number": 1, "yes": True}
        assert ann.get(f"{address}/list").json() == [1, {"a": []}]
        assert ann.get(f"{address}/nothing").status_code == 404
        assert "only" not in ann.delete(f"{address}/only").json()
        assert ann.delete(f"{address}/only").status_code == 404
        assert client("col").get(address).status_code == 200
        assert client("col").put(address, json={"a": 1}).status_code == 403
        assert client("col").delete(f"{address}/text").status_code == 403
        assert client("sue").get(address).status_code == 403
        assert client("sue").put(address, json={"a": 1}).status_code == 403
    assert ann.get(f"/xapi/custom-fields/projects/{project}/subjects/none/fields").status_code == 403
    assert ann.get(f"/xapi/custom-fields/experiments/{e}/scans/9/fields").status_code == 404
    assert ann.get(f"/xapi/custom-fields/projects/{project}/subjects/F/fields").json()["yes"] is True
    for bad in (b"[1]", b"{", b"\xff"):
        assert ann.put(f"/xapi/custom-fields/projects/{project}/fields", content=bad).status_code == 400


def test_fields_put_at_once_are_all_there(ann: Client, project: str, url: str) -> None:
    ann.put(f"/data/projects/{project}/subjects/F")
    address = f"/xapi/custom-fields/projects/{project}/subjects/F/fields"

    def put(number: int) -> None:
        with Client(base_url=url, auth=("ann", PASSWORD), timeout=60) as own:
            assert own.put(address, json={f"f{number}": number}).status_code == 200

    threads = [threading.Thread(target=put, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ann.get(address).json() == {f"f{n}": n for n in range(4)}


def test_lists_that_stand_alone(ann: Client, project: str, client: Callable[[str], Client]) -> None:
    p = f"/data/projects/{project}"
    ann.put(f"{p}/subjects/F/experiments/M?{MR}&scanner=SC{project}")
    ann.put(f"{p}/experiments/M/scans/1?xsiType=xnat:mrScanData&type=T{project}&series_description=d")
    assert rows(ann, f"{p}/scan_types") == [{"series_descriptions": "d", "type": f"T{project}"}]
    assert rows(ann, f"{p}/scanners") == [{"scanner": f"SC{project}"}]
    assert f"T{project}" in ann.get("/data/archive/scan_types").text
    assert f"T{project}" not in client("sue").get("/data/scan_types").text
    assert ann.get("/data/prearchive/projects?format=csv").text.startswith("project,timestamp,")
    recent = rows(ann, "/data/experiments?recent=1&columns=label,project")
    assert (("M", project)) in {(r["label"], r["project"]) for r in recent}
    fields = rows(ann, f"{p}/subjects?fields=true")
    assert {"key": "gender", "xpath": "xnat:subjectData/demographics/gender"} in fields


def test_investigators(ann: Client, project: str, client: Callable[[str], Client]) -> None:
    people = "/xapi/investigators"
    ada = {"title": "Dr.", "firstname": f"Ada{project}", "lastname": "Quist", "institution": "Example U"}
    made = ann.post(people, json=ada)
    assert made.status_code == 201
    number = made.json()["xnatInvestigatordataId"]
    assert made.json().items() >= ada.items()
    assert ann.post(people, json={"firstname": "Ada"}).status_code == 400
    assert ann.put(f"{people}/{number}", json={"title": "Dr."}).status_code == 304
    assert client("sue").put(f"{people}/{number}", json={"title": "Mr."}).status_code == 403
    assert ann.put(f"{people}/{number}", json={"phone": "1"}).json()["phone"] == "1"
    p = f"/data/projects/{project}"
    ann.put(p, params={"pi_firstname": f"Ada{project}", "pi_lastname": "Quist"})
    ann.put(f"{p}l")
    listed = {"xnat:projectData/investigators/investigator[lastname=Quist]/firstname": f"Ada{project}"}
    assert ann.put(f"{p}l", params=listed).status_code == 200
    shown = ann.get(f"{people}/{number}").json()
    assert (shown["primaryProjects"], shown["investigatorProjects"]) == ([project], [f"{project}l"])
    assert client("sue").get(f"{people}/{number}").json()["primaryProjects"] == []
    assert number in [one["xnatInvestigatordataId"] for one in ann.get(people).json()]
    assert str(number) in [r["xnat_investigatordata_id"] for r in rows(ann, "/data/archive/investigators")]
    assert ann.get(f"{people}/999999").status_code == 404
    assert ann.delete(f"{people}/{number}").status_code == 403
    assert client("root").delete(f"{people}/{number}").status_code == 200
    assert ann.get(f"{people}/{number}").status_code == 404
    for address in (p, f"{p}l"):
        assert "Quist" not in ann.get(address + "?format=xml").text


def test_projects_by_what_one_may_do(ann: Client, project: str, client: Callable[[str], Client]) -> None:
    ann.put(f"/data/projects/{project}pub?accessibility=public")
    ann.put(f"/data/projects/{project}pro?accessibility=protected")

    def ids(login: str, query: str) -> set[str]:
        return {r["id"] for r in rows(client(login), f"/data/projects?{query}") if project in r["id"]}

    every = {project, f"{project}pub", f"{project}pro"}
    assert ids("ann", "owner=true") == ids("ann", "accessible=true") == every
    assert ids("max", "member=true") == ids("max", "data=writable") - {f"{project}pub"} == {project}
    assert ids("col", "collaborator=true") == {project}
    assert ids("col", "owner=true&member=true") == set()
    assert ids("sue", "accessible=true") == {f"{project}pub"}
    assert ids("sue", "accessible=false") == {f"{project}pro"}
    assert ids("ann", "recent=true") == ids("ann", "favorite=true") == set()
    assert ids("ann", "activeSince=01/01/2020") == set()
    assert ann.get("/data/projects?activeSince=soon").status_code == 400
    answer = ann.get("/data/projects?owner=true&prearc_code=true").json()["ResultSet"]
    number = answer["xdat_user_id"]
    assert {f"user_role_{number}", f"last_accessed_{number}", "proj_quarantine"} <= set(answer["Result"][0])
    assert "quarantine_status" not in answer["Result"][0]

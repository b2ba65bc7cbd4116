"""Saved searches and their rights, and the generated ones of a type and of a project."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx2
import pytest
from lxml import etree
from tests.conformance.server.test_search import FIELDS, document

from connectomedb.search.search_xml import NAMESPACE, parse_search
from connectomedb.server.run import ServerThread
from connectomedb.store.site import Site, open_site
from connectomedb.testing.sample_site import build_site

Caller = Callable[[str], httpx2.Client]
SAVED = "/data/search/saved"
IN_Q1 = "/data/projects/HCP_Q1/searches"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("saved") / "site"
    build_site(folder)
    with open_site(folder) as site:
        for login in ("jane", "joe", "owner", "stranger"):
            site.archive.add_user(login, f"{login}-of-the-test")
        site.archive.grant("HCP_Q1", "jane", "member")
        site.archive.grant("HCP_Q1", "joe", "collaborator")
        site.archive.grant("HCP_Q1", "owner", "owner")
        yield site


@pytest.fixture
def as_user(site: Site) -> Iterator[Caller]:
    """A client of each login, made when asked for; every test begins without saved searches."""
    clients: dict[str, httpx2.Client] = {}
    with ServerThread(site) as server:

        def of(login: str) -> httpx2.Client:
            if login not in clients:
                password = "admin-demo" if login == "admin" else f"{login}-of-the-test"
                clients[login] = httpx2.Client(base_url=server.url, auth=(login, password))
            return clients[login]

        yield of
        for row in of("admin").get(SAVED, params={"all": "true"}).json()["ResultSet"]["Result"]:
            assert of("admin").delete(f"{SAVED}/{row['id']}").status_code == 200
        for client in clients.values():
            client.close()


def search(attributes: str = "", more: str = "", *, value: str = "40") -> bytes:
    whole = document(*FIELDS, where=("NEO_NEOFAC_A", "&gt;", value), body=more)
    return whole.replace(b'ID="@nt:scores"', f'ID="@nt:scores" {attributes}'.encode())


def user(login: str) -> str:
    return f"<xdat:allowed_user><xdat:login>{login}</xdat:login></xdat:allowed_user>"


def group(name: str) -> str:
    return f"<xdat:allowed_groups><xdat:groupID>{name}</xdat:groupID></xdat:allowed_groups>"


def put(client: httpx2.Client, name: str, body: bytes, root: str = SAVED, **params: str) -> httpx2.Response:
    return client.put(f"{root}/{name}", params=params, content=body)


def ids(client: httpx2.Client, path: str = SAVED, **params: str) -> list[str]:
    return [row["id"] for row in client.get(path, params=params).json()["ResultSet"]["Result"]]


def test_a_saved_search_is_listed_read_run_and_deleted(as_user: Caller) -> None:
    jane = as_user("jane")
    body = search('secure="1" brief-description="Agreeable" description="d"')
    assert put(jane, "agreeable", body, inbody="true").text == "agreeable"
    listed = jane.get(SAVED, params={"format": "json"}).json()["ResultSet"]
    assert listed["title"] == "Stored Searches"
    assert listed["Result"] == [
        {
            "id": "agreeable",
            "root_element_name": "nt:scores",
            "sort_by_element_name": "",
            "sort_by_field_id": "",
            "description": "d",
            "layeredsequence": "",
            "allow_diff_columns": "1",
            "secure": "1",
            "brief_description": "Agreeable",
            "tag": "",
            "users": "jane",
        }
    ]
    read = jane.get(f"{SAVED}/agreeable")
    assert read.headers["content-type"].startswith("text/xml")
    query = parse_search(read.content)
    assert (query.search_id, query.allowed_users) == ("agreeable", ("jane",))
    assert query.where == parse_search(body).where
    results = jane.get(f"{SAVED}/agreeable/results?format=csv")
    assert results.headers["content-disposition"] == "attachment; filename=results.csv"
    assert results.text == jane.post("/data/search?format=csv", content=body).text
    as_json = jane.get(f"{SAVED}/agreeable/results").json()["ResultSet"]
    assert (len(as_json["Result"]), as_json["totalRecords"]) == (4, "4")
    assert as_json["Columns"]
    by_score = jane.get(f"{SAVED}/agreeable/results?sortBy=NEO_NEOFAC_A&sortOrder=DESC").json()["ResultSet"]
    assert [r["neo_neofac_a"] for r in by_score["Result"]] == sorted(
        (r["neo_neofac_a"] for r in as_json["Result"]), reverse=True
    )
    assert jane.delete(f"{SAVED}/agreeable").status_code == 200
    assert jane.get(f"{SAVED}/agreeable").status_code == 404
    assert ids(jane) == []


def test_a_secure_search_is_not_there_for_others(as_user: Caller) -> None:
    put(as_user("jane"), "secret", search('secure="1"'))
    missing = as_user("joe").get(f"{SAVED}/never-was")
    for login in ("joe", "stranger"):
        client = as_user(login)
        for answer in (
            client.get(f"{SAVED}/secret"),
            client.get(f"{SAVED}/secret/results"),
            client.delete(f"{SAVED}/secret"),
        ):
            assert answer.status_code == 404
            assert answer.text.replace("secret", "never-was") == missing.text
        assert ids(client) == []
    assert ids(as_user("admin")) == ["secret"]
    assert put(as_user("joe"), "secret", search()).status_code == 403
    assert parse_search(as_user("jane").get(f"{SAVED}/secret").content).allowed_users == ("jane",)


def test_who_is_named_may_use_it(as_user: Caller) -> None:
    put(as_user("jane"), "shared", search('secure="1"', user("joe")))
    put(as_user("jane"), "grouped", search('secure="1"', group("HCP_Q1_collaborator")))
    put(as_user("jane"), "open", search('secure="false"'))
    assert ids(as_user("joe")) == ["grouped", "open", "shared"]
    assert ids(as_user("stranger")) == ["open"]
    rows = as_user("stranger").get(f"{SAVED}/open/results").json()["ResultSet"]["Result"]
    assert rows == [], "the search is for everybody, its rows are not"
    assert as_user("stranger").delete(f"{SAVED}/open").status_code == 403
    assert put(as_user("stranger"), "open", search()).status_code == 403
    assert put(as_user("joe"), "shared", search('secure="1"', value="0")).status_code == 200
    assert ids(as_user("admin"), user="stranger") == ["open"]
    assert ids(as_user("stranger"), user="jane", all="true") == ["open"]


def test_deleting_takes_the_caller_off(as_user: Caller) -> None:
    put(as_user("jane"), "ours", search('secure="1"', user("joe") + user("jane")))
    assert as_user("jane").delete(f"{SAVED}/ours").status_code == 200
    assert (ids(as_user("jane")), ids(as_user("joe"))) == ([], ["ours"])
    assert as_user("joe").delete(f"{SAVED}/ours").status_code == 200
    assert as_user("admin").get(f"{SAVED}/ours").status_code == 404
    put(as_user("jane"), "group", search('secure="1"', group("HCP_Q1_member") + group("HCP_Q1_owner")))
    assert as_user("jane").delete(f"{SAVED}/group").status_code == 200
    assert ids(as_user("owner")) == ["group"]
    assert as_user("admin").delete(f"{SAVED}/group").status_code == 200
    assert ids(as_user("owner")) == []


def test_who_saves_is_added_once(as_user: Caller) -> None:
    def users(name: str) -> tuple[str, ...]:
        return parse_search(as_user("admin").get(f"{SAVED}/{name}").content).allowed_users

    put(as_user("jane"), "a", search(more=user("joe")))
    put(as_user("jane"), "b", search(more=user("jane")))
    put(as_user("jane"), "c", search(more=group("HCP_Q1_member")))
    assert (users("a"), users("b"), users("c")) == (("joe", "jane"), ("jane",), ())


def test_a_copy_takes_a_free_id_and_leaves_the_names(as_user: Caller) -> None:
    body = search('secure="1"', user("joe"))
    assert put(as_user("jane"), "a", body).text == "a"
    assert [put(as_user("jane"), "a", body, saveAs="true").text for _ in range(2)] == ["a_1", "a_1_1"]
    assert parse_search(as_user("jane").get(f"{SAVED}/a_1").content).allowed_users == ("jane",)


def test_searches_of_a_project(as_user: Caller) -> None:
    put(as_user("jane"), "of_q1", search('secure="0" brief-description="ours"'), IN_Q1)
    put(as_user("jane"), "of_nobody", search('secure="0"'))
    for login in ("joe", "owner"):
        client = as_user(login)
        assert ids(client) == ["of_nobody"]
        assert ids(client, includeTag="true") == ["of_q1"]
        assert ids(client, includeTag="HCP_Q1") == ["of_q1"]
        assert ids(client, IN_Q1) == ["of_q1"]
    assert as_user("joe").get(SAVED, params={"includeTag": "HCP_Q9"}).status_code == 400
    assert as_user("stranger").get(IN_Q1).status_code == 404
    assert as_user("joe").get(f"{IN_Q1}/of_q1/results").json()["ResultSet"]["totalRecords"] == "4"
    assert as_user("joe").get(f"{IN_Q1}/of_nobody").status_code == 404
    # A new one of the same description takes the place of the old one; editors of the project may do that.
    body = search('secure="0" brief-description="ours" tag="HCP_Q1"', value="0")
    assert put(as_user("owner"), "newer", body).text == "of_q1"
    assert put(as_user("joe"), "newest", body).status_code == 403
    assert ids(as_user("owner"), IN_Q1) == ["of_q1"]
    assert sorted(ids(as_user("admin"), all="true")) == ["of_nobody", "of_q1"]


def test_the_default_listing_of_a_project_is_its_owners_to_change(as_user: Caller) -> None:
    body = search('secure="0"')
    assert put(as_user("jane"), "HCP_Q1_nt:scores", body, IN_Q1).status_code == 403
    assert put(as_user("owner"), "HCP_Q1_nt:scores", body, IN_Q1).status_code == 200
    assert as_user("joe").get(f"{IN_Q1}/HCP_Q1_nt:scores").status_code == 200


def test_a_percent_sign_survives(as_user: Caller) -> None:
    value = "%(low)s %% %HCP_Q1% %s &amp; ü"
    body = document("SUBJECT_ID", where=("LABEL", "LIKE", value))
    put(as_user("jane"), "template_x", body)
    assert f"<xdat:value>{value}</xdat:value>" in as_user("jane").get(f"{SAVED}/template_x").text


def test_a_form_is_taken_too(as_user: Caller) -> None:
    part = {"search": ("search.xml", search(), "text/xml")}
    assert as_user("jane").put(f"{SAVED}/form", files=part).status_code == 200
    assert ids(as_user("jane")) == ["form"]


def test_results_are_those_of_the_last_kept_run(as_user: Caller) -> None:
    jane = as_user("jane")

    def total(**params: str) -> str:
        answer = jane.get(f"{SAVED}/run/results", params=params).json()["ResultSet"]
        assert len(answer["Result"]) == int(answer["totalRecords"])
        return str(answer["totalRecords"])

    put(jane, "run", search())
    assert total() == "4"
    modified = search(value="0").replace(b'ID="@nt:scores"', b'ID="run"')
    jane.post("/data/search?cache=true", content=modified)
    assert total() == "74"
    assert total(refresh="true") == "4"
    assert total(cache="true") == total() == "4"


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("x", b"<html/>", 422),
        ("x", b"no XML", 422),
        ("x", document("A", root="nt:scored"), 403),
        ("x", document("A", root="xdat:user"), 403),
        ("@nt:scores", search(), 422),
        ("a%0Ab", search(), 422),
        ("%00", search(), 422),
        ("x" * 300, search(), 422),
        ("'; DROP TABLE saved_search; --", search(), 200),
        ("%3Cscript%3E", search(), 200),
        ("ünï", search(), 200),
    ],
)
def test_hostile_ids_and_documents(as_user: Caller, name: str, body: bytes, status: int) -> None:
    assert put(as_user("jane"), name, body).status_code == status
    assert as_user("jane").get(f"{SAVED}/{name}").status_code == (
        200 if status == 200 or name[0] == "@" else 404
    )
    assert as_user("jane").get(SAVED).status_code == 200
    assert as_user("jane").get(SAVED, params={"format": "html"}).text.count("<script") == 0


def test_without_a_login_there_is_nothing(as_user: Caller) -> None:
    base = as_user("jane").base_url
    assert httpx2.get(f"{str(base).rstrip('/')}{SAVED}").status_code == 401


def _children(element: etree._Element) -> list[str]:
    return [etree.QName(child).localname for child in element]


def test_the_generated_search_of_a_type(as_user: Caller) -> None:
    jane = as_user("jane")
    text = jane.get(f"{SAVED}/@nt:scores").text
    assert text.startswith(f'<xdat:bundle xmlns:xdat="{NAMESPACE}" ID="@nt:scores">')
    root = etree.fromstring(text.encode())
    assert dict(root.attrib) == {"ID": "@nt:scores"}
    assert set(_children(root)) == {"root_element_name", "search_field"}
    fields = root.findall(f"{{{NAMESPACE}}}search_field")
    order = ["element_name", "field_ID", "sequence", "type", "header", "value"]
    assert all(_children(field) == order for field in fields)
    assert [field[2].text for field in fields] == [str(n) for n in range(len(fields))]
    types = {field[1].text: field[3].text for field in fields}
    assert (types["NEO_NEOFAC_A"], types["AGE"], types["LABEL"]) == ("integer", "integer", "string")
    assert jane.get(f"{SAVED}/@nt:scores/results").json()["ResultSet"]["totalRecords"] == "76"
    assert jane.get(f"{SAVED}/@nt:scores?dv=full").text != text
    assert jane.get(f"{SAVED}/@nt:scores?dv=never").status_code == 404
    for unknown in ("nt:nothing", "xnat:demographicData", "xdat:user", ""):
        assert jane.get(f"{SAVED}/@{unknown}").status_code == 404


def test_the_generated_search_of_a_project(as_user: Caller) -> None:
    joe = as_user("joe")
    text = joe.get(f"{IN_Q1}/@xnat:subjectData").text
    root = etree.fromstring(text.encode())
    assert dict(root.attrib) == {
        "ID": "HCP_Q1_xnat:subjectData",
        "allow-diff-columns": "0",
        "secure": "0",
        "brief-description": "Subjects",
        "tag": "HCP_Q1",
    }
    fields = [[leaf.text for leaf in field] for field in root.findall(f"{{{NAMESPACE}}}search_field")]
    identifier = next(field for field in fields if field[1] == "SUB_PROJECT_IDENTIFIER=HCP_Q1")
    assert identifier[5] == "HCP_Q1"
    counts = {field[1]: field for field in fields if str(field[1]).startswith("CNT_")}
    scores = counts["CNT_NT_SCORES=HCP_Q1"]
    assert (scores[3], scores[5]) == ("integer", "HCP_Q1")
    assert "CNT_XNAT_MRSESSIONDATA=HCP_Q1" in counts
    (where,) = root.findall(f"{{{NAMESPACE}}}search_where")
    assert where.get("method") == "AND"
    (inside,) = where
    assert inside.get("method") == "OR"
    assert [[leaf.text for leaf in c] for c in inside] == [
        ["xnat:subjectData/sharing/share/project", "=", "HCP_Q1"],
        ["xnat:subjectData/project", "=", "HCP_Q1"],
    ]
    assert {c.get("override_value_formatting") for c in inside} == {"0"}
    rows = joe.get(f"{IN_Q1}/@xnat:subjectData/results").json()["ResultSet"]["Result"]
    assert len(rows) == 76
    assert {row["sub_project_identifier_hcp_q1"] for row in rows} >= {"100307"}
    assert as_user("stranger").get(f"{IN_Q1}/@xnat:subjectData").status_code == 404
    assert joe.get(f"{IN_Q1}/@nt:scores/results?format=csv").text.count("\n") == 77

"""/data/search/elements: the types, their fields and their column sets, over HTTP."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from lxml import etree

from connectomedb.schema.model import Item
from connectomedb.server.run import ServerThread
from connectomedb.store.site import open_site
from connectomedb.testing.sample_site import build_site

ELEMENTS = "/data/search/elements"
KEYS = "FIELD_ID,HEADER,SUMMARY,TYPE,REQUIRES_VALUE,DESC,ELEMENT_NAME,SRC"


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A site of this module's own: the synthetic one with two custom variables beside."""
    folder = tmp_path_factory.mktemp("fields") / "site"
    build_site(folder)
    site = open_site(folder)
    seen = {"name": "seen", "field": "1"}
    hidden = {"name": "hidden", "field": "1"}
    for label, project, variable in (("v1", "HCP_Q1", seen), ("v2", "HCP_Q1b", hidden)):
        children = {"fields/field": (Item("xnat:subjectData_field", variable),)}
        values = {"ID": f"X_{label}", "label": label, "project": project}
        site.archive.store_items([Item("xnat:subjectData", values, children)], user="admin")
    with ServerThread(site) as server:
        yield server.url
    site.close()


@pytest.fixture
def user(own_server: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=own_server, auth=("guest-reader", "reader-demo")) as client:
        yield client


def rows(client: httpx2.Client, path: str, **parameters: str) -> list[dict[str, str]]:
    answer = client.get(path, params={"format": "json", **parameters})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, str]] = answer.json()["ResultSet"]["Result"]
    return found


def test_one_type_is_unsecured(user: httpx2.Client) -> None:
    found = rows(user, ELEMENTS)
    assert [r["ELEMENT_NAME"] for r in found if r["SECURED"] == "false"] == ["xnat:investigatorData"]
    names = [r["ELEMENT_NAME"] for r in found]
    assert {"xnat:mrSessionData", "xnat:mrScanData", "xnat:petSessionData", "nt:scores"} <= set(names)
    assert len(names) == len(set(names))
    assert not [n for n in names if n.startswith("xdat:")]
    by_name = {r["ELEMENT_NAME"]: r for r in found}
    session = by_name["xnat:mrSessionData"]
    assert (session["SINGULAR"], session["PLURAL"]) == ("MR Session", "MR Sessions")
    assert set(found[0]) == {"ELEMENT_NAME", "SINGULAR", "PLURAL", "SECURED", "COUNT"}


def test_used_secured_and_readable(user: httpx2.Client) -> None:
    used = rows(user, ELEMENTS, used="true", readable="true")
    assert {"nt:scores", "xnat:subjectData"} <= {r["ELEMENT_NAME"] for r in used}
    assert all(int(r["COUNT"]) > 0 for r in used)
    secured = rows(user, ELEMENTS, secured="true")
    assert {r["SECURED"] for r in secured} == {"true"}


def test_the_listing_is_xml_unless_asked_otherwise(user: httpx2.Client) -> None:
    answer = user.get(ELEMENTS)
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    assert etree.fromstring(answer.content).get("title") == "Data-Types"
    as_csv = user.get(ELEMENTS, params={"format": "csv"}).text
    assert as_csv.splitlines()[0] == "ELEMENT_NAME,SINGULAR,PLURAL,SECURED,COUNT"
    assert (
        user.get(ELEMENTS, headers={"Accept": "application/json"}).json()["ResultSet"]["title"]
        == "Data-Types"
    )


def test_the_fields_of_a_questionnaire(user: httpx2.Client) -> None:
    found = {r["FIELD_ID"]: r for r in rows(user, f"{ELEMENTS}/nt:scores")}
    assert found["NEO_NEOFAC_A"] == {
        "FIELD_ID": "NEO_NEOFAC_A",
        "HEADER": "NEOFAC_A",
        "SUMMARY": "nt:scores/NEO/NEOFAC_A",
        "TYPE": "integer",
        "REQUIRES_VALUE": "false",
        "DESC": "NEO factor A: Agreeableness",
        "ELEMENT_NAME": "nt:scores",
        "SRC": "0",
    }
    assert {"SUBJECT_ID", "EXPT_ID", "DATE", "AGE", "PROJECTS", "LABEL", "PROJECT"} <= set(found)
    assert {"INSERT_DATE", "INSERT_USER"} <= set(found)
    assert "RPT" not in found


def test_labels_in_projects_and_custom_variables_follow_the_rights(
    user: httpx2.Client, own_server: str
) -> None:
    found = rows(user, f"{ELEMENTS}/xnat:subjectData")
    labels = [r for r in found if r["SRC"] == "2"]
    assert [(r["FIELD_ID"], r["HEADER"]) for r in labels] == [("SUB_PROJECT_IDENTIFIER=HCP_Q1", "HCP_Q1")]
    assert [r["FIELD_ID"] for r in found if r["SRC"] == "1"] == ["XNAT_SUBJECTDATA_FIELD_MAP=seen"]
    with httpx2.Client(base_url=own_server, auth=("admin", "admin-demo")) as admin:
        every = rows(admin, f"{ELEMENTS}/xnat:subjectData")
    assert {"XNAT_SUBJECTDATA_FIELD_MAP=hidden", "XNAT_SUBJECTDATA_FIELD_MAP=seen"} <= {
        r["FIELD_ID"] for r in every
    }
    assert "SUB_PROJECT_IDENTIFIER=HCP_Q1b" in {r["FIELD_ID"] for r in every}


def test_several_types_in_one_listing(user: httpx2.Client) -> None:
    path = f"{ELEMENTS}/nt%3Ascores,xnat:mrSessionData"
    assert {r["ELEMENT_NAME"] for r in rows(user, path)} == {"nt:scores", "xnat:mrSessionData"}
    table = list(csv.reader(io.StringIO(user.get(path, params={"format": "csv"}).text)))
    assert ",".join(table[0]) == KEYS
    answer = user.get(path, params={"format": "json"}).json()["ResultSet"]
    assert answer["element_name"] == "nt:scores,xnat:mrSessionData"
    assert "versions" not in answer


def test_column_sets(user: httpx2.Client) -> None:
    found = user.get(f"{ELEMENTS}/xnat:mrSessionData/versions").json()["DisplayVersions"]
    assert found["element_name"] == "xnat:mrSessionData"
    assert [v["name"] for v in found["versions"]] == [
        *("listing", "listing_csv", "project_bundle", "root", "detailed", "detailed_csv", "brief"),
        *("core", "core_csv", "meta_data", "all"),
    ]
    listing = found["versions"][0]
    assert (listing["orderBy"], listing["defaultSortOrder"]) == ("DATE", "DESC")
    assert (listing["darkColor"], listing["lightColor"]) == ("DEDEDE", "FFFFFF")
    assert listing["fields"][0] == {
        "id": "LABEL",
        "element_name": "xnat:mrSessionData",
        "header": "Label",
        "type": "string",
        "value": "",
        "visible": "true",
    }
    every = {f["id"] for f in found["versions"][-1]["fields"]}
    assert "DATE" in every
    assert not {"SUBJECT_ID", "MR_PROJECT_IDENTIFIER"} & every
    assert user.get(f"{ELEMENTS}/xnat:mrSessionData?format=json").json()["ResultSet"]["versions"] == found


def test_hidden_columns_and_their_values(user: httpx2.Client) -> None:
    found = user.get(f"{ELEMENTS}/xnat:projectData/versions").json()["DisplayVersions"]["versions"][0]
    hidden = {f["id"]: f["value"] for f in found["fields"] if f["visible"] == "false"}
    assert hidden == {"USER_ROLE": "{XDAT_USER_ID}", "PROJECT_ACCESS": ""}


def test_column_sets_as_xml(user: httpx2.Client) -> None:
    answer = user.get(f"{ELEMENTS}/nt:scores/versions", params={"format": "xml"})
    root = etree.fromstring(answer.content)
    assert root.tag == "DisplayVersions"
    assert [v.get("name") for v in root][-1] == "all"
    assert root[0][0].get("element_name") == "nt:scores"
    assert user.get(f"{ELEMENTS}/nt:scores/versions?format=csv").status_code == 400


@pytest.mark.parametrize("path", ["nt:score", "nt:scores,xnat:mrSession", "nt:score/versions", "x"])
def test_an_unknown_type_is_400(user: httpx2.Client, path: str) -> None:
    answer = user.get(f"{ELEMENTS}/{path}")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_nothing_is_listed_without_a_login(own_server: str) -> None:
    with httpx2.Client(base_url=own_server) as nobody:
        for path in (ELEMENTS, f"{ELEMENTS}/nt:scores", f"{ELEMENTS}/nt:scores/versions"):
            assert nobody.get(path).status_code == 401


def test_a_site_with_its_own_document_keeps_what_is_of_the_language(tmp_path: Path) -> None:
    """The rest is left out, named, and never reaches a database; see tests/unit/schema/test_display.py."""
    folder = tmp_path / "site"
    build_site(folder)
    display = folder / "schemas" / "ex" / "display"
    display.mkdir(parents=True)
    (folder / "schemas" / "ex" / "ex.xsd").write_text(
        '<xs:schema targetNamespace="http://example.org/ex" xmlns:ex="http://example.org/ex" '
        'xmlns:xnat="http://nrg.wustl.edu/xnat" xmlns:xs="http://www.w3.org/2001/XMLSchema">'
        '<xs:element name="Mood" type="ex:moodData"/><xs:complexType name="moodData"><xs:complexContent>'
        '<xs:extension base="xnat:subjectAssessorData"><xs:sequence>'
        '<xs:element name="score" type="xs:integer" minOccurs="0"/>'
        "</xs:sequence></xs:extension></xs:complexContent></xs:complexType></xs:schema>"
    )
    (display / "ex_mood_display.xml").write_text(
        '<Displays schema-element="ex:moodData" brief-description="Moods">'
        '<DisplayField id="DOUBLE" header="Twice" data-type="integer" searchable="true">'
        '<DisplayFieldElement name="Field1" schema-element="ex:moodData.score"/>'
        '<Content type="sql">@Field1 * 2</Content></DisplayField>'
        '<DisplayField id="LOGINS" header="x"><DisplayFieldElement name="Field1" '
        'schema-element="ex:moodData.score"/><Content type="sql">(SELECT login FROM xdat_user)</Content>'
        "</DisplayField></Displays>"
    )
    site = open_site(folder)
    with (
        ServerThread(site) as server,
        httpx2.Client(base_url=server.url, auth=("guest-reader", "reader-demo")) as client,
    ):
        found = {r["FIELD_ID"]: r for r in rows(client, f"{ELEMENTS}/ex:moodData")}
        assert found["DOUBLE"]["SUMMARY"] == "computed from ex:moodData/score"
        assert "LOGINS" not in found
        assert "SCORE" in found
    site.close()

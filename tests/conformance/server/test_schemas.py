"""The data types over HTTP: their XSD documents under every address, their names, fields and registration."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree

import httpx2
import pytest

from connectomedb.testing.sample_site import ACCOUNTS

ADMIN = next((a.login, a.password) for a in ACCOUNTS if a.is_admin)
DATATYPES = "/xapi/schemas/datatypes"


@pytest.fixture
def admin(q1_server: str) -> Iterator[httpx2.Client]:
    """An administrator."""
    with httpx2.Client(base_url=q1_server, auth=ADMIN) as client:
        yield client


def test_the_schemas_that_clients_expect_are_there(reader: httpx2.Client) -> None:
    names = reader.get("/xapi/schemas", params={"format": "json"}).json()
    assert {"xnat", "xdat", "security", "assessments", "pipeline/workflow", "birn/birnprov"} <= set(names)
    assert len(names) > 10


def test_every_schema_has_all_its_addresses(reader: httpx2.Client) -> None:
    for name in reader.get("/xapi/schemas").json():
        folder, _, file = name.rpartition("/")
        full = f"{folder or file}/{file}"
        addresses = [f"/xapi/schemas/{name}", f"/xapi/schemas/{full}"]
        addresses += [f"{root}/{path}.xsd" for root in ("/schemas", "/xapi") for path in (file, full)]
        answers = {address: reader.get(address) for address in addresses}
        assert {a: r.status_code for a, r in answers.items()} == dict.fromkeys(addresses, 200)
        assert len({r.content for r in answers.values()}) == 1
        assert answers[addresses[0]].headers["content-type"].startswith("application/xml")
        ElementTree.fromstring(answers[addresses[0]].content)


def test_an_unknown_schema_is_not_found(reader: httpx2.Client) -> None:
    for address in ("/xapi/schemas/nothing", "/schemas/nothing.xsd", "/xapi/nothing.xsd"):
        assert reader.get(address).status_code == 404


def test_who_is_not_logged_in_reads_none_of_it(stranger: httpx2.Client) -> None:
    for address in ("/xapi/schemas", "/xapi/schemas/xnat", "/schemas/xnat.xsd", DATATYPES):
        assert stranger.get(address).status_code == 401


def test_all_types_are_named_those_of_repeated_parts_as_well(reader: httpx2.Client) -> None:
    names = reader.get(DATATYPES).json()
    expected = {"xnat:mrSessionData", "xdat:user", "prov:processStep", "xnat:experimentData_share"}
    expected |= {"xnat:subjectData_field", "val:protocolData_scan_check_comment"}
    assert expected <= set(names)
    assert len(names) == len(set(names))


def test_a_type_has_several_names(reader: httpx2.Client) -> None:
    one = reader.get(f"{DATATYPES}/names/xnat:mrSessionData").json()
    assert list(one) == ["xnat_mrSessionData"]
    assert {"xnat:mrSessionData", "MRSession", "xnat_mrsessiondata"} <= set(one["xnat_mrSessionData"])
    assert reader.get(f"{DATATYPES}/names/xnat%3AmrSessionData").json() == one
    everything = reader.get(f"{DATATYPES}/names/all").json()
    assert len(everything) > 50
    assert all(len(names) > 1 for names in everything.values())


@pytest.mark.parametrize("what", ["names", "elements"])
def test_as_many_answers_as_types_were_asked_for(reader: httpx2.Client, what: str) -> None:
    url, types = f"{DATATYPES}/{what}", ["xnat:subjectData", "nt:scores"]
    formatted = ["xnat_subjectData", "nt_scores"]
    assert list(reader.post(url, data={"dataTypes": types}).json()) == formatted
    assert list(reader.post(url, json={"dataTypes": types}).json()) == formatted
    assert list(reader.post(url, data={"dataType": types[0]}).json()) == formatted[:1]
    assert list(reader.post(url, json={"dataType": types[1]}).json()) == formatted[1:]
    assert reader.post(url, json={"dataType": "nt:score"}).status_code == 400
    assert reader.post(url, content=b"{").status_code == 400
    assert reader.post(url).status_code == 400


def test_a_type_is_described_with_its_fields(reader: httpx2.Client) -> None:
    found = reader.get(f"{DATATYPES}/elements/nt:scores").json()["nt_scores"]
    assert (found["properName"], found["namespacePrefix"]) == ("NTScores", "nt")
    assert (found["namespaceURI"], found["type"]) == ("http://nrg.wustl.edu/nt", "nt:scores")
    score = {"prefix": "nt", "xmlPath": "NEO/NEOFAC_A", "xmlType": "xs:integer"}
    assert found["fields"]["NEO/NEOFAC_A"] == score
    assert found["fields"]["label"]["xmlPath"] == "@label"
    assert list(found["defaultKey"]) == ["ID"]


def test_types_that_can_be_searched(reader: httpx2.Client) -> None:
    names = reader.get(f"{DATATYPES}/searchable").json()
    assert {"nt:scores", "xnat:subjectData", "xnat:mrSessionData", "xnat:investigatorData"} <= set(names)
    assert not any(name.startswith("xdat:") for name in names)


def test_an_administrator_registers_a_type(admin: httpx2.Client, reader: httpx2.Client) -> None:
    url = "/data/search/elements/xnat:genericData"
    assert reader.put(url, params={"singular": "Thing"}).status_code == 403
    record = admin.put(url, params={"singular": "Thing", "searchable": "0"}).json()["xnat_genericData"]
    assert (record["singular"], record["searchable"], record["secure"], record["sequence"]) == (
        "Thing",
        0,
        1,
        2,
    )
    assert record["primary_security_fields"] == [
        "xnat:genericData/project",
        "xnat:genericData/sharing/share/project",
    ]
    assert "xnat:genericData" not in reader.get(f"{DATATYPES}/searchable").json()
    assert admin.put(url, json={"searchable": True}).json()["xnat_genericData"]["searchable"] == 1
    assert "xnat:genericData" in reader.get(f"{DATATYPES}/searchable").json()
    assert admin.put(url, params={"serchable": "1"}).status_code == 400
    assert "did you mean searchable" in admin.put(url, params={"serchable": "1"}).text
    assert admin.put(url, params={"sequence": "first"}).status_code == 400
    assert admin.put("/data/search/elements/xnat:nothing", params={"code": "x"}).status_code == 400


def test_one_type_is_open_to_everybody(reader: httpx2.Client) -> None:
    rows = reader.get("/data/search/elements", params={"format": "json"}).json()["ResultSet"]["Result"]
    assert [r["ELEMENT_NAME"] for r in rows if r["SECURED"] == "false"] == ["xnat:investigatorData"]

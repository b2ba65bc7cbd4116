"""The search service over the wire: formats, order of columns, and every way to ask wrongly."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

FIELDS = ("SUBJECT_ID", "NEO_NEOFAC_A", "NEO_NEOFAC_O", "NEO_NEOFAC_C")


def document(
    *fields: str, root: str = "nt:scores", where: tuple[str, str, str] | None = None, body: str = ""
) -> bytes:
    columns = "".join(
        f"<xdat:search_field><xdat:element_name>{root}</xdat:element_name><xdat:field_ID>{f}</xdat:field_ID>"
        f"<xdat:sequence>{i}</xdat:sequence><xdat:type>string</xdat:type></xdat:search_field>"
        for i, f in enumerate(fields)
    )
    criteria = ""
    if where:
        field, operator, value = where
        criteria = (
            f'<xdat:search_where method="AND"><xdat:criteria override_value_formatting="0">'
            f"<xdat:schema_field>{root}/{field}</xdat:schema_field>"
            f"<xdat:comparison_type>{operator}</xdat:comparison_type><xdat:value>{value}</xdat:value>"
            "</xdat:criteria></xdat:search_where>"
        )
    return (
        f'<xdat:bundle xmlns:xdat="http://nrg.wustl.edu/security" ID="@{root}">'
        f"<xdat:root_element_name>{root}</xdat:root_element_name>{columns}{criteria}{body}</xdat:bundle>"
    ).encode()


@pytest.mark.parametrize("fields", [FIELDS, FIELDS[::-1]])
@pytest.mark.parametrize("path", ["/data/search", "/REST/search", "/data/search/", "//data//search"])
def test_columns_come_in_the_order_asked_for(
    reader: httpx2.Client, fields: tuple[str, ...], path: str
) -> None:
    url = str(reader.base_url).rstrip("/") + path
    response = reader.post(url, params={"format": "csv"}, content=document(*fields))
    assert response.status_code == 200, response.text
    lines = response.text.splitlines()
    assert lines[0] == ",".join([*(f.lower() for f in fields), "quarantine_status"])
    assert len(lines) == 77


@pytest.mark.parametrize(
    "content_type", ["text/xml", "application/json", "application/x-www-form-urlencoded", ""]
)
def test_the_content_type_does_not_matter(reader: httpx2.Client, content_type: str) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    response = reader.post("/data/search?format=csv", content=document(*FIELDS), headers=headers)
    assert response.status_code == 200


def test_chunked_and_multipart_bodies(reader: httpx2.Client) -> None:
    def chunks() -> Iterator[bytes]:
        whole = document(*FIELDS)
        yield whole[:100]
        yield whole[100:]

    plain = reader.post("/data/search?format=csv", content=document(*FIELDS)).text
    assert reader.post("/data/search?format=csv", content=chunks()).text == plain
    part = {"search": ("search.xml", document(*FIELDS), "text/xml")}
    assert reader.post("/data/search?format=csv", files=part).text == plain


def test_json_describes_its_columns(reader: httpx2.Client) -> None:
    answer = reader.post("/data/search", content=document(*FIELDS)).json()["ResultSet"]
    assert [c["key"] for c in answer["Columns"]] == [*(f.lower() for f in FIELDS), "quarantine_status"]
    assert answer["rootElementName"] == "nt:scores"
    assert answer["totalRecords"] == "76"
    assert all(isinstance(v, str) for row in answer["Result"] for v in row.values())


@pytest.mark.parametrize("media", ["xml", "html"])
def test_other_representations(reader: httpx2.Client, media: str) -> None:
    response = reader.post(f"/data/search?format={media}", content=document(*FIELDS))
    assert response.headers["content-type"] == f"text/{media}; charset=utf-8"


def test_sorting_by_the_query_string(reader: httpx2.Client) -> None:
    url = "/data/search?sortBy=NEO_NEOFAC_A&sortOrder=DESC"
    rows = reader.post(url, content=document(*FIELDS)).json()["ResultSet"]["Result"]
    scores = [int(r["neo_neofac_a"]) for r in rows if r["neo_neofac_a"]]
    assert scores == sorted(scores, reverse=True)
    wrong = reader.post("/data/search?sortBy=SUBJECT_ID&sortOrder=UP", content=document(*FIELDS))
    assert wrong.status_code == 400


def test_no_row_leaves_the_header(reader: httpx2.Client) -> None:
    body = document("SUBJECT_ID", where=("NEO_NEOFAC_A", "&gt;", "1000"))
    assert reader.post("/data/search?format=csv", content=body).text == "subject_id,quarantine_status\n"


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        (document("NEO_NEOFAK_A"), 400, "NEO_NEOFAC_A"),
        (document("SUBJECT_ID", where=("NEO_NEOFAK_A", "=", "1")), 400, "NEO_NEOFAC_A"),
        (document("SUBJECT_ID", where=("NEO_NEOFAC_A", "RESEMBLES", "1")), 400, "RESEMBLES"),
        (document("SUBJECT_ID", where=("NEO_NEOFAC_A", "&gt;", "much")), 400, "much"),
        (document("SUBJECT_ID", root="nt:scored"), 400, "nt:scores"),
        (b"", 422, "XML"),
        (b"PROJECTS LIKE HCP_Q1", 422, "XML"),
        (b"<xdat:bundle", 422, ""),
        (b"<html><body/></html>", 422, ""),
        (b'<!DOCTYPE x [<!ENTITY e "e">]><x>&e;</x>', 422, ""),
        (b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>', 422, ""),
        (document(body="<a>" * 300 + "</a>" * 300), 422, ""),
    ],
)
@pytest.mark.parametrize("root", ["/data", "/REST"])
def test_a_wrong_question_is_refused_with_a_reason(
    reader: httpx2.Client, root: str, body: bytes, status: int, word: str
) -> None:
    response = reader.post(f"{root}/search?format=csv", content=body)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert word in response.text
    assert "\n" not in response.text
    assert "Not Found" not in response.text


def test_an_oversized_body_is_refused_unread(reader: httpx2.Client) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(17):
            yield b" " * 2**20

    assert reader.post("/data/search", content=b" " * (16 * 2**20 + 1)).status_code == 413
    assert reader.post("/data/search", content=endless()).status_code == 413


def test_reading_the_search_address_is_405(reader: httpx2.Client) -> None:
    response = reader.get("/data/search")
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"


def test_a_question_is_explained(reader: httpx2.Client) -> None:
    body = document("SUBJECT_ID", where=("NEO_NEOFAC_A", "&gt;", "40"))
    answer = reader.post("/xapi/connectomedb/explain", content=body).json()
    assert "40" in answer["sentence"]
    assert "SELECT" in answer["sql"].upper()


def test_the_searchable_types_and_their_fields(reader: httpx2.Client) -> None:
    types = reader.get("/data/search/elements?format=json").json()["ResultSet"]["Result"]
    assert {"nt:scores", "xnat:subjectData", "xnat:mrSessionData"} <= {t["ELEMENT_NAME"] for t in types}
    secured = reader.get("/data/search/elements?secured=true&format=json").json()["ResultSet"]["Result"]
    assert all(t["SECURED"] == "true" for t in secured)
    fields = reader.get("/data/search/elements/nt:scores").json()["ResultSet"]
    assert fields["element_name"] == "nt:scores"
    assert fields["versions"]["versions"][-1]["name"] == "all"
    assert {"SUBJECT_ID", "PROJECTS", "NEO_NEOFAC_A"} <= {f["FIELD_ID"] for f in fields["Result"]}
    as_csv = reader.get("/data/search/elements/nt%3Ascores?format=csv").text.splitlines()
    assert as_csv[0] == "FIELD_ID,HEADER,SUMMARY,TYPE,REQUIRES_VALUE,DESC,ELEMENT_NAME,SRC"
    versions = reader.get("/data/search/elements/nt:scores/versions").json()["DisplayVersions"]
    assert versions == fields["versions"]


def test_a_misspelt_type_is_refused_with_the_nearest(reader: httpx2.Client) -> None:
    response = reader.get("/data/search/elements/nt:score")
    assert response.status_code == 400
    assert "nt:scores" in response.text

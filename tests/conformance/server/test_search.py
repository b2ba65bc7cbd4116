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


def _criterion(schema_field: str, operator: str, value: str) -> str:
    return (
        f"<xdat:search_where><xdat:criteria><xdat:schema_field>{schema_field}</xdat:schema_field>"
        f"<xdat:comparison_type>{operator}</xdat:comparison_type><xdat:value>{value}</xdat:value>"
        "</xdat:criteria></xdat:search_where>"
    )


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


def test_a_linked_column_brings_what_its_link_needs(reader: httpx2.Client) -> None:
    body = document("SUBJECT_LABEL", root="xnat:subjectData", where=("SUBJECT_LABEL", "=", "100307"))
    answer = reader.post("/data/search?format=json", content=body).json()["ResultSet"]
    keys = ["subject_label", "subjectid", "insert_date", "insert_user", "projects", "project"]
    assert [c["key"] for c in answer["Columns"]] == [*keys, "quarantine_status"]
    (row,) = answer["Result"]
    assert list(row) == [*keys, "quarantine_status"]
    label = answer["Columns"][0]
    spot = "search_element/xnat:subjectData/search_field/xnat:subjectData.ID"
    assert label == {
        "key": "subject_label",
        "element_name": "xnat:subjectData",
        "id": "SUBJECT_LABEL",
        "xPATH": "xnat:subjectData.SUBJECT_LABEL",
        "header": "Subject",
        "type": "string",
        "clickable": "true",
        "linkProps": [
            {
                "name": "HREF",
                "value": f"/app/action/DisplayItemAction/search_value/@Field1/{spot}",
                "inserts": [{"name": "Field1", "value": "subjectid"}],
            },
            {
                "name": "ONCLICK",
                "value": "return rpt('@Field1','xnat:subjectData','xnat:subjectData.ID');",
                "inserts": [{"name": "Field1", "value": "subjectid"}],
            },
            {
                "name": "TITLE",
                "value": "Inserted: @Field1 (@Field2)",
                "inserts": [
                    {"name": "Field2", "value": "insert_user"},
                    {"name": "Field1", "value": "insert_date"},
                ],
            },
        ],
    } | {k: v for k, v in label.items() if k == "description"}
    without = reader.post("/data/search", content=body).json()["ResultSet"]["Columns"][0]
    assert "linkProps" not in without
    assert "clickable" not in without
    listed = reader.post("/data/search?format=xlist", content=body).text
    address = f"/app/action/DisplayItemAction/search_value/{row['subjectid']}/{spot}"
    assert f'<td><a href="{address}">100307</a></td>' in listed


LENIENT = {"Prefer": "handling=lenient"}


def test_an_unknown_column_is_refused_or_left_out_with_a_warning(reader: httpx2.Client) -> None:
    body = document("SUBJECT_ID", "NEO_NEOFAK_A", "SUB_PROJECT_IDENTIFIER")
    response = reader.post("/data/search?format=csv", content=body, headers=LENIENT)
    assert response.text.splitlines()[0] == "subject_id,quarantine_status"
    assert "nt:scores/NEO_NEOFAK_A, nt:scores/SUB_PROJECT_IDENTIFIER" in response.headers["warning"]
    strict = reader.post("/data/search", content=body)
    assert strict.status_code == 400
    assert "did you mean NEO_NEOFAC_A" in strict.text


def test_without_a_known_column_the_listing_is_shown(reader: httpx2.Client) -> None:
    response = reader.post("/data/search?format=csv", content=document("NO", "NO_EITHER"), headers=LENIENT)
    assert response.text == reader.post("/data/search?format=csv", content=document()).text
    assert response.text.startswith("label,subject_label,")
    assert "nt:scores/NO_EITHER" in response.headers["warning"]


def test_without_a_login_it_is_refused(stranger: httpx2.Client) -> None:
    response = stranger.post("/data/search?format=csv", content=document(*FIELDS))
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Basic")


def test_sql_words_are_just_text(reader: httpx2.Client) -> None:
    for value in ("'; DROP TABLE item; --", "SELECT 1", "INSERT INTO x", "%' OR '1'='1", "Robert&quot;); --"):
        response = reader.post(
            "/data/search?format=csv", content=document("SUBJECT_ID", where=("LABEL", "=", value))
        )
        assert (response.status_code, response.text) == (200, "subject_id,quarantine_status\n")
    assert len(reader.post("/data/search?format=csv", content=document("SUBJECT_ID")).text.splitlines()) == 77


def test_many_criteria(reader: httpx2.Client) -> None:
    def asked(n: int) -> httpx2.Response:
        wheres = "".join(_criterion("nt:scores/NEO_NEOFAC_A", "!=", str(1000 + i)) for i in range(n))
        return reader.post("/data/search?format=csv", content=document("SUBJECT_ID", body=wheres))

    assert len(asked(500).text.splitlines()) == 77
    refused = asked(10_000)
    assert (refused.status_code, "10000 criteria" in refused.text) == (422, True)


@pytest.mark.parametrize("media", ["xml", "html"])
def test_other_representations(reader: httpx2.Client, media: str) -> None:
    response = reader.post(f"/data/search?format={media}", content=document(*FIELDS))
    assert response.headers["content-type"] == f"text/{media}; charset=utf-8"


def test_sorting_by_the_query_string(reader: httpx2.Client) -> None:
    url = "/data/search?sortBy=NEO_NEOFAC_A&sortOrder=DESC"
    rows = reader.post(url, content=document(*FIELDS)).json()["ResultSet"]["Result"]
    scores = [int(r["neo_neofac_a"]) for r in rows if r["neo_neofac_a"]]
    assert scores == sorted(scores, reverse=True)
    by_key = reader.post(url.replace("NEO_NEOFAC_A", "neo_neofac_a"), content=document(*FIELDS))
    assert by_key.json()["ResultSet"]["Result"] == rows
    by_type = reader.post(url.replace("NEO_NEOFAC_A", "nt:scores.NEO_NEOFAC_A"), content=document(*FIELDS))
    assert by_type.json()["ResultSet"]["Result"] == rows
    wrong = reader.post("/data/search?sortBy=SUBJECT_ID&sortOrder=UP", content=document(*FIELDS))
    assert wrong.status_code == 400


def test_sorting_by_a_valued_field_and_by_its_key(reader: httpx2.Client) -> None:
    body = document("NT_SCORES_PROJECT_IDENTIFIER=HCP_Q1", "SUBJECT_ID")
    key = "nt_scores_project_identifier_hcp_q1"
    answers = [
        reader.post("/data/search", params={"sortBy": name, "sortOrder": "DESC"}, content=body).json()
        for name in (key, key.upper().replace("_HCP_Q1", "=HCP_Q1"))
    ]
    labels = [row[key] for row in answers[0]["ResultSet"]["Result"]]
    assert labels == sorted(labels, reverse=True)
    assert answers[1] == answers[0]


def test_no_row_leaves_the_header(reader: httpx2.Client) -> None:
    body = document("SUBJECT_ID", where=("NEO_NEOFAC_A", "&gt;", "1000"))
    assert reader.post("/data/search?format=csv", content=body).text == "subject_id,quarantine_status\n"


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        (document("SUBJECT_ID", where=("NEO_NEOFAK_A", "=", "1")), 400, "NEO_NEOFAC_A"),
        (document("SUBJECT_ID", where=("NEO_NEOFAC_A", "RESEMBLES", "1")), 400, "RESEMBLES"),
        (document("SUBJECT_ID", where=("NEO_NEOFAC_A", "&gt;", "much")), 400, "much"),
        (document("SUBJECT_ID", where=("NEO_NEOFAC_A", "BETWEEN", "1")), 400, "a AND b"),
        (document("SUBJECT_ID", where=("LABEL", "LIKE", "x\\")), 400, "lone backslash"),
        (document("ID", root="xnat:projectData", body=_criterion("nt:scores/AGE", "=", "3")), 400, "connect"),
        (
            document("SUBJECT_ID", body="<xdat:sort_by><xdat:field_ID>NO</xdat:field_ID></xdat:sort_by>"),
            400,
            "",
        ),
        (document("SUBJECT_ID", root="nt:scored"), 403, "nt:scores"),
        (document("SUBJECT_ID", root="xdat:user"), 403, "xdat:user"),
        (document("SUBJECT_ID", root="xnat:demographicData"), 403, "xnat:demographicData"),
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

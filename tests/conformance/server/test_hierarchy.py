"""Listings and single items, and what is answered when they are not there."""

from __future__ import annotations

import csv
import io

import httpx2
import pytest

SUBJECT_KEYS = ["ID", "project", "label", "insert_date", "insert_user", "URI"]
Q1 = "/data/projects/HCP_Q1"


def rows(response: httpx2.Response) -> list[dict[str, str]]:
    assert response.status_code == 200, response.text
    result: list[dict[str, str]] = response.json()["ResultSet"]["Result"]
    return result


def test_only_visible_projects_are_listed(reader: httpx2.Client) -> None:
    assert [r["ID"] for r in rows(reader.get("/data/projects"))] == ["HCP_Q1"]


@pytest.mark.parametrize(
    "root", ["/data", "/REST", "/data/archive", "/REST/archive", "//data/", "/data//archive"]
)
def test_every_root_is_the_same(reader: httpx2.Client, root: str) -> None:
    same = f"{root}/projects/HCP_Q1/subjects?format=csv"
    response = reader.get(f"{str(reader.base_url).rstrip('/')}{same}")
    assert response.status_code == 200
    assert response.text == reader.get(f"{Q1}/subjects?format=csv").text
    assert "/data/subjects/ConnectomeDB_S00230" in response.text


def test_csv_and_json_hold_the_same(reader: httpx2.Client) -> None:
    as_csv = reader.get(f"{Q1}/subjects?format=csv")
    assert as_csv.headers["content-type"] == "text/csv; charset=utf-8"
    table = list(csv.DictReader(io.StringIO(as_csv.text)))
    assert list(table[0]) == SUBJECT_KEYS
    assert table == rows(reader.get(f"{Q1}/subjects"))
    assert len(table) == 76


def test_accept_selects_and_format_wins(reader: httpx2.Client) -> None:
    xml = reader.get(f"{Q1}/subjects", headers={"Accept": "text/xml"})
    assert xml.headers["content-type"].startswith("text/xml")
    browser = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    assert reader.get(f"{Q1}/subjects", headers=browser).headers["content-type"].startswith("text/html")
    both = reader.get(f"{Q1}/subjects?format=json", headers=browser)
    assert both.headers["content-type"].startswith("application/json")
    assert reader.get(f"{Q1}/subjects?format=pdf").status_code == 400


def test_columns_filters_sorting_and_paging(reader: httpx2.Client) -> None:
    chosen = rows(reader.get(f"{Q1}/subjects?columns=label,xsiType"))
    assert {"ID", "label", "URI"} <= set(chosen[0])
    assert len(rows(reader.get(f"{Q1}/subjects?label=100307"))) == 1
    back = rows(reader.get(f"{Q1}/subjects?sortBy=label&sortOrder=DESC&limit=3"))
    assert [r["label"] for r in back] == sorted((r["label"] for r in chosen), reverse=True)[:3]
    assert reader.get(f"{Q1}/subjects?limit=-1").status_code == 400
    assert reader.get(f"{Q1}/subjects?sortBy=nothing").status_code == 400


def test_an_empty_listing_keeps_its_header(reader: httpx2.Client) -> None:
    assert reader.get(f"{Q1}/subjects?label=nobody&format=csv").text == ",".join(SUBJECT_KEYS) + "\n"


def test_experiments_by_type(reader: httpx2.Client) -> None:
    scores = rows(reader.get(f"{Q1}/experiments?xsiType=nt:scores"))
    assert len(scores) == 76
    assert {r["xsiType"] for r in scores} == {"nt:scores"}
    both = rows(reader.get(f"{Q1}/experiments?xsiType=nt:scores,hcp:subjMeta"))
    assert len(both) == 152


@pytest.mark.parametrize(
    "path",
    [
        f"{Q1}/subjects/100307/experiments/100307_NonToolbox",
        f"{Q1}/subjects/ConnectomeDB_S00230/experiments/ConnectomeDB_E00299",
        f"{Q1}/experiments/100307_NonToolbox",
        "/data/experiments/ConnectomeDB_E00299",
        f"{Q1}/subjects/100307/experiments/100307%255FNonToolbox",
    ],
)
def test_one_experiment_by_id_or_label(reader: httpx2.Client, path: str) -> None:
    response = reader.get(path, params={"format": "xml"})
    assert response.headers["content-type"] == "text/xml; charset=utf-8"
    assert response.text.startswith(
        '<?xml version="1.0" encoding="UTF-8"?>\n<nt:NTScores ID="ConnectomeDB_E00299" project="HCP_Subjects"'
    )
    assert reader.get(path, headers={"Accept": "application/xml"}).text == response.text


def test_one_item_as_json_and_as_a_page(reader: httpx2.Client) -> None:
    item = reader.get("/data/experiments/ConnectomeDB_E00299?format=json").json()["items"][0]
    assert item["meta"]["xsi:type"] == "nt:scores"
    assert item["meta"]["isHistory"] is False
    assert item["data_fields"]["ID"] == "ConnectomeDB_E00299"
    assert isinstance(item["data_fields"]["NEO/NEOFAC_A"], int)
    page = reader.get(f"{Q1}/subjects/100307")
    assert page.headers["content-type"].startswith("text/html")
    assert "Synthetic" in page.text


@pytest.mark.parametrize(
    "path",
    [
        "/data/projects/HCP_Q9",
        "/data/projects/HCP_Q2",  # there, and not to be seen
        "/data/projects/HCP_Q9/subjects",
        f"{Q1}/subjects/999999",
        f"{Q1}/subjects/999999/experiments",
        f"{Q1}/experiments/nothing",
        "/data/experiments/ConnectomeDB_E99999",
        "/data/subjects/100307",  # a label without its project
        "/data/nothing/here",
        "/data/version",
    ],
)
def test_what_is_not_there_is_404_in_one_plain_line(reader: httpx2.Client, path: str) -> None:
    response = reader.get(path)
    assert response.status_code == 404
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert "Not Found" not in response.text
    assert not response.text.startswith("<")
    assert "\n" not in response.text
    assert any(piece in response.text for piece in path.split("/")[2:])


def test_a_problem_document_on_request(reader: httpx2.Client) -> None:
    response = reader.get(f"{Q1}/experiments?xsiType=nt:scored", headers={"Accept": "application/json"})
    assert response.status_code == 400
    assert response.headers["content-type"].startswith("application/problem+json")
    assert response.json()["status"] == 400
    assert "nt:scores" in response.json()["nearest"]


def test_methods(reader: httpx2.Client) -> None:
    head = reader.head(f"{Q1}/subjects")
    assert head.status_code == 200
    assert head.content == b""
    refused = reader.delete(f"{Q1}/subjects")
    assert refused.status_code == 405
    assert "GET" in refused.headers["allow"]
    assert refused.text.startswith("DELETE is not offered")

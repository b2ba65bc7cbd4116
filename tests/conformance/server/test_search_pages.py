"""Kept answers: pages that neither overlap nor miss a row, whoever asks and whatever changes meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from tests.conformance.server.conftest import READER
from tests.conformance.server.test_search import document

from connectomedb.schema.model import Item
from connectomedb.search.search_xml import parse_search
from connectomedb.server.run import ServerThread
from connectomedb.store.results import LIFETIME, KeptResults, ResultGone
from connectomedb.store.site import Site, open_site
from connectomedb.testing.sample_site import OWNER, build_site

ADMIN = ("admin", "admin-demo")
FIELDS = ("SUBJECT_ID", "NEO_NEOFAC_A", "AGE", "NT_SCORES_PROJECT_IDENTIFIER=HCP_Q1")
LABEL = "nt_scores_project_identifier_hcp_q1"
Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site of its own: these tests change it."""
    folder = tmp_path_factory.mktemp("pages") / "site"
    build_site(folder)
    with open_site(folder) as site:
        yield site


@pytest.fixture(scope="module")
def url(site: Site) -> Iterator[str]:
    with ServerThread(site) as server:
        yield server.url


@pytest.fixture
def caller(url: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=url, auth=READER) as client:
        yield client


def kept(caller: httpx2.Client, body: bytes = document(*FIELDS), **params: str) -> dict[str, object]:
    response = caller.post("/data/search", params={"format": "json", "cache": "true", **params}, content=body)
    assert response.status_code == 200, response.text
    answer: dict[str, object] = response.json()["ResultSet"]
    return answer


def rows_of(caller: httpx2.Client, result_id: object, **params: str) -> Rows:
    response = caller.get(f"/data/search/{result_id}", params={"format": "json", **params})
    assert response.status_code == 200, response.text
    answer = response.json()["ResultSet"]
    assert answer["ID"] == result_id
    assert "Columns" not in answer
    rows: Rows = answer["Result"]
    return rows


def test_a_kept_answer_tells_its_columns_and_size(caller: httpx2.Client) -> None:
    answer = kept(caller)
    assert answer["Result"] == []
    assert answer["totalRecords"] == "76"
    assert answer["rootElementName"] == "nt:scores"
    columns = answer["Columns"]
    assert isinstance(columns, list)
    assert [c["key"] for c in columns][-2:] == ["quarantine_status", "key"]
    first = kept(caller, limit="3")["Result"]
    assert isinstance(first, list)
    assert [row["key"] for row in first] == ["1", "2", "3"]


def test_pages_are_the_whole(caller: httpx2.Client) -> None:
    result_id = kept(caller)["ID"]
    whole = rows_of(caller, result_id)
    assert [row["key"] for row in whole] == [str(n + 1) for n in range(76)]
    pages = [rows_of(caller, result_id, offset=str(n), limit="20") for n in range(0, 100, 20)]
    assert [len(page) for page in pages] == [20, 20, 20, 16, 0]
    assert [row for page in pages for row in page] == whole
    plain = caller.post("/data/search?format=json", content=document(*FIELDS)).json()["ResultSet"]["Result"]
    assert [{k: v for k, v in row.items() if k != "key"} for row in whole] == plain


@pytest.mark.parametrize("key", ["neo_neofac_a", "age", LABEL, "key", "subject_id"])
@pytest.mark.parametrize("order", ["ASC", "DESC"])
def test_sorted_by_value_with_ties_as_made(caller: httpx2.Client, key: str, order: str) -> None:
    result_id = kept(caller)["ID"]
    rows = rows_of(caller, result_id, sortBy=key, sortOrder=order)
    number = key in ("neo_neofac_a", "age", "key")
    filled = [row for row in rows if row[key]]
    expected = sorted(filled, key=lambda row: int(row["key"]))
    expected.sort(key=lambda row: float(row[key]) if number else row[key], reverse=order == "DESC")
    empty = [row for row in rows if not row[key]]
    assert rows == (empty + expected if order == "DESC" else expected + empty)
    pages = [
        rows_of(caller, result_id, sortBy=key, sortOrder=order, offset=str(n), limit="30")
        for n in (0, 30, 60)
    ]
    assert [row for page in pages for row in page] == rows


def test_the_values_of_a_column(caller: httpx2.Client) -> None:
    result_id = kept(caller)["ID"]
    answer = caller.get(f"/data/search/{result_id}/neo_neofac_a").json()["ResultSet"]
    assert (answer["ID"], answer["COLUMN"]) == (result_id, "neo_neofac_a")
    values = [row["values"] for row in answer["Result"]]
    assert values == [*sorted(filter(None, values), key=int), ""]
    assert sum(int(row["count"]) for row in answer["Result"]) == 76
    assert caller.get(f"/data/search/{result_id}/nothing").status_code == 400


def test_pages_in_other_formats(caller: httpx2.Client) -> None:
    result_id = kept(caller)["ID"]
    text = caller.get(f"/data/search/{result_id}?format=csv&limit=2&offset=1").text.splitlines()
    assert text[0].endswith(",quarantine_status,key")
    assert [line.rpartition(",")[2] for line in text[1:]] == ["2", "3"]
    for media in ("xml", "html", "arrow", "parquet"):
        assert caller.get(f"/data/search/{result_id}?format={media}").status_code == 200


def test_wrong_pages(caller: httpx2.Client) -> None:
    result_id = kept(caller)["ID"]
    for name in ("offset", "limit"):
        for value in ("x", "-1", "1.5", "1e3", "٣"):
            response = caller.get(f"/data/search/{result_id}", params={name: value})
            assert (response.status_code, name in response.text) == (422, True)
    assert kept(caller, limit="*")["totalRecords"] == "76"
    assert caller.post("/data/search?cache=true&limit=x", content=document(*FIELDS)).status_code == 422
    assert caller.get(f"/data/search/{result_id}?sortBy=nothing").status_code == 400
    assert caller.get(f"/data/search/{result_id}?sortBy=age&sortOrder=UP").status_code == 400
    assert caller.get("/data/search/xs" + "0" * 32).status_code == 410
    for hostile in ("xs1", "@nt:scores", "%00", "' OR 1=1 --", "..%2f..", "é"):
        assert caller.get(f"/data/search/{hostile}").status_code == 404


def test_only_who_made_it_reads_it(url: str, caller: httpx2.Client) -> None:
    result_id = kept(caller)["ID"]
    with httpx2.Client(base_url=url, auth=ADMIN) as admin:
        response = admin.get(f"/data/search/{result_id}")
        assert response.status_code == 404
        assert admin.get(f"/data/search/{result_id}/age").status_code == 404
    assert httpx2.get(f"{url}/data/search/{result_id}").status_code == 401
    assert len(rows_of(caller, result_id)) == 76


def test_a_kept_answer_stays_as_it_was_and_is_made_anew_when_asked(site: Site, caller: httpx2.Client) -> None:
    def labels(**params: str) -> list[str]:
        body = document("SUBJECT_LABEL", root="xnat:subjectData").replace(
            b'ID="@xnat:subjectData"', b'ID="mine"'
        )
        rows = rows_of(caller, kept(caller, body, **params)["ID"])
        return [row["subject_label"] for row in rows]

    before = labels()
    site.archive.store_items(
        [Item("xnat:subjectData", {"label": "zz-synthetic"})], user="admin", project="HCP_Q1"
    )
    assert labels() == before
    assert labels(refresh="true") == [*before, "zz-synthetic"]
    assert labels() == [*before, "zz-synthetic"]


def test_another_document_under_the_same_id_is_another_question(caller: httpx2.Client) -> None:
    def ask(value: str) -> object:
        body = document("SUBJECT_ID", where=("NEO_NEOFAC_A", "&gt;", value))
        return kept(caller, body.replace(b'ID="@nt:scores"', b'ID="two"'))["totalRecords"]

    assert (ask("40"), ask("0"), ask("40")) == ("4", "74", "4")


def test_it_is_dropped_an_hour_after_its_last_use(site: Site) -> None:
    moment = datetime(2026, 1, 1)
    results = KeptResults(site.archive.engine, lambda *_: "", clock=lambda: moment)
    who = site.archive.find_user("admin")

    def answer() -> str:
        stream = site.archive.search_stream(parse_search(document("SUBJECT_ID")), who)
        return results.keep(stream, who, search_id="s", question="").id

    result_id = answer()
    for _ in range(3):
        moment += LIFETIME - timedelta(seconds=1)
        assert results.find(result_id, who).n_rows > 76
    moment += LIFETIME
    with pytest.raises(ResultGone):
        results.find(result_id, who)
    assert results.latest(who, "s") is None
    answer()
    assert (
        site.archive.engine.connect()
        .exec_driver_sql("SELECT count(*) FROM kept_rows WHERE result_id = ?", (result_id,))
        .scalar()
        == 0
    )


def test_an_answer_that_broke_off_is_no_answer(site: Site) -> None:
    who = site.archive.find_user("admin")
    stream = site.archive.search_stream(parse_search(document("SUBJECT_ID")), who)
    stream.stop()
    with pytest.raises(Exception, match="not read any more"):
        site.archive.results.keep(stream, who, search_id="broken", question="")
    assert site.archive.results.latest(who, "broken") is None


def test_the_owner_project_is_not_seen_in_pages(caller: httpx2.Client, tmp_path: Path) -> None:
    """What is kept was asked under the rights of its user."""
    assert OWNER != "HCP_Q1"
    body = document("ID", root="xnat:projectData")
    assert [row["id"] for row in rows_of(caller, kept(caller, body)["ID"])] == ["HCP_Q1"]

"""An answer that is kept is never one that is no longer true, and never somebody else's."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier, Event
from time import sleep

import httpx2
import pytest

from connectomedb.schema.model import Item
from connectomedb.search.query import FieldRef, SearchField, SearchQuery
from connectomedb.search.search_xml import print_search
from connectomedb.server.run import ServerThread
from connectomedb.store.archive import Archive
from connectomedb.store.site import open_site
from connectomedb.tables.result import ResultStream, Row
from connectomedb.testing.sample_site import build_site
from connectomedb.vocabulary.records import Principal

READER, ADMIN = ("guest-reader", "reader-demo"), ("admin", "admin-demo")
SUBJECTS = print_search(
    SearchQuery("xnat:subjectData", (SearchField(FieldRef("xnat:subjectData", "SUBJECT_LABEL")),))
)


def _labels(url: str, who: tuple[str, str]) -> list[str]:
    answer = httpx2.post(f"{url}/data/search", params={"format": "csv"}, content=SUBJECTS, auth=who)
    assert answer.status_code == 200
    return [line.split(",")[0] for line in answer.text.splitlines()[1:]]


def test_answers_follow_the_data_and_the_rights(tmp_path: Path) -> None:
    build_site(tmp_path / "site")
    site = open_site(tmp_path / "site")
    with ServerThread(site) as server:
        everybody = _labels(server.url, ADMIN)
        assert _labels(server.url, READER) == _labels(server.url, READER)
        archive = site.archive
        archive.store_items([Item("xnat:subjectData", {"label": "newcomer"})], user="admin", project="HCP_Q2")
        assert _labels(server.url, ADMIN) == [*everybody, "newcomer"]
        assert "newcomer" not in _labels(server.url, READER)
        archive.grant("HCP_Q2", "guest-reader", "member")
        assert "newcomer" in _labels(server.url, READER)
        archive.revoke("HCP_Q2", "guest-reader")
        assert "newcomer" not in _labels(server.url, READER)
    site.close()


def test_pages_end_with_the_right_to_read_them(tmp_path: Path) -> None:
    build_site(tmp_path / "site")
    site = open_site(tmp_path / "site")
    with ServerThread(site) as server, httpx2.Client(base_url=server.url, auth=READER) as client:
        asked = {"format": "json", "cache": "true"}
        kept = client.post("/data/search", params=asked, content=SUBJECTS).json()["ResultSet"]
        page = f"/data/search/{kept['ID']}?format=json&limit=3"
        assert len(client.get(page).json()["ResultSet"]["Result"]) == 3
        site.archive.revoke("HCP_Q1", "guest-reader")
        gone = client.get(page)
        assert (gone.status_code, "ask the question again" in gone.text) == (410, True)
        assert client.get(f"/data/search/{kept['ID']}/SUBJECT_LABEL").status_code == 410
        again = client.post("/data/search", params=asked, content=SUBJECTS).json()["ResultSet"]
        assert again["totalRecords"] == "0"
    site.close()


def test_others_are_answered_while_an_answer_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build_site(tmp_path / "site")
    site = open_site(tmp_path / "site")
    begun, go, all_there = Event(), Event(), Barrier(4)
    ask = Archive.search_stream

    def slowly(archive: Archive, query: SearchQuery, who: Principal) -> ResultStream:
        answer = ask(archive, query, who)
        all_there.wait(30)

        def batches() -> Iterator[list[Row]]:
            begun.set()
            assert go.wait(30)
            yield from (list(batch) for batch in answer.batches)

        return replace(answer, batches=batches())

    monkeypatch.setattr(Archive, "search_stream", slowly)
    with ServerThread(site) as server, ThreadPoolExecutor(3) as pool:
        asked = {"format": "json", "cache": "true"}

        def post() -> str:
            answer = httpx2.post(f"{server.url}/data/search", params=asked, content=SUBJECTS, auth=READER)
            return str(answer.json()["ResultSet"]["ID"])

        waiting = [pool.submit(post) for _ in range(3)]
        all_there.wait(30)
        assert begun.wait(30)
        assert httpx2.get(f"{server.url}/data/projects", auth=READER, timeout=20).status_code == 200
        sleep(0.5)  # from having a question understood to waiting for its answer
        assert not any(one.done() for one in waiting)
        go.set()
        assert len({one.result(30) for one in waiting}) == 1
    site.close()

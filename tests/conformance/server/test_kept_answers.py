"""An answer that is kept is never one that is no longer true, and never somebody else's."""

from __future__ import annotations

from pathlib import Path

import httpx2

from connectomedb.schema.model import Item
from connectomedb.search.query import FieldRef, SearchField, SearchQuery
from connectomedb.search.search_xml import print_search
from connectomedb.server.run import ServerThread
from connectomedb.store.site import open_site
from connectomedb.testing.sample_site import build_site

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

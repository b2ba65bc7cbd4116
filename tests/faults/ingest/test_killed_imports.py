"""Imports that are killed at every point, and started again: the site is the one without the kill."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conformance.ingest.conftest import MakeSite

from connectomedb.schema.model import Item
from connectomedb.store.ingest import TableOptions, import_table, import_xml
from connectomedb.store.site import Site, open_site
from connectomedb.vocabulary.records import Principal

ADMIN = Principal("curator", is_admin=True)
XNAT = 'xmlns:xnat="http://nrg.wustl.edu/xnat" xmlns:nt="http://nrg.wustl.edu/nt"'
N_SUBJECTS = 8

# Runs an import in batches of four and kills its own process at the n-th call of one function.
KILLED = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import event
from connectomedb.store.ingest import documents, spreadsheets, journal, newtypes, loading
from connectomedb.store.site import open_site
from connectomedb.store.archive import Archive
from connectomedb.vocabulary.records import Principal

folder, source, kind, point, n = sys.argv[1:]
left = int(n)

def killing(call, after=False):
    def wrapped(*args, **kwargs):
        global left
        left -= 1
        if left == 0 and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        found = call(*args, **kwargs)
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return found
    return wrapped

documents.BATCH = spreadsheets.BATCH = 4
update = kind == "update"
site = open_site(Path(folder))
where = {
    "reading": (documents, "read_document"),
    "storing": (loading.ItemWriter, "store"),
    "merging": (loading.Changing, "merge_item"),
    "noting": (journal, "note"),
    "typing": (Archive, "use_types"),
    "writing": (newtypes.NewTypes, "_write"),
    "converting": (spreadsheets.ColumnUse, "read"),
}
if point in ("commit", "committed"):
    def commit(connection):
        connection.connection.driver_connection.execute("COMMIT") if point == "committed" else None
        os.kill(os.getpid(), signal.SIGKILL)
    def begin(connection):
        global left
        if connection.get_execution_options().get("connectomedb_writing"):
            left -= 1
            if left == 0:
                event.listen(site.archive.engine, "commit", commit)
    event.listen(site.archive.engine, "begin", begin)
else:
    holder, name = where[point]
    setattr(holder, name, killing(getattr(holder, name), after=point in ("storing", "typing")))
who = Principal("curator", is_admin=True)
if kind in ("xml", "update"):
    documents.import_xml(site.archive, [Path(source)], project="P", who=who, update=update)
else:
    options = spreadsheets.TableOptions("P", make_subjects=True)
    spreadsheets.import_table(site.archive, Path(source), options, who=who, new_type="study:memory",
                              types_folder=site.types_folder)
raise SystemExit("the import ended before it was killed")
"""


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    for n in range(N_SUBJECTS):
        below = folder / f"s{n}"
        below.mkdir(parents=True)
        (below / "a.xml").write_text(f'<xnat:Subject {XNAT} label="s{n}"/>')
        (below / "b.xml").write_text(
            f'<nt:NTScores {XNAT} label="s{n}_x"><xnat:subject_ID>s{n}</xnat:subject_ID>'
            f"<nt:NEO><nt:NEOFAC_A>{n}</nt:NEOFAC_A></nt:NEO></nt:NTScores>"
        )
    return folder


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "memory.csv"
    path.write_text("Subject,hits,word\n" + "".join(f"s{n},{n},w{n}\n" for n in range(11)))
    return path


def contents(site: Site) -> dict[str, Item]:
    found = {}
    for table in (site.archive.listing("subjects", ADMIN), site.archive.listing("experiments", ADMIN)):
        for item_id in table.column("ID"):
            found[str(item_id)] = site.archive.load_item(str(item_id), ADMIN)
    return found


def kill(site: Path, source: Path, kind: str, point: str, n: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(site), str(source), kind, point, str(n)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize(
    ("point", "n"),
    [
        *(("reading", 1), ("reading", 7), ("storing", 1), ("storing", 4), ("noting", 1), ("noting", 3)),
        *(("commit", 2), ("commit", 4), ("committed", 2), ("committed", 4)),
    ],
)
def test_documents_after_a_kill(make_site: MakeSite, documents: Path, point: str, n: int) -> None:
    whole, killed = make_site(), make_site()
    import_xml(whole.archive, [documents], project="P", who=ADMIN)
    expected = contents(whole)
    kill(killed.folder, documents, "xml", point, n)
    with open_site(killed.folder) as site:
        n_before = len(contents(site))
        assert n_before % 4 == 0, "half a batch stayed"
        report = import_xml(site.archive, [documents], project="P", who=ADMIN)
        assert report.n_known == n_before
        assert report.n_stored == 2 * N_SUBJECTS - n_before
        assert contents(site) == expected


@pytest.mark.parametrize(
    ("point", "n"), [("merging", 1), ("merging", 7), ("noting", 2), ("commit", 3), ("committed", 3)]
)
def test_an_update_after_a_kill(make_site: MakeSite, documents: Path, point: str, n: int) -> None:
    whole, killed = make_site(), make_site()
    for site in (whole, killed):
        import_xml(site.archive, [documents], project="P", who=ADMIN)
    for k in range(N_SUBJECTS):
        path = documents / f"s{k}" / "b.xml"
        path.write_text(path.read_text().replace(f">{k}<", f">{k + 20}<"))
        (documents / f"s{k}" / "c.xml").write_text(f'<xnat:Subject {XNAT} label="new{k}"/>')
    import_xml(whole.archive, [documents], project="P", who=ADMIN, update=True)
    expected = contents(whole)
    kill(killed.folder, documents, "update", point, n)
    with open_site(killed.folder) as site:
        n_changed = sum(
            item.values.get("NEO/NEOFAC_A", 0) >= 20  # type: ignore[operator]  # a number
            for item in contents(site).values()
        )
        n_new = len(contents(site)) - 2 * N_SUBJECTS
        assert (n_changed + n_new) % 4 == 0, "half a batch stayed"
        report = import_xml(site.archive, [documents], project="P", who=ADMIN, update=True)
        assert report.n_stored == 2 * N_SUBJECTS - n_changed - n_new
        assert contents(site) == expected


def test_a_second_kill_and_a_third(make_site: MakeSite, documents: Path) -> None:
    killed = make_site()
    for _ in range(3):
        kill(killed.folder, documents, "xml", "committed", 2)
    with open_site(killed.folder) as site:
        assert len(contents(site)) == 12  # one batch of four each time, none of them twice
        import_xml(site.archive, [documents], project="P", who=ADMIN)
        assert len(contents(site)) == 2 * N_SUBJECTS


@pytest.mark.parametrize(
    ("point", "n"),
    [
        *(("writing", 1), ("writing", 2), ("writing", 3), ("typing", 1)),
        *(("converting", 9), ("storing", 1), ("storing", 3), ("noting", 1)),
    ],
)
def test_a_table_of_a_new_type_after_a_kill(make_site: MakeSite, table: Path, point: str, n: int) -> None:
    options = TableOptions("P", make_subjects=True)
    new = {"who": ADMIN, "new_type": "study:memory"}
    whole, killed = make_site(), make_site()
    import_table(whole.archive, table, options, types_folder=whole.types_folder, **new)  # type: ignore[arg-type]  # one dict for two calls
    expected = contents(whole)
    kill(killed.folder, table, "csv", point, n)
    with open_site(killed.folder) as site:
        assert contents(site) == {}
        if "study:memory" in site.types:
            import_table(site.archive, table, options, who=ADMIN, xsi_type="study:memory")
        else:
            import_table(site.archive, table, options, types_folder=site.types_folder, **new)  # type: ignore[arg-type]  # as above
        assert contents(site) == expected

"""No room: a typed error, and nothing half-written, for imports and exports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from connectomedb.store.ingest import TableOptions, import_table
from connectomedb.store.site import init_site, open_site
from connectomedb.vocabulary.records import Principal

ADMIN = Principal("curator", is_admin=True)
OPTIONS = TableOptions("P", make_subjects=True)
N_ROWS = 4000

# A file larger than the limit cannot be written, which is what a full disk looks like to a process.
LIMITED = """
import resource, sys
from pathlib import Path
from connectomedb.errors import DiskFull
from connectomedb.store.ingest import TableOptions, import_table
from connectomedb.store.site import open_site
from connectomedb.vocabulary.records import Principal

folder, what, kind, limit = sys.argv[1:]
who = Principal("curator", is_admin=True)
with open_site(Path(folder)) as site:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
    try:
        if kind == "import":
            options = TableOptions("P", make_subjects=True)
            import_table(site.archive, Path(what), options, who=who, xsi_type="nt:scores")
        else:
            site.archive.export("P", Path(what), kind, who)
    except DiskFull as problem:
        print("full:", problem)
"""


def limited(site: Path, what: Path, kind: str, limit: int) -> str:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(site), str(what), kind, str(limit)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def table(folder: Path) -> Path:
    path = folder / "scores.csv"
    path.write_text("Subject,NEOFAC_A,note\n" + "".join(f"s{n},{n % 49},words\n" for n in range(N_ROWS)))
    return path


def test_an_import_without_room(tmp_path: Path) -> None:
    rows = table(tmp_path)
    init_site(tmp_path / "site").close()
    said = limited(tmp_path / "site", rows, "import", 1 << 20)
    assert "no room for the database" in said
    with open_site(tmp_path / "site") as site:
        assert len(site.archive.listing("subjects", ADMIN)) == 0
        report = import_table(site.archive, rows, OPTIONS, who=ADMIN, xsi_type="nt:scores")
        assert report.n_stored == 2 * N_ROWS


def test_exports_without_room(tmp_path: Path) -> None:
    rows = table(tmp_path)
    with init_site(tmp_path / "site") as site:
        import_table(site.archive, rows, OPTIONS, who=ADMIN, xsi_type="nt:scores")
    before = sorted(p.name for p in tmp_path.iterdir())
    for kind, limit in (("csv", 20_000), ("bids", 20_000), ("parquet", 5_000), ("xml", 500)):
        said = limited(tmp_path / "site", tmp_path / "out", kind, limit)
        assert "nothing stays of it" in said, kind
        assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_a_hundred_thousand_rows_in_flat_memory(tmp_path: Path) -> None:
    """The bound is the ids of the report and a margin: a batch is 500 rows, whatever their number."""
    path = tmp_path / "long.csv"
    with path.open("w") as stream:
        stream.write("Subject,NEOFAC_A,ER40_CRT,note\n")
        for n in range(100_000):
            stream.write(f"s{n},{n % 49},{1000 + n / 7},some words that are kept\n")
    init_site(tmp_path / "site").close()
    script = """
import resource, sys
from pathlib import Path
from connectomedb.store.ingest import TableOptions, import_table
from connectomedb.store.site import open_site
from connectomedb.vocabulary.records import Principal
who = Principal("curator", is_admin=True)
options = TableOptions("P", make_subjects=True)
with open_site(Path(sys.argv[1])) as site:
    few = Path(sys.argv[2]).with_name("few.csv")
    few.write_text("Subject,NEOFAC_A\\n" + "".join(f"few{n},1\\n" for n in range(2000)))
    import_table(site.archive, few, options, who=who, xsi_type="nt:scores")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    report = import_table(site.archive, Path(sys.argv[2]), options, who=who, xsi_type="nt:scores")
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    middle = after
    site.archive.export("P", Path(sys.argv[1]).with_name("out"), "csv", who)
    last = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(report.n_stored, (after - before) // 1024, (last - middle) // 1024)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "site"), str(path)],
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    n_stored, import_mib, export_mib = map(int, done.stdout.split())
    assert n_stored == 200_000
    assert import_mib < 96
    assert export_mib < 32

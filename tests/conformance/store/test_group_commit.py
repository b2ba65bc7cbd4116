"""Small writes of several callers are made durable together, each with its own outcome; on both databases."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, event, select
from sqlalchemy.exc import OperationalError

from connectomedb.errors import (
    AccessDenied,
    Conflict,
    ConnectomeDBError,
    DiskFull,
    LabelTaken,
    NoSuchProject,
    NoSuchSubject,
    NotValid,
)
from connectomedb.schema.model import Item
from connectomedb.schema.registry import load_types
from connectomedb.store import driver as bare
from connectomedb.store import postgresql, statements
from connectomedb.store import tables as t
from connectomedb.store.archive import Archive
from connectomedb.store.engine import open_engine
from connectomedb.store.group_commit import _Member
from connectomedb.vocabulary.records import Principal

ADMIN = Principal("admin", 1, True)
STRANGER = Principal("stranger", 99, False)
N_THREADS = 8
Task = Callable[[], object]

# Says each label on a line once it was told that it is stored.
CREATES = """
import sys
from threading import Thread
from connectomedb.schema.model import Item
from connectomedb.schema.registry import load_types
from connectomedb.store.archive import Archive
from connectomedb.store.engine import open_engine

archive = Archive(open_engine(sys.argv[1]), load_types())

def work(k):
    for n in range(100_000):
        label = f"r{sys.argv[2]}w{k}n{n}"
        archive.store_items([Item("xnat:subjectData", {"label": label})], user="admin", project="P")
        sys.stdout.write(label + "\\n")
        sys.stdout.flush()

for k in range(8):
    Thread(target=work, args=(k,)).start()
"""


@pytest.fixture
def site(fresh_database: str) -> Iterator[Archive]:
    archive = Archive(open_engine(fresh_database), load_types()).create()
    archive.add_project("P", insert_user="admin")
    archive.store_items([_person("s", ID="S")], user="admin", project="P")
    yield archive
    archive.close()


def _person(label: str, **values: str) -> Item:
    return Item("xnat:subjectData", {"label": label, **values})


def _store(site: Archive, *items: Item, project: str = "P") -> Callable[[], tuple[str, ...]]:
    return lambda: site.store_items(items, user="admin", project=project).ids


def _labels(site: Archive) -> set[str]:
    with site.engine.connect() as connection:
        return set(connection.scalars(select(t.item.c.label).where(t.item.c.family == "subject")))


def _together(site: Archive, tasks: Sequence[Task]) -> list[Future[object]]:
    """Run the tasks as one group: all wait for somebody who leads before them and takes their time."""
    leads, goes_on = threading.Event(), threading.Event()
    group = site._group

    def dawdle(_connection: Connection, asked: Sequence[None]) -> Sequence[None]:
        leads.set()
        assert goes_on.wait(30)
        return asked

    with ThreadPoolExecutor(len(tasks) + 1) as pool:
        first = pool.submit(group.write, dawdle, None)
        assert leads.wait(30)
        running = [pool.submit(task) for task in tasks]
        until = time.monotonic() + 30
        while len(group._waiting) < len(tasks) and time.monotonic() < until:
            time.sleep(0.001)
        assert len(group._waiting) == len(tasks)
        goes_on.set()
    assert first.exception() is None
    return running


@contextmanager
def _commits(site: Archive) -> Iterator[list[int]]:
    """As many entries as transactions were committed meanwhile."""
    seen: list[int] = []

    def note(_connection: Connection) -> None:
        seen.append(1)

    event.listen(site.engine, "commit", note)
    try:
        yield seen
    finally:
        event.remove(site.engine, "commit", note)


def test_what_waits_is_one_commit(site: Archive) -> None:
    with _commits(site) as seen:
        done = _together(site, [_store(site, _person(f"one{n}")) for n in range(N_THREADS)])
    # One is that of the caller for whom they waited.
    assert len(seen) == 2
    ids = [one.result() for one in done]
    assert len(set(ids)) == N_THREADS
    assert _labels(site) == {"s", *(f"one{n}" for n in range(N_THREADS))}
    assert site.examine() == ()


def test_a_creation_is_few_statements(site: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    _store(site, _person("before"))()
    if site.engine.dialect.name == "sqlite":
        with site.engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
        driver.set_trace_callback(seen.append)
        most = 10  # begin, two counters, project, ids, three tables, version of the data, commit
    else:
        execute = postgresql._BinaryCursor.execute

        def note(cursor: Any, query: Any, *rest: Any, **options: Any) -> Any:
            seen.append(query)
            return execute(cursor, query, *rest, **options)

        monkeypatch.setattr(postgresql._BinaryCursor, "execute", note)
        most = 5  # two counters and the project in one round trip, ids, all tables in one statement
    _store(site, _person("counted"))()
    assert 4 < len(seen) <= most, seen
    if site.engine.dialect.name == "sqlite":
        driver.set_trace_callback(None)


def test_statements_do_not_grow_with_the_members(site: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def note(connection: Connection, sql: str, *values: Any, **options: Any) -> Any:
        seen.append(sql)
        return bare.run(connection, sql, *values, **options)

    monkeypatch.setattr(statements, "run", note)
    for future in _together(site, [_store(site, _person(f"many{n}")) for n in range(N_THREADS)]):
        future.result()
    assert len(seen) <= 7


def test_one_that_fails_leaves_the_others_and_is_told_why(site: Archive) -> None:
    session = Item("xnat:mrSessionData", {"label": "mr", "subject_ID": "nobody"})
    site.store_items([Item("xnat:subjectData", {"ID": "GONE", "label": "g"})], user="admin", project="P")
    site.delete_item("GONE", ADMIN)
    tasks: list[tuple[Task, type[ConnectomeDBError] | None]] = [
        (_store(site, _person("good0")), None),
        (_store(site, _person("s")), LabelTaken),
        (_store(site, _person("good1", ID="KEPT")), None),
        (_store(site, _person("good2"), _person("s")), LabelTaken),
        (_store(site, _person("other", ID="S")), Conflict),
        (_store(site, _person("other", ID="GONE")), Conflict),
        (_store(site, _person("other"), project="Q"), NoSuchProject),
        (_store(site, session), NoSuchSubject),
        (_store(site, _person("not legal")), NotValid),
        (lambda: site.add_items([_person("other")], STRANGER, project="P"), NoSuchProject),
        (_store(site, _person("good3")), None),
    ]
    done = _together(site, [task for task, _ in tasks])
    for future, (_, expected) in zip(done, tasks, strict=True):
        if expected is None:
            future.result()
        else:
            assert type(future.exception()) is expected
    assert _labels(site) == {"s", "good0", "good1", "good3"}
    assert site.examine() == ()


def test_members_of_the_same_label_are_stored_once(site: Archive) -> None:
    done = _together(site, [_store(site, _person("same")) for _ in range(N_THREADS)])
    problems = [future.exception() for future in done]
    assert sorted(type(one).__name__ for one in problems) == ["LabelTaken"] * 7 + ["NoneType"]


def test_a_user_without_rights_gains_none_from_the_company(site: Archive) -> None:
    site.add_user("reader", "reader-of-the-test")
    site.grant("P", "reader", "collaborator")
    reader = site.find_user("reader")
    refused, stored = _together(
        site,
        [lambda: site.add_items([_person("mine")], reader, project="P"), _store(site, _person("theirs"))],
    )
    assert isinstance(refused.exception(), AccessDenied)
    stored.result()
    assert _labels(site) == {"s", "theirs"}


def test_how_a_hidden_project_is_spelled_is_not_told(site: Archive) -> None:
    site.add_project("Hidden", insert_user="admin")
    with pytest.raises(NoSuchProject, match="'hidden'") as refused:
        site.add_items([_person("x")], STRANGER, project="hidden")
    assert "Hidden" not in str(refused.value)


def test_a_connection_that_the_server_closed_meanwhile_is_noticed(
    site: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    if site.engine.dialect.name == "sqlite":
        return  # nobody closes a file from afar
    with site.engine.connect() as connection:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    other = open_engine(site.engine.url.render_as_string(hide_password=False))
    with other.connect() as connection:
        connection.exec_driver_sql(f"SELECT pg_terminate_backend({pid})")
    other.dispose()
    time.sleep(0.2)
    monkeypatch.setattr(postgresql, "TRUSTED_S", 0.0)
    _store(site, _person("after"))()
    assert _labels(site) == {"s", "after"}


def test_changes_of_other_kinds_share_a_commit_where_writers_wait_anyway(site: Archive) -> None:
    if site.engine.dialect.name != "sqlite":
        return  # there, whoever waits for a row must not keep others from theirs
    site.add_project("Q", insert_user="admin")
    before = site.data_version()
    with _commits(site) as seen:
        done = _together(
            site,
            [
                lambda: site.share("S", "Q", "shared", ADMIN),
                lambda: site.merge_item("S", Item("xnat:subjectData", {"src": "x"}), ADMIN),
                _store(site, _person("new")),
                lambda: site.merge_item("NOWHERE", Item("xnat:subjectData", {}), ADMIN),
            ],
        )
    assert [type(one.exception()).__name__ for one in done] == ["NoneType"] * 3 + ["NotFound"]
    assert len(seen) == 2
    assert site.load_item("S", ADMIN).text("src") == "x"
    assert site.data_version() != before


def test_eight_threads_lose_nothing_and_share_commits(site: Archive) -> None:
    n_each = 40
    ids: list[str] = []

    def work(k: int) -> None:
        for n in range(n_each):
            made = site.store_items([_person(f"w{k}n{n}")], user="admin", project="P").ids
            # What is acknowledged is seen by everybody.
            assert site.locate_subject(made[0], ADMIN).label == f"w{k}n{n}"
            ids.extend(made)

    with _commits(site) as seen, ThreadPoolExecutor(N_THREADS) as pool:
        list(pool.map(work, range(N_THREADS)))
    assert len(set(ids)) == N_THREADS * n_each
    assert len(_labels(site)) == N_THREADS * n_each + 1
    assert len(seen) <= N_THREADS * n_each * 3 // 4
    assert site.examine() == ()


def test_a_failing_commit_is_told_to_every_member(site: Archive) -> None:
    commits: list[int] = []

    def fail(_connection: Connection) -> None:
        commits.append(1)
        if len(commits) > 1:  # the first is that of the caller for whom they wait
            raise DiskFull("no room")

    event.listen(site.engine, "commit", fail)
    done = _together(site, [_store(site, _person(f"lost{n}")) for n in range(N_THREADS)])
    event.remove(site.engine, "commit", fail)
    assert [type(one.exception()) for one in done] == [DiskFull] * N_THREADS
    # Nobody knows what became of a commit that failed: it is not tried again.
    assert len(commits) == 2
    assert _labels(site) == {"s"}
    _store(site, _person("after"))()
    assert _labels(site) == {"s", "after"}
    assert site.examine() == ()


def test_an_interrupted_leader_leaves_the_rest_to_the_next(site: Archive) -> None:
    class Stopped(BaseException):
        pass

    def stop(_connection: Connection, _asked: Sequence[None]) -> Sequence[None]:
        raise Stopped

    done = _together(
        site, [lambda: site._group.write(stop, None), *(_store(site, _person(f"on{n}")) for n in range(3))]
    )
    assert [type(one.exception()).__name__ for one in done] == ["Stopped", "NoneType", "NoneType", "NoneType"]
    assert _labels(site) == {"s", "on0", "on1", "on2"}


def test_whom_the_database_failed_is_tried_once_more_alone(site: Archive) -> None:
    tries: list[int] = []

    def deadlocked(connection: Connection, asked: Sequence[str]) -> Sequence[str]:
        tries.append(len(asked))
        if len(tries) < 3:
            raise OperationalError("UPDATE", None, RuntimeError("deadlock detected"))
        return asked

    tasks: list[Task] = [_store(site, _person(f"on{n}")) for n in range(3)]
    done = _together(site, [lambda: site._group.write(deadlocked, "again"), *tasks])
    assert done[0].result() == "again"
    assert tries == [1, 1, 1]
    assert _labels(site) == {"s", "on0", "on1", "on2"}
    # The lead was handed on: nobody waits for ever.
    _store(site, _person("after"))()


def test_who_waits_no_longer_keeps_nobody_from_leading(site: Archive) -> None:
    group = site._group
    member = _Member(_never, None)
    with group._lock:
        group._is_led = True
        group._waiting.append(member)
    group._hand_on()  # it is this one's turn, and it is gone
    group._leave(member)
    _store(site, _person("after"))()
    assert _labels(site) == {"s", "after"}


def _never(_connection: Connection, _asked: Sequence[None]) -> Sequence[None]:
    raise AssertionError


def test_a_long_transaction_comes_to_its_turn_among_many_short_ones(site: Archive) -> None:
    stop = threading.Event()

    def work(k: int) -> None:
        for n in range(100_000):
            if stop.is_set():
                return
            site.store_items([_person(f"w{k}n{n}")], user="admin", project="P")

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    try:
        for n in range(5):
            site.store_items([_person(f"long{n}-{k}") for k in range(100)], user="admin", project="P")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert sum(label.startswith("long") for label in _labels(site)) == 500
    assert site.examine() == ()


def test_a_kill_loses_nothing_that_was_acknowledged(site: Archive, fresh_database: str) -> None:
    seeded = random.Random(5)
    acknowledged: list[str] = []
    for k in range(4):
        running = subprocess.Popen(
            [sys.executable, "-c", CREATES, fresh_database, str(k)], stdout=subprocess.PIPE, text=True
        )
        assert running.stdout is not None
        acknowledged.append(running.stdout.readline().strip())
        time.sleep(seeded.uniform(0.02, 0.6))
        running.send_signal(signal.SIGKILL)
        rest = running.stdout.read()
        assert running.wait(60) == -signal.SIGKILL
        # The last line may be half a line.
        acknowledged += rest.split("\n")[:-1]
        running.stdout.close()
        # The next process, and this one, go on where that one was.
        _store(site, _person(f"between{k}"))()
    assert len(acknowledged) > 20
    assert set(acknowledged) <= _labels(site)
    assert site.examine() == ()


def test_many_documents_have_a_transaction_of_their_own(
    site: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [_person(f"p{n}") for n in range(21)]
    grouped: list[object] = []
    write = site._group.write

    def note(work: Any, asked: object) -> Any:
        grouped.append(asked)
        return write(work, asked)

    monkeypatch.setattr(site._group, "write", note)
    assert len(_store(site, *people)()) == 21
    assert not grouped
    _store(site, _person("one"))()
    assert len(grouped) == 1

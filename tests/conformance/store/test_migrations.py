"""A database of every earlier version comes to this one with all that it held, interrupted or not."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event, inspect, select, text
from sqlalchemy.engine import make_url

from connectomedb.errors import ConfigurationError
from connectomedb.schema.model import Item
from connectomedb.schema.registry import load_types
from connectomedb.store import migrations, steps
from connectomedb.store import tables as t
from connectomedb.store.archive import Archive
from connectomedb.store.engine import open_engine
from connectomedb.vocabulary.records import Principal

ADMIN = Principal("admin", 1, True)
VERSIONS = Path(__file__).parent / "versions"
OLD = [1]

# Opens a site and dies inside the step, after everything was done and before it is durable.
DIES = """
import os, sys
from connectomedb.schema.registry import load_types
from connectomedb.store import migrations, steps
from connectomedb.store.archive import Archive
from connectomedb.store.engine import open_engine

def die(connection, layout):
    {before}
    os.kill(os.getpid(), 9)

migrations.STEPS = {{1: die}}
Archive(open_engine(sys.argv[1]), load_types()).open()
"""


# Dies before the statement of a number.
DIES_AT = """
import os, sys
from sqlalchemy import event
from connectomedb.schema.registry import load_types
from connectomedb.store.archive import Archive
from connectomedb.store.engine import open_engine

left = [int(sys.argv[2])]

def die(*_):
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), 9)

archive = Archive(open_engine(sys.argv[1]), load_types())
event.listen(archive.engine, "before_cursor_execute", die)
archive.open()
"""


def restore(url: str, version: int) -> None:
    """The frozen database of a version, at `url`."""
    script = (VERSIONS / f"version_{version}.{make_url(url).get_backend_name()}.sql").read_text()
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(str(make_url(url).database))) as file:
            file.executescript(script)
        return
    engine = open_engine(url)
    with engine.begin() as connection:
        for statement in script.split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement.replace("%", "%%"))
    engine.dispose()


def version(url: str) -> int | None:
    engine = create_engine(url) if url.startswith("sqlite") else open_engine(url)
    with engine.connect() as connection:
        found: int | None = connection.scalar(text("SELECT version FROM schema_version"))
    engine.dispose()
    return found


@pytest.fixture(params=OLD)
def old(request: pytest.FixtureRequest, fresh_database: str) -> str:
    restore(fresh_database, request.param)
    return fresh_database


@pytest.fixture
def opened(old: str) -> Iterator[Archive]:
    archive = Archive(open_engine(old), load_types()).open()
    yield archive
    archive.close()


def test_everything_is_there_after_the_steps(opened: Archive) -> None:
    subject = opened.load_item("Old_S00001", ADMIN)
    assert subject.values == {
        "ID": "Old_S00001",
        "project": "P",
        "label": "100",
        "demographics/age": 27,
        "demographics/gender": "female",
    }
    assert subject.children["sharing/share"] == (
        Item("xnat:projectParticipant", {"label": "q100", "project": "Q"}),
    )
    assert subject.children["fields/field"][0].values == {"name": "release", "field": "Q1"}
    assert opened.load_item("Old_E00001", ADMIN).values["NEO/NEOFAC_A"] == 30
    assert opened.load_item("Old_E00001", ADMIN).text("subject_ID") == "Old_S00001"
    session = opened.load_item("Old_E00002", ADMIN)
    assert [(s.xsi_type, s.values) for s in session.children["scans/scan"]] == [
        ("xnat:mrScanData", {"ID": "1", "type": "T1w", "parameters/tr": 2400.0}),
        ("xnat:otherDicomScanData", {"ID": "2", "type": "T2w"}),
    ]
    assert session.children["resources/resource"][0].values["file_count"] == 5
    (assessor,) = session.children["assessors/assessor"]
    assert assessor.text("ID") == "Old_E00003"
    assert opened.get_setting("site_id") == "Old"
    assert opened.find_user("reader").login == "reader"
    assert version(str(opened.engine.url.render_as_string(hide_password=False))) == t.SCHEMA_VERSION


def test_a_migrated_site_has_the_tables_of_a_new_one(old: str, opened: Archive, tmp_path: Path) -> None:
    fresh = Archive(open_engine(f"sqlite:///{tmp_path / 'new.db'}"), load_types()).create()
    for name in inspect(fresh.engine).get_table_names():
        ours = {c["name"] for c in inspect(opened.engine).get_columns(name)}
        assert ours == {c["name"] for c in inspect(fresh.engine).get_columns(name)}, name
        indexes = {i["name"] for i in inspect(opened.engine).get_indexes(name)}
        assert {i["name"] for i in inspect(fresh.engine).get_indexes(name)} <= indexes, name
    assert set(inspect(opened.engine).get_table_names()) == set(inspect(fresh.engine).get_table_names())
    fresh.close()


def test_a_migrated_site_goes_on(opened: Archive) -> None:
    scan = Item("xnat:mrScanData", {"ID": "9"})
    said = Item("xnat:mrSessionData", {}, {"scans/scan": (scan,)})
    assert len(opened.merge_item("Old_E00002", said, ADMIN).children["scans/scan"]) == 3
    stored = opened.store_items([Item("xnat:subjectData", {"label": "102"})], user="admin", project="P")
    assert stored.ids == ("Old_S00003",)
    opened.delete_item("Old_S00001", ADMIN, with_shares=True)


def test_a_step_that_fails_leaves_the_version_before(old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(connection: object, layout: t.Layout) -> None:
        steps.parts_become_items(connection, layout)  # type: ignore[arg-type]  # as migrations call it
        raise ConfigurationError("in the middle")

    with monkeypatch.context() as patched:
        patched.setattr(migrations, "STEPS", {1: fails})
        archive = Archive(open_engine(old), load_types())
        with pytest.raises(ConfigurationError, match="in the middle"):
            archive.open()
        archive.close()
    assert version(old) == 1
    again = Archive(open_engine(old), load_types()).open()
    assert len(again.load_item("Old_E00002", ADMIN).children["scans/scan"]) == 2
    again.close()


@pytest.mark.parametrize("before", ["pass", "steps.parts_become_items(connection, layout)"])
def test_a_process_killed_inside_a_step_leaves_the_version_before(old: str, before: str) -> None:
    script = DIES.format(before=before)
    done = subprocess.run([sys.executable, "-c", script, old], capture_output=True, timeout=120)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert version(old) == 1
    again = Archive(open_engine(old), load_types()).open()
    assert len(again.load_item("Old_E00002", ADMIN).children["scans/scan"]) == 2
    again.close()


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9, 0.99])
def test_a_process_killed_in_any_phase_of_opening_leaves_a_site_that_opens(
    old: str, another_database: str, share: float
) -> None:
    """Before a statement of the steps, or of what types need: the next one goes on from there."""
    at = max(1, int(share * n_statements(another_database)))
    done = subprocess.run(
        [sys.executable, "-c", DIES_AT, old, str(at)], capture_output=True, timeout=120, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert version(old) in (1, t.SCHEMA_VERSION)
    again = Archive(open_engine(old), load_types()).open()
    assert version(old) == t.SCHEMA_VERSION
    assert len(again.load_item("Old_E00002", ADMIN).children["scans/scan"]) == 2
    assert again.load_item("Old_E00001", ADMIN).values["NEO/NEOFAC_A"] == 30
    assert again.examine() == ()
    again.close()


_COUNTED: dict[str, int] = {}


def n_statements(url: str) -> int:
    """How many statements bring the frozen database of version 1 to this one; counted once per back end."""
    backend = make_url(url).get_backend_name()
    if backend not in _COUNTED:
        restore(url, 1)
        engine = open_engine(url)
        seen: list[int] = []
        event.listen(engine, "before_cursor_execute", lambda *_: seen.append(1))
        Archive(engine, load_types()).open().close()
        _COUNTED[backend] = len(seen)
    return _COUNTED[backend]


def test_a_newer_database_is_refused(fresh_database: str) -> None:
    archive = Archive(open_engine(fresh_database), load_types()).create()
    with archive.engine.begin() as connection:
        connection.execute(t.schema_version.update().values(version=99))
    with pytest.raises(ConfigurationError, match="version 99"):
        archive.open()
    with archive.engine.connect() as connection:
        assert connection.scalar(select(t.schema_version.c.version)) == 99
    archive.close()


def test_a_database_that_holds_no_site_is_refused(fresh_database: str) -> None:
    archive = Archive(open_engine(fresh_database), load_types())
    with pytest.raises(ConfigurationError, match="holds no site yet"):
        archive.open()
    archive.close()

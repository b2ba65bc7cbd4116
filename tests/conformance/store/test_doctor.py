"""Each kind of damage is done to a copy, named by the doctor, and mended where it can be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, text, update

from connectomedb.schema.model import Item
from connectomedb.schema.registry import load_types
from connectomedb.store import tables as t
from connectomedb.store.archive import Archive
from connectomedb.store.engine import open_engine
from connectomedb.vocabulary.records import FileRow, Principal

ADMIN = Principal("admin", 1, True)
Damage = Callable[[Connection], object]
I = t.item.c  # noqa: E741  # the table's columns, as everywhere


@pytest.fixture
def archive(fresh_database: str) -> Iterator[Archive]:
    made = Archive(open_engine(fresh_database), load_types()).create()
    made.set_setting("site_id", "Syn")
    for project in ("P", "Q"):
        made.add_project(project, insert_user="admin")
    made.store_items(
        [
            Item("xnat:subjectData", {"label": "s"}),
            Item(
                "xnat:mrSessionData",
                {"ID": "E", "label": "e", "subject_ID": "s"},
                {
                    "scans/scan": (Item("xnat:mrScanData", {"ID": "1"}),),
                    "resources/resource": (Item("xnat:resource", {"label": "R", "URI": "r"}),),
                },
            ),
        ],
        user="admin",
        project="P",
    )
    made.share("E", "Q", "", ADMIN)
    made.add_files("P", "file:///mirror", [FileRow("s", "q1/s/a.nii", 12)])
    yield made
    made.close()


def harm(archive: Archive, damage: Damage) -> None:
    """Damage the rows, with the database's own watch over them off."""
    on_sqlite = archive.engine.dialect.name == "sqlite"
    off, on = (
        ("PRAGMA foreign_keys=OFF", "PRAGMA foreign_keys=ON")
        if on_sqlite
        else ("SET session_replication_role = replica", "SET session_replication_role = DEFAULT")
    )
    with archive.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        # Past the engine, which would begin a transaction first.
        driver.execute(off)
        with connection.begin():
            damage(connection)
        driver.execute(on)
        driver.commit()


def test_a_healthy_site_has_no_problem(archive: Archive) -> None:
    assert archive.examine() == ()
    assert archive.repair() == ()


MENDED: list[tuple[Damage, str, str]] = [
    (
        lambda c: c.execute(update(t.item).where(I.id == "E").values(projects_text="<P>")),
        "projects text",
        "E says <P>, memberships say <P>,<Q>",
    ),
    (
        lambda c: c.execute(update(t.item).where(I.id == "E/scans/1").values(projects_text="<Z>")),
        "projects text",
        "E/scans/1 says <Z>",
    ),
    (
        lambda c: c.execute(update(t.item).where(I.id == "E").values(label="other")),
        "membership",
        "E says P/other, its membership P/e",
    ),
    (
        lambda c: c.execute(update(t.item).where(I.id == "E/scans/1").values(root_pk=1)),
        "root",
        "E/scans/1 names another root",
    ),
    (
        lambda c: c.execute(update(t.counter).where(t.counter.c.name == "subject").values(value=0)),
        "counter",
        "subject is at 0, and 1 is in use",
    ),
    (
        lambda c: c.execute(update(t.counter).where(t.counter.c.name == "pk").values(value=2)),
        "counter",
        "pk is at 2",
    ),
    (
        lambda c: c.execute(update(t.file).values(subject_pk=4711)),
        "file",
        "P/s 1 files are of a subject that is gone",
    ),
]
NAMED: list[tuple[Damage, str, str]] = [
    (
        lambda c: c.execute(text("DELETE FROM t_xnat_mrscandata")),
        "typed row",
        "E/scans/1 has no row in t_xnat_mrscandata",
    ),
    (
        lambda c: c.execute(text("INSERT INTO t_xnat_mrscandata (pk) VALUES (4711)")),
        "orphan",
        "t_xnat_mrscandata 1 rows",
    ),
    (
        lambda c: c.execute(delete(t.membership).where(t.membership.c.label == "e")),
        "membership",
        "E belongs to no project",
    ),
    (
        lambda c: c.execute(update(t.item).where(I.id == "E/scans/1").values(owner_pk=4711)),
        "orphan",
        "E/scans/1 is part of nothing",
    ),
    (
        lambda c: c.execute(update(t.item).where(I.id == "E").values(xsi_type="gone:data")),
        "type",
        "gone:data has items",
    ),
]


@pytest.mark.parametrize(("damage", "check", "said"), MENDED)
def test_what_can_be_computed_is_named_and_mended(
    archive: Archive, damage: Damage, check: str, said: str
) -> None:
    before = archive.load_item("E", ADMIN)
    harm(archive, damage)
    found = [p for p in archive.examine() if p.check == check and p.repairable]
    assert [p for p in found if f"{p.where} {p.said}".startswith(said)]
    assert archive.repair() == ()
    assert archive.load_item("E", ADMIN) == before


@pytest.mark.parametrize(("damage", "check", "said"), NAMED)
def test_what_is_lost_is_named_and_stays_named(
    archive: Archive, damage: Damage, check: str, said: str
) -> None:
    harm(archive, damage)
    for problems in (archive.examine(), archive.repair()):
        assert [p for p in problems if p.check == check and f"{p.where} {p.said}".startswith(said)]


def test_a_label_twice_is_named(tmp_path: Path) -> None:
    archive = Archive(open_engine(f"sqlite:///{tmp_path / 'a.db'}"), load_types()).create()
    archive.add_project("P", insert_user="admin")
    people = [Item("xnat:subjectData", {"label": label}) for label in "ab"]
    archive.store_items(people, user="admin", project="P")
    with archive.engine.begin() as connection:
        connection.execute(text("ALTER TABLE membership RENAME TO old"))
        connection.execute(text("CREATE TABLE membership AS SELECT * FROM old"))
        connection.execute(text("UPDATE membership SET label = 'a' WHERE label = 'b'"))
    assert [p.where for p in archive.examine() if p.check == "label"] == ["P/a"]
    archive.close()


def test_a_damaged_database_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    archive = Archive(open_engine(f"sqlite:///{path}"), load_types()).create()
    archive.add_project("P", insert_user="admin")
    people = [Item("xnat:subjectData", {"label": f"s{n}"}) for n in range(300)]
    archive.store_items(people, user="admin", project="P")
    with archive.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA writable_schema=ON")
        connection.exec_driver_sql("DELETE FROM sqlite_master WHERE name = 'item_by_type'")
        connection.commit()
        connection.exec_driver_sql("PRAGMA writable_schema=OFF")
    archive.close()
    again = Archive(open_engine(f"sqlite:///{path}"), load_types())
    assert [p.check for p in again.examine()] == ["file"]
    again.close()

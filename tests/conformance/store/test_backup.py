"""A site goes into one file while others write, comes back the same, and damage is named."""

from __future__ import annotations

import base64
import errno
import hashlib
import json
import sqlite3
import threading
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from sqlalchemy import inspect, select
from tests.conformance.store.conftest import new_database

from connectomedb.errors import ConfigurationError, DiskFull
from connectomedb.schema.model import Item
from connectomedb.server.run import ServerThread
from connectomedb.store import backup
from connectomedb.store import tables as t
from connectomedb.store.backup import back_up, check_backup, restore
from connectomedb.store.engine import open_engine
from connectomedb.store.site import DATABASE, Site, init_site, open_site
from connectomedb.vocabulary.records import FileRow, Principal

ADMIN = Principal("admin", 1, True)


@pytest.fixture
def site(fresh_database: str, tmp_path: Path) -> Iterator[Site]:
    """A synthetic site with a type of its own, two sessions, a deletion and a mirror."""
    database = "" if fresh_database.startswith("sqlite") else fresh_database
    made = init_site(tmp_path / "site", database=database, title="Synthetic", site_id="Syn", synthetic=True)
    archive = made.archive
    archive.add_user("admin", "password-of-the-test", is_admin=True)
    archive.add_project("P", insert_user="admin")
    archive.store_items(
        [
            Item("xnat:subjectData", {"ID": "S", "label": "s", "demographics/weight": 70.5}),
            Item("xnat:subjectData", {"ID": "S2", "label": "s2"}),
            Item(
                "xnat:mrSessionData",
                {"ID": "E", "label": "e", "subject_ID": "S", "note": "späte ☃"},
                {"scans/scan": (Item("xnat:mrScanData", {"ID": "1"}),)},
            ),
        ],
        user="admin",
        project="P",
    )
    archive.merge_item("E", Item("xnat:mrSessionData", {"subject_ID": "S2"}), ADMIN, reason="typo")
    archive.add_files("P", "file:///mirror", [FileRow("s", "q1/s/a.nii", 12)])
    yield made
    made.close()


def rows(site: Site) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    tables = [*t.core.sorted_tables, *t.Layout(site.types).metadata.sorted_tables]
    with site.archive.engine.connect() as connection:
        return {
            table.name: [tuple(r) for r in connection.execute(select(table).order_by(*table.primary_key))]
            for table in tables
        }


def elsewhere(site: Site, another_database: str) -> str:
    return "" if site.archive.engine.dialect.name == "sqlite" else another_database


def test_a_restored_site_is_the_same_site(site: Site, another_database: str, tmp_path: Path) -> None:
    manifest = back_up(site, tmp_path / "b.zip")
    assert check_backup(tmp_path / "b.zip") == manifest
    restore(tmp_path / "b.zip", tmp_path / "again", database=elsewhere(site, another_database))
    with open_site(tmp_path / "again") as again:
        assert rows(again) == rows(site)
        assert (again.title, again.site_id, again.synthetic) == ("Synthetic", "Syn", True)
        assert again.archive.examine() == ()
        stored = again.archive.store_items([Item("xnat:subjectData", {"label": "n"})], user="a", project="P")
        assert stored.ids == ("Syn_S00001",)


@pytest.fixture
def of_the_other_kind(
    fresh_database: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """An empty PostgreSQL database for a backup of SQLite, and '' (the folder) the other way round."""
    if fresh_database.startswith("sqlite"):
        return new_database("postgresql", request, tmp_path_factory)
    return ""


def test_a_site_moves_to_the_other_kind_of_database(
    site: Site, of_the_other_kind: str, tmp_path: Path
) -> None:
    many = [Item("xnat:subjectData", {"label": f"m{n}", "demographics/age": n % 90}) for n in range(2500)]
    site.archive.store_items(many, user="admin", project="P")
    # What an item points to may be younger than the item.
    site.archive.store_items([Item("xnat:subjectData", {"ID": "S9", "label": "s9"})], user="a", project="P")
    site.archive.merge_item("E", Item("xnat:mrSessionData", {"subject_ID": "S9"}), ADMIN)
    back_up(site, tmp_path / "b.zip")
    restore(tmp_path / "b.zip", tmp_path / "again", database=of_the_other_kind)
    with open_site(tmp_path / "again") as again:
        assert again.archive.engine.dialect.name != site.archive.engine.dialect.name
        assert comparable(rows(again)) == comparable(rows(site))
        assert again.archive.examine() == ()
        assert again.archive.load_item("E", ADMIN).text("subject_ID") == "S9"
        assert [c.reason for c in again.archive.history("E", ADMIN)] == ["", "typo"]
        assert again.archive.verify_password("admin", "password-of-the-test").is_admin
        stored = again.archive.store_items([Item("xnat:subjectData", {"label": "n"})], user="a", project="P")
        assert stored.ids == ("Syn_S02501",)
        back_up(again, tmp_path / "back.zip")
    held = {path.name for path in (tmp_path / "again").iterdir()}
    assert (DATABASE in held) == (not of_the_other_kind)


def test_a_site_moves_there_and_back(
    site: Site, of_the_other_kind: str, another_database: str, tmp_path: Path
) -> None:
    back_up(site, tmp_path / "b.zip")
    restore(tmp_path / "b.zip", tmp_path / "there", database=of_the_other_kind)
    with open_site(tmp_path / "there") as there:
        back_up(there, tmp_path / "c.zip")
    restore(tmp_path / "c.zip", tmp_path / "back", database=elsewhere(site, another_database))
    with open_site(tmp_path / "back") as back:
        assert comparable(rows(back)) == comparable(rows(site))


def test_an_older_sqlite_site_moves_to_postgresql(
    request: pytest.FixtureRequest, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The file of a backup is brought to this version on its way."""
    with init_site(tmp_path / "site", site_id="Old") as made:
        made.archive.add_project("P", insert_user="admin")
        back_up(made, tmp_path / "b.zip")
    old = tmp_path / "old.db"
    script = (Path(__file__).parent / "versions" / "version_1.sqlite.sql").read_text()
    with closing(sqlite3.connect(old)) as file:
        file.executescript(script)
    change_member(tmp_path / "b.zip", tmp_path / "c.zip", DATABASE, old.read_bytes())
    database = new_database("postgresql", request, tmp_path_factory)
    restore(tmp_path / "c.zip", tmp_path / "again", database=database)
    with open_site(tmp_path / "again") as again:
        assert len(again.archive.load_item("Old_E00002", ADMIN).children["scans/scan"]) == 2
        assert again.archive.examine() == ()


def test_a_value_that_the_other_database_does_not_take(
    request: pytest.FixtureRequest, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """SQLite keeps whatever is written past the archive; the row's table and the cure are named."""
    with init_site(tmp_path / "site") as made:
        made.archive.add_project("P", insert_user="admin")
        with made.archive.engine.begin() as connection:
            connection.exec_driver_sql(
                "INSERT INTO setting (name, value) VALUES ('x', 'a' || char(0) || 'b')"
            )
        back_up(made, tmp_path / "b.zip")
    database = new_database("postgresql", request, tmp_path_factory)
    with pytest.raises(ConfigurationError, match="a row of setting does not fit into that database"):
        restore(tmp_path / "b.zip", tmp_path / "again", database=database)
    assert not (tmp_path / "again").exists()
    engine = open_engine(database)
    assert inspect(engine).get_table_names() == []
    engine.dispose()


def comparable(found: dict[str, list[tuple[object, ...]]]) -> dict[str, list[tuple[object, ...]]]:
    """Without the counter of changes, which only SQLite has."""
    return {name: [r for r in some if r[0] != "change"] for name, some in found.items()}


def change_member(old: Path, new: Path, name: str, data: bytes) -> None:
    """The backup with another content of one member, and its digest."""
    with zipfile.ZipFile(old) as before, zipfile.ZipFile(new, "w") as after:
        for one in before.namelist():
            content = data if one == name else before.read(one)
            if one == "manifest.json":
                said = json.loads(content)
                said["members"][name] = hashlib.sha256(data).hexdigest()
                content = json.dumps(said).encode()
            after.writestr(one, content)


def test_a_restore_while_the_server_writes(site: Site, another_database: str, tmp_path: Path) -> None:
    """Backed up and restored while a server answers and stores: a site of one moment; both go on."""
    stop = threading.Event()
    stored: list[int] = []
    answers: list[int] = []

    def write() -> None:
        while not stop.is_set():
            pair = [Item("xnat:subjectData", {"label": f"w{len(stored)}{side}"}) for side in "ab"]
            site.archive.store_items(pair, user="admin", project="P")
            stored.append(1)

    def log_in(url: str) -> None:
        word = base64.b64encode(b"admin:password-of-the-test").decode()
        while not stop.is_set():
            request = Request(
                f"{url}/data/JSESSION", method="POST", headers={"Authorization": f"Basic {word}"}
            )
            with urlopen(request, timeout=60) as answer:
                answers.append(answer.status)

    with ServerThread(site) as server:
        threads = [threading.Thread(target=write), threading.Thread(target=log_in, args=(server.url,))]
        for thread in threads:
            thread.start()
        try:
            while len(stored) < 3 or not answers:
                stop.wait(0.01)
            back_up(site, tmp_path / "b.zip")
            n_then = len(stored)
            restore(tmp_path / "b.zip", tmp_path / "again", database=elsewhere(site, another_database))
            while len(stored) == n_then:
                stop.wait(0.01)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    assert set(answers) == {200}
    with open_site(tmp_path / "again") as again:
        written = [label for label in labels(again) if label.startswith("w")]
        assert len(written) % 2 == 0
        assert 0 < len(written) <= 2 * (n_then + 1)
        assert again.archive.examine() == ()
    assert len([label for label in labels(site) if label.startswith("w")]) == 2 * len(stored)
    assert site.archive.examine() == ()


def labels(site: Site) -> list[str]:
    return [str(one) for one in site.archive.listing("subjects", ADMIN, project="P").column("label")]


def test_a_backup_is_of_one_moment_while_others_write(
    site: Site, another_database: str, tmp_path: Path
) -> None:
    stop = threading.Event()
    stored: list[int] = []

    def write() -> None:
        while not stop.is_set():
            pair = [Item("xnat:subjectData", {"label": f"w{len(stored)}{side}"}) for side in "ab"]
            site.archive.store_items(pair, user="admin", project="P")
            stored.append(1)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while len(stored) < 3:
            pass
        back_up(site, tmp_path / "b.zip")
    finally:
        stop.set()
        writer.join()
    restore(tmp_path / "b.zip", tmp_path / "again", database=elsewhere(site, another_database))
    with open_site(tmp_path / "again") as again:
        with again.archive.engine.connect() as connection:
            written = connection.scalars(select(t.item.c.id).where(t.item.c.label.like("w%"))).all()
        assert len(written) % 2 == 0
        assert written
        assert again.archive.examine() == ()


def test_nothing_is_overwritten(site: Site, another_database: str, tmp_path: Path) -> None:
    back_up(site, tmp_path / "b.zip")
    with pytest.raises(ConfigurationError, match="is there already"):
        back_up(site, tmp_path / "b.zip")
    with pytest.raises(ConfigurationError, match="not empty"):
        restore(tmp_path / "b.zip", site.folder)
    if site.archive.engine.dialect.name == "postgresql":
        held = site.archive.engine.url.render_as_string(hide_password=False)
        with pytest.raises(ConfigurationError, match="holds tables already"):
            restore(tmp_path / "b.zip", tmp_path / "again", database=held)
    assert not (tmp_path / "again").exists()


def test_damage_is_named_and_nothing_is_restored(site: Site, tmp_path: Path) -> None:
    back_up(site, tmp_path / "b.zip")
    content = (tmp_path / "b.zip").read_bytes()
    (tmp_path / "short.zip").write_bytes(content[: len(content) // 2])
    with pytest.raises(ConfigurationError, match="no backup, or not all of one"):
        restore(tmp_path / "short.zip", tmp_path / "again")
    with zipfile.ZipFile(tmp_path / "b.zip") as old, zipfile.ZipFile(tmp_path / "c.zip", "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name) + (b" " if name == "site.json" else b""))
    with pytest.raises(ConfigurationError, match=r"site\.json has another SHA-256"):
        restore(tmp_path / "c.zip", tmp_path / "again")
    with pytest.raises(ConfigurationError, match="there is no"):
        restore(tmp_path / "nowhere.zip", tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_a_full_disk_leaves_no_file(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(backup, "_write_bytes", full)
    with pytest.raises(DiskFull, match=r"no room for .*b\.zip"):
        back_up(site, tmp_path / "b.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_no_database_password_is_in_the_file(site: Site, tmp_path: Path) -> None:
    back_up(site, tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "b.zip") as made:
        assert b"postgresql" not in made.read("site.json")

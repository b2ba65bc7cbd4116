"""A site goes into one file while others write, comes back the same, and damage is named."""

from __future__ import annotations

import errno
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from connectomedb.errors import ConfigurationError, DiskFull
from connectomedb.schema.model import Item
from connectomedb.store import backup
from connectomedb.store import tables as t
from connectomedb.store.backup import back_up, check_backup, restore
from connectomedb.store.site import Site, init_site, open_site
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

"""The version of the data changes with every change of it, and with nothing else; on both databases."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from connectomedb.errors import LabelTaken
from connectomedb.schema.model import Item
from connectomedb.store.archive import Archive
from connectomedb.vocabulary.records import FileRow


def _store(archive: Archive, label: str) -> None:
    archive.store_items([Item("xnat:subjectData", {"label": label})], user="admin", project="VERSIONS")


@pytest.mark.parametrize(
    "change",
    [
        lambda a: a.add_project("VERSIONS_2", insert_user="admin"),
        lambda a: _store(a, "one"),
        lambda a: a.grant("VERSIONS", "stranger", "member"),
        lambda a: a.revoke("VERSIONS", "stranger"),
        lambda a: a.set_password("stranger", "another-password"),
        lambda a: a.add_files("VERSIONS", "s3://m", [FileRow("one", "k", 1)]),
        lambda a: a.set_setting("title", "x"),
    ],
)
def test_every_change_gives_another_version(archive: Archive, change: Callable[[Archive], None]) -> None:
    if "VERSIONS" not in archive.listing("projects", archive.find_user("admin")).column("ID"):
        archive.add_project("VERSIONS", insert_user="admin")
        _store(archive, "first")
    archive.grant("VERSIONS", "stranger", "collaborator")
    before = archive.data_version()
    assert archive.data_version() == before
    change(archive)
    assert archive.data_version() != before


def _after(archive: Archive, harmless: Callable[[], object]) -> bool:
    """Whether the version stays as it was: PostgreSQL's own housekeeping may raise it once in a while."""
    for _ in range(20):
        before = archive.data_version()
        harmless()
        if archive.data_version() == before:
            return True
    return False


def test_reading_leaves_the_version(archive: Archive) -> None:
    admin = archive.find_user("admin")
    assert _after(archive, lambda: archive.listing("subjects", admin))


def test_failing_and_logging_in_leave_the_version(archive: Archive) -> None:
    if archive.engine.dialect.name != "sqlite":
        return  # PostgreSQL counts every transaction: one more answer is made, none is wrong
    archive.add_project("VERSIONS_3", insert_user="admin")
    item = Item("xnat:subjectData", {"label": "twin"})
    archive.store_items([item], user="admin", project="VERSIONS_3")

    def fail_and_log_in() -> None:
        with pytest.raises(LabelTaken):
            archive.store_items([item], user="admin", project="VERSIONS_3")
        archive.close_session(archive.open_session("stranger", 60).session_id)

    assert _after(archive, fail_and_log_in)

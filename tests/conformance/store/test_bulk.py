"""Rows in bulk: typed, all or nothing, a few statements however many rows; SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import event

from connectomedb.errors import LabelTaken, NoSuchProject, NoSuchSubject, NotValid
from connectomedb.search.expression import in_project
from connectomedb.search.query import FieldRef, SearchField, SearchQuery
from connectomedb.store.archive import Archive
from connectomedb.store.bulk import BulkRow
from connectomedb.vocabulary.records import Principal

SCORES, SUBJECT = "nt:scores", "xnat:subjectData"
PATHS = ("date", "NEO/NEOFAC_A", "ER40/ER40_CRT")


def _people(project: str, n: int, shares: tuple[str, ...] = ()) -> list[BulkRow]:
    return [BulkRow(f"p{i}", project, ("male", 20 + i % 9), shares=shares) for i in range(n)]


def _scores(project: str, n: int, shares: tuple[str, ...] = ()) -> list[BulkRow]:
    return [
        BulkRow(
            f"p{i}_s", project, (date(2020, 1, 1 + i % 28), i % 49, i / 2 if i % 3 else None), f"p{i}", shares
        )
        for i in range(n)
    ]


def _load(archive: Archive, project: str, n: int, shares: tuple[str, ...] = ()) -> None:
    paths = ("demographics/gender", "demographics/age")
    archive.load_rows(SUBJECT, paths, _people(project, n, shares), user="admin")
    archive.load_rows(SCORES, PATHS, _scores(project, n, shares), user="admin")


def _rows(archive: Archive, who: Principal, project: str) -> list[tuple[Any, ...]]:
    names = ("SUBJECT_LABEL", "DATE", "NEOFAC_A", "ER40_CRT", "GENDER", "PROJECTS")
    fields = tuple(SearchField(FieldRef(SCORES, name)) for name in names)
    table = archive.search(SearchQuery(SCORES, fields, in_project(SCORES, project)), who)
    return [row[:-1] for row in table.rows]


def test_rows_come_back_typed_and_shared(archive: Archive, admin: Principal) -> None:
    archive.add_project("BULK", insert_user="admin")
    archive.add_project("BULK_SEEN", insert_user="admin")
    _load(archive, "BULK", 50, ("BULK_SEEN",))
    rows = {row[0]: row[1:] for row in _rows(archive, admin, "BULK_SEEN")}
    assert len(rows) == 50
    assert rows["p4"] == (date(2020, 1, 5), 4, 2.0, "male", "<BULK>,<BULK_SEEN>")
    assert rows["p3"][2] is None
    found = archive.locate_experiment("p4_s", admin, project="BULK_SEEN")
    assert archive.load_item(found.id, admin).text("NEO/NEOFAC_A") == "4"


def test_a_fresh_id_is_never_one_that_was_imported(archive: Archive, admin: Principal) -> None:
    archive.add_project("AHEAD", insert_user="admin")
    _load(archive, "AHEAD", 3)
    labels = archive.listing("subjects", admin, project="AHEAD").column("ID")
    assert len(set(labels)) == 3


def test_the_number_of_statements_does_not_grow_with_the_rows(archive: Archive) -> None:
    archive.add_project("COUNTED", insert_user="admin")
    seen: list[str] = []

    def note(_c: Any, _u: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(archive.engine, "before_cursor_execute", note)
    try:
        _load(archive, "COUNTED", 10)
        few = len(seen)
        archive.add_project("COUNTED_MORE", insert_user="admin")
        seen.clear()
        _load(archive, "COUNTED_MORE", 1000)
    finally:
        event.remove(archive.engine, "before_cursor_execute", note)
    # Imported ids that the counter meets on its way cost one more step each time.
    assert len(seen) <= few + 4


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((None, "many", None), "row 2: NEO/NEOFAC_A is 'many', which is no integer"),
        ((None, True, None), "is True, which is no integer"),
        ((None, 3, float("nan")), "not finite"),
        ((None, 2**63, None), "more than 64 bits"),
        (("2020-01-01", 3, 1.0), "which is no date"),
        ((None, 3), "row 2 has 2 values, 3 paths were named"),
    ],
)
def test_a_wrong_cell_is_named_and_nothing_stays(
    archive: Archive, admin: Principal, values: tuple[Any, ...], message: str, request: pytest.FixtureRequest
) -> None:
    project = "WRONG"
    if not archive.listing("projects", admin, filters={"ID": project}).rows:
        archive.add_project(project, insert_user="admin")
        archive.load_rows(SUBJECT, (), [BulkRow("p1", project, ()), BulkRow("p2", project, ())], user="admin")
    rows = [BulkRow("a", project, (None, 1, 1.0), "p1"), BulkRow("b", project, values, "p2")]
    with pytest.raises(NotValid, match=message):
        archive.load_rows(SCORES, PATHS, rows, user="admin")
    assert _rows(archive, admin, project) == []


def test_what_contradicts_the_archive_is_refused(archive: Archive, admin: Principal) -> None:
    archive.add_project("CONTRA", insert_user="admin")
    archive.load_rows(SUBJECT, (), [BulkRow("p1", "CONTRA", ())], user="admin")
    with pytest.raises(LabelTaken):
        archive.load_rows(SUBJECT, (), [BulkRow("p1", "CONTRA", ())], user="admin")
    with pytest.raises(NoSuchProject):
        archive.load_rows(SUBJECT, (), [BulkRow("p1", "NOWHERE", ())], user="admin")
    with pytest.raises(NoSuchSubject, match="'p9' in CONTRA"):
        archive.load_rows(SCORES, (), [BulkRow("x", "CONTRA", (), "p9")], user="admin")
    with pytest.raises(NotValid, match="label 'a b' is not legal"):
        archive.load_rows(SUBJECT, (), [BulkRow("a b", "CONTRA", ())], user="admin")
    with pytest.raises(NotValid, match="no place for NEO/NEOFAC_X"):
        archive.load_rows(SCORES, ("NEO/NEOFAC_X",), [], user="admin")
    with pytest.raises(NotValid, match="none of male"):
        archive.load_rows(
            SUBJECT, ("demographics/gender",), [BulkRow("p2", "CONTRA", ("blue",))], user="admin"
        )
    assert len(archive.listing("subjects", admin, project="CONTRA")) == 1

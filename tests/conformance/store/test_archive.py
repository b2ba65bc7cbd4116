"""Records in, questions out, with the law inside: the same on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from connectomedb.errors import (
    BadConstraint,
    BadCredentials,
    Conflict,
    LabelTaken,
    NoSuchExperiment,
    NoSuchProject,
    NoSuchSubject,
    NotValid,
    UnknownDataType,
    UnknownField,
)
from connectomedb.schema.model import Item
from connectomedb.search.expression import in_project, parse_expression
from connectomedb.search.pyxnat_syntax import parse_constraints
from connectomedb.search.query import CriteriaSet, FieldRef, SearchField, SearchQuery, SortBy
from connectomedb.store.archive import Archive
from connectomedb.store.files import FileChanges
from connectomedb.testing.seed import answers, subject_labels
from connectomedb.vocabulary.records import GUEST, FileRow, Principal

ROOT = "nt:scores"
IN_Q1 = parse_constraints([("nt:scores/PROJECTS", "LIKE", "%HCP_Q1%")])


def ask(
    archive: Archive,
    who: Principal,
    where: CriteriaSet | str = IN_Q1,
    columns: tuple[str, ...] = ("SUBJECT_ID",),
    root: str = ROOT,
    sort_by: SortBy | None = None,
) -> list[tuple[Any, ...]]:
    """The rows of a question, without the status."""
    conditions = parse_expression(where, root) if isinstance(where, str) else where
    fields = tuple(SearchField(FieldRef(root, c)) for c in columns)
    table = archive.search(SearchQuery(root, fields, conditions, sort_by), who)
    return [row[:-1] for row in table.rows]


@contextmanager
def statements(archive: Archive) -> Iterator[list[str]]:
    """The SELECTs that are run meanwhile."""
    seen: list[str] = []

    def note(_c: Any, _u: Any, statement: str, *_: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            seen.append(statement)

    event.listen(archive.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(archive.engine, "before_cursor_execute", note)


def test_a_search_is_one_statement_and_the_version_of_the_data(archive: Archive, reader: Principal) -> None:
    # At first it looks up which types are searchable, and copies the columns that are the same for all.
    for _ in range(2):
        ask(archive, reader)
    with statements(archive) as seen:
        assert len(ask(archive, reader)) == 76
    assert len(seen) == 2


def test_columns_keep_their_types_and_the_order_asked_for(archive: Archive, reader: Principal) -> None:
    columns = ("ER40_CRT", "SUBJECT_LABEL", "NEO_NEOFAC_A", "SUBJECT_ID")
    fields = tuple(SearchField(FieldRef(ROOT, c)) for c in columns)
    by_id = SortBy(FieldRef(ROOT, "SUBJECT_ID"))
    table = archive.search(SearchQuery(ROOT, fields, IN_Q1, by_id), reader)
    assert table.keys == ("er40_er40_crt", "subject_label", "neo_neofac_a", "subject_id", "quarantine_status")
    assert table.rows[0] == (1471.0, "100307", 33, "ConnectomeDB_S00230", "active")


@pytest.mark.parametrize(
    ("where", "key"),
    [
        ("NEOFAC_A > 40", "agreeableness_over_40"),
        ("IWRD_TOT >= 30 and IWRD_TOT < 35", "cpw_30_to_34"),
        ("IWRD_TOT between 30 and 34", "cpw_30_to_34"),
        ("IWRD_TOT in (30, 31, 32, 33, 34)", "cpw_30_to_34"),
        ("IWRD_TOT < 30 or IWRD_TOT >= 35", "cpw_below_30_or_35_up"),
    ],
)
def test_the_cohorts_of_the_tutorial(archive: Archive, reader: Principal, where: str, key: str) -> None:
    conditions = CriteriaSet("AND", (in_project(ROOT, "HCP_Q1"), parse_expression(where, ROOT)))
    expected = answers()[key].get("labels_in_order") or answers()[key]["server_order"]
    found = ask(archive, reader, conditions, ("SUBJECT_ID", "SUBJECT_LABEL"))
    assert [label for _, label in found] == expected


def test_three_names_of_one_field_are_one_field(archive: Archive, reader: Principal) -> None:
    rows = [
        ask(archive, reader, columns=("SUBJECT_ID", n)) for n in ("NEO_NEOFAC_A", "NEO/NEOFAC_A", "NEOFAC_A")
    ]
    assert rows[0] == rows[1] == rows[2]


def test_the_like_trap_is_real_and_exact_membership_avoids_it(
    archive: Archive, reader: Principal, admin: Principal
) -> None:
    assert len(ask(archive, admin, IN_Q1)) == 79
    assert len(ask(archive, admin, in_project(ROOT, "HCP_Q1"))) == 76
    assert len(ask(archive, admin, parse_constraints([("nt:scores/PROJECTS", "LIKE", "%<HCP_Q1>%")]))) == 76
    assert len(ask(archive, reader, IN_Q1)) == 76
    assert ask(archive, admin, in_project(ROOT, "HCP_Q1b"), ("LABEL",)) != []
    # Who cannot read a project learns nothing of what it holds.
    assert ask(archive, reader, in_project(ROOT, "HCP_Q1b"), ("LABEL",)) == []


def test_who_may_see_nothing_gets_nothing(archive: Archive) -> None:
    stranger = archive.find_user("stranger")
    for who in (stranger, GUEST):
        assert ask(archive, who) == []
        assert len(archive.listing("projects", who)) == 0
        assert len(archive.listing("subjects", who)) == 0
        assert sum(archive.elements_used(who).values()) == 0
        with pytest.raises(NoSuchProject):
            archive.locate_project("HCP_Q1", who)
        with pytest.raises(NoSuchSubject):
            archive.locate_subject("ConnectomeDB_S00230", who)
        with pytest.raises(NoSuchExperiment):
            archive.locate_experiment("ConnectomeDB_E00299", who)


def test_missing_scores_are_no_value_and_come_last(archive: Archive, reader: Principal) -> None:
    missing = ask(archive, reader, "NEOFAC_A is null", ("SUBJECT_LABEL",))
    assert len(missing) == 2
    ascending = ask(archive, reader, IN_Q1, ("NEO_NEOFAC_A",))
    assert [v for (v,) in ascending[-2:]] == [None, None]
    order = SortBy(FieldRef(ROOT, "NEO_NEOFAC_A"), "DESC")
    descending = ask(archive, reader, IN_Q1, ("NEO_NEOFAC_A",), sort_by=order)
    assert [v for (v,) in descending[:2]] == [None, None]
    # `!=` of a display field is true of no value, that of a path is not.
    assert (
        len(ask(archive, reader, "NEO_NEOFAC_A != 33")) - len(ask(archive, reader, "`NEO/NEOFAC_A` != 33"))
        == 2
    )


def test_patterns_fold_case_and_escape(archive: Archive, reader: Principal) -> None:
    assert len(ask(archive, reader, "LABEL like '%nontoolbox'")) == 76
    assert len(ask(archive, reader, r"LABEL like '100307\_Non%'")) == 1
    assert ask(archive, reader, r"LABEL like '100307\%%'") == []
    with pytest.raises(BadConstraint, match="backslash"):
        ask(archive, reader, "LABEL like 'x\\'")


def test_the_subject_joins(archive: Archive, reader: Principal) -> None:
    men = ask(archive, reader, "xnat:subjectData/GENDER = 'male'")
    women = ask(archive, reader, "xnat:subjectData/GENDER = 'female'")
    assert len(men) + len(women) == 76
    agreeable = ask(archive, reader, "nt:scores/NEOFAC_A > 40", ("SUBJECT_LABEL",), "xnat:subjectData")
    assert [v for (v,) in agreeable] == answers()["agreeableness_over_40"]["server_order"]


@pytest.mark.parametrize(
    ("where", "error"),
    [
        ("NEOFAK_A > 40", UnknownField),
        ("NEOFAC_A > 'much'", BadConstraint),
        ("nt:skores/NEOFAC_A > 40", UnknownDataType),
        ("xnat:projectData/ID = 'HCP_Q1'", BadConstraint),
    ],
)
def test_a_wrong_question_is_refused(
    archive: Archive, reader: Principal, where: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        ask(archive, reader, where)


def test_listings(archive: Archive, reader: Principal) -> None:
    assert archive.listing("projects", reader).column("ID") == ("HCP_Q1",)
    subjects = archive.listing("subjects", reader, project="HCP_Q1")
    assert subjects.keys == ("ID", "project", "label", "insert_date", "insert_user", "URI")
    assert subjects.column("label") == tuple(subject_labels())
    first = archive.locate_subject("100307", reader, project="HCP_Q1")
    experiments = archive.listing("experiments", reader, project="HCP_Q1", subject=first.id)
    assert list(experiments.column("label")) == answers()["experiments_of_100307_in_order"]
    assert archive.listing("subjects", reader, project="HCP_Q1", filters={"label": "1003*"}).shape[0] == 1


def test_a_document_comes_back_as_it_was_stored(archive: Archive, reader: Principal) -> None:
    found = archive.locate_experiment("100307_NonToolbox", reader, project="HCP_Q1")
    assert (found.id, found.owner_project, found.project) == ("ConnectomeDB_E00299", "HCP_Subjects", "HCP_Q1")
    item = archive.load_item(found.id, reader)
    assert item.values["ER40/ER40_CRT"] == 1471.0
    assert [s.text("project") for s in item.children["sharing/share"]] == ["HCP_Q1", "HCP_Q2"]


def _subject(label: str, **values: str) -> Item:
    return Item("xnat:subjectData", {"label": label, **values})


def test_all_or_nothing(archive: Archive, admin: Principal) -> None:
    archive.add_project("FRESH", insert_user="admin")
    with pytest.raises(NotValid) as caught:
        archive.store_items(
            [_subject("good"), _subject("b/ad"), _subject("al so")], user="admin", project="FRESH"
        )
    assert len(caught.value.reasons) == 2
    assert "not legal" in caught.value.reasons[0]
    with pytest.raises(LabelTaken, match="twice"):
        archive.store_items([_subject("twin"), _subject("twin")], user="admin", project="FRESH")
    with pytest.raises(Conflict, match="ConnectomeDB_S00230"):
        archive.store_items([_subject("other", ID="ConnectomeDB_S00230")], user="admin", project="FRESH")
    with pytest.raises(NoSuchProject):
        archive.store_items([_subject("x", project="NOWHERE")], user="admin")
    scores = Item("nt:scores", {"label": "x", "subject_ID": "nobody"})
    with pytest.raises(NoSuchSubject):
        archive.store_items([scores], user="admin", project="FRESH")
    item = Item("xnat:subjectData", {"label": "x", "NEO/NEOFAC_X": 1})
    with pytest.raises(NotValid, match="no place for NEO/NEOFAC_X"):
        archive.store_items([item], user="admin", project="FRESH")
    assert len(archive.listing("subjects", admin, project="FRESH")) == 0
    report = archive.store_items([_subject("good")], user="admin", project="FRESH")
    assert report.ids[0].startswith("ConnectomeDB_S")
    with pytest.raises(LabelTaken):
        archive.store_items([_subject("good")], user="admin", project="FRESH")


def test_custom_variables_are_kept(archive: Archive, admin: Principal) -> None:
    archive.add_project("VARS", insert_user="admin")
    variable = Item("xnat:subjectData_field", {"name": "visit", "field": "2"})
    item = Item("xnat:subjectData", {"label": "v1"}, {"fields/field": (variable,)})
    (item_id,) = archive.store_items([item], user="admin", project="VARS").ids
    assert archive.load_item(item_id, admin).children["fields/field"] == (variable,)
    where = "`XNAT_SUBJECTDATA_FIELD_MAP=visit` = '2'"
    assert ask(archive, admin, where, ("SUBJECT_LABEL",), "xnat:subjectData") == [("v1",)]


def test_files_count_and_are_seen_with_their_subject(archive: Archive, admin: Principal) -> None:
    archive.add_project("FILES", insert_user="admin")
    archive.store_items([_subject("f1"), _subject("f2")], user="admin", project="FILES")
    rows = [
        FileRow("f1", "f1/a", 10, "md5", "0" * 32, run="bart", kind="bold"),
        FileRow("f1", "f1/b", 5, run="bart", kind="events"),
        FileRow("f2", "f2/a", 7, run="rest", kind="bold"),
    ]
    assert archive.add_files("FILES", "s3://mirror", rows) == FileChanges(3, 3, 0, 0)
    root = "xnat:subjectData"
    assert ask(archive, admin, "has('bart')", ("SUBJECT_LABEL",), root) == [("f1",)]
    assert ask(archive, admin, "files('bart,bold') = 1 and bytes('bart') = 15", ("SUBJECT_LABEL",), root) == [
        ("f1",)
    ]
    assert ask(archive, admin, "`FILE_COUNT=rest` is null and label like 'f%'", ("SUBJECT_LABEL",), root)[
        0
    ] == ("f1",)
    files = ask(
        archive, admin, "SUBJECT_LABEL in ('f1', 'f2') and KIND = 'bold'", ("KEY", "SIZE"), "hcp:file"
    )
    assert files == [("f1/a", 10), ("f2/a", 7)]
    assert ask(archive, archive.find_user("stranger"), "", ("KEY",), "hcp:file") == []
    assert archive.add_files("FILES", "s3://mirror", rows[:1]) == FileChanges(1, 0, 2, 0)
    assert len(ask(archive, admin, "LOCATION = 's3://mirror'", ("KEY",), "hcp:file")) == 1


def test_accounts_and_logins(archive: Archive) -> None:
    assert archive.verify_password("guest-reader", "reader-demo").login == "guest-reader"
    with pytest.raises(BadCredentials):
        archive.verify_password("guest-reader", "wrong")
    with pytest.raises(BadCredentials):
        archive.verify_password("nobody", "wrong")
    opened = archive.open_session("guest-reader", 60)
    assert len(opened.session_id) == 32
    assert opened.session_id == opened.session_id.upper()
    assert opened.session_id not in repr(opened)
    found = archive.touch_session(opened.session_id)
    assert found is not None
    assert found.login == "guest-reader"
    archive.close_session(opened.session_id)
    assert archive.touch_session(opened.session_id) is None
    expired = archive.open_session("guest-reader", -1)
    assert archive.touch_session(expired.session_id) is None
    assert archive.touch_session("0" * 32) is None


def test_a_question_is_explained(archive: Archive, reader: Principal) -> None:
    query = SearchQuery(
        ROOT, (SearchField(FieldRef(ROOT, "NEOFAC_A")),), parse_expression("NEOFAC_A > 40", ROOT)
    )
    sentence, sql = archive.explain(query, reader).split("\n", 1)
    assert sentence == "The nt:scores rows where NEO_NEOFAC_A is above 40: NEO_NEOFAC_A, by NEO_NEOFAC_A."
    assert sql.startswith("SELECT")


def test_a_scan_says_what_changed_since_the_last(archive: Archive, admin: Principal) -> None:
    archive.add_project("SCANS", insert_user="admin")
    session = Item("xnat:mrSessionData", {"label": "one_MR", "subject_ID": "one"})
    archive.store_items([_subject("one"), session], user="admin", project="SCANS")
    first = [FileRow("one", f"one/{n}", n, "md5", f"{n:032x}", kind="bold") for n in range(1, 6)]
    assert archive.add_files("SCANS", "s3://a", first) == FileChanges(5, 5, 0, 0)
    assert archive.add_files("SCANS", "s3://a", first) == FileChanges(5, 0, 0, 0)
    kinds = [
        replace(first[0], kind="T1w"),
        replace(first[1], size_bytes=9),
        replace(first[2], digest="f" * 32),
    ]
    extra = FileRow("", "by-session", 1, session="one_MR")
    assert archive.add_files("SCANS", "s3://a", [*kinds, first[3], extra]) == FileChanges(5, 1, 1, 2)
    found = ask(archive, admin, "PROJECT = 'SCANS'", ("KEY", "SIZE", "KIND", "SUBJECT_LABEL"), "hcp:file")
    assert found == [
        ("by-session", 1, None, "one"),
        ("one/1", 1, "T1w", "one"),
        ("one/2", 9, "bold", "one"),
        ("one/3", 3, "bold", "one"),
        ("one/4", 4, "bold", "one"),
    ]
    below = archive.add_files("SCANS", "s3://a", [first[0]], prefix="one/")
    assert below == FileChanges(1, 0, 3, 0)  # what lies elsewhere stays
    assert len(ask(archive, admin, "PROJECT = 'SCANS'", ("KEY",), "hcp:file")) == 2
    with pytest.raises(Conflict, match="'one/1' more than once"):
        archive.add_files("SCANS", "s3://a", [*first, first[0]])
    assert len(ask(archive, admin, "PROJECT = 'SCANS'", ("KEY",), "hcp:file")) == 2

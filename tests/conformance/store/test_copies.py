"""Copies on both databases: what never reaches them, when they are good, and what they cost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event
from tests.conformance.store.copying import copying

from connectomedb.errors import AccessDenied
from connectomedb.schema.model import Item
from connectomedb.schema.registry import load_types
from connectomedb.search.expression import parse_expression
from connectomedb.search.query import CriteriaSet, FieldRef, SearchField, SearchQuery
from connectomedb.store import copied, executors
from connectomedb.store.archive import Archive
from connectomedb.store.compile import compile_search
from connectomedb.store.copied import compile_rows
from connectomedb.store.copies import Copies
from connectomedb.store.engine import open_engine

TYPE = "hcp:demographics"
PEOPLE = (("A", "a1", 22), ("A", "a2", 35), ("B", "b1", 22), ("B", "b2", 35))


def _item(xsi_type: str, project: str, label: str, **values: Any) -> Item:
    return Item(xsi_type, {"ID": f"{xsi_type[:2]}_{label}", "project": project, "label": label, **values})


@pytest.fixture
def site(fresh_database: str) -> Iterator[Archive]:
    """Two projects: `both` reads both and holds the restricted tier in A, `one` reads A alone."""
    archive = Archive(open_engine(fresh_database), load_types()).create()
    archive.add_user("boss", "password-of-the-test", is_admin=True)
    for login, projects in (("both", "AB"), ("one", "A"), ("nobody", "")):
        archive.add_user(login, "password-of-the-test")
        for project in projects:
            if project not in archive.read_project_ids(archive.find_user("boss")):
                archive.add_project(project, insert_user="test")
            archive.grant(project, login, "collaborator")
    items = []
    for project, label, age in PEOPLE:
        items.append(_item("xnat:subjectData", project, label))
        facts = {"subject_ID": f"xn_{label}", "Age_in_Yrs": age, "Gender": "F"}
        items.append(_item(TYPE, project, f"{label}_demo", **facts))
    archive.store_items(items, user="test")
    archive.grant_tier("A", "both", "restricted")
    archive.accept_terms(archive.find_user("both"), "A", "restricted")
    yield archive
    archive.close()


def _query(*fields: str, where: str = "") -> SearchQuery:
    criteria = (parse_expression(where, TYPE),) if where else ()
    fields = fields or ("LABEL", "Gender")
    return SearchQuery(
        TYPE, tuple(SearchField(FieldRef(TYPE, f)) for f in fields), CriteriaSet("AND", criteria)
    )


def _rows(site: Archive, login: str, query: SearchQuery) -> list[tuple[Any, ...]]:
    return [row[:-1] for row in site.search(query, site.find_user(login)).rows]


@contextmanager
def statements(site: Archive) -> Iterator[list[str]]:
    """What is sent to the database meanwhile."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(site.engine, "before_cursor_execute", note)
    yield seen
    event.remove(site.engine, "before_cursor_execute", note)


def test_rows_are_those_that_each_user_sees(site: Archive) -> None:
    copies = copying(site)
    assert [label for label, _ in _rows(site, "boss", _query())] == [
        f"{label}_demo" for _, label, _ in PEOPLE
    ]
    assert copies.n_bytes > 0
    assert _rows(site, "one", _query()) == [("a1_demo", "F"), ("a2_demo", "F")]
    assert _rows(site, "nobody", _query()) == []


def test_rights_and_shares_count_at_once(site: Archive) -> None:
    copying(site)
    assert len(_rows(site, "both", _query())) == 4
    site.revoke("B", "both")
    assert [label for label, _ in _rows(site, "both", _query())] == ["a1_demo", "a2_demo"]
    site.share("hc_b1_demo", "A", "b1_shared", site.find_user("boss"))
    assert [label for label, _ in _rows(site, "both", _query())] == ["a1_demo", "a2_demo", "b1_demo"]
    site.unshare("hc_b1_demo", "A", site.find_user("boss"))
    assert len(_rows(site, "both", _query())) == 2


def test_closed_columns_are_read_by_the_law_each_time(site: Archive) -> None:
    copies = copying(site)
    closed = _query("LABEL", "Age_in_Yrs", "Gender")
    everything = [("a1_demo", 22, "F"), ("a2_demo", 35, "F"), ("b1_demo", 22, "F"), ("b2_demo", 35, "F")]
    assert _rows(site, "boss", closed) == everything
    assert _rows(site, "both", closed) == [*everything[:2], ("b1_demo", None, "F"), ("b2_demo", None, "F")]
    with pytest.raises(AccessDenied):
        site.search(closed, site.find_user("one"))
    # Not even for an administrator does a closed cell get into a copy.
    root = site.types.get(TYPE)
    held = [one.display.id for one in copies._asked]
    assert sorted(held) == ["GENDER", "LABEL"]
    assert not {22, 35} & {
        v for known in copies._types.values() for c in known.columns.values() for v in c.values
    }
    ages = compile_search(
        site._plan(closed, site.find_user("boss")).asked.query,  # type: ignore[attr-defined]  # a CopyPlan
        site.find_user("boss"),
        site._layout,
        site._dialect,
    )
    assert ages.columns[1].key == "age_in_yrs"
    fields = site._plan(closed, site.find_user("boss")).asked.query.fields  # type: ignore[attr-defined]  # likewise
    with pytest.raises(copied.AsksWho):
        copied.compile_cells(fields, root, site._layout, site._dialect, 10)
    site.revoke_tier("A", "both", "restricted")
    with pytest.raises(AccessDenied):
        site.search(closed, site.find_user("both"))


def test_changes_are_seen_by_the_next_question(site: Archive) -> None:
    copying(site)
    boss = site.find_user("boss")
    for gender in ("M", "F", "M"):
        site.merge_item("hc_a1_demo", Item(TYPE, {"Gender": gender}), boss)
        assert _rows(site, "one", _query()) == [("a1_demo", gender), ("a2_demo", "F")]
    site.store_items(
        [
            _item("xnat:subjectData", "A", "a3"),
            _item(TYPE, "A", "a3_demo", subject_ID="xn_a3", Gender="U"),
        ],
        user="test",
    )
    assert _rows(site, "one", _query())[-1] == ("a3_demo", "U")
    site.delete_item("hc_a3_demo", boss)
    assert len(_rows(site, "one", _query())) == 2


def test_a_question_that_copies_answer_is_two_statements(site: Archive) -> None:
    copying(site)
    who = site.find_user("one")
    site.search(_query(), who)
    with statements(site) as seen:
        assert len(site.search(_query(), who).rows) == 2
    assert len(seen) == 2, seen  # the version of the data, and the rows by the law
    # Other columns that are held, in another order: the same.
    with statements(site) as seen:
        site.search(_query("Gender", "LABEL"), who)
    assert len(seen) == 2, seen


def test_other_values_need_no_other_statement(site: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    copying(site)
    made: list[object] = []

    def counted(*arguments: Any) -> Any:
        made.append(arguments)
        return compile_rows(*arguments)

    monkeypatch.setattr(executors, "compile_rows", counted)
    for number in range(20):
        found = _rows(site, "boss", _query(where=f"LABEL >= 'a{number}' and Gender = 'F'"))
        assert found == [(f"{p}_demo", "F") for _, p, _ in PEOPLE if f"{p}_demo" >= f"a{number}"]
    assert len(made) == 1


def test_a_copy_is_made_when_it_has_been_paid_for(site: Archive) -> None:
    executor = site._executors[0]
    assert isinstance(executor, executors.CopyExecutor)
    copies: Copies = executor.copies
    one_row = _query(where="LABEL = 'a1_demo'")
    n_asked = 0
    while copies.n_bytes == 0:
        _rows(site, "boss", one_row)
        n_asked += 1
        assert n_asked < 10
    # The fourth question would have read as many cells as there are rows.
    assert n_asked == 4
    # After a change the same question knows how many rows it had: one of four does not pay by itself.
    site.merge_item("hc_a1_demo", Item(TYPE, {"Gender": "M"}), site.find_user("boss"))
    assert _rows(site, "boss", one_row) == [("a1_demo", "M")]
    assert copies.n_bytes == 0


def test_copies_stay_within_their_bounds(site: Archive) -> None:
    copies = copying(site, most_rows=3)
    assert len(_rows(site, "boss", _query())) == 4
    assert copies.n_bytes == 0
    copies = copying(site, most_bytes=1000)
    for column in ("LABEL", "Gender", "ID", "SUBJECT_LABEL", "PROJECT"):
        assert len(_rows(site, "boss", _query(column))) == 4
        assert copies.n_bytes <= 1000

"""Tiers on both databases: who may name a closed field, where its value exists, and that nothing leaks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from connectomedb.errors import AccessDenied, ConfigurationError, NotFound, TermsNotAccepted
from connectomedb.schema.model import Item
from connectomedb.schema.registry import load_types
from connectomedb.search.query import CriteriaSet, Criterion, FieldRef, SearchField, SearchQuery, SortBy
from connectomedb.store.archive import Archive
from connectomedb.store.engine import open_engine
from connectomedb.vocabulary.records import Principal

TYPE = "hcp:demographics"
PEOPLE = (("A", "a1", 22), ("A", "a2", 35), ("B", "b1", 22), ("B", "b2", 35))


def _item(xsi_type: str, project: str, label: str, **values: Any) -> Item:
    return Item(xsi_type, {"ID": f"{xsi_type[:2]}_{label}", "project": project, "label": label, **values})


@pytest.fixture(scope="module")
def site(database: str) -> Iterator[Archive]:
    """Two projects; `holder` reads both and holds the restricted tier in A alone, `plain` holds none."""
    archive = Archive(open_engine(database), load_types()).create()
    for login in ("holder", "plain", "waiting"):
        archive.add_user(login, "password-of-the-test")
    for project in ("A", "B"):
        archive.add_project(project, insert_user="test")
        for login in ("holder", "plain", "waiting"):
            archive.grant(project, login, "collaborator")
    items = []
    for project, label, age in PEOPLE:
        items.append(_item("xnat:subjectData", project, label))
        facts = {"subject_ID": f"xn_{label}", "Age_in_Yrs": age, "Gender": "F"}
        items.append(_item(TYPE, project, f"{label}_demo", **facts))
    archive.store_items(items, user="test")
    archive.grant_tier("A", "holder", "restricted")
    archive.accept_terms(archive.find_user("holder"), "A", "restricted")
    archive.grant_tier("B", "waiting", "restricted")
    yield archive
    archive.close()


def _query(*fields: str, where: tuple[tuple[str, str, str], ...] = (), sort: str = "") -> SearchQuery:
    criteria = tuple(Criterion(FieldRef(TYPE, n), c, v) for n, c, v in where)
    return SearchQuery(
        TYPE,
        tuple(SearchField(FieldRef(TYPE, f)) for f in fields),
        CriteriaSet("AND", criteria),
        SortBy(FieldRef(TYPE, sort)) if sort else None,
    )


def _rows(site: Archive, query: SearchQuery, login: str) -> list[tuple[Any, ...]]:
    return [row[:-1] for row in site.search(query, site.find_user(login)).rows]


@pytest.mark.parametrize(
    "query",
    [
        _query("LABEL", "Age_in_Yrs"),
        _query("LABEL", where=(("Age_in_Yrs", ">", "30"),)),
        _query("LABEL", sort="Age_in_Yrs"),
        _query("LABEL", where=(("Age_in_Yrs", "IS NULL", ""),)),
    ],
)
def test_a_closed_field_is_refused_by_name(site: Archive, query: SearchQuery) -> None:
    with pytest.raises(AccessDenied, match=r"hcp:demographics/Age_in_Yrs is restricted.*terms/restricted"):
        site.search(query, site.find_user("plain"))
    with pytest.raises(TermsNotAccepted, match="PUT /data/projects/B/terms/restricted"):
        site.search(query, site.find_user("waiting"))


def test_the_value_exists_where_the_tier_is_held(site: Archive) -> None:
    rows = _rows(site, _query("LABEL", "Age_in_Yrs"), "holder")
    assert rows == [("a1_demo", 22), ("a2_demo", 35), ("b1_demo", None), ("b2_demo", None)]
    older = _query("LABEL", where=(("Age_in_Yrs", ">", "30"),))
    assert _rows(site, older, "holder") == [("a2_demo",)]
    absent = _query("LABEL", where=(("Age_in_Yrs", "IS NULL", ""),))
    assert _rows(site, absent, "holder") == [("b1_demo",), ("b2_demo",)]


def test_default_columns_and_documents_leave_closed_fields_out(site: Archive) -> None:
    plain, holder = site.find_user("plain"), site.find_user("holder")
    table = site.search(_query(), plain)
    assert "gender" in table.keys
    assert "age_in_yrs" not in table.keys
    assert "Age_in_Yrs" not in site.load_item("hc_a1_demo", plain).values
    assert site.load_item("hc_a1_demo", holder).values["Age_in_Yrs"] == 22
    assert "Age_in_Yrs" not in site.load_item("hc_b1_demo", holder).values


def test_nobody_changes_what_they_may_not_read(site: Archive) -> None:
    site.add_user("blind", "password-of-the-test")
    site.add_project("C", insert_user="test")
    site.grant("C", "blind", "owner")
    person = _item("xnat:subjectData", "C", "c1")
    facts = {"subject_ID": "xn_c1", "Age_in_Yrs": 30, "Gender": "F"}
    site.store_items([person, _item(TYPE, "C", "c1_demo", **facts)], user="test")
    blind = site.find_user("blind")
    shown = site.load_item("hc_c1_demo", blind)
    assert "Age_in_Yrs" not in shown.values
    changed = replace(shown, values={**shown.values, "Gender": "M"})
    assert site.replace_item("hc_c1_demo", changed, blind).values["Gender"] == "M"
    guess = replace(changed, values={**changed.values, "Age_in_Yrs": 30})
    for attempt in (site.replace_item, site.merge_item):
        with pytest.raises(AccessDenied, match="Age_in_Yrs is restricted"):
            attempt("hc_c1_demo", guess, blind)
    with pytest.raises(AccessDenied, match="Age_in_Yrs is restricted"):
        site.merge_item("hc_c1_demo", changed, blind, cleared=["Age_in_Yrs"])
    site.grant_tier("C", "blind", "restricted")
    site.accept_terms(blind, "C", "restricted")
    assert site.load_item("hc_c1_demo", blind).values["Age_in_Yrs"] == 30


def test_listings_refuse_closed_columns_and_filters(site: Archive) -> None:
    plain = site.find_user("plain")
    with pytest.raises(AccessDenied):
        site.listing("experiments", plain, columns=("ID", f"{TYPE}/Age_in_Yrs"))
    with pytest.raises(AccessDenied):
        site.listing("experiments", plain, filters={f"{TYPE}/Age_in_Yrs": "22"})


def test_acceptance_has_one_date_and_new_terms_ask_again(site: Archive) -> None:
    site.add_user("careful", "password-of-the-test")
    who = site.find_user("careful")
    with pytest.raises(NotFound):
        site.accept_terms(who, "A", "restricted")
    site.grant("A", "careful", "collaborator")
    site.grant_tier("A", "careful", "sensitive")
    first = site.accept_terms(who, "A", "sensitive")
    assert first.holds
    assert site.accept_terms(who, "A", "sensitive").accepted_at == first.accepted_at
    site.set_terms("A", "sensitive", "Be careful.")
    assert [(one.terms, one.holds) for one in site.tiers(who)] == [("Be careful.", False)]
    with pytest.raises(ConfigurationError, match="restricted, sensitive"):
        site.grant_tier("A", "careful", "secret")
    site.accept_terms(who, "A", "sensitive")
    site.revoke_tier("A", "careful", "sensitive")
    assert not site.tiers(who)[0].holds


def test_a_tier_ends_with_the_right_to_read(site: Archive) -> None:
    site.add_user("leaver", "password-of-the-test")
    site.grant("A", "leaver", "collaborator")
    site.grant_tier("A", "leaver", "restricted")
    site.accept_terms(site.find_user("leaver"), "A", "restricted")
    assert len(_rows(site, _query("LABEL", "Age_in_Yrs"), "leaver")) == 2
    site.revoke("A", "leaver")
    with pytest.raises(AccessDenied):
        site.search(_query("LABEL", "Age_in_Yrs"), site.find_user("leaver"))


_CRITERIA = st.lists(
    st.tuples(
        st.sampled_from(("Age_in_Yrs", "Gender", "LABEL", "Handedness")),
        st.sampled_from(("=", "!=", ">", "<=", "IS NULL", "IS NOT NULL", "LIKE")),
        st.sampled_from(("22", "35", "0", "-5")),
    ),
    max_size=3,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    columns=st.lists(st.sampled_from(("LABEL", "Age_in_Yrs", "Gender")), min_size=1, unique=True),
    where=_CRITERIA,
    sort=st.sampled_from(("", "Age_in_Yrs", "LABEL")),
    login=st.sampled_from(("holder", "plain")),
    age=st.integers(0, 99),
)
def test_no_answer_depends_on_a_closed_value(
    site: Archive, columns: list[str], where: list[tuple[str, str, str]], sort: str, login: str, age: int
) -> None:
    query = _query(*columns, where=tuple(where), sort=sort)
    before = _outcome(site, query, site.find_user(login))
    typed = site._layout.typed(TYPE)  # written behind the archive's back, as the code under test must not
    column = typed.columns["age_in_yrs"]
    closed = [label for project, label, _ in PEOPLE if project == "B" or login == "plain"]
    subject = typed.columns["subject_id"]
    with site.engine.begin() as connection:
        kept = connection.execute(typed.table.select()).all()
        connection.execute(
            update(typed.table).where(subject.in_([f"xn_{c}" for c in closed])).values({column: age})
        )
    try:
        assert _outcome(site, query, site.find_user(login)) == before
    finally:
        with site.engine.begin() as connection:
            for row in kept:
                connection.execute(
                    update(typed.table)
                    .where(typed.table.c.pk == row.pk)
                    .values({column: row._mapping[column]})
                )


def _outcome(site: Archive, query: SearchQuery, who: Principal) -> object:
    try:
        return site.search(query, who).rows
    except AccessDenied as refusal:
        return str(refusal)
    except ValueError as problem:  # a comparison that the field's type does not have
        return str(problem)

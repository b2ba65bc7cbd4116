"""Facets count what the law lets the user see, and nothing else."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.properties.conftest import law_of_facets
from tests.properties.questions import as_query, questions
from tests.properties.reference import Question, User, cell, histogram, rows_of, value_counts
from tests.properties.worlds import PEOPLE, Court

from connectomedb.errors import BadConstraint
from connectomedb.search.query import FieldRef, SearchQuery
from connectomedb.store.facets import Facet, FacetKind


def _count(
    court: Court, question: Question, user: User, kind: FacetKind, bins: int | tuple[str, ...] = 10
) -> list[tuple[Any, ...]]:
    refs = [FieldRef(field.xsi_type, field.name) for field in question.columns[:2]]
    facet = Facet(refs[0], kind, bins, refs[1] if kind == "cross" else None)
    return list(court.archive.facet(as_query(question, "value"), facet, court.principals[user.login]).rows)


def _values(court: Court, question: Question, user: User, n: int = 0) -> list[Any]:
    rows = rows_of(court.world, question, user)
    return [cell(court.world, question.root, question.columns[n], user, row) for row in rows]


@law_of_facets
@given(st.data(), st.sampled_from(PEOPLE))
def test_value_counts_add_up_to_the_rows(court: Court, data: st.DataObject, user: User) -> None:
    question = data.draw(questions(court.fields, court.roots))
    found = _count(court, question, user, "values")
    expected = value_counts(_values(court, question, user))
    assert dict(found) == expected
    assert [n for _, n in found] == sorted(expected.values(), reverse=True)
    missing = dict(_count(court, question, user, "missing"))
    assert missing["missing"] == expected.get(None, 0)
    assert missing["present"] + missing["missing"] == sum(expected.values())


@law_of_facets
@given(st.data(), st.sampled_from(PEOPLE))
def test_cross_counts(court: Court, data: st.DataObject, user: User) -> None:
    question = data.draw(questions(court.fields, court.roots))
    assume(len(question.columns) > 1)
    found = {(one, other): n for one, other, n in _count(court, question, user, "cross")}
    pairs = zip(_values(court, question, user), _values(court, question, user, 1), strict=True)
    assert found == value_counts(pairs)


@law_of_facets
@given(
    st.data(),
    st.sampled_from(PEOPLE),
    st.one_of(
        st.integers(1, 40),
        st.lists(st.floats(-100, 100), min_size=2, max_size=6, unique=True).map(
            lambda edges: tuple(repr(e) for e in sorted(edges))
        ),
    ),
)
def test_histograms(court: Court, data: st.DataObject, user: User, bins: int | tuple[str, ...]) -> None:
    question = data.draw(questions(court.fields, court.roots))
    every = [f for fields in court.fields.values() for f in fields if not f.repeated]
    number = data.draw(st.sampled_from([f for f in every if f.kind in ("integer", "float")]))
    asked = Question(question.root, (number,), question.where, question.order, question.descending)
    found = _count(court, asked, user, "histogram", bins)
    values = [None if v is None else float(v) for v in _values(court, asked, user)]
    present = [value for value in values if value is not None]
    if isinstance(bins, tuple):
        assert [n for _, _, n in found] == histogram(values, [float(edge) for edge in bins])
        return
    assert sum(n for _, _, n in found) == len(present)
    if len(set(present)) > 1:
        edges = [low for low, _, _ in found] + [found[-1][1]]
        assert (edges[0], edges[-1], len(edges)) == (min(present), max(present), bins + 1)
        if all(low < high for low, high in pairwise(edges)):
            assert [n for _, _, n in found] == histogram(values, edges)


@pytest.mark.parametrize(
    ("facet", "message"),
    [
        (Facet(FieldRef("law:anyData", "WORD"), "histogram"), "histogram is of numbers"),
        (Facet(FieldRef("law:anyData", "COUNT"), "histogram", 0), "there can be"),
        (Facet(FieldRef("law:anyData", "COUNT"), "histogram", 100_000), "there can be"),
        (Facet(FieldRef("law:anyData", "COUNT"), "histogram", ("1", "1")), "must rise"),
        (Facet(FieldRef("law:anyData", "COUNT"), "histogram", ("1", "nan")), "no number"),
        (Facet(FieldRef("law:anyData", "COUNT"), "cross"), "second"),
        (
            Facet(FieldRef("law:anyData", "COUNT"), "cross", against=FieldRef("law:anyData", "count")),
            "itself",
        ),
        (Facet(FieldRef("law:anyData", "marks/mark/name")), "several values"),
        (Facet(FieldRef("xnat:projectData", "ID")), "does not connect"),
    ],
)
def test_a_facet_that_cannot_be(court: Court, facet: Facet, message: str) -> None:
    with pytest.raises(BadConstraint, match=message):
        court.archive.facet(SearchQuery("law:anyData"), facet, court.principals["boss"])

"""The synthetic S1200 people: counts as in the release, values within their ranges, families, no real ids."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from connectomedb.schema.dictionary.shipped import s1200_fields
from connectomedb.testing import s1200
from connectomedb.testing.s1200 import people, values_of


def test_the_counts_are_those_of_the_release() -> None:
    everyone = people()
    assert len(everyone) == 1206
    assert sum(p.has_3t for p in everyone) == 1113
    assert sum(p.has_7t for p in everyone) == 184
    assert sum(p.full_7t for p in everyone) == 175
    assert sum(p.has_meg for p in everyone) == 95
    assert sum(p.has_issue and p.has_3t for p in everyone) == 157


def test_nobody_can_be_taken_for_a_participant() -> None:
    assert not any(re.search(r"\d{6}", p.label) for p in people())
    assert all("SYNTHETIC" in project.description for project in s1200.PROJECTS)


def test_twins_share_their_age_and_their_family() -> None:
    twins = [p for p in people() if p.twin]
    for family, n in Counter(p.family for p in twins).items():
        pair = [p for p in twins if p.family == family]
        assert n == 2
        assert pair[0].age == pair[1].age
        assert pair[0].twin != "MZ" or pair[0].gender == pair[1].gender


@pytest.mark.parametrize("number", [1, 200, 777, 1206])
def test_values_keep_their_types_levels_and_ranges(number: int) -> None:
    values = values_of(number)
    for field in s1200_fields():
        value = values.get(field.column.name)
        if value is None:
            continue
        if field.column.levels:
            assert value in field.column.levels
        if isinstance(value, int | float) and not isinstance(value, bool):
            assert not field.column.low or value >= float(field.column.low), field.column.name
            assert not field.column.high or value <= float(field.column.high), field.column.name
    number_of = {name: int(str(values[name])) for name in ("SCPT_TP", "SCPT_FN", "ER40_CR")}
    assert number_of["SCPT_TP"] + number_of["SCPT_FN"] == 60
    faces = ("ANG", "FEAR", "HAP", "NOE", "SAD")
    assert number_of["ER40_CR"] == sum(int(str(values[f"ER40{face}"])) for face in faces)


def test_the_same_person_comes_out_every_time() -> None:
    before = dict(values_of(5))
    values_of.cache_clear()
    assert values_of(5) == before

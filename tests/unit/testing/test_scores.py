"""The synthetic scores: the tutorial's answers come out, and the rules between scores hold for everybody."""

from __future__ import annotations

import hashlib
import json

import pytest

from connectomedb.testing.scores import (
    NEO,
    WITHOUT_NEO,
    all_scores,
    cholesky,
    in_document_order,
    retest_scores,
)
from connectomedb.testing.seed import Measure, answers, correlations, measures, subject_labels

DELAYS = {"1mo": 1, "6mo": 6, "1yr": 12, "3yr": 36, "5yr": 60, "10yr": 120}


def test_there_are_76_subjects_in_the_tutorials_order() -> None:
    assert list(all_scores()) == answers()["subjects_in_order"]


def test_exactly_the_printed_four_are_agreeable() -> None:
    found = [label for label, s in all_scores().items() if s.get("NEOFAC_A", 0) > 40]
    assert found == answers()["agreeableness_over_40"]["server_order"]


def test_word_memory_parts_the_subjects_as_printed() -> None:
    totals = {label: s["IWRD_TOT"] for label, s in all_scores().items()}
    between = [label for label, total in totals.items() if 30 <= total < 35]
    outside = [label for label, total in totals.items() if total < 30 or total >= 35]
    assert between == answers()["cpw_30_to_34"]["labels_in_order"]
    assert outside == answers()["cpw_below_30_or_35_up"]["labels_in_order"]
    assert {total < 30 for label, total in totals.items() if label in outside} == {True, False}


@pytest.mark.parametrize("label", ["100307", "103515", "143325"])
def test_printed_neo_scores_are_stored_as_they_were_labelled(label: str) -> None:
    printed = answers()["neo_by_label"][label]
    assert {f"neo_{n.lower()}": str(all_scores()[label][n]) for n in NEO} == printed


def test_emotion_recognition_of_100307_is_as_printed() -> None:
    scores = in_document_order(all_scores()["100307"])
    block = [[p.split("/")[1], str(v)] for p, v in scores.items() if p.startswith("ER40/")]
    assert block == answers()["er40_of_100307_in_order"]


def test_two_unpinned_subjects_lack_neo_and_nothing_else() -> None:
    lacking = [label for label, s in all_scores().items() if not set(NEO) <= set(s)]
    assert tuple(lacking) == WITHOUT_NEO
    for label in lacking:
        assert label not in answers()["neo_by_label"]
        assert {m.name for m in measures()} - set(all_scores()[label]) == set(NEO)


@pytest.mark.parametrize("label", subject_labels())
def test_rules_between_scores_hold(label: str) -> None:
    s = all_scores()[label]
    assert s["ER40_CR"] == sum(s[f"ER40{part}"] for part in ("ANG", "FEAR", "HAP", "NOE", "SAD"))
    assert s["SCPT_TP"] + s["SCPT_FN"] == 60
    assert s["SCPT_TN"] + s["SCPT_FP"] == 120
    assert s["SCPT_SEN"] == round(s["SCPT_TP"] / 60, 4)
    assert s["SCPT_SPEC"] == round(s["SCPT_TN"] / 120, 4)
    assert s["PMAT24_A_CR"] + s["PMAT24_A_SI"] <= 24
    assert s["Mars_Final"] == pytest.approx(s["Mars_Log_Score"] - 0.04 * s["Mars_Errs"], abs=1e-9)
    for name, amount in (("200", 200), ("40K", 40_000)):
        values = [s[f"DDisc_SV_{delay}_{name}"] for delay in DELAYS]
        odd = [value * 64 / amount for value in values]
        assert all(number.is_integer() and number % 2 == 1 for number in map(float, odd))
        assert values == sorted(values, reverse=True)
        xs = [0.0, *(months / 120 for months in DELAYS.values())]
        ys = [1.0, *(value / amount for value in values)]
        area = sum((xs[i + 1] - xs[i]) * (ys[i] + ys[i + 1]) / 2 for i in range(6))
        assert s[f"DDisc_AUC_{name}"] == pytest.approx(area, abs=1e-9)


@pytest.mark.parametrize("measure", measures(), ids=lambda m: m.name)
def test_scores_stay_in_their_range_and_type(measure: Measure) -> None:
    values = [s[measure.name] for s in all_scores().values() if measure.name in s]
    assert all(measure.min <= v <= measure.max for v in values)
    assert {type(v) for v in values} == {int if measure.type == "integer" else float}
    assert len(set(values)) > 1


def test_means_are_near_those_of_the_sample() -> None:
    for name in ("NEOFAC_O", "NEOFAC_N", "PMAT24_A_CR", "VSPLOT_TC"):
        measure = next(m for m in measures() if m.name == name)
        values = [s[name] for s in all_scores().values() if name in s]
        assert abs(sum(values) / len(values) - measure.mean) < measure.sd / 2


def test_the_same_scores_on_every_machine() -> None:
    text = json.dumps({label: in_document_order(s) for label, s in all_scores().items()})
    assert (
        hashlib.sha256(text.encode()).hexdigest()
        == "6e9b0a4ebf4ce1464b7612fdc693077432f4a79508eb7cc83863d00694e2c6fb"
    )


def test_a_retest_is_another_set_and_repeatable() -> None:
    assert retest_scores("103515") == retest_scores("103515") != all_scores()["103515"]


def test_cholesky_gives_back_the_correlations() -> None:
    _names, matrix = correlations()
    lower = cholesky(matrix)
    n = len(matrix)
    for i in range(n):
        for j in range(n):
            assert sum(lower[i][k] * lower[j][k] for k in range(n)) == pytest.approx(matrix[i][j])


def test_correlations_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="not positive definite"):
        cholesky([[1.0, 2.0], [2.0, 1.0]])

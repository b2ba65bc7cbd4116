"""Synthetic behavioural scores: the same 76 sets on every machine, none of them anybody's.

Correlated normal draws with the means, SDs and correlations of a large sample, bent so that every
answer printed in the tutorial comes out and every rule between scores holds. Nothing is stored here.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from functools import cache
from itertools import pairwise

from connectomedb.testing.seed import Measure, answers, correlations, measures, subject_labels

Scores = dict[str, int | float]

SEED = 20130614
WITHOUT_NEO = ("118932", "917255")
NEO = tuple(f"NEOFAC_{factor}" for factor in "AOCNE")
_ER40_PARTS = {"ER40ANG": 8, "ER40FEAR": 8, "ER40HAP": 8, "ER40NOE": 8, "ER40SAD": 8}
_DELAYS = {"1mo": 1, "6mo": 6, "1yr": 12, "3yr": 36, "5yr": 60, "10yr": 120}
_AMOUNTS = {"200": 200, "40K": 40_000}


def cholesky(matrix: Sequence[Sequence[float]]) -> list[list[float]]:
    """Lower triangle L with L·Lᵀ = matrix; ValueError when the matrix is not positive definite."""
    n = len(matrix)
    lower = [[0.0] * n for _ in range(n)]
    for i in range(n):
        for j in range(i + 1):
            rest = matrix[i][j] - sum(lower[i][k] * lower[j][k] for k in range(j))
            if i == j:
                if rest <= 0:
                    raise ValueError(f"row {i} makes the correlation matrix not positive definite")
                lower[i][i] = math.sqrt(rest)
            else:
                lower[i][j] = rest / lower[j][j]
    return lower


@cache
def all_scores() -> dict[str, Scores]:
    """Scores of every subject by label, in the tutorial's order; absent scores are absent keys."""
    names, matrix = correlations()
    lower = cholesky(matrix)
    return {label: _scores_of(label, names, lower) for label in subject_labels()}


def retest_scores(label: str) -> Scores:
    """A second, independent set for the same subject (the `_Retest` experiments of HCP_Q1b)."""
    names, matrix = correlations()
    return _draw(random.Random(f"{SEED}:{label}:retest"), names, cholesky(matrix))


def in_document_order(scores: Scores) -> dict[str, int | float]:
    """The scores by element path (`NEO/NEOFAC_A`), in the order of the schema."""
    return {m.path: scores[m.name] for m in measures() if m.name in scores}


def _scores_of(label: str, names: Sequence[str], lower: Sequence[Sequence[float]]) -> Scores:
    rng = random.Random(f"{SEED}:{label}")
    scores = _draw(rng, names, lower)
    _bend_neo(label, scores, rng)
    _bend_word_memory(label, scores, rng)
    if label == "100307":
        for name, text in answers()["er40_of_100307_in_order"]:
            scores[name] = float(text) if "." in text else int(text)
    return scores


def _draw(rng: random.Random, names: Sequence[str], lower: Sequence[Sequence[float]]) -> Scores:
    """One person: independent where nothing is known, correlated where it is, consistent everywhere."""
    by_name = {m.name: m for m in measures()}
    white = [rng.gauss(0.0, 1.0) for _ in names]
    tied = {
        name: sum(row[k] * white[k] for k in range(i + 1))
        for i, (name, row) in enumerate(zip(names, lower, strict=True))
    }
    z = {m.name: tied.get(m.name, rng.gauss(0.0, 1.0)) for m in measures()}
    scores: Scores = {m.name: _at(m, z[m.name]) for m in measures()}
    _make_er40(scores, by_name["ER40_CR"], z["ER40_CR"])
    _make_scpt(scores, by_name["SCPT_TP"], z["SCPT_SEN"], by_name["SCPT_TN"], z["SCPT_TN"])
    scores["PMAT24_A_SI"] = min(int(scores["PMAT24_A_SI"]), 24 - int(scores["PMAT24_A_CR"]))
    for name, amount in _AMOUNTS.items():
        _make_discounting(scores, name, amount, z["DDisc_AUC_40K"], by_name)
    scores["Mars_Final"] = round(float(scores["Mars_Log_Score"]) - 0.04 * scores["Mars_Errs"], 2)
    return scores


def _at(measure: Measure, z: float) -> int | float:
    value = min(max(measure.mean + z * measure.sd, measure.min), measure.max)
    return round(value) if measure.type == "integer" else round(float(value), measure.decimals)


def _make_er40(scores: Scores, total: Measure, z: float) -> None:
    """The parts as drawn, then moved one by one until they add up to the total that was drawn."""
    wanted = int(_at(total, z))
    names = list(_ER40_PARTS)
    turn = 0
    while (difference := wanted - sum(int(scores[n]) for n in names)) != 0:
        name = names[turn % len(names)]
        turn += 1
        moved = int(scores[name]) + (1 if difference > 0 else -1)
        if 0 <= moved <= _ER40_PARTS[name]:
            scores[name] = moved
    scores["ER40_CR"] = wanted


def _make_scpt(scores: Scores, hits: Measure, z_hits: float, passes: Measure, z_passes: float) -> None:
    positive, negative = int(_at(hits, z_hits)), int(_at(passes, z_passes))
    scores.update(SCPT_TP=positive, SCPT_FN=60 - positive, SCPT_TN=negative, SCPT_FP=120 - negative)
    scores.update(SCPT_SEN=round(positive / 60, 4), SCPT_SPEC=round(negative / 120, 4))


def _make_discounting(
    scores: Scores, name: str, amount: int, z_area: float, by_name: dict[str, Measure]
) -> None:
    """Subjective values that never grow with the delay, each an odd multiple of amount/64, and their area."""
    above = 31
    points = [(0.0, 1.0)]
    for delay, months in _DELAYS.items():
        measure = by_name[f"DDisc_SV_{delay}_{name}"]
        target = measure.mean + 0.9 * z_area * measure.sd
        step = min(max(round((target * 64 / amount - 1) / 2), 0), above)
        above = step
        value = (2 * step + 1) * amount / 64
        scores[measure.name] = int(value) if measure.type == "integer" else round(value, 3)
        points.append((months / 120, value / amount))
    area = sum((x1 - x0) * (y0 + y1) / 2 for (x0, y0), (x1, y1) in pairwise(points))
    scores[f"DDisc_AUC_{name}"] = round(area, 9)


def _bend_neo(label: str, scores: Scores, rng: random.Random) -> None:
    if label in WITHOUT_NEO:
        for name in NEO:
            del scores[name]
        return
    printed = answers()["neo_by_label"].get(label)
    if printed is not None:
        for name in NEO:
            scores[name] = int(printed[f"neo_{name.lower()}"])
    elif label in answers()["agreeableness_over_40"]["server_order"]:
        scores["NEOFAC_A"] = rng.randint(41, 45)
    else:
        scores["NEOFAC_A"] = min(int(scores["NEOFAC_A"]), 40)


def _bend_word_memory(label: str, scores: Scores, rng: random.Random) -> None:
    total = int(scores["IWRD_TOT"])
    if label in answers()["cpw_30_to_34"]["labels_in_order"]:
        scores["IWRD_TOT"] = total if 30 <= total <= 34 else rng.randint(30, 34)
    elif 30 <= total <= 34:
        scores["IWRD_TOT"] = rng.randint(35, 39) if rng.random() < 0.8 else rng.randint(24, 29)

"""The facts that the sample site reproduces, read from `seed.json` beside this module.

Only what the tutorial printed and what is known of whole samples; no score of any person beyond that.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Measure:
    """One score of `nt:scores`: where it stands, its range, and its mean and SD in a large sample."""

    group: str
    name: str
    type: Literal["integer", "float"]
    decimals: int
    min: float
    max: float
    mean: float
    sd: float

    @property
    def path(self) -> str:
        """`NEO/NEOFAC_A`."""
        return f"{self.group}/{self.name}"


@cache
def load_seed() -> dict[str, Any]:
    """All facts, as they stand in the file."""
    text = (files("connectomedb.testing") / "seed.json").read_text("utf-8")
    facts: dict[str, Any] = json.loads(text)
    return facts


def answers() -> dict[str, Any]:
    """What the tutorial printed."""
    found: dict[str, Any] = load_seed()["reference_answers"]
    return found


@cache
def subject_labels() -> tuple[str, ...]:
    """The 76 subjects in the tutorial's order."""
    return tuple(answers()["subjects_in_order"])


@cache
def mirror_labels() -> tuple[str, ...]:
    """The 71 subjects whose images are on the mirror, in byte order."""
    return tuple(answers()["s3"]["subject_prefixes"])


@cache
def absent_labels() -> tuple[str, ...]:
    """The five subjects that the database knows and the mirror lacks."""
    return tuple(load_seed()["derived_answers"]["in_db_but_not_on_s3"])


@cache
def measures() -> tuple[Measure, ...]:
    """The 45 measures in document order."""
    return tuple(Measure(**field) for field in load_seed()["fields"])


@cache
def correlations() -> tuple[tuple[str, ...], tuple[tuple[float, ...], ...]]:
    """Names of the correlated measures and the full symmetric matrix."""
    facts = load_seed()["correlations"]
    names = tuple(facts["order"])
    below = facts["lower_triangle"]
    matrix = tuple(
        tuple(1.0 if i == j else float(below[max(i, j)][min(i, j)]) for j in range(len(names)))
        for i in range(len(names))
    )
    return names, matrix

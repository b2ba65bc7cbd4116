"""Questions to the synthetic S1200 site, each with the answer that the generator itself gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from connectomedb.schema.model import Value
from connectomedb.testing.s1200 import people, values_of

Values = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Question:
    """A search and the condition that its rows meet; with `closed`, it needs the restricted tier."""

    title: str
    data_type: str
    expression: str
    holds: Callable[[Values], bool]
    closed: bool = False

    def expected(self) -> list[str]:
        """Labels of the people that meet it."""
        return [p.label for p in people() if self.holds(values_of(p.number))]


def _number(values: Values, name: str) -> float:
    value = values.get(name)
    return float(value) if isinstance(value, int | float) else float("nan")


QUESTIONS = (
    Question(
        "a wide vocabulary",
        "hcp:cognition",
        "PicVocab_Unadj > 130",
        lambda v: _number(v, "PicVocab_Unadj") > 130,
    ),
    Question(
        "women of the youngest band",
        "hcp:demographics",
        "Gender = 'F' and Age = '22-25'",
        lambda v: v["Gender"] == "F" and v["Age"] == "22-25",
    ),
    Question(
        "all of the 7T protocol",
        "hcp:completion",
        "x7T_Full_MR_Compl = true",
        lambda v: v["7T_Full_MR_Compl"] is True,
    ),
    Question(
        "across two types",
        "hcp:cognition",
        "PicVocab_Unadj > 125 and hcp:demographics/Gender = 'M'",
        lambda v: _number(v, "PicVocab_Unadj") > 125 and v["Gender"] == "M",
    ),
    Question(
        "exact age, restricted",
        "hcp:demographics",
        "Age_in_Yrs >= 35",
        lambda v: _number(v, "Age_in_Yrs") >= 35,
        closed=True,
    ),
)

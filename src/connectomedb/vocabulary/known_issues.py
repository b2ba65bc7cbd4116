"""What is known to be wrong with published measures and subjects of the Human Connectome Project.

Source  domain/hcp.md 1.1: corrections of the data dictionary, subjects that were withdrawn
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KnownIssue:
    """Something that a study with these fields or subjects should know."""

    id: str
    text: str
    fields: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()


KNOWN_ISSUES = (
    KnownIssue(
        "neofac-a",
        "NEOFAC_A (agreeableness) was mis-scored on one item until 3 April 2018, by up to 4 points",
        fields=("NEOFAC_A",),
    ),
    KnownIssue(
        "emotion-columns",
        "in-scanner EMOTION columns were swapped until 28 July 2017",
        fields=("Emotion_Task_",),
    ),
    KnownIssue(
        "words-in-noise",
        "Words-in-Noise (Noise_Comp) was incomplete in early releases",
        fields=("Noise_Comp",),
    ),
    KnownIssue(
        "withdrawn",
        "subjects 142626 (the same person as another), 209733 and 528446 were withdrawn from all releases",
        subjects=("142626", "209733", "528446"),
    ),
)


def issues_touching(text: str, subjects: Iterable[str]) -> tuple[KnownIssue, ...]:
    """The issues of the fields that a question names, and of these subjects."""
    labels = set(subjects)

    def named(field: str) -> bool:
        # `NEO_NEOFAC_A` names it as well; `NEOFAC_AB` does not.
        end = "" if field.endswith("_") else r"(?![A-Za-z0-9])"
        return re.search(rf"(?<![A-Za-z0-9]){re.escape(field)}{end}", text) is not None

    return tuple(
        issue
        for issue in KNOWN_ISSUES
        if labels.intersection(issue.subjects) or any(named(field) for field in issue.fields)
    )

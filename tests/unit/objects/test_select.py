"""Patterns, sizes and templates of targets."""

from __future__ import annotations

import pytest

from connectomedb.errors import ConfigurationError
from connectomedb.objects.select import Selection, TargetTemplate, matches, parse_size, select
from connectomedb.vocabulary.records import FileRow

ROW = FileRow(
    "100307",
    "q1/100307/MNINonLinear/Results/a.nii.gz",
    1000,
    package="tfMRI_MOTOR_preproc",
    kind="volume",
    session="100307_3T",
)


@pytest.mark.parametrize(
    ("pattern", "key", "meets"),
    [
        ("*.nii.gz", "a/b/c.nii.gz", True),
        ("*.nii.gz", "a/b/c.txt", False),
        ("a/*.txt", "a/b.txt", True),
        ("a/*.txt", "a/b/c.txt", False),
        ("a/**/*.txt", "a/b/c.txt", True),
        ("a/**/*.txt", "a/c.txt", True),
        ("**/EVs/*", "q1/1/EVs/lh.txt", True),
        ("a/**", "a/b/c", True),
        ("c?[0-9].t[!x]t", "ca1.txt", False),
        ("c?[0-9].t[!y]t", "ca1.txt", True),
        ("a.b", "axb", False),
        ("[", "[", True),
        ("*", "new\nline", True),
    ],
)
def test_patterns(pattern: str, key: str, meets: bool) -> None:
    assert matches(pattern, key) == meets


@pytest.mark.parametrize(
    ("text", "size"),
    [("7", 7), ("10k", 10_000), ("1.5G", 1_500_000_000), ("64Mi", 64 << 20), ("2 MB", 2_000_000)],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "x", "10q", "-1", "1e3", "10MMi"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ConfigurationError, match="no size"):
        parse_size(text)


def test_all_conditions_must_hold_and_exclude_wins() -> None:
    assert Selection().wants(ROW)
    assert select(include=["*.gz"], packages=["tfMRI_MOTOR_preproc"], smallest="1k", largest="1k").wants(ROW)
    for refused in (
        select(include=["*.txt"]),
        select(include=["*.gz"], exclude=["**/Results/**"]),
        select(packages=["other"]),
        select(unwanted_packages=["tfMRI_MOTOR_preproc"]),
        select(smallest="1001"),
        select(largest="999"),
    ):
        assert not refused.wants(ROW)


@pytest.mark.parametrize(
    ("template", "target"),
    [
        ("", ROW.key),
        ("{subject}/{package}/{name}", "100307/tfMRI_MOTOR_preproc/a.nii.gz"),
        ("flat/{subject}_{name}", "flat/100307_a.nii.gz"),
        ("{session}/{path}", "100307_3T/MNINonLinear/Results/a.nii.gz"),
        ("{{x}}/{name}", "{x}/a.nii.gz"),
    ],
)
def test_templates(template: str, target: str) -> None:
    assert TargetTemplate(template).target(ROW) == target


@pytest.mark.parametrize(
    "template", ["{nothing}", "{name", "{name!r}", "{name:>10}", "{subject.x}", "{run}/{name}"]
)
def test_what_is_no_template(template: str) -> None:
    with pytest.raises(ConfigurationError):
        TargetTemplate(template).target(ROW)

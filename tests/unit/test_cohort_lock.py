"""Cohort locks: the same answer makes the same file, and every difference has a name."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectomedb.cohort_lock import (
    CohortLock,
    LockedFile,
    diff_locks,
    make_lock,
    print_lock,
    read_lock,
    write_lock,
)
from connectomedb.errors import ManifestError
from connectomedb.vocabulary.records import FileRow

MOMENT = datetime(2026, 11, 25, 15, 0, 0, 123456, tzinfo=UTC)
ASKED = CohortLock(
    "http://127.0.0.1:8080",
    "0.1.0",
    "HCP_Q1",
    "nt:scores",
    "NEOFAC_A > 40",
    "<search>nt:scores/NEO_NEOFAC_A</search>",
    package="tfMRI_MOTOR_preproc",
    synthetic=True,
    location="s3://mirror",
    subjects=(("2", "S2"), ("1", "S1"), ("3", "S3")),
)
ROWS = (
    FileRow("2", "q1/2/b", 5, "md5", "b" * 32, release="q1"),
    FileRow("1", "q1/1/a", 3, "md5", "a" * 32, release="q1"),
    FileRow("1", "q1/1/Ä b\n", 0),
)


def lock(rows: tuple[FileRow, ...] = ROWS, asked: CohortLock = ASKED) -> CohortLock:
    return make_lock(asked, rows, now=MOMENT)


def test_a_lock_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_lock(lock(), tmp_path / "x.json")
    again = read_lock(tmp_path / "x.json")
    assert again == lock()
    assert again.made == MOMENT.replace(microsecond=0)
    assert print_lock(again) == (tmp_path / "x.json").read_text("utf-8")
    assert again.releases == ("q1",)
    assert again.absent_subjects == ("3",)


def test_the_order_of_an_answer_and_the_moment_do_not_matter() -> None:
    other = make_lock(replace(ASKED, subjects=ASKED.subjects[::-1]), ROWS[::-1])
    assert other.identity == lock().identity
    mine, theirs = (print_lock(one).splitlines() for one in (lock(), other))
    assert [a for a, b in zip(mine, theirs, strict=True) if a != b] == [mine[2]]
    assert "made" in mine[2]


@pytest.mark.parametrize(
    ("was", "becomes", "reason"),
    [
        ('"NEOFAC_A > 40"', '"NEOFAC_A > 41"', "changed after it was made"),
        ('["1", "q1/1/a", 3,', '["1", "q1/1/a", 4,', "changed after it was made"),
        ("lock 1", "lock 9", "reads 'connectomedb cohort lock 1'"),
        ('"project": "HCP_Q1",', "", "no cohort lock: KeyError\\('project'\\)"),
        ("{", "", "no cohort lock"),
    ],
)
def test_a_file_that_is_no_lock_is_refused(tmp_path: Path, was: str, becomes: str, reason: str) -> None:
    text = print_lock(lock())
    assert was in text
    (tmp_path / "x.json").write_text(text.replace(was, becomes, 1), "utf-8")
    with pytest.raises(ManifestError, match=reason):
        read_lock(tmp_path / "x.json")
    with pytest.raises(ManifestError, match="cannot read"):
        read_lock(tmp_path / "none.json")


def test_every_difference_has_a_name() -> None:
    changed = replace(ROWS[0], size_bytes=6)
    covered = replace(ROWS[2], algorithm="md5", digest="c" * 32)  # a digest that came later: no difference
    new = FileRow("4", "q1/4/a", 1)
    asked = replace(ASKED, subjects=(("1", "S1"), ("2", "S2"), ("4", "S4")))
    found = diff_locks(lock(), lock((changed, covered, new), asked))
    assert (found.came, found.went) == (("4",), ("3",))
    assert [one.key for one in found.new_files] == ["q1/4/a"]
    assert [one.key for one in found.gone_files] == ["q1/1/a"]
    assert [(a.key, a.size_bytes, b.size_bytes) for a, b in found.changed_files] == [("q1/2/b", 5, 6)]
    assert [issue.id for issue in found.issues] == ["neofac-a"]
    assert "object changed: q1/2/b (5 bytes, now 6)" in found.lines()
    assert diff_locks(lock(), lock()).same


def test_known_issues_touch_the_fields_and_subjects_they_name() -> None:
    def touched(document: str, *labels: str) -> list[str]:
        asked = replace(ASKED, document=document, subjects=tuple((label, label) for label in labels))
        return [issue.id for issue in diff_locks(lock((), asked), lock((), asked)).issues]

    assert touched("nt:scores/NEO_NEOFAC_AB") == []
    assert touched("Emotion_Task_Acc and Noise_Comp") == ["emotion-columns", "words-in-noise"]
    assert touched("x", "100307", "209733") == ["withdrawn"]


def test_a_lock_becomes_a_plan(tmp_path: Path) -> None:
    rows = ROWS[:2]
    plan = lock(rows).plan(tmp_path)
    assert [(f.key, f.size_bytes, f.digest, f.action) for f in plan.files] == [
        ("q1/1/a", 3, "a" * 32, "fetch"),
        ("q1/2/b", 5, "b" * 32, "fetch"),
    ]
    assert (plan.location, plan.absent_subjects) == ("s3://mirror", ("3",))
    assert lock(rows).plan(tmp_path, location="/elsewhere").location == "/elsewhere"


def test_the_sentence_that_cites_it() -> None:
    said = lock().cite()
    assert said.startswith("SYNTHETIC data. 3 subjects of project HCP_Q1 for whom NEOFAC_A > 40")
    assert "on 2026-11-25; 3 files, q1, 8 bytes, 1 without a digest." in said
    assert lock().identity in said


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
files = st.builds(LockedFile, texts, texts, st.integers(0, 2**62), texts, texts)


@given(st.lists(files, max_size=6), texts, st.lists(st.tuples(texts, texts), max_size=4))
def test_any_lock_survives_its_file(
    tmp_path_factory: pytest.TempPathFactory,
    held: list[LockedFile],
    question: str,
    subjects: list[tuple[str, str]],
) -> None:
    made = replace(ASKED, question=question, subjects=tuple(subjects), files=tuple(held), made=None)
    path = tmp_path_factory.mktemp("locks") / "x.json"
    write_lock(made, path)
    assert read_lock(path) == made

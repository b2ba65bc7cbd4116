"""Answers are kept while the data stays as it is, and within a bound."""

from __future__ import annotations

from connectomedb.server.answers import Answers


def test_an_answer_is_made_once_per_version() -> None:
    answers, made = Answers(), []

    def make() -> bytes:
        made.append(1)
        return b"rows"

    assert [answers.get("q", "1", make) for _ in range(3)] == [b"rows"] * 3
    assert len(made) == 1
    answers.get("q", "2", make)
    answers.get("q", "1", make)
    assert len(made) == 3


def test_who_asks_belongs_to_the_question() -> None:
    answers = Answers()
    assert answers.get(("q", "a"), "1", lambda: b"a") == b"a"
    assert answers.get(("q", "b"), "1", lambda: b"b") == b"b"


def test_the_oldest_go_first_and_the_largest_are_not_kept() -> None:
    answers, made = Answers(most_bytes=10), []

    def make(name: str) -> bytes:
        made.append(name)
        return b"x" * 4

    for name in ("a", "b", "a", "c", "a", "b"):
        answers.get(name, "1", lambda name=name: make(name))  # type: ignore[misc]  # bound at once
    assert made == ["a", "b", "c", "b"]
    made.clear()
    for _ in range(2):
        answers.get("large", "1", lambda: made.append("large") or b"x" * 11)  # type: ignore[func-returns-value]
    assert made == ["large", "large"]

"""Answers are kept while the data stays as it is, and within a bound."""

from __future__ import annotations

from collections.abc import Callable

from connectomedb.server.answers import Answers


def get(answers: Answers, key: str, version: str, make: Callable[[], bytes]) -> bytes:
    """As the server does it."""
    found = answers.find(key, version)
    return b"".join(answers.keeping(key, version, iter([make(), b""]))) if found is None else found


def test_an_answer_is_made_once_per_version() -> None:
    answers, made = Answers(), []

    def make() -> bytes:
        made.append(1)
        return b"rows"

    assert [get(answers, "q", "1", make) for _ in range(3)] == [b"rows"] * 3
    assert len(made) == 1
    get(answers, "q", "2", make)
    get(answers, "q", "1", make)
    assert len(made) == 3


def test_who_asks_belongs_to_the_question() -> None:
    answers = Answers()
    list(answers.keeping(("q", "a"), "1", iter([b"a"])))
    assert answers.find(("q", "a"), "1") == b"a"
    assert answers.find(("q", "b"), "1") is None


def test_what_was_not_read_to_its_end_is_not_kept() -> None:
    answers = Answers()
    next(answers.keeping("q", "1", iter([b"a", b"b"])))
    assert answers.find("q", "1") is None


def test_the_oldest_go_first_and_the_largest_are_not_kept() -> None:
    answers, made = Answers(most_bytes=10), []

    def make(name: str, body: bytes = b"x" * 4) -> bytes:
        made.append(name)
        return body

    for name in ("a", "b", "a", "c", "a", "b"):
        get(answers, name, "1", lambda name=name: make(name))  # type: ignore[misc]  # bound at once
    assert made == ["a", "b", "c", "b"]
    made.clear()
    for _ in range(2):
        get(answers, "large", "1", lambda: make("large", b"x" * 11))
    assert made == ["large", "large"]

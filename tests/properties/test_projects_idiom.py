"""A pattern for PROJECTS is asked of each project by itself only where that cannot make a difference."""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.properties.reference import matches

from connectomedb.store.membership import is_about_one_project

ids = st.text("aB1_-", min_size=1, max_size=4)
pieces = st.sampled_from(["a", "B", "b", "1", "_", "__", "%", "<", ">", ",", "\\_", "\\,", "\\a", "-"])
patterns = st.lists(pieces, max_size=6).map(lambda found: f"%{''.join(found)}%")


@settings(max_examples=2_000)
@given(patterns, st.lists(ids, min_size=1, max_size=4), st.booleans())
def test_each_project_by_itself_is_the_whole_text(pattern: str, projects: list[str], subject: bool) -> None:
    assume(is_about_one_project(pattern))
    text = ("," if subject else "") + ",".join(f"<{one}>" for one in projects)
    assert matches(pattern, text) == any(matches(pattern, f"<{one}>") for one in projects)


def test_the_usual_patterns_are_answered_from_the_index() -> None:
    assert all(map(is_about_one_project, ("%HCP_Q1%", "%<HCP_Q1>%", "%<HCP\\_Q1>%", "%Q1>%", "%<HCP%")))
    assert not any(map(is_about_one_project, ("HCP_Q1", "%A>,<B%", "%A__B%", "%A%B%", "%A\\,%", "%%", "%")))

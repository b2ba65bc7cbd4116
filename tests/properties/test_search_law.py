"""Any question, in any spelling, on either database: the rows, order and values that the law says."""

from __future__ import annotations

from hypothesis import assume, given, note
from hypothesis import strategies as st
from tests.properties.conftest import law
from tests.properties.questions import SPELLINGS, as_query, questions
from tests.properties.reference import User, answer, conditions
from tests.properties.worlds import PEOPLE, Court


@law
@given(st.data(), st.sampled_from(PEOPLE), st.sampled_from(SPELLINGS))
def test_every_search_answers_by_the_law(
    court: Court, data: st.DataObject, user: User, spelling: str
) -> None:
    question = data.draw(questions(court.fields, court.roots))
    # A path that is also the id of a display field means that one, and there a star is a wildcard.
    assume(not any("*" in one.text and one.field.by_path for one in conditions(question.where)))
    if spelling == "list" and any("*" in one.text for one in conditions(question.where)):
        spelling = "value"  # a constraint list has no spelling for a star: there it is a wildcard
    query = as_query(question, spelling)
    note(f"{spelling}: {query}")
    found = court.archive.search(query, court.principals[user.login])
    assert [tuple(row) for row in found.rows] == answer(court.world, question, user)

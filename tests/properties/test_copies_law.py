"""An answer from copies is the database's own, byte for byte, in every medium and on either database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, note
from hypothesis import strategies as st
from tests.conformance.store.copying import copying, database_alone
from tests.properties.conftest import law_of_copies
from tests.properties.questions import as_query, questions
from tests.properties.reference import User
from tests.properties.worlds import PEOPLE, Court

from connectomedb.store.archive import Archive
from connectomedb.store.copies import Copies
from connectomedb.tables.formats import Media, stream, stream_search_json
from connectomedb.tables.result import ResultStream

MEDIA: tuple[Media, ...] = ("csv", "json", "xml", "html")


@pytest.fixture(scope="module")
def sides(court: Court) -> Iterator[tuple[Archive, Archive, Copies]]:
    """The same data with copies and without."""
    copied = Archive(court.archive.engine, court.archive.types)
    copies = copying(copied)
    yield copied, database_alone(court.archive), copies
    assert copies.n_bytes > 0


def written(answer: ResultStream, media: Media | None) -> bytes:
    return b"".join(stream_search_json(answer) if media is None else stream(answer, media))


@law_of_copies
@given(st.data(), st.sampled_from(PEOPLE), st.sampled_from((None, *MEDIA)))
def test_copies_answer_as_the_database_does(
    court: Court, sides: tuple[Archive, Archive, Copies], data: st.DataObject, user: User, media: Media | None
) -> None:
    copied, plain, _ = sides
    question = data.draw(questions(court.fields, court.roots))
    query, who = as_query(question, "value"), court.principals[user.login]
    note(f"{media}: {query}")
    assert written(copied.search_stream(query, who), media) == written(plain.search_stream(query, who), media)
    assert copied.search(query, who) == plain.search(query, who)


@law_of_copies
@given(st.data(), st.sampled_from(PEOPLE))
def test_plans_are_shared_without_mixing_values(
    court: Court, sides: tuple[Archive, Archive, Copies], data: st.DataObject, user: User
) -> None:
    copied, plain, _ = sides
    one, other = (data.draw(questions(court.fields, court.roots)) for _ in range(2))
    who = court.principals[user.login]
    # The conditions of one question under the columns of the other, if they connect, and the other way round.
    for question in (one, other, one):
        query = as_query(question, "value")
        assert copied.search(query, who).rows == plain.search(query, who).rows

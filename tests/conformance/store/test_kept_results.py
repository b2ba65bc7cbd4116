"""Kept answers end with the rights that they were made under, and are made once for all who ask at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import monotonic, sleep

import pytest

from connectomedb.errors import NotFound
from connectomedb.schema.model import Item
from connectomedb.schema.registry import load_types
from connectomedb.search.query import FieldRef, SearchField, SearchQuery
from connectomedb.store import groups
from connectomedb.store.archive import Archive
from connectomedb.store.engine import open_engine, writing
from connectomedb.store.project_facts import note_visit
from connectomedb.store.projects import now
from connectomedb.store.results import Kept, ResultGone
from connectomedb.tables.result import Column, ResultStream, Row
from connectomedb.vocabulary.records import Principal

SUBJECT, MR = "xnat:subjectData", "xnat:mrSessionData"
ADMIN = Principal("admin", 1, is_admin=True)
QUERY = SearchQuery(SUBJECT, (SearchField(FieldRef(SUBJECT, "SUBJECT_ID")),))


@pytest.fixture(scope="module")
def site(database: str) -> Iterator[Archive]:
    archive = Archive(open_engine(database), load_types()).create()
    archive.add_user("admin", "admin-of-answers", is_admin=True)
    for project in ("P", "Q", "R"):
        archive.add_project(project, insert_user="admin")
    shares = tuple(Item("xnat:projectParticipant", {"project": p, "label": "s1"}) for p in ("Q", "R"))
    archive.store_items(
        [
            Item(SUBJECT, {"ID": "S1", "label": "s1"}, {"sharing/share": shares}),
            Item(SUBJECT, {"ID": "S2", "label": "s2"}),
        ],
        user="admin",
        project="P",
    )
    yield archive
    archive.close()


def _keep(site: Archive, who: Principal, search_id: str = "") -> Kept:
    answer = site.search_stream(QUERY, who)
    return site.results.keep(answer, who, search_id=search_id, question="subjects")


def _ids(site: Archive, kept: Kept, who: Principal) -> list[str]:
    page = site.results.page(site.results.find(kept.id, who))
    return [str(row[0]) for batch in page.batches for row in batch]


_number: Iterator[int] = iter(range(1000))


@pytest.fixture
def reader(site: Archive) -> Principal:
    """A member of P and Q, with a custom group in R and a tier in P."""
    who = site.add_user(f"reader{next(_number)}", "reader-of-answers")
    site.grant("P", who.login, "member")
    site.grant("Q", who.login, "member")
    site.grant_tier("P", who.login, "restricted")
    site.accept_terms(who, "P", "restricted")
    with site.engine.begin() as connection:
        _rights(connection, f"R-{who.login}", who, SUBJECT, MR)
    return who


def _rights(connection: object, group_id: str, who: Principal, *types: str) -> None:
    may = {name: groups.TypeRights(read=True) for name in types}
    group = groups.keep_group(connection, "R", group_id, f"Group {who.user_id}", may)  # type: ignore[arg-type]  # a connection
    groups.enter(connection, group, who.user_id)  # type: ignore[arg-type]  # a connection


def _fewer_types(site: Archive, who: Principal) -> None:
    with site.engine.begin() as connection:
        _rights(connection, f"R-{who.login}", who, SUBJECT)


LOSSES: dict[str, Callable[[Archive, Principal], object]] = {
    "a project": lambda site, who: site.revoke("Q", who.login),
    "a type in a project": _fewer_types,
    "a tier": lambda site, who: site.revoke_tier("P", who.login, "restricted"),
    "accepted terms": lambda site, who: site.set_terms("P", "restricted", f"new for {who.login}"),
    "a type everywhere": lambda site, who: site.register_type("nt:scores", {"accessible": "0"}, ADMIN),
    "an item": lambda site, who: site.unshare("S1", "Q", ADMIN),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_rights_that_end_take_the_answer_with_them(site: Archive, reader: Principal, loss: str) -> None:
    kept = _keep(site, reader, "mine")
    assert _ids(site, kept, reader) == ["S1", "S2"]
    LOSSES[loss](site, reader)
    assert site.results.latest(reader, "mine") is None
    with pytest.raises(ResultGone, match="ask the question again"):
        site.results.find(kept.id, reader)
    # It was dropped for good: what comes back does not bring it back.
    with pytest.raises(ResultGone):
        site.results.find(kept.id, reader)
    assert _ids(site, _keep(site, reader), reader) == ["S1", "S2"]


def test_what_others_lose_and_what_is_no_right_leaves_it(site: Archive, reader: Principal) -> None:
    other = site.add_user(f"other{next(_number)}", "other-of-answers")
    site.grant("P", other.login, "member")
    kept, of_admin = _keep(site, reader), _keep(site, ADMIN)
    site.revoke("P", other.login)
    with writing(site.engine) as connection:
        note_visit(connection, "P", reader.user_id, now())
    site.store_items(
        [Item(SUBJECT, {"ID": f"N{next(_number)}", "label": "later"})], user="admin", project="R"
    )
    assert _ids(site, kept, reader) == ["S1", "S2"]
    assert _ids(site, of_admin, ADMIN) == ["S1", "S2"]
    site.delete_item("N" + str(next(_number) - 1), ADMIN)
    with pytest.raises(NotFound):
        site.results.find(kept.id, other)


class _Slow(Iterator[list[Row]]):
    """Batches that wait to be let go, and say that they were begun."""

    def __init__(self) -> None:
        self.begun, self.go = Event(), Event()
        self.rows: Iterator[list[Row]] = iter([[("S1",)], [("S2",)]])

    def __next__(self) -> list[Row]:
        self.begun.set()
        assert self.go.wait(30)
        return next(self.rows)


def _answer(batches: Iterator[list[Row]], stopped: list[str]) -> ResultStream:
    return ResultStream((Column("id"),), batches, "", SUBJECT, stop=lambda: stopped.append("x"))


def _until(holds: Callable[[], bool]) -> None:
    """Wait for another thread; the test fails when it does not come."""
    deadline = monotonic() + 30
    while not holds():
        assert monotonic() < deadline
        sleep(0.01)


def test_the_same_asked_at_once_is_made_once(site: Archive, reader: Principal) -> None:
    slow = _Slow()
    stopped: list[str] = []

    def keep(batches: Iterator[list[Row]], question: str = "the same") -> Kept:
        answer = _answer(batches, stopped)
        return site.results.keep(answer, reader, search_id="", question=question)

    def never() -> Iterator[list[Row]]:
        raise AssertionError("this one is not read")
        yield []

    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(keep, slow)
        assert slow.begun.wait(30)
        others = [pool.submit(keep, never()) for _ in range(2)]
        unlike = pool.submit(keep, iter([[("S9",)]]), "another")
        assert unlike.result(30).n_rows == 1
        assert not first.done()
        _until(lambda: len(stopped) == 3)
        slow.go.set()
        kept = first.result(30)
        assert [one.result(30).id for one in others] == [kept.id] * 2
    assert _ids(site, kept, reader) == ["S1", "S2"]
    assert len(stopped) == 4
    assert _keep(site, reader).id != kept.id


def test_trouble_reaches_all_who_wait(site: Archive, reader: Principal) -> None:
    class Broken(_Slow):
        def __next__(self) -> list[Row]:
            super().__next__()
            raise ResultGone("on purpose")

    slow = Broken()
    stopped: list[str] = []

    def keep(batches: Iterator[list[Row]]) -> Kept:
        return site.results.keep(_answer(batches, stopped), reader, search_id="", question="broken")

    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(keep, slow)]
        assert slow.begun.wait(30)
        waiting.append(pool.submit(keep, iter([])))
        _until(lambda: len(stopped) == 1)
        slow.go.set()
        for one in waiting:
            with pytest.raises(ResultGone, match="on purpose"):
                one.result(30)
    assert keep(iter([[("S1",)]])).n_rows == 1


def test_an_answer_that_is_ended_while_it_is_made_is_none(site: Archive, reader: Principal) -> None:
    slow = _Slow()
    stopped: list[str] = []
    with ThreadPoolExecutor(1) as pool:
        making = pool.submit(
            site.results.keep, _answer(slow, stopped), reader, search_id="", question="unshared meanwhile"
        )
        assert slow.begun.wait(30)
        site.share("S2", "R", "s2-there", ADMIN)
        site.unshare("S2", "R", ADMIN)
        slow.go.set()
        with pytest.raises(ResultGone, match="while the answer was made"):
            making.result(30)

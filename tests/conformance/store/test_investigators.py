"""Investigators are searched like anything else, and seen with what names them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectomedb.errors import BadConstraint
from connectomedb.schema.model import Item
from connectomedb.schema.registry import load_types
from connectomedb.search.query import CriteriaSet, Criterion, FieldRef, SearchField, SearchQuery
from connectomedb.store.archive import Archive
from connectomedb.store.engine import open_engine
from connectomedb.store.writer import Imported
from connectomedb.vocabulary.records import GUEST, Principal

WHO = "xnat:investigatorData"
ADMIN = Principal("admin", 1, is_admin=True)


def _person(first: str, last: str, **more: str) -> dict[str, str]:
    return {"firstname": first, "lastname": last, **more}


def _at(place: str, person: dict[str, str]) -> dict[str, str]:
    return {f"{place}/{name}": value for name, value in person.items()}


@pytest.fixture(scope="module")
def site(database: str) -> Iterator[Archive]:
    archive = Archive(open_engine(database), load_types()).create()
    archive.add_user("admin", "admin-of-people", is_admin=True)
    archive.add_user("member", "member-of-people")
    others = (
        Item(WHO, _person("Lise", "Meitner", institution="KWI")),
        Item(WHO, _person("Maria", "Curie", institution="elsewhere")),
    )
    open_project = Item(
        "xnat:projectData",
        {"ID": "OPEN", "name": "Open", **_at("PI", _person("Maria", "Curie", institution="Paris"))},
        {"investigators/investigator": others},
    )
    closed = Item("xnat:projectData", {"ID": "SHUT", **_at("PI", _person("Otto", "Hahn"))})
    archive.store_items(
        [Imported(open_project, accessibility="public"), Imported(closed, accessibility="private")],
        user="admin",
    )
    archive.store_items(
        [
            Item("xnat:subjectData", {"label": "s1", **_at("investigator", _person("Rosalind", "Franklin"))}),
            Item(
                "xnat:mrSessionData",
                {"label": "e1", "subject_ID": "s1", **_at("investigator", _person("O", "Hahn"))},
            ),
        ],
        user="admin",
        project="SHUT",
    )
    yield archive
    archive.close()


def _names(site: Archive, who: Principal, *conditions: tuple[str, str, str]) -> list[tuple[object, ...]]:
    fields = tuple(SearchField(FieldRef(WHO, name)) for name in ("LASTNAME", "FIRSTNAME", "institution"))
    where = CriteriaSet("AND", tuple(Criterion(FieldRef(WHO, n), op, v) for n, op, v in conditions))
    return [tuple(row[:-1]) for row in site.search(SearchQuery(WHO, fields, where), who).rows]


def test_each_person_once_and_with_what_names_them(site: Archive) -> None:
    curie, meitner = ("Curie", "Maria", "Paris"), ("Meitner", "Lise", "KWI")
    hidden = [("Franklin", "Rosalind", None), ("Hahn", "Otto", None), ("Hahn", "O", None)]
    assert sorted(map(str, _names(site, ADMIN))) == sorted(map(str, [curie, meitner, *hidden]))
    assert _names(site, GUEST) == _names(site, site.find_user("member")) == [curie, meitner]
    site.grant("SHUT", "member", "collaborator")
    assert len(_names(site, site.find_user("member"))) == 5
    site.revoke("SHUT", "member")


def test_conditions_counts_and_the_whole_record(site: Archive) -> None:
    assert _names(site, ADMIN, ("lastname", "LIKE", "m%"))[0][0] == "Meitner"
    assert _names(site, ADMIN, ("INSTITUTION", "IS NULL", ""), ("firstname", "=", "O")) == [
        ("Hahn", "O", None)
    ]
    assert site.elements_used(GUEST)[WHO] == 2
    assert site.elements_used(ADMIN)[WHO] == 3
    whole = site.search(SearchQuery(WHO), GUEST)
    assert len(whole.rows) == 2
    assert whole.keys[-1] == "quarantine_status"


def test_nothing_connects_to_them_but_what_names_them(site: Archive) -> None:
    with pytest.raises(BadConstraint, match="does not connect"):
        site.search(SearchQuery(WHO, (SearchField(FieldRef("xnat:subjectData", "SUBJECT_LABEL")),)), ADMIN)
    query = SearchQuery("xnat:projectData", (SearchField(FieldRef(WHO, "lastname")),))
    assert sorted(str(row[0]) for row in site.search(query, ADMIN).rows) == ["Curie", "Hahn"]

"""A display document joins its type to another by a SchemaLink: elements that have the same value."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from connectomedb.errors import BadConstraint
from connectomedb.schema.model import Item
from connectomedb.schema.registry import load_types
from connectomedb.search.query import CriteriaSet, Criterion, FieldRef, SearchField, SearchQuery
from connectomedb.store.archive import Archive
from connectomedb.store.engine import open_engine
from connectomedb.vocabulary.records import Principal

MOOD, SCAN, MR, SCORES = "ex:moodData", "xnat:mrScanData", "xnat:mrSessionData", "nt:scores"
ADMIN = Principal("admin", 1, is_admin=True)
SCHEMA = b"""<?xml version="1.0" encoding="UTF-8"?>
<xs:schema targetNamespace="http://example.org/ex" xmlns:ex="http://example.org/ex"
  xmlns:xnat="http://nrg.wustl.edu/xnat" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<xs:import namespace="http://nrg.wustl.edu/xnat"/>
<xs:element name="Mood" type="ex:moodData"/>
<xs:complexType name="moodData"><xs:complexContent><xs:extension base="xnat:subjectAssessorData"><xs:sequence>
  <xs:element name="session" type="xs:string" minOccurs="0"/>
  <xs:element name="level" type="xs:integer" minOccurs="0"/>
</xs:sequence></xs:extension></xs:complexContent></xs:complexType>
</xs:schema>
"""
DISPLAY = b"""<?xml version="1.0" encoding="UTF-8"?>
<Displays schema-element="ex:moodData" brief-description="Moods">
<SchemaLink element="xnat:mrSessionData" type="mapping" alias="S"><Mapping TableName="t">
  <MappingColumn rootElement="ex:moodData" fieldElement="ex:moodData.session"
    mapsTo="xnat:mrSessionData.label"/>
</Mapping></SchemaLink>
<SchemaLink element="nt:scores" type="mapping" alias="N"><Mapping TableName="t">
  <MappingColumn rootElement="ex:moodData" fieldElement="ex:moodData.level" mapsTo="nt:scores.label"/>
</Mapping></SchemaLink>
</Displays>"""


@pytest.fixture(scope="module")
def site(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    folder = tmp_path_factory.mktemp("types")
    (folder / "ex" / "display").mkdir(parents=True)
    (folder / "ex" / "ex.xsd").write_bytes(SCHEMA)
    (folder / "ex" / "display" / "ex_moodData_display.xml").write_bytes(DISPLAY)
    archive = Archive(open_engine(database), load_types([folder])).create()
    archive.add_user("admin", "admin-of-links", is_admin=True)
    archive.add_user("reader", "reader-of-links")
    for project in ("P", "HIDDEN"):
        archive.add_project(project, insert_user="admin")
    archive.grant("P", "reader", "member")
    people = [Item("xnat:subjectData", {"ID": f"S{n}", "label": f"s{n}"}) for n in (1, 2)]
    # The second session of s1 is the later one: nearness would choose it.
    sessions = [
        Item(
            MR, {"label": name, "subject_ID": who, "date": date.fromisoformat(day), "fieldStrength": strength}
        )
        for name, who, day, strength in (
            ("one", "s1", "2020-01-01", "3T"),
            ("two", "s1", "2021-01-01", "7T"),
            ("three", "s2", "2020-01-01", "1.5T"),
        )
    ]
    moods = [
        Item(MOOD, {"label": f"m{n}", "subject_ID": "s1", "session": session, "level": n})
        for n, session in enumerate(("one", "three", "none", "secret"))
    ]
    archive.store_items([*people, *sessions, *moods], user="admin", project="P")
    hidden = [
        Item("xnat:subjectData", {"label": "s3"}),
        Item(MR, {"label": "secret", "subject_ID": "s3", "fieldStrength": "9T"}),
    ]
    archive.store_items(hidden, user="admin", project="HIDDEN")
    yield archive
    archive.close()


def _rows(site: Archive, who: Principal, *conditions: tuple[str, str, str]) -> list[tuple[object, ...]]:
    fields = (SearchField(FieldRef(MOOD, "LABEL")), SearchField(FieldRef(MR, "fieldStrength")))
    where = CriteriaSet("AND", tuple(Criterion(FieldRef(MR, n), op, v) for n, op, v in conditions))
    return [tuple(row[:-1]) for row in site.search(SearchQuery(MOOD, fields, where), who).rows]


def test_the_link_holds_instead_of_the_nearest_join(site: Archive) -> None:
    assert _rows(site, ADMIN) == [("m0", "3T"), ("m1", "1.5T"), ("m2", None), ("m3", "9T")]
    assert _rows(site, ADMIN, ("fieldStrength", "LIKE", "%T")) == [("m0", "3T"), ("m1", "1.5T"), ("m3", "9T")]
    assert _rows(site, ADMIN, ("fieldStrength", "IS NULL", "")) == [("m2", None)]
    assert _rows(site, ADMIN, ("fieldStrength", "=", "7T")) == []


def test_what_one_may_not_read_is_not_linked(site: Archive) -> None:
    reader = site.find_user("reader")
    assert _rows(site, reader) == [("m0", "3T"), ("m1", "1.5T"), ("m2", None), ("m3", None)]
    assert _rows(site, reader, ("fieldStrength", "=", "9T")) == []


def test_a_link_of_two_types_of_values_is_refused_by_name(site: Archive) -> None:
    query = SearchQuery(MOOD, (SearchField(FieldRef(SCORES, "LABEL")),))
    with pytest.raises(BadConstraint, match="SchemaLink from ex:moodData/level to nt:scores/label"):
        site.search(query, ADMIN)

"""Documents in and out, and the ones that are refused before anybody looks inside."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectomedb.errors import NotValid, NotWellFormed, UnknownDataType
from connectomedb.schema.documents import read_document, write_document
from connectomedb.schema.model import Item
from connectomedb.schema.registry import load_types
from connectomedb.schema.xml import MAX_BYTES, parse_xml
from connectomedb.testing.sample_site import make_items

TYPES = load_types()
XNAT = 'xmlns:xnat="http://nrg.wustl.edu/xnat"'


def test_every_item_of_the_sample_site_comes_back() -> None:
    for item, _ in zip(make_items(), range(40), strict=False):
        assert read_document(write_document(item, TYPES), TYPES) == item


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"))
    .map(str.strip)
    .filter(bool)
)
def test_any_text_comes_back(text: str) -> None:
    item = Item("xnat:subjectData", {"ID": "S1", "label": "s1", "demographics/educationDesc": text})
    assert read_document(write_document(item, TYPES), TYPES).values["demographics/educationDesc"] == text


def test_a_character_that_xml_cannot_carry_is_refused() -> None:
    with pytest.raises(NotValid, match="cannot carry"):
        write_document(Item("xnat:subjectData", {"label": "s\x00"}), TYPES)


def test_nothing_is_left_out_in_silence() -> None:
    with pytest.raises(NotValid, match="no place for colour"):
        write_document(Item("xnat:subjectData", {"colour": "red"}), TYPES)


def _subject(demographics: str) -> str:
    return f"<xnat:Subject {XNAT}><xnat:demographics>{demographics}</xnat:demographics></xnat:Subject>"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (f'<xnat:Subject {XNAT} colour="red"/>', "line 1: Subject has no attribute colour"),
        (
            f"<xnat:Subject {XNAT}>\n<xnat:colour>red</xnat:colour></xnat:Subject>",
            "line 2: Subject has no element",
        ),
        (f"<xnat:Subject {XNAT}><colour/></xnat:Subject>", "no element colour"),
        (_subject("<xnat:age>old</xnat:age>"), "'old' is not a value of type integer"),
        (_subject("<xnat:gender>blue</xnat:gender>"), "none of male, female"),
    ],
)
def test_a_document_that_contradicts_its_type_is_refused_with_the_line(body: str, message: str) -> None:
    with pytest.raises(NotValid, match=message):
        read_document(body.encode(), TYPES)


def test_all_reasons_are_given() -> None:
    body = f'<xnat:Subject {XNAT} a="1" b="2" c="3"/>'
    with pytest.raises(NotValid) as caught:
        read_document(body.encode(), TYPES)
    assert len(caught.value.reasons) == 3


def test_an_unknown_root_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownDataType, match="Subject"):
        read_document(f"<xnat:Subjekt {XNAT}/>".encode(), TYPES)


def test_a_type_can_be_named_instead_of_the_root() -> None:
    xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    body = f'<xnat:Whatever {XNAT} {xsi} xsi:type="xnat:subjectData" label="s1"/>'
    assert read_document(body.encode(), TYPES) == Item("xnat:subjectData", {"label": "s1"})


BOMB = b"<!DOCTYPE a [<!ENTITY x '" + b"y" * 1000 + b"'><!ENTITY z '" + b"&x;" * 1000 + b"'>]><a>&z;&z;</a>"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"<a>", "not XML"),
        (b"\x00", "not XML"),
        (b"<a/>trailing", "not XML"),
        (BOMB, "DOCTYPE"),
        (b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", "DOCTYPE"),
        (b"<a>" * 201 + b"</a>" * 201, "nested deeper than 200"),
        (b"<a>" * 100_000 + b"</a>" * 100_000, "nested deeper than 200"),
        (b"<a>" + b" " * MAX_BYTES + b"</a>", "at most"),
    ],
)
def test_hostile_xml_is_refused_unread(data: bytes, message: str) -> None:
    with pytest.raises(NotWellFormed, match=message):
        parse_xml(data)


def test_200_levels_are_read() -> None:
    assert parse_xml(b"<a>" * 200 + b"</a>" * 200).tag == "a"

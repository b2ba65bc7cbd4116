"""Schemas as they are served: what clients do not survive is written so that they do."""

# ruff: noqa: E501  # a construct of a schema stays on one line

from __future__ import annotations

from pathlib import Path

import pytest

from connectomedb.errors import Conflict, NotValid
from connectomedb.schema.additions import add_types
from connectomedb.schema.documents import read_document, write_document
from connectomedb.schema.model import Item
from connectomedb.schema.registry import DataTypes, load_types
from connectomedb.schema.xml import parse_xml
from connectomedb.schema.xsd import read_schema_file, read_types

XNAT = 'xmlns:xnat="http://nrg.wustl.edu/xnat"'
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


def _schema(body: str, *, xs: str = "xs", own: str = "ex", more: str = "") -> bytes:
    declared = f"xmlns:{own}='http://example.org/ex'" if own else "xmlns='http://example.org/ex'"
    return (
        f"\ufeff<!-- a comment --><{xs}:schema targetNamespace='http://example.org/ex' {declared} {more} {XNAT} "
        f'xmlns:{xs}="http://www.w3.org/2001/XMLSchema">\n{body}\n</{xs}:schema>'
    ).encode()


def _types(folder: Path, body: str) -> DataTypes:
    (folder / "ex").mkdir()
    (folder / "ex/ex.xsd").write_bytes(_schema(body))
    return load_types([folder])


def test_groups_are_written_out_where_they_are_used() -> None:
    body = """<xs:group name="inner"><xs:sequence><xs:element name="b" type="xs:int"/></xs:sequence></xs:group>
    <xs:group name="outer"><xs:sequence><xs:element name="a"/><xs:group ref="ex:inner"/></xs:sequence></xs:group>
    <xs:attributeGroup name="marks"><xs:attribute name="m" default="x"/></xs:attributeGroup>
    <xs:element name="one" type="xs:date"/>
    <xs:complexType name="x"><xs:sequence><xs:group ref="ex:outer" minOccurs="0"/>
      <xs:element ref="ex:one" minOccurs="0"/></xs:sequence><xs:attributeGroup ref="ex:marks"/></xs:complexType>"""
    file = read_schema_file("ex", "ex.xsd", _schema(body))
    assert b"ref=" not in file.content
    assert b"<xs:group" not in file.content
    found = read_types([file])["ex:x"]
    assert {f.path: f.value_type for f in found.fields} == {
        "m": "string",
        "a": "string",
        "b": "integer",
        "one": "date",
    }
    assert next(f for f in found.fields if f.path == "m").default == "x"
    assert not any(f.required for f in found.fields if f.path in ("a", "b"))
    # What is served reads as the same types.
    again = read_schema_file("ex", "ex.xsd", file.content)
    assert [f.path for f in read_types([again])["ex:x"].fields] == [f.path for f in found.fields]


@pytest.mark.parametrize(("xs", "own"), [("xsd", "ex"), ("xs", "my-ex"), ("xs", "")])
def test_prefixes_are_those_that_clients_look_for(xs: str, own: str) -> None:
    prefix = f"{own}:" if own else ""
    body = (
        f'<{xs}:complexType name="x"><{xs}:complexContent><{xs}:extension base="{prefix}y"/></{xs}:complexContent>'
        f'</{xs}:complexType><{xs}:complexType name="y"><{xs}:attribute name="a" type="{xs}:integer"/></{xs}:complexType>'
    )
    file = read_schema_file("ex", "ex.xsd", _schema(body, xs=xs, own=own))
    assert file.content.split(b"\n")[1].startswith(b"<xs:schema ")
    assert f'xmlns:{file.prefix}="http://example.org/ex"'.encode() in file.content
    assert file.prefix == ("my_ex" if "-" in own else "ex")
    assert read_types([file])[f"{file.prefix}:x"].fields[0].value_type == "integer"


def test_documentation_cannot_break_generated_code() -> None:
    body = '<xs:complexType name="x"><xs:annotation><xs:documentation>a \\x """ b</xs:documentation></xs:annotation></xs:complexType>'
    file = read_schema_file("ex", "ex.xsd", _schema(body))
    assert b"a \\\\x ''' b" in file.content
    assert read_types([file])["ex:x"].documentation == 'a \\x """ b'


def test_a_file_is_parsed_once_in_a_process() -> None:
    before = read_schema_file.cache_info().misses
    assert load_types().schemas() == load_types().schemas()
    assert read_schema_file.cache_info().misses - before <= len(load_types().schemas())
    before = read_schema_file.cache_info().misses
    load_types()
    assert read_schema_file.cache_info().misses == before


FACETS = """<xs:element name="X" type="ex:x"/>
<xs:simpleType name="code"><xs:restriction base="xs:string"><xs:pattern value="[A-Z]+"/><xs:maxLength value="4"/></xs:restriction></xs:simpleType>
<xs:simpleType name="short"><xs:restriction base="ex:code"><xs:pattern value="A.*"/><xs:minLength value="2"/></xs:restriction></xs:simpleType>
<xs:simpleType name="many"><xs:list itemType="xs:int"/></xs:simpleType>
<xs:complexType name="x"><xs:sequence>
<xs:element name="score" minOccurs="0"><xs:simpleType><xs:restriction base="xs:integer"><xs:minInclusive value="0"/><xs:maxExclusive value="9"/></xs:restriction></xs:simpleType></xs:element>
<xs:element name="day" minOccurs="0"><xs:simpleType><xs:restriction base="xs:date"><xs:minInclusive value="2001-01-01"/></xs:restriction></xs:simpleType></xs:element>
<xs:element name="code" type="ex:short" minOccurs="0"/>
<xs:element name="many" type="ex:many" minOccurs="0"/>
<xs:element name="n" type="xs:positiveInteger" minOccurs="0"/>
</xs:sequence></xs:complexType>"""


@pytest.mark.parametrize(
    ("element", "reason"),
    [
        ("<ex:score>9</ex:score>", "must be below 9"),
        ("<ex:score>-1</ex:score>", "must be at least 0"),
        ("<ex:day>2000-12-31</ex:day>", "must be at least 2001-01-01"),
        ("<ex:code>A</ex:code>", "shorter than 2"),
        ("<ex:code>AAAAA</ex:code>", "longer than 4"),
        ("<ex:code>Ab</ex:code>", "does not match"),
        ("<ex:code>BB</ex:code>", "does not match"),
        ("<ex:n>0</ex:n>", "must be at least 1"),
        ("<ex:n>99999999999999999999</ex:n>", "not a value of type integer"),
        ("<ex:n>1</ex:n>\n<ex:n>1</ex:n>", "line 3: n is given twice"),
        ("<ex:n>1<ex:n/></ex:n>", "holds text, not elements"),
        ("words", "holds elements, not the text 'words'"),
    ],
)
def test_facets_are_rules_for_documents(tmp_path: Path, element: str, reason: str) -> None:
    types = _types(tmp_path, FACETS)
    with pytest.raises(NotValid, match=reason):
        read_document(f'<ex:X xmlns:ex="http://example.org/ex">\n{element}</ex:X>'.encode(), types)


def test_values_within_the_facets_are_taken_in_any_order(tmp_path: Path) -> None:
    body = "<ex:n>1</ex:n><ex:many>1 2</ex:many><ex:code>AB</ex:code><ex:score>8</ex:score>"
    item = read_document(
        f'<ex:X xmlns:ex="http://example.org/ex">{body}</ex:X>'.encode(), _types(tmp_path, FACETS)
    )
    assert item.values == {"n": 1, "many": "1 2", "code": "AB", "score": 8}


KINDS = """<xs:complexType name="more"><xs:complexContent><xs:extension base="xnat:demographicData"><xs:sequence>
<xs:element name="shoe_size" type="xs:double" minOccurs="0"/></xs:sequence></xs:extension></xs:complexContent></xs:complexType>"""


def test_a_single_part_keeps_its_kind(tmp_path: Path) -> None:
    types = _types(tmp_path, KINDS)
    head = f'<xnat:Subject {XNAT} {XSI} xmlns:ex="http://example.org/ex" label="s">'
    body = '<xnat:demographics xsi:type="ex:more"><xnat:age>3</xnat:age><ex:shoe_size>30</ex:shoe_size></xnat:demographics>'
    item = read_document(f"{head}{body}</xnat:Subject>".encode(), types)
    assert item.values["demographics/xsi:type"] == "ex:more"
    written = write_document(item, types)
    assert b'<xnat:demographics xsi:type="ex:more">' in written
    assert read_document(written, types) == item
    plain = Item("xnat:subjectData", {"label": "s", "demographics/age": 3})
    assert b'<xnat:demographics xsi:type="xnat:demographicData">' in write_document(plain, types)
    assert types.element("xnat:subjectData", "demographics/shoe_size").value_type == "float"
    wrong = body.replace("ex:more", "xnat:demographicData")
    with pytest.raises(NotValid, match="no element shoe_size"):
        read_document(f"{head}{wrong}</xnat:Subject>".encode(), types)
    with pytest.raises(NotValid, match="is no xnat:subjectMetadata; it is xnat:demographicData or ex:more"):
        read_document(
            f"{head}{body.replace('ex:more', 'xnat:subjectMetadata')}</xnat:Subject>".encode(), types
        )


def test_the_annotations_are_kept() -> None:
    types = load_types()
    assert types.get("xnat:subjectData").hint("displayIdentifiers") == "label"
    subject_id = types.element("xnat:subjectAssessorData", "subject_ID")
    assert (subject_id.hint("baseElement"), subject_id.hint("baseCol")) == ("xnat:subjectData", "ID")
    assert types.element("xnat:experimentData", "date").hint("filter") == "true"
    assert types.element("xnat:projectData", "active").default == "true"


def test_every_type_says_what_it_is() -> None:
    types = load_types()
    assert [t.xsi_type for t in types.all() if not t.documentation] == []
    assert [
        f.path for t in types.all() for f in t.own_fields() if not f.documentation and "/" not in f.path
    ] == []


def test_documents_say_the_kind_of_every_part_that_has_several() -> None:
    types = load_types()
    scan = Item("xnat:mrScanData", {"ID": "1"})
    session = Item("xnat:mrSessionData", {"subject_ID": "S1"}, {"scans/scan": (scan,)})
    assert b'<xnat:scan ID="1" xsi:type="xnat:mrScanData"/>' in write_document(session, types)
    abstract = f'<xnat:MRSession {XNAT}><xnat:subject_ID>S</xnat:subject_ID><xnat:scans><xnat:scan ID="1"/></xnat:scans></xnat:MRSession>'
    with pytest.raises(NotValid, match="xnat:imageScanData is abstract; say which kind"):
        read_document(abstract.encode(), types)


def test_what_a_part_lacks_is_named() -> None:
    body = f"<xnat:Subject {XNAT}>\n<xnat:investigator><xnat:firstname>A</xnat:firstname></xnat:investigator></xnat:Subject>"
    with pytest.raises(NotValid, match="line 2: investigator needs investigator/lastname"):
        read_document(body.encode(), load_types())


MOOD = '<xs:element name="Mood" type="ex:mood"/><xs:complexType name="mood"><xs:complexContent><xs:extension base="xnat:subjectAssessorData"><xs:sequence><xs:element name="total" type="xs:integer" minOccurs="0"/></xs:sequence></xs:extension></xs:complexContent></xs:complexType>'


def _files(folder: Path, xsd: bytes, display: str) -> tuple[Path, Path]:
    folder.mkdir(exist_ok=True)
    (folder / "mood.xsd").write_bytes(xsd)
    (folder / "any.xml").write_text(display)
    return folder / "mood.xsd", folder / "any.xml"


def test_two_files_add_a_type(tmp_path: Path) -> None:
    site = tmp_path / "schemas"
    shown = '<Displays schema-element="ex:mood" brief-description="Moods"/>'
    xsd, display = _files(tmp_path / "new", _schema(MOOD), shown)
    seen: list[DataTypes] = []
    assert add_types(site, xsd, [display], accept=None).types == ("ex:mood",)
    assert not site.exists()
    added = add_types(site, xsd, [display], accept=seen.append)
    assert (added.types, added.roots) == (("ex:mood",), ("Mood",))
    assert "ex:mood" in seen[0]
    assert load_types([site]).display("ex:mood").plural == "Moods"
    assert add_types(site, xsd, [display], accept=seen.append).types == ()
    xsd.write_bytes(_schema(MOOD.replace("total", "sum")))
    with pytest.raises(Conflict, match="--replace"):
        add_types(site, xsd, accept=seen.append)
    assert add_types(site, xsd, accept=seen.append, replace=True).types == ("ex:mood",)


def test_nothing_is_written_when_one_file_is_wrong(tmp_path: Path) -> None:
    site = tmp_path / "schemas"
    xsd, display = _files(tmp_path / "new", _schema(MOOD), '<Displays schema-element="ex:wrong"/>')
    with pytest.raises(NotValid, match="ex:wrong, which no schema defines"):
        add_types(site, xsd, [display], accept=lambda _: None)
    xsd.write_bytes(_schema(MOOD.replace("xs:integer", "xs:intger")))
    with pytest.raises(NotValid, match=r"mood.xsd, line 2: the type xs:intger is nowhere"):
        add_types(site, xsd, accept=lambda _: None)
    assert not site.exists()


def test_served_schemas_are_well_formed() -> None:
    for schema in load_types().schemas():
        assert parse_xml(schema.content).get("targetNamespace") == schema.namespace
        assert schema.content.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<xs:schema ')

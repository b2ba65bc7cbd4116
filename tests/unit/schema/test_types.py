"""Data types: read from XSD and display documents, and refused where clients would not survive them."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectomedb.errors import ConfigurationError, NotValid, UnknownField
from connectomedb.schema.dictionary import infer_type, type_from_table
from connectomedb.schema.display import read_display
from connectomedb.schema.registry import canonical, load_types
from connectomedb.schema.values import parse_value
from connectomedb.schema.xsd import read_schema_file, read_types
from connectomedb.testing.seed import measures

TYPES = load_types()


def _schema(body: str, prefix: str = "ex") -> bytes:
    return (
        f'<xs:schema targetNamespace="http://example.org/{prefix}" '
        f'xmlns:{prefix}="http://example.org/{prefix}" '
        'xmlns:xnat="http://nrg.wustl.edu/xnat" xmlns:xs="http://www.w3.org/2001/XMLSchema">\n'
        f"{body}\n</xs:schema>"
    ).encode()


def _complex(content: str) -> str:
    return f'<xs:complexType name="x">{content}</xs:complexType>'


def _site_type(folder: Path, body: str, prefix: str = "ex") -> Path:
    (folder / prefix).mkdir(parents=True)
    (folder / prefix / f"{prefix}.xsd").write_bytes(_schema(body, prefix))
    return folder


SCORE = (
    '<xs:element name="Mood" type="ex:mood"/><xs:complexType name="mood"><xs:complexContent>'
    '<xs:extension base="xnat:subjectAssessorData"><xs:sequence>'
    '<xs:element name="total" type="xs:integer" minOccurs="0"/></xs:sequence></xs:extension>'
    "</xs:complexContent></xs:complexType>"
)


def test_the_45_measures_are_typed_fields_of_nt_scores() -> None:
    scores = TYPES.get("nt:scores")
    assert scores.base == "xnat:subjectAssessorData"
    assert scores.root_element == "NTScores"
    own = {leaf.name for leaf in scores.own_fields()}
    assert {m.name for m in measures()} <= own
    assert TYPES.element("nt:scores", "neo.neofac_a").value_type == "integer"
    assert TYPES.element("nt:scores", "ER40/ER40_CRT").value_type == "float"


def test_the_chain_above_a_session() -> None:
    chain = ["xnat:mrSessionData"]
    while base := TYPES.get(chain[-1]).base:
        chain.append(base)
    assert chain == [
        "xnat:mrSessionData",
        "xnat:imageSessionData",
        "xnat:subjectAssessorData",
        "xnat:experimentData",
    ]
    assert not TYPES.is_a("xnat:mrSessionData", "xnat:subjectData")


def test_paths_have_one_spelling() -> None:
    assert canonical("demographics[@xsi:type=xnat:demographicData].age") == "demographics/age"
    with pytest.raises(UnknownField, match="NEO/NEOFAC_A"):
        TYPES.element("nt:scores", "NEO/NEOFAC_AX")


def test_a_site_adds_a_type_by_a_file(tmp_path: Path) -> None:
    types = load_types([_site_type(tmp_path, SCORE)])
    assert types.get("ex:mood").root_element == "Mood"
    assert "TOTAL" in types.display("ex:mood").fields
    assert "SUBJECT_LABEL" in types.display("ex:mood").fields


def test_a_site_cannot_take_a_shipped_prefix(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="the prefix nt belongs to"):
        load_types([_site_type(tmp_path, "", "nt")])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (_complex('<xs:group ref="ex:y"/>'), "line 2: the group ex:y is not in this schema"),
        (_complex('<xs:attributeGroup ref="ex:y"/>'), "line 2: the attributeGroup ex:y is not in"),
        ('<xs:group name="x"><xs:sequence><xs:group ref="ex:x"/></xs:sequence></xs:group>', "holds itself"),
        ("<xs:redefine/>", "line 2: redefinitions are not read"),
        (_complex('<xs:attribute name="_1x"/>'), "line 2: the name _1x"),
        ('<xs:element name="X">\n<xs:complexType/></xs:element>', "line 2: the root element X needs"),
        (
            _complex('<xs:sequence><xs:element ref="ex:y"/></xs:sequence>'),
            "the reference ex:y leads to nothing",
        ),
        (
            """<xs:simpleType name="x"><xs:restriction base="xs:string">
            <xs:enumeration value='a"b'/></xs:restriction></xs:simpleType>""",
            "line 3: the value 'a\"b' holds a quotation mark",
        ),
        (
            _complex('<xs:complexContent><xs:restriction base="ex:y"/></xs:complexContent>'),
            "line 2: complex restrictions",
        ),
    ],
)
def test_what_clients_do_not_survive_is_refused_with_the_line(body: str, message: str) -> None:
    with pytest.raises(NotValid, match=message):
        read_schema_file("ex", "ex.xsd", _schema(body))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('<xs:complexType name="x"/>\n<xs:complexType name="x"/>', "line 3: ex:x is defined twice"),
        (
            _complex('<xs:complexContent><xs:extension base="ex:y"/></xs:complexContent>'),
            "the base type ex:y is nowhere",
        ),
        (
            '<xs:complexType name="x"><xs:attribute name="a" type="xs:duration"/></xs:complexType>',
            "is nowhere",
        ),
    ],
)
def test_a_schema_that_contradicts_itself_is_refused(body: str, message: str) -> None:
    with pytest.raises(NotValid, match=message):
        read_types([read_schema_file("ex", "ex.xsd", _schema(body))])


def test_a_display_document_that_says_too_little_is_refused() -> None:
    with pytest.raises(NotValid, match="line 2: A has neither"):
        read_display(b'<Displays schema-element="a:b">\n<DisplayField id="A"/></Displays>', "a_display.xml")
    with pytest.raises(NotValid, match="root must be Displays"):
        read_display(b"<Display/>", "a_display.xml")


def test_a_display_document_without_a_type_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ex/display").mkdir(parents=True)
    (tmp_path / "ex/display/ex_display.xml").write_text('<Displays schema-element="ex:mod"/>')
    with pytest.raises(NotValid, match="ex:mod, which no schema defines"):
        load_types([tmp_path])


def test_types_of_columns_come_from_all_values() -> None:
    assert infer_type(["1", "n/a", "2"]) == "integer"
    assert infer_type(["1", "2.5"]) == "float"
    assert infer_type(["1", "x"]) == "string"
    assert infer_type(["", "n/a"]) == "string"
    assert infer_type(["1_000"]) == "string"
    assert infer_type(["nan"]) == "string"


@pytest.mark.parametrize(
    ("dictionary", "message"),
    [
        ({"lost": {"Description": "x"}}, "describes 'lost', which the table lacks"),
        ({"a": {"MinValue": "few"}}, "MinValue of 'a' is 'few', which is no number"),
        ({"a": {"MinValue": 0, "MaxValue": 9}}, "has bounds in the dictionary but the value 'x'"),
    ],
)
def test_a_dictionary_that_contradicts_its_table_is_refused(
    dictionary: dict[str, dict[str, object]], message: str
) -> None:
    with pytest.raises(NotValid, match=message):
        type_from_table("mood", ["a"], [["1"], ["x"]], dictionary)


def test_a_column_that_stands_twice_is_refused() -> None:
    with pytest.raises(NotValid, match="stands twice"):
        type_from_table("mood", ["a", "a"], [["1", "2"]], {})


def test_a_table_becomes_two_files_that_load(tmp_path: Path) -> None:
    files = type_from_table(
        "mood",
        ["1st score", "n"],
        [["1", "2.5"]],
        {"n": {"Description": 'a "b" <c>', "Units": "s"}},
        prefix="ex",
    )
    (tmp_path / "ex/display").mkdir(parents=True)
    (tmp_path / "ex/ex.xsd").write_bytes(files.xsd)
    (tmp_path / "ex/display/ex_mood_display.xml").write_bytes(files.display)
    types = load_types([tmp_path])
    assert files.columns == {"1st score": "x1st_score", "n": "n"}
    assert types.element("ex:mood", "n").unit == "s"
    assert types.element("ex:mood", "n").documentation == "a 'b' <c>"
    assert types.element("ex:mood", "x1st_score").value_type == "integer"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1.5", "integer"),
        ("1_0", "integer"),
        ("inf", "float"),
        ("yes", "boolean"),
        ("x", "date"),
        ("25:00", "time"),
    ],
)
def test_texts_that_are_no_value(text: str, kind: str) -> None:
    with pytest.raises(ValueError, match="is not a value of type"):
        parse_value(text, kind)  # type: ignore[arg-type]  # the kinds are literals

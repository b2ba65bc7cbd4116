"""Display documents: what is read and refused, what the default adds, what the core types promise."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from connectomedb.errors import NotValid
from connectomedb.schema.display import read_display
from connectomedb.schema.expressions import Call, Constant, Input
from connectomedb.schema.model import (
    Arc,
    ArcDefinition,
    DisplayDocument,
    Link,
    LinkProperty,
    SchemaLink,
    VersionField,
)
from connectomedb.schema.registry import DataTypes, load_types

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


# An input, and a field that shows it.
FIELD1 = '<DisplayFieldElement name="Field1" schema-element="ex:moodData/a"/>'


def element(path: str, more: str = "", field_id: str = "A") -> str:
    """A field of one element."""
    return (
        f'<DisplayField id="{field_id}"><DisplayFieldElement name="Field1" schema-element="{path}"/>{more}'
        "</DisplayField>\n"
    )


def displays(body: str, attributes: str = "") -> bytes:
    return f'<Displays schema-element="ex:moodData" {attributes} {XSI}>\n{body}</Displays>'.encode()


def read(body: str, attributes: str = "") -> DisplayDocument:
    return read_display(displays(body, attributes), "ex_display.xml")


@pytest.fixture(scope="module")
def types() -> DataTypes:
    return load_types()


def test_a_field_with_everything() -> None:
    field = read(
        '<DisplayField id="A" header="An A" data-type="Integer" searchable="true" visible="false" '
        'image="true" sort-by="B" sort-order="DESC" html-content="true" unit="s">'
        "<description>Long\n  text</description>"
        '<DisplayFieldElement name="Field1" schema-element="ex:moodData.scores.a"/></DisplayField>'
        '<DisplayField id="B"><DisplayFieldElement schema-element="ex:moodData/@b"/></DisplayField>'
    ).fields["A"]
    assert (field.header, field.value_type, field.shown_type) == ("An A", "integer", "integer")
    assert (field.searchable, field.visible, field.image, field.html) == (True, False, True, True)
    assert (field.sort_by, field.sort_order, field.unit) == ("B", "DESC", "s")
    assert field.description == "Long text"
    assert field.expression == ("element", "scores/a")


def test_what_a_field_leaves_out() -> None:
    field = read(
        '<DisplayField id="A"><DisplayFieldElement schema-element="ex:moodData/a"/></DisplayField>'
    ).fields["A"]
    assert (field.header, field.value_type, field.searchable, field.visible) == ("", "string", False, True)
    assert (field.valued, field.sort_by, field.link, field.link_fields) == (False, "", None, ())


@pytest.mark.parametrize(
    ("inside", "expression"),
    [
        (
            '<DisplayFieldElement schema-element="xnat:subjectData.label"/>',
            ("element_of", "xnat:subjectData", "label"),
        ),
        (
            '<DisplayFieldElement schema-element="xnat:mrSessionData" xdat-type="COUNT"/>',
            ("count", "xnat:mrSessionData"),
        ),
        ('<DisplayFieldElement built-in="age stated year"/>', ("age", "stated", "year")),
        ('<DisplayFieldElement schema-element="ex:moodData/a" xdat-type="WHERE"/>', ("value",)),
        (
            '<DisplayFieldElement schema-element="ex:moodData/a"/><Content type="java">a.B</Content>',
            ("element", "a"),
        ),
    ],
)
def test_inputs(inside: str, expression: tuple[str, ...]) -> None:
    assert read(f'<DisplayField id="A">{inside}</DisplayField>').fields["A"].expression == expression


def test_a_content_is_parsed_over_its_inputs() -> None:
    field = read(
        '<DisplayField id="A" xsi:type="SubQueryField" data-type="string">'
        '<DisplayFieldElement name="Field1" schema-element="ex:moodData/a"/>'
        "<Content type=\"sql\">@Field1 || '/' || @WHERE</Content></DisplayField>"
    ).fields["A"]
    assert field.valued
    assert field.expression == ("formula",)
    joined = Call("concat", (Input(("element", "a")), Constant("/")))
    assert field.formula == Call("concat", (joined, Input(("value",))))


def test_links() -> None:
    field = read(
        '<DisplayField id="A"><DisplayFieldElement schema-element="ex:moodData/a"/><HTML-Link>'
        '<Property name="HREF" value="@WEBAPPx/@Field1/@Field2"><InsertValue id="Field1" field="EXPT_ID"/>'
        '<InsertValue id="Field2" field="@WHERE"/></Property>'
        '<Property name="TITLE" value="by @Field1"><InsertValue id="Field1" field="INSERT_USER"/></Property>'
        '<SecureLink elementName="ex:moodData"><securityMappingValue displayFieldId="PROJECT" '
        'schemaElementMap="ex:moodData/project"/></SecureLink></HTML-Link></DisplayField>'
    ).fields["A"]
    assert field.link == Link(
        (
            LinkProperty("HREF", "@WEBAPPx/@Field1/@Field2", (("Field1", "EXPT_ID"), ("Field2", "@WHERE"))),
            LinkProperty("TITLE", "by @Field1", (("Field1", "INSERT_USER"),)),
        ),
        ("PROJECT",),
        "ex:moodData",
    )
    assert field.link_fields == ("EXPT_ID", "INSERT_USER", "PROJECT")


def test_the_rest_of_a_document() -> None:
    document = read(
        '<Arc name="PARTICIPANT_EXPERIMENT"><CommonField id="PART_ID" local-field="SUBJECT_ID"/></Arc>'
        '<Arc-Definition Id="X"><Bridge-Element name="ex:moodData" field="A"/>'
        '<CommonField id="DATE" type="date"/><Filter field="DATE" filterType="closest"/></Arc-Definition>'
        '<SchemaLink element="xnat:mrSessionData" type="mapping" alias="M"><Mapping TableName="t">'
        '<MappingColumn rootElement="ex:moodData" fieldElement="ex:moodData.session" '
        'mapsTo="xnat:mrSessionData.ID"/></Mapping></SchemaLink>'
        '<DisplayVersion versionName="core" default-order-by="A" default-sort-order="DESC" '
        'brief-description="Core" dark-color="AABBCC" light-color="EEEEEE" allow-diff-columns="false">'
        "<HTML-Header/>"
        '<DisplayFieldRef id="A" header="Mine" visible="false" value="7" type="COUNT"/>'
        '<DisplayFieldRef id="LABEL" element_name="xnat:subjectData"/></DisplayVersion>',
        'brief-description="Moods" full-description="How people felt" value_field="A" display_field="B" '
        'display_label="C" HTML-header-link="D" whole="true"',
    )
    assert (document.singular, document.plural, document.description) == ("Mood", "Moods", "How people felt")
    assert (document.value_field, document.display_field, document.display_label) == ("A", "B", "C")
    assert (document.header_link, document.is_whole, document.source) == ("D", True, "ex_display.xml")
    assert document.arcs == (Arc("PARTICIPANT_EXPERIMENT", (("PART_ID", "SUBJECT_ID"),)),)
    assert document.arc_definitions == (
        ArcDefinition("X", "ex:moodData", "A", (("DATE", "date"),), (("DATE", "closest"),)),
    )
    pair = ("ex:moodData.session", "xnat:mrSessionData.ID")
    assert document.schema_links == (SchemaLink("xnat:mrSessionData", "M", "mapping", (pair,)),)
    version = document.versions["core"]
    assert (version.order_by, version.sort_order, version.brief_description) == ("A", "DESC", "Core")
    assert (version.dark_color, version.light_color) == ("AABBCC", "EEEEEE")
    assert not version.allow_diff_columns
    assert version.fields == (
        VersionField("A", "ex:moodData", "Mine", False, "7", "COUNT"),
        VersionField("LABEL", "xnat:subjectData"),
    )


def test_versions_without_colours_have_the_stock_ones() -> None:
    version = read('<DisplayVersion versionName="v"/>').versions["v"]
    assert (version.dark_color, version.light_color, version.sort_order) == ("DEDEDE", "FFFFFF", "ASC")


A = element("ex:moodData/a")
HREF = '<HTML-Link><Property name="HREF" value="@Field1"><InsertValue id="Field1" %s/></Property></HTML-Link>'


def sorted_by(*pairs: str) -> str:
    """One field per line; `AB` is a field A that sorts by B."""
    return "".join(
        f'<DisplayField id="{mine}" sort-by="{other}"><DisplayFieldElement schema-element="ex:moodData/a"/>'
        "</DisplayField>\n"
        for mine, other in ((pair[0], pair[1]) for pair in pairs)
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("<DisplayField/>", "line 2: a DisplayField without id"),
        (A + A, "line 3: A is in line 2 already"),
        ('<DisplayField id="A"/>', "line 2: A has neither a schema-element nor a built-in"),
        (
            '<DisplayField id="A" built-in="magic"/>',
            "line 2: the built-in 'magic' does not exist; there are:",
        ),
        ('<DisplayField id="A" built-in=" "/>', "line 2: built-in is empty"),
        (
            '<DisplayField id="A" built-in="label twice"/>',
            "line 2: the built-in label takes 0 to 0 arguments",
        ),
        ('<DisplayField id="A" built-in="age guess"/>', "line 2: 'guess' is no way to an age"),
        ('<DisplayField id="A" built-in="scan_count weight equal"/>', "line 2: scan_count counts by type,"),
        ('<DisplayField id="A" built-in="project_setting colour"/>', "line 2: 'colour' is no setting"),
        ('<DisplayField id="A" data-type="image" built-in="label"/>', "line 2: A has the data-type 'image'"),
        (sorted_by("AB", "BC", "CA"), "line 2: sort-by goes in a circle: A → B → C → A"),
        (sorted_by("XA", "AB", "BA"), "line 2: sort-by goes in a circle: A → B → A"),
        (
            element("ex:moodData/a", "<Content>@Field1 + (SELECT 1)</Content>"),
            "line 2: the Content of A is not read: SELECT at character 12 is neither input nor function",
        ),
        (
            '<DisplayField id="A"><DisplayFieldElement viewName="V" viewColumn="C"/></DisplayField>',
            "line 2: A reads the view V; name a built-in instead",
        ),
        ('<DisplayField id="A"><SubQuery>SELECT 1</SubQuery></DisplayField>', "line 2: A asks by a SubQuery"),
        ('<SQLView name="V" sql="SELECT 1"/>', "line 2: SQLView V is SQL, which is not run here"),
        ('<ViewLink alias="V"/>', "line 2: ViewLink V is SQL"),
        ('<SQLFunction name="f" content="x"/>', "line 2: SQLFunction f is SQL"),
        (
            element("ex:moodData/a", HREF % ""),
            "line 2: HREF of A inserts something without id or field",
        ),
    ],
)
def test_documents_that_are_refused(body: str, message: str) -> None:
    with pytest.raises(NotValid) as problem:
        read(body)
    assert f"ex_display.xml, {message}" in str(problem.value)


def test_every_problem_of_a_document_is_told() -> None:
    with pytest.raises(NotValid) as problem:
        read('<DisplayField/>\n<DisplayField id="A"/>\n<DisplayField id="B" built-in="magic"/>')
    assert [reason.split(": ")[0] for reason in problem.value.reasons] == [
        f"ex_display.xml, line {n}" for n in (2, 3, 4)
    ]


def test_a_field_that_sorts_by_itself_is_no_circle() -> None:
    assert read(sorted_by("AA", "BA")).fields["B"].sort_by == "A"


def test_foreign_sql_of_a_site_is_left_out_and_named(caplog: pytest.LogCaptureFixture) -> None:
    body = (
        '<DisplayField id="BAD"><DisplayFieldElement schema-element="ex:moodData/a"/>'
        "<Content>(SELECT login FROM xdat_user)</Content></DisplayField>"
        f'<SQLView name="V" sql="SELECT 1"/>{A}'
    )
    with caplog.at_level(logging.WARNING):
        document = read_display(displays(body), "ex_display.xml", foreign_sql="leave out")
    assert list(document.fields) == ["A"]
    assert document.left_out == ("BAD", "SQLView V")
    assert "the Content of BAD is not read" in caplog.text


# Against the types


def add_type(folder: Path, display: str, base: str = "xnat:subjectAssessorData") -> DataTypes:
    (folder / "ex/display").mkdir(parents=True)
    (folder / "ex/ex.xsd").write_text(
        '<xs:schema targetNamespace="http://example.org/ex" xmlns:ex="http://example.org/ex" '
        'xmlns:xnat="http://nrg.wustl.edu/xnat" xmlns:xs="http://www.w3.org/2001/XMLSchema">'
        '<xs:element name="Mood" type="ex:moodData"/><xs:complexType name="moodData"><xs:complexContent>'
        f'<xs:extension base="{base}"><xs:sequence>'
        '<xs:element name="score" type="xs:double" minOccurs="0"/>'
        '<xs:element name="Day" type="xs:date" minOccurs="0"/>'
        "</xs:sequence></xs:extension></xs:complexContent></xs:complexType></xs:schema>"
    )
    if display:
        (folder / "ex/display/ex_moodData_display.xml").write_bytes(displays(display))
    return load_types([folder])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            element("ex:moodData/scored"),
            "ex_moodData_display.xml: A reads ex:moodData/scored, which no schema defines",
        ),
        (
            element("ex:modData/score", "<Content>@Field1 + 1</Content>"),
            "A reads ex:modData/score, which no schema defines",
        ),
        (
            element("xnat:projectData/name"),
            "A reads xnat:projectData, which ex:moodData does not lead to",
        ),
        ('<DisplayField id="A" built-in="label" sort-by="Z"/>', "A sorts by Z, which is no field"),
        (
            element("ex:moodData/score", HREF % 'field="Z"'),
            "A links by Z, which is no field",
        ),
    ],
)
def test_a_document_that_names_what_does_not_exist(tmp_path: Path, body: str, message: str) -> None:
    with pytest.raises(NotValid) as problem:
        add_type(tmp_path, body)
    assert message in str(problem.value)


def test_a_field_without_data_type_has_that_of_its_element(tmp_path: Path) -> None:
    field = '<DisplayField id="D"><DisplayFieldElement schema-element="ex:moodData/Day"/></DisplayField>'
    assert add_type(tmp_path, field).display("ex:moodData").fields["D"].value_type == "date"


COMMON = ["EXPT_ID", "RPT", "DATE"]
IDENTIFIER, FIELD_MAP = "EX_MOODDATA_PROJECT_IDENTIFIER", "EX_MOODDATA_FIELD_MAP"
PROJECT_FIELDS = ["PROJECTS", "LABEL", "PROJECT", IDENTIFIER, "INSERT_DATE", "INSERT_USER", FIELD_MAP]
SUBJECT_LABEL = "xnat:subjectData SUBJECT_LABEL"
OURS = ["SUBJECT_LABEL", "GENDER", "FILE_COUNT", "FILE_BYTES"]


@pytest.mark.parametrize(
    ("base", "expected", "listing"),
    [
        (
            "xnat:subjectAssessorData",
            ["SUBJECT_ID", *COMMON, "AGE", *PROJECT_FIELDS, *OURS, "SCORE", "DAY"],
            [
                "RPT",
                "LABEL",
                SUBJECT_LABEL,
                "DATE",
                "xnat:subjectData GENDER",
                "AGE",
                "SCORE",
                "DAY",
            ],
        ),
        (
            "xnat:imageAssessorData",
            [
                *COMMON,
                "SESSION_ID",
                "MR_DATE",
                "AGE",
                *PROJECT_FIELDS,
                "SCORE",
                "DAY",
            ],
            ["RPT", "LABEL", "xnat:mrSessionData LABEL", SUBJECT_LABEL, "SCORE", "DAY"],
        ),
        (
            "xnat:experimentData",
            [*COMMON, *PROJECT_FIELDS, "SCORE", "DAY"],
            ["RPT", "LABEL", "DATE", "SCORE", "DAY"],
        ),
    ],
)
def test_the_default_document(tmp_path: Path, base: str, expected: list[str], listing: list[str]) -> None:
    document = add_type(tmp_path, "", base).display("ex:moodData")
    assert list(document.fields) == expected
    assert document.fields["SCORE"].header == "score"
    assert document.fields["SCORE"].value_type == "float"
    assert list(document.versions) == ["listing", "listing_csv", "full", "detailed", "project_bundle"]
    shown = [
        f.field_id if f.element_name == "ex:moodData" else f"{f.element_name} {f.field_id}"
        for f in document.versions["listing"].fields
    ]
    assert shown == listing
    assert {(v.order_by, v.sort_order) for v in document.versions.values()} == {("DATE", "DESC")}
    assert [f.field_id for f in document.versions["detailed"].fields] == ["SCORE", "DAY"]
    assert document.versions["project_bundle"].fields[0].field_id == IDENTIFIER
    not_listed = [i for i, f in document.fields.items() if not f.searchable]
    assert set(not_listed) <= {"RPT", IDENTIFIER, FIELD_MAP, "FILE_COUNT", "FILE_BYTES"}
    label = document.fields["LABEL"]
    assert label.link_fields == ("EXPT_ID", "INSERT_DATE", "INSERT_USER", "PROJECTS", "PROJECT")
    assert document.fields[IDENTIFIER].link_fields == ("EXPT_ID", "PROJECTS", "PROJECT")


def test_every_other_type_has_a_field_per_leaf(types: DataTypes) -> None:
    document = types.display("xnat:validationData")
    leaves = [leaf.column.upper() for leaf in types.get("xnat:validationData").fields]
    assert list(document.fields) == leaves


def test_subjects_and_sessions_count_what_a_site_adds(tmp_path: Path) -> None:
    types = add_type(tmp_path, "")
    field = types.display("xnat:subjectData").fields["CNT_EX_MOODDATA"]
    assert (field.header, field.value_type, field.valued, field.searchable) == (
        "Mood",
        "integer",
        True,
        False,
    )
    assert field.expression == ("count_in_project", "ex:moodData")
    sessions = types.display("xnat:mrSessionData").fields
    assert "CNT_XNAT_QCMANUALASSESSORDATA" in sessions
    assert "CNT_EX_MOODDATA" not in sessions
    assert {"SCAN_COUNT_TYPE", "SCAN_COUNT_L_TYPE", "SCAN_COUNT_DESC", "SCAN_COUNT_L_DESC"} <= set(sessions)
    assert {"SCAN_COUNT_TYPE", "SCAN_COUNT_L_DESC"} <= set(types.display("xnat:petSessionData").fields)


# What the core types promise: id, header, type, S when it is listed. Protocol page, section 2.4.

SUBJECTS = """
SUBJECT_ID Subject string -; SUBJECTID Subject string -
SUBJECT_LABEL Subject string -; PROJECT Project string S
PROJECTS Projects string S; SUB_GROUP Group string S
INSERT_DATE Inserted date S; INSERT_USER Creator string S
GENDER Gender string -; GENDER_TEXT M/F string S; HANDEDNESS Hand string -; HANDEDNESS_TEXT Hand string S
DOB YOB integer S; AGE Age integer S
AGE_BRACKET Age_Bracket string S; EDUC Education integer S; SES Ses integer S
RACE Race string S; ETHNICITY Ethnicity string S; MR_COUNT MR_Count integer -; INVEST_CSV PI string S
ADD_IDS Labels string S; SHARED_LABEL Subject string -
URI URI string -; SUB_PROJECT_IDENTIFIER Subject string -
SUB_EXPT_COUNT Count integer -; XNAT_SUBJECTDATA_FIELD_MAP Field string -
"""
SESSIONS = """
SESSION_ID Session string S; SUBJECT_ID Subject string S; SUBJECT_LABEL Subject_Label string S
LABEL Label string -; PROJECT Project string S
PROJECTS Projects string -; MR_PROJECT_IDENTIFIER MR_ID string -
DATE Date date S; DATE_CHAR Date string -; VISIT Visit string S; AGE Age float S; GEN_AGE Age float S
TYPE Type string S; SCANNER Scanner string -; SCANNER_CSV Scanner string S; OPERATOR Operator string -
MARKER Marker string -; STABILIZATION Stabilization string -; OPERATOR_CSV Operator string S
MARKER_CSV Marker string S; STABILIZATION_CSV Stabilization string S; MR_NOTES Notes string -
MR_NOTES_CSV Notes string -; INVEST PI string S; INVEST_CSV PI string -; INVEST_SEARCH PI string S
INVEST_ID PI string -; DTI_COUNT DTI_Count integer S; MR_SCAN_COUNT_AGG Scans string S
INSERT_DATE Inserted date S; INSERT_USER Creator string S; LAST_MODIFIED Modified date S
WORKFLOW_STATUS Process string -; URI URI string -; MR_EXPT_COUNT Count integer -
XNAT_MRSESSIONDATA_FIELD_MAP Field string -
"""
PROJECTS = """
ID ID string S; NAME Title string S; NAME_CSV Title string S; DESCRIPTION Description string S
DESCRIPTION_CSV Description string S; SECONDARY_ID Running_Title string S
KEYWORDS Keywords string S; PI PI string S
PROJECT_INVS Investigators string S; PROJECT_ACCESS Accessibility string S; PROJECT_USERS Users string S
PROJECT_OWNERS Owners string S; PROJECT_MEMBERS Members string S; PROJECT_COLLABS Collaborators string S
PROJECT_ACCESS_IMG Access string -; PROJ_MR_COUNT MR_Count integer S; PROJ_CT_COUNT CT_Count integer S
PROJ_PET_COUNT PET_Count integer S
PROJ_UT_COUNT UT_Count integer S; PROJ_QUARANTINE Quarantine_Code integer -
PROJ_PREARCHIVE_CODE Prearchive_Code integer -
USER_ROLE Role string -; LAST_ACCESSED Last_Accessed string -
INSERT_DATE Inserted string S; INSERT_USER Creator string S; URI URI string -
"""


@pytest.mark.parametrize(
    ("xsi_type", "table"),
    [("xnat:subjectData", SUBJECTS), ("xnat:mrSessionData", SESSIONS), ("xnat:projectData", PROJECTS)],
)
def test_core_fields_are_those_of_the_protocol(types: DataTypes, xsi_type: str, table: str) -> None:
    fields = types.display(xsi_type).fields
    for entry in table.replace(";", "\n").strip().splitlines():
        field_id, header, shown_type, listed = entry.split()
        field = fields[field_id]
        said = (field.header.replace(" ", "_"), field.shown_type, "S" if field.searchable else "-")
        assert said == (header, shown_type, listed), field_id


PROJECT_LISTING = " ".join(
    (
        "ID NAME DESCRIPTION SECONDARY_ID KEYWORDS PROJ_MR_COUNT PROJ_PET_COUNT PROJ_CT_COUNT",
        "USER_ROLE PROJECT_ACCESS",
    )
)


@pytest.mark.parametrize(
    ("xsi_type", "version", "expected", "order"),
    [
        (
            "xnat:subjectData",
            "listing",
            "SUBJECT_LABEL GENDER HANDEDNESS DOB EDUC SES MR_COUNT",
            "SUBJECT_ID ASC",
        ),
        ("xnat:subjectData", "brief", "SUBJECT_LABEL GENDER HANDEDNESS DOB EDUC SES", "SUBJECT_ID ASC"),
        (
            "xnat:subjectData",
            "project_bundle",
            "SUB_PROJECT_IDENTIFIER GENDER_TEXT HANDEDNESS_TEXT DOB",
            "SUBJECT_ID ASC",
        ),
        (
            "xnat:mrSessionData",
            "listing",
            "LABEL PROJECT DATE SUBJECT_LABEL GENDER_TEXT AGE TYPE SCANNER MR_SCAN_COUNT_AGG",
            "DATE DESC",
        ),
        (
            "xnat:mrSessionData",
            "project_bundle",
            "MR_PROJECT_IDENTIFIER DATE SUB_PROJECT_IDENTIFIER AGE SCANNER MR_SCAN_COUNT_AGG",
            "DATE DESC",
        ),
        ("xnat:mrSessionData", "root", "LABEL PROJECT DATE SUBJECT_LABEL GENDER_TEXT AGE", "DATE DESC"),
        (
            "xnat:mrSessionData",
            "detailed",
            "MR_NOTES LABEL OPERATOR SCANNER MARKER STABILIZATION",
            "DATE DESC",
        ),
        ("xnat:mrSessionData", "core", "SUBJECT_LABEL LABEL DATE GENDER_TEXT AGE", "DATE DESC"),
        (
            "xnat:projectData",
            "listing",
            PROJECT_LISTING,
            "ID DESC",
        ),
    ],
)
def test_core_versions(types: DataTypes, xsi_type: str, version: str, expected: str, order: str) -> None:
    found = types.display(xsi_type).versions[version]
    assert " ".join(f.field_id for f in found.fields) == expected
    assert f"{found.order_by} {found.sort_order}" == order


def test_columns_of_versions_exist(types: DataTypes) -> None:
    for data_type in types.searchable():
        for version in types.display(data_type.xsi_type).versions.values():
            for shown in version.fields:
                assert shown.field_id in types.display(shown.element_name).fields, (data_type.xsi_type, shown)


def test_scans_have_a_field_per_parameter(types: DataTypes) -> None:
    fields = types.display("xnat:mrScanData").fields
    head = "ID IMAGE_SCANDATA_ID SESSION_ID IMAGE_SESSION_ID SESSION_LABEL SUBJECT_ID MR_DATE URI PROJECT"
    rest = "NOTE QUALITY SERIES_DESCRIPTION SCANNER SCANNER_MANUFACTURER TYPE PARAMETERS_TR"
    assert set(head.split()) | set(rest.split()) <= set(fields)
    assert fields["STARTTIME"].header == "startTime"
    assert fields["STARTTIME"].value_type == "time"
    assert fields["SERIES_DESCRIPTION"].header == "series_description"
    assert fields["ID"].link_fields == ("PROJECT", "SUBJECT_ID", "SESSION_ID", "ID")
    assert all(f.searchable for f in fields.values())


def test_the_two_standard_arcs(types: DataTypes) -> None:
    assert types.display("xnat:subjectData").arc_definitions[0].id == "PARTICIPANT_EXPERIMENT"
    assert types.display("xnat:mrSessionData").arc_definitions[0].bridge_field == "SESSION_ID"
    assert types.display("nt:scores").arcs[0].fields[2] == ("EXPT_ID", "EXPT_ID")
    assert types.display("xnat:mrSessionData").arcs[0].fields[2] == ("EXPT_ID", "SESSION_ID")
    assert types.display("xnat:qcManualAssessorData").arcs[0].name == "ASSESSOR"


def test_whole_documents_are_not_added_to(types: DataTypes) -> None:
    fields = types.display("xnat:mrSessionData").fields
    assert not {"EXPT_ID", "COIL", "XNAT_MRSESSIONDATA_PROJECT_IDENTIFIER"} & set(fields)


def test_the_document_of_the_how_to_page_works(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs/how-to/display-document.md").read_text("utf-8")
    document = page.split("```xml\n")[1].split("```")[0]
    types = add_type(tmp_path, "")
    (tmp_path / "ex/display/ex_moodData_display.xml").write_text(document, "utf-8")
    fields = load_types([tmp_path]).display("ex:moodData").fields
    assert {"SCORE", "LEVEL", "AGE_THEN", "LABEL", "DAY"} <= set(fields)
    assert fields["LEVEL"].formula is not None
    assert "LEVEL" not in types.display("ex:moodData").fields

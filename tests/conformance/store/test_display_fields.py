"""Every computation of a display field, on both databases, against numbers worked out by hand.

The site is small and synthetic: three people, five sessions, seven scans, two quality reports, four projects.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pytest

from connectomedb.errors import BadConstraint, ConfigurationError, UnknownDataType
from connectomedb.schema.built_ins import BUILT_INS
from connectomedb.schema.expressions import Input, parse_formula
from connectomedb.schema.model import DisplayField, Item, Value
from connectomedb.schema.registry import load_types
from connectomedb.search.query import CriteriaSet, Criterion, FieldRef, SearchField, SearchQuery, SortBy
from connectomedb.store import computed
from connectomedb.store.archive import Archive
from connectomedb.store.engine import open_engine
from connectomedb.store.rows import Row
from connectomedb.vocabulary.records import Principal

SUBJECT, MR, PET = "xnat:subjectData", "xnat:mrSessionData", "xnat:petSessionData"
QC, SCAN, PROJECT = "xnat:qcManualAssessorData", "xnat:mrScanData", "xnat:projectData"
LONG = "A synthetic project. " * 10


def subject(label: str, *shares: tuple[str, str], **values: Value) -> Item:
    said = {name.replace("__", "/"): value for name, value in values.items()}
    children = {
        "sharing/share": tuple(
            Item("xnat:projectParticipant", {"project": p, "label": name}) for p, name in shares
        )
    }
    return Item(SUBJECT, {"ID": f"S_{label}", "project": "BASE", "label": label, **said}, children)


def scan(number: str, scan_type: str | None, series: str | None, kind: str = SCAN) -> Item:
    values: dict[str, Value] = {"ID": number}
    if scan_type is not None:
        values["type"] = scan_type
    if series is not None:
        values["series_description"] = series
    return Item(kind, values)


def session(
    label: str,
    of: str,
    *scans: Item,
    kind: str = MR,
    shares: tuple[str, ...] = (),
    fields: dict[str, str] | None = None,
    **values: Value,
) -> Item:
    said = {name.replace("__", "/"): value for name, value in values.items()}
    children = {
        "scans/scan": scans,
        "sharing/share": tuple(
            Item("xnat:experimentData_share", {"project": p, "label": f"{label}_{p}"}) for p in shares
        ),
        "fields/field": tuple(
            Item("xnat:experimentData_field", {"name": n, "field": v}) for n, v in (fields or {}).items()
        ),
    }
    whole = {"ID": f"E_{label}", "project": "BASE", "label": label, "subject_ID": f"S_{of}", **said}
    return Item(kind, whole, children)


ITEMS = (
    subject(
        "s1",
        ("Q1", "first"),
        ("HID", "hidden"),
        group="control",
        demographics__dob=date(1990, 6, 15),
        demographics__gender="male",
        demographics__handedness="left",
        investigator__firstname="Ada",
        investigator__lastname="Lovelace",
    ),
    subject(
        "s2",
        ("HID", "secret"),
        demographics__yob=1985,
        demographics__gender="F",
        demographics__handedness="ambidextrous",
        demographics__education=16,
        demographics__ses=3,
    ),
    subject("s3", demographics__age=30, demographics__handedness="unknown"),
    session(
        "m1",
        "s1",
        scan("1", "T1", "MPRAGE one"),
        scan("2", "t1", "MPRAGE_two"),
        scan("3", "T2", "100% T2"),
        scan("4", "DTI", None),
        scan("5", None, "100x T2"),
        scan("6", "DTI", None, "xnat:otherDicomScanData"),
        shares=("Q1",),
        fields={"visit_no": "7", "site": "north"},
        date=date(2020, 6, 14),
        session_type="rest",
        scanner="TrioTim",
        operator="Grace Hopper",
        note="a quiet session",
        marker="abc",
        visit_id="V1",
        investigator__firstname="Ada",
        investigator__lastname="Lovelace",
    ),
    session("m2", "s1", scan("1", "T2", "T2"), date=date(2020, 6, 15), shares=("HID",)),
    session("m3", "s2", date=date(2021, 1, 1)),
    session("m4", "s3", date=date(2021, 1, 1), age=31.7),
    session("p1", "s1", kind=PET, date=date(2021, 12, 31)),
    Item(
        QC,
        {
            "ID": "Q_1",
            "project": "BASE",
            "label": "q1",
            "imageSession_ID": "E_m1",
            "date": date(2020, 7, 1),
            "rater": "jane",
            "pass": "1",
        },
    ),
    Item(QC, {"ID": "Q_2", "project": "BASE", "label": "q2", "imageSession_ID": "E_m1", "pass": "0"}),
)


@pytest.fixture(scope="module")
def archive(database: str) -> Iterator[Archive]:
    archive = Archive(open_engine(database), load_types())
    archive.create()
    for login in ("admin", "reader", "member", "stranger"):
        archive.add_user(login, f"{login} of the test", is_admin=login == "admin")
    archive.add_project("BASE", name="Base", insert_user="admin", accessibility="private")
    archive.add_project("Q1", name="Quarter", insert_user="admin", accessibility="protected")
    archive.add_project("HID", name="Hidden", insert_user="admin", accessibility="private")
    archive.add_project("OPEN", name="Open", insert_user="admin", accessibility="public")
    for project, login, group in (
        ("BASE", "reader", "collaborator"),
        ("Q1", "reader", "owner"),
        ("BASE", "member", "member"),
        ("BASE", "admin", "owner"),
        ("HID", "member", "member"),
    ):
        archive.grant(project, login, group)  # type: ignore[arg-type]  # the groups are literals
    people = [("Ada", "Lovelace"), ("Alan", "Turing"), ("Emmy", "Noether")]
    investigators = tuple(
        Item("xnat:investigatorData", {"firstname": first, "lastname": last}) for first, last in people[1:]
    )
    document = Item(
        PROJECT,
        {
            "ID": "BASE",
            "name": "Base",
            "description": LONG,
            "PI/firstname": "Ada",
            "PI/lastname": "Lovelace",
        },
        {"investigators/investigator": investigators},
    )
    archive.replace_item("BASE", document, archive.find_user("admin"))
    archive.store_items(ITEMS, user="admin")
    yield archive
    archive.close()


@pytest.fixture(scope="module")
def reader(archive: Archive) -> Principal:
    """Reads BASE and Q1, not HID."""
    return archive.find_user("reader")


@pytest.fixture(scope="module")
def member(archive: Archive) -> Principal:
    """Reads BASE and HID, not Q1."""
    return archive.find_user("member")


def values(
    archive: Archive, who: Principal, root: str, field: str, where: CriteriaSet | None = None
) -> dict[str, Any]:
    """A field of every visible item, by its ID."""
    key = FieldRef(root, "ID")
    fields = (SearchField(key), SearchField(FieldRef(root, field)))
    question = SearchQuery(root, fields, where or CriteriaSet("AND", ()), SortBy(key))
    table = archive.search(question, who)
    # The last column is the status; asked for twice, a column is there once.
    return {str(row[0]): row[:-1][-1] for row in table.rows}


def of_subjects(archive: Archive, who: Principal, field: str) -> list[Any]:
    found = values(archive, who, SUBJECT, field)
    return [found[f"S_s{n}"] for n in (1, 2, 3)]


def of_sessions(archive: Archive, who: Principal, field: str) -> list[Any]:
    found = values(archive, who, MR, field)
    return [found[f"E_m{n}"] for n in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("SUBJECT_LABEL", ["s1", "s2", "s3"]),
        ("PROJECTS", [",<BASE>,<Q1>,<HID>", ",<BASE>,<HID>", ",<BASE>"]),
        ("SUB_GROUP", ["control", None, None]),
        ("GENDER", ["male", "F", None]),
        ("GENDER_TEXT", ["M", "F", "U"]),
        ("HANDEDNESS_TEXT", ["L", "A", None]),
        ("DOB", [1990, 1985, None]),
        ("AGE", [None, None, 30]),
        ("AGE_BRACKET", [None, None, "26-30"]),
        ("EDUC", [None, 16, None]),
        ("SES", [None, 3, None]),
        ("MR_COUNT", [2, 1, 1]),
        ("INVEST_CSV", ["Lovelace", None, None]),
        ("ADD_IDS", ["s1, first", "s2", "s3"]),
        ("SHARED_LABEL", ["first", None, None]),
        ("URI", ["/archive/subjects/S_s1", "/archive/subjects/S_s2", "/archive/subjects/S_s3"]),
        ("SUB_PROJECT_IDENTIFIER=BASE", ["s1", "s2", "s3"]),
        ("SUB_PROJECT_IDENTIFIER=Q1", ["first", None, None]),
        ("SUB_PROJECT_IDENTIFIER=HID", [None, None, None]),
        ("SUB_PROJECT_IDENTIFIER=NOWHERE", [None, None, None]),
        ("SUB_EXPT_COUNT=xnat:mrSessionData", [2, 1, 1]),
        ("SUB_EXPT_COUNT=xnat:petSessionData", [1, None, None]),
        ("CNT_XNAT_MRSESSIONDATA=BASE", [2, 1, 1]),
        ("CNT_XNAT_MRSESSIONDATA=Q1", [1, None, None]),
        ("CNT_XNAT_MRSESSIONDATA=HID", [None, None, None]),
        ("CNT_XNAT_PETSESSIONDATA=BASE", [1, None, None]),
    ],
)
def test_fields_of_subjects(archive: Archive, reader: Principal, field: str, expected: list[object]) -> None:
    assert of_subjects(archive, reader, field) == expected


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("SHARED_LABEL", ["hidden", "secret", None]),
        ("ADD_IDS", ["s1, hidden", "s2, secret", "s3"]),
        ("SUB_PROJECT_IDENTIFIER=HID", ["hidden", "secret", None]),
        ("SUB_PROJECT_IDENTIFIER=Q1", [None, None, None]),
        ("CNT_XNAT_MRSESSIONDATA=HID", [1, None, None]),
        ("CNT_XNAT_MRSESSIONDATA=Q1", [None, None, None]),
    ],
)
def test_labels_and_counts_of_a_project_are_for_its_readers(
    archive: Archive, member: Principal, field: str, expected: list[object]
) -> None:
    assert of_subjects(archive, member, field) == expected


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("SESSION_ID", ["E_m1", "E_m2", "E_m3", "E_m4"]),
        ("SUBJECT_LABEL", ["s1", "s1", "s2", "s3"]),
        ("LABEL", ["m1", "m2", "m3", "m4"]),
        ("PROJECTS", ["<BASE>,<Q1>", "<BASE>,<HID>", "<BASE>", "<BASE>"]),
        ("MR_PROJECT_IDENTIFIER=Q1", ["m1_Q1", None, None, None]),
        ("MR_PROJECT_IDENTIFIER=HID", [None, None, None, None]),
        ("DATE_CHAR", ["2020-06-14", "2020-06-15", "2021-01-01", "2021-01-01"]),
        ("VISIT", ["V1", None, None, None]),
        # Born 1990-06-15: 29 the day before the birthday, 30 on it. Born in 1985: 36 in 2021.
        ("AGE", [29, 30, 36, 31]),
        # 10957 and 10958 days; 10957 / 365.25 = 29.998, 10958 / 365.25 = 30.001.
        ("GEN_AGE", [30.0, 30.0, 36.0, 31.7]),
        ("TYPE", ["rest", None, None, None]),
        ("SCANNER", ["TrioTim", None, None, None]),
        ("OPERATOR", ["Grace", None, None, None]),
        ("OPERATOR_CSV", ["Grace Hopper", None, None, None]),
        ("MARKER", ["abc", None, None, None]),
        ("MR_NOTES", ["a quiet s", None, None, None]),
        ("MR_NOTES_CSV", ["a quiet session", None, None, None]),
        ("INVEST", ["Lovelace", None, None, None]),
        ("INVEST_SEARCH", ["Ada Lovelace", None, None, None]),
        ("INVEST_ID", [None, None, None, None]),
        ("DTI_COUNT", [2, None, None, None]),
        ("MR_SCAN_COUNT_AGG", ["DTI(2), T1(1), T2(1), t1(1)", "T2(1)", None, None]),
        ("WORKFLOW_STATUS", [None, None, None, None]),
        ("RPT", ["/@WEBAPPimages/r.gif"] * 4),
        ("URI", [f"/archive/experiments/E_m{n}" for n in (1, 2, 3, 4)]),
        ("MR_EXPT_COUNT=xnat:qcManualAssessorData", [2, None, None, None]),
        ("CNT_XNAT_QCMANUALASSESSORDATA=BASE", [2, None, None, None]),
        ("CNT_XNAT_QCMANUALASSESSORDATA=Q1", [None, None, None, None]),
        ("XNAT_MRSESSIONDATA_FIELD_MAP=visit_no", ["7", None, None, None]),
        ("SCAN_COUNT_TYPE=T1", [2, None, None, None]),
        ("SCAN_COUNT_TYPE=dti", [2, None, None, None]),
        ("SCAN_COUNT_TYPE=T", [None, None, None, None]),
        ("SCAN_COUNT_L_TYPE=t", [5, 1, None, None]),
        ("SCAN_COUNT_DESC=mprage one", [1, None, None, None]),
        ("SCAN_COUNT_L_DESC=mprage", [2, None, None, None]),
        ("SCAN_COUNT_L_DESC=100%", [1, None, None, None]),
        ("SCAN_COUNT_L_DESC=E_", [1, None, None, None]),
    ],
)
def test_fields_of_mr_sessions(
    archive: Archive, reader: Principal, field: str, expected: list[object]
) -> None:
    assert of_sessions(archive, reader, field) == expected


@pytest.mark.parametrize("field", ["INSERT_DATE", "LAST_MODIFIED"])
def test_times_are_times(archive: Archive, reader: Principal, field: str) -> None:
    assert all(isinstance(v, datetime) for v in of_sessions(archive, reader, field))


def test_no_scan_is_no_value_not_zero(archive: Archive, reader: Principal) -> None:
    def ids(comparison: str, value: str = "") -> list[str]:
        criterion = Criterion(FieldRef(MR, "SCAN_COUNT_TYPE=T1"), comparison, value)
        return list(values(archive, reader, MR, "LABEL", CriteriaSet("AND", (criterion,))))

    assert ids("<", "3") == ["E_m1"]
    assert ids("IS NULL") == ["E_m2", "E_m3", "E_m4"]


def test_ages_of_other_sessions_are_computed_likewise(archive: Archive, reader: Principal) -> None:
    assert values(archive, reader, PET, "AGE") == {"E_p1": 31}
    # By the default document: 10974 days are 30 times 365, and 24 more.
    assert values(archive, reader, QC, "AGE") == {"Q_1": 30, "Q_2": None}


def test_fields_of_an_image_assessor(archive: Archive, reader: Principal) -> None:
    assert values(archive, reader, QC, "SESSION_ID") == {"Q_1": "E_m1", "Q_2": "E_m1"}
    assert values(archive, reader, QC, "MR_DATE") == dict.fromkeys(("Q_1", "Q_2"), date(2020, 6, 14))
    assert values(archive, reader, QC, "RATER") == {"Q_1": "jane", "Q_2": None}
    assert values(archive, reader, QC, "XNAT_QCMANUALASSESSORDATA_PROJECT_IDENTIFIER=BASE") == {
        "Q_1": "q1",
        "Q_2": "q2",
    }


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("SESSION_ID", "E_m2"),
        ("IMAGE_SESSION_ID", "E_m2"),
        ("SESSION_LABEL", "m2"),
        ("SUBJECT_ID", "S_s1"),
        ("MR_DATE", date(2020, 6, 15)),
        ("PROJECT", "BASE"),
        ("TYPE", "T2"),
        ("SERIES_DESCRIPTION", "T2"),
        ("URI", "/archive/experiments/E_m2/scans/1"),
        ("INSERT_USER", "admin"),
    ],
)
def test_fields_of_scans(archive: Archive, reader: Principal, field: str, expected: object) -> None:
    of_m2 = Criterion(FieldRef(SCAN, "SESSION_ID"), "=", "E_m2")
    assert values(archive, reader, SCAN, field, CriteriaSet("AND", (of_m2,))) == {"1": expected}


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("DESCRIPTION", LONG[:161]),
        ("PI", "Ada Lovelace"),
        ("PROJECT_INVS", "Lovelace, Ada <br/> Turing, Alan <br/> Noether, Emmy"),
        ("PROJECT_ACCESS", "private"),
        ("PROJECT_ACCESS_IMG", "/@WEBAPPimages/key.gif"),
        ("PROJECT_USERS", "admin <br/> member <br/> reader"),
        ("PROJECT_OWNERS", "admin"),
        ("PROJECT_MEMBERS", "member"),
        ("PROJECT_COLLABS", "reader"),
        ("PROJ_MR_COUNT", 4),
        ("PROJ_PET_COUNT", 1),
        ("PROJ_CT_COUNT", None),
        ("PROJ_UT_COUNT", None),
        ("PROJ_EXPT_COUNT=xnat:qcManualAssessorData", 2),
        ("PROJ_QUARANTINE", 0),
        ("PROJ_PREARCHIVE_CODE", 4),
        ("USER_ROLE={XDAT_USER_ID}", "Collaborators"),
        ("PROJECT_LAST_WORKFLOW", None),
        ("URI", "/archive/projects/BASE"),
    ],
)
def test_fields_of_projects(archive: Archive, reader: Principal, field: str, expected: object) -> None:
    found = values(archive, reader, PROJECT, field)["BASE"]
    assert found == expected if not isinstance(expected, str) else str(found).rstrip() == expected.rstrip()


def test_counts_of_projects_include_shares(archive: Archive, reader: Principal, member: Principal) -> None:
    assert values(archive, reader, PROJECT, "PROJ_MR_COUNT")["Q1"] == 1
    assert values(archive, member, PROJECT, "PROJ_MR_COUNT")["HID"] == 1
    assert values(archive, reader, PROJECT, "PROJECT_ACCESS_IMG")["OPEN"] == "/@WEBAPPimages/globe.gif"


def test_roles_have_the_users_number_in_their_key(archive: Archive, reader: Principal) -> None:
    field = SearchField(FieldRef(PROJECT, "USER_ROLE"), value="{XDAT_USER_ID}")
    table = archive.search(SearchQuery(PROJECT, (SearchField(FieldRef(PROJECT, "ID")), field)), reader)
    assert f"user_role_{reader.user_id}" in table.keys
    roles = {row[0]: row[1] for row in table.rows}
    assert roles == {"BASE": "Collaborators", "Q1": "Owners", "OPEN": None}


def test_settings_visits_and_favourites(archive: Archive, reader: Principal, member: Principal) -> None:
    archive.change_project_setting("Q1", "prearchive_code", 5)
    archive.change_project_setting("Q1", "prearchive_code", 0)
    assert archive.read_project_setting("Q1", "prearchive_code") == 0
    assert values(archive, reader, PROJECT, "PROJ_PREARCHIVE_CODE") == {"BASE": 4, "OPEN": 4, "Q1": 0}
    with pytest.raises(ConfigurationError, match="quarantine_code, prearchive_code"):
        archive.change_project_setting("Q1", "colour", 1)
    mine, theirs = f"LAST_ACCESSED={reader.user_id}", f"LAST_ACCESSED={member.user_id}"
    assert values(archive, reader, PROJECT, mine)["BASE"] is None
    archive.note_project_visit("BASE", member)
    archive.note_project_visit("BASE", reader)
    archive.note_project_visit("BASE", reader)
    assert isinstance(values(archive, reader, PROJECT, mine)["BASE"], datetime)
    assert values(archive, reader, PROJECT, theirs)["BASE"] is None
    assert isinstance(values(archive, archive.find_user("admin"), PROJECT, theirs)["BASE"], datetime)
    assert isinstance(values(archive, reader, PROJECT, "PROJECT_LAST_ACCESS")["BASE"], datetime)
    archive.keep_favorite("BASE", reader)
    archive.keep_favorite("BASE", reader)
    assert values(archive, reader, PROJECT, "PROJECT_FAV") == {"BASE": "1", "OPEN": "0", "Q1": "0"}
    archive.drop_favorite("BASE", reader)
    assert values(archive, reader, PROJECT, "PROJECT_FAV")["BASE"] == "0"


def test_what_can_be_chosen_from(archive: Archive, reader: Principal) -> None:
    assert archive.custom_variables(MR, reader) == ["site", "visit_no"]
    assert archive.custom_variables(PET, reader) == []
    assert archive.custom_variables("xnat:imageSessionData", reader) == ["site", "visit_no"]
    assert archive.custom_variables(MR, archive.find_user("stranger")) == []
    assert archive.read_project_ids(reader) == ["BASE", "OPEN", "Q1"]


def test_wrong_values_are_refused(archive: Archive, reader: Principal) -> None:
    with pytest.raises(UnknownDataType):
        values(archive, reader, SUBJECT, "SUB_EXPT_COUNT=nt:score")
    with pytest.raises(BadConstraint, match="needs a value"):
        values(archive, reader, MR, "SCAN_COUNT_TYPE=")


# Formulas


@pytest.mark.parametrize(
    ("formula", "value_type", "expected"),
    [
        ("COALESCE(NULL, @Note)", "string", "a quiet session"),
        ("COALESCE(NULL, 5, 1.5)", "float", 5.0),
        ("@Note || '!' || 3", "string", "a quiet session!3"),
        ("@Nothing || '!'", "string", None),
        ("SUBSTRING(@Note FROM 3 FOR 5)", "string", "quiet"),
        ("LOWER('ÄB')", "string", "äb"),
        ("NULLIF(@Note, 'a quiet session')", "string", None),
        ("7 / 2", "integer", 3),
        ("7 / 2.0", "float", 3.5),
        ("7 / 0", "integer", None),
        ("-7.5 * 2 + 1", "float", -14.0),
        ("FLOOR(-1.5)", "integer", -2),
        ("FLOOR(3)", "integer", 3),
        ("9999999999 * 9999999999", "integer", None),
        ("9223372036854775807 - 1", "integer", None),
        ("4000000000 * 2000000000", "integer", 8_000_000_000_000_000_000),
        ("CAST(999999999999999.0 * 999999999999999.0 AS INTEGER)", "integer", None),
        ("FLOOR(999999999999999.0 * 999999999999999.0)", "integer", None),
        ("ROUND(999999999999999.0 * 999999999999999.0, 2)", "float", 9.99999999999998e29),
        ("FLOOR(1.5)", "integer", 1),
        ("ROUND(2.675, 2)", "float", 2.68),
        ("ROUND(-0.5)", "float", -1.0),
        ("ROUND(2.5)", "float", 3.0),
        ("EXTRACT(YEAR FROM @Day)", "integer", 2020),
        ("@Day - @Birth", "integer", 10957),
        ("CAST(@Day AS VARCHAR(20))", "string", "2020-06-14"),
        ("CAST('12.5' AS FLOAT) + 1", "float", 13.5),
        ("CAST(' 12 ' AS INTEGER)", "integer", 12),
        ("CAST('12,5' AS NUMERIC)", "float", None),
        ("CAST('nan' AS NUMERIC)", "float", None),
        ("CAST(2.5 AS INTEGER)", "integer", 3),
        ("CAST(@Stored AS DATE) - CAST(@Stored AS DATE)", "integer", 0),
        (
            "CASE WHEN @Day > '2020-01-01' AND NOT @Nothing IS NOT NULL THEN 'late' ELSE 'early' END",
            "string",
            "late",
        ),
        ("CASE @Note WHEN 'x' THEN 1 WHEN 'a quiet session' THEN 2 END", "integer", 2),
        ("CASE WHEN @Note = 'x' OR 1 <> 1 THEN 1 END", "integer", None),
        ("CASE WHEN 1 < 2 THEN 1 ELSE 'two' END", "string", "1"),
        ("CASE WHEN 1 >= 2.5 THEN 'a' WHEN 2 <= 2 THEN 'b' END", "string", "b"),
        ("'it''s'", "string", "it's"),
        ("'%'' OR 1=1 --'", "string", "%' OR 1=1 --"),
    ],
)
def test_formulas_have_one_answer(
    archive: Archive, reader: Principal, formula: str, value_type: Any, expected: object
) -> None:
    inputs = {
        "Note": Input(("element", "note")),
        "Nothing": Input(("element", "stabilization")),
        "Day": Input(("element", "date")),
        "Birth": Input(("element_of", SUBJECT, "demographics/dob")),
        "Stored": Input(("insert_date",)),
    }
    display = DisplayField("X", "X", value_type, ("formula",), formula=parse_formula(formula, inputs))
    found = _one(archive, reader, display)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("@Day + 1", "a number is needed where a date stands"),
        ("EXTRACT(YEAR FROM 'x')", "a string has no year"),
        ("CAST('2020-01-01' AS DATE)", "cannot be cast to a date"),
        ("CAST(@Day AS INTEGER)", "cannot be cast to a number"),
        ("ROUND(1.5, 99)", "digits from 0 to 15"),
    ],
)
def test_formulas_that_the_types_do_not_allow(
    archive: Archive, reader: Principal, formula: str, message: str
) -> None:
    parsed = parse_formula(formula, {"Day": Input(("element", "date"))})
    with pytest.raises(BadConstraint, match=re.escape(message)):
        _one(archive, reader, DisplayField("X", "X", "string", ("formula",), formula=parsed))


def _one(archive: Archive, who: Principal, display: DisplayField) -> object:
    """A display field of session m1, straight from its expression."""
    from sqlalchemy import select

    layout, dialect = archive._layout, archive._dialect
    row = Row(layout, layout.types.get(MR))
    expr = computed.Expressions(layout, dialect, who).of(row, display, "", row.data_type)
    query = select(expr.sql).select_from(row.joined()).where(row.base.c.id == "E_m1")
    with archive.engine.connect() as connection:
        found: object = connection.scalar(query)
    return found


def test_every_built_in_has_its_builder() -> None:
    assert set(computed._BUILDERS) == set(BUILT_INS)


def test_every_field_of_every_type_can_be_computed(
    archive: Archive, reader: Principal, admin: Principal
) -> None:
    """Each display field of each type that has rows or could have: no stub, no failing statement."""
    samples = {"SUB_EXPT_COUNT": MR, "MR_EXPT_COUNT": QC, "PROJ_EXPT_COUNT": MR, "USER_ROLE": "1"}
    for data_type in archive.types.searchable():
        for display in archive.types.display(data_type.xsi_type).fields.values():
            value = samples.get(display.id, "1") if display.valued else ""
            field = SearchField(FieldRef(data_type.xsi_type, display.id), value=value)
            # Closed fields are refused to those without their tier, see test_tiers.
            archive.search(
                SearchQuery(data_type.xsi_type, (field,)), reader if display.tier == "open" else admin
            )

"""From a name to a field: every way to refer to one, and what is refused."""

from __future__ import annotations

from datetime import datetime

import pytest

from connectomedb.errors import BadConstraint, UnknownField
from connectomedb.schema.registry import load_types
from connectomedb.search.explain import explain
from connectomedb.search.expression import in_project, parse_expression, print_expression
from connectomedb.search.operands import parse_operand
from connectomedb.search.operators import join_range, split_range
from connectomedb.search.query import CriteriaSet, Criterion, FieldRef, SearchField, SearchQuery, SortBy
from connectomedb.search.resolve import ResolvedCriterion, ResolvedField, resolve

MR, SUBJECT, SCORES = "xnat:mrSessionData", "xnat:subjectData", "nt:scores"
TYPES = load_types()


def _field(root: str, name: str, value: str = "") -> ResolvedField:
    return resolve(SearchQuery(root, (SearchField(FieldRef(root, name), value=value),)), TYPES).fields[0]


def _criterion(ref: FieldRef, operator: str = "=", value: str = "1", **more: bool) -> ResolvedCriterion:
    where = CriteriaSet("AND", (Criterion(ref, operator, value, **more),))
    query = SearchQuery(SUBJECT, (SearchField(FieldRef(SUBJECT, "SUBJECT_ID")),), where)
    (found,) = resolve(query, TYPES).where.members
    assert isinstance(found, ResolvedCriterion)
    return found


@pytest.mark.parametrize(
    ("root", "name", "field_id", "key"),
    [
        (
            MR,
            "dcmPatientWeight",
            "XNAT_COL_MRSESSIONDATADCMPATIENTWEIGHT",
            "xnat_col_mrsessiondatadcmpatientweight",
        ),
        (MR, f"{MR}/dcmPatientWeight", "XNAT_COL_MRSESSIONDATADCMPATIENTWEIGHT", None),
        (MR, "xnat:imageSessionData/dcmPatientWeight", "XNAT_COL_MRSESSIONDATADCMPATIENTWEIGHT", None),
        (MR, "delay", "XNAT_COL_MRSESSIONDATADELAY", "xnat_col_mrsessiondatadelay"),
        (MR, "ID", "SESSION_ID", "session_id"),
        (MR, "project", "PROJECT", "project"),
        (MR, "subject_ID", "SUBJECT_ID", "subject_id"),
        (SCORES, "ID", "EXPT_ID", "expt_id"),
        (SCORES, "SESSION_ID", "EXPT_ID", "expt_id"),
        (SUBJECT, "group", "SUB_GROUP", "sub_group"),
        (SUBJECT, "SUB_PROJECT_IDENTIFIER.HCP_Q1", "SUB_PROJECT_IDENTIFIER", "sub_project_identifier_hcp_q1"),
        (SUBJECT, "CNT_XNAT_MRSESSIONDATA=HCP_Q1", "CNT_XNAT_MRSESSIONDATA", "cnt_xnat_mrsessiondata_hcp_q1"),
        (SUBJECT, "meta/insert_date", "INSERT_DATE", "insert_date"),
    ],
)
def test_names_of_fields(root: str, name: str, field_id: str, key: str | None) -> None:
    found = _field(root, name)
    assert found.display.id == field_id
    assert key is None or found.key == key


def test_the_value_may_stand_beside_the_name() -> None:
    assert _field(SUBJECT, "CNT_XNAT_MRSESSIONDATA", "HCP_Q1").key == "cnt_xnat_mrsessiondata_hcp_q1"
    with pytest.raises(BadConstraint, match="needs a value"):
        _field(SUBJECT, "CNT_XNAT_MRSESSIONDATA")
    with pytest.raises(UnknownField):
        _field(SUBJECT, "CNT_XNAT_NOSUCHDATA=HCP_Q1")


def test_the_projects_that_it_is_shared_into_may_be_a_column() -> None:
    found = _field(SUBJECT, "sharing/share/project")
    assert found.display.id.endswith("SHARINGSHAREPROJECT")
    with pytest.raises(BadConstraint, match="not as a column"):
        _field(SUBJECT, "fields/field[name=visit]/field")


@pytest.mark.parametrize(
    "name",
    [
        "fields/field[name=visit]/field",
        "fields/field[@name='visit']/field",
        "fields/field[name=visit]",
        'xnat:subjectData/fields/field[@name="visit"]',
    ],
)
def test_entries_are_selected_by_a_leaf(name: str) -> None:
    found = _criterion(FieldRef(SUBJECT, name))
    assert found.display.expression == ("entry", "fields/field/field", "fields/field", "name", "visit")
    assert found.by_path


def test_a_selector_where_nothing_repeats_is_refused() -> None:
    with pytest.raises(BadConstraint, match="repeated part"):
        _criterion(FieldRef(SUBJECT, "demographics[x=1]/gender"))
    plain = _criterion(FieldRef(SUBJECT, "demographics[@xsi:type=xnat:demographicData]/gender"))
    assert plain.display.id == "GENDER"


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("=", "NULL", "IS NULL"),
        ("!=", "null", "IS NOT NULL"),
        ("=", "NOT NULL", "IS NOT NULL"),
        ("IS DISTINCT FROM", "NULL", "IS NOT NULL"),
        ("=", "7", "="),
    ],
)
def test_values_that_are_taken_as_they_are(operator: str, value: str, expected: str) -> None:
    ref = FieldRef(SUBJECT, "demographics/age")
    assert _criterion(ref, operator, value, override_value_formatting=True).comparison_type == expected
    if value != "7":
        with pytest.raises(BadConstraint):
            _criterion(ref, operator, value)


@pytest.mark.parametrize(
    "text",
    ["2011-01-01 03:00:00", "2011-01-01 03:00:00.0", "2011-01-01T03:00:00", "01/01/2011 03:00"],
)
def test_moments(text: str) -> None:
    assert parse_operand(text, "dateTime") == datetime(2011, 1, 1, 3)
    assert parse_operand("2011-01-01", "dateTime") == datetime(2011, 1, 1)


@pytest.mark.parametrize("text", ["20/03/2020", "2020-W12-5", "2020-02-30", "yesterday", "10:00:00+02:00"])
def test_what_is_no_day(text: str) -> None:
    with pytest.raises(ValueError, match=r"no date"):
        parse_operand(text, "date")


@pytest.mark.parametrize("pair", [("a", "b"), ("it's", '"q"'), ("a AND b", " "), ("1", "2"), ("", "x")])
def test_ranges_come_back(pair: tuple[str, str]) -> None:
    assert split_range(join_range(*pair)) == pair


def test_other_types_and_the_order_are_explained() -> None:
    where = CriteriaSet(
        "AND",
        (
            in_project(SCORES, "HCP_Q1"),
            parse_expression("nt:scores/NEOFAC_A > 40 and `fields/field[name=visit]/field` = '2'", SUBJECT),
        ),
    )
    order = SortBy(FieldRef(SCORES, "DATE"))
    query = SearchQuery(SUBJECT, (SearchField(FieldRef(SUBJECT, "SUBJECT_LABEL")),), where, order)
    assert explain(resolve(query, TYPES)) == (
        "The xnat:subjectData rows where the project of nt:scores is HCP_Q1 (owned or shared) and (nt:scores "
        "NEO_NEOFAC_A is above 40 and some fields/field/field with the name visit is 2): SUBJECT_LABEL, by "
        "nt:scores DATE from the latest. All that is said of nt:scores is said of one and the same nt:scores."
    )


@pytest.mark.parametrize(
    "text",
    [
        "AGE is distinct from 3",
        "AGE is not distinct from 3",
        "SES in (1, 2)",
        "LABEL between 'a b' and 'it''s'",
    ],
)
def test_new_words_come_back(text: str) -> None:
    where = parse_expression(text, SUBJECT)
    assert parse_expression(print_expression(where, SUBJECT), SUBJECT) == where

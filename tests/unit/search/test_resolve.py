"""Names and values of a question get their meaning, or a refusal that helps."""

from __future__ import annotations

from datetime import date, time

import pytest

from connectomedb.errors import BadConstraint, QueryError, UnknownDataType, UnknownField
from connectomedb.schema.model import Value
from connectomedb.schema.registry import load_types
from connectomedb.search.explain import explain
from connectomedb.search.expression import in_project, parse_expression
from connectomedb.search.operands import parse_operand
from connectomedb.search.query import CriteriaSet, Criterion, FieldRef, SearchField, SearchQuery
from connectomedb.search.resolve import ResolvedCriterion, ResolvedQuery, resolve

SCORES, SUBJECT = "nt:scores", "xnat:subjectData"
TYPES = load_types()


def _resolve(
    where: CriteriaSet | None = None, columns: tuple[str, ...] = ("SUBJECT_ID",), root: str = SCORES
) -> ResolvedQuery:
    fields = tuple(SearchField(FieldRef(root, c)) for c in columns)
    return resolve(SearchQuery(root, fields, where or CriteriaSet()), TYPES)


def _one(expression: str) -> ResolvedCriterion:
    (found,) = _resolve(parse_expression(expression, SCORES)).where.members
    assert isinstance(found, ResolvedCriterion)
    return found


@pytest.mark.parametrize(
    ("root", "name", "key"),
    [
        (SCORES, "NEO_NEOFAC_A", "neo_neofac_a"),
        (SCORES, "NEO/NEOFAC_A", "neo_neofac_a"),
        (SCORES, "NEOFAC_A", "neo_neofac_a"),
        (SCORES, "neo_neofac_a", "neo_neofac_a"),
        (SCORES, "FILE_COUNT=T1w", "file_count_t1w"),
        (SUBJECT, "SUB_PROJECT_IDENTIFIER=HCP_Q1", "sub_project_identifier_hcp_q1"),
        (SUBJECT, "SUB_PROJECT_IDENTIFIER=a:b,c", "sub_project_identifier_a_col_b_com_c"),
    ],
)
def test_names_of_columns(root: str, name: str, key: str) -> None:
    assert [f.key for f in _resolve(columns=(name,), root=root).fields] == [key]


def test_a_column_of_another_type_carries_its_name() -> None:
    field = SearchField(FieldRef(SUBJECT, "SUBJECT_LABEL"))
    assert resolve(SearchQuery(SCORES, (field,)), TYPES).fields[0].key == "xnat_subjectdata_subject_label"


def test_the_same_column_twice_is_one() -> None:
    assert len(_resolve(columns=("NEOFAC_A", "NEO/NEOFAC_A")).fields) == 1


def test_no_columns_are_the_types_own() -> None:
    assert len(resolve(SearchQuery(SCORES), TYPES).fields) > 5


def test_the_paths_of_xnatpy_become_display_fields() -> None:
    assert [f.display.id for f in _resolve(columns=("project", "subject_ID")).fields] == [
        "PROJECT",
        "SUBJECT_ID",
    ]


def test_a_path_is_not_a_display_field() -> None:
    by_path, by_id = _one("NEO/NEOFAC_A != 3"), _one("NEO_NEOFAC_A != 3")
    assert by_path.by_path
    assert not by_id.by_path
    assert by_path.display == by_id.display


def test_membership_is_recognised() -> None:
    members = _resolve(in_project(SCORES, "HCP_Q1")).where.members
    assert {m.display.expression[0] for m in members if isinstance(m, ResolvedCriterion)} == {
        "member_owner",
        "member_share",
    }


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("33", "integer", 33),
        ("33.0", "integer", 33),
        ("33.5", "integer", 33.5),
        ("1e3", "float", 1000.0),
        ("true", "boolean", True),
        ("2020-03-20", "date", date(2020, 3, 20)),
        ("03/20/2020", "date", date(2020, 3, 20)),
        ("3/2/2020", "date", date(2020, 3, 2)),
        ("20200320", "date", date(2020, 3, 20)),
        ("20-Mar-2020", "date", date(2020, 3, 20)),
        ("10:10:10", "time", time(10, 10, 10)),
        ("08:08:07.999", "time", time(8, 8, 7, 999000)),
        ("01:23", "time", time(1, 23)),
        ("012345", "time", time(1, 23, 45)),
        ("1:23:45 PM", "time", time(13, 23, 45)),
    ],
)
def test_values_as_users_type_them(text: str, kind: str, value: Value) -> None:
    assert parse_operand(text, kind) == value  # type: ignore[arg-type]  # the kinds are literals


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("NEOFAC_A > 'much'", "'much' is not"),
        ("NEOFAC_A > ''", "needs a value"),
        ("NEOFAC_A between 'a' and 'b'", "'a' is not"),
        ("DATE > '31/31/2020'", "is not"),
        ("SUBJECT_ID in ('')", "at least one value"),
    ],
)
def test_a_wrong_value_is_refused(where: str, message: str) -> None:
    with pytest.raises(BadConstraint, match=message):
        _resolve(parse_expression(where, SCORES))


def test_unknown_names_come_with_the_nearest() -> None:
    with pytest.raises(UnknownField, match="did you mean NEO_NEOFAC_A") as field:
        _resolve(columns=("NEO_NEOFAC_AA",))
    assert "NEO_NEOFAC_A" in field.value.nearest
    with pytest.raises(UnknownDataType, match="nt:scores"):
        _resolve(root="nt:score")


def test_a_repeated_part_is_a_condition_not_a_column() -> None:
    with pytest.raises(QueryError, match="not as a column"):
        _resolve(columns=("fields/field/name",))
    assert _one("`fields/field/name` = 'x'").by_path


def test_a_star_asks_for_any_value() -> None:
    star = CriteriaSet("AND", (Criterion(FieldRef(SCORES, "NEO_NEOFAC_A"), "=", "*"),))
    (found,) = _resolve(star).where.members
    assert isinstance(found, ResolvedCriterion)
    assert found.comparison_type == "IS NOT NULL"


def test_a_question_in_words() -> None:
    where = parse_expression("(NEOFAC_A > 40 or IWRD_TOT is null) and files('bart') = 2", SCORES)
    both = CriteriaSet("AND", (in_project(SCORES, "HCP_Q1"), where))
    assert explain(_resolve(both, ("SUBJECT_LABEL",))) == (
        "The nt:scores rows where the project is HCP_Q1 (owned or shared) and ((NEO_NEOFAC_A is above 40 or "
        "CPW_IWRD_TOT has no value) and the number of bart files is 2): SUBJECT_LABEL, by SUBJECT_LABEL."
    )

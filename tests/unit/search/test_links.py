"""What linked columns bring along, and how their links are told."""

from __future__ import annotations

import pytest

from connectomedb.schema.registry import DataTypes, load_types
from connectomedb.search.links import link_columns, link_props
from connectomedb.search.placeholders import fill_user
from connectomedb.search.query import CriteriaSet, Criterion, FieldRef, SearchField, SearchQuery, SortBy
from connectomedb.search.resolve import ResolvedField, resolve

SUBJECT, MR, SCORES = "xnat:subjectData", "xnat:mrSessionData", "nt:scores"


@pytest.fixture(scope="module")
def types() -> DataTypes:
    return load_types()


def columns(types: DataTypes, root: str, *names: str) -> tuple[ResolvedField, ...]:
    refs = (name.rsplit("/", 1) for name in names)
    fields = tuple(SearchField(FieldRef(element, field)) for element, field in refs)
    return resolve(SearchQuery(root, fields), types).fields


@pytest.mark.parametrize(
    ("root", "names", "expected"),
    [
        (SUBJECT, ["xnat:subjectData/SUBJECT_LABEL"], "subjectid insert_date insert_user projects project"),
        (MR, ["xnat:mrSessionData/LABEL"], "session_id insert_date insert_user projects project"),
        (SCORES, ["nt:scores/LABEL"], "expt_id insert_date insert_user projects project"),
        (SUBJECT, ["xnat:subjectData/SUB_PROJECT_IDENTIFIER=Q1"], "subjectid projects project"),
        (SCORES, ["nt:scores/NEO_NEOFAC_A"], ""),
        # What was asked for, and what two columns share, is there once.
        (
            MR,
            [
                "xnat:mrSessionData/LABEL",
                "xnat:mrSessionData/PROJECT",
                "xnat:mrSessionData/MR_PROJECT_IDENTIFIER=Q1",
            ],
            "session_id insert_date insert_user projects",
        ),
        (
            MR,
            ["xnat:subjectData/SUBJECT_LABEL"],
            " ".join(
                f"xnat_subjectdata_{n}"
                for n in ("subjectid", "insert_date", "insert_user", "projects", "project")
            ),
        ),
    ],
)
def test_link_columns(types: DataTypes, root: str, names: list[str], expected: str) -> None:
    fields = columns(types, root, *names)
    assert " ".join(c.key for c in link_columns(fields, types.get(root), types)) == expected


def test_link_columns_are_what_one_would_get_by_asking(types: DataTypes) -> None:
    root = types.get(MR)
    found = link_columns(columns(types, MR, "xnat:mrSessionData/LABEL"), root, types)
    assert found == columns(types, MR, *(f"xnat:mrSessionData/{c.display.id}" for c in found))


def test_the_link_of_a_subject_is_spelled_as_in_xnat(types: DataTypes) -> None:
    (field,) = columns(types, SUBJECT, "xnat:subjectData/SUBJECT_LABEL")
    assert [one.as_json() for one in link_props(field, types.get(SUBJECT))] == [
        {
            "name": "HREF",
            "value": "/app/action/DisplayItemAction/search_value/@Field1/search_element/xnat:subjectData"
            "/search_field/xnat:subjectData.ID",
            "inserts": [{"name": "Field1", "value": "subjectid"}],
        },
        {
            "name": "ONCLICK",
            "value": "return rpt('@Field1','xnat:subjectData','xnat:subjectData.ID');",
            "inserts": [{"name": "Field1", "value": "subjectid"}],
        },
        {
            "name": "TITLE",
            "value": "Inserted: @Field1 (@Field2)",
            "inserts": [
                {"name": "Field2", "value": "insert_user"},
                {"name": "Field1", "value": "insert_date"},
            ],
        },
    ]


def test_inserts_of_another_type_name_its_columns(types: DataTypes) -> None:
    (field,) = columns(types, MR, "xnat:subjectData/SUBJECT_LABEL")
    title = link_props(field, types.get(MR))[2]
    assert title.inserts == (
        ("Field2", "xnat_subjectdata_insert_user"),
        ("Field1", "xnat_subjectdata_insert_date"),
    )


def test_the_value_of_a_valued_field_stands_in_its_link_escaped(types: DataTypes) -> None:
    (field,) = columns(types, SCORES, "nt:scores/NT_SCORES_PROJECT_IDENTIFIER=a'b c")
    href = link_props(field, types.get(SCORES))[0]
    assert href.value.endswith("/search_field/nt:scores.ID/project/a%27b%20c")
    assert href.inserts == (("Field1", "expt_id"),)


def test_columns_without_a_link_have_none(types: DataTypes) -> None:
    (field,) = columns(types, SCORES, "nt:scores/NEO_NEOFAC_A")
    assert link_props(field, types.get(SCORES)) == ()


def test_the_number_of_who_asks_is_filled_in() -> None:
    me = "{XDAT_USER_ID}"
    ref = FieldRef("xnat:projectData", f"USER_ROLE={me}")
    where = CriteriaSet("AND", (CriteriaSet("OR", (Criterion(ref, "=", me),)),))
    fields = (SearchField(FieldRef("xnat:projectData", "USER_ROLE"), value=me), SearchField(ref))
    filled = fill_user(SearchQuery("xnat:projectData", fields, where, SortBy(ref)), 17)
    role = FieldRef("xnat:projectData", "USER_ROLE=17")
    assert filled.fields == (
        SearchField(FieldRef("xnat:projectData", "USER_ROLE"), value="17"),
        SearchField(role),
    )
    # The value of a condition is a text like any other.
    assert filled.where == CriteriaSet("AND", (CriteriaSet("OR", (Criterion(role, "=", me),)),))
    assert filled.sort_by == SortBy(role)

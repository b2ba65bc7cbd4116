"""One question in three spellings; what is written is read back."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from tests.unit.search.strategies import ROOT, criteria, questions

from connectomedb.errors import BadConstraint, ConnectomeDBError, NotValid, NotWellFormed
from connectomedb.search.expression import in_project, parse_expression, print_expression
from connectomedb.search.operators import normalise, split_list, split_range
from connectomedb.search.pyxnat_syntax import parse_constraints, print_constraints
from connectomedb.search.query import CriteriaSet, Criterion, FieldRef, SearchField, SearchQuery, SortBy
from connectomedb.search.search_xml import parse_search, print_search

A = FieldRef(ROOT, "NEOFAC_A")


@given(criteria)
def test_constraint_lists(where: CriteriaSet) -> None:
    assert parse_constraints(print_constraints(where)) == where


@given(criteria)
def test_expressions(where: CriteriaSet) -> None:
    assert parse_expression(print_expression(where, ROOT), ROOT) == where


@given(questions)
def test_search_documents(query: SearchQuery) -> None:
    assert parse_search(print_search(query)) == query


def test_the_parts_of_a_document_stand_in_the_order_of_the_schema() -> None:
    where = CriteriaSet("OR", (Criterion(A, "=", "NULL", override_value_formatting=True),))
    query = SearchQuery(
        ROOT,
        (SearchField(A, "h", "v", visible=False, type="integer"),),
        where,
        SortBy(A),
        "mine",
        tag="HCP_Q1",
        secure=False,
        allowed_users=("jane", "joe"),
        allowed_groups=("HCP_Q1_member",),
    )
    written = print_search(query).decode()
    names = re.findall(r"<xdat:(\w+)", written)
    assert names == [
        *("bundle", "root_element_name"),
        *("search_field", "element_name", "field_ID", "sequence", "type", "header", "value"),
        *("search_where", "criteria", "schema_field", "comparison_type", "value"),
        *("sort_by", "element_name", "field_ID"),
        *("allowed_user", "login", "allowed_user", "login", "allowed_groups", "groupID"),
    ]
    assert 'override_value_formatting="1"' in written
    assert 'visible="0"' in written
    assert 'tag="HCP_Q1"' in written


def test_a_document_is_read_leniently() -> None:
    document = f"""<?xml version="1.0"?><s:Search xmlns:s="http://nrg.wustl.edu/security" xmlns:odd="urn:odd"
      tag="P" secure="FALSE" layeredSequence="3">
      <s:allowed_user><s:login>b</s:login><s:login>a</s:login></s:allowed_user><!-- a comment -->
      <s:allowed_user><s:login>b</s:login></s:allowed_user>
      {_criterion_set("AND", "A")}{_criterion_set("OR", "B")}
      <s:search_field visible="0"><s:field_ID>LATE</s:field_ID><s:element_name>{ROOT}</s:element_name>
        <s:sequence>7</s:sequence></s:search_field>
      <s:search_field><s:type>None</s:type><s:element_name>{ROOT}</s:element_name>
        <s:field_ID>EARLY</s:field_ID><s:sequence>1</s:sequence></s:search_field>
      <s:root_element_name> {ROOT} </s:root_element_name></s:Search>"""
    query = parse_search(document.encode())
    assert query.root == ROOT
    assert [(f.ref.name, f.visible, f.type) for f in query.fields] == [
        ("EARLY", True, "None"),
        ("LATE", False, "string"),
    ]
    assert query.where.method == "AND"
    assert [m.method for m in query.where.members if isinstance(m, CriteriaSet)] == ["AND", "OR"]
    assert (query.tag, query.secure, query.layered_sequence) == ("P", False, "3")
    assert query.allowed_users == ("b", "a")
    assert parse_search(document.replace(' secure="FALSE"', "").encode()).secure


def _criterion_set(method: str, name: str) -> str:
    return (
        f'<s:search_where method="{method}"><s:criteria><s:schema_field>{ROOT}.{name}</s:schema_field>'
        "<s:comparison_type> LIKE </s:comparison_type><s:value> x </s:value></s:criteria></s:search_where>"
    )


def test_more_criteria_than_anybody_means_are_refused() -> None:
    where = CriteriaSet("OR", tuple(Criterion(A, "=", str(n)) for n in range(10_000)))
    with pytest.raises(NotValid, match="10000 criteria are more than 500; IN takes a list"):
        parse_search(print_search(SearchQuery(ROOT, where=where)))


def test_the_tutorials_question_in_three_spellings() -> None:
    spelled = parse_expression("NEOFAC_A > 40 and (IWRD_TOT < 30 or IWRD_TOT >= 35)", ROOT)
    listed = parse_constraints(
        [
            ("nt:scores/NEOFAC_A", ">", 40),
            [("nt:scores/IWRD_TOT", "<", "30"), ("nt:scores/IWRD_TOT", ">=", "35"), "OR"],
            "AND",
        ]
    )
    document = f"""<xdat:bundle xmlns:xdat="http://nrg.wustl.edu/security"><xdat:search_where>
      {_criterion("NEOFAC_A", "&gt;", "40")}
      <xdat:child_set method="or">
      {_criterion("IWRD_TOT", "&lt;", "30")}{_criterion("IWRD_TOT", "&gt;=", "35")}
      </xdat:child_set></xdat:search_where>
      <xdat:root_element_name>nt:scores</xdat:root_element_name></xdat:bundle>"""
    assert spelled == listed == parse_search(document.encode()).where


def _criterion(name: str, comparison: str, value: str) -> str:
    return (
        f"<xdat:criteria><xdat:comparison_type>{comparison}</xdat:comparison_type><xdat:value>{value}</xdat:value>"
        f"<xdat:schema_field>nt:scores/{name}</xdat:schema_field></xdat:criteria>"
    )


def test_membership_is_two_exact_comparisons() -> None:
    assert [str(m.ref) for m in in_project(ROOT, "HCP_Q1").members if isinstance(m, Criterion)] == [
        "nt:scores/sharing/share/project",
        "nt:scores/project",
    ]


def test_functions_of_files() -> None:
    where = parse_expression("has('T1w') and files('bart') >= 2 and bytes('it''s') > 10", ROOT)
    assert [str(m.ref.name) for m in where.members if isinstance(m, Criterion)] == [
        "FILE_COUNT=T1w",
        "FILE_COUNT=bart",
        "FILE_BYTES=it's",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("NEOFAC_A >", "a value"),
        ("(a = 1", "'\\)'"),
        ("a = 1 b", "'and', 'or' or the end"),
        ("a between 1", "'and' of"),
        ("a ! 3", "means nothing"),
        ("x in ()", "a value"),
        ("'a' = 3", "the name of a field"),
        ("not a = 1", "the name of a field"),
        ("a = 'x", "means nothing"),
        ("a is 3", "'null', 'not null' or 'distinct from'"),
        ("files(3) > 1", "what the files are"),
        ("(" * 5000 + "a=1" + ")" * 5000, "levels of brackets"),
    ],
)
def test_a_broken_expression_says_where_and_what_was_expected(text: str, expected: str) -> None:
    with pytest.raises(BadConstraint, match=expected):
        parse_expression(text, ROOT)


@pytest.mark.parametrize(
    "constraints",
    [
        ["AND", ("a:b/c", "=", 1)],
        [("a:b/c", "=")],
        [("a:b/c", "=", 1), 7],
        [("c", "=", 1)],
        [("a:b/c", "sounds like", 1)],
        [("a:b/c", "is", "purple")],
    ],
)
def test_a_broken_constraint_is_named(constraints: list[object]) -> None:
    with pytest.raises(BadConstraint):
        parse_constraints(constraints)


@pytest.mark.parametrize(
    ("spelling", "value", "found"),
    [
        (" like ", "x", ("LIKE", "x")),
        ("<>", "x", ("!=", "x")),
        ("is", " null ", ("IS NULL", "")),
        ("IS", "not  null", ("IS NOT NULL", "")),
        ("is null", "ignored", ("IS NULL", "")),
    ],
)
def test_operators_have_one_spelling(spelling: str, value: str, found: tuple[str, str]) -> None:
    assert normalise(spelling, value) == found


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("1, 2", ("1", "2")),
        ("'a','b, c'", ("a", "b, c")),
        ('"it\'s", x', ("it's", "x")),
        ("'it''s'", ("it's",)),
        ("a,,b,", ("a", "b")),
        ("", ()),
    ],
)
def test_lists(text: str, parts: tuple[str, ...]) -> None:
    assert split_list(text) == parts


def test_lists_and_ranges_that_are_none() -> None:
    with pytest.raises(BadConstraint, match="not closed"):
        split_list("'a")
    with pytest.raises(BadConstraint, match="BETWEEN needs"):
        split_range("1")
    assert split_range("'a' and 'b'") == ("a", "b")


@pytest.mark.parametrize(
    ("document", "error", "message"),
    [
        (b"", NotWellFormed, "empty"),
        (b"<a", NotWellFormed, "not XML"),
        (b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", NotWellFormed, "DOCTYPE"),
        (b"<a/>", NotValid, "no search document"),
        (b'<x:bundle xmlns:x="http://nrg.wustl.edu/security"/>', NotValid, "root_element_name"),
    ],
)
def test_what_is_no_search_document(document: bytes, error: type[ConnectomeDBError], message: str) -> None:
    with pytest.raises(error, match=message):
        parse_search(document)


def _where(inside: str) -> str:
    return f"<x:search_where>{inside}</x:search_where>"


def _field(more: str) -> str:
    named = "<x:element_name>a:b</x:element_name><x:field_ID>A</x:field_ID>"
    return f"<x:search_field>{named}{more}</x:search_field>"


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("<x:search_field><x:field_ID>A</x:field_ID></x:search_field>", "needs element_name"),
        ("<x:search_where method='XOR'/>", "neither AND nor OR"),
        (
            "<x:search_where><x:criteria><x:schema_field>A</x:schema_field></x:criteria></x:search_where>",
            "not type/FIELD",
        ),
        (
            "<x:search_where>" + "<x:child_set>" * 80 + "</x:child_set>" * 80 + "</x:search_where>",
            "nested deeper",
        ),
        (_field("<x:sequence>first</x:sequence>"), "no number"),
    ],
)
def test_a_broken_part_of_a_document_is_named(part: str, message: str) -> None:
    text = (
        '<x:bundle xmlns:x="http://nrg.wustl.edu/security"><x:root_element_name>nt:scores</x:root_element_name>'
        f"{part}</x:bundle>"
    )
    with pytest.raises(NotValid, match=message):
        parse_search(text.encode())


def test_a_set_that_is_nested_too_deep_is_refused_as_it_is_built() -> None:
    where = CriteriaSet("AND", (Criterion(A, "=", "1"),))
    for _ in range(64):
        where = CriteriaSet("OR", (where,))
    assert where.depth == 64
    with pytest.raises(BadConstraint, match="nested deeper than 64 levels"):
        CriteriaSet("OR", (where,))
    question = SearchQuery(ROOT, (), where)
    assert parse_constraints(print_constraints(where)) == where
    assert hash(question) == hash(question.bare())

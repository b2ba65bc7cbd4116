"""Questions that are too much, too deep or hostile: a right answer, or a refusal that says why."""

from __future__ import annotations

import pytest
from tests.conformance.store.test_archive import ask

from connectomedb.errors import BadConstraint, NotValid, UnknownField
from connectomedb.search.expression import parse_expression
from connectomedb.search.pyxnat_syntax import parse_constraints
from connectomedb.search.query import CriteriaSet, Criterion, FieldRef, SearchField, SearchQuery
from connectomedb.search.search_xml import parse_search, print_search
from connectomedb.store.archive import Archive
from connectomedb.vocabulary.records import Principal

ROOT = "nt:scores"
A = FieldRef(ROOT, "NEO_NEOFAC_A")
LABEL = FieldRef(ROOT, "LABEL")


def _where(*members: Criterion | CriteriaSet) -> CriteriaSet:
    return CriteriaSet("AND", members)


def test_ten_thousand_conditions_are_refused(archive: Archive, admin: Principal) -> None:
    many = [Criterion(A, ">", "0")] * 10_000
    for where in (_where(*many), _where(*(_where(*many[:100]) for _ in range(100)))):
        with pytest.raises(BadConstraint, match=r"10000 conditions are more than 500; IN takes a list"):
            ask(archive, admin, where)
    with pytest.raises(BadConstraint, match="more than 500"):
        ask(archive, admin, " and ".join(["NEOFAC_A > 0"] * 10_000))
    with pytest.raises(NotValid, match="more than 500"):
        parse_search(print_search(SearchQuery(ROOT, (), _where(*many))))


@pytest.mark.parametrize("operator", ["=", "!=", "LIKE", "IS NULL"])
def test_as_many_conditions_as_are_taken_are_answered(
    archive: Archive, admin: Principal, operator: str
) -> None:
    value = "" if operator == "IS NULL" else "33"
    for method in ("AND", "OR"):
        where = CriteriaSet("AND" if method == "AND" else "OR", (Criterion(A, operator, value),) * 500)
        assert ask(archive, admin, where) == ask(archive, admin, _where(Criterion(A, operator, value)))
    joined = FieldRef("xnat:subjectData", "LABEL")
    scores = Criterion(FieldRef(ROOT, "NEO_NEOFAC_A"), ">", "40")
    subjects = ask(archive, admin, _where(*(scores,) * 500), ("LABEL",), joined.element_name)
    assert subjects == ask(archive, admin, _where(scores), ("LABEL",), joined.element_name)


def _nested(depth: int) -> CriteriaSet:
    where = _where(Criterion(A, ">", "40"))
    for n in range(depth):
        where = CriteriaSet("OR" if n % 2 else "AND", (where, Criterion(A, ">", str(100 + n))))
    return where


def test_sets_in_sets(archive: Archive, admin: Principal) -> None:
    assert len(ask(archive, admin, _nested(60))) == 0
    with pytest.raises(BadConstraint, match="deeper than 64"):
        ask(archive, admin, _nested(70))
    with pytest.raises(BadConstraint, match="levels"):
        parse_expression("(" * 5_000 + "NEOFAC_A > 1" + ")" * 5_000, ROOT)
    deep: list[object] = [("nt:scores/NEOFAC_A", ">", "1")]
    for _ in range(100):
        deep = [deep]
    with pytest.raises(BadConstraint, match="deeper"):
        parse_constraints(deep)


@pytest.mark.parametrize(
    "text",
    [
        "'; DROP TABLE item; --",
        '" OR 1=1 --',
        "x' UNION SELECT password_hash FROM account --",
        ":label",
        "%(label)s",
        "%%s",
        "?",
        "$1",
        "\\",
        "{}",
        "\U0001f9e0",
    ],
)
def test_sql_in_values_and_names_is_text(archive: Archive, admin: Principal, text: str) -> None:
    assert ask(archive, admin, _where(Criterion(LABEL, "=", text))) == []
    assert ask(archive, admin, _where(Criterion(LABEL, "LIKE", text.replace("\\", "\\\\") + "x"))) == []
    assert len(ask(archive, admin, _where(Criterion(LABEL, "!=", text)))) > 76
    with pytest.raises(UnknownField):
        ask(archive, admin, _where(Criterion(FieldRef(ROOT, text), "=", "1")))
    with pytest.raises(UnknownField):
        ask(archive, admin, CriteriaSet(), (text,))
    label = FieldRef("xnat:subjectData", f"SUB_PROJECT_IDENTIFIER={text}")
    assert ask(archive, admin, _where(Criterion(label, "IS NOT NULL"))) == []


@pytest.mark.parametrize(("text", "message"), [("a\0b", "NUL"), ("a\ud800b", "half a character")])
@pytest.mark.parametrize("operator", ["=", "LIKE", "IN", "BETWEEN"])
def test_text_that_no_database_holds(
    archive: Archive, admin: Principal, text: str, message: str, operator: str
) -> None:
    value = f"'{text}' AND 'z'" if operator == "BETWEEN" else text
    with pytest.raises(BadConstraint, match=message):
        ask(archive, admin, _where(Criterion(LABEL, operator, value)))


@pytest.mark.parametrize(
    ("operator", "value", "n"),
    [
        (">", "9" * 30, 0),
        ("<", "9" * 30, 77),
        ("<=", "-" + "9" * 30, 0),
        (">", "-" + "9" * 30, 77),
        ("=", "9" * 30, 0),
        ("!=", "9" * 30, 79),
        ("=", "33.5", 0),
        ("IN", "33.5, " + "9" * 400, 0),
        ("BETWEEN", f"-{'9' * 300} AND {'9' * 300}", 77),
        ("<", "1e300", 77),
    ],
)
def test_numbers_beyond_any_integer(
    archive: Archive, admin: Principal, operator: str, value: str, n: int
) -> None:
    in_q1 = parse_constraints([("nt:scores/PROJECTS", "LIKE", "%<HCP_Q1>%")])
    rows = ask(archive, admin, _where(in_q1, Criterion(A, operator, value)))
    # Two of the 76 have no value; `!=` of a display field is true of those.
    assert len(rows) == {77: 74, 79: 76}.get(n, n)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e999", "9" * 5_000, "0x10", "1_000", "٣"])
def test_what_is_no_number(archive: Archive, admin: Principal, value: str) -> None:
    for name in ("NEO_NEOFAC_A", "ER40_ER40_CRT"):
        with pytest.raises(BadConstraint, match="is not"):
            ask(archive, admin, _where(Criterion(FieldRef(ROOT, name), ">", value)))


def test_three_hundred_columns(archive: Archive, admin: Principal) -> None:
    names = [f"NT_SCORES_PROJECT_IDENTIFIER=P{n}" for n in range(300)]
    rows = ask(archive, admin, CriteriaSet(), ("LABEL", *names))
    assert {len(row) for row in rows} == {301}
    with pytest.raises(BadConstraint, match="more than 1500"):
        ask(archive, admin, CriteriaSet(), tuple(f"NT_SCORES_PROJECT_IDENTIFIER=P{n}" for n in range(1_600)))


@pytest.mark.parametrize(
    ("name", "values", "n"),
    [
        ("NEO_NEOFAC_A", [str(n) for n in range(33, 50_033)], None),
        ("ER40_ER40_CRT", [f"{n}.0" for n in range(50_000)], None),
        ("LABEL", [f"{n:06d}_NonToolbox" for n in range(100_000, 150_000)], None),
        ("DATE", [f"{1 + n % 9_000:04d}-01-{1 + n % 28:02d}" for n in range(50_000)], 0),
    ],
)
def test_a_list_of_fifty_thousand(
    archive: Archive, admin: Principal, name: str, values: list[str], n: int | None
) -> None:
    listed = ", ".join(values)
    ref = FieldRef(ROOT, name)
    columns = ("EXPT_ID", name)
    every = {row[1] for row in ask(archive, admin, CriteriaSet(), columns) if row[1] is not None}
    inside = ask(archive, admin, _where(Criterion(ref, "IN", listed)), columns)
    outside = ask(archive, admin, _where(Criterion(ref, "NOT IN", listed)), columns)
    assert {row[1] for row in inside} | {row[1] for row in outside} == every
    known = set(values)
    assert all(str(row[1]) in known for row in inside)
    assert not any(str(row[1]) in known for row in outside)
    assert n is None or len(inside) == n


def test_patterns_have_an_end(archive: Archive, admin: Principal) -> None:
    with pytest.raises(BadConstraint, match="60000 characters"):
        ask(archive, admin, _where(Criterion(LABEL, "LIKE", "%a" * 30_000)))
    with pytest.raises(BadConstraint, match="lone backslash"):
        ask(archive, admin, _where(Criterion(FieldRef(ROOT, "PROJECTS"), "LIKE", "%<HCP_Q1\\")))


def test_types_that_do_not_connect_are_both_named(archive: Archive, admin: Principal) -> None:
    for root, other in (("xnat:projectData", "nt:scores"), ("nt:scores", "xnat:genericData")):
        with pytest.raises(BadConstraint, match=f"{other} does not connect to {root}"):
            archive.search(SearchQuery(root, (SearchField(FieldRef(other, "LABEL")),)), admin)

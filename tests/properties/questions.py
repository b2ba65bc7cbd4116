"""Questions at random, each as the reference and as a user would put it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

from hypothesis import strategies as st
from tests.properties.reference import Condition, Field, Group, Question, printed
from tests.properties.worlds import POOLS, PROJECTS

from connectomedb.search.expression import parse_expression, print_expression
from connectomedb.search.operators import join_range, normalise
from connectomedb.search.pyxnat_syntax import parse_constraints, print_constraints
from connectomedb.search.query import CriteriaSet, Criterion, FieldRef, SearchField, SearchQuery, SortBy
from connectomedb.search.search_xml import parse_search, print_search

COMPARED = ("=", "!=", "<", "<=", ">", ">=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM")
_PROJECT_PATTERNS = (
    *("%P1%", "%<P1>%", "%p_1%", "%A_C%", "%<A_C>%", "%a\\_c%", "%P1>,<P1b%", "P1%", "%__P1%", "%_<P1%"),
    *("%P1", "%<P1%", "%P1>%", "%_%", "%___%", "%,%", "%\\,%", "%%", "%P%1%", ",%", "%OPEN%", "<%", "%<%"),
)
_BROKEN_NUMBERS = (33.5, -0.5, 2.0**63, -(2.0**64), 9.5e18, 1e300)


def spelled(value: Any, kind: str) -> st.SearchStrategy[str]:
    """Ways to type a value."""
    if isinstance(value, bool):
        return st.sampled_from(("1", "true", "TRUE") if value else ("0", "false"))
    if isinstance(value, datetime):
        forms = [f"{value:%Y-%m-%d %H:%M:%S}.{value.microsecond:06d}", value.isoformat()]
        if not value.microsecond:
            forms.append(f"{value:%m/%d/%Y %H:%M:%S}")
            if not value.second:
                forms.append(f"{value:%m/%d/%Y %H:%M}")
        if value.time() == time():
            forms += [f"{value:%m/%d/%Y}", value.date().isoformat()]
        return st.sampled_from(forms)
    if isinstance(value, date):
        year = f"{value.year:04d}"
        forms = [f"{year}-{value:%m-%d}", f"{value:%m/%d/}{year}", f"{value.month}/{value.day}/{year}"]
        forms += [f"{year}{value:%m%d}", f"{year}.{value:%m.%d}", f"{value:%m.%d.}{year}"]
        forms += [f"{value:%d-%b-}{year}", f"{value:%B %d, }{year}"]
        return st.sampled_from(forms)
    if isinstance(value, time):
        forms = [printed(value), value.isoformat()]
        if not value.microsecond:
            forms += [f"{value:%H%M%S}", f"{value:%I:%M:%S %p}"]
            if not value.second:
                forms.append(f"{value:%H:%M}")
        return st.sampled_from(forms)
    if kind in ("integer", "float") and isinstance(value, int | float):
        forms = [str(value), f" {value} "]
        if isinstance(value, int):
            forms += [f"{value}.0"]
        elif value.is_integer() and abs(value) < 1e6:
            forms += [str(int(value)), f"{value:e}"]
        return st.sampled_from(forms)
    return st.just(str(value))


@st.composite
def operands(draw: st.DrawFn, field: Field) -> tuple[Any, str]:
    """A value to compare with, and how it is typed."""
    if field.name in ("PROJECT", "project", "sharing/share/project"):
        value: Any = draw(st.sampled_from(PROJECTS))
    elif field.kind == "integer":
        value = draw(st.sampled_from(POOLS["integer"] + _BROKEN_NUMBERS))
    else:
        value = draw(st.sampled_from(POOLS[field.kind]))
    return value, draw(spelled(value, field.kind))


def _no_star(field: Field) -> st.SearchStrategy[tuple[Any, str]]:
    """A lone star asks a display field for any value: that is a shape of its own."""
    return operands(field).filter(lambda pair: field.by_path or pair[1] != "*")


@st.composite
def patterns(draw: st.DrawFn, field: Field) -> str:
    if field.name == "PROJECTS":
        return draw(st.sampled_from(_PROJECT_PATTERNS))
    text = printed(draw(operands(field))[0]) if field.kind != "string" else draw(operands(field))[0]
    pieces = []
    for character in text:
        how = draw(st.sampled_from("cccccc_%eU"))
        if how == "U":
            pieces.append(character.swapcase() if len(character.swapcase()) == 1 else character)
        elif how in "_%":
            pieces.append(how)
        else:
            pieces.append("\\" + character if character in "\\%_" or how == "e" else character)
    head, tail = draw(st.sampled_from((("", ""), ("%", ""), ("", "%"), ("%", "%"))))
    return f"{head}{''.join(pieces)}{tail}"


@st.composite
def conditions(draw: st.DrawFn, fields: Sequence[Field]) -> Condition:
    field = draw(st.sampled_from(fields))
    shape = draw(st.sampled_from(("compare", "compare", "like", "null", "list", "range", "empty", "star")))
    if field.name == "PROJECTS":
        shape = draw(st.sampled_from(("like", "like", "null", "compare")))
    if shape == "compare":
        value, text = draw(_no_star(field))
        return Condition(field, draw(st.sampled_from(COMPARED)), text, (value,))
    if shape == "like":
        return Condition(field, draw(st.sampled_from(("LIKE", "NOT LIKE"))), draw(patterns(field)))
    if shape == "list":
        found = draw(st.lists(_no_star(field), min_size=1, max_size=4))
        listed = ", ".join("'" + text.replace("'", "''") + "'" for _, text in found)
        operator = draw(st.sampled_from(("IN", "NOT IN")))
        return Condition(field, operator, listed, tuple(value for value, _ in found))
    if shape == "range":
        (low, low_text), (high, high_text) = draw(operands(field)), draw(operands(field))
        return Condition(field, "BETWEEN", join_range(low_text, high_text), (low, high))
    if shape == "empty":
        return Condition(field, draw(st.sampled_from(("=", "!="))), "")
    if shape == "star" and not field.by_path:
        return Condition(field, draw(st.sampled_from(("=", "<", ">=", "IN"))), "*")
    return Condition(field, draw(st.sampled_from(("IS NULL", "IS NOT NULL"))))


@st.composite
def memberships(draw: st.DrawFn, fields: Sequence[Field]) -> Group:
    """'In project P' of one of the types."""
    types = sorted({f.xsi_type for f in fields if f.name == "sharing/share/project"})
    xsi_type = draw(st.sampled_from(types))
    project = draw(st.sampled_from(PROJECTS))
    both = [f for f in fields if f.xsi_type == xsi_type and f.name in ("project", "sharing/share/project")]
    return Group("OR", tuple(Condition(f, "=", project, (project,)) for f in both))


def _column(field: Field) -> tuple[str, str]:
    """What tells columns apart: a path and its display field are one; so are the two ids of a session."""
    name = field.name.removeprefix("demographics/").upper().replace("/", "_")
    return field.xsi_type, "SESSION_ID" if name == "EXPT_ID" else name


@st.composite
def questions(draw: st.DrawFn, catalog: Mapping[str, tuple[Field, ...]], roots: Sequence[str]) -> Question:
    root = draw(st.sampled_from(roots))
    types = [root, *draw(st.lists(st.sampled_from(sorted(catalog)), max_size=2))]
    fields = [f for name in dict.fromkeys(types) for f in catalog[name]]
    members: st.SearchStrategy[Condition | Group] = conditions(fields)
    if any(f.name == "sharing/share/project" for f in fields):
        members = st.one_of(members, members, members, memberships(fields))
    tree = st.recursive(
        members,
        lambda inner: st.builds(
            Group, st.sampled_from(("AND", "OR")), st.lists(inner, min_size=2, max_size=3).map(tuple)
        ),
        max_leaves=5,
    )
    where = Group("AND", tuple(draw(st.lists(tree, max_size=2))))
    single = [f for f in fields if not f.repeated]
    columns = draw(st.lists(st.sampled_from(single), min_size=1, max_size=4, unique_by=_column))
    return Question(root, tuple(columns), where, draw(st.sampled_from(single)), draw(st.booleans()))


SPELLINGS = ("value", "document", "list", "expression")


def as_query(question: Question, spelling: str) -> SearchQuery:
    """The question as a user puts it, through one of the spellings."""
    fields = tuple(SearchField(FieldRef(f.xsi_type, f.name)) for f in question.columns)
    order = SortBy(
        FieldRef(question.order.xsi_type, question.order.name), "DESC" if question.descending else "ASC"
    )
    where = as_criteria(question.where)
    if spelling == "list":
        where = parse_constraints(print_constraints(where), question.root)
    elif spelling == "expression":
        where = parse_expression(print_expression(where, question.root), question.root)
    query = SearchQuery(question.root, fields, where, order)
    if spelling == "document":
        read = parse_search(print_search(query))
        # A document says nothing of the direction.
        query = SearchQuery(read.root, read.fields, read.where, order)
    return query


def as_criteria(group: Group) -> CriteriaSet:
    return CriteriaSet(
        group.method,
        tuple(
            as_criteria(m)
            if isinstance(m, Group)
            else Criterion(FieldRef(m.field.xsi_type, m.field.name), *normalise(m.operator, m.text))
            for m in group.members
        ),
    )

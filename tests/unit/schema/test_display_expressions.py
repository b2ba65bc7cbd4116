"""The language of display documents: what it holds, what it refuses, and that nothing else can happen."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectomedb.schema.expressions import (
    Call,
    Case,
    Cast,
    Constant,
    Formula,
    Input,
    inputs_of,
    parse_formula,
)

A, B = Input(("element", "a")), Input(("label",))
INPUTS = {"Field1": A, "Field2": B}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@Field1", A),
        ("'it''s'", Constant("it's")),
        ("12", Constant(12)),
        ("1.50", Constant(1.5)),
        ("NULL", Constant(None)),
        ("coalesce(@Field1, @Field2, 'x')", Call("coalesce", (A, B, Constant("x")))),
        ("@Field1||@Field2||'x'", Call("concat", (Call("concat", (A, B)), Constant("x")))),
        ("SUBSTRING(@Field1, 1, 5)", Call("substring", (A, Constant(1), Constant(5)))),
        ("substring ( @Field1 from 2 for 3 )", Call("substring", (A, Constant(2), Constant(3)))),
        ("EXTRACT(YEAR FROM @Field1)", Call("year", (A,))),
        ("FLOOR(@Field1 / 2)", Call("floor", (Call("divide", (A, Constant(2))),))),
        ("ROUND(@Field1, 2)", Call("round", (A, Constant(2)))),
        ("CAST(@Field1 AS VARCHAR(255))", Cast(A, "string")),
        ("CAST(@Field1 AS double precision)", Cast(A, "float")),
        ("1 + 2 * 3", Call("add", (Constant(1), Call("multiply", (Constant(2), Constant(3)))))),
        ("(1 + 2) * 3", Call("multiply", (Call("add", (Constant(1), Constant(2))), Constant(3)))),
        ("1 - 2 - 3", Call("subtract", (Call("subtract", (Constant(1), Constant(2))), Constant(3)))),
        ("-@Field1", Call("negate", (A,))),
        (
            "CASE WHEN @Field1 = 1 AND NOT @Field2 IS NULL THEN 'x' ELSE 'y' END",
            Case(
                (
                    (
                        Call(
                            "and",
                            (Call("equal", (A, Constant(1))), Call("not", (Call("is_null", (B,)),))),
                        ),
                        Constant("x"),
                    ),
                ),
                Constant("y"),
            ),
        ),
        (
            "CASE @Field1 WHEN 1 THEN 'x' WHEN 2 THEN 'y' END",
            Case(
                (
                    (Call("equal", (A, Constant(1))), Constant("x")),
                    (Call("equal", (A, Constant(2))), Constant("y")),
                ),
                Constant(None),
            ),
        ),
        (
            "CASE WHEN (@Field1 <> 1 OR @Field1 >= 2) THEN 1 END",
            Case(
                (
                    (
                        Call("or", (Call("unequal", (A, Constant(1))), Call("at_least", (A, Constant(2))))),
                        Constant(1),
                    ),
                ),
                Constant(None),
            ),
        ),
        (
            "CASE WHEN NOT NOT @Field1 IS NOT NULL THEN 1 END",
            Case(((Call("not", (Call("is_null", (A,)),)), Constant(1)),), Constant(None)),
        ),
    ],
)
def test_what_is_read(text: str, expected: Formula) -> None:
    assert parse_formula(text, INPUTS) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a value is needed at character 1, where the end stands"),
        ("@Field3", "@Field3 at character 1 is no input; there are: @Field1, @Field2"),
        ("SELECT 1", "SELECT at character 1 is neither input nor function"),
        ("users", "users at character 1 is neither input nor function"),
        ("version()", "version at character 1 is not known; there are: CASE, CAST"),
        ("(SELECT login FROM xdat_user)", "SELECT at character 2"),
        ("@Field1; DROP TABLE item", "'; DROP TABLE' at character 8 is not of the language"),
        ("@Field1 -- comment", "comment at character 12 is neither input nor function"),
        ("'open", '"\'open" at character 1 is not of the language'),
        ("@Field1 = 1", "a value is needed at character 1; write CASE WHEN"),
        ("CASE WHEN @Field1 THEN 1 END", "a comparison is needed at character 11"),
        ("CASE END", "END at character 6 is neither input nor function"),
        ("CASE @Field1 END", "WHEN is needed at character 14, where END stands"),
        ("CASE WHEN 1 = 1 THEN 1", "END is needed at character 23"),
        ("CASE WHEN 1 = 1 AND 2 THEN 1 END", "AND at character 11 needs comparisons on both sides"),
        ("CASE WHEN NOT 1 THEN 1 END", "NOT at character 11 needs a comparison"),
        ("ROUND(1, 2, 3)", "ROUND at character 1 takes 1 to 2 arguments"),
        ("NULLIF(1)", "NULLIF at character 1 takes 2 to 2 arguments"),
        ("CAST(1 AS blob)", "blob at character 11 is no type"),
        ("SUBSTRING(@Field1, 0, 5)", "a whole number from 1 on is needed at character 20"),
        ("SUBSTRING(@Field1, 1, @Field2)", "a whole number from 1 on is needed at character 23"),
        ("EXTRACT(MONTH FROM @Field1)", "YEAR is needed at character 9, where MONTH stands"),
        ("1 2", "the end is needed at character 3, where 2 stands"),
        ("(1", "')' is needed at character 3"),
        ("(" * 50 + "1" + ")" * 50, "nested deeper than 40 levels"),
        ("1" + " + 1" * 2000, "at most 4000 are read"),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        parse_formula(text, INPUTS)


_words = st.sampled_from(
    [
        "CASE",
        "WHEN",
        "THEN",
        "ELSE",
        "END",
        "CAST",
        "AS",
        "INTEGER",
        "COALESCE",
        "(",
        ")",
        ",",
        "||",
        "+",
        "-",
        "*",
        "/",
        "=",
        "<>",
        "<",
        "IS",
        "NOT",
        "NULL",
        "AND",
        "OR",
        "@Field1",
        "@Field9",
        "'x'",
        "'",
        "1",
        "2.5",
        "SUBSTRING",
        "FROM",
        "FOR",
        "EXTRACT",
        "YEAR",
        "ROUND",
        "FLOOR",
        ";",
        "SELECT",
        "é",
        "\x00",
    ]
)


@given(st.one_of(st.text(max_size=60), st.lists(_words, max_size=40).map(" ".join)))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = parse_formula(text, INPUTS)
    except ValueError:
        return
    assert {one.expression for one in inputs_of(found)} <= {A.expression, B.expression}


def test_long_chains_do_not_exhaust_the_stack() -> None:
    text = "CASE WHEN " + "NOT " * 900 + "1 = 1 THEN 1 END"
    assert isinstance(parse_formula(text, INPUTS), Case)

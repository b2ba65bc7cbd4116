"""Answers: spelled as XNAT spells them, read back, and seen through pyxnat's eyes and the frames'."""

from __future__ import annotations

import json
import math
from datetime import date, datetime, time

import polars
import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectomedb.errors import ServerFault
from connectomedb.tables.formats import read_csv, read_result_set, spell, write, write_search_json
from connectomedb.tables.jsontable import JsonTable
from connectomedb.tables.result import Cell, Column, ResultTable

KINDS = ("string", "integer", "float", "boolean", "date", "time", "dateTime")
TABLE = ResultTable(
    tuple(Column(kind.lower(), kind, element_name="a:b", field_id=kind.upper()) for kind in KINDS),
    (
        ("x, \"y\"", 33, 150.0, True, date(2020, 3, 20), time(1, 23, 45), datetime(2011, 1, 1, 3)),
        (None,) * 7,
    ),
    root="a:b",
)  # fmt: skip
cells = st.tuples(
    # The empty text is no value; nothing else is lost.
    st.none() | st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    st.none() | st.integers(-(2**53), 2**53),
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
    st.none() | st.booleans(),
    st.none() | st.dates(),
    st.none() | st.times(),
    st.none() | st.datetimes(),
)


def test_csv_is_a_pure_table() -> None:
    assert write(TABLE, "csv").decode() == (
        "string,integer,float,boolean,date,time,datetime\n"
        '"x, ""y""",33,150.0,1,2020-03-20,01:23:45,2011-01-01 03:00:00.0\n'
        ",,,,,,\n"
    )


def test_no_row_leaves_the_header() -> None:
    empty = ResultTable((Column("a"), Column("b")))
    assert write(empty, "csv") == b"a,b\n"
    assert read_csv(b"a,b\n").keys == ("a", "b")
    assert JsonTable(empty).headers() == ["a", "b"]
    assert json.loads(write(empty, "json"))["ResultSet"]["totalRecords"] == "0"


def test_line_breaks_become_blanks() -> None:
    table = ResultTable((Column("a"),), (("one\r\ntwo\nthree\rfour",),))
    assert write(table, "csv") == b"a\none two three four\n"


def test_a_lone_empty_cell_is_a_row() -> None:
    table = ResultTable((Column("a"),), ((None,), (None,)))
    assert len(read_csv(write(table, "csv"))) == 2


@given(st.lists(cells, max_size=4).map(tuple))
def test_a_search_answer_is_read_back_typed(rows: tuple[tuple[Cell, ...], ...]) -> None:
    table = ResultTable(TABLE.columns, rows, root="a:b")
    back = read_result_set(write_search_json(table))
    assert back.rows == rows
    assert [(c.key, c.value_type, c.field_id) for c in back.columns] == [
        (c.key, c.value_type, c.field_id) for c in table.columns
    ]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_has_a_point_and_reads_back(number: float) -> None:
    text = spell(number, "float")
    assert "." in text
    assert math.copysign(1, float(text)) == math.copysign(1, number)
    assert float(text) == number


def test_an_integer_in_a_float_column_has_a_point() -> None:
    assert spell(70, "float") == "70.0"


def test_xml_and_html_escape_everything() -> None:
    nasty = ResultTable((Column("<k>"),), (('<script>&"',),), title="<t>")
    for media in ("xml", "html"):
        text = write(nasty, media).decode()
        assert "<script>" not in text
        assert "&lt;script&gt;&amp;" in text
    assert (
        '<column element_name="a:b" id="INTEGER" xPATH="a:b.INTEGER" header=" " type="integer">'
        in write(TABLE, "xml").decode()
    )


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"ResultSet": {}}', b"<html>"])
def test_what_is_no_answer_is_named(body: bytes) -> None:
    with pytest.raises(ServerFault, match="no ResultSet"):
        read_result_set(body)


def test_a_ragged_table_is_refused() -> None:
    with pytest.raises(ServerFault, match="line 2 of the table has 1 cells"):
        read_csv(b"a,b\n1\n")
    with pytest.raises(ServerFault, match="empty"):
        read_csv(b"")


def test_a_promise_that_is_broken_is_named() -> None:
    body = write_search_json(TABLE).replace(b'"33"', b'"many"')
    with pytest.raises(ServerFault, match="the column integer promises integer"):
        read_result_set(body)


def test_unknown_columns_name_the_known() -> None:
    with pytest.raises(LookupError, match="there are: string, integer"):
        TABLE.column("nothing")


def test_the_view_of_pyxnat() -> None:
    table = JsonTable(
        ResultTable((Column("label"), Column("age", "integer")), (("a1", 3), ("b1", None), ("a2", 3)))
    )
    assert table.headers() == ["label", "age"]
    assert table.items() == [("a1", "3"), ("b1", ""), ("a2", "3")]
    assert table.get("label") == ["a1", "b1", "a2"]
    assert table.get("label", "b*") == ["b1"]
    assert table.get("label", "b*", always_list=False) == "b1"
    assert table.where(age="3").get("label") == ["a1", "a2"]
    assert table.where_not(age="3").get("label") == ["b1"]
    assert table.select(["age", "label"]).items()[0] == ("3", "a1")
    assert table["label"] == ["a1", "b1", "a2"]
    assert table[0] == {"label": "a1", "age": "3"}
    assert len(table) == 3
    with pytest.raises(LookupError):
        table.get("nothing")


def test_frames_are_typed_even_where_nothing_is() -> None:
    nothing = ResultTable(TABLE.columns)
    assert TABLE.to_arrow().schema == nothing.to_arrow().schema
    assert TABLE.to_arrow().schema.field("integer").type == pyarrow.int64()
    assert TABLE.to_arrow().to_pylist()[0]["date"] == date(2020, 3, 20)
    assert TABLE.to_polars().schema == nothing.to_polars().schema
    assert TABLE.to_polars().schema["float"] == polars.Float64
    frame = TABLE.to_pandas()
    assert str(frame.dtypes["integer"]) == "Int64"
    assert frame["integer"].isna().tolist() == [False, True]


def test_a_notebook_shows_the_first_rows() -> None:
    many = ResultTable((Column("a", description="<b>"),), tuple((n,) for n in range(30)))
    page = many._repr_html_()
    assert page.count("<tr>") == 21
    assert "30 rows, 20 shown" in page
    assert "<b>" not in page

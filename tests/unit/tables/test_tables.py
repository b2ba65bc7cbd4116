"""Answers: spelled as XNAT spells them, read back, and seen through pyxnat's eyes and the frames'."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, time
from functools import partial
from itertools import pairwise

import polars
import pyarrow
import pyarrow.ipc
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from connectomedb.errors import ConfigurationError, ServerFault
from connectomedb.tables.cells import spell_json
from connectomedb.tables.formats import (
    read_csv,
    read_result_set,
    spell,
    stream,
    stream_search_json,
    write,
    write_search_json,
)
from connectomedb.tables.frames import arrow_stream, parquet_stream
from connectomedb.tables.jsontable import JsonTable
from connectomedb.tables.result import Cell, Column, ResultStream, ResultTable, Row

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


rows_of_cells = st.lists(cells, max_size=5).map(tuple)


@given(rows_of_cells, st.lists(st.integers(0, 5), max_size=3))
def test_a_stream_gives_the_same_bytes_however_it_is_cut(rows: tuple[Row, ...], cuts: list[int]) -> None:
    table = ResultTable(TABLE.columns, rows, title="<t>", root="a:b")
    edges = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    batches = [rows[a:b] for a, b in pairwise(edges) if a < b]
    for media in ("json", "csv", "xml", "html"):
        pieces = list(stream(ResultStream(table.columns, iter(batches), table.title, table.root), media))
        assert b"".join(pieces) == write(table, media)
    streamed = b"".join(stream_search_json(ResultStream(table.columns, iter(batches), root="a:b")))
    assert streamed == write_search_json(table)


@pytest.mark.parametrize(
    ("write_pieces", "n_heads"),
    [(partial(stream, media="csv"), 1), (stream_search_json, 1), (arrow_stream, 0)],
)
def test_a_batch_is_fetched_when_its_piece_is(
    write_pieces: Callable[[ResultStream], Iterator[bytes]], n_heads: int
) -> None:
    fetched: list[int] = []

    def batches() -> Iterator[tuple[Row, ...]]:
        for number in range(5):
            fetched.append(number)
            yield TABLE.rows

    pieces = write_pieces(ResultStream(TABLE.columns, batches()))
    for _ in range(n_heads):
        next(pieces)  # what stands before the rows needs none of them
    assert fetched == []
    for expected in range(1, 6):
        next(pieces)
        assert len(fetched) == expected


@given(rows_of_cells)
def test_csv_and_json_are_what_the_standard_writers_write(rows: tuple[Row, ...]) -> None:
    table = ResultTable(TABLE.columns, rows)
    kinds = [c.value_type for c in table.columns]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.keys)
    for row in rows:
        texts = (spell(cell, kind) for cell, kind in zip(row, kinds, strict=True))
        writer.writerow([re.sub("\r\n|\n|\r", " ", text) for text in texts])
    assert write(table, "csv").decode() == out.getvalue()
    said = [
        {k: spell_json(c, kind) for k, c, kind in zip(table.keys, row, kinds, strict=True)} for row in rows
    ]
    expected = {"ResultSet": {"Result": said, "totalRecords": str(len(rows))}}
    assert write(table, "json").decode() == json.dumps(expected, ensure_ascii=False, separators=(",", ":"))


@given(rows_of_cells)
def test_xml_is_well_formed_whatever_the_texts(rows: tuple[Row, ...]) -> None:
    root = etree.fromstring(write(ResultTable(TABLE.columns, rows), "xml"))
    assert root.get("totalRecords") == str(len(rows))
    assert len(root.findall("results/rows/row")) == len(rows)


def test_a_time_has_thousandths_in_json_only() -> None:
    table = ResultTable((Column("t", "time"),), ((time(1, 23, 45),), (time(1, 2, 3, 4),)))
    assert json.loads(write(table, "json"))["ResultSet"]["Result"] == [
        {"t": "01:23:45.000"},
        {"t": "01:02:03.000004"},
    ]
    assert write(table, "csv") == b"t\n01:23:45\n01:02:03.000004\n"


def test_a_long_column_is_spelled_as_a_short_one() -> None:
    numbers = [n / 7 for n in range(3000)] + [-0.0, 0.0, 1e16, None, 5, True]
    rows = tuple((number, f"text {n}, more", n) for n, number in enumerate(numbers))
    table = ResultTable((Column("f", "float"), Column("s"), Column("i", "integer")), rows)
    batches = iter([rows[n : n + 100] for n in range(0, len(rows), 100)])
    streamed = b"".join(stream(ResultStream(table.columns, batches), "csv")).decode()
    assert streamed.splitlines()[1:] == [f'{spell(f, "float")},"{s}",{i}' for f, s, i in rows]


def test_columns_of_one_key_and_odd_keys() -> None:
    table = ResultTable((Column('a%s"'), Column("b"), Column('a%s"')), ((1, 2, 3),))
    assert json.loads(write(table, "json"))["ResultSet"]["Result"] == [{'a%s"': "3", "b": "2"}]
    assert write(table, "csv") == b'"a%s""",b,"a%s"""\n1,2,3\n'


@given(rows_of_cells)
def test_arrow_and_parquet_keep_types_and_what_is_known_of_a_column(rows: tuple[Row, ...]) -> None:
    columns = tuple(replace(c, description="d", unit="years") for c in TABLE.columns)
    batches = [rows[:1], rows[1:]] if len(rows) > 1 else [rows] if rows else []
    arrow = pyarrow.ipc.open_stream(b"".join(arrow_stream(ResultStream(columns, iter(batches))))).read_all()
    file = io.BytesIO(b"".join(parquet_stream(ResultStream(columns, iter(batches)))))
    parquet = pyarrow.parquet.read_table(file)
    for table in (arrow, parquet):
        assert [tuple(row.values()) for row in table.to_pylist()] == list(rows)
        assert table.schema.field("integer").type == pyarrow.int64()
        said = table.schema.field("float").metadata
        assert (said[b"description"], said[b"unit"]) == (b"d", b"years")


def test_a_missing_library_is_named_with_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigurationError, match=r"connectomedb\[arrow\]"):
        arrow_stream(TABLE.stream())


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

"""A table as CSV, JSON (XNAT's `ResultSet`), XML and HTML, and back from the first two.

Values are spelled as XNAT spells them: floats with a point, booleans 1 or 0, nothing for no value.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from html import unescape
from json.encoder import encode_basestring
from operator import itemgetter
from tempfile import SpooledTemporaryFile
from typing import Any, Literal, cast
from urllib.parse import quote

from connectomedb.errors import ServerFault
from connectomedb.schema.model import ValueType
from connectomedb.schema.values import parse_value
from connectomedb.tables.cells import VALUE_TYPES, encoders, quote_csv, quote_xml, spell
from connectomedb.tables.columns import HeldRows, encode_rows
from connectomedb.tables.result import Cell, Column, ResultStream, ResultTable, Row

__all__ = [
    "Media",
    "read_csv",
    "read_result_set",
    "spell",
    "stream",
    "stream_page_json",
    "stream_search_json",
]
__all__ += ["write", "write_search_json"]

Media = Literal["json", "csv", "xml", "html"]
_MOST_IN_MEMORY_BYTES = 8 * 1024 * 1024
_PIECE_BYTES = 64 * 1024


def write(table: ResultTable, media: Media) -> bytes:
    """The table in one of the four spellings, UTF-8."""
    return b"".join(stream(table.stream(), media))


def write_search_json(table: ResultTable) -> bytes:
    """The answer of a search: `Columns` with types and headers, rows, `rootElementName`."""
    return b"".join(stream_search_json(table.stream()))


def stream(answer: ResultStream, media: Media) -> Iterator[bytes]:
    """The answer in one of the four spellings, a piece per batch.

    Memory   one batch; XML, which tells the number of rows first, keeps what is large in a file
    """
    return {"json": _json, "csv": _csv, "xml": _xml, "html": _html}[media](answer)


def stream_search_json(answer: ResultStream, *, linked: bool = False) -> Iterator[bytes]:
    """The answer of a search, a piece per batch: `Columns` (with links if `linked`), rows, then the facts."""
    described = _described(answer.columns, linked)
    facts = {"rootElementName": answer.root, **_properties(answer)}
    return _result_set(answer, '"Columns":' + described + ",", facts)


def stream_page_json(answer: ResultStream) -> Iterator[bytes]:
    """Rows without a word about their columns: a page of a cached answer."""
    return _result_set(answer, "", _properties(answer))


@lru_cache(maxsize=64)
def _described(columns: tuple[Column, ...], linked: bool) -> str:
    return _dumps([_column_facts(column, linked=linked) for column in columns]).decode()


def _column_facts(column: Column, *, linked: bool = False) -> dict[str, Any]:
    """What an answer says about a column, spelled as XNAT does; value type, unit and description are ours."""
    facts: dict[str, Any] = {"key": column.key}
    if column.element_name:
        field_id = column.field_id.partition("=")[0]
        facts |= {
            "element_name": column.element_name,
            "id": column.field_id,
            "xPATH": f"{column.element_name}.{column.sort_id or field_id}",
            "header": column.header or " ",
            "type": column.shown_type or column.value_type,
        }
    if linked and column.links:
        facts |= {"clickable": "true", "linkProps": [one.as_json() for one in column.links]}
    if linked and column.image:
        facts["imgRoot"] = "/"
    if not column.visible:
        facts["visible"] = "false"
    if column.shown_type not in ("", column.value_type):
        facts["value_type"] = column.value_type
    if column.description:
        facts["description"] = column.description
    if column.unit:
        facts["unit"] = column.unit
    return facts


def read_csv(data: bytes) -> ResultTable:
    """A table of texts; an empty cell is no value. ServerFault when there is not even a head line."""
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    if not rows:
        raise ServerFault("the answer is empty where a table with a head line was promised")
    head, *body = rows
    for number, row in enumerate(body, 2):
        if len(row) != len(head):
            raise ServerFault(f"line {number} of the table has {len(row)} cells, the head has {len(head)}")
    columns = tuple(Column(key) for key in head)
    return ResultTable(columns, tuple(tuple(cell or None for cell in row) for row in body))


def read_result_set(data: bytes) -> ResultTable:
    """A `ResultSet`, typed where its `Columns` say so. ServerFault for anything else."""
    try:
        result = json.loads(data)["ResultSet"]
        rows = result["Result"]
        listed = result.get("Columns") or []
    except (ValueError, KeyError, TypeError) as problem:
        excerpt = data[:200].decode("utf-8", "replace")
        raise ServerFault("the answer is no ResultSet", excerpt=excerpt) from problem
    facts = {c["key"]: c for c in listed if "key" in c}
    keys = list(facts) or list(dict.fromkeys(key for row in rows for key in row))
    columns = tuple(
        Column(
            key,
            _value_type(facts.get(key, {})),
            facts.get(key, {}).get("header", "").strip(),
            facts.get(key, {}).get("element_name", ""),
            facts.get(key, {}).get("id", ""),
            facts.get(key, {}).get("visible") != "false",
            facts.get(key, {}).get("description", ""),
            facts.get(key, {}).get("unit", ""),
        )
        for key in keys
    )
    cells = tuple(tuple(_read_cell(row.get(c.key), c) for c in columns) for row in rows)
    properties = {
        k: v for k, v in result.items() if isinstance(v, str) and k not in ("totalRecords", "rootElementName")
    }
    return ResultTable(columns, cells, result.get("title", ""), result.get("rootElementName", ""), properties)


def _value_type(facts: Mapping[str, Any]) -> ValueType:
    return VALUE_TYPES.get(facts.get("value_type") or facts.get("type", "string"), "string")


def _read_cell(text: Any, column: Column) -> Cell:
    if text is None or text == "":
        return None
    try:
        return parse_value(str(text), cast(ValueType, column.value_type))
    except ValueError as problem:
        raise ServerFault(f"the column {column.key} promises {column.value_type}: {problem}") from problem


def _json(answer: ResultStream) -> Iterator[bytes]:
    title = {"title": answer.title} if answer.title else {}
    return _result_set(answer, "", {**title, **_properties(answer)})


def _result_set(answer: ResultStream, before: str, last: Mapping[str, Any]) -> Iterator[bytes]:
    # Of two columns of one key the last one counts, as in a dict.
    places = {column.key: place for place, column in enumerate(answer.columns)}
    chosen = [answer.columns[place] for place in places.values()]
    cells = ",".join(encode_basestring(c.key).replace("%", "%%") + ':"%s"' for c in chosen)
    row_of = ("{" + cells + "}").__mod__
    encode = encoders(chosen, "json")
    pick = None if len(chosen) == len(answer.columns) else itemgetter(*places.values())
    count = 0
    yield ('{"ResultSet":{' + before + '"Result":[').encode("utf-8")
    for batch in answer.batches:
        rows = batch if pick is None else [_tuple(pick(row)) for row in batch]
        text = "," if count else ""
        yield (text + ",".join(map(row_of, encode_rows(encode, rows)))).encode("utf-8")
        count += len(batch)
    facts = {"totalRecords": str(count), **last}
    yield ("]," + _dumps(facts).decode()[1:-1] + "}}").encode("utf-8")


def _tuple(cells: Any) -> tuple[Cell, ...]:
    return cells if isinstance(cells, tuple) else (cells,)


def _properties(answer: ResultStream) -> dict[str, Any]:
    """Further facts of a table; one that begins with `{` is JSON already."""
    return {k: json.loads(v) if v.startswith("{") else v for k, v in answer.properties.items()}


def _dumps(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def _csv(answer: ResultStream) -> Iterator[bytes]:
    encode = encoders(answer.columns, "csv")
    # One empty cell alone would be a blank line, which readers drop.
    lone = len(answer.columns) == 1
    row_of = ",".join(["%s"] * len(answer.columns)).__mod__
    yield (",".join(quote_csv(column.key) for column in answer.columns) + "\n").encode("utf-8")
    for batch in answer.batches:
        # Held cells are texts already.
        lines = map(",".join if isinstance(batch, HeldRows) else row_of, encode_rows(encode, batch))
        text = "\n".join([line or '""' for line in lines] if lone else lines)
        yield (text + "\n").encode("utf-8")


def _xml(answer: ResultStream) -> Iterator[bytes]:
    row_of = f"<row>{'<cell>%s</cell>' * len(answer.columns)}</row>".__mod__
    encode = encoders(answer.columns, "xml")
    count = 0
    with SpooledTemporaryFile(max_size=_MOST_IN_MEMORY_BYTES) as rows:
        for batch in answer.batches:
            rows.write("".join(map(row_of, encode_rows(encode, batch))).encode("utf-8"))
            count += len(batch)
        yield _xml_head(answer, count)
        rows.seek(0)
        while piece := rows.read(_PIECE_BYTES):
            yield piece
    yield b"</rows></results></ResultSet>\n"


def _xml_head(answer: ResultStream, count: int) -> bytes:
    facts = {"title": answer.title} if answer.title else {}
    facts["totalRecords"] = str(count)
    if answer.root:
        facts["rootElementName"] = answer.root
    facts |= {k: v for k, v in answer.properties.items() if not v.startswith("{")}
    attributes = "".join(f' {name}="{quote_xml(value)}"' for name, value in facts.items())
    columns = "".join(_xml_column(column) for column in answer.columns)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<ResultSet{attributes}><results><columns>{columns}</columns><rows>"
    ).encode()


def _xml_column(column: Column) -> str:
    facts = _column_facts(column)
    attributes = "".join(
        f' {name}="{quote_xml(facts[name])}"'
        for name in ("element_name", "id", "xPATH", "header", "type")
        if name in facts
    )
    return f"<column{attributes}>{quote_xml(column.key)}</column>"


def _html(answer: ResultStream) -> Iterator[bytes]:
    encode = encoders(answer.columns, "xml")
    return _html_table(answer, lambda batch: encode_rows(encode, batch))


def stream_xlist(answer: ResultStream) -> Iterator[bytes]:
    """An HTML table whose linked cells are links; only addresses on this site are."""
    encode = encoders(answer.columns, "xml")
    places = {column.key: place for place, column in enumerate(answer.columns)}
    linked = [(place, _href(column, places)) for place, column in enumerate(answer.columns)]

    def cells(batch: Sequence[Row]) -> Iterator[tuple[str, ...]]:
        for row in encode_rows(encode, batch):
            shown = list(row)
            for place, href in linked:
                if href is not None and row[place]:
                    shown[place] = f'<a href="{href(row)}">{row[place]}</a>'
            yield tuple(shown)

    return _html_table(answer, cells)


def _href(column: Column, places: Mapping[str, int]) -> Callable[[tuple[str, ...]], str] | None:
    """From an encoded row to the address that a cell of this column leads to; None when to nowhere."""
    address = next((one for one in column.links if one.name == "HREF"), None)
    if address is None or any(key not in places for _, key in address.inserts):
        return None
    text = quote_xml(address.value)
    if not text.startswith("/") or text.startswith("//"):
        return None

    def href(row: tuple[str, ...]) -> str:
        found = text
        for name, key in address.inserts:
            found = found.replace(f"@{name}", quote(unescape(row[places[key]]), safe=""))
        return found

    return href


def _html_table(
    answer: ResultStream, rows_of: Callable[[Sequence[Row]], Iterator[tuple[str, ...]]]
) -> Iterator[bytes]:
    head = "".join(f"<th>{quote_xml(column.key)}</th>" for column in answer.columns)
    text = (
        '<table class="x_rs_t" cellpadding="0" cellspacing="0">'
        f'<thead class="x_rs_thead"><tr>{head}</tr></thead>\n<tbody id="dataRows">\n'
    )
    cells = "<td>%s</td>" * len(answer.columns)
    odd, even = (f'<tr class="x_rs_tr_data{more}">{cells}</tr>\n'.__mod__ for more in ("", " even"))
    count = 0
    for batch in answer.batches:
        encoded = enumerate(rows_of(batch), count)
        yield (text + "".join((even if n % 2 else odd)(row) for n, row in encoded)).encode("utf-8")
        text = ""
        count += len(batch)
    yield (text + "</tbody></table>\n").encode("utf-8")

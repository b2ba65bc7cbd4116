"""A table as CSV, JSON (XNAT's `ResultSet`), XML and HTML, and back from the first two.

Values are spelled as XNAT spells them: floats with a point, booleans 1 or 0, nothing for no value.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from html import escape
from typing import Any, Literal, cast

from connectomedb.errors import ServerFault
from connectomedb.schema.model import ValueType
from connectomedb.schema.values import parse_value, print_value
from connectomedb.tables.result import Cell, Column, ResultTable

Media = Literal["json", "csv", "xml", "html"]
_VALUE_TYPES: Mapping[str, ValueType] = {
    "string": "string",
    "integer": "integer",
    "float": "float",
    "boolean": "boolean",
    "date": "date",
    "time": "time",
    "dateTime": "dateTime",
}


def spell(cell: Cell, value_type: str = "string") -> str:
    """One cell as text; no value is the empty text."""
    if cell is None:
        return ""
    return print_value(cell, _VALUE_TYPES.get(value_type, "string"))


def write(table: ResultTable, media: Media) -> bytes:
    """The table in one of the four spellings, UTF-8."""
    return {"json": _write_json, "csv": _write_csv, "xml": _write_xml, "html": _write_html}[media](table)


def write_search_json(table: ResultTable) -> bytes:
    """The answer of a search: `Columns` with types and headers, rows, `rootElementName`."""
    result = {
        "Columns": [_column_facts(column) for column in table.columns],
        "Result": _text_rows(table),
        "totalRecords": str(len(table)),
        "rootElementName": table.root,
        **_properties(table),
    }
    return _dumps({"ResultSet": result})


def _column_facts(column: Column) -> dict[str, str]:
    """What an answer says about a column, spelled as XNAT does; unit and description are ours."""
    facts = {"key": column.key}
    if column.element_name:
        facts |= {
            "element_name": column.element_name,
            "id": column.field_id,
            "xPATH": f"{column.element_name}.{column.field_id.partition('=')[0]}",
            "header": column.header or " ",
            "type": column.value_type,
        }
    if not column.visible:
        facts["visible"] = "false"
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
            _VALUE_TYPES.get(facts.get(key, {}).get("type", "string"), "string"),
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


def _read_cell(text: Any, column: Column) -> Cell:
    if text is None or text == "":
        return None
    try:
        return parse_value(str(text), cast(ValueType, column.value_type))
    except ValueError as problem:
        raise ServerFault(f"the column {column.key} promises {column.value_type}: {problem}") from problem


def _text_rows(table: ResultTable) -> list[dict[str, str]]:
    pairs = [(c.key, c.value_type) for c in table.columns]
    return [
        {key: spell(cell, kind) for (key, kind), cell in zip(pairs, row, strict=True)} for row in table.rows
    ]


def _write_json(table: ResultTable) -> bytes:
    result: dict[str, Any] = {"Result": _text_rows(table), "totalRecords": str(len(table))}
    if table.title:
        result["title"] = table.title
    return _dumps({"ResultSet": {**result, **_properties(table)}})


def _properties(table: ResultTable) -> dict[str, Any]:
    """Further facts of a table; one that begins with `{` is JSON already."""
    return {k: json.loads(v) if v.startswith("{") else v for k, v in table.properties.items()}


def _dumps(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def _write_csv(table: ResultTable) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.keys)
    kinds = [c.value_type for c in table.columns]
    for row in table.rows:
        cells = [_one_line(spell(cell, kind)) for cell, kind in zip(row, kinds, strict=True)]
        # One empty cell alone would be a blank line, which readers drop; the writer quotes it.
        writer.writerow(cells)
    return out.getvalue().encode("utf-8")


def _one_line(text: str) -> str:
    if "\n" not in text and "\r" not in text:
        return text
    return text.replace("\r\n", " ").replace("\n", " ").replace("\r", " ")


def _write_xml(table: ResultTable) -> bytes:
    title = f' title="{escape(table.title, quote=True)}"' if table.title else ""
    root = f' rootElementName="{escape(table.root, quote=True)}"' if table.root else ""
    columns = "".join(_xml_column(column) for column in table.columns)
    kinds = [c.value_type for c in table.columns]
    rows = "".join(
        "<row>"
        + "".join(f"<cell>{escape(spell(c, k))}</cell>" for c, k in zip(row, kinds, strict=True))
        + "</row>"
        for row in table.rows
    )
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<ResultSet{title} totalRecords="{len(table)}"{root}><results>'
        f"<columns>{columns}</columns><rows>{rows}</rows></results></ResultSet>\n"
    )
    return text.encode("utf-8")


def _xml_column(column: Column) -> str:
    facts = _column_facts(column)
    attributes = "".join(
        f' {name}="{escape(facts[name], quote=True)}"'
        for name in ("element_name", "id", "xPATH", "header", "type")
        if name in facts
    )
    return f"<column{attributes}>{escape(column.key)}</column>"


def _write_html(table: ResultTable) -> bytes:
    head = "".join(f"<th>{escape(key)}</th>" for key in table.keys)
    kinds = [c.value_type for c in table.columns]
    rows = "".join(
        f'<tr class="x_rs_tr_data{" even" if number % 2 else " odd"}">'
        + "".join(f"<td>{escape(spell(c, k))}</td>" for c, k in zip(row, kinds, strict=True))
        + "</tr>\n"
        for number, row in enumerate(table.rows)
    )
    return (
        f'<table class="x_rs_t"><thead class="x_rs_thead"><tr>{head}</tr></thead>\n'
        f'<tbody id="dataRows">\n{rows}</tbody></table>\n'
    ).encode()

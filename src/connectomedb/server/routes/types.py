"""What can be searched: /data/search/elements, the fields of a type, and its named column sets."""

from __future__ import annotations

import json

from starlette.responses import Response

from connectomedb.schema.model import DataType
from connectomedb.server.inbound import Ask
from connectomedb.server.outbound import answer_json, answer_table, text_table
from connectomedb.tables.result import ResultTable


def elements(ask: Ask) -> Response:
    """The data types that can be searched, with the number of their items."""
    counts = ask.archive.elements_used(ask.who)
    rows = []
    for data_type in ask.site.types.searchable():
        display = ask.site.types.display(data_type.xsi_type)
        n_items = counts.get(data_type.xsi_type, 0)
        if ask.param("used") == "true" and not n_items:
            continue
        rows.append((data_type.xsi_type, display.singular, display.plural, "true", str(n_items)))
    keys = ("ELEMENT_NAME", "SINGULAR", "PLURAL", "SECURED", "COUNT")
    return answer_table(ask, text_table("Data-Types", keys, rows))


def fields(ask: Ask) -> Response:
    """The names that a search of these types can use."""
    keys = ("FIELD_ID", "HEADER", "SUMMARY", "TYPE", "REQUIRES_VALUE", "DESC", "ELEMENT_NAME", "SRC")
    types = _types(ask)
    table = text_table("Search Fields", keys, [row for t in types for row in _field_rows(ask, t)])
    properties = {"element_name": ",".join(t.xsi_type for t in types)}
    if len(types) == 1:
        properties["versions"] = json.dumps(_versions(ask, types[0]))
    return answer_table(ask, ResultTable(table.columns, table.rows, table.title, table.root, properties))


def versions(ask: Ask) -> Response:
    """The named column sets of a type."""
    return answer_json({"DisplayVersions": _versions(ask, _types(ask)[0])})


def _types(ask: Ask) -> list[DataType]:
    return [ask.site.types.get(name.strip()) for name in ask.part("xsi_type").split(",")]


def _field_rows(ask: Ask, data_type: DataType) -> list[tuple[str, ...]]:
    display = ask.site.types.display(data_type.xsi_type)
    return [
        (
            f.id,
            f.header,
            f"{data_type.xsi_type}/{f.expression[1]}" if f.expression[0] == "element" else f.expression[0],
            f.value_type,
            "true" if f.valued else "false",
            # The head of this table is XNAT's, so the tier stands in the description.
            (f.description or f.header or f.id) + ("" if f.tier == "open" else f" [{f.tier}]"),
            data_type.xsi_type,
            "0",
        )
        for f in display.fields.values()
        if f.searchable
    ]


def _versions(ask: Ask, data_type: DataType) -> dict[str, object]:
    types = ask.site.types
    display = types.display(data_type.xsi_type)
    sets: list[dict[str, object]] = []
    for version in display.versions.values():
        columns = []
        for shown in version.fields:
            known = types.display(shown.element_name or data_type.xsi_type).fields.get(shown.field_id)
            columns.append(
                {
                    "id": shown.field_id,
                    "element_name": shown.element_name or data_type.xsi_type,
                    "header": shown.header or (known.header if known else ""),
                    "type": known.value_type if known else "string",
                    "value": "",
                    "visible": "true" if shown.visible else "false",
                }
            )
        sets.append(
            {
                "name": version.name,
                "orderBy": version.order_by,
                "defaultSortOrder": version.sort_order,
                "fields": columns,
            }
        )
    every = [
        {"id": f.id, "element_name": data_type.xsi_type, "header": f.header, "type": f.value_type}
        | {"value": "", "visible": "true"}
        for f in display.fields.values()
        if f.visible and not f.valued
    ]
    return {"element_name": data_type.xsi_type, "versions": [*sets, {"name": "all", "fields": every}]}

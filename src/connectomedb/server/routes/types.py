"""What can be searched: /data/search/elements, the fields of a type, and its named column sets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape

from starlette.responses import Response

from connectomedb.errors import BadConstraint
from connectomedb.schema.built_ins import meaning
from connectomedb.schema.expressions import inputs_of
from connectomedb.schema.model import DataType, DisplayField, DisplayVersion, VersionField
from connectomedb.server.inbound import Ask
from connectomedb.server.outbound import (
    CONTENT_TYPES,
    answer_json,
    answer_table,
    chosen_media,
    page_of,
    sorted_by,
    table_response,
    text_table,
)
from connectomedb.tables.result import ResultTable


def elements(ask: Ask) -> Response:
    """The data types that the user can search, with the number of their items that the user sees."""
    counts = ask.archive.elements_used(ask.who)
    rows = []
    for record in ask.archive.registrations().values():
        n_items = counts.get(record.element_name, 0)
        hidden = not record.searchable or not (record.accessible or ask.who.is_admin)
        unused = ask.param("used") == "true" and not n_items
        if hidden or unused or (ask.param("secured") == "true" and not record.secure):
            continue
        secured = "true" if record.secure else "false"
        rows.append((record.element_name, record.singular, record.plural, secured, str(n_items)))
    keys = ("ELEMENT_NAME", "SINGULAR", "PLURAL", "SECURED", "COUNT")
    table = sorted_by(text_table("Data-Types", keys, rows), ask.words("sortBy"), ask.param("sortOrder"))
    return table_response(page_of(ask, table), chosen_media(ask, "xml"))


def fields(ask: Ask) -> Response:
    """The names that a search of these types can use."""
    keys = ("FIELD_ID", "HEADER", "SUMMARY", "TYPE", "REQUIRES_VALUE", "DESC", "ELEMENT_NAME", "SRC")
    types = _types(ask)
    rows = [
        row
        for data_type in types
        for rows in (_display_rows, _variable_rows, _label_rows)
        for row in rows(ask, data_type)
    ]
    table = text_table("Search Fields", keys, rows)
    properties = {"element_name": ",".join(t.xsi_type for t in types)}
    if len(types) == 1:
        properties["versions"] = json.dumps(_versions(ask, types[0]))
    return answer_table(ask, ResultTable(table.columns, table.rows, table.title, table.root, properties))


def versions(ask: Ask) -> Response:
    """The named column sets of a type, the one of all its fields last."""
    found = _versions(ask, _types(ask)[0])
    media = chosen_media(ask, "json")
    if media == "xml":
        return Response(_versions_xml(found), 200, None, CONTENT_TYPES["xml"])
    if media != "json":
        raise BadConstraint(f"column sets are offered as json and xml, not as {media}")
    return answer_json({"DisplayVersions": found})


def _types(ask: Ask) -> list[DataType]:
    return [ask.site.types.get(name.strip()) for name in ask.part("xsi_type").split(",")]


_Row = tuple[str, ...]


def _display_rows(ask: Ask, data_type: DataType) -> Iterator[_Row]:
    """SRC 0: what the display document lists."""
    for field in ask.site.types.display(data_type.xsi_type).fields.values():
        if field.searchable:
            yield _row(data_type, field, field.id, field.header, "0")


def _variable_rows(ask: Ask, data_type: DataType) -> Iterator[_Row]:
    """SRC 1: the custom variables of items that the user sees."""
    for field in ask.site.types.display(data_type.xsi_type).fields.values():
        if field.expression == ("field_map",):
            for name in ask.archive.custom_variables(data_type.xsi_type, ask.who):
                yield _row(data_type, field, f"{field.id}={name}", name, "1")


def _label_rows(ask: Ask, data_type: DataType) -> Iterator[_Row]:
    """SRC 2: the label in each project that the user reads."""
    for field in ask.site.types.display(data_type.xsi_type).fields.values():
        if field.expression == ("label_in_project",):
            for project in ask.archive.read_project_ids(ask.who):
                yield _row(data_type, field, f"{field.id}={project}", project, "2")


def _row(data_type: DataType, field: DisplayField, field_id: str, header: str, source: str) -> _Row:
    return (
        field_id,
        header,
        _summary(data_type, field),
        field.shown_type,
        "true" if field.valued and source == "0" else "false",
        # The head of this table is XNAT's, so the tier stands in the description.
        (field.description or header or field_id) + ("" if field.tier == "open" else f" [{field.tier}]"),
        data_type.xsi_type,
        source,
    )


def _summary(data_type: DataType, field: DisplayField) -> str:
    """How the field is computed, in the words of the schema."""
    if field.formula is None:
        return _said(data_type, field.expression)
    inputs = dict.fromkeys(_said(data_type, one.expression) for one in inputs_of(field.formula))
    return f"computed from {', '.join(inputs)}" if inputs else "a constant"


def _said(data_type: DataType, expression: tuple[str, ...]) -> str:
    name, *arguments = expression
    if name == "element":
        return f"{data_type.xsi_type}/{arguments[0]}"
    return "/".join(arguments) if name == "element_of" else meaning(expression)


_Facts = dict[str, str]


def _versions(ask: Ask, data_type: DataType) -> dict[str, object]:
    display = ask.site.types.display(data_type.xsi_type)
    sets: list[dict[str, object]] = [_version(ask, version) for version in display.versions.values()]
    every = [
        _column(f, VersionField(f.id, data_type.xsi_type))
        for f in display.fields.values()
        if f.visible and not f.valued
    ]
    return {"element_name": data_type.xsi_type, "versions": [*sets, {"name": "all", "fields": every}]}


def _version(ask: Ask, version: DisplayVersion) -> dict[str, object]:
    """One column set; a column whose field does not exist is left out, as XNAT does."""
    known = ((shown, _field(ask, shown)) for shown in version.fields)
    return {
        "name": version.name,
        "orderBy": version.order_by,
        "darkColor": version.dark_color,
        "lightColor": version.light_color,
        "defaultSortOrder": version.sort_order,
        "fields": [_column(field, shown) for shown, field in known if field is not None],
    }


def _field(ask: Ask, shown: VersionField) -> DisplayField | None:
    types = ask.site.types
    if shown.element_name not in types:
        return None
    return types.display(shown.element_name).fields.get(shown.field_id)


def _column(field: DisplayField, shown: VersionField) -> _Facts:
    return {
        "id": shown.field_id,
        "element_name": shown.element_name,
        "header": shown.header or field.header,
        "type": shown.kind or field.shown_type,
        "value": shown.value,
        "visible": "true" if shown.visible and field.visible else "false",
    }


def _versions_xml(found: dict[str, object]) -> str:
    """The column sets as elements: what is a text in JSON is an attribute here."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    lines.append(f"<DisplayVersions{_attributes(found)}>")
    sets = found["versions"]
    assert isinstance(sets, list)
    for version in sets:
        lines.append(f"<version{_attributes(version)}>")
        lines += [f"<field{_attributes(column)}/>" for column in version["fields"]]
        lines.append("</version>")
    return "\n".join([*lines, "</DisplayVersions>"])


def _attributes(facts: dict[str, object]) -> str:
    return "".join(f' {k}="{escape(v, quote=True)}"' for k, v in facts.items() if isinstance(v, str))

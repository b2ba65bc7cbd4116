"""Display documents: the names under which a data type can be shown, filtered and sorted.

A document is XNAT's, with these liberties. A field or an input may say `built-in="projects"` (the names are
in `schema.built_ins`) where XNAT would have SQL; what a `Content` holds is the language of
`schema.expressions`. And a document need not repeat what every type has: what it leaves out comes from
`schema.display_defaults`, unless it says `whole="true"`.

SQL of any other kind is refused in a shipped document. In a site's it is left out, with a line in the log and
its name in `DisplayDocument.left_out`: it never runs.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Literal, cast

from connectomedb.errors import NotValid
from connectomedb.schema.built_ins import problem_of, value_type_of
from connectomedb.schema.expressions import Formula, Input, parse_formula
from connectomedb.schema.model import (
    Arc,
    ArcDefinition,
    DisplayDocument,
    DisplayField,
    DisplayVersion,
    Link,
    LinkProperty,
    SchemaLink,
    ValueType,
    VersionField,
)
from connectomedb.schema.xml import parse_xml

if TYPE_CHECKING:
    from lxml.etree import _Element

_log = logging.getLogger(__name__)
_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_TYPES: Mapping[str, ValueType] = {
    "string": "string",
    "integer": "integer",
    "float": "float",
    "boolean": "boolean",
    "date": "date",
    "time": "time",
    "datetime": "dateTime",
}
ForeignSql = Literal["refuse", "leave out"]


class _NotOurs(Exception):
    """A part of the document says in SQL what is not of the language; the text says where and what."""


def read_display(content: bytes, name: str, *, foreign_sql: ForeignSql = "refuse") -> DisplayDocument:
    """The document in `content`, without the generated fields.

    Raises   NotValid with file and line: no id, an id twice, an unknown built-in or input, sort-by in a
             circle, and, if `foreign_sql` is to be refused, a Content that is not of the language
    """
    root = parse_xml(content)
    xsi_type = root.get("schema-element") or ""
    if root.tag != "Displays" or ":" not in xsi_type:
        raise NotValid([f"{name}: the root must be Displays with a schema-element"])
    problems: list[str] = []
    left_out: list[str] = []
    fields: dict[str, DisplayField] = {}
    lines: dict[str, int | None] = {}
    for element in root.findall("DisplayField"):
        place = f"{name}, line {element.sourceline}"
        field_id = element.get("id") or ""
        if not field_id:
            problems.append(f"{place}: a DisplayField without id")
        elif field_id in lines:
            problems.append(
                f"{place}: {field_id} is in line {lines[field_id]} already; an id names one field"
            )
        else:
            lines[field_id] = element.sourceline
            try:
                fields[field_id] = _field(element, field_id, xsi_type, place)
            except NotValid as problem:
                problems += problem.reasons
            except _NotOurs as problem:
                if foreign_sql == "refuse":
                    problems.append(str(problem))
                else:
                    left_out.append(field_id)
                    _log.warning("%s; the field is left out", problem)
    for element in (e for tag in ("SQLView", "SQLFunction", "ViewLink") for e in root.iter(tag)):
        what = f"{element.tag!s} {element.get('name') or element.get('alias') or ''}".strip()
        said = f"{name}, line {element.sourceline}: {what} is SQL, which is not run here"
        if foreign_sql == "refuse":
            problems.append(said)
        else:
            left_out.append(what)
            _log.warning("%s; it is left out", said)
    problems += _circles(fields, name, lines)
    if problems:
        raise NotValid(problems)
    plural = root.get("brief-description") or xsi_type
    return DisplayDocument(
        xsi_type,
        plural.removesuffix("s") if plural != xsi_type else xsi_type,
        plural,
        fields,
        {v.name: v for v in (_version(e, xsi_type) for e in root.findall("DisplayVersion"))},
        root.get("full-description") or "",
        tuple(_schema_link(e) for e in root.findall("SchemaLink")),
        tuple(Arc(e.get("name") or "", _common(e, "local-field")) for e in root.findall("Arc")),
        tuple(_arc_definition(e) for e in root.findall("Arc-Definition")),
        root.get("value_field") or "",
        root.get("display_field") or "",
        root.get("display_label") or "",
        root.get("HTML-header-link") or "",
        tuple(left_out),
        root.get("whole") == "true",
        name,
    )


def _field(element: _Element, field_id: str, xsi_type: str, place: str) -> DisplayField:
    valued = (element.get(_XSI_TYPE) or "").endswith("SubQueryField")
    expression, formula = _expression(element, field_id, xsi_type, place, valued=valued)
    order = element.get("sort-order") or ""
    said = (element.get("data-type") or "").strip()
    declared = _TYPES.get(said.lower())
    if said and declared is None:
        raise NotValid(
            [f"{place}: {field_id} has the data-type {said!r}; there are: {', '.join(_TYPES.values())}"]
        )
    return DisplayField(
        id=field_id,
        header=element.get("header") or "",
        value_type=value_type_of(expression) or declared or "string",
        expression=expression,
        searchable=element.get("searchable") == "true",
        visible=element.get("visible") != "false",
        valued=valued,
        sort_by=element.get("sort-by") or "",
        sort_order=cast(Literal["", "ASC", "DESC"], order if order in ("ASC", "DESC") else ""),
        description=" ".join((element.findtext("description") or "").split()),
        unit=element.get("unit") or "",
        link=_link(element, field_id, place),
        formula=formula,
        declared_type=declared or "",
        image=element.get("image") == "true",
        html=element.get("html-content") == "true",
    )


def _expression(
    element: _Element, field_id: str, xsi_type: str, place: str, *, valued: bool
) -> tuple[tuple[str, ...], Formula | None]:
    """How the field is computed: a built-in, its one input, or a formula of its inputs."""
    if element.get("built-in"):
        return _built_in(element.get("built-in") or "", place), None
    if element.find("SubQuery") is not None:
        raise _NotOurs(f"{place}: {field_id} asks by a SubQuery; name a built-in instead")
    inputs = {
        source.get("name") or f"Field{number}": Input(_input(source, field_id, xsi_type, place))
        for number, source in enumerate(element.findall("DisplayFieldElement"), 1)
    }
    content = element.find("Content")
    if content is None or (content.get("type") or "sql") != "sql":
        if not inputs:
            raise NotValid([f"{place}: {field_id} has neither a schema-element nor a built-in"])
        return next(iter(inputs.values())).expression, None
    if valued:
        inputs["WHERE"] = Input(("value",))
    try:
        return ("formula",), parse_formula(str(content.text or ""), inputs)
    except ValueError as problem:
        raise _NotOurs(f"{place}: the Content of {field_id} is not read: {problem}") from problem


def _input(source: _Element, field_id: str, xsi_type: str, place: str) -> tuple[str, ...]:
    if source.get("built-in"):
        return _built_in(source.get("built-in") or "", place)
    if source.get("xdat-type") == "WHERE":
        return ("value",)
    if source.get("viewName"):
        raise _NotOurs(
            f"{place}: {field_id} reads the view {source.get('viewName')}; name a built-in instead"
        )
    path = (source.get("schema-element") or "").replace(".", "/").replace("@", "")
    owner, _, rest = path.partition("/")
    if source.get("xdat-type") == "COUNT" and owner:
        return ("count", owner)
    if not rest:
        raise NotValid([f"{place}: {field_id} has neither a schema-element nor a built-in"])
    return ("element", rest) if owner == xsi_type else ("element_of", owner, rest)


def _built_in(text: str, place: str) -> tuple[str, ...]:
    expression = tuple(text.split())
    if not expression or (problem := problem_of(expression)):
        raise NotValid([f"{place}: {problem if expression else 'built-in is empty'}"])
    return expression


def _link(element: _Element, field_id: str, place: str) -> Link | None:
    link = element.find("HTML-Link")
    if link is None:
        return None
    properties = tuple(
        LinkProperty(
            one.get("name") or "",
            one.get("value") or "",
            tuple((i.get("id") or "", i.get("field") or "") for i in one.findall("InsertValue")),
        )
        for one in link.findall("Property")
    )
    for one in properties:
        if any(not inserted or not source for inserted, source in one.inserts):
            raise NotValid([f"{place}: {one.name} of {field_id} inserts something without id or field"])
    secure = link.find("SecureLink")
    if secure is None:
        return Link(properties)
    mapped = (m.get("displayFieldId") or "" for m in secure.findall("securityMappingValue"))
    return Link(properties, tuple(f for f in mapped if f), secure.get("elementName") or "")


def _version(element: _Element, xsi_type: str) -> DisplayVersion:
    refs = tuple(
        VersionField(
            ref.get("id") or "",
            ref.get("element_name") or xsi_type,
            ref.get("header") or "",
            ref.get("visible") != "false",
            ref.get("value") or "",
            ref.get("type") or "",
        )
        for ref in element.findall("DisplayFieldRef")
    )
    return DisplayVersion(
        element.get("versionName") or "",
        refs,
        element.get("default-order-by") or "",
        "DESC" if element.get("default-sort-order") == "DESC" else "ASC",
        element.get("brief-description") or "",
        element.get("dark-color") or "DEDEDE",
        element.get("light-color") or "FFFFFF",
        element.get("allow-diff-columns") != "false",
    )


def _schema_link(element: _Element) -> SchemaLink:
    pairs = tuple((m.get("fieldElement") or "", m.get("mapsTo") or "") for m in element.iter("MappingColumn"))
    return SchemaLink(
        element.get("element") or "", element.get("alias") or "", element.get("type") or "", pairs
    )


def _arc_definition(element: _Element) -> ArcDefinition:
    bridge = element.find("Bridge-Element")
    filters = tuple((f.get("field") or "", f.get("filterType") or "") for f in element.findall("Filter"))
    return ArcDefinition(
        element.get("Id") or "",
        (bridge.get("name") or "") if bridge is not None else "",
        (bridge.get("field") or "") if bridge is not None else "",
        _common(element, "type"),
        filters,
    )


def _common(element: _Element, attribute: str) -> tuple[tuple[str, str], ...]:
    return tuple((c.get("id") or "", c.get(attribute) or "") for c in element.findall("CommonField"))


def _circles(fields: Mapping[str, DisplayField], name: str, lines: Mapping[str, int | None]) -> Iterator[str]:
    """Each circle of sort-by once, at its first field."""
    told: set[str] = set()
    for start in fields:
        chain = [start]
        while (following := fields[chain[-1]].sort_by) in fields and following not in chain:
            chain.append(following)
        circle = chain[chain.index(following) :] if following in chain else []
        # A field that sorts by itself says the default aloud.
        if len(circle) > 1 and not told & set(circle):
            told |= set(circle)
            yield f"{name}, line {lines[start]}: sort-by goes in a circle: {' → '.join([*circle, circle[0]])}"

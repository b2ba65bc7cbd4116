"""Display documents: the names under which a data type can be shown, filtered and sorted.

A document is XNAT's, with two liberties. A field may say `built-in="projects"` (and other names, see
`model.DisplayField.expression`) where XNAT would have SQL: a document never carries SQL here. And a document
need not repeat what every type has: what it leaves out comes from the generated default.

A type without a document gets the default alone: the common fields, and one field per leaf of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, cast

from connectomedb.errors import NotValid
from connectomedb.schema.model import (
    DataType,
    DisplayDocument,
    DisplayField,
    DisplayVersion,
    ValueType,
    VersionField,
)
from connectomedb.schema.xml import parse_xml

if TYPE_CHECKING:
    from lxml.etree import _Element

_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_TYPES: dict[str, ValueType] = {
    "string": "string",
    "integer": "integer",
    "float": "float",
    "boolean": "boolean",
    "date": "date",
    "time": "time",
    "datetime": "dateTime",
}
IsA = Callable[[str, str], bool]


def read_display(content: bytes, name: str) -> DisplayDocument:
    """The document in `content`, without the generated fields; NotValid names file and line."""
    root = parse_xml(content)
    xsi_type = root.get("schema-element") or ""
    if root.tag != "Displays" or ":" not in xsi_type:
        raise NotValid([f"{name}: the root must be Displays with a schema-element"])
    fields = {f.id: f for f in (_field(e, xsi_type, name) for e in root.findall("DisplayField"))}
    versions = {}
    for element in root.findall("DisplayVersion"):
        refs = tuple(
            VersionField(
                ref.get("id") or "",
                ref.get("element_name") or xsi_type,
                ref.get("header") or "",
                ref.get("visible") != "false",
            )
            for ref in element.findall("DisplayFieldRef")
        )
        version = element.get("versionName") or ""
        versions[version] = DisplayVersion(
            version,
            refs,
            element.get("default-order-by") or "",
            "DESC" if element.get("default-sort-order") == "DESC" else "ASC",
        )
    plural = root.get("brief-description") or xsi_type
    singular = plural.removesuffix("s") if plural != xsi_type else xsi_type
    return DisplayDocument(xsi_type, singular, plural, fields, versions, root.get("full-description") or "")


def _field(element: _Element, xsi_type: str, name: str) -> DisplayField:
    place = f"{name}, line {element.sourceline}"
    field_id = element.get("id")
    if not field_id:
        raise NotValid([f"{place}: a DisplayField without id"])
    built_in = element.get("built-in")
    source = element.find("DisplayFieldElement")
    if built_in:
        expression = tuple(built_in.split())
    elif source is not None and source.get("schema-element"):
        path = (source.get("schema-element") or "").replace(".", "/").replace("@", "")
        owner, _, rest = path.partition("/")
        expression = ("element", rest) if owner == xsi_type else ("subject_element", rest)
    else:
        raise NotValid([f"{place}: {field_id} has neither a schema-element nor a built-in"])
    order = element.get("sort-order") or ""
    return DisplayField(
        id=field_id,
        header=element.get("header") or field_id,
        value_type=_TYPES.get((element.get("data-type") or "string").lower(), "string"),
        expression=expression,
        searchable=element.get("searchable") == "true",
        visible=element.get("visible") != "false",
        valued=(element.get(_XSI_TYPE) or "").endswith("SubQueryField"),
        sort_by=element.get("sort-by") or "",
        sort_order=cast(Literal["", "ASC", "DESC"], order if order in ("ASC", "DESC") else ""),
        description=" ".join((element.findtext("description") or "").split()),
        unit=element.get("unit") or "",
        link_fields=tuple(f for f in (element.get("link-fields") or "").split(",") if f),
    )


def complete(document: DisplayDocument | None, data_type: DataType, is_a: IsA) -> DisplayDocument:
    """The document with everything that it leaves to the default; the default alone for None."""
    written = dict(document.fields) if document else {}
    covered = {f.expression for f in written.values() if f.expression[0] == "element"}
    common = {f.id: f for f in _common_fields(data_type, is_a)}
    own = [f for f in _own_fields(data_type) if f.expression not in covered]
    fields = {**common, **written}
    for field in own:
        fields.setdefault(field.id, field)
    closed = {("element", f.path): f.tier for f in data_type.fields if f.tier != "open"}
    fields = {
        i: replace(f, tier=closed[f.expression]) if f.expression in closed else f for i, f in fields.items()
    }
    shown = [f for f in (written if document else {f.id: f for f in own}) if not fields[f].valued]
    versions = dict(document.versions) if document else {}
    if is_a(data_type.xsi_type, "xnat:subjectAssessorData"):
        head = ("LABEL", "SUBJECT_LABEL", "DATE", "AGE")
        for name, lead in (("listing", head), ("full", ("EXPT_ID", *head[1:])), ("detailed", ())):
            refs = tuple(VersionField(i, data_type.xsi_type) for i in dict.fromkeys((*lead, *shown)))
            versions.setdefault(name, DisplayVersion(name, refs, "DATE", "DESC"))
    refs = tuple(VersionField(i, data_type.xsi_type) for i in fields if not fields[i].valued)
    versions.setdefault("full", DisplayVersion("full", refs))
    name = data_type.root_element or data_type.xsi_type
    return DisplayDocument(
        data_type.xsi_type,
        document.singular if document else name,
        document.plural if document else name,
        fields,
        versions,
        (document.description if document else "") or data_type.documentation,
    )


def _common_fields(data_type: DataType, is_a: IsA) -> Iterator[DisplayField]:
    """What every experiment has; nothing for other types."""
    if not is_a(data_type.xsi_type, "xnat:experimentData"):
        return
    sql_name = data_type.xsi_type.replace(":", "_").upper()
    links = ("EXPT_ID", "INSERT_DATE", "INSERT_USER", "PROJECTS", "PROJECT")
    if is_a(data_type.xsi_type, "xnat:subjectAssessorData"):
        yield DisplayField("SUBJECT_ID", "Subject", "string", ("element", "subject_ID"))
        yield DisplayField("SUBJECT_LABEL", "Subject", "string", ("subject_label",))
        yield DisplayField("AGE", "Age", "float", ("age",), unit="years")
        yield DisplayField("GENDER", "Gender", "string", ("subject_element", "demographics/gender"))
        counted = "of the subject's files that have this kind, run or package"
        yield DisplayField(
            "FILE_COUNT",
            "Files",
            "integer",
            ("file_count",),
            searchable=False,
            valued=True,
            description=f"How many {counted}",
        )
        yield DisplayField(
            "FILE_BYTES",
            "Bytes",
            "integer",
            ("file_bytes",),
            searchable=False,
            valued=True,
            description=f"Bytes {counted}",
            unit="bytes",
        )
    yield DisplayField("EXPT_ID", "ID", "string", ("element", "ID"))
    yield DisplayField("DATE", "Date", "date", ("element", "date"), sort_order="DESC")
    yield DisplayField("PROJECTS", "Projects", "string", ("projects",))
    yield DisplayField("LABEL", "Label", "string", ("label",), link_fields=links)
    yield DisplayField("PROJECT", "Project", "string", ("element", "project"))
    yield DisplayField("INSERT_DATE", "Inserted", "dateTime", ("insert_date",))
    yield DisplayField("INSERT_USER", "Creator", "string", ("insert_user",))
    for suffix, built_in in (("PROJECT_IDENTIFIER", "label_in_project"), ("FIELD_MAP", "field_map")):
        yield DisplayField(
            f"{sql_name}_{suffix}", sql_name, "string", (built_in,), searchable=False, valued=True
        )


def _own_fields(data_type: DataType) -> Iterator[DisplayField]:
    for leaf in data_type.own_fields():
        yield DisplayField(
            leaf.column.upper(),
            leaf.name,
            leaf.value_type,
            ("element", leaf.path),
            description=leaf.documentation,
            unit=leaf.unit,
        )

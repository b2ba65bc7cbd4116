"""XNAT's search document ↔ SearchQuery. The order of children is free."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from connectomedb.errors import NotValid
from connectomedb.schema.xml import parse_xml
from connectomedb.search.operators import normalise
from connectomedb.search.query import (
    CriteriaSet,
    Criterion,
    FieldRef,
    Method,
    SearchField,
    SearchQuery,
    SortBy,
)

if TYPE_CHECKING:
    from lxml.etree import _Element

NAMESPACE = "http://nrg.wustl.edu/security"
_ROOTS = frozenset({"bundle", "Search", "search", "stored_search"})
_MOST_DEPTH = 64
_MOST_FIELDS = 2000


def parse_search(data: bytes) -> SearchQuery:
    """The question that a document asks.

    Raises   NotWellFormed; NotValid for XML that is no search document; BadConstraint for an unknown operator
    """
    root = parse_xml(data)
    if _local(root) not in _ROOTS or not str(root.tag).startswith(f"{{{NAMESPACE}}}"):
        raise NotValid([f"line {root.sourceline}: {root.tag!s} is no search document; send xdat:bundle"])
    name = _text(root, "root_element_name")
    if not name:
        raise NotValid(
            [f"line {root.sourceline}: root_element_name is missing; name the data type of the rows"]
        )
    fields = [_field(e, i) for i, e in enumerate(_children(root, "search_field"))]
    if len(fields) > _MOST_FIELDS:
        raise NotValid([f"{len(fields)} search fields are more than {_MOST_FIELDS}; ask in parts"])
    sets = [_set(e, 1) for e in _children(root, "search_where")]
    where = sets[0] if len(sets) == 1 else CriteriaSet("AND", tuple(sets))
    sort = next(iter(_children(root, "sort_by")), None)
    return SearchQuery(
        name,
        tuple(field for _, field in sorted(fields, key=lambda pair: pair[0])),
        where,
        None
        if sort is None
        else SortBy(FieldRef(_text(sort, "element_name") or name, _text(sort, "field_ID"))),
        root.get("ID") or "",
        root.get("brief-description") or "",
        root.get("description") or "",
    )


def print_search(query: SearchQuery) -> bytes:
    """The document that `parse_search` reads back, children in the order of XNAT's schema.

    The document cannot say the direction of a sort; `sortOrder` in the address does.
    """
    attributes = (
        f"ID={quoteattr(query.search_id or f'@{query.root}')} "
        f"brief-description={quoteattr(query.brief_description)} description={quoteattr(query.description)}"
    )
    lines = [
        f'<xdat:bundle xmlns:xdat="{NAMESPACE}" {attributes} allow-diff-columns="0" secure="false">',
        f"<xdat:root_element_name>{escape(query.root)}</xdat:root_element_name>",
    ]
    for sequence, field in enumerate(query.fields):
        hidden = "" if field.visible else ' visible="0"'
        lines.append(
            f"<xdat:search_field{hidden}>"
            f"<xdat:element_name>{escape(field.ref.element_name)}</xdat:element_name>"
            f"<xdat:field_ID>{escape(field.ref.name)}</xdat:field_ID><xdat:sequence>{sequence}</xdat:sequence>"
            "<xdat:type>string</xdat:type>"
            f"<xdat:header>{escape(field.header or str(field.ref))}</xdat:header>"
            f"<xdat:value>{escape(field.value)}</xdat:value></xdat:search_field>"
        )
    if query.where.members:
        lines.append(_print_set(query.where, "search_where"))
    if query.sort_by:
        ref = query.sort_by.ref
        lines.append(
            f"<xdat:sort_by><xdat:element_name>{escape(ref.element_name)}</xdat:element_name>"
            f"<xdat:field_ID>{escape(ref.name)}</xdat:field_ID></xdat:sort_by>"
        )
    return "\n".join([*lines, "</xdat:bundle>"]).encode("utf-8")


def _print_set(criteria: CriteriaSet, tag: str) -> str:
    parts = [
        _print_set(member, "child_set") if isinstance(member, CriteriaSet) else _print_criterion(member)
        for member in criteria.members
    ]
    return f'<xdat:{tag} method="{criteria.method}">{"".join(parts)}</xdat:{tag}>'


def _print_criterion(criterion: Criterion) -> str:
    return (
        f'<xdat:criteria override_value_formatting="0"><xdat:schema_field>{escape(str(criterion.ref))}'
        f"</xdat:schema_field><xdat:comparison_type>{escape(criterion.comparison_type)}</xdat:comparison_type>"
        f"<xdat:value>{escape(criterion.value)}</xdat:value></xdat:criteria>"
    )


def _field(element: _Element, position: int) -> tuple[tuple[float, int], SearchField]:
    sequence = _text(element, "sequence")
    name, field_id = _text(element, "element_name"), _text(element, "field_ID")
    if not name or not field_id:
        raise NotValid([f"line {element.sourceline}: a search_field needs element_name and field_ID"])
    try:
        order = float(sequence) if sequence else float(position)
    except ValueError as problem:
        raise NotValid([f"line {element.sourceline}: sequence {sequence!r} is no number"]) from problem
    field = SearchField(
        FieldRef(name, field_id.removeprefix(f"{name}/")),
        _text(element, "header"),
        _text(element, "value"),
        element.get("visible") not in ("0", "false"),
    )
    return (order, position), field


def _set(element: _Element, depth: int) -> CriteriaSet:
    if depth > _MOST_DEPTH:
        raise NotValid([f"line {element.sourceline}: criteria are nested deeper than {_MOST_DEPTH} levels"])
    spelled = (element.get("method") or "AND").strip().upper()
    if spelled not in ("AND", "OR"):
        raise NotValid([f"line {element.sourceline}: method {spelled!r} is neither AND nor OR"])
    method: Method = "AND" if spelled == "AND" else "OR"
    members: list[Criterion | CriteriaSet] = []
    for child in element:
        if _local(child) == "criteria":
            members.append(_criterion(child))
        elif _local(child) == "child_set":
            members.append(_set(child, depth + 1))
    return CriteriaSet(method, tuple(members))


def _criterion(element: _Element) -> Criterion:
    schema_field = _text(element, "schema_field")
    head, slash, name = schema_field.partition("/")
    if not slash:
        head, slash, name = schema_field.partition(".")
    if not slash or not head or not name:
        raise NotValid([f"line {element.sourceline}: schema_field {schema_field!r} is not type/FIELD"])
    value = next((c.text or "" for c in _children(element, "value")), "")
    comparison, value = normalise(_text(element, "comparison_type"), value)
    return Criterion(FieldRef(head, name), comparison, value)


def _children(element: _Element, name: str) -> list[_Element]:
    return [child for child in element if _local(child) == name]


def _text(element: _Element, name: str) -> str:
    return next(((c.text or "").strip() for c in _children(element, name)), "")


def _local(element: _Element) -> str:
    return str(element.tag).rpartition("}")[2]

"""XNAT's search document ↔ SearchQuery.

Read leniently: children in any order, flags as 0/1 or words, sets without a method. Written in the order of
XNAT's schema, so that strict readers take it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from connectomedb.errors import NotValid
from connectomedb.schema.xml import parse_xml
from connectomedb.search.operators import normalise
from connectomedb.search.query import (
    MOST_DEPTH,
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
_MOST_FIELDS = 2000
# SQLite parses a chain of conditions as an expression of that depth; its limit is 1,000.
MOST_CRITERIA = 500
_FALSE = ("0", "false")


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
    n_criteria = sum(1 for _ in root.iter("{*}criteria"))
    if n_criteria > MOST_CRITERIA:
        raise NotValid([f"{n_criteria} criteria are more than {MOST_CRITERIA}; IN takes a list of values"])
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
        root.get("tag") or "",
        _flag(root, "secure"),
        _flag(root, "allow-diff-columns"),
        root.get("layeredSequence") or "",
        _named(root, "allowed_user", "login"),
        _named(root, "allowed_groups", "groupID"),
    )


def print_search(query: SearchQuery) -> bytes:
    """The document that `parse_search` reads back, children in the order of XNAT's schema.

    The document cannot say the direction of a sort; `sortOrder` in the address does.
    """
    attributes = {
        "ID": query.search_id or f"@{query.root}",
        "brief-description": query.brief_description,
        "description": query.description,
        "tag": query.tag,
        "layeredSequence": query.layered_sequence,
        "allow-diff-columns": "1" if query.allow_diff_columns else "0",
        "secure": "1" if query.secure else "0",
    }
    optional = ("tag", "layeredSequence")
    written = " ".join(f"{k}={quoteattr(v)}" for k, v in attributes.items() if v or k not in optional)
    return print_bundle(query, written)


def print_bundle(query: SearchQuery, attributes: str) -> bytes:
    """The document under these attributes of its root, already escaped."""
    lines = [
        f'<xdat:bundle xmlns:xdat="{NAMESPACE}" {attributes}>',
        _leaf("root_element_name", query.root),
        *(_print_field(field, sequence) for sequence, field in enumerate(query.fields)),
    ]
    if query.where.members:
        lines.append(_print_set(query.where, "search_where"))
    if query.sort_by:
        ref = query.sort_by.ref
        inside = _leaf("element_name", ref.element_name) + _leaf("field_ID", ref.name)
        lines.append(f"<xdat:sort_by>{inside}</xdat:sort_by>")
    for login in query.allowed_users:
        lines.append(f"<xdat:allowed_user>{_leaf('login', login)}</xdat:allowed_user>")
    for group in query.allowed_groups:
        lines.append(f"<xdat:allowed_groups>{_leaf('groupID', group)}</xdat:allowed_groups>")
    return "\n".join([*lines, "</xdat:bundle>"]).encode("utf-8")


def _leaf(name: str, text: str) -> str:
    # A bare carriage return would be read back as a line feed.
    return f"<xdat:{name}>{escape(text, {chr(13): '&#13;'})}</xdat:{name}>"


def _print_field(field: SearchField, sequence: int) -> str:
    hidden = "" if field.visible else ' visible="0"'
    inside = (
        _leaf("element_name", field.ref.element_name),
        _leaf("field_ID", field.ref.name),
        _leaf("sequence", str(sequence)),
        _leaf("type", field.type),
        _leaf("header", field.header or str(field.ref)),
        _leaf("value", field.value),
    )
    return f"<xdat:search_field{hidden}>{''.join(inside)}</xdat:search_field>"


def _print_set(criteria: CriteriaSet, tag: str) -> str:
    parts = [
        _print_set(member, "child_set") if isinstance(member, CriteriaSet) else _print_criterion(member)
        for member in criteria.members
    ]
    return f'<xdat:{tag} method="{criteria.method}">{"".join(parts)}</xdat:{tag}>'


def _print_criterion(criterion: Criterion) -> str:
    inside = (
        _leaf("schema_field", str(criterion.ref)),
        _leaf("comparison_type", criterion.comparison_type),
        _leaf("value", criterion.value),
    )
    flag = "1" if criterion.override_value_formatting else "0"
    return f'<xdat:criteria override_value_formatting="{flag}">{"".join(inside)}</xdat:criteria>'


def _field(element: _Element, position: int) -> tuple[tuple[float, int], SearchField]:
    said: dict[str, str] = {}
    for child in element:
        said.setdefault(_local(child), (child.text or "").strip())
    sequence, name, field_id = (said.get(part, "") for part in ("sequence", "element_name", "field_ID"))
    if not name or not field_id:
        raise NotValid([f"line {element.sourceline}: a search_field needs element_name and field_ID"])
    try:
        order = float(sequence) if sequence else float(position)
    except ValueError as problem:
        raise NotValid([f"line {element.sourceline}: sequence {sequence!r} is no number"]) from problem
    field = SearchField(
        FieldRef(name, field_id.removeprefix(f"{name}/")),
        said.get("header", ""),
        said.get("value", ""),
        _flag(element, "visible"),
        said.get("type") or "string",
    )
    return (order, position), field


def _set(element: _Element, depth: int) -> CriteriaSet:
    if depth > MOST_DEPTH:
        raise NotValid([f"line {element.sourceline}: criteria are nested deeper than {MOST_DEPTH} levels"])
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
    as_it_is = element.get("override_value_formatting") in ("1", "true")
    return Criterion(FieldRef(head, name), comparison, value, as_it_is)


def _flag(element: _Element, name: str) -> bool:
    """An attribute that is true unless it says otherwise."""
    return (element.get(name) or "").strip().lower() not in _FALSE


def _named(root: _Element, part: str, leaf: str) -> tuple[str, ...]:
    """Those who may use a search: one part each, or several in one part, each once."""
    found = (_texts(e, leaf) for e in _children(root, part))
    return tuple(dict.fromkeys(name for names in found for name in names))


def _texts(element: _Element, name: str) -> tuple[str, ...]:
    texts = ((c.text or "").strip() for c in _children(element, name))
    return tuple(text for text in texts if text)


def _children(element: _Element, name: str) -> list[_Element]:
    return list(element.iterchildren(f"{{*}}{name}"))


def _text(element: _Element, name: str) -> str:
    return next(((c.text or "").strip() for c in _children(element, name)), "")


def _local(element: _Element) -> str:
    tag: str = element.tag  # type: ignore[assignment]  # comments and the like are not read
    return tag.rpartition("}")[2]

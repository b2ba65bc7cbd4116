"""Random documents of any type that a site stores: what hypothesis draws, with names that fit together."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime

from hypothesis import strategies as st

from connectomedb.schema.model import ElementPath, Item, Node, Value, ValueType
from connectomedb.store.tables import PARTS, SHARES, Layout

TREE_SCHEMA = b"""<?xml version="1.0" encoding="UTF-8"?>
<xs:schema targetNamespace="http://example.org/deep" xmlns:deep="http://example.org/deep"
  xmlns:xnat="http://nrg.wustl.edu/xnat" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<xs:element name="Tree" type="deep:treeData"/>
<xs:complexType name="leafKind"><xs:attribute name="n" type="xs:integer"/></xs:complexType>
<xs:complexType name="bigLeaf"><xs:complexContent><xs:extension base="deep:leafKind">
  <xs:sequence><xs:element name="vein" type="xs:double" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>
</xs:extension></xs:complexContent></xs:complexType>
<xs:complexType name="treeData"><xs:complexContent><xs:extension base="xnat:subjectAssessorData"><xs:sequence>
  <xs:element name="branch" minOccurs="0" maxOccurs="unbounded"><xs:complexType><xs:sequence>
    <xs:element name="wood" type="xs:string" minOccurs="0"/>
    <xs:element name="twigs" minOccurs="0"><xs:complexType><xs:sequence>
      <xs:element name="twig" minOccurs="0" maxOccurs="unbounded"><xs:complexType><xs:sequence>
        <xs:element name="leaf" type="deep:leafKind" minOccurs="0" maxOccurs="unbounded"/>
        <xs:element name="bud" type="xs:date" minOccurs="0" maxOccurs="unbounded"/>
      </xs:sequence><xs:attribute name="length" type="xs:double"/></xs:complexType></xs:element>
    </xs:sequence></xs:complexType></xs:element>
  </xs:sequence></xs:complexType></xs:element>
</xs:sequence></xs:extension></xs:complexContent></xs:complexType>
</xs:schema>
"""

_numbers = itertools.count(1)
_text = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"),
    min_size=1,
    max_size=8,
)
_plain = st.text("abcXYZ019_-. ", min_size=1, max_size=6)
_VALUES: Mapping[ValueType, st.SearchStrategy[Value]] = {
    "string": _text,
    "integer": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "boolean": st.booleans(),
    "date": st.dates(date(1, 1, 1)),
    "time": st.times(),
    "dateTime": st.datetimes(datetime(1, 1, 1)),
}


def _value(leaf: ElementPath) -> st.SearchStrategy[Value]:
    return st.sampled_from(leaf.enumeration) if leaf.enumeration else _VALUES[leaf.value_type]


@st.composite
def _content(draw: st.DrawFn, layout: Layout, nodes: Iterable[Node], item_type: str, depth: int) -> Item:
    """Values and repeated parts of one element."""
    leaves: list[ElementPath] = []
    repeated: list[Node] = []
    _walk(nodes, leaves, repeated)
    some = draw(st.lists(st.sampled_from(leaves), max_size=6, unique_by=lambda f: f.path)) if leaves else []
    values = {leaf.path: draw(_value(leaf)) for leaf in some}
    children: dict[str, tuple[Item, ...]] = {}
    for node in repeated:
        if node.path == SHARES or depth > 3 or not draw(st.booleans()):
            continue
        kinds = _kinds(layout, node)
        entries = (
            [
                draw(_content(layout, inside, kind, depth + 1))
                for kind, inside in draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=2))
            ]
            if kinds
            else []
        )
        if entries:
            children[node.path] = tuple(entries)
    return Item(item_type, values, children)


def _walk(nodes: Iterable[Node], leaves: list[ElementPath], repeated: list[Node]) -> None:
    for node in nodes:
        if node.element is not None:
            leaves.append(node.element)
        if node.kind == "multiple":
            repeated.append(node)
        else:
            _walk(node.children, leaves, repeated)


def _kinds(layout: Layout, node: Node) -> list[tuple[str, tuple[Node, ...]]]:
    if node.item_type not in layout.types:
        return [(node.item_type, node.children)]
    # A subject's experiments and a session's assessors are tried as documents of their own.
    if layout.family(node.item_type) not in (None, *PARTS):
        return [(t.xsi_type, t.nodes) for t in layout.types.subtypes(node.item_type) if not t.abstract][:3]
    return [(t.xsi_type, t.nodes) for t in layout.types.subtypes(node.item_type) if not t.abstract]


def _named(layout: Layout, item: Item, project: str, holder: Item | None, subject: str) -> Item:
    """The document with ids, labels and references that fit together, as the archive gives it back."""
    family = layout.family(item.xsi_type)
    values = dict(item.values)
    number = next(_numbers)
    if family in PARTS:
        values["label" if family == "resource" else "ID"] = f"part {number}"
    elif family is not None:
        values |= {"ID": f"X{number}", "label": f"L{number}"}
        if family != "project":
            values["project"] = project
        else:
            values.pop("label")
            values.setdefault("name", f"name {number}")
            values.setdefault("secondary_ID", f"short {number}")
        known = layout.typed(item.xsi_type).columns
        if "subject_id" in known:
            of_subject = holder is not None and layout.family(holder.xsi_type) == "subject"
            values["subject_ID"] = holder.values["ID"] if of_subject and holder else subject
        if "imagesession_id" in known:
            assert holder is not None, "an assessor stands in a session"
            values["imageSession_ID"] = holder.values["ID"]
    # What is one of a kind on the site.
    for name in ("URI", "alias", "secondary_ID"):
        if values.get(name):
            values[name] = f"{values[name]}/{number}"
    own = replace(item, values=values)
    children = {
        path: tuple(_named(layout, one, project, own, subject) for one in entries)
        for path, entries in item.children.items()
    }
    return replace(own, children=children)


def documents(layout: Layout, xsi_type: str, project: str, subject: str) -> st.SearchStrategy[Item]:
    """Documents of one type, owned by a project, about a subject."""
    drawn = _content(layout, layout.types.get(xsi_type).nodes, xsi_type, 0)
    return drawn.map(lambda item: _named(layout, item, project, None, subject))

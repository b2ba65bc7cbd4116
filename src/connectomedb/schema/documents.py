"""Documents of the archive: read with every reason for refusal, written as XNAT writes them.

Elements come in schema order, those of the base first; attributes in declaration order; a missing value is an
absent element. A document's root carries every prefix of the site.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from connectomedb.errors import NotValid, UnknownDataType
from connectomedb.schema.model import Bound, DataType, ElementPath, Item, Node, Value
from connectomedb.schema.registry import DataTypes
from connectomedb.schema.values import parse_value, xml_value
from connectomedb.schema.xml import NAMESPACES, XSI, parse_xml

if TYPE_CHECKING:
    from lxml.etree import _Element

# No part of XML 1.0: such text cannot be written, only refused.
UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

# A parser takes a bare carriage return for a line feed.
_KEPT = {"\r": "&#13;"}


def read_document(data: bytes, types: DataTypes, *, placed: bool = False) -> Item:
    """The item that a document spells. One that is `placed` by an address need not say what holds it.

    Null     empty elements and attributes are absent from the item
    Raises   NotWellFormed, UnknownDataType, NotValid with every reason and its line
    """
    root = parse_xml(data)
    reading = _Reading(types)
    data_type = reading.type_of(root)
    item = reading.item(root, data_type, held=placed)
    if reading.reasons:
        raise NotValid(reading.reasons)
    return item


def check_value(element: ElementPath, value: Value) -> str:
    """Why a value is not one of this element, '' when it is."""
    text = str(value)
    if UNWRITABLE.search(text):
        return "it holds a character that XML cannot carry"
    if element.enumeration and text not in element.enumeration:
        return f"it is none of {', '.join(element.enumeration)}"
    if element.max_length is not None and len(text) > element.max_length:
        return f"it is longer than {element.max_length} characters"
    if element.min_length is not None and len(text) < element.min_length:
        return f"it is shorter than {element.min_length} characters"
    if element.lower is not None and _below(value, element.lower):
        return f"it must be {'at least' if element.lower.inclusive else 'above'} {element.lower.value}"
    if element.upper is not None and _below(value, element.upper, mirrored=True):
        return f"it must be {'at most' if element.upper.inclusive else 'below'} {element.upper.value}"
    if element.pattern and not re.fullmatch(element.pattern, text):
        return f"it does not match {element.pattern}"
    return ""


def _below(value: Value, bound: Bound, *, mirrored: bool = False) -> bool:
    """The value is beyond the bound: below it, or above it when mirrored."""
    if value == bound.value:
        return not bound.inclusive
    # Both were read as values of one type, so they compare.
    return bool(value > bound.value if mirrored else value < bound.value)  # type: ignore[operator]  # of one type


def write_document(item: Item, types: DataTypes, *, site_url: str = "") -> bytes:
    """The document of an item, in UTF-8.

    Raises   NotValid for an item that its type has no place for, or whose text XML cannot carry
    """
    data_type = types.get(item.xsi_type)
    if not data_type.root_element:
        raise NotValid([f"{item.xsi_type} has no root element and cannot be a document"])
    writing = _Writing(types)
    prefix = data_type.xsi_type.split(":")[0]
    name = f"{prefix}:{data_type.root_element}"
    known = list(dict.fromkeys([*NAMESPACES, *types.namespaces]))
    declarations = "".join(f" xmlns:{p}={quoteattr(types.namespaces[p])}" for p in known)
    pairs = " ".join(f"{s.namespace} {site_url}/schemas/{s.name}.xsd" for s in types.schemas())
    attributes = writing.attributes(data_type.nodes, item)
    body = "".join(writing.elements(data_type.nodes, item, 1))
    writing.check(item, data_type)
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{name}{attributes}{declarations} xmlns:xsi="{XSI}" '
        f"xsi:schemaLocation={quoteattr(pairs)}>\n{body}</{name}>\n"
    )
    return text.encode("utf-8")


@dataclass(slots=True)
class _Reading:
    types: DataTypes
    reasons: list[str] = field(default_factory=list)

    def type_of(self, root: _Element) -> DataType:
        namespace, local = _split(root)
        named = root.get(f"{{{XSI}}}type")
        if named:
            prefix, _, name = named.rpartition(":")
            uri = root.nsmap.get(prefix or None, "")
            known = next((p for p, u in self.types.namespaces.items() if u == uri), prefix)
            return self.types.get(f"{known}:{name}")
        return self.types.by_root(namespace, local)

    def item(self, element: _Element, data_type: DataType, *, held: bool = False) -> Item:
        """The item of an element; one that is `held` by another need not repeat a reference to that."""
        values: dict[str, Value] = {}
        children: dict[str, list[Item]] = {}
        nodes = tuple(_optional_reference(n) for n in data_type.nodes) if held else data_type.nodes
        self._take(element, nodes, values, children, data_type.xsi_type)
        return Item(data_type.xsi_type, values, {k: tuple(v) for k, v in children.items()})

    def _take(
        self,
        element: _Element,
        nodes: tuple[Node, ...],
        values: dict[str, Value],
        children: dict[str, list[Item]],
        name: str,
    ) -> None:
        """Everything that an element holds; `name` is what a reason calls it."""
        attributes = {n.name: n for n in nodes if n.kind == "attribute"}
        for name, text in element.attrib.items():
            if str(name).startswith("{"):
                continue
            node = attributes.get(str(name))
            if node is None or node.element is None:
                self._refuse(element, f"{_local(element)} has no attribute {name}")
            else:
                self._value(element, node.element, str(text), values)
        elements = {n.name: n for n in nodes if n.kind != "attribute"}
        if (element.text or "").strip():
            self._refuse(element, f"{_local(element)} holds elements, not the text {_shown(element.text)}")
        seen: set[str] = set()
        for child in element:
            if (child.tail or "").strip():
                self._refuse(child, f"{_local(element)} holds elements, not the text {_shown(child.tail)}")
            node = elements.get(_local(child))
            uri = self.types.namespaces.get(node.prefix, "") if node else ""
            if node is None or _split(child)[0] != uri:
                expected = f" (namespace {_split(child)[0] or 'none'})" if node else ""
                self._refuse(child, f"{_local(element)} has no element {_local(child)}{expected}")
                continue
            if node.kind != "multiple" and node.name in seen:
                self._refuse(child, f"{node.path} is given twice")
                continue
            seen.add(node.name)
            if node.kind == "multiple":
                entry = self._entry(child, node)
                if entry is not None:
                    children.setdefault(node.path, []).append(entry)
            elif node.kind == "leaf" and node.element is not None:
                self._value(child, node.element, child.text or "", values)
                self._take_attributes(child, node, values)
                for inner in child:
                    self._refuse(inner, f"{node.name} holds text, not elements")
                if len(node.children):
                    self._need(child, node.children, values, children, set(), node.path)
            elif node.kind == "item":
                self._take_item(child, node, values, children)
            else:
                self._take(child, node.children, values, children, node.path)
        self._need(element, nodes, values, children, seen, name)

    def _need(
        self,
        element: _Element,
        nodes: tuple[Node, ...],
        values: dict[str, Value],
        children: dict[str, list[Item]],
        seen: set[str],
        name: str,
    ) -> None:
        """Refuse what lacks a required part. ID may come from elsewhere: a URL, or the archive."""
        for node in nodes:
            given = node.path in values if node.element is not None else node.name in seen
            if node.required and not given and node.path != "ID":
                self._refuse(element, f"{name} needs {node.path}")

    def _take_item(
        self, element: _Element, node: Node, values: dict[str, Value], children: dict[str, list[Item]]
    ) -> None:
        """A single part of a named type, which may say which of several it is."""
        named = element.get(f"{{{XSI}}}type")
        part = self._part_type(element, node) if named else None
        if named and part is None:
            return
        if node.type_element is not None:
            if part is None:
                # Only a document that leaves its type out is guessed, from what it holds.
                part = self._guess(element, node)
            values[node.type_element.path] = part.xsi_type
        nodes = _nodes_of(node, part) if part is not None else node.children
        self._take(element, nodes, values, children, node.path)

    def _part_type(self, element: _Element, node: Node) -> DataType | None:
        try:
            found = self.type_of(element)
        except UnknownDataType as problem:
            self._refuse(element, str(problem))
            return None
        if found.xsi_type not in node.item_types:
            self._refuse(element, f"{node.path} is no {found.xsi_type}; it is {' or '.join(node.item_types)}")
            return None
        return found

    def _guess(self, element: _Element, node: Node) -> DataType:
        held = {_local(child) for child in element} | {str(name) for name in element.attrib}
        candidates = [self.types.get(name) for name in node.item_types]
        return next((t for t in candidates if held <= {n.name for n in t.nodes}), candidates[0])

    def _take_attributes(self, element: _Element, node: Node, values: dict[str, Value]) -> None:
        known = {n.name: n.element for n in node.children}
        for name, text in element.attrib.items():
            leaf = known.get(str(name))
            if leaf is not None:
                self._value(element, leaf, str(text), values)
            elif not str(name).startswith("{"):
                self._refuse(element, f"{node.name} has no attribute {name}")

    def _entry(self, element: _Element, node: Node) -> Item | None:
        if node.item_type in self.types:
            try:
                entry_type = (
                    self.type_of(element) if element.get(f"{{{XSI}}}type") else self.types.get(node.item_type)
                )
            except UnknownDataType as problem:
                self._refuse(element, str(problem))
                return None
            if not self.types.is_a(entry_type.xsi_type, node.item_type):
                self._refuse(element, f"{entry_type.xsi_type} is no {node.item_type}")
                return None
            if entry_type.abstract:
                self._refuse(element, f"{entry_type.xsi_type} is abstract; say which kind it is by xsi:type")
                return None
            return self.item(element, entry_type, held=True)
        values: dict[str, Value] = {}
        children: dict[str, list[Item]] = {}
        parts = node.children
        if node.has_text:
            text_leaf = parts[0].element
            assert text_leaf is not None
            self._value(element, text_leaf, element.text or "", values)
            for child in element:
                self._refuse(child, f"{node.name} holds text, not elements")
            self._take_attributes(element, replace(node, children=parts[1:]), values)
            self._need(element, parts[1:], values, children, set(), node.path)
        else:
            self._take(element, parts, values, children, node.path)
        return Item(node.item_type, values, {k: tuple(v) for k, v in children.items()})

    def _value(self, element: _Element, leaf: ElementPath, text: str, values: dict[str, Value]) -> None:
        bare = text.strip()
        if not bare:
            return
        try:
            value = parse_value(text if leaf.value_type == "string" else bare, leaf.value_type)
        except ValueError as problem:
            self._refuse(element, f"{leaf.path}: {problem}")
            return
        reason = check_value(leaf, value)
        if reason:
            self._refuse(element, f"{leaf.path} is {text[:60]!r}: {reason}")
        elif leaf.path in values:
            self._refuse(element, f"{leaf.path} is given twice")
        else:
            values[leaf.path] = value

    def _refuse(self, element: _Element, reason: str) -> None:
        self.reasons.append(f"line {element.sourceline}: {reason}")


@dataclass(slots=True)
class _Writing:
    types: DataTypes
    written: set[str] = field(default_factory=set)

    def attributes(self, nodes: tuple[Node, ...], item: Item) -> str:
        """The attributes of one element, each with its leading blank."""
        parts = []
        for node in nodes:
            if node.kind == "attribute" and node.element is not None:
                text = self._text(node.element, item)
                if text is not None:
                    parts.append(f" {node.name}={quoteattr(text)}")
        return "".join(parts)

    def elements(self, nodes: tuple[Node, ...], item: Item, depth: int) -> Iterator[str]:
        """The child elements of one element, one line each or nested."""
        pad = "  " * depth
        for node in nodes:
            name = f"{node.prefix}:{node.name}"
            if node.kind == "leaf" and node.element is not None:
                text = self._text(node.element, item)
                attributes = self.attributes(node.children, item)
                if text is not None or attributes:
                    yield f"{pad}<{name}{attributes}>{escape(text or '', _KEPT)}</{name}>\n"
            elif node.kind in ("group", "item"):
                parts, typed = node.children, ""
                if node.polymorphic:
                    part = self._part_type(node, item)
                    parts = _nodes_of(node, part)
                    typed = f' xsi:type="{part.xsi_type}"'
                attributes = self.attributes(parts, item)
                body = "".join(self.elements(parts, item, depth + 1))
                said = node.type_element is not None and node.type_element.path in item.values
                if body:
                    yield f"{pad}<{name}{attributes}{typed}>\n{body}{pad}</{name}>\n"
                elif attributes or said:
                    yield f"{pad}<{name}{attributes}{typed}/>\n"
            elif node.kind == "multiple":
                for entry in item.children.get(node.path, ()):
                    yield self._entry(name, node, entry, depth)
                self.written.add(node.path)

    def _part_type(self, node: Node, item: Item) -> DataType:
        """Of which type a single part is: the one it says, else the first that has all its values."""
        said = item.text(node.type_element.path) if node.type_element is not None else ""
        candidates = [self.types.get(name) for name in ([said] if said else node.item_types)]
        given = {path for path in (*item.values, *item.children) if path.startswith(f"{node.path}/")}
        if node.type_element is not None:
            given.discard(node.type_element.path)
        homes = [t for t in candidates if given <= _paths(_nodes_of(node, t))]
        if not homes:
            known = _paths(_nodes_of(node, candidates[0]))
            raise NotValid([f"{candidates[0].xsi_type} has no place for {p}" for p in sorted(given - known)])
        return homes[0]

    def check(self, item: Item, data_type: DataType) -> None:
        """Nothing of an item is left out of its document in silence."""
        known = {f.path for f in data_type.fields}
        homeless = [p for p in item.values if p not in known]
        homeless += [p for p in item.children if p not in {m.path for m in data_type.multiples}]
        if homeless:
            raise NotValid([f"{data_type.xsi_type} has no place for {p}" for p in homeless])

    def _entry(self, name: str, node: Node, entry: Item, depth: int) -> str:
        pad, inner = "  " * depth, _Writing(self.types)
        if node.item_type in self.types:
            entry_type = self.types.get(entry.xsi_type)
            inner.check(entry, entry_type)
            parts = entry_type.nodes
            other = node.polymorphic or entry_type.xsi_type != node.item_type
            typed = f' xsi:type="{entry_type.xsi_type}"' if other else ""
            text = ""
        else:
            parts, typed, text = node.children, "", ""
            if node.has_text and parts[0].element is not None:
                text = inner._text(parts[0].element, entry) or ""
                parts = parts[1:]
        attributes = inner.attributes(parts, entry)
        body = "".join(inner.elements(parts, entry, depth + 1))
        if body:
            return f"{pad}<{name}{attributes}{typed}>\n{body}{pad}</{name}>\n"
        if text:
            return f"{pad}<{name}{attributes}{typed}>{escape(text, _KEPT)}</{name}>\n"
        return f"{pad}<{name}{attributes}{typed}/>\n"

    def _text(self, leaf: ElementPath, item: Item) -> str | None:
        value = item.values.get(leaf.path)
        if value is None:
            return None
        text = xml_value(value, leaf.value_type)
        if UNWRITABLE.search(text):
            raise NotValid([f"{leaf.path} is {text[:60]!r}: it holds a character that XML cannot carry"])
        return text


def value_texts(item: Item, data_type: DataType) -> Mapping[str, str]:
    """The leaves of an item as XML spells them, by path, in schema order."""
    return {
        f.path: xml_value(item.values[f.path], f.value_type)
        for f in data_type.fields
        if f.path in item.values
    }


def _optional_reference(node: Node) -> Node:
    """The same place; a reference to what holds the item may be left out there."""
    refers = node.element is not None and node.element.hint("baseElement")
    return replace(node, required=False) if node.required and refers else node


def _nodes_of(node: Node, part: DataType) -> tuple[Node, ...]:
    """The places of a single part when it is of this type, in the order of that type."""
    if node.type_element is None:
        return node.children
    own = {n.path for n in part.nodes}
    return tuple(n for n in node.children if n.path.removeprefix(f"{node.path}/") in own)


def _paths(nodes: Iterable[Node]) -> set[str]:
    """The leaves and repeated parts below some places."""
    found: set[str] = set()
    for node in nodes:
        if node.element is not None or node.kind == "multiple":
            found.add(node.path)
        if node.type_element is not None:
            found.add(node.type_element.path)
        if node.kind != "multiple":
            found |= _paths(node.children)
    return found


def _shown(text: str | None) -> str:
    return repr((text or "").strip()[:40])


def _split(element: _Element) -> tuple[str, str]:
    tag = str(element.tag)
    if tag.startswith("{"):
        namespace, _, local = tag[1:].partition("}")
        return namespace, local
    return "", tag


def _local(element: _Element) -> str:
    return _split(element)[1]

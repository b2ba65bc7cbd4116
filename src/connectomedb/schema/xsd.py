"""XSD files to data types: extension chains, groups, attributes, simple content, repeated parts, facets.

A file is first brought to the form that existing clients survive (`schema.normal`), which is also what a site
serves. What cannot be brought to it is refused at load, with file, line and reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from connectomedb.errors import NotValid
from connectomedb.schema.model import DataType, ElementPath, Hints, Multiple, Node
from connectomedb.schema.normal import XS, normalise, served
from connectomedb.schema.simple_types import Facets, SimpleTypes
from connectomedb.schema.xml import ANNOTATIONS, parse_xml

if TYPE_CHECKING:
    from lxml.etree import _Element

XDAT = f"{{{ANNOTATIONS}}}"
MEASURE = "{http://connectomedb.org/measure}"
_MOST_DEPTH = 12
# Texts that hold JSON, and references, are texts here.
_TEXT_TYPES = frozenset(("xdat:jsonb",))


@dataclass(frozen=True, slots=True)
class SchemaFile:
    """One XSD as served: `name` is `folder/file`, or `file` when both are equal. `root` is parsed."""

    name: str
    prefix: str
    namespace: str
    folder: str
    content: bytes
    root: _Element = field(repr=False, compare=False)


@lru_cache(maxsize=256)
def read_schema_file(folder: str, file: str, content: bytes) -> SchemaFile:
    """The XSD in its normal form, with its name, prefix and namespace.

    Raises   NotWellFormed, NotValid with every construct that clients could not read
    Cost     a file that was read before is not parsed again in this process
    """
    root = parse_xml(content)
    place = f"{folder}/{file}"
    if root.tag != f"{XS}schema":
        raise NotValid([f"{place}: the root is no xs:schema"])
    root, prefix, reasons = normalise(root, folder, place)
    if reasons:
        raise NotValid(reasons)
    stem = file.removesuffix(".xsd")
    name = stem if stem == folder else f"{folder}/{stem}"
    return SchemaFile(name, prefix, root.get("targetNamespace") or "", folder, served(root), root)


def read_types(files: Iterable[SchemaFile]) -> dict[str, DataType]:
    """All named complex types of the schemas, by xsi_type, in file order.

    Cost     the same files are read once in this process
    """
    return dict(_read_types(tuple(files)))


@lru_cache(maxsize=8)
def _read_types(files: tuple[SchemaFile, ...]) -> dict[str, DataType]:
    return _Reader(files).read()


class _Reader:
    """Builds types from all files at once: a base may stand in another file, or later."""

    def __init__(self, files: tuple[SchemaFile, ...]) -> None:
        self._prefixes = {f.namespace: f.prefix for f in files}
        self._complex: dict[str, tuple[_Element, SchemaFile]] = {}
        self._roots: dict[str, str] = {}
        self._bases: dict[str, str] = {}
        self._concrete_of: dict[str, list[str]] = {}
        self._known: dict[tuple[str, str], tuple[Node, ...]] = {}
        simple: dict[str, _Element] = {}
        for file in files:
            for child in file.root:
                name = f"{file.prefix}:{child.get('name')}"
                if child.tag == f"{XS}complexType":
                    if name in self._complex:
                        raise NotValid([f"{file.name}.xsd, line {child.sourceline}: {name} is defined twice"])
                    self._complex[name] = (child, file)
                elif child.tag == f"{XS}simpleType":
                    simple[name] = child
                elif child.tag == f"{XS}element" and child.get("type"):
                    self._roots.setdefault(
                        self._name(child, child.get("type") or ""), child.get("name") or ""
                    )
        self._simple = SimpleTypes(simple, self._name)

    def read(self) -> dict[str, DataType]:
        reasons = [reason for name in self._complex for reason in self._wrong_base(name)]
        if reasons:
            raise NotValid(reasons)
        for name in self._complex:
            if not self._abstract(name):
                for above in self._chain(name):
                    self._concrete_of.setdefault(above, []).append(name)
        return {name: self._data_type(name) for name in self._complex}

    def _wrong_base(self, name: str) -> Iterator[str]:
        seen = {name}
        base = self._base(name)
        while base:
            place = self._place(name, self._complex[name][0])
            if base in seen:
                yield f"{place}: {name} extends itself"
                return
            if base not in self._complex:
                yield f"{place}: the base type {base} is nowhere"
                return
            seen.add(base)
            base = self._base(base)

    def _data_type(self, name: str) -> DataType:
        element, file = self._complex[name]
        nodes = self._nodes(name, "", 0)
        return DataType(
            xsi_type=name,
            namespace=file.namespace,
            root_element=self._roots.get(name, ""),
            base=self._base(name),
            abstract=self._abstract(name),
            schema_name=file.name,
            fields=tuple(_leaves(nodes)),
            multiples=tuple(_multiples(nodes)),
            documentation=_documentation(element),
            nodes=nodes,
            hints=_hints(element, "element"),
        )

    def _base(self, name: str) -> str:
        if name not in self._bases:
            extension = self._complex[name][0].find(f"{XS}complexContent/{XS}extension")
            base = self._name(extension, extension.get("base") or "") if extension is not None else ""
            self._bases[name] = base
        return self._bases[name]

    def _chain(self, name: str) -> list[str]:
        """The type, its base, and so on."""
        chain = [name]
        while base := self._base(chain[-1]):
            chain.append(base)
        return chain

    def _abstract(self, name: str) -> bool:
        element = self._complex[name][0]
        hint = element.find(f"{XS}annotation/{XS}appinfo/{XDAT}element")
        return element.get("abstract") == "true" or (hint is not None and hint.get("abstract") == "true")

    def _nodes(self, name: str, path: str, depth: int) -> tuple[Node, ...]:
        """Attributes first, then elements, each with those of the base before its own."""
        key = (name, path)
        if key not in self._known:
            bodies = [(n, self._body(n)) for n in reversed(self._chain(name))]
            attributes = [a for owner, body in bodies for a in self._attributes(owner, body, path)]
            elements = [e for owner, body in bodies for e in self._particles(owner, body, path, depth)]
            self._known[key] = (*attributes, *elements)
        return self._known[key]

    def _body(self, name: str) -> _Element:
        element = self._complex[name][0]
        extension = element.find(f"{XS}complexContent/{XS}extension")
        return element if extension is None else extension

    def _attributes(self, owner: str, body: _Element, path: str) -> Iterator[Node]:
        for attribute in body.findall(f"{XS}attribute"):
            name = attribute.get("name") or ""
            leaf = self._leaf(owner, attribute, _join(path, name), is_attribute=True)
            required = attribute.get("use") == "required"
            yield Node(name, "", "attribute", leaf.path, leaf, required=required)

    def _particles(
        self,
        owner: str,
        body: _Element,
        path: str,
        depth: int,
        *,
        optional: bool = False,
        around: str = "",
    ) -> Iterator[Node]:
        """Elements of a body; `around` is the anonymous repeated part that they stand in."""
        for child in body:
            if child.tag in (f"{XS}sequence", f"{XS}choice", f"{XS}all"):
                if child.get("maxOccurs", "1") not in ("0", "1"):
                    place = self._place(owner, child)
                    raise NotValid([f"{place}: a repeated group has no place of its own; name an element"])
                may_lack = optional or child.tag == f"{XS}choice" or child.get("minOccurs") == "0"
                yield from self._particles(owner, child, path, depth, optional=may_lack, around=around)
            elif child.tag == f"{XS}element" and child.get("name"):
                node = self._element(owner, child, path, depth, around)
                required = child.get("minOccurs", "1") != "0" and not optional
                if node.element is not None and optional:
                    node = replace(node, element=replace(node.element, required=False))
                yield replace(node, required=required)

    def _element(self, owner: str, element: _Element, path: str, depth: int, around: str) -> Node:
        if depth > _MOST_DEPTH:
            raise NotValid([f"{self._place(owner, element)}: nested deeper than {_MOST_DEPTH} levels"])
        name = element.get("name") or ""
        here, prefix = _join(path, name), owner.split(":")[0]
        named = self._name(element, element.get("type") or "") if element.get("type") else ""
        simple = self._simple_content(element, named)
        inline = element.find(f"{XS}complexType")
        if element.get("maxOccurs", "1") not in ("0", "1"):
            return self._multiple(owner, element, here, named, simple, around)
        if simple is not None:
            leaf = self._leaf(owner, element, here, content=simple)
            attributes = tuple(self._attributes(owner, simple, here))
            return Node(name, prefix, "leaf", here, leaf, attributes)
        if inline is not None:
            inner = self._particles(owner, inline, here, depth + 1, around=around)
            parts = (*self._attributes(owner, inline, here), *inner)
            return Node(name, prefix, "group", here, children=parts)
        if named in self._complex:
            return self._item(owner, element, here, named, depth)
        leaf = self._leaf(owner, element, here)
        return Node(name, prefix, "leaf", here, leaf)

    def _simple_content(self, element: _Element, named: str) -> _Element | None:
        """The extension or restriction of an element whose type is text with attributes."""
        inline = element.find(f"{XS}complexType")
        holder = inline if inline is not None else self._complex[named][0] if named in self._complex else None
        if holder is None:
            return None
        found = holder.find(f"{XS}simpleContent/{XS}extension")
        return found if found is not None else holder.find(f"{XS}simpleContent/{XS}restriction")

    def _item(self, owner: str, element: _Element, here: str, named: str, depth: int) -> Node:
        """A single part of a named type. An abstract one stands for its concrete subtypes."""
        concrete = self._concrete_of.get(named, [])
        if not concrete:
            place = self._place(owner, element)
            raise NotValid([f"{place}: {here}: {named} has no concrete subtype; define one that extends it"])
        parts: dict[str, Node] = {}
        for one in concrete:
            for node in _owned_by(self._nodes(one, here, depth + 1), owner):
                known = parts.setdefault(node.path, node)
                if _value_type(known) != _value_type(node):
                    place = self._place(owner, element)
                    reason = f"{node.path} has another type in {one}; give it another name"
                    raise NotValid([f"{place}: {reason}"])
        several = len(concrete) > 1
        path = f"{here}/xsi:type"
        chosen = ElementPath(path, _column(path), "string", owner, enumeration=tuple(concrete))
        return Node(
            element.get("name") or "",
            owner.split(":")[0],
            "item",
            here,
            children=tuple(parts.values()),
            item_type=named if several else concrete[0],
            polymorphic=several or concrete[0] != named,
            item_types=tuple(concrete),
            type_element=chosen if several else None,
        )

    def _multiple(
        self,
        owner: str,
        element: _Element,
        here: str,
        named: str,
        simple: _Element | None,
        around: str,
    ) -> Node:
        inline = element.find(f"{XS}complexType")
        name, prefix = element.get("name") or "", owner.split(":")[0]
        parts: tuple[Node, ...] = ()
        item_type, polymorphic = f"{around or owner}_{name}", False
        has_text = simple is not None or (inline is None and named not in self._complex)
        if simple is not None:
            leaf = self._leaf(owner, element, name, content=simple)
            parts = (Node(name, prefix, "leaf", name, leaf), *self._attributes(owner, simple, ""))
        elif named in self._complex:
            # Its own nodes are looked up by type when it is read: a type may hold itself.
            item_type, polymorphic = named, self._concrete_of.get(named, []) != [named]
        elif inline is not None:
            inner = self._particles(owner, inline, "", 1, around=item_type)
            parts = (*self._attributes(owner, inline, ""), *inner)
        else:
            leaf = self._leaf(owner, element, name)
            parts = (Node(name, prefix, "leaf", name, leaf),)
        hints = _hints(element, "relation")
        return Node(
            name, prefix, "multiple", here, None, parts, item_type, polymorphic, has_text, hints=hints
        )

    def _leaf(
        self,
        owner: str,
        element: _Element,
        path: str,
        *,
        content: _Element | None = None,
        is_attribute: bool = False,
    ) -> ElementPath:
        facets = self._facets(owner, element, content)
        unit, low, high, tier = _measure(element)
        return ElementPath(
            path=path,
            column=_column(path),
            value_type=facets.value_type,
            declared_in=owner,
            is_attribute=is_attribute,
            required=(
                element.get("use") == "required" if is_attribute else element.get("minOccurs", "1") != "0"
            )
            and "/" not in path,
            documentation=_documentation(element),
            enumeration=facets.enumeration,
            min_value=low if facets.lower is None else _number(facets.lower.value),
            max_value=high if facets.upper is None else _number(facets.upper.value),
            max_length=facets.max_length,
            pattern=facets.pattern,
            unit=unit,
            lower=facets.lower,
            upper=facets.upper,
            min_length=facets.min_length,
            default=element.get("default") or "",
            hints=(*_hints(element, "field"), *_hints(element, "sqlField", "sqlField/")),
            tier=tier,
        )

    def _facets(self, owner: str, element: _Element, content: _Element | None) -> Facets:
        holder = element if content is None else content
        type_name = holder.get("type" if content is None else "base") or ""
        if type_name and self._name(holder, type_name) in _TEXT_TYPES:
            return Facets("string")
        try:
            found = self._simple.of(holder, type_name)
            if content is not None and content.tag == f"{XS}restriction":
                found = self._simple.restricted(found, content)
        except ValueError as problem:
            raise NotValid([f"{self._place(owner, element)}: {problem}"]) from problem
        return found

    def _name(self, element: _Element, qualified: str) -> str:
        """A qualified name with the site's fixed prefix, whatever prefix the file uses."""
        prefix, _, local = qualified.rpartition(":")
        namespace = element.nsmap.get(prefix or None, "")
        if namespace == XS.strip("{}"):
            return f"xs:{local}"
        return f"{self._prefixes.get(namespace, prefix)}:{local}"

    def _place(self, owner: str, element: _Element) -> str:
        return f"{self._complex[owner][1].name}.xsd, line {element.sourceline}"


def _leaves(nodes: Iterable[Node]) -> Iterator[ElementPath]:
    for node in nodes:
        if node.element is not None:
            yield node.element
        if node.type_element is not None:
            yield node.type_element
        if node.kind != "multiple":
            yield from _leaves(node.children)


def _multiples(nodes: Iterable[Node]) -> Iterator[Multiple]:
    for node in nodes:
        if node.kind == "multiple":
            yield Multiple(node.path, node.item_type, tuple(_leaves(node.children)))
        else:
            yield from _multiples(node.children)


def _owned_by(nodes: Iterable[Node], owner: str) -> Iterator[Node]:
    """Leaves of a part belong, for the owner's table and fields, to the owner; none is required there."""
    for node in nodes:
        if node.kind == "multiple":
            yield node
            continue
        element = node.element and replace(node.element, declared_in=owner, required=False)
        chosen = node.type_element and replace(node.type_element, declared_in=owner)
        children = tuple(_owned_by(node.children, owner))
        yield replace(node, element=element, type_element=chosen, children=children)


def _value_type(node: Node) -> str:
    return node.element.value_type if node.element else node.kind


def _join(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name


def _column(path: str) -> str:
    return "".join(c if c.isalnum() or c == "_" else "_" for c in path).lower()


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _documentation(element: _Element) -> str:
    found = element.find(f"{XS}annotation/{XS}documentation")
    return " ".join((found.text or "").split()) if found is not None else ""


def _hints(element: _Element, name: str, prefix: str = "") -> Hints:
    found = element.find(f"{XS}annotation/{XS}appinfo//{XDAT}{name}")
    return tuple((f"{prefix}{k}", str(v)) for k, v in found.attrib.items()) if found is not None else ()


def _measure(element: _Element) -> tuple[str, float | None, float | None, str]:
    """Unit, usual range and tier of a value; the range is a hint for readers, not a rule for documents."""
    found = element.find(f"{XS}annotation/{XS}appinfo/{MEASURE}measure")
    if found is None:
        return "", None, None, "open"
    low, high = found.get("minimum"), found.get("maximum")
    tier = found.get("tier") or "open"
    return found.get("unit") or "", float(low) if low else None, float(high) if high else None, tier

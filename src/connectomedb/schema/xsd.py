"""XSD files to data types: extension chains, groups, attributes, simple content, repeated parts, facets.

A schema with a construct that existing clients do not survive is refused at load, with file, line and reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from connectomedb.errors import NotValid
from connectomedb.schema.model import DataType, ElementPath, Multiple, Node, ValueType
from connectomedb.schema.xml import parse_xml

if TYPE_CHECKING:
    from lxml.etree import _Element

XS = "{http://www.w3.org/2001/XMLSchema}"
XDAT = "{http://nrg.wustl.edu/xdat}"
MEASURE = "{http://connectomedb.org/measure}"
_MOST_DEPTH = 12

_SIMPLE: Mapping[str, ValueType] = {
    **dict.fromkeys(("integer", "int", "long", "short", "nonNegativeInteger", "positiveInteger"), "integer"),
    **dict.fromkeys(("float", "double", "decimal"), "float"),
    "boolean": "boolean",
    "date": "date",
    "time": "time",
    "dateTime": "dateTime",
    **dict.fromkeys(
        ("string", "token", "normalizedString", "NMTOKEN", "anyURI", "ID", "IDREF", "Name"), "string"
    ),
}
# Constructs that make existing clients fail at connect; source: protocol/clients.md 1.4, each measured.
_FATAL = {
    "attributeGroup": "attribute groups stop existing clients; write the attributes out",
    "redefine": "redefinitions are not read; extend the type instead",
}


@dataclass(frozen=True, slots=True)
class SchemaFile:
    """One XSD as served: `name` is `folder/file`, or `file` when both are equal."""

    name: str
    prefix: str
    namespace: str
    folder: str
    content: bytes


@dataclass(frozen=True, slots=True)
class _Facets:
    value_type: ValueType
    enumeration: tuple[str, ...] = ()
    min_value: float | None = None
    max_value: float | None = None
    max_length: int | None = None
    pattern: str = ""


def read_schema_file(folder: str, file: str, content: bytes) -> SchemaFile:
    """The XSD with its name, prefix and namespace; NotValid when clients could not read it."""
    root = parse_xml(content)
    place = f"{folder}/{file}"
    if root.tag != f"{XS}schema":
        raise NotValid([f"{place}: the root is no xs:schema"])
    namespace = root.get("targetNamespace") or ""
    prefix = next((p for p, uri in root.nsmap.items() if p and uri == namespace), None)
    reasons = []
    if root.prefix != "xs":
        reasons.append(f"{place}, line 1: the schema prefix must be xs, existing clients look for it")
    if prefix is None:
        reasons.append(f"{place}, line 1: the target namespace {namespace!r} has no prefix")
    for element in root.iter():
        local = str(element.tag).removeprefix(XS)
        if local in _FATAL or (local == "group" and element.get("ref")):
            reasons.append(
                f"{place}, line {element.sourceline}: {_FATAL.get(local, 'group references stop clients')}"
            )
        if local == "restriction" and element.getparent() is not None:
            parent = element.getparent()
            if parent is not None and parent.tag == f"{XS}complexContent":
                reasons.append(
                    f"{place}, line {element.sourceline}: complex restrictions stop existing clients"
                )
    if reasons:
        raise NotValid(reasons)
    stem = file.removesuffix(".xsd")
    name = stem if stem == folder else f"{folder}/{stem}"
    return SchemaFile(name, prefix or "", namespace, folder, content)


def read_types(files: Iterable[SchemaFile]) -> dict[str, DataType]:
    """All named complex types of the schemas, by xsi_type, in file order."""
    return _Reader(tuple(files)).read()


class _Reader:
    """Builds types from all files at once: a base may stand in another file, or later."""

    def __init__(self, files: tuple[SchemaFile, ...]) -> None:
        self._files = files
        self._prefixes = {f.namespace: f.prefix for f in files}
        self._complex: dict[str, tuple[_Element, SchemaFile]] = {}
        self._simple: dict[str, _Element] = {}
        self._roots: dict[str, str] = {}
        for file in files:
            for child in parse_xml(file.content):
                name = f"{file.prefix}:{child.get('name')}"
                if child.tag == f"{XS}complexType":
                    if name in self._complex:
                        raise NotValid([f"{file.name}, line {child.sourceline}: {name} is defined twice"])
                    self._complex[name] = (child, file)
                elif child.tag == f"{XS}simpleType":
                    self._simple[name] = child
                elif child.tag == f"{XS}element" and child.get("type"):
                    self._roots.setdefault(
                        self._name(child, child.get("type") or ""), child.get("name") or ""
                    )

    def read(self) -> dict[str, DataType]:
        return {name: self._data_type(name) for name in self._complex}

    def _data_type(self, name: str) -> DataType:
        element, file = self._complex[name]
        nodes = tuple(self._nodes(name, "", 0))
        fields = tuple(_leaves(nodes))
        return DataType(
            xsi_type=name,
            namespace=file.namespace,
            root_element=self._roots.get(name, ""),
            base=self._base(name),
            abstract=self._abstract(name),
            schema_name=file.name,
            fields=fields,
            multiples=tuple(_multiples(nodes)),
            documentation=_documentation(element),
            nodes=nodes,
        )

    def _base(self, name: str) -> str:
        extension = self._complex[name][0].find(f"{XS}complexContent/{XS}extension")
        if extension is None:
            return ""
        base = self._name(extension, extension.get("base") or "")
        if base not in self._complex:
            raise NotValid([f"{self._place(name, extension)}: the base type {base} is nowhere"])
        return base

    def _abstract(self, name: str) -> bool:
        hint = self._complex[name][0].find(f"{XS}annotation/{XS}appinfo/{XDAT}element")
        return hint is not None and hint.get("abstract") == "true"

    def _concrete(self, name: str) -> list[str]:
        below = [n for n in self._complex if self._extends(n, name)]
        return [n for n in below if not self._abstract(n)]

    def _extends(self, name: str, other: str) -> bool:
        while name and name != other:
            name = self._base(name)
        return name == other

    def _nodes(self, name: str, path: str, depth: int) -> Iterator[Node]:
        """Attributes first, then elements, each with those of the base before its own."""
        chain = [name]
        while base := self._base(chain[-1]):
            if base in chain:
                raise NotValid([f"{self._place(name, self._complex[name][0])}: {name} extends itself"])
            chain.append(base)
        chain.reverse()
        bodies = [(n, self._body(n)) for n in chain]
        for owner, body in bodies:
            yield from self._attributes(owner, body, path)
        for owner, body in bodies:
            yield from self._particles(owner, body, path, depth)

    def _body(self, name: str) -> _Element:
        element = self._complex[name][0]
        extension = element.find(f"{XS}complexContent/{XS}extension")
        return element if extension is None else extension

    def _attributes(self, owner: str, body: _Element, path: str) -> Iterator[Node]:
        for attribute in body.findall(f"{XS}attribute"):
            name = attribute.get("name") or ""
            leaf = self._leaf(owner, attribute, _join(path, name), is_attribute=True)
            yield Node(name, "", "attribute", leaf.path, leaf)

    def _particles(self, owner: str, body: _Element, path: str, depth: int) -> Iterator[Node]:
        for child in body:
            if child.tag in (f"{XS}sequence", f"{XS}choice", f"{XS}all"):
                yield from self._particles(owner, child, path, depth)
            elif child.tag == f"{XS}element" and child.get("name"):
                yield self._element(owner, child, path, depth)

    def _element(self, owner: str, element: _Element, path: str, depth: int) -> Node:
        if depth > _MOST_DEPTH:
            raise NotValid([f"{self._place(owner, element)}: nested deeper than {_MOST_DEPTH} levels"])
        name = element.get("name") or ""
        here, prefix = _join(path, name), owner.split(":")[0]
        repeats = element.get("maxOccurs", "1") not in ("0", "1")
        named = self._name(element, element.get("type") or "") if element.get("type") else ""
        inline = element.find(f"{XS}complexType")
        content = inline.find(f"{XS}simpleContent/{XS}extension") if inline is not None else None
        if repeats:
            return self._multiple(owner, element, here, named, inline, content)
        if content is not None:
            leaf = self._leaf(owner, element, here, type_name=content.get("base") or "")
            attributes = tuple(self._attributes(owner, content, here))
            return Node(name, prefix, "leaf", here, leaf, attributes)
        if inline is not None:
            parts = (*self._attributes(owner, inline, here), *self._particles(owner, inline, here, depth + 1))
            return Node(name, prefix, "group", here, children=parts)
        if named in self._complex:
            return self._item(owner, element, here, named, depth)
        leaf = self._leaf(owner, element, here)
        return Node(name, prefix, "leaf", here, leaf)

    def _item(self, owner: str, element: _Element, here: str, named: str, depth: int) -> Node:
        """A single part of a named type; an abstract one stands for its only concrete subtype."""
        concrete = self._concrete(named)
        if len(concrete) != 1:
            reason = f"{named} has {len(concrete)} concrete subtypes, a single part needs exactly one"
            raise NotValid([f"{self._place(owner, element)}: {here}: {reason}"])
        parts = tuple(_owned_by(self._nodes(concrete[0], here, depth + 1), owner))
        name = element.get("name") or ""
        return Node(
            name,
            owner.split(":")[0],
            "item",
            here,
            children=parts,
            item_type=concrete[0],
            polymorphic=concrete[0] != named,
        )

    def _multiple(
        self,
        owner: str,
        element: _Element,
        here: str,
        named: str,
        inline: _Element | None,
        content: _Element | None,
    ) -> Node:
        name, prefix = element.get("name") or "", owner.split(":")[0]
        parts: tuple[Node, ...] = ()
        item_type, polymorphic = f"{owner}_{name}", False
        has_text = content is not None or (inline is None and named not in self._complex)
        if named in self._complex:
            # Its own nodes are looked up by type when it is read: a type may hold itself.
            item_type, polymorphic = named, len(self._concrete(named)) > 1 or self._abstract(named)
        elif content is not None:
            leaf = self._leaf(owner, element, name, type_name=content.get("base") or "")
            parts = (Node(name, prefix, "leaf", name, leaf), *self._attributes(owner, content, ""))
        elif inline is not None:
            parts = (*self._attributes(owner, inline, ""), *self._particles(owner, inline, "", 1))
        else:
            leaf = self._leaf(owner, element, name)
            parts = (Node(name, prefix, "leaf", name, leaf),)
        return Node(name, prefix, "multiple", here, None, parts, item_type, polymorphic, has_text)

    def _leaf(
        self,
        owner: str,
        element: _Element,
        path: str,
        *,
        type_name: str = "",
        is_attribute: bool = False,
    ) -> ElementPath:
        facets = self._facets(owner, element, type_name or element.get("type") or "")
        unit, low, high, tier = _measure(element)
        return ElementPath(
            path=path,
            column=_column(path),
            value_type=facets.value_type,
            declared_in=owner,
            is_attribute=is_attribute,
            required=element.get("use") == "required"
            if is_attribute
            else element.get("minOccurs", "1") != "0" and "/" not in path,
            documentation=_documentation(element),
            enumeration=facets.enumeration,
            min_value=facets.min_value if facets.min_value is not None else low,
            max_value=facets.max_value if facets.max_value is not None else high,
            max_length=facets.max_length,
            pattern=facets.pattern,
            unit=unit,
            tier=tier,
        )

    def _facets(self, owner: str, element: _Element, type_name: str) -> _Facets:
        inline = element.find(f"{XS}simpleType/{XS}restriction")
        if inline is not None:
            return self._restriction(owner, inline)
        if not type_name:
            return _Facets("string")
        name = self._name(element, type_name)
        if name in self._simple:
            restriction = self._simple[name].find(f"{XS}restriction")
            return self._restriction(owner, restriction) if restriction is not None else _Facets("string")
        local = name.split(":")[-1]
        if not name.startswith("xs:") or local not in _SIMPLE:
            raise NotValid([f"{self._place(owner, element)}: the type {type_name} is nowhere"])
        return _Facets(_SIMPLE[local])

    def _restriction(self, owner: str, restriction: _Element) -> _Facets:
        base = self._facets(owner, restriction, restriction.get("base") or "xs:string")
        values: dict[str, list[str]] = {}
        for facet in restriction:
            values.setdefault(str(facet.tag).removeprefix(XS), []).append(facet.get("value") or "")

        def number(name: str) -> float | None:
            return float(values[name][0]) if name in values else None

        return replace(
            base,
            enumeration=tuple(values.get("enumeration", ())),
            min_value=number("minInclusive"),
            max_value=number("maxInclusive"),
            max_length=int(values["maxLength"][0]) if "maxLength" in values else None,
            pattern=values.get("pattern", [""])[0],
        )

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
            continue
        element = node.element and replace(node.element, declared_in=owner, required=False)
        yield replace(node, element=element, children=tuple(_owned_by(node.children, owner)))


def _join(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name


def _column(path: str) -> str:
    return "".join(c if c.isalnum() or c == "_" else "_" for c in path).lower()


def _documentation(element: _Element) -> str:
    found = element.find(f"{XS}annotation/{XS}documentation")
    return " ".join((found.text or "").split()) if found is not None else ""


def _measure(element: _Element) -> tuple[str, float | None, float | None, str]:
    """Unit, usual range and tier of a value; the range is a hint for readers, not a rule for documents."""
    found = element.find(f"{XS}annotation/{XS}appinfo/{MEASURE}measure")
    if found is None:
        return "", None, None, "open"
    low, high = found.get("minimum"), found.get("maximum")
    tier = found.get("tier") or "open"
    return found.get("unit") or "", float(low) if low else None, float(high) if high else None, tier

"""Data types at random: chains of extensions, leaves of every value type, parts that repeat inside others.

What is drawn gives three things that must agree: the schema, the names that questions use, and the values
of things. Nothing here asks the code that is tested.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.properties.reference import Field, Thing

from connectomedb.schema.model import Item

PREFIX = "rnd"
_BASE = "xnat:subjectAssessorData"
_XSD = {
    "string": "xs:string",
    "integer": "xs:integer",
    "float": "xs:double",
    "boolean": "xs:boolean",
    "date": "xs:date",
    "time": "xs:time",
    "dateTime": "xs:dateTime",
}
_KINDS = tuple(_XSD)
Pick = Callable[[str], Any]


@dataclass(frozen=True)
class Leaf:
    """A single value; in a group of its own, an attribute, or neither."""

    name: str
    kind: str
    group: str = ""
    is_attribute: bool = False

    @property
    def path(self) -> str:
        return f"{self.group}/{self.name}" if self.group else self.name


@dataclass(frozen=True)
class Part:
    """What repeats: its leaves (the first one is a text, to choose by), and what repeats inside it."""

    path: str
    leaves: tuple[Leaf, ...]
    inner: Part | None = None

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class RandomType:
    """A type with what it adds to its base."""

    xsi_type: str
    base: str
    abstract: bool
    leaves: tuple[Leaf, ...]
    parts: tuple[Part, ...]


@dataclass
class _Drawer:
    chance: random.Random
    number: int = field(default=0)

    def name(self, letter: str) -> str:
        self.number += 1
        return f"{letter}{self.number}"

    def leaves(self, n: int, *, groups: bool) -> tuple[Leaf, ...]:
        kinds = [self.chance.choice(_KINDS) for _ in range(n)]
        shapes = [self.chance.choice(("plain", "plain", "group", "attribute")) for _ in range(n)]
        return tuple(
            Leaf(
                self.name("f"),
                kind,
                self.name("g") if shape == "group" and groups else "",
                shape == "attribute",
            )
            for kind, shape in zip(kinds, shapes, strict=True)
        )

    def part(self, depth: int = 0) -> Part:
        name = self.name("p")
        path = f"{name}s/{name}" if self.chance.random() < 0.5 else name
        inner = self.part(depth + 1) if depth < 2 and self.chance.random() < 0.5 else None
        leaves = (Leaf(self.name("s"), "string"), *self.leaves(self.chance.randint(1, 3), groups=False))
        return Part(path, leaves, inner)


def draw_types(chance: random.Random) -> tuple[RandomType, ...]:
    """Three to five types; the last one is concrete. All value types are there between them."""
    drawer = _Drawer(chance)
    found: list[RandomType] = []
    for number in range(chance.randint(3, 5)):
        base = chance.choice([_BASE, *(t.xsi_type for t in found), *(t.xsi_type for t in found[-1:])])
        leaves = drawer.leaves(chance.randint(1, 4), groups=True)
        if number == 0:
            leaves += tuple(Leaf(drawer.name("f"), kind) for kind in _KINDS)
        parts = tuple(drawer.part() for _ in range(chance.choice((0, 1, 1, 2))))
        found.append(RandomType(f"{PREFIX}:type{number}", base, chance.random() < 0.25, leaves, parts))
    last = found[-1]
    found[-1] = RandomType(last.xsi_type, last.base, False, last.leaves, last.parts)
    return tuple(found)


def schema_of(types: tuple[RandomType, ...]) -> bytes:
    """The schema document."""
    uri = f"http://example.org/{PREFIX}"
    known = 'xmlns:xnat="http://nrg.wustl.edu/xnat" xmlns:xdat="http://nrg.wustl.edu/xdat"'
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<xs:schema targetNamespace="{uri}" xmlns:{PREFIX}="{uri}" {known}',
        'xmlns:xs="http://www.w3.org/2001/XMLSchema">',
        '<xs:import namespace="http://nrg.wustl.edu/xnat"/>',
    ]
    for one in types:
        local = one.xsi_type.partition(":")[2]
        if not one.abstract:
            lines.append(f'<xs:element name="{local.capitalize()}" type="{one.xsi_type}"/>')
        lines.append(f'<xs:complexType name="{local}">')
        if one.abstract:
            lines.append(
                '<xs:annotation><xs:appinfo><xdat:element abstract="true"/></xs:appinfo></xs:annotation>'
            )
        lines.append(f'<xs:complexContent><xs:extension base="{one.base}">')
        lines += _content(one.leaves, one.parts)
        lines.append("</xs:extension></xs:complexContent></xs:complexType>")
    return "\n".join([*lines, "</xs:schema>"]).encode()


def _content(leaves: tuple[Leaf, ...], parts: tuple[Part, ...]) -> Iterator[str]:
    yield "<xs:sequence>"
    for leaf in leaves:
        if not leaf.is_attribute:
            element = f'<xs:element name="{leaf.name}" type="{_XSD[leaf.kind]}" minOccurs="0"/>'
            yield _wrapped(leaf.group, element) if leaf.group else element
    for part in parts:
        inside = "".join(_content(part.leaves, (part.inner,) if part.inner else ()))
        element = f'<xs:element name="{part.name}" minOccurs="0" maxOccurs="unbounded"><xs:complexType>'
        element += f"{inside}</xs:complexType></xs:element>"
        around = part.path.rpartition("/")[0]
        yield _wrapped(around, element) if around else element
    yield "</xs:sequence>"
    for leaf in leaves:
        if leaf.is_attribute:
            yield _attribute(leaf)


def _attribute(leaf: Leaf) -> str:
    return f'<xs:attribute name="{leaf.name}" type="{_XSD[leaf.kind]}"/>'


def _wrapped(name: str, element: str) -> str:
    return (
        f'<xs:element name="{name}" minOccurs="0"><xs:complexType><xs:sequence>{element}'
        "</xs:sequence></xs:complexType></xs:element>"
    )


def lineage(types: tuple[RandomType, ...], xsi_type: str) -> list[RandomType]:
    """The type and its bases, as far as they are random."""
    by_name = {t.xsi_type: t for t in types}
    found = []
    while xsi_type in by_name:
        found.append(by_name[xsi_type])
        xsi_type = by_name[xsi_type].base
    return found


def fields_of(
    types: tuple[RandomType, ...], common: Callable[[str], list[Field]]
) -> Mapping[str, tuple[Field, ...]]:
    """The names that questions may use of each type; inherited elements by path only."""
    found = {}
    for one in types:
        fields = common(one.xsi_type)
        for above in lineage(types, one.xsi_type):
            for leaf in above.leaves:
                get = _value(leaf.path)
                # A leaf in a group begins with its element, an attribute is one like any other.
                fields.append(Field(one.xsi_type, leaf.path, leaf.kind, get, by_path=True))
                if above is one and not one.abstract:
                    shown = leaf.path.upper().replace("/", "_")
                    fields.append(Field(one.xsi_type, shown, leaf.kind, get))
            for part in above.parts:
                fields += _part_fields(one.xsi_type, part, (), "")
        found[one.xsi_type] = tuple(fields)
    return found


def _value(path: str) -> Callable[[Thing], Any]:
    return lambda thing: thing.values.get(path)


def _part_fields(xsi_type: str, part: Part, around: tuple[Part, ...], written: str) -> list[Field]:
    """All leaves of a part, of all its entries and of those chosen by its text or that of what is around."""
    chain = (*around, part)
    plain = f"{written}{part.path}"
    fields = []
    for leaf in part.leaves:
        fields.append(_entries(xsi_type, f"{plain}/{leaf.name}", leaf, chain, {}))
    first = part.leaves[0].name
    chosen = {len(chain) - 1: (first, "a")}
    last = part.leaves[-1]
    fields.append(_entries(xsi_type, f"{plain}[{first}=a]/{last.name}", last, chain, chosen))
    if around:
        outer = around[0]
        head = f"{outer.path}[{outer.leaves[0].name}=a]"
        rest = plain[len(outer.path) :]
        chosen = {0: (outer.leaves[0].name, "a")}
        fields.append(_entries(xsi_type, f"{head}{rest}/{last.name}", last, chain, chosen))
    if part.inner is not None:
        fields += _part_fields(xsi_type, part.inner, chain, f"{plain}/")
    return fields


def _entries(
    xsi_type: str, name: str, leaf: Leaf, chain: tuple[Part, ...], chosen: Mapping[int, tuple[str, str]]
) -> Field:
    def values(thing: Thing) -> list[Any]:
        entries: list[dict[str, Any]] = list(thing.entries.get(chain[0].path, []))
        for level, part in enumerate(chain):
            if level:
                entries = [inner for entry in entries for inner in entry.get(part.path, [])]
            if level in chosen:
                key, text = chosen[level]
                entries = [entry for entry in entries if entry.get(key) == text]
        return [entry.get(leaf.name) for entry in entries]

    return Field(xsi_type, name, leaf.kind, values, by_path=True, repeated=True)


def fill(
    chance: random.Random, types: tuple[RandomType, ...], xsi_type: str, pick: Pick
) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """Values and entries of one thing."""
    values: dict[str, Any] = {}
    entries: dict[str, list[dict[str, Any]]] = {}
    for above in lineage(types, xsi_type):
        values |= {leaf.path: pick(leaf.kind) for leaf in above.leaves if chance.random() < 0.7}
        for part in above.parts:
            entries[part.path] = _fill_part(chance, part, pick)
    return values, entries


def _fill_part(chance: random.Random, part: Part, pick: Pick) -> list[dict[str, Any]]:
    found = []
    for _ in range(chance.choice((0, 1, 2, 3))):
        entry: dict[str, Any] = {
            leaf.name: pick(leaf.kind) for leaf in part.leaves[1:] if chance.random() < 0.7
        }
        # An entry without any value may go when documents are read again; the text keeps it.
        entry[part.leaves[0].name] = chance.choice(("a", "b", "A"))
        if part.inner is not None:
            entry[part.inner.path] = _fill_part(chance, part.inner, pick)
        found.append(entry)
    return found


def children_of(entries: Mapping[str, list[dict[str, Any]]]) -> dict[str, tuple[Item, ...]]:
    """The entries as a document has them."""
    return {path: tuple(_item(entry) for entry in some) for path, some in entries.items() if some}


def _item(entry: Mapping[str, Any]) -> Item:
    inside = {path: some for path, some in entry.items() if isinstance(some, list)}
    values = {name: value for name, value in entry.items() if not isinstance(value, list)}
    return Item(f"{PREFIX}:entry", values, children_of(inside))

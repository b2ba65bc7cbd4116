"""Schema paths: `xnat:mrSessionData/scans/scan[@xsi:type=xnat:mrScanData]/parameters/tr` to what it names.

Source   protocol/search-and-types.md 1.5. `/`, `.` and `@` separate steps, capitals do not matter, brackets
         narrow a step to a type or to one entry of a repeated part.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NoReturn

from connectomedb.errors import UnknownField
from connectomedb.schema.model import DataType, ElementPath, Node, ValueType

_META: Mapping[str, ValueType] = {
    "meta/insert_date": "dateTime",
    "meta/insert_user/login": "string",
    "meta/last_modified": "dateTime",
    "meta/activation_date": "dateTime",
    "meta/status": "string",
    "extension_item/element_name": "string",
}
# Facts that the archive keeps of every item, beside its document.
META_FIELDS: Mapping[str, ElementPath] = {
    path: ElementPath(path, path.replace("/", "_"), kind, "") for path, kind in _META.items()
}
_STEP = re.compile(r"[/.@]*([^/.@\[\]]+)((?:\[[^\]]*\])*)")
_BRACKET = re.compile(r"\[\s*@?([^=\]]+?)\s*=\s*(.*?)\s*\]")


Steps = list[tuple[str, list[tuple[str, str]]]]


@dataclass(frozen=True, slots=True)
class Selector:
    """Which entry of a repeated part: the one whose leaf at `path` has this value."""

    path: str
    value: str


@dataclass(frozen=True, slots=True)
class Part:
    """A repeated part on the way: its path in what holds it, the type of its entries, and which of them."""

    path: str
    item_type: str
    selectors: tuple[Selector, ...] = ()


@dataclass(frozen=True, slots=True)
class Address:
    """What a schema path names: a leaf of the item, or of an entry of a repeated part.

    `parts` are the repeated parts around the leaf, outermost first; `element.path` is relative to the last.
    `path` is the canonical spelling. `part_type` is the type that a single part must have, '' for any.
    """

    xsi_type: str
    path: str
    element: ElementPath
    parts: tuple[Part, ...] = ()
    part_type: str = ""

    @property
    def is_meta(self) -> bool:
        """A fact that the archive keeps beside the document."""
        return self.element.path in META_FIELDS and not self.parts


@dataclass(frozen=True, slots=True)
class TypesByName:
    """What the resolver asks of the registry."""

    get: Callable[[str], DataType]
    subtypes: Callable[[str], tuple[DataType, ...]]
    is_a: Callable[[str, str], bool]
    has: Callable[[str], bool]


def resolve_path(types: TypesByName, xsi_type: str, path: str) -> Address:
    """What a path names, seen from a type.

    Raises   UnknownDataType, UnknownField with the nearest paths or the types to choose from
    """
    data_type = types.get(xsi_type)
    walk = _Walk(types, data_type, path)
    return walk.run(_steps(path, walk.refuse))


def _steps(path: str, refuse: Callable[[str], NoReturn]) -> Steps:
    """Names and brackets, in order."""
    steps: Steps = []
    at = 0
    while at < len(path):
        found = _STEP.match(path, at)
        if found is None:
            if path[at:].strip("/.@"):
                refuse(f"{path[at:]!r} is no step; write NAME or NAME[@xsi:type=TYPE]")
            break
        brackets = _BRACKET.findall(found[2])
        if len(brackets) != found[2].count("["):
            refuse(f"{found[2]} is no bracket; write [@xsi:type=TYPE] or [name=VALUE]")
        steps.append((found[1].strip(), [(name, value.strip("'\"")) for name, value in brackets]))
        at = found.end()
    return steps


class _Walk:
    """From step to step; one object for each path."""

    def __init__(self, types: TypesByName, data_type: DataType, path: str) -> None:
        self._types = types
        self._type = data_type
        self._asked = path
        self._parts: list[Part] = []
        self._part_type = ""
        self._canonical: list[str] = []

    def refuse(self, reason: str, near: Iterable[str] = ()) -> NoReturn:
        """Raise UnknownField."""
        raise UnknownField(
            f"{self._asked} ({reason})" if reason else self._asked, self._type.xsi_type, tuple(near)
        )

    def run(self, steps: Steps) -> Address:
        plain = "/".join(name.lower() for name, _ in steps)
        if plain in META_FIELDS and not any(brackets for _, brackets in steps):
            return Address(self._type.xsi_type, plain, META_FIELDS[plain])
        nodes: tuple[Node, ...] = self._type.nodes
        last: Node | None = None
        while steps:
            (name, brackets), steps = steps[0], steps[1:]
            last = self._child(nodes, name)
            self._canonical.append(last.name)
            nodes, steps = self._enter(last, brackets, steps)
            if not steps and last.kind == "multiple" and last.has_text:
                steps = [(last.name, [])]
        element = last.element if last is not None else None
        if element is None and last is not None:
            element = self._key(last, nodes)
        if element is None:
            self.refuse("it has parts, but no value of its own" if last else "", self._near())
        path = "/".join(self._canonical)
        return Address(self._type.xsi_type, path, element, tuple(self._parts), self._part_type)

    def _enter(
        self,
        node: Node,
        brackets: list[tuple[str, str]],
        steps: Steps,
    ) -> tuple[tuple[Node, ...], Steps]:
        """What is inside a step."""
        wanted = [value for name, value in brackets if name.lower() == "xsi:type"]
        chosen = [(name, value) for name, value in brackets if name.lower() != "xsi:type"]
        narrowed = self._narrowed(node, wanted[0]) if wanted else ""
        if node.kind == "multiple":
            nodes, entry_type = self._entries(node, narrowed, steps)
            selectors = tuple(self._selector(nodes, name, value) for name, value in chosen)
            self._parts.append(Part(node.path, entry_type, selectors))
            return nodes, steps
        if chosen:
            self.refuse(f"{node.name} is there once; [{chosen[0][0]}=…] chooses nothing")
        if narrowed:
            self._part_type = narrowed
            own = {n.name for n in self._types.get(narrowed).nodes}
            return tuple(n for n in node.children if n.name in own), steps
        return node.children, steps

    def _narrowed(self, node: Node, wanted: str) -> str:
        if not node.item_type or not self._types.has(node.item_type):
            self.refuse(f"{node.name} has one kind only; leave [@xsi:type=…] out")
        found = self._types.get(wanted).xsi_type
        bases = node.item_types or (node.item_type,)
        related = any(self._types.is_a(found, b) or self._types.is_a(b, found) for b in bases)
        if not related:
            self.refuse(f"{node.name} is never {found}")
        return found

    def _entries(self, node: Node, narrowed: str, steps: Steps) -> tuple[tuple[Node, ...], str]:
        """The places of an entry, and its type. Without a bracket a step is in the base or in one subtype."""
        if not self._types.has(node.item_type):
            return node.children, node.item_type
        base = self._types.get(narrowed or node.item_type)
        if not steps or any(n.name.lower() == steps[0][0].lower() for n in base.nodes):
            return base.nodes, base.xsi_type
        name = steps[0][0].lower()
        homes = [
            t for t in self._types.subtypes(base.xsi_type) if any(n.name.lower() == name for n in t.nodes)
        ]
        # A type that inherits the step says nothing new.
        tops = [
            t
            for t in homes
            if not any(t is not o and self._types.is_a(t.xsi_type, o.xsi_type) for o in homes)
        ]
        tops = _with_whole_path(tops, steps) or tops
        if len(tops) > 1:
            self.refuse(f"{steps[0][0]} is in {', '.join(t.xsi_type for t in tops)}; choose by [@xsi:type=…]")
        found = tops[0] if tops else base
        return found.nodes, found.xsi_type

    def _selector(self, nodes: tuple[Node, ...], name: str, value: str) -> Selector:
        found = next((n for n in nodes if n.name.lower() == name.lower() and n.element is not None), None)
        if found is None or found.element is None:
            self.refuse(f"there is no {name} to choose by", [n.name for n in nodes if n.element])
        return Selector(found.element.path, value)

    def _child(self, nodes: tuple[Node, ...], name: str) -> Node:
        found = next((n for n in nodes if n.name.lower() == name.lower()), None)
        if found is None:
            self.refuse("", self._near())
        return found

    def _key(self, node: Node, nodes: tuple[Node, ...]) -> ElementPath | None:
        """A reference stands for the key of what it refers to."""
        if node.kind not in ("item", "multiple"):
            return None
        key = next((n for n in nodes if n.name == "ID" and n.element is not None), None)
        if key is not None:
            self._canonical.append("ID")
        return key.element if key is not None else None

    def _near(self) -> tuple[str, ...]:
        plain = re.sub(r"\[[^\]]*\]", "", self._asked).replace("@", "/").replace(".", "/")
        asked = "/".join(step for step in plain.split("/") if step)
        by_lower = {path.lower(): path for path in paths_of(self._type)}
        close = difflib.get_close_matches(asked.lower(), by_lower, n=3, cutoff=0.6)
        return tuple(by_lower[one] for one in close)


def paths_of(data_type: DataType) -> Iterator[str]:
    """Every path of a type's own document, those in anonymous repeated parts as well."""
    yield from _below(data_type.nodes, "")


def _below(nodes: Iterable[Node], around: str) -> Iterator[str]:
    for node in nodes:
        here = f"{around}/{node.path}".lstrip("/")
        if node.element is not None:
            yield here
        yield from _below(node.children, here if node.kind == "multiple" else around)


def _with_whole_path(candidates: list[DataType], steps: Steps) -> list[DataType]:
    """Those that have all the steps, not only the first."""
    asked = "/".join(name for name, _ in steps).lower()
    return [t for t in candidates if any(p.lower() == asked for p in paths_of(t))]

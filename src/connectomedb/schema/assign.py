"""`path=value` pairs as a document: what a query string or a form says about one item. Pure.

Source   protocol/rest.md 2.12, 6.2
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from connectomedb.errors import BadConstraint, UnknownField
from connectomedb.schema.documents import check_value
from connectomedb.schema.model import ElementPath, Item, Node, Value
from connectomedb.schema.paths import Address
from connectomedb.schema.registry import DataTypes
from connectomedb.schema.values import parse_value

# What clients write to take a value away.
CLEARED = ("NULL", "")
# XNAT's name for the text of a parameter, which clients write.
_TEXT_OF_PARAMETER = re.compile(r"(addParam(?:\[[^\]]*\])?)/addField\Z", re.IGNORECASE)
_LEAF_OF_ENTRY = re.compile(r"(.*\[(?!@?xsi:type)[^\]]*\])/\w+\Z", re.IGNORECASE)
_US_DAY = re.compile(r"([0-9]{1,2})([/.])([0-9]{1,2})\2([0-9]{4})\Z")


@dataclass(frozen=True, slots=True)
class Said:
    """What pairs say: a document, and the paths that lose their values (as `merge.clear` reads them)."""

    item: Item
    cleared: tuple[str, ...] = ()


@dataclass(slots=True)
class _Draft:
    """A document while it is put together."""

    xsi_type: str
    values: dict[str, Value] = field(default_factory=dict)
    parts: dict[str, list[tuple[object, _Draft]]] = field(default_factory=dict)

    def done(self) -> Item:
        children = {path: tuple(entry.done() for _, entry in drafts) for path, drafts in self.parts.items()}
        return Item(self.xsi_type, self.values, children)


def assign(types: DataTypes, xsi_type: str, pairs: Iterable[tuple[str, str]]) -> Said:
    """The document that `pairs` of schema paths (seen from the type) and texts spell.

    The value `NULL`, or none, takes a leaf or an entry away. A bracket names an entry, or a part's type.
    Raises  UnknownField with the nearest paths; BadConstraint with every value that is none of its field
    """
    draft = _Draft(types.get(xsi_type).xsi_type)
    cleared: list[str] = []
    reasons: list[str] = []
    for path, text in pairs:
        path = _TEXT_OF_PARAMETER.sub(r"\1/addParam", path)
        if text.strip() in CLEARED:
            cleared.append(_spot(types, xsi_type, path))
            continue
        address = types.address(xsi_type, path)
        if address.is_meta:
            raise BadConstraint(f"{path} is kept by the archive and cannot be written")
        try:
            value = read_value(address.element, text)
        except ValueError as problem:
            reasons.append(f"{path}={text[:60]!r}: {problem}")
            continue
        _put(types, draft, address, value)
    if reasons:
        raise BadConstraint("; ".join(reasons))
    return Said(draft.done(), tuple(cleared))


def read_value(element: ElementPath, text: str) -> Value:
    """The value that a text spells for an element; days also as people write them.

    Raises  ValueError that says why it is none
    Source  `05/02/2013`, `05.02.2013` (month first) and `20130502` are a day: protocol/rest.md 2.12
    """
    day = _US_DAY.match(text.strip())
    if day and element.value_type == "date":
        value: Value = date(int(day[4]), int(day[1]), int(day[3]))
    else:
        value = parse_value(text, element.value_type)
    reason = check_value(element, value)
    if reason:
        raise ValueError(reason)
    return value


def _spot(types: DataTypes, xsi_type: str, path: str) -> str:
    """A leaf or an entry as `merge.clear` names it.

    An entry goes by its own text only: `fields/field[name=x]/field`, never by one of several leaves.
    """
    try:
        address = types.address(xsi_type, path)
    except UnknownField:
        # Source  xnatpy 0.8.1 clears a variable by two leaves, one of which no entry has.
        entry = _LEAF_OF_ENTRY.match(path)
        if entry is None:
            raise
        address = types.address(xsi_type, entry[1])
    if address.is_meta:
        raise BadConstraint(f"{path} is kept by the archive and cannot be written")
    if not address.parts:
        return address.element.path
    first = address.parts[0]
    if len(address.parts) > 1 or address.element.path != first.path.rpartition("/")[2]:
        raise BadConstraint(
            f"{path}: one leaf of an entry is taken away by a document, or at its own address"
        )
    if not first.selectors:
        return first.path
    chosen = first.selectors[0]
    return f"{first.path}[{chosen.path}={chosen.value}]"


def _put(types: DataTypes, draft: _Draft, address: Address, value: Value) -> None:
    """Lay one value into the draft."""
    holder = draft
    for part in address.parts:
        named: Mapping[str, Value] = {s.path: s.value for s in part.selectors}
        key = tuple(sorted(named.items()))
        drafts = holder.parts.setdefault(part.path, [])
        found = next((entry for known, entry in drafts if known == key), None)
        is_last = part is address.parts[-1]
        # Without a name, a value that stands there already begins the next entry.
        if found is None or (is_last and not key and address.element.path in found.values):
            found = _Draft(part.item_type, dict(named))
            drafts.append((key, found))
        holder = found
    holder.values[address.element.path] = value
    if address.part_type and not address.parts:
        _state_type(types, holder, address)


def _state_type(types: DataTypes, draft: _Draft, address: Address) -> None:
    """`demographics[@xsi:type=T]/age` says the type of the part, too."""
    for node in _items(types.get(draft.xsi_type).nodes):
        inside = address.element.path.startswith(f"{node.path}/")
        if inside and node.type_element is not None and address.part_type in node.item_types:
            draft.values[node.type_element.path] = address.part_type


def _items(nodes: Iterable[Node]) -> Iterable[Node]:
    for node in nodes:
        if node.kind == "item":
            yield node
        if node.kind != "multiple":
            yield from _items(node.children)

"""Random items of every type that can be a document come back from their documents unchanged."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectomedb.schema.documents import read_document, write_document
from connectomedb.schema.model import DataType, ElementPath, Item, Node, Value
from connectomedb.schema.registry import load_types

TYPES = load_types()
ROOTS = sorted(t.xsi_type for t in TYPES.all() if t.root_element and not t.abstract)
_TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"),
    min_size=1,
    max_size=5,
).filter(lambda text: bool(text.strip()))


def _value(leaf: ElementPath) -> st.SearchStrategy[Value]:
    if leaf.enumeration:
        return st.sampled_from(leaf.enumeration)
    low = leaf.lower.value if leaf.lower else None
    high = leaf.upper.value if leaf.upper else None
    match leaf.value_type:
        case "integer":
            assert low is None or isinstance(low, int)
            assert high is None or isinstance(high, int)
            return st.integers(-(2**62) if low is None else low, 2**62 if high is None else high)
        case "float":
            return st.floats(allow_nan=False, allow_infinity=False)
        case "boolean":
            return st.booleans()
        case "date":
            return st.dates(date(1, 1, 1))
        case "time":
            return st.times().map(lambda t: time(t.hour, t.minute, t.second))
        case "dateTime":
            return st.datetimes(datetime(1, 1, 1)).map(lambda d: d.replace(microsecond=0))
        case _:
            return _TEXT


class _Draw:
    """An item of a type, piece by piece."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data

    def item(self, data_type: DataType, depth: int, *, held: bool = False) -> Item:
        values: dict[str, Value] = {}
        children: dict[str, tuple[Item, ...]] = {}
        self._fill(data_type.nodes, values, children, depth, held=held)
        return Item(data_type.xsi_type, values, children)

    def _maybe(self) -> bool:
        return self._data.draw(st.integers(0, 5)) == 0

    def _fill(
        self,
        nodes: tuple[Node, ...],
        values: dict[str, Value],
        children: dict[str, tuple[Item, ...]],
        depth: int,
        *,
        held: bool = False,
    ) -> None:
        for node in nodes:
            needed = node.required and node.path != "ID"
            if node.kind in ("attribute", "leaf") and node.element is not None:
                if needed or self._maybe():
                    values[node.path] = self._data.draw(_value(node.element))
                    self._fill(node.children, values, children, depth)
            elif node.kind in ("group", "item"):
                if self._maybe() or needed:
                    self._fill(node.children, values, children, depth)
            elif depth < 2 and (needed or self._maybe()):
                children[node.path] = tuple(
                    self._entry(node, depth) for _ in range(self._data.draw(st.integers(1, 2)))
                )

    def _entry(self, node: Node, depth: int) -> Item:
        if node.item_type in TYPES:
            kinds = [t for t in TYPES.subtypes(node.item_type) if not t.abstract]
            return self.item(self._data.draw(st.sampled_from(kinds)), depth + 1, held=True)
        values: dict[str, Value] = {}
        children: dict[str, tuple[Item, ...]] = {}
        self._fill(node.children, values, children, depth + 1)
        return Item(node.item_type, values, children)


@pytest.mark.parametrize("xsi_type", ROOTS)
@settings(max_examples=8, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_items_of_every_root_type_come_back(xsi_type: str, data: st.DataObject) -> None:
    item = _Draw(data).item(TYPES.get(xsi_type), 0)
    assert read_document(write_document(item, TYPES), TYPES) == item

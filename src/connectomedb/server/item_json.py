"""An item in XNAT's JSON: leaves by path, everything that is an item of its own as a child.

Source   protocol/rest.md 2.10
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, time

from connectomedb.schema.model import Item, Node, Value
from connectomedb.schema.registry import DataTypes


def item_json(
    item: Item, types: DataTypes, insert_date: datetime | None = None, *, is_history: bool = False
) -> dict[str, object]:
    """The item; `insert_date` stands in it and in every child, where clients look for it."""
    meta: dict[str, object] = {"isHistory": is_history, "xsi:type": item.xsi_type}
    if insert_date is not None:
        meta["start_date"] = xnat_moment(insert_date)
    children: list[dict[str, object]] = []
    values, repeated = dict(item.values), dict(item.children)
    for node in _single_items(types.get(item.xsi_type).nodes) if item.xsi_type in types else ():
        part = _taken_out(node, types, values, repeated)
        if part is not None:
            found = item_json(part, types, insert_date, is_history=is_history)
            children.append({"field": node.path, "items": [found]})
    for path, entries in repeated.items():
        if entries:
            found_entries = [item_json(e, types, insert_date, is_history=is_history) for e in entries]
            children.append({"field": path, "items": found_entries})
    return {
        "children": children,
        "meta": meta,
        "data_fields": {path: _json_value(value) for path, value in values.items()},
    }


def xnat_moment(moment: datetime) -> str:
    """`Wed Jan 31 10:21:00 UTC 2024`, in English whatever the locale."""
    days, months = "Mon Tue Wed Thu Fri Sat Sun", "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
    day, month = days.split()[moment.weekday()], months.split()[moment.month - 1]
    return f"{day} {month} {moment:%d %H:%M:%S} UTC {moment.year:04d}"


def spelled(value: Value) -> str:
    """A value as a document writes it."""
    if isinstance(value, bool):
        return "1" if value else "0"
    return value.isoformat() if isinstance(value, date | time | datetime) else str(value)


def _single_items(nodes: Iterable[Node]) -> Iterator[Node]:
    """The single parts that are items of their own, outer ones only."""
    for node in nodes:
        if node.kind == "item":
            yield node
        elif node.kind == "group":
            yield from _single_items(node.children)


def _taken_out(
    node: Node, types: DataTypes, values: dict[str, Value], repeated: dict[str, tuple[Item, ...]]
) -> Item | None:
    """The part at a node with what the owner holds of it, which is taken away there; None without any."""
    prefix = f"{node.path}/"
    stated = values.pop(node.type_element.path, None) if node.type_element is not None else None
    own = {path[len(prefix) :]: values.pop(path) for path in list(values) if path.startswith(prefix)}
    inside = {path[len(prefix) :]: repeated.pop(path) for path in list(repeated) if path.startswith(prefix)}
    if not own and not inside and stated is None:
        return None
    part = Item(node.item_type, own, inside)
    return replace(part, xsi_type=str(stated) if stated else _kind(node, types, part))


def _kind(node: Node, types: DataTypes, part: Item) -> str:
    """Of which type a part is: the first that has a place for all that it says."""
    said = {*part.values, *part.children}
    for name in node.item_types or (node.item_type,):
        if name in types:
            known = types.get(name)
            if said <= {*(f.path for f in known.fields), *(m.path for m in known.multiples)}:
                return known.xsi_type
    return node.item_type


def _json_value(value: Value) -> str | int | float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return spelled(value)

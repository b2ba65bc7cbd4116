"""A document laid over another one: what is said replaces, what is not said stays.

Pure: two items in, one out. Entries of repeated parts are matched by what names them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from connectomedb.errors import DocumentError
from connectomedb.schema.model import Item, Value

# What names an entry within its place, the first that it has.
_NAMES = ("ID", "label", "name", "URI")
_WHOLE_NAMES = (("firstname", "lastname"), ("project",))
_CLEARED = re.compile(r"(?P<path>[^\[\]]+)\[(?:@?(?P<leaf>\w+)=)?(?P<value>[^\]]*)\](?:/\w+)?\Z")


def merge(stored: Item, said: Item) -> Item:
    """The stored document with what the other one says."""
    children = dict(stored.children)
    for path, entries in said.children.items():
        children[path] = _merge_entries(children.get(path, ()), entries)
    return replace(stored, values={**stored.values, **said.values}, children=children)


def clear(item: Item, paths: Iterable[str]) -> Item:
    """The document without some leaves and entries: `demographics/age`, `fields/field[name=visit]`.

    Raises  DocumentError for a path in brackets that cannot be read
    """
    values: dict[str, Value] = dict(item.values)
    children = dict(item.children)
    for path in paths:
        if "[" not in path:
            for known in [one for one in values if one.lower() == path.lower()]:
                del values[known]
            for known in [one for one in children if one.lower() == path.lower()]:
                del children[known]
            continue
        found = _CLEARED.match(path)
        if found is None:
            raise DocumentError(f"{path} names no entry; write fields/field[name=visit]")
        for known in [one for one in children if one.lower() == found["path"].lower()]:
            children[known] = tuple(
                e for e in children[known] if not _is_called(e, found["leaf"], found["value"])
            )
            if not children[known]:
                del children[known]
    return replace(item, values=values, children=children)


def key_of(entry: Item) -> tuple[Value, ...] | None:
    """What names an entry within its place; None for one without a name."""
    for name in _NAMES:
        if name in entry.values:
            return (name, entry.values[name])
    for names in _WHOLE_NAMES:
        if all(name in entry.values for name in names):
            return tuple(entry.values[name] for name in names)
    return None


def _merge_entries(stored: tuple[Item, ...], said: tuple[Item, ...]) -> tuple[Item, ...]:
    """Entries of the same name are merged in their place, new ones come last."""
    merged = list(stored)
    places: dict[tuple[Value, ...], int] = {}
    for n, entry in enumerate(stored):
        key = key_of(entry)
        if key is not None:
            places.setdefault(key, n)
    for entry in said:
        key = key_of(entry)
        if key is None:
            if entry not in merged:
                merged.append(entry)
        elif key in places:
            both = merge(merged[places[key]], entry)
            merged[places[key]] = replace(both, xsi_type=entry.xsi_type)
        else:
            places[key] = len(merged)
            merged.append(entry)
    return tuple(merged)


def _is_called(entry: Item, leaf: str | None, value: str) -> bool:
    if leaf:
        return str(_folded(entry.values).get(leaf.lower(), "")) == value
    key = key_of(entry)
    return key is not None and str(key[-1]) == value


def _folded(values: Mapping[str, Value]) -> dict[str, Value]:
    return {path.lower(): value for path, value in values.items()}

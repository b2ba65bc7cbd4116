"""What a write says: from the body, the form and the query string to one document and what it takes away.

The query string is applied last and wins.

Source   protocol/rest.md 2.12
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

from connectomedb.errors import (
    AccessDenied,
    BadConstraint,
    Conflict,
    DocumentError,
    NotValid,
    UnknownDataType,
)
from connectomedb.schema.assign import Said, assign
from connectomedb.schema.documents import read_document
from connectomedb.schema.model import DataType, Item
from connectomedb.schema.registry import DataTypes, nearest
from connectomedb.server.failures import BadValue
from connectomedb.server.inbound import STEERING, Ask, whole_names
from connectomedb.store.merge import clear, merge
from connectomedb.vocabulary.short_names import LEVEL_TYPES, SHORT_NAMES, ListLevel

# Query parameters that say how something is written, not what.
_HOW = frozenset(
    re.findall(
        r"\w+",
        """
        removefiles allowdatadeletion activate quarantine accessibility triggerpipelines fixscantypes
        pulldatafromheaders supressemail primary overwrite deleteshares delete_shares
        """,
    )
)
# The levels whose items have a label beside their id.
_LABELLED: frozenset[ListLevel] = frozenset(("subjects", "experiments", "assessors"))
_FALSE = ("", "false", "0")


@dataclass(frozen=True, slots=True)
class Write:
    """What a request says about one item.

    `item` is None when it says nothing. `whole` says that the document is to take the place of the stored
    one; `label` is one that the query string names.
    """

    xsi_type: str
    item: Item | None
    cleared: tuple[str, ...] = ()
    whole: bool = False
    label: str = ""
    from_document: bool = False

    def text(self, leaf: str) -> str:
        """A leaf of what is said, '' when nothing is."""
        return self.item.text(leaf) if self.item is not None else ""


def read_write(ask: Ask, level: ListLevel, *, base: str, stored: str = "", default: str = "") -> Write:
    """What the request says about an item of a level, whose type is `base` or extends it.

    `stored` is the type of the item that is there; `default` that of a new one for which nothing says it.
    Raises  BadConstraint, UnknownField, UnknownDataType for fields; Conflict for another type than the
            stored one; NotWellFormed and NotValid for the document; AccessDenied without a reason where the
            site wants one
    """
    need_reason(ask)
    types = ask.site.types
    document = _document(ask, base)
    pairs = list(_pairs(ask))
    explicit = _explicit_type(types, ask.param("xsiType"))
    xsi_type = _type_of(types, base, stored, explicit, document, pairs) or default
    label = ""
    fields: list[tuple[str, str]] = []
    for name, text in pairs:
        path = _path_of(types, level, name, xsi_type, is_stored=bool(stored)) if xsi_type else ""
        if path.lower() == "label" and level in _LABELLED:
            label = text.strip()
        elif path:
            fields.append((path, text))
        elif not xsi_type and name.lower() == "label":
            label = text.strip()
    said = assign(types, xsi_type, fields) if fields else Said(Item(xsi_type, {}))
    whole = ask.flag("allowDataDeletion") and document is not None
    if document is not None:
        item = merge(document, replace(said.item, xsi_type=document.xsi_type))
        item = clear(item, said.cleared) if whole else item
        return Write(xsi_type, item, said.cleared, whole, label, from_document=True)
    return Write(xsi_type, said.item if fields else None, said.cleared, False, label)


def need_reason(ask: Ask) -> None:
    """Raises AccessDenied when the site wants a reason for changes and none is given."""
    wants = ask.archive.get_setting("siteConfig.requireChangeJustification", "false").lower() not in _FALSE
    if wants and not ask.param("event_reason").strip():
        raise AccessDenied("this site wants a reason for every change; send event_reason=…")


def _document(ask: Ask, base: str) -> Item | None:
    """The document of the body, if that is one. Raises DocumentError for one of another kind."""
    if ask.param("req_format").lower() in ("qs", "form") or not ask.body.strip():
        return None
    content_type = ask.request.headers.get("content-type", "").lower()
    stated = "xml" in content_type or content_type.startswith("multipart/")
    looks_so = ask.body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    if not (stated or looks_so or ask.flag("inbody") or ask.param("req_format").lower() == "xml"):
        return None
    types = ask.site.types
    try:
        item = read_document(ask.document(), types, placed=True)
    except NotValid as problem:
        raise BadValue(str(problem)) from problem
    except UnknownDataType as problem:
        raise DocumentError(str(problem)) from problem
    if not types.is_a(item.xsi_type, base):
        raise DocumentError(f"the document is a {item.xsi_type}; this address takes {base} and its kinds")
    return item


def _pairs(ask: Ask) -> Iterator[tuple[str, str]]:
    """The fields of the form, then those of the query string."""
    content_type = ask.request.headers.get("content-type", "").lower()
    req_format = ask.param("req_format").lower()
    if req_format == "form" or (not req_format and content_type.startswith("application/x-www-form-url")):
        try:
            pairs = parse_qsl(ask.body.decode(), keep_blank_values=True, max_num_fields=5000)
        except ValueError:
            raise BadConstraint("the body is not a form in UTF-8; send path=value&…") from None
        yield from _fields(whole_names(pairs))
    yield from _fields(ask.pairs())


def _fields(pairs: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for name, value in pairs:
        if name.lower() not in STEERING | _HOW and not name.startswith("_"):
            yield name, value


def _explicit_type(types: DataTypes, name: str) -> str:
    """`xsiType=`, by the type or by the element that documents of it have."""
    if not name:
        return ""
    try:
        return types.get(name).xsi_type
    except UnknownDataType:
        prefix, _, local = name.partition(":")
        return types.by_root(types.namespaces.get(prefix, ""), local).xsi_type


def _type_of(
    types: DataTypes,
    base: str,
    stored: str,
    explicit: str,
    document: Item | None,
    pairs: list[tuple[str, str]],
) -> str:
    """The type that the item has, or is to have."""
    if explicit and not types.is_a(explicit, base) and not types.is_a(base, explicit):
        raise BadConstraint(f"{explicit} is not a kind of {base}; another address takes it")
    if stored:
        if explicit and not types.is_a(stored, explicit):
            raise Conflict(f"the item is a {stored} and does not become a {explicit}")
        return stored
    if document is not None:
        return document.xsi_type
    if explicit:
        return explicit
    for name, _ in pairs:
        named = types.get(name.partition("/")[0]) if ":" in name.partition("/")[0] else None
        if named is not None and types.is_a(named.xsi_type, base) and not named.abstract:
            return named.xsi_type
    return ""


def _path_of(types: DataTypes, level: ListLevel, name: str, xsi_type: str, *, is_stored: bool) -> str:
    """The path within the item that a parameter names; '' for one that says nothing about it."""
    element, slash, path = name.partition("/")
    if ":" in element:
        named = types.get(element)
        if types.is_a(xsi_type, named.xsi_type) and slash:
            return path
        if level == "scans" and is_stored and types.is_a(named.xsi_type, LEVEL_TYPES[level]):
            # Source  protocol/rest.md 2.12.4: a field of another modality is taken, and changes nothing.
            return ""
        raise BadConstraint(f"{name} is no field of a {xsi_type}; write {xsi_type}/PATH=VALUE")
    if slash:
        return name
    if name.lower() == "note" and level == "projects":
        return "fields/field[name=note]/field"
    short = SHORT_NAMES[level].get(name.lower())
    if short is None:
        near = nearest(name, (s.name for s in SHORT_NAMES[level].values() if s.path))
        hint = f"; did you mean {' or '.join(near)}?" if near else f"; write {xsi_type}/PATH=VALUE"
        raise BadConstraint(f"{name} is no field that can be written{hint}")
    if not short.path:
        raise BadConstraint(f"{short.name} is kept by the archive and cannot be written")
    if not types.is_a(xsi_type, short.xsi_type):
        raise BadConstraint(f"{short.name} is a field of {short.xsi_type}, and this is a {xsi_type}")
    return short.path


def concrete(types: DataTypes, xsi_type: str) -> DataType:
    """The type, when there can be items of it. Raises BadConstraint."""
    found = types.get(xsi_type)
    if found.abstract:
        kinds = [t.xsi_type for t in types.subtypes(xsi_type) if not t.abstract]
        raise BadConstraint(f"{xsi_type} is abstract; say which kind by xsiType=, as {', '.join(kinds[:5])}")
    return found


def filled(item: Item, values: Mapping[str, str]) -> Item:
    """The item with what the address says where it says nothing itself."""
    return replace(item, values={**{k: v for k, v in values.items() if v}, **item.values})

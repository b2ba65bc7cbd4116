"""A schema as existing clients survive it: what can be normalised is, what cannot is refused with its line.

Named groups and attribute groups are written out where they are used, references to global elements become
elements, and every prefix is the site's own. What a site serves is this form, never the file as it was found.
Source: protocol/clients.md part 4, 1.4; each construct was measured with xnatpy 0.8.1.
"""

from __future__ import annotations

import copy
import keyword
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from connectomedb.schema.xml import ANNOTATIONS, NAMESPACES, XSI

if TYPE_CHECKING:
    from lxml.etree import _Element

XS_URI = "http://www.w3.org/2001/XMLSchema"
XS = f"{{{XS_URI}}}"
_QNAMES = ("type", "base", "ref", "itemType", "memberTypes", "substitutionGroup", "refer")
_FIXED = {uri: prefix for prefix, uri in NAMESPACES.items()} | {XS_URI: "xs", XSI: "xsi", ANNOTATIONS: "xdat"}
_REFUSED = {
    "redefine": "redefinitions are not read; extend the type instead",
    "override": "overrides are not read; extend the type instead",
}
_MOST_EXPANSIONS = 10_000


def normalise(root: _Element, folder: str, place: str) -> tuple[_Element, str, list[str]]:
    """The schema in its normal form, its prefix, and every reason why it cannot be used."""
    reasons: list[str] = []
    namespace = root.get("targetNamespace") or ""
    if not namespace:
        return root, "", [f"{place}, line {root.sourceline}: the schema has no targetNamespace; give it one"]
    prefix = _own_prefix(root, namespace, folder)
    _Expansion(root, namespace, place, reasons).run()
    reasons += [f"{place}, line {line}: {reason}" for line, reason in _refusals(root, namespace)]
    return _with_fixed_prefixes(root, namespace, prefix), prefix, reasons


def served(root: _Element) -> bytes:
    """The schema's text. Clients that generate code from it survive its documentation."""
    from lxml import etree

    texts = [e for e in root.iter(f"{XS}documentation") if re.search(r'\\|"""', e.text or "")]
    if texts:
        root = copy.deepcopy(root)
        for element in root.iter(f"{XS}documentation"):
            element.text = (element.text or "").replace("\\", "\\\\").replace('"""', "'''")
    body = etree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'.encode()


def _own_prefix(root: _Element, namespace: str, folder: str) -> str:
    if namespace in _FIXED:
        return _FIXED[namespace]
    declared = next((p for p, uri in root.nsmap.items() if p and uri == namespace), folder)
    plain = re.sub(r"\W", "_", declared, flags=re.ASCII)
    return f"ns_{plain}" if plain[:1].isdigit() or keyword.iskeyword(plain) else plain


def _refusals(root: _Element, namespace: str) -> Iterator[tuple[int | None, str]]:
    for element in root.iter():
        local = str(element.tag).removeprefix(XS)
        parent = element.getparent()
        line = element.sourceline
        if local in _REFUSED:
            yield line, _REFUSED[local]
        elif local == "restriction" and parent is not None and parent.tag == f"{XS}complexContent":
            yield line, "complex restrictions stop existing clients; write the type out, or extend its base"
        elif local == "enumeration" and '"' in (element.get("value") or ""):
            yield line, f"the value {element.get('value')!r} holds a quotation mark, which stops clients"
        elif local in ("element", "attribute"):
            name = element.get("name") or ""
            if re.match(r"_\d", name):
                yield line, f"the name {name} begins with _ and a digit, which stops clients; rename it"
            if element.get("type") and element.find(f"{XS}simpleType") is not None:
                yield line, f"{name} has a type and an inline one; keep one of them"
            if element.get("ref"):
                yield (
                    line,
                    f"the reference {element.get('ref')} leads to nothing in this schema; write it out",
                )
            inline = element.find(f"{XS}complexType") is not None
            if parent is root and local == "element" and inline and namespace != ANNOTATIONS:
                yield line, f"the root element {name} needs a named type; give its complexType a name"


class _Expansion:
    """Writes groups and references out where they are used."""

    def __init__(self, root: _Element, namespace: str, place: str, reasons: list[str]) -> None:
        self._root = root
        self._namespace = namespace
        self._place = place
        self._reasons = reasons
        self._n_done = 0
        self._kinds = {
            kind: {e.get("name"): e for e in root.findall(f"{XS}{kind}")}
            for kind in ("group", "attributeGroup", "element")
        }

    def run(self) -> None:
        for kind in ("group", "attributeGroup"):
            while (use := self._next(kind)) is not None and self._n_done <= _MOST_EXPANSIONS:
                self._n_done += 1
                self._replace(use, kind)
        for use in [e for e in self._root.iter(f"{XS}element") if e.get("ref")]:
            self._refer(use)
        for kind in ("group", "attributeGroup"):
            for definition in self._root.findall(f"{XS}{kind}"):
                self._root.remove(definition)

    def _next(self, kind: str) -> _Element | None:
        return next((e for e in self._root.iter(f"{XS}{kind}") if e.get("ref")), None)

    def _found(self, use: _Element, kind: str) -> _Element | None:
        prefix, _, local = (use.get("ref") or "").rpartition(":")
        same = use.nsmap.get(prefix or None, "") == self._namespace
        return self._kinds[kind].get(local) if same else None

    def _refuse(self, element: _Element, reason: str) -> None:
        self._reasons.append(f"{self._place}, line {element.sourceline}: {reason}")

    def _replace(self, use: _Element, kind: str) -> None:
        parent = use.getparent()
        assert parent is not None
        definition = self._found(use, kind)
        if definition is None:
            self._refuse(use, f"the {kind} {use.get('ref')} is not in this schema; write its parts out")
            parent.remove(use)
            return
        if any(outer is definition for outer in use.iterancestors()):
            self._refuse(use, f"the {kind} {use.get('ref')} holds itself")
            parent.remove(use)
            return
        repeats = use.get("maxOccurs", "1") not in ("0", "1")
        if repeats:
            self._refuse(use, f"a repeated {kind} has no place of its own; put its parts into an element")
        at = parent.index(use)
        parent.remove(use)
        parts = [e for e in definition if e.tag != f"{XS}annotation"]
        for offset, part in enumerate(copy.deepcopy(parts)):
            if kind == "group" and use.get("minOccurs") == "0":
                part.set("minOccurs", "0")
            parent.insert(at + offset, part)
            for copied, original in zip(part.iter(), parts[offset].iter(), strict=True):
                copied.sourceline = original.sourceline  # type: ignore[misc]  # lxml can; its stubs cannot

    def _refer(self, use: _Element) -> None:
        target = self._found(use, "element")
        if target is not None and target.get("type") and target.find(f"{XS}complexType") is None:
            del use.attrib["ref"]
            use.set("name", target.get("name") or "")
            use.set("type", target.get("type") or "")


def _with_fixed_prefixes(root: _Element, namespace: str, own: str) -> _Element:
    """The same tree, every namespace under one prefix that is declared at the root."""
    from lxml import etree

    prefixes: dict[str, str] = {namespace: own, XS_URI: "xs"}
    for element in root.iter():
        for declared, uri in element.nsmap.items():
            if uri not in prefixes:
                wanted = _FIXED.get(uri) or re.sub(r"\W", "_", declared or "ns", flags=re.ASCII)
                taken = set(prefixes.values())
                # Two namespaces are called xdat: that of annotations, and that of searches.
                while wanted in taken:
                    wanted += "_"
                prefixes[uri] = wanted
    made = etree.Element(root.tag, nsmap={p: uri for uri, p in prefixes.items()})
    _copy_into(made, root, prefixes)
    return made


def _copy_into(made: _Element, original: _Element, prefixes: dict[str, str]) -> None:
    from lxml import etree

    made.text, made.tail = original.text, original.tail
    made.sourceline = original.sourceline  # type: ignore[misc]  # lxml can; its stubs cannot
    is_schema = str(original.tag).startswith(XS)
    for name, value in original.attrib.items():
        text = str(value)
        if is_schema and str(name) in _QNAMES:
            text = " ".join(_renamed(one, original, prefixes) for one in text.split())
        made.set(str(name), text)
    for child in original:
        _copy_into(etree.SubElement(made, child.tag), child, prefixes)


def _renamed(qualified: str, element: _Element, prefixes: dict[str, str]) -> str:
    prefix, _, local = qualified.rpartition(":")
    uri = element.nsmap.get(prefix or None)
    return qualified if uri is None else f"{prefixes[uri]}:{local}"

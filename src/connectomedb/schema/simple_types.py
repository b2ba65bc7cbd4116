"""Simple types of a schema: what a text may be. Lists and unions are texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectomedb.schema.model import Bound, ValueType
from connectomedb.schema.normal import XS
from connectomedb.schema.values import parse_value

if TYPE_CHECKING:
    from lxml.etree import _Element

_SIMPLE: Mapping[str, ValueType] = {
    **dict.fromkeys(("integer", "int", "long", "short", "byte"), "integer"),
    **dict.fromkeys(("nonNegativeInteger", "positiveInteger", "unsignedInt", "unsignedShort"), "integer"),
    **dict.fromkeys(("nonPositiveInteger", "negativeInteger", "unsignedLong", "unsignedByte"), "integer"),
    **dict.fromkeys(("float", "double", "decimal"), "float"),
    "boolean": "boolean",
    "date": "date",
    "time": "time",
    "dateTime": "dateTime",
    **dict.fromkeys(("string", "token", "normalizedString", "NMTOKEN", "NMTOKENS", "anyURI"), "string"),
    **dict.fromkeys(("ID", "IDREF", "Name", "NCName", "language", "anySimpleType"), "string"),
}
_LOWEST = {"positiveInteger": 1} | dict.fromkeys(
    ("nonNegativeInteger", "unsignedLong", "unsignedInt", "unsignedShort", "unsignedByte"), 0
)
_HIGHEST = {"nonPositiveInteger": 0, "negativeInteger": -1}
_BOUNDS = {"minInclusive": True, "minExclusive": False, "maxInclusive": True, "maxExclusive": False}


@dataclass(frozen=True, slots=True)
class Facets:
    """The rules for one value."""

    value_type: ValueType
    enumeration: tuple[str, ...] = ()
    lower: Bound | None = None
    upper: Bound | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str = ""


class SimpleTypes:
    """Named and inline simple types; `name_of` gives a qualified name its fixed prefix."""

    def __init__(self, named: Mapping[str, _Element], name_of: Callable[[_Element, str], str]) -> None:
        self._named = named
        self._name_of = name_of

    def of(self, element: _Element, type_name: str, around: tuple[str, ...] = ()) -> Facets:
        """The rules of an element, an attribute or a restriction. Raises ValueError with the reason."""
        inline = element.find(f"{XS}simpleType")
        if inline is not None:
            return self._derived(inline, around)
        if not type_name:
            return Facets("string")
        name = self._name_of(element, type_name)
        if name in around:
            raise ValueError(f"the type {name} is made of itself")
        if name in self._named:
            return self._derived(self._named[name], (*around, name))
        local = name.split(":")[-1]
        if not name.startswith("xs:") or local not in _SIMPLE:
            raise ValueError(f"the type {type_name} is nowhere")
        lower = Bound(_LOWEST[local], True) if local in _LOWEST else None
        upper = Bound(_HIGHEST[local], True) if local in _HIGHEST else None
        return Facets(_SIMPLE[local], lower=lower, upper=upper)

    def _derived(self, simple_type: _Element, around: tuple[str, ...]) -> Facets:
        restriction = simple_type.find(f"{XS}restriction")
        if restriction is None:
            return Facets("string")
        return self.restricted(self.of(restriction, restriction.get("base") or "", around), restriction)

    def restricted(self, base: Facets, restriction: _Element) -> Facets:
        """The rules of the base and those of its restriction. Raises ValueError with the reason."""
        said: dict[str, list[str]] = {}
        for facet in restriction:
            said.setdefault(str(facet.tag).removeprefix(XS), []).append(facet.get("value") or "")
        lower, upper = base.lower, base.upper
        for name, inclusive in _BOUNDS.items():
            if name in said:
                bound = Bound(parse_value(said[name][0], base.value_type), inclusive)
                lower, upper = (bound, upper) if name.startswith("min") else (lower, bound)
        lengths = {
            name: int(texts[0])
            for name, texts in said.items()
            if name in ("minLength", "maxLength", "length")
        }
        return Facets(
            base.value_type,
            lower=lower,
            upper=upper,
            enumeration=tuple(said.get("enumeration", base.enumeration)),
            min_length=lengths.get("length", lengths.get("minLength", base.min_length)),
            max_length=lengths.get("length", lengths.get("maxLength", base.max_length)),
            pattern=_pattern(base.pattern, said.get("pattern", [])),
        )


def _pattern(base: str, alternatives: list[str]) -> str:
    """One Python expression: the alternatives of one step, and those of the base as well."""
    if not alternatives:
        return base
    translated = [_translated(text) for text in alternatives]
    own = translated[0] if len(translated) == 1 else "|".join(f"(?:{text})" for text in translated)
    return rf"(?=(?:{base})\Z)(?:{own})" if base else own


def _translated(text: str) -> str:
    if "-[" in text:
        raise ValueError(f"the pattern {text} subtracts characters, which is not read; write it otherwise")
    python = text.replace(r"\i", "[A-Za-z_:]").replace(r"\c", r"[A-Za-z0-9._:\-]")
    try:
        re.compile(python)
    except re.error as error:
        raise ValueError(f"the pattern {text} cannot be read ({error}); write it otherwise") from error
    return python

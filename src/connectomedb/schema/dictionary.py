"""From a table and its data dictionary to a data type: the XSD and the display document, as two files.

The files are meant to be read and edited. The dictionary is BIDS's (`Description`, `Levels`, `Units`); column
types come from the values: whole numbers, numbers, else text. `n/a` and the empty cell are missing values.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from connectomedb.errors import NotValid
from connectomedb.schema.model import ValueType

MISSING = frozenset({"", "n/a"})
_WHOLE = re.compile(r"[+-]?\d{1,18}")
# Members of a dictionary that describe the table, not a column.
_METADATA = frozenset({"MeasurementToolMetadata"})
_XSD_TYPES: Mapping[ValueType, str] = {"integer": "xs:integer", "float": "xs:double", "string": "xs:string"}


@dataclass(frozen=True, slots=True)
class TypeFiles:
    """A data type as two files, and where each column of the table went."""

    xsi_type: str
    xsd: bytes
    display: bytes
    columns: Mapping[str, str]
    value_types: Mapping[str, ValueType]


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    path: str
    value_type: ValueType
    description: str
    unit: str
    low: str
    high: str


def type_from_table(
    name: str,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    dictionary: Mapping[str, Any],
    *,
    prefix: str = "bids",
    namespace: str = "http://connectomedb.org/bids",
    description: str = "",
) -> TypeFiles:
    """The type `prefix:name` for the columns of a table, the column of subjects left out by the caller.

    Raises   NotValid with every contradiction between the dictionary and the table
    """
    reasons = [
        f"{name}: the dictionary describes {column!r}, which the table lacks"
        for column in dictionary
        if column not in head and column not in _METADATA and isinstance(dictionary[column], Mapping)
    ]
    reasons += [f"{name}: the column {c!r} stands twice" for c in {c for c in head if head.count(c) > 1}]
    columns, taken = [], set[str]()
    for position, column in enumerate(head):
        cells = [row[position] for row in rows if position < len(row)]
        facts = dictionary.get(column, {})
        facts = facts if isinstance(facts, Mapping) else {}
        value_type = infer_type(cells)
        reasons += _contradictions(name, column, cells, facts, value_type)
        path = _legal(column, taken)
        taken.add(path.lower())
        columns.append(_described(column, path, value_type, facts))
    if reasons:
        raise NotValid(reasons)
    type_name = _legal(name, set())
    xsi_type = f"{prefix}:{type_name}"
    return TypeFiles(
        xsi_type,
        _xsd(xsi_type, namespace, columns, description),
        _display(xsi_type, columns, description or name),
        {c.name: c.path for c in columns},
        {c.name: c.value_type for c in columns},
    )


def infer_type(cells: Sequence[str]) -> ValueType:
    """integer, float or string, from all values that are there; string when there is none."""
    present = [cell.strip() for cell in cells if cell.strip() not in MISSING]
    if not present:
        return "string"
    if all(_WHOLE.fullmatch(cell) for cell in present):
        return "integer"
    return "float" if all(_is_number(cell) for cell in present) else "string"


def merge_schemas(prefix: str, namespace: str, parts: Sequence[bytes]) -> bytes:
    """One XSD file out of several of `type_from_table`: a prefix has one file."""
    bodies = [part.split(_MARK)[1] for part in parts]
    return _head(prefix, namespace).encode() + b"".join(bodies) + b"</xs:schema>\n"


_MARK = b"<!-- types -->\n"


def _contradictions(
    table: str, column: str, cells: Sequence[str], facts: Mapping[str, Any], value_type: ValueType
) -> list[str]:
    """Where the dictionary promises numbers within bounds, text is a contradiction."""
    bounds = {k: str(facts[k]) for k in ("MinValue", "MaxValue") if str(facts.get(k, "")).strip()}
    unread = [k for k, v in bounds.items() if not _is_number(v)]
    if unread:
        return [f"{table}: {unread[0]} of {column!r} is {bounds[unread[0]]!r}, which is no number"]
    if bounds and value_type == "string" and any(c.strip() not in MISSING for c in cells):
        odd = next(c for c in cells if c.strip() not in MISSING and not _is_number(c))
        return [f"{table}: {column!r} has bounds in the dictionary but the value {odd!r} in the table"]
    return []


def _described(name: str, path: str, value_type: ValueType, facts: Mapping[str, Any]) -> _Column:
    text = " ".join(str(facts.get("Description", "")).split())
    levels = facts.get("Levels")
    if isinstance(levels, Mapping) and levels:
        text += f" ({'; '.join(f'{k} = {v}' for k, v in levels.items())})"
    unit = str(facts.get("Units", ""))
    # What existing clients' code generators choke on, in documentation.
    clean = text.replace("\\", "/").replace('"', "'")
    return _Column(
        name, path, value_type, clean, unit, str(facts.get("MinValue", "")), str(facts.get("MaxValue", ""))
    )


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text)) and "_" not in text
    except ValueError:
        return False


def _legal(name: str, taken: set[str]) -> str:
    """A name that is legal in XML and in clients: letters, digits and `_`, no digit first, unique."""
    base = re.sub(r"[^A-Za-z0-9_]", "_", name)
    base = base if base[:1].isalpha() else f"x{base}"
    candidate, n = base, 2
    while candidate.lower() in taken:
        candidate, n = f"{base}_{n}", n + 1
    return candidate


def _head(prefix: str, namespace: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<xs:schema targetNamespace="{namespace}" xmlns:{prefix}="{namespace}" '
        'xmlns:xnat="http://nrg.wustl.edu/xnat" xmlns:cdb="http://connectomedb.org/measure" '
        'xmlns:xs="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified" '
        'attributeFormDefault="unqualified">\n'
        '  <xs:import namespace="http://nrg.wustl.edu/xnat" schemaLocation="../xnat/xnat.xsd"/>\n'
    )


def _xsd(xsi_type: str, namespace: str, columns: Sequence[_Column], description: str) -> bytes:
    prefix, _, local = xsi_type.partition(":")
    lines = [f'  <xs:element name="{local[:1].upper()}{local[1:]}" type="{xsi_type}"/>']
    lines.append(f'  <xs:complexType name="{local}">')
    lines.append(
        f"    <xs:annotation><xs:documentation>{escape(description)}</xs:documentation></xs:annotation>"
    )
    lines.append('    <xs:complexContent><xs:extension base="xnat:subjectAssessorData"><xs:sequence>')
    for c in columns:
        bounds = f' minimum="{c.low}"' if c.low else ""
        bounds += f' maximum="{c.high}"' if c.high else ""
        unit = f" unit={quoteattr(c.unit)}" if c.unit else ""
        hint = f"<xs:appinfo><cdb:measure{unit}{bounds}/></xs:appinfo>" if unit or bounds else ""
        lines.append(
            f'      <xs:element name="{c.path}" type="{_XSD_TYPES[c.value_type]}" minOccurs="0">'
            f"<xs:annotation><xs:documentation>{escape(c.description)}</xs:documentation>{hint}</xs:annotation></xs:element>"
        )
    lines += ["    </xs:sequence></xs:extension></xs:complexContent>", "  </xs:complexType>", ""]
    body = _MARK + "\n".join(lines).encode() + _MARK
    return _head(prefix, namespace).encode() + body + b"</xs:schema>\n"


def _display(xsi_type: str, columns: Sequence[_Column], title: str) -> bytes:
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    lines.append(f'<Displays schema-element="{xsi_type}" brief-description={quoteattr(title)}>')
    for c in columns:
        unit = f" unit={quoteattr(c.unit)}" if c.unit else ""
        lines.append(
            f'  <DisplayField id="{c.path.upper()}" header={quoteattr(c.name)} data-type="{c.value_type}" '
            f'searchable="true"{unit}>'
            f'<DisplayFieldElement name="Field1" schema-element="{xsi_type}/{c.path}"/>'
            f"<description>{escape(c.description)}</description></DisplayField>"
        )
    lines += ["</Displays>", ""]
    return "\n".join(lines).encode()

"""Columns as the two files of a data type: its XSD and its display document."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from xml.sax.saxutils import escape, quoteattr

from connectomedb.schema.model import DataType, DisplayDocument, ValueType

_XSD_TYPES: dict[ValueType, str] = {"integer": "xs:integer", "float": "xs:double"}
_MARK = b"<!-- types -->\n"


@dataclass(frozen=True, slots=True)
class TypeColumn:
    """A column with its place in the type: `group/path`, or `path` alone; `built_in` has no element."""

    name: str
    path: str
    value_type: ValueType
    description: str = ""
    unit: str = ""
    low: str = ""
    high: str = ""
    tier: str = "open"
    group: str = ""
    levels: tuple[str, ...] = ()
    built_in: str = ""

    @property
    def whole_path(self) -> str:
        """The path from the root of the type."""
        return f"{self.group}/{self.path}" if self.group else self.path


# What every measurement of a subject has. Elements are found without regard to case, so no column may be
# named like one of these.
_INHERITED = frozenset(
    {
        *("id", "project", "label", "visit_id", "visit", "version", "original", "protocol", "sharing"),
        *("date", "time", "duration", "delay", "note", "investigator", "validation", "resources", "fields"),
        *("acquisition_site", "custom_fields", "provenance", "subject_id", "age"),
    }
)


def legal(name: str, taken: set[str]) -> str:
    """A name that is legal in XML and in clients: letters, digits and `_`, no digit first, unique."""
    base = re.sub(r"[^A-Za-z0-9_]", "_", name)
    base = base if base[:1].isalpha() else f"x{base}"
    candidate, n = base, 2
    while candidate.lower() in taken or candidate.lower() in _INHERITED:
        candidate, n = f"{base}_{n}", n + 1
    return candidate


def head(prefix: str, namespace: str) -> str:
    """The beginning of an XSD file."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<xs:schema targetNamespace="{namespace}" xmlns:{prefix}="{namespace}" '
        'xmlns:xnat="http://nrg.wustl.edu/xnat" xmlns:cdb="http://connectomedb.org/measure" '
        'xmlns:xs="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified" '
        'attributeFormDefault="unqualified">\n'
        '  <xs:import namespace="http://nrg.wustl.edu/xnat" schemaLocation="../xnat/xnat.xsd"/>\n'
    )


def merge_schemas(prefix: str, namespace: str, parts: Sequence[bytes]) -> bytes:
    """One XSD file out of several of `write_xsd`: a prefix has one file."""
    bodies = [part.split(_MARK)[1] for part in parts]
    return head(prefix, namespace).encode() + b"".join(bodies) + b"</xs:schema>\n"


def write_xsd(xsi_type: str, namespace: str, columns: Sequence[TypeColumn], description: str) -> bytes:
    """The schema of the type; columns of one group stand together in a grouping element."""
    prefix, _, local = xsi_type.partition(":")
    lines = [f'  <xs:element name="{local[:1].upper()}{local[1:]}" type="{xsi_type}"/>']
    lines.append(f'  <xs:complexType name="{local}">')
    lines.append(
        f"    <xs:annotation><xs:documentation>{escape(description)}</xs:documentation></xs:annotation>"
    )
    lines.append('    <xs:complexContent><xs:extension base="xnat:subjectAssessorData"><xs:sequence>')
    stored = [c for c in columns if not c.built_in]
    ordered = sorted(stored, key=lambda c: [d.group for d in stored].index(c.group))
    for group, members in groupby(ordered, key=lambda c: c.group):
        if group:
            lines.append(f'      <xs:element name="{group}" minOccurs="0"><xs:complexType><xs:sequence>')
        lines += [_element(c) for c in members]
        if group:
            lines.append("      </xs:sequence></xs:complexType></xs:element>")
    lines += ["    </xs:sequence></xs:extension></xs:complexContent>", "  </xs:complexType>", ""]
    body = _MARK + "\n".join(lines).encode() + _MARK
    return head(prefix, namespace).encode() + body + b"</xs:schema>\n"


def _element(c: TypeColumn) -> str:
    facts = f" unit={quoteattr(c.unit)}" if c.unit else ""
    facts += f' minimum="{c.low}"' if c.low else ""
    facts += f' maximum="{c.high}"' if c.high else ""
    facts += f' tier="{c.tier}"' if c.tier != "open" else ""
    hint = f"<xs:appinfo><cdb:measure{facts}/></xs:appinfo>" if facts else ""
    said = (
        f"<xs:annotation><xs:documentation>{escape(c.description)}</xs:documentation>{hint}</xs:annotation>"
    )
    xsd_type = _XSD_TYPES.get(c.value_type, f"xs:{c.value_type}")
    if not c.levels:
        return f'      <xs:element name="{c.path}" type="{xsd_type}" minOccurs="0">{said}</xs:element>'
    values = "".join(f"<xs:enumeration value={quoteattr(level)}/>" for level in c.levels)
    rule = f'<xs:simpleType><xs:restriction base="{xsd_type}">{values}</xs:restriction></xs:simpleType>'
    return f'      <xs:element name="{c.path}" minOccurs="0">{said}{rule}</xs:element>'


def write_display(xsi_type: str, columns: Sequence[TypeColumn], title: str) -> bytes:
    """The names of the columns in searches: the id in capitals, the head as in the dictionary."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    lines.append(f'<Displays schema-element="{xsi_type}" brief-description={quoteattr(title)}>')
    for c in columns:
        unit = f" unit={quoteattr(c.unit)}" if c.unit else ""
        built_in = f" built-in={quoteattr(c.built_in)}" if c.built_in else ""
        source = f'<DisplayFieldElement name="Field1" schema-element="{xsi_type}/{c.whole_path}"/>'
        lines.append(
            f'  <DisplayField id="{c.path.upper()}" header={quoteattr(c.name)} data-type="{c.value_type}" '
            f'searchable="true"{unit}{built_in}>{"" if built_in else source}'
            f"<description>{escape(c.description)}</description></DisplayField>"
        )
    lines += ["</Displays>", ""]
    return "\n".join(lines).encode()


def columns_of(data_type: DataType, display: DisplayDocument) -> tuple[TypeColumn, ...]:
    """The columns of a type that exists, as its files would be written again."""
    headers = {f.expression: f.header for f in display.fields.values()}
    return tuple(
        TypeColumn(
            headers.get(("element", leaf.path), leaf.name),
            leaf.name,
            leaf.value_type,
            leaf.documentation,
            leaf.unit,
            "" if leaf.min_value is None else f"{leaf.min_value:g}",
            "" if leaf.max_value is None else f"{leaf.max_value:g}",
            leaf.tier,
            leaf.path.rpartition("/")[0],
            leaf.enumeration,
        )
        for leaf in data_type.own_fields()
    )

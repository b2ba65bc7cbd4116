"""Data types, their elements, their display fields and their items, as plain values.

Read from XSD by `schema.xsd` and from display documents by `schema.display`; nothing here parses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Literal

from connectomedb.schema.expressions import Formula

ValueType = Literal["string", "integer", "float", "boolean", "date", "time", "dateTime"]
Value = str | int | float | bool | date | time | datetime


Hints = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Bound:
    """A limit that documents must keep."""

    value: Value
    inclusive: bool


@dataclass(frozen=True, slots=True)
class ElementPath:
    """One single-valued leaf of a data type, addressed from its root.

    `path` is canonical (`NEO/NEOFAC_A`, `ID`, `demographics/gender`, `scanner/manufacturer`);
    `column` is its storage name (`neo_neofac_a`); `declared_in` the type that declares it.
    `lower` and `upper` are rules for documents; `min_value` and `max_value` the usual range, for readers.
    `default` is what an absent attribute means; nothing fills it in. `hints` are the schema's annotations.
    """

    path: str
    column: str
    value_type: ValueType
    declared_in: str
    is_attribute: bool = False
    required: bool = False
    documentation: str = ""
    enumeration: tuple[str, ...] = ()
    min_value: float | None = None
    max_value: float | None = None
    max_length: int | None = None
    pattern: str = ""
    unit: str = ""
    lower: Bound | None = None
    upper: Bound | None = None
    min_length: int | None = None
    default: str = ""
    hints: Hints = ()
    tier: str = "open"

    @property
    def name(self) -> str:
        """Last step of the path: the dictionary column."""
        return self.path.rsplit("/", 1)[-1]

    def hint(self, name: str) -> str:
        """What an annotation says: `baseElement`, `filter`, `uniqueComposite` …; '' when nothing."""
        return dict(self.hints).get(name, "")


@dataclass(frozen=True, slots=True)
class Multiple:
    """A repeated part, `sharing/share`: its path, and the leaves and parts of one entry.

    `item_type` is the entry's declared type (`xnat:imageScanData`), or the generated name of an anonymous one
    (`xnat:experimentData_share`). `text` says that an entry has text of its own (path = last step).
    """

    path: str
    item_type: str
    fields: tuple[ElementPath, ...] = ()


NodeKind = Literal["attribute", "leaf", "group", "item", "multiple"]


@dataclass(frozen=True, slots=True)
class Node:
    """One place in the layout of a type's document, in document order.

    `attribute` and `leaf` carry an element; a `group` only nests; an `item` is a single part of a named type
    whose leaves are flattened into the owner; a `multiple` repeats. `item_type` is the type of an item or of
    an entry. A leaf's own attributes are its `children`; an entry with text of its own has `has_text`.
    An item that may be of several types has them in `item_types`, the leaves of all as `children`, and
    a leaf `type_element` for the one that it is. `required` is for a part whose surroundings are there.
    """

    name: str
    prefix: str
    kind: NodeKind
    path: str
    element: ElementPath | None = None
    children: tuple[Node, ...] = ()
    item_type: str = ""
    polymorphic: bool = False
    has_text: bool = False
    required: bool = False
    item_types: tuple[str, ...] = ()
    type_element: ElementPath | None = None
    hints: Hints = ()


@dataclass(frozen=True, slots=True)
class DataType:
    """One named complex type with everything it inherits, in document order."""

    xsi_type: str
    namespace: str
    root_element: str  # proper name, 'NTScores'; '' when it cannot be a document
    base: str  # xsi_type of the parent, '' at the top
    abstract: bool
    schema_name: str
    fields: tuple[ElementPath, ...] = ()
    multiples: tuple[Multiple, ...] = ()
    documentation: str = ""
    nodes: tuple[Node, ...] = ()
    hints: Hints = ()

    def __hash__(self) -> int:
        # Types are keys of caches; a hash over all nodes would cost more than what it saves.
        return hash((self.xsi_type, self.namespace))

    @property
    def sql_name(self) -> str:
        """`nt:scores` → `nt_scores`."""
        return self.xsi_type.replace(":", "_").lower()

    def own_fields(self) -> tuple[ElementPath, ...]:
        """The leaves that this type itself declares."""
        return tuple(f for f in self.fields if f.declared_in == self.xsi_type)

    def hint(self, name: str) -> str:
        """What an annotation says: `displayIdentifiers`, `storeHistory` …; '' when nothing."""
        return dict(self.hints).get(name, "")


@dataclass(frozen=True, slots=True)
class LinkProperty:
    """One property of a link: `HREF`, `ONCLICK`, `TITLE` or `TARGET`, its text, and what `@Field1` … are.

    `inserts` pairs the name in the text with the id of a display field; `@WHERE` is the field's own value.
    """

    name: str
    value: str
    inserts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """What a cell leads to; `secured_by` are the fields that say whether the reader may follow it."""

    properties: tuple[LinkProperty, ...] = ()
    secured_by: tuple[str, ...] = ()
    element_name: str = ""

    @property
    def fields(self) -> tuple[str, ...]:
        """Ids of the display fields that come along with a linked one, each once."""
        inserted = (field for one in self.properties for _, field in one.inserts if field != "@WHERE")
        return tuple(dict.fromkeys((*inserted, *self.secured_by)))


@dataclass(frozen=True, slots=True)
class DisplayField:
    """One searchable name of a data type.

    `expression` says how it is computed: ('element', path) for one element, ('element_of', xsi_type, path)
    for one of the item's subject or imaging session, ('formula',) for `formula`, else the name and arguments
    of a built-in (`schema.built_ins`). A `valued` field is written `ID=value` wherever it is named.
    `declared_type` is the type that its document says, which may differ from that of its values.
    """

    id: str
    header: str
    value_type: ValueType
    expression: tuple[str, ...]
    searchable: bool = True
    visible: bool = True
    valued: bool = False
    sort_by: str = ""
    sort_order: Literal["", "ASC", "DESC"] = ""
    description: str = ""
    unit: str = ""
    link: Link | None = None
    formula: Formula | None = None
    declared_type: str = ""
    image: bool = False
    html: bool = False
    tier: str = "open"

    @property
    def link_fields(self) -> tuple[str, ...]:
        """Ids of the fields that come along as further columns."""
        return self.link.fields if self.link else ()

    @property
    def shown_type(self) -> str:
        """The type as listings of fields say it."""
        return self.declared_type or self.value_type


@dataclass(frozen=True, slots=True)
class VersionField:
    """One column of a version; `element_name` may be another data type, `value` that of a valued field."""

    field_id: str
    element_name: str
    header: str = ""
    visible: bool = True
    value: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class DisplayVersion:
    """A named column set; colours are those of its rows, in hexadecimal."""

    name: str
    fields: tuple[VersionField, ...]
    order_by: str = ""
    sort_order: Literal["ASC", "DESC"] = "ASC"
    brief_description: str = ""
    dark_color: str = "DEDEDE"
    light_color: str = "FFFFFF"
    allow_diff_columns: bool = True


@dataclass(frozen=True, slots=True)
class SchemaLink:
    """An explicit join from this type to another; pairs of element paths, here and there."""

    element_name: str
    alias: str = ""
    kind: str = ""
    mappings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Arc:
    """An implicit join that a type takes part in: the arc's common fields and the type's own for them."""

    name: str
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ArcDefinition:
    """An implicit join by its bridge: every type that carries the arc connects through it."""

    id: str
    bridge_element: str
    bridge_field: str
    common_fields: tuple[tuple[str, str], ...] = ()
    filters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class DisplayDocument:
    """The whole vocabulary of one data type in searches.

    `left_out` names what a site's document says in SQL that is not run here. `is_whole` says that the default
    adds nothing to it.
    """

    xsi_type: str
    singular: str
    plural: str
    fields: Mapping[str, DisplayField]
    versions: Mapping[str, DisplayVersion] = field(default_factory=dict)
    description: str = ""
    schema_links: tuple[SchemaLink, ...] = ()
    arcs: tuple[Arc, ...] = ()
    arc_definitions: tuple[ArcDefinition, ...] = ()
    value_field: str = ""
    display_field: str = ""
    display_label: str = ""
    header_link: str = ""
    left_out: tuple[str, ...] = ()
    is_whole: bool = False
    source: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One document as a value: leaves by path, entries of multiples by path.

    A missing leaf is absent from `values`; it is never the empty string.
    """

    xsi_type: str
    values: Mapping[str, Value]
    children: Mapping[str, tuple[Item, ...]] = field(default_factory=dict)

    def text(self, path: str) -> str:
        """The leaf as text, '' when there is none."""
        value = self.values.get(path)
        return "" if value is None else str(value)

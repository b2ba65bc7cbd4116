"""Data types, their elements, their display fields and their items, as plain values.

Read from XSD by `schema.xsd` and from display documents by `schema.display`; nothing here parses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Literal

ValueType = Literal["string", "integer", "float", "boolean", "date", "time", "dateTime"]
Value = str | int | float | bool | date | time | datetime


@dataclass(frozen=True, slots=True)
class ElementPath:
    """One single-valued leaf of a data type, addressed from its root.

    `path` is canonical (`NEO/NEOFAC_A`, `ID`, `demographics/gender`, `scanner/manufacturer`);
    `column` is its storage name (`neo_neofac_a`); `declared_in` the type that declares it.
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
    tier: str = "open"

    @property
    def name(self) -> str:
        """Last step of the path: the dictionary column."""
        return self.path.rsplit("/", 1)[-1]


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

    @property
    def sql_name(self) -> str:
        """`nt:scores` → `nt_scores`."""
        return self.xsi_type.replace(":", "_").lower()

    def own_fields(self) -> tuple[ElementPath, ...]:
        """The leaves that this type itself declares."""
        return tuple(f for f in self.fields if f.declared_in == self.xsi_type)


@dataclass(frozen=True, slots=True)
class DisplayField:
    """One searchable name of a data type.

    `expression` says how it is computed: ('element', path) for one element, else a named built-in
    of the store such as ('subject_label',), ('projects',), ('label',), ('age',), ('insert_date',),
    ('count', xsi_type), ('label_in_project',), ('file_count',), ('file_bytes',). A `valued` field is
    written `ID=value` wherever it is named.
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
    link_fields: tuple[str, ...] = ()
    tier: str = "open"


@dataclass(frozen=True, slots=True)
class VersionField:
    """One column of a display version; `element_name` may be another data type."""

    field_id: str
    element_name: str
    header: str = ""
    visible: bool = True


@dataclass(frozen=True, slots=True)
class DisplayVersion:
    """A named column set."""

    name: str
    fields: tuple[VersionField, ...]
    order_by: str = ""
    sort_order: Literal["ASC", "DESC"] = "ASC"


@dataclass(frozen=True, slots=True)
class DisplayDocument:
    """The whole vocabulary of one data type in searches."""

    xsi_type: str
    singular: str
    plural: str
    fields: Mapping[str, DisplayField]
    versions: Mapping[str, DisplayVersion] = field(default_factory=dict)
    description: str = ""


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

"""All data types of a site: the shipped ones and those that its folder adds.

Files are read once, at start; what they say is then only looked up.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

from connectomedb.errors import ConfigurationError, NotValid, UnknownDataType, UnknownField
from connectomedb.schema.display import read_display
from connectomedb.schema.display_defaults import check, complete
from connectomedb.schema.model import DataType, DisplayDocument, ElementPath
from connectomedb.schema.paths import Address, TypesByName, resolve_path
from connectomedb.schema.xml import ANNOTATIONS, NAMESPACES
from connectomedb.schema.xsd import SchemaFile, read_schema_file, read_types

SHIPPED = Path(__file__).parent / "types"
_MOST_ADDRESSES = 10_000
_SEARCHABLE = (
    "xnat:projectData",
    "xnat:subjectData",
    "xnat:experimentData",
    "xnat:imageScanData",
    "hcp:file",
)
# What is stored as an item (or a file) and not only inside one.
_WITH_ROWS = (*_SEARCHABLE, "xnat:reconstructedImageData", "xnat:abstractResource")


class DataTypes:
    """The types, their schemas and their display documents; names are found without regard to case."""

    def __init__(
        self,
        schemas: Sequence[SchemaFile],
        types: Mapping[str, DataType],
        displays: Mapping[str, DisplayDocument],
    ) -> None:
        self._schemas = tuple(schemas)
        self._types = dict(types)
        self._by_lower = {name.lower(): t for name, t in types.items()}
        self._written = {name.lower(): d for name, d in displays.items()}
        self._displays: dict[str, DisplayDocument] = {}
        self._addresses: dict[tuple[str, str], Address] = {}
        self.namespaces: Mapping[str, str] = {
            **{s.prefix: s.namespace for s in schemas if s.prefix not in NAMESPACES},
            **NAMESPACES,
        }

    def __contains__(self, xsi_type: object) -> bool:
        return isinstance(xsi_type, str) and xsi_type.lower() in self._by_lower

    def get(self, xsi_type: str) -> DataType:
        """The type of that name; UnknownDataType with the nearest names."""
        found = self._by_lower.get(xsi_type.lower())
        if found is None:
            raise UnknownDataType(xsi_type, nearest(xsi_type, (t.xsi_type for t in self.searchable())))
        return found

    def all(self) -> tuple[DataType, ...]:
        """Every named type, in file order."""
        return tuple(self._types.values())

    def subtypes(self, xsi_type: str) -> tuple[DataType, ...]:
        """The type itself and everything that extends it."""
        return tuple(t for t in self._types.values() if self.is_a(t.xsi_type, xsi_type))

    def is_a(self, xsi_type: str, base: str) -> bool:
        """Whether a type is `base` or extends it."""
        name, base = xsi_type.lower(), base.lower()
        while name and name != base:
            found = self._by_lower.get(name)
            name = found.base.lower() if found else ""
        return bool(name)

    def searchable(self) -> tuple[DataType, ...]:
        """The concrete types that a search can ask for."""
        return tuple(
            t
            for t in self._types.values()
            if not t.abstract and any(self.is_a(t.xsi_type, base) for base in _SEARCHABLE)
        )

    def has_rows(self, xsi_type: str) -> bool:
        """Whether items can be of this type; others are parts of items."""
        return any(self.is_a(xsi_type, base) for base in _WITH_ROWS)

    def display(self, xsi_type: str) -> DisplayDocument:
        """The names that searches know of a type."""
        data_type = self.get(xsi_type)
        key = data_type.xsi_type.lower()
        if key not in self._displays:
            self._displays[key] = complete(self._written.get(key), data_type, self)
        return self._displays[key]

    def plural(self, xsi_type: str) -> str:
        """What several items of a type are called."""
        data_type = self.get(xsi_type)
        written = self._written.get(data_type.xsi_type.lower())
        return written.plural if written else data_type.root_element or data_type.xsi_type

    def by_root(self, namespace: str, local: str) -> DataType:
        """The type of a document's root element; UnknownDataType when there is none."""
        for data_type in self._types.values():
            if data_type.namespace == namespace and data_type.root_element == local:
                return data_type
        roots = {t.root_element: t for t in self._types.values() if t.root_element}
        raise UnknownDataType(local, nearest(local, roots))

    def schemas(self) -> tuple[SchemaFile, ...]:
        """The XSD files, as served."""
        return self._schemas

    def address(self, xsi_type: str, path: str) -> Address:
        """What a schema path names, also inside a repeated part; see `schema.paths`.

        Raises   UnknownDataType, UnknownField
        """
        key = (xsi_type.lower(), path)
        found = self._addresses.get(key)
        if found is None:
            by_name = TypesByName(self.get, self.subtypes, self.is_a, self.__contains__)
            found = resolve_path(by_name, xsi_type, path)
            if len(self._addresses) >= _MOST_ADDRESSES:
                self._addresses.clear()
            self._addresses[key] = found
        return found

    def element(self, xsi_type: str, path: str) -> ElementPath:
        """The single-valued leaf at a path: `/`, `.` and `@` alike, any case, type brackets allowed.

        Raises   UnknownDataType, UnknownField, also for a leaf of a repeated part
        """
        data_type = self.get(xsi_type)
        found = self.address(xsi_type, path)
        if found.parts or found.is_meta:
            near = nearest(canonical(path), (f.path for f in data_type.fields))
            raise UnknownField(path, data_type.xsi_type, near)
        return found.element


def load_types(folders: Sequence[Path] = ()) -> DataTypes:
    """The shipped types and those under the given folders (`<prefix>/<name>.xsd`, `<prefix>/display/…`).

    Raises   NotValid for a schema or display document that cannot be used, ConfigurationError for two schemas
             of one prefix with different namespaces
    """
    schemas, displays = list(_shipped()[0]), dict(_shipped()[1])
    for folder in folders:
        more, shown = _read_folder(folder)
        schemas += more
        displays = {**shown, **displays}
    namespaces: dict[str, str] = dict(NAMESPACES)
    for schema in schemas:
        if schema.namespace == ANNOTATIONS:
            continue
        if namespaces.setdefault(schema.prefix, schema.namespace) != schema.namespace:
            raise ConfigurationError(
                f"schema {schema.name}: the prefix {schema.prefix} belongs to {namespaces[schema.prefix]}"
            )
    _check_prefixes(schemas)
    types = read_types(schemas)
    for name in displays:
        if name not in types:
            raise NotValid([f"a display document is for {name}, which no schema defines"])
    known = DataTypes(schemas, types, displays)
    for name, document in displays.items():
        check(document, types[name], known)
    return known


def _check_prefixes(schemas: Sequence[SchemaFile]) -> None:
    """One prefix for each namespace in all files: clients keep the last one that they read."""
    own = {s.namespace: s.prefix for s in schemas}
    reasons = [
        f"{s.name}.xsd, line {s.root.sourceline}: {uri} is {prefix} here and {own[uri]} in its own schema; "
        f"use {own[uri]}"
        for s in schemas
        for prefix, uri in s.root.nsmap.items()
        if uri in own and uri != ANNOTATIONS and prefix != own[uri]
    ]
    if reasons:
        raise NotValid(reasons)


def canonical(path: str) -> str:
    """`demographics[@xsi:type=xnat:demographicData].age` → `demographics/age`."""
    bare = re.sub(r"\[[^\]]*\]", "", path)
    return "/".join(step for step in re.split(r"[/.@]+", bare) if step)


def nearest(name: str, candidates: Iterable[str]) -> tuple[str, ...]:
    """The candidates that look most like a misspelt name; none when nothing does."""
    by_lower = {c.lower(): c for c in candidates}
    return tuple(by_lower[c] for c in difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=0.6))


@cache
def _shipped() -> tuple[tuple[SchemaFile, ...], Mapping[str, DisplayDocument]]:
    schemas, displays = _read_folder(SHIPPED)
    # The base of everything first; the rest by name.
    return tuple(sorted(schemas, key=lambda s: (s.name != "xnat", s.name))), displays


def _read_folder(root: Path) -> tuple[list[SchemaFile], dict[str, DisplayDocument]]:
    schemas = [
        read_schema_file(path.parent.name, path.name, path.read_bytes())
        for path in sorted(root.glob("*/*.xsd"))
    ]
    displays: dict[str, DisplayDocument] = {}
    for path in sorted(root.glob("*/display/*_display.xml")):
        document = read_display(
            path.read_bytes(), path.name, foreign_sql="refuse" if root == SHIPPED else "leave out"
        )
        displays.setdefault(document.xsi_type, document)
    return schemas, displays

"""Gives the names of a question their meaning: display fields, typed values, column keys, order.

A name can be a display id (`NEO_NEOFAC_A`), a valued one (`FILE_COUNT=T1w`), an element path
(`NEO/NEOFAC_A`, `fields/field[name=visit]/field`) or a dictionary column (`NEOFAC_A`). Unknown names are
refused with the nearest ones, as a column and as a condition.

What comes out knows nothing of SQL: any executor can answer it.

Deviation: XNAT drops unknown columns in silence; a column that is missing without a word is a wrong answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from connectomedb.errors import BadConstraint, UnknownField
from connectomedb.schema.model import DataType, DisplayField, ElementPath, Node, Value, ValueType
from connectomedb.schema.registry import DataTypes, canonical, nearest
from connectomedb.search.operands import parse_operand
from connectomedb.search.operators import OPERATORS, normalise, split_list, split_range
from connectomedb.search.parts import find_place, on_the_item
from connectomedb.search.query import (
    CriteriaSet,
    Criterion,
    FieldRef,
    Method,
    SearchField,
    SearchQuery,
    SortOrder,
)

_MEMBER_PATHS = {"project": "member_owner", "sharing/share/project": "member_share"}
_OLD_IDS = {"SESSION_ID": "EXPT_ID", "EXPT_ID": "SESSION_ID"}
# What every item has beside its elements, and the computation that gives it.
_HIDDEN_PATHS: Mapping[str, tuple[str, ValueType]] = {
    "meta/insert_date": ("insert_date", "dateTime"),
    "meta/last_modified": ("last_modified", "dateTime"),
    "meta/insert_user/login": ("insert_user", "string"),
    "meta/status": ("status", "string"),
    "extension_item/element_name": ("xsi_type", "string"),
}
_SHARE_COLUMN = "sharing/share/project"
_BRACKET = re.compile(r"\[\s*@?([\w/.@:]+?)\s*=\s*['\"]?(.*?)['\"]?\s*\]")
# What brackets call the type of an entry.
KIND = "xsi:type"
# Each is planned by itself; a list of values belongs into IN.
MOST_CRITERIA = 500
# PostgreSQL gives at most 1,664 columns.
MOST_COLUMNS = 1_500


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which entries of a repeated part: those whose leaf has this value, or that are of a type (`KIND`)."""

    part: str
    leaf: str
    value: str


@dataclass(frozen=True, slots=True)
class ResolvedField:
    """One column: its display field, the value of a valued one, and its key in the answer.

    `data_type` is the type on whose rows it is computed, `named_type` the one that it was asked of: another
    one for a part of an item.
    """

    data_type: DataType
    display: DisplayField
    value: str
    key: str
    header: str
    visible: bool = True
    named_type: str = ""

    @property
    def element_name(self) -> str:
        """The type that it was asked of."""
        return self.named_type or self.data_type.xsi_type


@dataclass(frozen=True, slots=True)
class ResolvedCriterion:
    """One condition, typed. `by_path` says that it named an element, not a display field."""

    data_type: DataType
    display: DisplayField
    value: str
    comparison_type: str
    operand: Value | None = None
    operands: tuple[Value, ...] = ()
    by_path: bool = False

    @property
    def is_absence(self) -> bool:
        """It asks for no value."""
        return self.comparison_type == "IS NULL" or (
            self.comparison_type == "=" and self.operand in (None, "")
        )


@dataclass(frozen=True, slots=True)
class ResolvedSet:
    """Conditions under one method."""

    method: Method
    members: tuple[ResolvedCriterion | ResolvedSet, ...] = ()


@dataclass(frozen=True, slots=True)
class ResolvedQuery:
    """A question that can be compiled."""

    root: DataType
    fields: tuple[ResolvedField, ...]
    where: ResolvedSet
    order: tuple[tuple[ResolvedField, SortOrder], ...]
    source: SearchQuery

    def named(self) -> Iterator[ResolvedField | ResolvedCriterion]:
        """Everything that the question names: its columns, what it sorts by, and its conditions."""
        yield from self.fields
        yield from (field for field, _ in self.order)
        yield from _below(self.where)


def _below(criteria: ResolvedSet) -> Iterator[ResolvedCriterion]:
    for member in criteria.members:
        if isinstance(member, ResolvedCriterion):
            yield member
        else:
            yield from _below(member)


@dataclass(frozen=True, slots=True)
class _Found:
    data_type: DataType
    display: DisplayField
    value: str = ""
    by_path: bool = False
    named: DataType | None = None


def resolve(query: SearchQuery, types: DataTypes) -> ResolvedQuery:
    """The question with every name and value understood.

    Raises   UnknownDataType, UnknownField (both with the nearest names), BadConstraint
    """
    root = types.get(query.root)
    asked, order_by = query.fields, query.sort_by
    where = resolve_where(query, types)
    fields = _columns(asked or _default_fields(root, types), root, types)
    if len(fields) > MOST_COLUMNS:
        raise BadConstraint(f"{len(fields)} columns are more than {MOST_COLUMNS}; ask in parts")
    if order_by is not None:
        order = _order(_find(order_by.ref, root, types), order_by.ref, order_by.order, root, types)
    elif asked:
        first = asked[0]
        order = _order(_find(first.ref, root, types, first.value), first.ref, "", root, types)
    else:
        order = _version_order(root, types)
    return ResolvedQuery(root, fields, where, order, query)


def resolve_where(query: SearchQuery, types: DataTypes) -> ResolvedSet:
    """The conditions of a question alone. Raises as `resolve`."""
    n_criteria = _count(query.where)
    if n_criteria > MOST_CRITERIA:
        raise BadConstraint(
            f"{n_criteria} conditions are more than {MOST_CRITERIA}; IN takes a list of values"
        )
    return _resolve_set(query.where, types.get(query.root), types)


def _order(
    found: _Found, ref: FieldRef, order: SortOrder | Literal[""], root: DataType, types: DataTypes
) -> tuple[tuple[ResolvedField, SortOrder], ...]:
    """Rows by this field, or by the one that it is sorted by (`DATE_CHAR` by `DATE`)."""
    direction = order or found.display.sort_order
    if found.display.sort_by:
        other = FieldRef((found.named or found.data_type).xsi_type, found.display.sort_by)
        found = _find(other, root, types, found.value)
        direction = direction or found.display.sort_order
    return ((_column(found, SearchField(ref), root), direction or "ASC"),)


def _count(criteria: CriteriaSet) -> int:
    """Number of conditions."""
    return sum(1 if isinstance(m, Criterion) else _count(m) for m in criteria.members)


def _columns(asked: tuple[SearchField, ...], root: DataType, types: DataTypes) -> tuple[ResolvedField, ...]:
    columns: dict[str, ResolvedField] = {}
    for field in asked:
        column = _column(_find(field.ref, root, types, field.value), field, root)
        columns.setdefault(column.key, column)
    return tuple(columns.values())


def _column(found: _Found, field: SearchField, root: DataType) -> ResolvedField:
    row_id = f"{found.display.id}_{_mangled(found.value)}" if found.display.valued else found.display.id
    key = row_id.lower()
    named = found.named or found.data_type
    if named.xsi_type != root.xsi_type:
        key = f"{named.sql_name}_{key}"
    return ResolvedField(
        found.data_type,
        found.display,
        found.value,
        key,
        field.header or found.display.header,
        field.visible,
        found.named.xsi_type if found.named else "",
    )


def _default_fields(root: DataType, types: DataTypes) -> tuple[SearchField, ...]:
    versions = types.display(root.xsi_type).versions
    version = versions.get("listing") or versions.get("full") or next(iter(versions.values()))
    return tuple(
        SearchField(FieldRef(f.element_name, f.field_id), f.header, visible=f.visible) for f in version.fields
    )


def _version_order(root: DataType, types: DataTypes) -> tuple[tuple[ResolvedField, SortOrder], ...]:
    versions = types.display(root.xsi_type).versions
    version = versions.get("listing") or versions.get("full")
    if version is None or not version.order_by:
        return ()
    ref = FieldRef(root.xsi_type, version.order_by)
    return _order(_find(ref, root, types), ref, version.sort_order, root, types)


def _find(
    ref: FieldRef, root: DataType, types: DataTypes, value: str = "", *, criterion: bool = False
) -> _Found:
    """The field of that name in a search of `root`; that of a part as a field of the item around it."""
    found = _find_in_type(ref, types, value, criterion=criterion)
    place = find_place(found.data_type, root, types)
    if place is None:
        return found
    if place.repeats and not criterion:
        raise BadConstraint(
            f"{ref}: {place.owner.xsi_type}/{place.path} may be there several times in one row; it can stand "
            "in a condition, not as a column"
        )
    part = found.data_type
    display = on_the_item(found.display, place, part)
    return replace(found, data_type=place.owner, display=display, named=part)


@lru_cache(maxsize=16_384)
def _find_in_type(ref: FieldRef, types: DataTypes, value: str = "", *, criterion: bool = False) -> _Found:
    """The field of that name, in the order of protocol/search-and-types 2.6."""
    data_type = types.get(ref.element_name)
    data_type, ref = _own_type(ref, data_type, types)
    fields = types.display(data_type.xsi_type).fields
    name, equals, inline = ref.name.partition("=")
    bracketed = "[" in ref.name
    if equals and not bracketed:
        display = fields.get(name) or fields.get(name.upper())
        if display is not None and display.valued:
            return _Found(data_type, display, inline)
    for candidate in (ref.name, _OLD_IDS.get(ref.name, ref.name)):
        if candidate in fields:
            return _plain(data_type, fields[candidate], value)
    head, dot, tail = ref.name.partition(".")
    if dot and head in fields and fields[head].valued:
        return _Found(data_type, fields[head], tail)
    return (
        _generated_count(ref, data_type, types, value)
        or _by_exact_header(ref, data_type, fields)
        or _by_path(ref, data_type, types, criterion=criterion)
        or _by_id_in_any_case(ref, data_type, fields, value)
        or _by_dictionary_column(ref, data_type, fields)
        or _unknown(ref, data_type, fields)
    )


def _plain(data_type: DataType, display: DisplayField, value: str) -> _Found:
    if display.valued and not value:
        raise BadConstraint(f"{data_type.xsi_type}/{display.id} needs a value: {display.id}=…")
    return _Found(data_type, display, value if display.valued else "")


def _own_type(ref: FieldRef, data_type: DataType, types: DataTypes) -> tuple[DataType, FieldRef]:
    """The reference without a type in front of its path: `xnat:mrSessionData/xnat:imageSessionData/UID`.

    A supertype's elements are the type's own; any other type is the one that is meant.
    """
    match = re.match(r"(\w+:\w+)[/.](.+)", ref.name, re.DOTALL)
    if match is None or match[1] not in types:
        return data_type, ref
    named = types.get(match[1])
    if not types.is_a(data_type.xsi_type, named.xsi_type):
        data_type = named
    return data_type, FieldRef(ref.element_name, match[2])


def _generated_count(ref: FieldRef, data_type: DataType, types: DataTypes, value: str) -> _Found | None:
    """`CNT_XNAT_MRSESSIONDATA=P`: how many of a type the item has in a project."""
    name, _, inline = ref.name.partition("=")
    head, _, sql_name = name.partition("_")
    if head.upper() != "CNT" or not sql_name:
        return None
    for counted in types.all():
        if counted.sql_name == sql_name.lower():
            display = DisplayField(
                f"CNT_{counted.sql_name.upper()}",
                types.display(counted.xsi_type).plural,
                "integer",
                ("count_in_project", counted.xsi_type),
                searchable=False,
                valued=True,
            )
            return _plain(data_type, display, inline or value)
    return None


def _by_path(ref: FieldRef, data_type: DataType, types: DataTypes, *, criterion: bool) -> _Found | None:
    path = canonical(ref.name)
    if path.lower() in _MEMBER_PATHS and (criterion or path.lower() == _SHARE_COLUMN):
        name = _MEMBER_PATHS[path.lower()] if criterion else "shares"
        field_id = "PROJECT" if name == "member_owner" else _generated_id(data_type, ref.name)
        return _Found(data_type, DisplayField(field_id, "Project", "string", (name,)), by_path=True)
    if path.lower() in _HIDDEN_PATHS:
        name, value_type = _HIDDEN_PATHS[path.lower()]
        return _of_computation(data_type, path, (name,), value_type, types)
    inside = _repeated_leaf(data_type, path.lower(), types)
    if inside is not None:
        whole, leaf = inside
        if not criterion:
            raise BadConstraint(
                f"{data_type.xsi_type}/{whole} may have several values in one row; "
                "it can stand in a condition, not as a column"
            )
        expression = ("entry", whole, *_brackets(ref, whole, types))
        display = DisplayField(_generated_id(data_type, ref.name), leaf.name, leaf.value_type, expression)
        return _Found(data_type, display, by_path=True)
    if any(name != KIND for name, _ in _BRACKET.findall(ref.name)):
        raise BadConstraint(f"{ref}: only entries of a repeated part can be selected by [name=value]")
    try:
        element = types.element(data_type.xsi_type, path)
    except UnknownField:
        return None
    known = _field_of_element(data_type.xsi_type, element.path, types)
    if known is not None:
        return _Found(data_type, known, by_path=True)
    display = DisplayField(
        _generated_id(data_type, element.path),
        element.name,
        element.value_type,
        ("element", element.path),
        description=element.documentation,
        unit=element.unit,
    )
    return _Found(data_type, display, by_path=True)


def _brackets(ref: FieldRef, whole: str, types: DataTypes) -> tuple[str, ...]:
    """What the brackets choose: part, leaf and value of each, one after the other."""
    chosen: list[str] = []
    for bracket in _BRACKET.finditer(ref.name):
        n_steps = len(canonical(ref.name[: bracket.start()]).split("/"))
        part = "/".join(whole.split("/")[:n_steps])
        name, value = bracket[1], bracket[2]
        chosen += [part, KIND, types.get(value).xsi_type] if name == KIND else [part, canonical(name), value]
    return tuple(chosen)


def chosen_entries(display: DisplayField) -> tuple[Chosen, ...]:
    """Which entries a field ('entry', path, …) is about."""
    _, _, *rest = display.expression
    return tuple(Chosen(*rest[n : n + 3]) for n in range(0, len(rest), 3))


def _of_computation(
    data_type: DataType, path: str, expression: tuple[str, ...], value_type: ValueType, types: DataTypes
) -> _Found:
    """The display field that is computed so, else one made for it."""
    for display in types.display(data_type.xsi_type).fields.values():
        if display.expression == expression:
            return _Found(data_type, display, by_path=True)
    name = path.rpartition("/")[2]
    made = DisplayField(_generated_id(data_type, path), name, value_type, expression)
    return _Found(data_type, made, by_path=True)


@lru_cache(maxsize=4096)
def _repeated_leaf(data_type: DataType, path: str, types: DataTypes) -> tuple[str, ElementPath] | None:
    """The leaf inside repeated parts that a lower-case path leads to, and the path as it is spelled.

    The path of a part itself is that of its text: `fields/field` is `fields/field/field`.
    """
    return _leaf_below(data_type.nodes, path, types, inside=False)


def _leaf_below(
    nodes: tuple[Node, ...], path: str, types: DataTypes, *, inside: bool
) -> tuple[str, ElementPath] | None:
    for node in nodes:
        if node.kind != "multiple":
            if inside and node.element is not None and node.element.path.lower() == path:
                return node.element.path, node.element
            found = _leaf_below(node.children, path, types, inside=inside)
            if found is not None:
                return found
            continue
        whole = node.path.lower()
        if path != whole and not path.startswith(f"{whole}/"):
            continue
        kinds = types.subtypes(node.item_type) if node.item_type in types else ()
        # A part by itself stands for its text; a reference for the key of what it refers to.
        rest = path[len(whole) + 1 :] or ("id" if kinds else whole.rpartition("/")[2])
        for below in [kind.nodes for kind in kinds] or [node.children]:
            found = _leaf_below(below, rest, types, inside=True)
            if found is not None:
                return f"{node.path}/{found[0]}", found[1]
    return None


@lru_cache(maxsize=4096)
def _field_of_element(xsi_type: str, path: str, types: DataTypes) -> DisplayField | None:
    """The display field whose only input is this element: it is used, with its id and key.

    Of the two ids that a session has, the clients read the one that says session.
    """
    found = [d for d in types.display(xsi_type).fields.values() if d.expression == ("element", path)]
    return next((d for d in found if d.id == "SESSION_ID"), found[0] if found else None)


def _by_exact_header(ref: FieldRef, data_type: DataType, fields: Mapping[str, DisplayField]) -> _Found | None:
    """A dictionary column that differs from an inherited element in nothing but case: `Age` is not `age`."""
    if any(leaf.path == ref.name for leaf in data_type.fields):
        return None
    found = [f for f in fields.values() if f.header == ref.name and f.expression[0] == "element"]
    alike = any(leaf.path.lower() == ref.name.lower() for leaf in data_type.fields)
    return _Found(data_type, found[0]) if alike and len(found) == 1 else None


def _by_id_in_any_case(
    ref: FieldRef, data_type: DataType, fields: Mapping[str, DisplayField], value: str
) -> _Found | None:
    found = [f for i, f in fields.items() if i.lower() == ref.name.lower()]
    return _plain(data_type, found[0], value) if len(found) == 1 else None


def _by_dictionary_column(
    ref: FieldRef, data_type: DataType, fields: Mapping[str, DisplayField]
) -> _Found | None:
    """The field whose element's last step, or whose header, is the name and no other's is."""
    wanted = ref.name.lower()
    found = {
        f.id: f
        for f in fields.values()
        if f.expression[0] == "element"
        and (f.expression[1].rsplit("/", 1)[-1].lower() == wanted or f.header.lower() == wanted)
    }
    if len(found) > 1:
        raise BadConstraint(f"{ref.name!r} may be {' or '.join(found)} of {data_type.xsi_type}; say which")
    return _Found(data_type, next(iter(found.values()))) if found else None


def _unknown(ref: FieldRef, data_type: DataType, fields: Mapping[str, DisplayField]) -> _Found:
    names = {f.header for f in fields.values() if f.expression[0] == "element"}
    raise UnknownField(
        ref.name, data_type.xsi_type, nearest(ref.name, [*fields, *sorted(names - set(fields))])
    )


def _generated_id(data_type: DataType, path: str) -> str:
    """`xnat:mrSessionData/dcmPatientWeight` → `XNAT_COL_MRSESSIONDATADCMPATIENTWEIGHT`."""
    return _mangled(re.sub(r"[/@\[\]]", "", f"{data_type.xsi_type}{path}")).upper()


def _mangled(text: str) -> str:
    text = text.replace(":", "_COL_").replace(",", "_COM_")
    return re.sub(r"[^A-Za-z0-9_]", "_", text)


def _resolve_set(criteria: CriteriaSet, root: DataType, types: DataTypes) -> ResolvedSet:
    members: list[ResolvedCriterion | ResolvedSet] = []
    for member in criteria.members:
        if isinstance(member, Criterion):
            members.append(_resolve_criterion(member, root, types))
        elif member:
            members.append(_resolve_set(member, root, types))
    return ResolvedSet(criteria.method, tuple(members))


def _resolve_criterion(criterion: Criterion, root: DataType, types: DataTypes) -> ResolvedCriterion:
    found = _find(criterion.ref, root, types, criterion=True)
    comparison, text = normalise(criterion.comparison_type, criterion.value)
    if criterion.override_value_formatting:
        comparison, text = _as_it_is(comparison, text)
    if not found.by_path and text.strip("'\"") == "*" and comparison not in ("LIKE", "NOT LIKE", "!="):
        comparison, text = "IS NOT NULL", ""
    operand: Value | None = None
    operands: tuple[Value, ...] = ()
    needs = OPERATORS[comparison].needs
    # Blanks count in a text; elsewhere they are nothing.
    empty = not (text if found.display.value_type == "string" else text.strip())
    if comparison in ("LIKE", "NOT LIKE"):
        operand = text
    elif needs == "list":
        operands = tuple(_typed(part, found.display, criterion) for part in split_list(text))
        if not operands:
            raise BadConstraint(f"{criterion.ref} {comparison} needs at least one value")
    elif needs == "range":
        operands = tuple(_typed(part, found.display, criterion) for part in split_range(text))
    elif needs == "value" and empty:
        if comparison not in _OF_NOTHING:
            raise BadConstraint(f"{criterion.ref} {comparison} needs a value")
        comparison = _OF_NOTHING[comparison]
    elif needs == "value":
        operand = _typed(text, found.display, criterion)
    return ResolvedCriterion(
        found.data_type, found.display, found.value, comparison, operand, operands, found.by_path
    )


# What a comparison with no value asks.
_OF_NOTHING = {
    "=": "IS NULL",
    "!=": "IS NOT NULL",
    "IS NOT DISTINCT FROM": "IS NULL",
    "IS DISTINCT FROM": "IS NOT NULL",
}


def _as_it_is(comparison: str, text: str) -> tuple[str, str]:
    """A value that is no text: NULL is no value; a number is what it is anyway.

    Deviation: XNAT pastes such values into its SQL.
    """
    word = " ".join(text.upper().split())
    if word == "NULL" and comparison in _OF_NOTHING:
        return _OF_NOTHING[comparison], ""
    if word == "NOT NULL" and comparison == "=":
        return "IS NOT NULL", ""
    return comparison, text


def _typed(text: str, display: DisplayField, criterion: Criterion) -> Value:
    try:
        return parse_operand(text, display.value_type)
    except ValueError as problem:
        raise BadConstraint(
            f"{criterion.ref} is of type {display.value_type}, {text!r} is not ({criterion.comparison_type})"
        ) from problem

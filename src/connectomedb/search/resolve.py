"""Gives the names of a question their meaning: display fields, typed values, column keys, order.

A name can be a display id (`NEO_NEOFAC_A`), a valued one (`FILE_COUNT=T1w`), an element path (`NEO/NEOFAC_A`)
or a dictionary column (`NEOFAC_A`). Unknown names are refused with the nearest ones, as a column and as a
condition.

Deviation: XNAT drops unknown columns in silence; a column that is missing without a word is a wrong answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache

from connectomedb.errors import BadConstraint, UnknownField
from connectomedb.schema.model import DataType, DisplayField, Value, ValueType
from connectomedb.schema.registry import DataTypes, canonical, nearest
from connectomedb.schema.values import parse_value
from connectomedb.search.operators import OPERATORS, normalise, split_list, split_range
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
_DATES = ("%m/%d/%Y", "%Y%m%d", "%Y.%m.%d", "%m.%d.%Y", "%d-%b-%Y", "%B %d, %Y")
_TIMES = ("%I:%M:%S %p", "%I:%M %p", "%H%M%S")
_MOMENTS = ("%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S")


@dataclass(frozen=True, slots=True)
class ResolvedField:
    """One column: its display field, the value of a valued one, and its key in the answer."""

    data_type: DataType
    display: DisplayField
    value: str
    key: str
    header: str
    visible: bool = True


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


@dataclass(frozen=True, slots=True)
class _Found:
    data_type: DataType
    display: DisplayField
    value: str = ""
    by_path: bool = False


def resolve(query: SearchQuery, types: DataTypes) -> ResolvedQuery:
    """The question with every name and value understood.

    Raises   UnknownDataType, UnknownField (both with the nearest names), BadConstraint
    """
    root = types.get(query.root)
    asked, order_by = query.fields, query.sort_by
    fields = _columns(asked or _default_fields(root, types), root, types)
    if order_by is not None:
        found = _find(order_by.ref, types)
        order: tuple[tuple[ResolvedField, SortOrder], ...] = (
            (_column(found, SearchField(order_by.ref), root), order_by.order),
        )
    elif asked:
        order = ((fields[0], fields[0].display.sort_order or "ASC"),)
    else:
        order = _version_order(root, types)
    return ResolvedQuery(root, fields, _resolve_set(query.where, types), order, query)


def _columns(asked: tuple[SearchField, ...], root: DataType, types: DataTypes) -> tuple[ResolvedField, ...]:
    columns: dict[str, ResolvedField] = {}
    for field in asked:
        column = _column(_find(field.ref, types, field.value), field, root)
        columns.setdefault(column.key, column)
    return tuple(columns.values())


def _column(found: _Found, field: SearchField, root: DataType) -> ResolvedField:
    row_id = f"{found.display.id}_{_mangled(found.value)}" if found.display.valued else found.display.id
    key = row_id.lower()
    if found.data_type.xsi_type != root.xsi_type:
        key = f"{found.data_type.sql_name}_{key}"
    return ResolvedField(
        found.data_type, found.display, found.value, key, field.header or found.display.header, field.visible
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
    return ((_column(_find(ref, types), SearchField(ref), root), version.sort_order),)


def _find(ref: FieldRef, types: DataTypes, value: str = "", *, criterion: bool = False) -> _Found:
    """The field of that name, in the order of protocol/search-and-types 2.6."""
    data_type = types.get(ref.element_name)
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
        _by_path(ref, data_type, types, criterion=criterion)
        or _by_id_in_any_case(ref, data_type, fields, value)
        or _by_dictionary_column(ref, data_type, fields)
        or _unknown(ref, data_type, fields)
    )


def _plain(data_type: DataType, display: DisplayField, value: str) -> _Found:
    if display.valued and not value:
        raise BadConstraint(f"{data_type.xsi_type}/{display.id} needs a value: {display.id}=…")
    return _Found(data_type, display, value if display.valued else "")


def _by_path(ref: FieldRef, data_type: DataType, types: DataTypes, *, criterion: bool) -> _Found | None:
    path = canonical(ref.name)
    if criterion and path.lower() in _MEMBER_PATHS:
        name = _MEMBER_PATHS[path.lower()]
        field_id = "PROJECT" if name == "member_owner" else _generated_id(data_type, path)
        return _Found(data_type, DisplayField(field_id, "Project", "string", (name,)), by_path=True)
    for multiple in data_type.multiples:
        for leaf in multiple.fields:
            if f"{multiple.path}/{leaf.path}".lower() == path.lower():
                whole = f"{multiple.path}/{leaf.path}"
                if not criterion:
                    raise BadConstraint(
                        f"{data_type.xsi_type}/{whole} may have several values in one row; "
                        "it can stand in a condition, not as a column"
                    )
                display = DisplayField(
                    _generated_id(data_type, whole), leaf.name, leaf.value_type, ("element", whole)
                )
                return _Found(data_type, display, by_path=True)
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


@lru_cache(maxsize=4096)
def _field_of_element(xsi_type: str, path: str, types: DataTypes) -> DisplayField | None:
    """The display field whose only input is this element: it is used, with its id and key."""
    for display in types.display(xsi_type).fields.values():
        if display.expression == ("element", path):
            return display
    return None


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
    return _mangled(re.sub(r"[/@\[\]]", "", f"{data_type.xsi_type}{path}")).upper()


def _mangled(text: str) -> str:
    text = text.replace(":", "_COL_").replace(",", "_COM_")
    return re.sub(r"[^A-Za-z0-9_]", "_", text)


def _resolve_set(criteria: CriteriaSet, types: DataTypes) -> ResolvedSet:
    members: list[ResolvedCriterion | ResolvedSet] = []
    for member in criteria.members:
        if isinstance(member, Criterion):
            members.append(_resolve_criterion(member, types))
        elif member:
            members.append(_resolve_set(member, types))
    return ResolvedSet(criteria.method, tuple(members))


def _resolve_criterion(criterion: Criterion, types: DataTypes) -> ResolvedCriterion:
    found = _find(criterion.ref, types, criterion=True)
    comparison, text = normalise(criterion.comparison_type, criterion.value)
    if not found.by_path and text == "*" and comparison not in ("LIKE", "NOT LIKE", "!="):
        comparison, text = "IS NOT NULL", ""
    operand: Value | None = None
    operands: tuple[Value, ...] = ()
    needs = OPERATORS[comparison].needs
    if comparison in ("LIKE", "NOT LIKE"):
        operand = text
    elif needs == "list":
        operands = tuple(_typed(part, found.display, criterion) for part in split_list(text))
        if not operands:
            raise BadConstraint(f"{criterion.ref} {comparison} needs at least one value")
    elif needs == "range":
        operands = tuple(_typed(part, found.display, criterion) for part in split_range(text))
    elif needs == "value" and text.strip():
        operand = _typed(text, found.display, criterion)
    elif needs == "value" and comparison not in ("=", "!="):
        raise BadConstraint(f"{criterion.ref} {comparison} needs a value")
    return ResolvedCriterion(
        found.data_type, found.display, found.value, comparison, operand, operands, found.by_path
    )


def _typed(text: str, display: DisplayField, criterion: Criterion) -> Value:
    try:
        return parse_operand(text, display.value_type)
    except ValueError as problem:
        raise BadConstraint(
            f"{criterion.ref} is of type {display.value_type}, {text!r} is not ({criterion.comparison_type})"
        ) from problem


def parse_operand(text: str, value_type: ValueType) -> Value:
    """A value as users type it: dates also as `03/20/2020`, an integer field also against `33.5`.

    Raises   ValueError
    """
    if value_type == "string":
        return text
    bare = text.strip()
    if value_type == "integer":
        try:
            return parse_value(bare, "integer")
        except ValueError:
            number = parse_value(bare, "float")
            return int(number) if isinstance(number, float) and number.is_integer() else number
    if value_type == "date":
        return _parse_date(bare)
    if value_type == "time":
        return _parse_time(bare)
    if value_type == "dateTime":
        for pattern in _MOMENTS:
            try:
                return datetime.strptime(bare, pattern)
            except ValueError:
                continue
        try:
            return parse_value(bare, "dateTime")
        except ValueError:
            try:
                return datetime.combine(_parse_date(bare), datetime.min.time())
            except ValueError:
                return text  # compared with the printed form: `INSERT_DATE LIKE`-style texts are asked for
    return parse_value(bare, value_type)


def _parse_time(text: str) -> time:
    for pattern in _TIMES:
        try:
            return datetime.strptime(text, pattern).time()
        except ValueError:
            continue
    found = parse_value(text, "time")
    assert isinstance(found, time)
    return found


def _parse_date(text: str) -> date:
    for pattern in ("%Y-%m-%d", *_DATES):
        try:
            return datetime.strptime(text, pattern).date()
        except ValueError:
            continue
    raise ValueError(f"{text!r} is no date; write 2020-03-20 or 03/20/2020")

"""Conditions on what repeats inside an item: true if some entry meets them, also an entry of an entry.

    fields/field[name=visit]/field                        rows of a table beside the item's own
    scans/scan[@xsi:type=xnat:mrScanData]/parameters/tr   items of their own, held by the item
    scans/scan/parameters/addParam/name, scans/scan/file/URI       one inside the other

Entries in brackets are chosen by the text of a leaf or by their type; what is chosen on the way and the leaf
at the end are judged on the same entry.

Source  protocol/search-and-types.md 1.5 and 4.7
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, exists, false, literal, or_, select, true

from connectomedb.errors import BadConstraint
from connectomedb.schema.model import DataType, Multiple
from connectomedb.search.resolve import KIND, Chosen, ResolvedCriterion
from connectomedb.store import tables as t
from connectomedb.store.comparisons import compare
from connectomedb.store.engine import Dialect
from connectomedb.store.rows import Expr, Row, bound
from connectomedb.store.tiers import guarded, read_leaf
from connectomedb.store.visibility import HIDDEN_STATUSES
from connectomedb.vocabulary.records import Principal


@dataclass(frozen=True, slots=True)
class Entries:
    """The entries of one item that a criterion is about."""

    layout: t.Layout
    dialect: Dialect
    who: Principal
    criterion: ResolvedCriterion

    def some(self, row: Row, data_type: DataType, path: str, chosen: Sequence[Chosen]) -> ColumnElement[bool]:
        """Some entry on the row meets the criterion. Raises BadConstraint for a path that is not stored."""
        if not self.layout.concrete(data_type.xsi_type):  # there can be no item of it
            return true() if self.criterion.is_absence else false()
        found = list(self._conditions(row, data_type, path.lower(), chosen))
        if not found:
            raise BadConstraint(f"{data_type.xsi_type}/{path} is not stored and cannot be searched")
        return self._either(found)

    def _either(self, found: list[ColumnElement[bool]]) -> ColumnElement[bool]:
        """One of several kinds of entries does; for 'no value' all of them."""
        return and_(*found) if self.criterion.is_absence else or_(*found)

    def _conditions(
        self, row: Row, data_type: DataType, key: str, chosen: Sequence[Chosen]
    ) -> Iterator[ColumnElement[bool]]:
        """The condition for each table that may hold the entries: one per concrete type."""
        seen: set[tuple[str, str]] = set()
        for typed in self.layout.concrete(data_type.xsi_type):
            for prefix, child in typed.children.items():
                leaf = key.removeprefix(f"{prefix}/")
                if key.startswith(f"{prefix}/") and leaf in child.columns:
                    yield self._in_table(row, typed, child, leaf, chosen)
            for prefix, multiple in typed.held.items():
                if key.startswith(f"{prefix}/") and (prefix, multiple.item_type) not in seen:
                    seen.add((prefix, multiple.item_type))
                    yield from self._in_items(row, multiple, key.removeprefix(f"{prefix}/"), chosen)

    def _in_table(
        self, row: Row, typed: t.TypedTable, child: t.ChildTable, leaf: str, chosen: Sequence[Chosen]
    ) -> ColumnElement[bool]:
        """Some row of the table of a repeated part; the parts around it are joined where they are chosen."""
        frame = child.table.alias()
        frames: list[FromClause] = [frame]
        query = select(literal(1)).where(frame.c.owner_pk == row.pk)
        around, entry, left = child, frame, list(chosen)
        while True:
            for one in [c for c in left if c.part.lower() == around.path]:
                query = query.where(self._is_chosen(row, typed, around, entry, one))
                left.remove(one)
            if not left:
                break
            if not around.parent:
                raise BadConstraint(f"{left[0].part} does not lead to {child.path}/{leaf}; choose on the way")
            inner, around = entry, typed.children[around.parent]
            entry = around.table.alias()
            frames.append(entry)
            query = query.where(entry.c.owner_pk == row.pk, entry.c.entry == inner.c.parent_entry)
        value = Expr(frame.c[child.columns[leaf].name], child.fields[leaf].value_type)
        value = guarded(value, row, f"{child.path}/{leaf}", typed.data_type, self.who)
        return self._some_of(query, value, *frames)

    def _is_chosen(
        self, row: Row, typed: t.TypedTable, child: t.ChildTable, frame: FromClause, chosen: Chosen
    ) -> ColumnElement[bool]:
        if chosen.leaf == KIND:
            names = [d.xsi_type for d in self.layout.types.subtypes(chosen.value)]
            return frame.c.entry_type.in_(names)
        key = chosen.leaf.lower()
        if key not in child.columns:
            raise BadConstraint(
                f"entries of {typed.data_type.xsi_type}/{child.path} have no {chosen.leaf}; there are: "
                f"{', '.join(f.path for f in child.fields.values())}"
            )
        value = Expr(frame.c[child.columns[key].name], child.fields[key].value_type)
        value = guarded(value, row, f"{child.path}/{key}", typed.data_type, self.who)
        return self.dialect.printed(value.sql, value.value_type) == bound(chosen.value)

    def _in_items(
        self, row: Row, multiple: Multiple, leaf: str, chosen: Sequence[Chosen]
    ) -> Iterator[ColumnElement[bool]]:
        """Some scan, resource or the like that the row holds at that place, or some entry of one."""
        place = multiple.path.lower()
        mine = [c for c in chosen if c.part.lower() == place]
        inner = [
            replace(c, part=c.part[len(place) + 1 :])
            for c in chosen
            if c.part.lower().startswith(f"{place}/")
        ]
        kinds = [c.value for c in mine if c.leaf == KIND]
        types = self.layout.types
        within = types.subtypes(kinds[0] if kinds else multiple.item_type)
        direct = [d for d in within if any(f.path.lower() == leaf for f in d.fields)]
        for data_type in self._tops(direct):
            held = Row(self.layout, data_type)
            value = read_leaf(held, leaf, data_type, self.who)
            if value is not None:
                query = self._held(row, held, multiple, mine)
                yield self._some_of(query, value, *held.own_frames())
        for data_type in self._tops([d for d in within if self._leads(d, leaf)]):
            held = Row(self.layout, data_type)
            inside = self._either(list(self._conditions(held, data_type, leaf, inner)))
            query = self._held(row, held, multiple, mine)
            if self.criterion.is_absence:
                yield ~exists(query.where(~inside).correlate_except(*held.own_frames()))
            else:
                yield exists(query.where(inside).correlate_except(*held.own_frames()))

    def _tops(self, data_types: list[DataType]) -> list[DataType]:
        """Without those whose base is there too: what several kinds inherit is asked of all at once."""
        is_a = self.layout.types.is_a
        return [
            d
            for d in data_types
            if not any(d is not other and is_a(d.xsi_type, other.xsi_type) for other in data_types)
        ]

    def _leads(self, data_type: DataType, key: str) -> bool:
        """The path goes on into something that repeats in items of the type."""
        for typed in self.layout.concrete(data_type.xsi_type):
            for prefix, child in typed.children.items():
                if key.startswith(f"{prefix}/") and key[len(prefix) + 1 :] in child.columns:
                    return True
            for prefix, multiple in typed.held.items():
                if not key.startswith(f"{prefix}/"):
                    continue
                rest = key[len(prefix) + 1 :]
                for d in self.layout.types.subtypes(multiple.item_type):
                    if any(f.path.lower() == rest for f in d.fields) or self._leads(d, rest):
                        return True
        return False

    def _held(self, row: Row, held: Row, multiple: Multiple, chosen: Sequence[Chosen]) -> Select[Any]:
        """The items that the row holds there and that the user sees."""
        conditions: list[ColumnElement[bool]] = []
        for one in chosen:
            if one.leaf == KIND:
                continue
            value = read_leaf(held, one.leaf, held.data_type, self.who)
            if value is None:
                raise BadConstraint(f"entries of {multiple.path} have no {one.leaf}")
            conditions.append(self.dialect.printed(value.sql, value.value_type) == bound(one.value))
        base = held.base.c
        beside: ColumnElement[bool]
        seen: ColumnElement[bool]
        if held.family in t.PARTS:
            # A part is seen with what holds it, which may be known only through a link to it.
            beside = and_(base.owner_pk == row.pk, base.place == multiple.path)
            seen = base.status.not_in(HIDDEN_STATUSES)
        else:
            beside = (base.subject_pk if row.family == "subject" else base.owner_pk) == row.pk
            seen = held.seen_by(self.who)
        query = select(literal(1)).select_from(held.joined())
        return query.where(beside, held.of_type(), seen, *conditions)

    def _some_of(self, query: Select[Any], expr: Expr, *frames: FromClause) -> ColumnElement[bool]:
        return some_of(self.dialect, query, expr, self.criterion, *frames)


def some_of(
    dialect: Dialect, query: Select[Any], expr: Expr, criterion: ResolvedCriterion, *frames: FromClause
) -> ColumnElement[bool]:
    """Some row of the query, with its own `frames`, meets the criterion; for 'no value' none has one."""
    if criterion.is_absence:
        return ~exists(query.where(expr.sql.is_not(None)).correlate_except(*frames))
    met = compare(
        dialect,
        expr,
        criterion.comparison_type,
        criterion.operands,
        criterion.operand,
        by_path=criterion.by_path,
    )
    return exists(query.where(met).correlate_except(*frames))

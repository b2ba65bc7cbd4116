"""How the values of a field are spread over the rows of a question: counted in the database, by the law.

Each facet is one statement around the rows that the user sees; a field that is not asked for leaks nothing,
and neither does a row that is not seen.

    values        each value and how many rows have it, the most frequent first
    histogram     how many rows are in each bin of a number
    missing       how many rows have a value, and how many have none
    cross         each pair of values of two fields and how many rows have it
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal, get_args

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Float,
    Select,
    Subquery,
    asc,
    case,
    cast,
    desc,
    func,
    literal,
    select,
)

from connectomedb.errors import BadConstraint
from connectomedb.search.operands import parse_operand
from connectomedb.search.query import FieldRef, SearchField, SearchQuery
from connectomedb.search.resolve import resolve
from connectomedb.store import registration
from connectomedb.store import tables as t
from connectomedb.store.compile import Compiler, column_of
from connectomedb.store.engine import Dialect
from connectomedb.store.tiers import admit
from connectomedb.tables.result import Cell, Column, ResultTable
from connectomedb.vocabulary.records import Principal

FacetKind = Literal["values", "histogram", "missing", "cross"]
KINDS: tuple[str, ...] = get_args(FacetKind)
MOST_BINS = 1_000
# Of a field with more values than this only the most frequent are given.
MOST_VALUES = 10_000


@dataclass(frozen=True, slots=True)
class Facet:
    """What is asked: of which field, and how; `bins` is a number of equal ones, or their edges."""

    field: FieldRef
    kind: FacetKind = "values"
    bins: int | tuple[str, ...] = 10
    against: FieldRef | None = None


def find_facet(
    connection: Connection,
    layout: t.Layout,
    dialect: Dialect,
    query: SearchQuery,
    facet: Facet,
    who: Principal,
) -> ResultTable:
    """The counts over the rows that `query` finds for this user; its own columns and order do not matter.

    Shape   values: value, n_rows · cross: value, value, n_rows · missing: state, n_rows ·
            histogram: from, to, n_rows, the last bin closed; the edges given, or equal bins over all values
    Null    rows without a value are counted under no value; in no bin of a histogram
    Raises  UnknownDataType, UnknownField, BadConstraint
    Cost    one statement
    """
    asked = [SearchField(facet.field)]
    if facet.kind == "cross":
        if facet.against is None:
            raise BadConstraint("cross counts are of two fields; name the second one with against=")
        asked.append(SearchField(facet.against))
    resolved = resolve(replace(query, fields=tuple(asked), sort_by=None), layout.types)
    registration.admit(registration.unsearchable(connection), resolved, who)
    resolved = admit(connection, resolved, layout.types, who)
    compiler = Compiler(resolved, who, layout, dialect)
    if len(resolved.fields) != len(asked):
        raise BadConstraint(f"{facet.field} against itself; name two fields")
    cells = [compiler.column(field) for field in resolved.fields]
    rows = compiler.select(*(cell.sql.label(f"v{n}") for n, cell in enumerate(cells))).subquery("facet")
    columns = [column_of(field, resolved.root) for field in resolved.fields]
    column = columns[0]
    if facet.kind == "histogram":
        if cells[0].value_type not in ("integer", "float"):
            kind = cells[0].value_type
            raise BadConstraint(f"{column.field_id} is a {kind}; a histogram is of numbers, use value counts")
        if isinstance(facet.bins, tuple):
            return _given_bins(connection, rows, column, _edges(column, facet.bins))
        return _equal_bins(connection, dialect, rows, column, facet.bins)
    if facet.kind == "missing":
        return _missing(connection, rows, column)
    values = [rows.c[f"v{n}"] for n in range(len(cells))]
    count = func.count(type_=BigInteger()).label("n")
    statement = (
        select(*values, count)
        .group_by(*values)
        .order_by(desc(count), *(asc(value).nulls_last() for value in values))
        .limit(MOST_VALUES)
    )
    return _table(connection, statement, (*columns, _count_of(column)), column)


def _missing(connection: Connection, rows: Subquery, column: Column) -> ResultTable:
    value = rows.c.v0
    total, present = connection.execute(select(func.count(), func.count(value)).select_from(rows)).one()
    columns = (replace(column, value_type="string", shown_type=""), _count_of(column))
    counted = (("present", present), ("missing", total - present))
    return ResultTable(columns, counted, f"Missing values of {column.header}", column.element_name)


def _equal_bins(
    connection: Connection, dialect: Dialect, rows: Subquery, column: Column, bins: int
) -> ResultTable:
    """Bins of one width from the least to the greatest value; one bin when those are the same.

    The ends are found and the bins counted in one statement: both see the same rows.
    """
    if not 1 <= bins <= MOST_BINS:
        raise BadConstraint(f"{bins} bins; there can be 1 to {MOST_BINS}")
    number = cast(rows.c.v0, Float(53)).label("v")
    numbers = select(number).where(rows.c.v0.is_not(None)).cte("numbers")
    ends = select(func.min(numbers.c.v).label("low"), func.max(numbers.c.v).label("high")).cte("ends")
    value, low, high = numbers.c.v, ends.c.low, ends.c.high

    def edge(place: ColumnElement[Any]) -> ColumnElement[Any]:
        # The same steps as in Python below, so that the edges shown are those that were counted by.
        return low + (high / _float(bins) - low / _float(bins)) * cast(place, Float(53))

    # Halves, because the distance of two floats may be more than a float holds.
    share = (value / _float(2) - low / _float(2)) / func.nullif(high / _float(2) - low / _float(2), _float(0))
    guess = dialect.whole(func.coalesce(share, _float(0)) * _float(bins))
    guessed = (
        select(value, low, high, guess.label("bin"))
        .select_from(numbers.join(ends, literal(1) == literal(1)))
        .cte("guessed")
    )
    value, low, high = guessed.c.v, guessed.c.low, guessed.c.high
    place = case(
        (guessed.c.bin >= bins, bins - 1),
        (value < edge(guessed.c.bin), guessed.c.bin - 1),
        ((value >= edge(guessed.c.bin + 1)) & (guessed.c.bin < bins - 1), guessed.c.bin + 1),
        else_=guessed.c.bin,
    ).label("bin")
    counted = select(low, high, place, func.count(type_=BigInteger()).label("n")).group_by(low, high, place)
    found = connection.execute(counted).all()
    if not found:
        return _bins(column, [], [])
    first, last = float(found[0].low), float(found[0].high)
    counts = {int(row.bin): int(row.n) for row in found}
    if first == last:
        return _bins(column, [first, last], [sum(counts.values())])
    step = last / bins - first / bins
    edges = [first + step * n for n in range(bins)] + [last]
    return _bins(column, edges, [counts.get(n, 0) for n in range(bins)])


def _given_bins(
    connection: Connection, rows: Subquery, column: Column, edges: Sequence[float]
) -> ResultTable:
    value = cast(rows.c.v0, Float(53))
    places = [
        ((value >= _float(low)) & (value < _float(high)), n) for n, (low, high) in enumerate(pairwise(edges))
    ]
    binned = case(*places, (value == _float(edges[-1]), len(edges) - 2)).label("bin")
    placed = select(binned).subquery("placed")
    statement = select(placed.c.bin, func.count(type_=BigInteger())).where(placed.c.bin.is_not(None))
    counts = {int(place): int(n) for place, n in connection.execute(statement.group_by(placed.c.bin))}
    return _bins(column, edges, [counts.get(n, 0) for n in range(len(edges) - 1)])


def _float(number: float) -> ColumnElement[Any]:
    return literal(float(number), Float(53))


def _edges(column: Column, bins: Sequence[str]) -> list[float]:
    if not 2 <= len(bins) <= MOST_BINS + 1:
        raise BadConstraint(f"{len(bins)} edges; there can be 2 to {MOST_BINS + 1}")
    edges: list[float] = []
    for text in bins:
        try:
            value = parse_operand(text, "float")
        except ValueError as problem:
            raise BadConstraint(f"the edge {text!r} of {column.field_id} is no number") from problem
        assert isinstance(value, float)
        edges.append(value)
    if any(low >= high for low, high in pairwise(edges)):
        raise BadConstraint(f"the edges of {column.field_id} must rise: {', '.join(bins)}")
    return edges


def _bins(column: Column, edges: Sequence[float], counts: Sequence[int]) -> ResultTable:
    edge = replace(column, value_type="float", shown_type="")
    columns = (
        replace(edge, key="from", header=f"{column.header} from"),
        replace(edge, key="to", header=f"{column.header} to"),
        _count_of(column),
    )
    ends = zip(edges, edges[1:], counts, strict=False)
    rows: tuple[tuple[Cell, ...], ...] = tuple((float(low), float(high), n) for low, high, n in ends)
    return ResultTable(columns, rows, f"Histogram of {column.header}", column.element_name)


def _count_of(column: Column) -> Column:
    return Column("n_rows", "integer", "Rows", column.element_name, "N_ROWS")


def _table(
    connection: Connection, statement: Select[Any], columns: tuple[Column, ...], column: Column
) -> ResultTable:
    rows = tuple(tuple(row) for row in connection.execute(statement).all())
    return ResultTable(columns, rows, f"Values of {column.header}", column.element_name)

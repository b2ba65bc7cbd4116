"""An answer as a value: named, typed columns and rows of typed cells.

It holds Python values (`str`, `int`, `float`, `bool`, `date`, `time`, `datetime`, `None`); how they
are spelled is the business of `tables.formats`. It does no I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

    from connectomedb.search.links import LinkProp

Cell = str | int | float | bool | date | time | datetime | None
Row = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `key` as clients read it, and what XNAT says about it.

    `value_type` is one of string, integer, float, boolean, date, time, dateTime; `shown_type` is what the
    display document calls it, `sort_id` the id of the field that it is sorted by, if those are others.
    """

    key: str
    value_type: str = "string"
    header: str = ""
    element_name: str = ""
    field_id: str = ""
    visible: bool = True
    description: str = ""
    unit: str = ""
    shown_type: str = ""
    sort_id: str = ""
    links: tuple[LinkProp, ...] = ()
    image: bool = False


@dataclass(frozen=True, slots=True)
class ResultTable:
    """Columns and rows; the columns are there even when there is no row."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...] = ()
    title: str = ""
    root: str = ""
    properties: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    @property
    def keys(self) -> tuple[str, ...]:
        """Column keys, in order."""
        return tuple(c.key for c in self.columns)

    @property
    def shape(self) -> tuple[int, int]:
        """(n_rows, n_columns)."""
        return (len(self.rows), len(self.columns))

    def index(self, key: str) -> int:
        """Position of the column `key`; LookupError names the keys there are."""
        keys = self.keys
        if key not in keys:
            raise LookupError(f"no column {key!r}; there are: {', '.join(keys)}")
        return keys.index(key)

    def column(self, key: str) -> tuple[Cell, ...]:
        """All cells of one column."""
        position = self.index(key)
        return tuple(row[position] for row in self.rows)

    def select(self, keys: Sequence[str]) -> ResultTable:
        """The same rows with these columns, in this order."""
        positions = [self.index(k) for k in keys]
        return ResultTable(
            tuple(self.columns[p] for p in positions),
            tuple(tuple(row[p] for p in positions) for row in self.rows),
            self.title,
            self.root,
            dict(self.properties),
        )

    def as_dicts(self) -> list[dict[str, Cell]]:
        """One dict per row."""
        keys = self.keys
        return [dict(zip(keys, row, strict=True)) for row in self.rows]

    def stream(self) -> ResultStream:
        """The answer as if it were only being read."""
        rows = iter([self.rows]) if self.rows else iter(())
        return ResultStream(self.columns, rows, self.title, self.root, dict(self.properties))

    # The frames live next door so that holding an answer imports none of them.

    def to_arrow(self) -> pyarrow.Table:
        """See `tables.frames.to_arrow`."""
        from connectomedb.tables.frames import to_arrow

        return to_arrow(self)

    def to_pandas(self) -> pandas.DataFrame:
        """See `tables.frames.to_pandas`."""
        from connectomedb.tables.frames import to_pandas

        return to_pandas(self)

    def to_polars(self) -> polars.DataFrame:
        """See `tables.frames.to_polars`."""
        from connectomedb.tables.frames import to_polars

        return to_polars(self)

    def _repr_html_(self) -> str:
        from connectomedb.tables.frames import to_html

        return to_html(self)


def _nothing() -> None:
    """Nothing is going on that could be stopped."""


@dataclass(frozen=True, slots=True)
class ResultStream:
    """An answer that is being read: columns, and rows in batches that come once.

    `stop` may be called from another thread: the reading ends soon, and what it held is given back. Whoever
    holds a stream reads it to its end, or stops it.
    """

    columns: tuple[Column, ...]
    batches: Iterator[Sequence[Row]]
    title: str = ""
    root: str = ""
    properties: dict[str, str] = field(default_factory=dict)
    stop: Callable[[], None] = _nothing

    def table(self) -> ResultTable:
        """The whole answer."""
        rows = tuple(row for batch in self.batches for row in batch)
        return ResultTable(self.columns, rows, self.title, self.root, dict(self.properties))

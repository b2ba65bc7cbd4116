"""Rows that come from columns held in memory, each with its texts, made when first wanted.

To whoever reads an answer they are rows like any others; who prints them takes the texts as they are.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import Any, overload

from connectomedb.tables.cells import Encoder
from connectomedb.tables.result import Cell, Row

Pick = Callable[[Sequence[Any]], Sequence[Any]]
# Places in up to three lists (values, JSON, CSV), and an object with its text for every other value.
_PLACES_BYTES = 24
_VALUE_BYTES = 90
_SAMPLE = 200


class HeldColumn:
    """The values of one column in a fixed order of rows."""

    __slots__ = ("_texts", "last_use", "n_bytes", "values")

    def __init__(self, values: tuple[Cell, ...]) -> None:
        self.values = values
        self.last_use = 0
        self.n_bytes = _size(values)
        self._texts: dict[Encoder, tuple[str, ...]] = {}

    def texts(self, encode: Encoder) -> Sequence[str]:
        """What `encode` makes of each value, one object for each text. Two threads may both make them."""
        found = self._texts.get(encode)
        if found is None:
            found = _texts(encode(self.values))
            # Most columns are spelled alike in all media.
            found = next((other for other in self._texts.values() if other == found), found)
            self._texts[encode] = found
        return found


def _texts(cells: Sequence[Any]) -> tuple[str, ...]:
    """Encoded cells as texts; of other types than these, equal ones may be spelled differently.

    In a tuple, which the garbage collector looks at once, not in a list, which it walks through each time.
    """
    if not set(map(type, cells)) <= {int, str}:
        return tuple(map(str, cells))
    known = {cell: str(cell) for cell in set(cells)}
    return tuple(map(known.__getitem__, cells))


def _size(values: tuple[Cell, ...]) -> int:
    """The memory of a column and its texts; numbers are judged by some of them, texts by all."""
    some = values[:_SAMPLE]
    others = len(values) * len(set(some)) // (len(some) or 1)
    texts = {one for one in values if isinstance(one, str)} if str in set(map(type, values)) else ()
    return len(values) * _PLACES_BYTES + others * _VALUE_BYTES + sum(3 * sys.getsizeof(one) for one in texts)


class HeldRows(Sequence[Row]):
    """The rows of these numbers in held columns, beside columns that hold these very rows."""

    def __init__(self, columns: Sequence[HeldColumn | Sequence[Cell]], numbers: Sequence[int]) -> None:
        self._columns = columns
        self._n_rows = len(numbers)
        self._pick = _picker(numbers, columns)

    def __len__(self) -> int:
        return self._n_rows

    def __iter__(self) -> Iterator[Row]:
        return zip(*(self._values(column) for column in self._columns), strict=True)

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Row]: ...
    def __getitem__(self, place: int | slice) -> Row | Sequence[Row]:
        return list(self)[place]

    def encoded(self, encode: Sequence[Encoder]) -> Iterator[tuple[str, ...]]:
        """The rows as texts, column by column under these encoders."""
        columns = (
            self._pick(column.texts(one)) if isinstance(column, HeldColumn) else list(map(str, one(column)))
            for column, one in zip(self._columns, encode, strict=True)
        )
        return zip(*columns, strict=True)

    def _values(self, column: HeldColumn | Sequence[Cell]) -> Sequence[Cell]:
        return self._pick(column.values) if isinstance(column, HeldColumn) else column


def encode_rows(encode: Sequence[Encoder], rows: Sequence[Row]) -> Iterator[tuple[Any, ...]]:
    """The rows of a batch with encoded cells."""
    if isinstance(rows, HeldRows):
        return rows.encoded(encode)
    columns = zip(*rows, strict=True)
    return zip(*(one(cells) for one, cells in zip(encode, columns, strict=True)), strict=True)


def _picker(numbers: Sequence[int], columns: Sequence[HeldColumn | Sequence[Cell]]) -> Pick:
    held = next((one for one in columns if isinstance(one, HeldColumn)), None)
    if held is None or list(numbers) == list(range(len(held.values))):
        return lambda values: values
    if len(numbers) == 1:
        return lambda values: (values[numbers[0]],)
    return itemgetter(*numbers)

"""pyxnat's view of an answer: texts, headers in the order asked for, kept even when there is no row."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from io import StringIO
from pathlib import Path
from typing import Any

from connectomedb.tables.formats import spell
from connectomedb.tables.result import ResultTable


class JsonTable:
    """Rows of texts; a missing value is the empty text.

    Unlike pyxnat's: heads and rows always pair by position, and a column of one row is a list, too.
    """

    def __init__(self, table: ResultTable, headers: Sequence[str] | None = None) -> None:
        self._headers = list(headers if headers is not None else table.keys)
        chosen = table.select(self._headers)
        kinds = [c.value_type for c in chosen.columns]
        self._rows = [tuple(spell(c, k) for c, k in zip(row, kinds, strict=True)) for row in chosen.rows]

    def __repr__(self) -> str:
        return f"<JsonTable {len(self)}:{len(self._headers)}> {','.join(self._headers)}"

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[dict[str, str]]:
        return (dict(zip(self._headers, row, strict=True)) for row in self._rows)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            return self.get(key)
        if isinstance(key, list | tuple):
            return self.select(list(key))
        return dict(zip(self._headers, self._rows[key], strict=True))

    def headers(self) -> list[str]:
        """Column keys, in the order asked for."""
        return list(self._headers)

    def has_header(self, name: str) -> bool:
        return name in self._headers

    def items(self) -> list[tuple[str, ...]]:
        """The rows, cells in the order of the headers."""
        return list(self._rows)

    def as_list(self) -> list[list[str]]:
        """Headers, then rows."""
        return [list(self._headers), *(list(row) for row in self._rows)]

    def get(self, column: str, pattern: str = "*", always_list: bool = True) -> list[str] | str:
        """The cells of a column, those that match a shell pattern."""
        position = self._position(column)
        cells = [row[position] for row in self._rows if fnmatchcase(row[position], pattern)]
        return cells[0] if not always_list and len(cells) == 1 else cells

    def join(self, join_column: str, *tables: JsonTable) -> JsonTable:
        """Put the columns of other tables beside those of this one, row by row where `join_column` is equal.

        A row without a partner is left out; a column that is there already is not taken twice.
        """
        joined = self
        for table in tables:
            joined = joined._joined(join_column, table)
        return joined

    def dumps_csv(self, delimiter: str = ",") -> str:
        """The table as CSV."""
        text = StringIO()
        csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(self.as_list())
        return text.getvalue()

    def dump_csv(self, dest: str | Path, delimiter: str = ",") -> None:
        """Write the table to a file as CSV."""
        Path(dest).write_text(self.dumps_csv(delimiter), "utf-8", newline="")

    def dumps_json(self) -> str:
        """The table as JSON: a list with an object for each row."""
        return json.dumps(list(self))

    def dump_json(self, dest: str | Path) -> None:
        """Write the table to a file as JSON."""
        Path(dest).write_text(self.dumps_json(), "utf-8")

    def where(self, **equal: str) -> JsonTable:
        """The rows whose cells equal these values."""
        wanted = {self._position(k): str(v) for k, v in equal.items()}
        return self._with([r for r in self._rows if all(r[p] == v for p, v in wanted.items())])

    def where_not(self, **equal: str) -> JsonTable:
        """The rows that `where` leaves out."""
        kept = set(self.where(**equal).items())
        return self._with([r for r in self._rows if r not in kept])

    def select(self, columns: Sequence[str]) -> JsonTable:
        """The same rows with these columns, in this order."""
        positions = [self._position(c) for c in columns]
        narrowed = self._with([tuple(row[p] for p in positions) for row in self._rows])
        narrowed._headers = list(columns)
        return narrowed

    def _joined(self, column: str, other: JsonTable) -> JsonTable:
        at, there = self._position(column), other._position(column)
        partners: dict[str, list[tuple[str, ...]]] = {}
        for row in other._rows:
            partners.setdefault(row[there], []).append(row)
        extra = [p for p, name in enumerate(other._headers) if name not in self._headers]
        rows = [
            (*row, *(match[p] for p in extra)) for row in self._rows for match in partners.get(row[at], ())
        ]
        joined = self._with(rows)
        joined._headers = [*self._headers, *(other._headers[p] for p in extra)]
        return joined

    def _with(self, rows: list[tuple[str, ...]]) -> JsonTable:
        other = object.__new__(JsonTable)
        other._headers = list(self._headers)
        other._rows = rows
        return other

    def _position(self, column: str) -> int:
        if column not in self._headers:
            raise LookupError(f"no column {column!r}; there are: {', '.join(self._headers)}")
        return self._headers.index(column)

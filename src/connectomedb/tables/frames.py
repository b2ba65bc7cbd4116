"""A ResultTable as a pandas, polars or Arrow table, and as HTML in a notebook.

The libraries are imported when asked for; none is needed to hold an answer. Column types come from the
data dictionary, never from a guess at the first rows.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, cast

from connectomedb.errors import ConfigurationError
from connectomedb.tables.cells import VALUE_TYPES, spell
from connectomedb.tables.result import Cell, Column, ResultStream, ResultTable, Row

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

# A row group of a Parquet file is complete in memory before it is written.
_ROW_GROUP_BYTES = 8 * 1024 * 1024


def to_arrow(table: ResultTable) -> pyarrow.Table:
    """The answer as a `pyarrow.Table`; description and unit are metadata of the field.

    Null     a missing cell is null; a column without any value keeps its type
    Raises   ConfigurationError when pyarrow is not installed
    """
    pa = _library("pyarrow", "arrow")
    schema = _arrow_schema(pa, table.columns)
    return pa.Table.from_batches([_record_batch(pa, schema, table.columns, table.rows)])


def arrow_stream(answer: ResultStream) -> Iterator[bytes]:
    """The answer as an Arrow IPC stream, a piece per batch.

    Raises   ConfigurationError at once when pyarrow is not installed
    """
    pa = _library("pyarrow", "arrow")
    ipc = _library("pyarrow.ipc", "arrow")
    schema = _arrow_schema(pa, answer.columns)

    def pieces() -> Iterator[bytes]:
        sink = _Sink()
        with ipc.new_stream(sink, schema) as writer:
            for batch in answer.batches:
                writer.write_batch(_record_batch(pa, schema, answer.columns, batch))
                yield sink.taken()
        yield sink.taken()

    return pieces()


def parquet_stream(answer: ResultStream) -> Iterator[bytes]:
    """The answer as a Parquet file, a piece per row group.

    Raises   ConfigurationError at once when pyarrow is not installed
    Memory   one row group
    """
    pa = _library("pyarrow", "arrow")
    parquet = _library("pyarrow.parquet", "arrow")
    schema = _arrow_schema(pa, answer.columns)

    def pieces() -> Iterator[bytes]:
        sink = _Sink()
        held: list[Any] = []
        with parquet.ParquetWriter(sink, schema) as writer:
            for batch in answer.batches:
                held.append(_record_batch(pa, schema, answer.columns, batch))
                if sum(b.nbytes for b in held) >= _ROW_GROUP_BYTES:
                    writer.write_table(pa.Table.from_batches(held))
                    held.clear()
                    yield sink.taken()
            if held:
                writer.write_table(pa.Table.from_batches(held))
        yield sink.taken()

    return pieces()


class _Sink(io.RawIOBase):
    """Takes what is written until it is fetched."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        return len(piece)

    def taken(self) -> bytes:
        """What was written since the last time."""
        whole = b"".join(self._pieces)
        self._pieces.clear()
        return whole


def _arrow_schema(pa: Any, columns: Sequence[Column]) -> Any:
    types = {
        "integer": pa.int64(),
        "float": pa.float64(),
        "boolean": pa.bool_(),
        "date": pa.date32(),
        "time": pa.time64("us"),
        "dateTime": pa.timestamp("us"),
    }
    return pa.schema(
        [
            pa.field(
                column.key,
                types.get(column.value_type, pa.string()),
                metadata={k: v for k, v in (("description", column.description), ("unit", column.unit)) if v}
                or None,
            )
            for column in columns
        ]
    )


def _record_batch(pa: Any, schema: Any, columns: Sequence[Column], rows: Sequence[Row]) -> Any:
    by_column: Iterable[Sequence[Cell]] = zip(*rows, strict=True) if rows else ((),) * len(columns)
    arrays = [
        pa.array(_uniform(cells, column.value_type), field.type)
        for cells, column, field in zip(by_column, columns, schema, strict=True)
    ]
    return pa.record_batch(arrays, schema=schema)


def _uniform(cells: Sequence[Cell], value_type: str) -> Sequence[Cell]:
    """Cells of the type that the column promises; an expression may give numbers in a column of texts."""
    if value_type in VALUE_TYPES and value_type != "string":
        return cells
    return [c if c is None or isinstance(c, str) else spell(c, value_type) for c in cells]


def to_pandas(table: ResultTable) -> pandas.DataFrame:
    """The answer as a `pandas.DataFrame`.

    Null     integers become the nullable `Int64`, booleans `boolean`, texts None; floats NaN
    Raises   ConfigurationError when pandas is not installed
    """
    pd = _library("pandas", "pandas")
    dtypes = {"integer": "Int64", "float": "float64", "boolean": "boolean", "string": "object"}
    frame = pd.DataFrame(
        {
            c.key: pd.Series(list(table.column(c.key)), dtype=dtypes.get(c.value_type, "object"))
            for c in table.columns
        }
    )
    return cast("pandas.DataFrame", frame)


def to_polars(table: ResultTable) -> polars.DataFrame:
    """The answer as a `polars.DataFrame`; a missing cell is null.

    Raises   ConfigurationError when polars is not installed
    """
    pl = _library("polars", "polars")
    dtypes = {
        "integer": pl.Int64,
        "float": pl.Float64,
        "boolean": pl.Boolean,
        "date": pl.Date,
        "time": pl.Time,
        "dateTime": pl.Datetime("us"),
    }
    frame = pl.DataFrame(
        {c.key: list(table.column(c.key)) for c in table.columns},
        schema={c.key: dtypes.get(c.value_type, pl.String) for c in table.columns},
    )
    return cast("polars.DataFrame", frame)


def to_html(table: ResultTable, *, n_rows: int = 20) -> str:
    """A small HTML table of the first `n_rows` rows; every cell escaped."""
    head = "".join(
        f"<th title='{escape(c.description, quote=True)}'>{escape(c.key)}</th>" for c in table.columns
    )
    body = "".join(
        "<tr>"
        + "".join(
            f"<td>{escape(spell(cell, c.value_type))}</td>"
            for cell, c in zip(row, table.columns, strict=True)
        )
        + "</tr>"
        for row in table.rows[:n_rows]
    )
    more = f"<p>{len(table)} rows, {n_rows} shown</p>" if len(table) > n_rows else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _library(name: str, extra: str) -> Any:
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError as problem:
        raise ConfigurationError(
            f"{name} is not installed; try: pip install 'connectomedb[{extra}]'"
        ) from problem

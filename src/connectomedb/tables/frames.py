"""A ResultTable as a pandas, polars or Arrow table, and as HTML in a notebook.

The libraries are imported when asked for; none is needed to hold an answer. Column types come from the
data dictionary, never from a guess at the first rows.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, cast

from connectomedb.errors import ConfigurationError
from connectomedb.tables.formats import spell
from connectomedb.tables.result import ResultTable

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

_ARROW_TYPES = {
    "string": "string",
    "integer": "int64",
    "float": "float64",
    "boolean": "bool_",
    "date": "date32",
    "time": "time64",
    "dateTime": "timestamp",
}


def to_arrow(table: ResultTable) -> pyarrow.Table:
    """The answer as a `pyarrow.Table`.

    Null     a missing cell is null; a column without any value keeps its type
    Raises   ConfigurationError when pyarrow is not installed
    """
    pa = _library("pyarrow", "arrow")
    arrays, fields = [], []
    for column in table.columns:
        kind = _ARROW_TYPES.get(column.value_type, "string")
        arrow_type = {"time64": lambda: pa.time64("us"), "timestamp": lambda: pa.timestamp("us")}.get(
            kind, getattr(pa, kind)
        )()
        arrays.append(pa.array(list(table.column(column.key)), type=arrow_type))
        metadata = {k: v for k, v in (("description", column.description), ("unit", column.unit)) if v}
        fields.append(pa.field(column.key, arrow_type, metadata=metadata or None))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


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

"""An export as tables: per data type a CSV file with its dictionary, or a Parquet file."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from connectomedb.errors import ConfigurationError
from connectomedb.schema.model import ElementPath, Value, ValueType
from connectomedb.schema.values import xml_value
from connectomedb.store import tables as t
from connectomedb.store.export.folder import SYNTHETIC, write_json
from connectomedb.store.export.reading import TypeRows, type_rows, types_in
from connectomedb.store.facts import COLUMNS, DATES
from connectomedb.vocabulary.records import Principal

SUBJECT, ID, LABEL = "subject", "ID", "label"
# What the site states beside each record; the dictionary's `Fact` says so to an import.
FACTS: Mapping[str, str] = {
    "insert_date": "When the record came into the site, UTC",
    "insert_user": "Through whom the record came into the site",
    "last_modified": "When the record was changed last, UTC",
}
_FACTS = "MeasurementToolMetadata"
_ROWS_AT_ONCE = 5000

Progress = Callable[[int], None]


def write_csv(
    connection: Connection,
    layout: t.Layout,
    project: str,
    who: Principal,
    folder: Path,
    progress: Progress,
    *,
    synthetic: bool,
) -> int:
    """Write `PREFIX_NAME.csv` and `.json` for each type that the project shows; answers how many rows.

    Null     the empty cell, and nothing else; the dictionary says so
    """
    n = 0
    for xsi_type in types_in(connection, project, who):
        found = type_rows(connection, layout, xsi_type, project, who)
        path = folder / f"{xsi_type.replace(':', '_')}.csv"
        write_json(path.with_suffix(".json"), _dictionary(found, synthetic))
        spelled = [*(_kind(name) for name in COLUMNS), *(field.value_type for field in found.fields)]
        with path.open("w", encoding="utf-8", newline="") as stream:
            # The line end of RFC 4180: it has the writer quote either half of it inside a cell.
            writer = csv.writer(stream, lineterminator="\r\n")
            writer.writerow((SUBJECT, ID, LABEL, *COLUMNS, *column_names(found.fields)))
            for subject, item_id, label, *values in found.rows(connection):
                cells = ("" if v is None else xml_value(v, k) for v, k in zip(values, spelled, strict=True))
                writer.writerow((subject or "", item_id, label, *cells))
                n += 1
                progress(n)
    return n


def write_parquet(
    connection: Connection,
    layout: t.Layout,
    project: str,
    who: Principal,
    folder: Path,
    progress: Progress,
    *,
    synthetic: bool,
) -> int:
    """Write `PREFIX_NAME.parquet` for each type that the project shows; answers how many rows.

    Null     null
    Raises   ConfigurationError when pyarrow is not installed
    """
    pa, pq = _library("pyarrow"), _library("pyarrow.parquet")
    kinds = {
        "string": pa.string(),
        "integer": pa.int64(),
        "float": pa.float64(),
        "boolean": pa.bool_(),
        "date": pa.date32(),
        "time": pa.time64("us"),
        "dateTime": pa.timestamp("us"),
    }
    n = 0
    for xsi_type in types_in(connection, project, who):
        found = type_rows(connection, layout, xsi_type, project, who)
        fields = [pa.field(name, pa.string()) for name in (SUBJECT, ID, LABEL)]
        fields += [pa.field(name, kinds[_kind(name)], metadata={"Fact": name}) for name in COLUMNS]
        for name, leaf in zip(column_names(found.fields), found.fields, strict=True):
            said = {k: str(v) for k, v in column_facts(leaf, xsi_type).items() if isinstance(v, str | float)}
            fields.append(pa.field(name, kinds[leaf.value_type], metadata=said))
        marks = {"data_type": xsi_type, **({"synthetic": SYNTHETIC} if synthetic else {})}
        schema = pa.schema(fields, metadata=marks)
        rows = found.rows(connection)
        with pq.ParquetWriter(folder / f"{xsi_type.replace(':', '_')}.parquet", schema) as writer:
            while some := list(islice(rows, _ROWS_AT_ONCE)):
                columns = zip(*some, strict=True)
                arrays = [pa.array(c, type=f.type) for c, f in zip(columns, fields, strict=True)]
                writer.write_batch(pa.record_batch(arrays, schema=schema))
                n += len(some)
                progress(n)
    return n


def column_names(fields: Sequence[ElementPath]) -> list[str]:
    """The dictionary name of each leaf; its path where two leaves, or a leaf and a fact, have one name."""
    names = [field.name.lower() for field in fields]
    ours = {SUBJECT, ID.lower(), LABEL, *COLUMNS}
    taken = {*ours, *(name for name in names if names.count(name) > 1)}
    called = [field.path if field.name.lower() in taken else field.name for field in fields]
    return [
        f"{field.declared_in}/{name}" if name.lower() in ours else name
        for name, field in zip(called, fields, strict=True)
    ]


def column_facts(field: ElementPath, xsi_type: str) -> dict[str, Any]:
    """What the dictionary says about a column, in BIDS's words where it has them."""
    facts: dict[str, Any] = {
        "Description": field.documentation,
        "Units": field.unit,
        "Levels": {level: level for level in field.enumeration},
        "MinValue": field.min_value,
        "MaxValue": field.max_value,
        "Type": field.value_type,
        "Path": f"{xsi_type}/{field.path}",
    }
    return {name: fact for name, fact in facts.items() if fact is not None and fact != "" and fact != {}}


def spell_tsv(value: Value | None, field: ElementPath) -> str:
    """A cell of a BIDS table: `n/a` for no value; tabs and line ends become blanks, BIDS has no quoting."""
    if value is None:
        return "n/a"
    return " ".join(xml_value(value, field.value_type).replace("\t", " ").splitlines())


def _dictionary(found: TypeRows, synthetic: bool) -> dict[str, Any]:
    xsi_type = found.data_type.xsi_type
    facts: dict[str, Any] = {
        "Description": found.data_type.documentation,
        "DataType": xsi_type,
        "SubjectColumn": SUBJECT,
        "MissingValues": [""],
    }
    if synthetic:
        facts["Synthetic"] = SYNTHETIC
    columns = zip(column_names(found.fields), found.fields, strict=True)
    stated = {name: {"Description": said, "Type": _kind(name), "Fact": name} for name, said in FACTS.items()}
    return {_FACTS: facts, **stated, **{name: column_facts(field, xsi_type) for name, field in columns}}


def _kind(fact: str) -> ValueType:
    return "dateTime" if fact in DATES else "string"


def _library(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as problem:
        raise ConfigurationError(
            f"{problem.name} is not installed; try: pip install 'connectomedb[arrow]'"
        ) from problem

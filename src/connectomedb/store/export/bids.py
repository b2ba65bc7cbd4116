"""An export as a BIDS folder: participants and one phenotype table per data type, with dictionaries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from sqlalchemy import Connection

from connectomedb.schema.model import ElementPath, Value
from connectomedb.schema.values import xml_value
from connectomedb.store import tables as t
from connectomedb.store.export.folder import SYNTHETIC, write_json
from connectomedb.store.export.reading import TypeRows, type_rows, types_in
from connectomedb.store.export.tables import column_facts, column_names, spell_tsv
from connectomedb.store.facts import COLUMNS
from connectomedb.vocabulary.records import Principal

_PARTICIPANT = "participant_id"
# What comes before the values in each of `TypeRows.rows`, the subject aside.
_RECORD = ("ID", "label", *COLUMNS)
_BIDS_VERSION = "1.10.0"


def write_bids(
    connection: Connection,
    layout: t.Layout,
    project: str,
    who: Principal,
    folder: Path,
    progress: Callable[[int], None],
    *,
    synthetic: bool,
) -> int:
    """Write `participants.tsv`, `phenotype/*.tsv` and their dictionaries; answers how many rows.

    What the site states beside each record is `sourcedata/connectomedb/records.tsv`.
    """
    write_json(
        folder / "dataset_description.json",
        {
            "Name": f"{project} ({SYNTHETIC})" if synthetic else project,
            "BIDSVersion": _BIDS_VERSION,
            "DatasetType": "raw",
            "GeneratedBy": [{"Name": "connectomedb"}],
        },
    )
    # BIDS leaves this folder to us; the tables themselves are the study's.
    beside = folder / "sourcedata" / "connectomedb" / "records.tsv"
    beside.parent.mkdir(parents=True)
    with beside.open("w", encoding="utf-8", newline="") as records:
        records.write("\t".join(("table", _PARTICIPANT, *_RECORD)) + "\n")
        return _write_tables(connection, layout, project, who, folder, progress, records, synthetic=synthetic)


def _write_tables(
    connection: Connection,
    layout: t.Layout,
    project: str,
    who: Principal,
    folder: Path,
    progress: Callable[[int], None],
    records: TextIO,
    *,
    synthetic: bool,
) -> int:
    n = 0
    for xsi_type in types_in(connection, project, who):
        found = type_rows(connection, layout, xsi_type, project, who)
        if layout.family(xsi_type) == "subject":
            path = folder / "participants.tsv"
        else:
            path = folder / "phenotype" / f"{xsi_type.replace(':', '_')}.tsv"
        path.parent.mkdir(exist_ok=True)
        facts: dict[str, Any] = {"Description": found.data_type.documentation or xsi_type}
        if synthetic:
            facts["Synthetic"] = SYNTHETIC
        columns = dict(zip(_names(found.fields), found.fields, strict=True))
        described = {name: column_facts(field, xsi_type) for name, field in columns.items()}
        write_json(path.with_suffix(".json"), {"MeasurementToolMetadata": facts, **described})
        with path.open("w", encoding="utf-8", newline="") as stream:
            stream.write("\t".join((_PARTICIPANT, *columns)) + "\n")
            for stated, cells in _cells(found, connection):
                records.write("\t".join((path.stem, cells[0], *stated)) + "\n")
                stream.write("\t".join(cells) + "\n")
                n += 1
                progress(n)
    return n


def _cells(found: TypeRows, connection: Connection) -> Iterator[tuple[list[str], list[str]]]:
    """What identifies a row and is stated beside it, and the row."""
    for subject, *rest in found.rows(connection):
        named, values = rest[: len(_RECORD)], rest[len(_RECORD) :]
        stated = [xml_value(v, "dateTime") if isinstance(v, datetime) else _one_line(v) for v in named]
        spelled = [spell_tsv(v, field) for v, field in zip(values, found.fields, strict=True)]
        yield stated, [f"sub-{subject}" if subject else "n/a", *spelled]


def _one_line(value: Value | None) -> str:
    return " ".join(str(value).split()) or "n/a"


def _names(fields: tuple[ElementPath, ...]) -> list[str]:
    """Dictionary names, but BIDS calls gender sex."""
    named = zip(fields, column_names(fields), strict=True)
    return ["sex" if field.path == "demographics/gender" else name for field, name in named]

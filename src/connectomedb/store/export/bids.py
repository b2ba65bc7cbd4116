"""An export as a BIDS folder: participants and one phenotype table per data type, with dictionaries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from connectomedb.schema.model import ElementPath
from connectomedb.store import tables as t
from connectomedb.store.export.folder import SYNTHETIC, write_json
from connectomedb.store.export.reading import TypeRows, type_rows, types_in
from connectomedb.store.export.tables import column_facts, column_names, spell_tsv
from connectomedb.vocabulary.records import Principal

_PARTICIPANT = "participant_id"
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
    """Write `participants.tsv`, `phenotype/*.tsv` and their dictionaries; answers how many rows."""
    write_json(
        folder / "dataset_description.json",
        {
            "Name": f"{project} ({SYNTHETIC})" if synthetic else project,
            "BIDSVersion": _BIDS_VERSION,
            "DatasetType": "raw",
            "GeneratedBy": [{"Name": "connectomedb"}],
        },
    )
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
            for cells in _cells(found, connection):
                stream.write("\t".join(cells) + "\n")
                n += 1
                progress(n)
    return n


def _cells(found: TypeRows, connection: Connection) -> Iterator[list[str]]:
    for subject, _id, _label, *values in found.rows(connection):
        spelled = [spell_tsv(v, field) for v, field in zip(values, found.fields, strict=True)]
        yield [f"sub-{subject}" if subject else "n/a", *spelled]


def _names(fields: tuple[ElementPath, ...]) -> list[str]:
    """Dictionary names, but BIDS calls gender sex."""
    named = zip(fields, column_names(fields), strict=True)
    return ["sex" if field.path == "demographics/gender" else name for field, name in named]

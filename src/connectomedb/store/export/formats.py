"""Export what a user sees of a project, in one of four formats, as a folder that is whole or not there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from sqlalchemy import Connection, select

from connectomedb.errors import ConfigurationError
from connectomedb.store import tables as t
from connectomedb.store.export.bids import write_bids
from connectomedb.store.export.documents import write_documents
from connectomedb.store.export.folder import SYNTHETIC, new_folder, write_json
from connectomedb.store.export.reading import left_out, types_in
from connectomedb.store.export.tables import write_csv, write_parquet
from connectomedb.store.projects import locate_project
from connectomedb.vocabulary.records import Principal

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from connectomedb.store.tables import Layout

Format = Literal["xml", "csv", "bids", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was written: documents or rows, and what the format has no place for."""

    folder: Path
    n_written: int
    left_out: tuple[str, ...] = ()


def export_project(
    engine: Engine,
    layout: Layout,
    project: str,
    folder: Path,
    kind: Format,
    who: Principal,
    *,
    synthetic: bool = False,
    progress: Callable[[int], None] | None = None,
) -> ExportReport:
    """Write what the user sees of a project into a new folder.

    XML holds the documents that the project owns, with their shares; the tables hold what the project shows,
    its own and shared, under the labels of the project.

    Raises   NoSuchProject; ConfigurationError when the folder is in use or a library is missing; DiskFull
    Cost     memory for one page, whatever the size of the project
    """
    if kind not in FORMATS:
        raise ConfigurationError(f"no format {kind!r}; there are: {', '.join(FORMATS)}")
    show = progress or _quiet
    with new_folder(folder) as building, engine.connect() as connection:
        project = locate_project(connection, layout, project, who)
        n = _write(kind)(connection, layout, project, who, building, show, synthetic=synthetic)
        missing: tuple[str, ...] = ()
        if kind != "xml":
            missing = tuple(
                part
                for xsi_type in types_in(connection, project, who)
                for part in left_out(connection, layout, xsi_type, project, who)
            )
        facts = {"project": project, "format": kind, "written": n, "left_out": list(missing)}
        facts |= _stated(connection, project)
        write_json(building / "export.json", facts | ({"synthetic": SYNTHETIC} if synthetic else {}))
    return ExportReport(folder, n, missing)


def _stated(connection: Connection, project: str) -> dict[str, str]:
    """What the site states beside the project's document, for formats that have none."""
    i = t.item.c
    row = connection.execute(
        select(i.insert_date, i.insert_user, i.last_modified, t.project.c.accessibility)
        .join_from(t.project, t.item, t.project.c.pk == i.pk)
        .where(t.project.c.id == project)
    ).one()
    return {
        "insert_date": row.insert_date.isoformat(),
        "insert_user": row.insert_user,
        "last_modified": row.last_modified.isoformat(),
        "accessibility": row.accessibility,
    }


def _write(kind: Format) -> Callable[..., int]:
    match kind:
        case "xml":
            return write_documents
        case "csv":
            return write_csv
        case "bids":
            return write_bids
        case "parquet":
            return write_parquet


def _quiet(_n: int) -> None:
    return

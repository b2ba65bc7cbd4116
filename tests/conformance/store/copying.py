"""An archive on the same database as another one, with copies made at once, or with none."""

from __future__ import annotations

from connectomedb.store.archive import Archive
from connectomedb.store.copies import MOST_BYTES, MOST_ROWS, Copies
from connectomedb.store.executors import CopyExecutor, SqlExecutor


def copying(archive: Archive, *, most_bytes: int = MOST_BYTES, most_rows: int = MOST_ROWS) -> Copies:
    """Let an archive answer from copies that are made for the first question; they are returned."""
    layout, dialect = archive._layout, archive._dialect
    copies = Copies(layout, dialect, most_bytes=most_bytes, most_rows=most_rows, at_once=True)
    database = SqlExecutor(archive.engine, layout, dialect)
    archive._executors = (CopyExecutor(archive.engine, layout, dialect, copies), database)
    archive._kept.clear()
    return copies


def database_alone(archive: Archive) -> Archive:
    """Another archive on the same database, which holds nothing."""
    other = Archive(archive.engine, archive.types)
    other._executors = (SqlExecutor(other.engine, other._layout, other._dialect),)
    return other

"""The file table: what the mirrors hold, tied to the subjects of a project."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from connectomedb.store import tables as t
from connectomedb.store.projects import existing_project
from connectomedb.store.writer import take
from connectomedb.vocabulary.records import FileRow

_BATCH = 2000


def add_files(
    connection: Connection, project: str, location: str, rows: Iterable[FileRow], *, replace: bool = True
) -> int:
    """Note what a mirror holds of a project; with `replace`, as all that is known of it. Gives the number.

    A file of a subject that the project lacks is kept, tied to nobody: the project's readers see it.
    """
    project = existing_project(connection, project)
    m = t.membership
    known = connection.execute(
        select(m.c.label, m.c.item_pk).where(m.c.project == project, m.c.family == "subject")
    ).all()
    subjects: dict[str, int] = {label: pk for label, pk in known}  # noqa: C416  # typed rows, not tuples
    if replace:
        connection.execute(delete(t.file).where(t.file.c.project == project, t.file.c.location == location))
    n_files, batch = 0, list[dict[str, Any]]()
    for row in rows:
        batch.append(
            {
                "subject_pk": subjects.get(row.subject_label),
                "project": project,
                "subject_label": row.subject_label or None,
                "session": row.session or None,
                "run": row.run or None,
                "kind": row.kind or None,
                "package": row.package or None,
                "key": row.key,
                "size": row.size_bytes,
                "algorithm": row.algorithm or None,
                "digest": row.digest or None,
                "release": row.release or None,
                "location": location,
            }
        )
        if len(batch) == _BATCH:
            n_files += _insert(connection, batch)
            batch = []
    return n_files + _insert(connection, batch)


def _insert(connection: Connection, batch: list[dict[str, Any]]) -> int:
    if batch:
        first = take(connection, "file", len(batch))
        connection.execute(insert(t.file), [{"pk": first + n, **row} for n, row in enumerate(batch)])
    return len(batch)

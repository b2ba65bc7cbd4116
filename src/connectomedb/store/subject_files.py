"""The files of one subject that the mirrors hold, by their paths below the subject's folder there."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from connectomedb.store import tables as t
from connectomedb.store.rows import bound
from connectomedb.store.visibility import visible_file
from connectomedb.vocabulary.records import Principal


@dataclass(frozen=True, slots=True)
class MirrorFile:
    """A file of a subject: its path below the subject's folder, and where its bytes are."""

    path: str
    location: str
    key: str
    size_bytes: int
    digest: str


def files_of_subject(connection: Connection, subject_id: str, who: Principal) -> list[MirrorFile]:
    """Every file of a subject that the user may see, by path.

    Null    `digest` is '' where the mirror's listing has none
    Source  domain/hcp.md 4.7: a path of the whole-subject view is that below the subject's folder
    """
    f = t.file.c
    rows = connection.execute(
        select(f.subject_label, f.location, f.key, f.size, f.digest)
        .join_from(t.file, t.item, t.item.c.pk == f.subject_pk)
        .where(t.item.c.id == bound(subject_id), visible_file(t.file, who))
        .order_by(f.key)
    )
    found = []
    for row in rows:
        _, folder, path = f"/{row.key}".partition(f"/{row.subject_label}/")
        if folder and path:
            found.append(MirrorFile(path, row.location, row.key, row.size, row.digest or ""))
    return found

"""Which files an import has stored: written in the same transaction as what they hold.

So a killed import leaves either a file's items and its line here, or neither. A file is known by its place
and its digest; size and time of change spare reading it again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import BigInteger, Column, Connection, DateTime, Engine, Table, delete, insert, select

from connectomedb.store import tables as t
from connectomedb.store.engine import writing
from connectomedb.store.projects import now

_CHUNK = 1 << 20

import_journal = Table(
    "import_journal",
    t.core,
    Column("project", t.string, primary_key=True),
    Column("source", t.string, primary_key=True),
    Column("digest", t.string, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("stored_at", DateTime, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Stamp:
    """A file as the journal knows it. `mtime_ns` is 0 inside an archive: only the digest tells there."""

    source: str
    size_bytes: int
    mtime_ns: int
    digest: str = ""


def prepare(engine: Engine) -> None:
    """Make the journal's table in a site that has none yet."""
    with writing(engine) as connection:
        import_journal.create(connection, checkfirst=True)


def is_known(connection: Connection, project: str, stamp: Stamp) -> bool:
    """The file's items are stored: its digest is noted, or nothing about it has changed since.

    Cost    one look-up by key
    """
    j = import_journal.c
    row = connection.execute(
        select(j.digest, j.size_bytes, j.mtime_ns).where(j.project == project, j.source == stamp.source)
    ).one_or_none()
    if row is None:
        return False
    if stamp.digest:
        return bool(row.digest == stamp.digest)
    return bool(stamp.mtime_ns and (row.size_bytes, row.mtime_ns) == (stamp.size_bytes, stamp.mtime_ns))


def note(connection: Connection, project: str, stamps: list[Stamp]) -> None:
    """These files are stored, if this transaction is."""
    if not stamps:
        return
    j = import_journal.c
    sources = [stamp.source for stamp in stamps]
    connection.execute(delete(import_journal).where(j.project == project, j.source.in_(sources)))
    connection.execute(
        insert(import_journal),
        [
            {
                "project": project,
                "source": stamp.source,
                "digest": stamp.digest,
                "size_bytes": stamp.size_bytes,
                "mtime_ns": stamp.mtime_ns,
                "stored_at": now(),
            }
            for stamp in stamps
        ],
    )


def digest_of(data: bytes) -> str:
    """SHA-256, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def stamp_file(path: Path) -> tuple[Stamp, int]:
    """A file's stamp with its digest, and its number of lines. Cost: one pass over the file."""
    digest, n_lines = hashlib.sha256(), 0
    with path.open("rb") as stream:
        facts = path.stat()
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            n_lines += chunk.count(b"\n")
    return Stamp(str(path.resolve()), facts.st_size, facts.st_mtime_ns, digest.hexdigest()), n_lines

"""The file table: what the mirrors hold, tied to the subjects of a project."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import (
    Column,
    Connection,
    Index,
    MetaData,
    Table,
    and_,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
)

from connectomedb.errors import Conflict
from connectomedb.store import tables as t
from connectomedb.store.projects import existing_project
from connectomedb.store.writer import take
from connectomedb.vocabulary.records import FileRow

T = TypeVar("T")
_BATCH = 2000
_FACTS = tuple(column.name for column in t.file.c if column.name not in ("pk", "project", "location"))


@dataclass(frozen=True, slots=True)
class FileChanges:
    """What a scan found: all files of the mirror, and how they differ from those known before."""

    n_files: int
    n_added: int
    n_removed: int
    n_changed: int

    def __str__(self) -> str:
        return f"{self.n_added} new, {self.n_removed} gone, {self.n_changed} changed"


def add_files(
    connection: Connection,
    project: str,
    location: str,
    rows: Iterable[FileRow],
    *,
    replace: bool = True,
    prefix: str = "",
) -> FileChanges:
    """Note what a mirror holds of a project; with `replace`, as all that is known of it below `prefix`.

    A file of a subject that the project lacks is kept, tied to nobody: the project's readers see it. A file
    that names no subject goes to the subject of its session. What did not change keeps its row.

    Raises   Conflict when a key comes twice
    Memory   one batch; the rows pass through a temporary table
    """
    project = existing_project(connection, project)
    staged = _staging()
    staged.create(connection)  # gone with the transaction when that fails
    n_files = _stage(connection, staged, project, rows)
    changes = _follow(connection, staged, project, location, n_files, prefix, replace=replace)
    staged.drop(connection)
    return changes


def _staging() -> Table:
    columns = (Column(c.name, c.type) for c in t.file.c if c.name in _FACTS)
    index = Index("file_staged_by_key", "key")
    return Table("file_staged", MetaData(), *columns, index, prefixes=["TEMPORARY"])


def _stage(connection: Connection, staged: Table, project: str, rows: Iterable[FileRow]) -> int:
    subjects, sessions = _owners(connection, project)
    n_files = 0
    for batch in _batches(rows):
        connection.execute(insert(staged), [_row(one, subjects, sessions) for one in batch])
        n_files += len(batch)
    twice = (
        select(staged.c.key).group_by(staged.c.key).having(func.count() > 1).order_by(staged.c.key).limit(1)
    )
    key = connection.scalar(twice)
    if key is not None:
        raise Conflict(f"the listing names {key!r} more than once")
    return n_files


def _owners(connection: Connection, project: str) -> tuple[dict[str, int], dict[str, tuple[int, str]]]:
    """Subjects by label, and the subject of each session by the session's label."""
    m, i = t.membership.c, t.item.c
    here = select(m.label, m.item_pk).where(m.project == project)
    found = connection.execute(here.where(m.family == "subject")).all()
    subjects: dict[str, int] = {label: pk for label, pk in found}  # noqa: C416  # typed rows, not tuples
    theirs = (
        select(m.label, i.subject_pk)
        .join(t.item, i.pk == m.item_pk)
        .where(m.project == project, m.family == "experiment", i.subject_pk.is_not(None))
    )
    labels = {pk: label for label, pk in subjects.items()}
    sessions = {label: (pk, labels.get(pk, "")) for label, pk in connection.execute(theirs).all()}
    return subjects, sessions


def _row(one: FileRow, subjects: dict[str, int], sessions: dict[str, tuple[int, str]]) -> dict[str, Any]:
    label = one.subject_label
    pk = subjects.get(label)
    if not label and one.session in sessions:
        pk, label = sessions[one.session]
    return {
        "subject_pk": pk,
        "subject_label": label or None,
        "session": one.session or None,
        "run": one.run or None,
        "kind": one.kind or None,
        "package": one.package or None,
        "key": one.key,
        "size": one.size_bytes,
        "algorithm": one.algorithm or None,
        "digest": one.digest or None,
        "release": one.release or None,
    }


def _follow(
    connection: Connection,
    staged: Table,
    project: str,
    location: str,
    n_files: int,
    prefix: str,
    *,
    replace: bool,
) -> FileChanges:
    """Make the file table say what the staged rows say."""
    f, s = t.file.c, staged.c
    here = and_(f.project == project, f.location == location)
    gone = ~select(s.key).where(s.key == f.key).exists()
    new = ~select(f.key).where(here, f.key == s.key).exists()
    n_removed = 0
    if replace:
        if prefix:
            gone = and_(gone, func.substr(f.key, 1, len(prefix)) == prefix)
        n_removed = connection.execute(delete(t.file).where(here, gone)).rowcount
    # Other facts (a package's new name, a subject that came later) are taken over without being told.
    told = or_(f.size.is_distinct_from(s.size), f.digest.is_distinct_from(s.digest))
    other = or_(*(f[name].is_distinct_from(s[name]) for name in _FACTS))
    pairs = select(f.pk, told).select_from(t.file).join(staged, s.key == f.key).where(here, other)
    differing = connection.execute(pairs).all()
    for batch in _batches(pk for pk, _ in differing):
        connection.execute(delete(t.file).where(f.pk.in_(batch)))
    n_changed = sum(bool(changed) for _, changed in differing)
    n_new = connection.scalar(select(func.count()).select_from(staged).where(new)) or 0
    if n_new:
        first = take(connection, "file", n_new)
        number = func.row_number().over(order_by=s.key) + (first - 1)
        constants = (literal(project, t.string), literal(location, t.string))
        fresh = select(number, *(s[name] for name in _FACTS), *constants).where(new)
        connection.execute(insert(t.file).from_select(["pk", *_FACTS, "project", "location"], fresh))
    return FileChanges(n_files, n_new - len(differing), n_removed, n_changed)


def _batches(rows: Iterable[T]) -> Iterator[list[T]]:
    left = iter(rows)
    while batch := list(islice(left, _BATCH)):
        yield batch

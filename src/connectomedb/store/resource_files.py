"""The files of resources: one row each, which names the object that holds its bytes.

Owns the table `resource_file`. A row appears, changes and goes in one transaction with the counts of its
resource; bytes are not touched here. What the mirror holds is another table, see `files`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Row,
    Table,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.sql.elements import ColumnElement

from connectomedb.errors import Conflict, NotFound, Outdated
from connectomedb.store import tables as t
from connectomedb.store.holders import chunks
from connectomedb.store.projects import now
from connectomedb.store.rights import need_right
from connectomedb.vocabulary.records import Principal
from connectomedb.vocabulary.resource_paths import folders_of

if TYPE_CHECKING:
    from connectomedb.store.resources import ResourceRecord

resource_file = Table(
    "resource_file",
    t.core,
    Column(
        "resource_pk",
        BigInteger().with_variant(Integer, "sqlite"),
        ForeignKey("item.pk", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("path", t.string, primary_key=True),
    # Unknown for what is elsewhere and was never looked at.
    Column("size", BigInteger),
    Column("md5", t.string),
    Column("sha256", t.string),
    Column("format", t.string),
    Column("content", t.string),
    Column("description", t.string),
    Column("tags", t.string),
    # The site's own object of that key; or a URL where the bytes are.
    Column("key", t.string),
    Column("location", t.string),
    Column("created", DateTime, nullable=False),
    Column("created_by", t.string, nullable=False),
    Column("modified", DateTime, nullable=False),
    Index("resource_file_by_key", "key"),
)


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file to be entered: its path, where its bytes are, and what is said of it."""

    path: str
    size_bytes: int | None = None
    md5: str = ""
    sha256: str = ""
    key: str = ""
    location: str = ""
    format: str = ""
    content: str = ""
    description: str = ""
    tags: str = ""


@dataclass(frozen=True, slots=True)
class HeldFile:
    """A file of a resource. Times in UTC; `location` is '' for what the site itself holds."""

    resource: ResourceRecord
    path: str
    size_bytes: int | None
    md5: str
    sha256: str
    format: str
    content: str
    description: str
    tags: str
    key: str
    location: str
    created: datetime
    created_by: str
    modified: datetime

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]

    @property
    def uri(self) -> str:
        """Where it is fetched, by ids; the path as it is, not percent-encoded, as XNAT writes it."""
        return f"{self.resource.uri}/files/{self.path}"


@dataclass(frozen=True, slots=True)
class Entered:
    """What became of new files: paths that were taken, and keys that nothing points to any more."""

    duplicates: tuple[str, ...] = ()
    unused_keys: tuple[str, ...] = ()
    n_entered: int = 0


@dataclass(frozen=True, slots=True)
class Expected:
    """What must be there when a file is entered or deleted: an MD5 of it, or ('*') any, or none at all."""

    md5: tuple[str, ...] = ()
    absent: bool = False


def find_files(
    connection: Connection,
    resources: Sequence[ResourceRecord],
    *,
    path: str = "",
    folder: str = "",
    recursive: bool = True,
) -> list[HeldFile]:
    """The files of some resources, by resource and path: all, the one of a path, or those below a folder."""
    f = resource_file.c
    by_pk = {resource.pk: resource for resource in resources}
    wanted: list[ColumnElement[bool]] = []
    if path:
        wanted.append(f.path == path)
    if folder:
        wanted.append(_below(folder))
    found: list[HeldFile] = []
    for some in chunks(list(by_pk)):
        query = select(resource_file).where(f.resource_pk.in_(some), *wanted)
        found += [_held(by_pk[row.resource_pk], row) for row in connection.execute(query.order_by(f.path))]
    if not recursive:
        depth = len(folder) + 1 if folder else 0
        found = [one for one in found if "/" not in one.path[depth:]]
    order = {pk: n for n, pk in enumerate(by_pk)}
    return sorted(found, key=lambda one: order[one.resource.pk])


def enter_files(
    connection: Connection,
    layout: t.Layout,
    resource: ResourceRecord,
    files: Sequence[NewFile],
    who: Principal,
    *,
    overwrite: bool = False,
    expected: Expected | None = None,
) -> Entered:
    """Make files visible, all of them or none; those whose path is taken are left out, unless `overwrite`.

    Raises  NotFound when the resource is gone; AccessDenied without the right to edit; Conflict when a file
            and a folder would have the same path; Outdated
    """
    _hold(connection, resource)
    need_right(connection, who, resource.holder.project, "edit", f"changing files of {resource.holder.id}")
    f = resource_file.c
    known: dict[str, Row[Any]] = {}
    for some in chunks([one.path for one in files]):
        rows = connection.execute(
            select(f.path, f.key, f.md5, f.created, f.created_by).where(
                f.resource_pk == resource.pk, f.path.in_(some)
            )
        )
        known |= {row.path: row for row in rows}
    if expected is not None:
        for one in files:
            _check(expected, one.path, known.get(one.path))
    duplicates = tuple(one.path for one in files if one.path in known) if not overwrite else ()
    entered = [one for one in files if one.path not in duplicates]
    _refuse_folders(connection, resource, [one.path for one in entered])
    moment = now()
    replaced = [known[one.path] for one in entered if one.path in known]
    for gone in chunks([row.path for row in replaced]):
        connection.execute(delete(resource_file).where(f.resource_pk == resource.pk, f.path.in_(gone)))
    rows_in = [
        {
            "resource_pk": resource.pk,
            "path": one.path,
            "size": one.size_bytes,
            "created": known[one.path].created if one.path in known else moment,
            "created_by": known[one.path].created_by if one.path in known else who.login,
            "modified": moment,
            **{
                name: getattr(one, name) or None
                for name in ("md5", "sha256", "format", "content", "description", "tags", "key", "location")
            },
        }
        for one in entered
    ]
    if rows_in:
        connection.execute(insert(resource_file), rows_in)
        _recount(connection, layout, resource, moment)
    return Entered(duplicates, tuple(row.key for row in replaced if row.key), len(entered))


def delete_files(
    connection: Connection,
    layout: t.Layout,
    files: Sequence[HeldFile],
    who: Principal,
    *,
    expected: Expected | None = None,
) -> list[str]:
    """Delete entries; gives the keys that nothing points to any more.

    Raises  AccessDenied without the right to delete; NotFound when a resource is gone; Outdated
    """
    f = resource_file.c
    keys: list[str] = []
    by_resource: dict[int, list[HeldFile]] = {}
    for one in files:
        by_resource.setdefault(one.resource.pk, []).append(one)
    for pk, some in by_resource.items():
        resource = some[0].resource
        _hold(connection, resource)
        need_right(
            connection, who, resource.holder.project, "delete", f"deleting files of {resource.holder.id}"
        )
        for paths in chunks([one.path for one in some]):
            mine = and_(f.resource_pk == pk, f.path.in_(paths))
            rows = connection.execute(select(f.path, f.key, f.md5).where(mine)).all()
            if expected is not None:
                for row in rows:
                    _check(expected, row.path, row)
            keys += [row.key for row in rows if row.key]
            connection.execute(delete(resource_file).where(mine))
        _recount(connection, layout, resource, now())
    return keys


def set_facts(
    connection: Connection, layout: t.Layout, resource: ResourceRecord, files: Iterable[NewFile]
) -> None:
    """Change what is known of files that stay where they are: words about them, sizes and digests."""
    f = resource_file.c
    _hold(connection, resource)
    for one in files:
        names = ("size", "md5", "sha256", "format", "content", "description", "tags")
        said = {name: getattr(one, "size_bytes" if name == "size" else name) for name in names}
        values = {name: value for name, value in said.items() if value not in ("", None)}
        if values:
            connection.execute(
                update(resource_file).where(f.resource_pk == resource.pk, f.path == one.path).values(**values)
            )
    _recount(connection, layout, resource, now())


def count_files(connection: Connection, resource_pks: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Number of files and of bytes of resources that have any."""
    f = resource_file.c
    found: dict[int, tuple[int, int]] = {}
    for some in chunks(resource_pks):
        query = select(f.resource_pk, func.count(), func.coalesce(func.sum(f.size), 0)).group_by(
            f.resource_pk
        )
        for pk, n_files, size_bytes in connection.execute(query.where(f.resource_pk.in_(some))):
            found[pk] = (n_files, int(size_bytes))
    return found


def keys_of(connection: Connection, resource_pks: Sequence[int]) -> list[str]:
    """The keys of the site's objects that resources point to."""
    f = resource_file.c
    found: list[str] = []
    for some in chunks(resource_pks):
        query = select(f.key).where(f.resource_pk.in_(some), f.key.is_not(None))
        found += connection.scalars(query)
    return found


def known_keys(connection: Connection, keys: Collection[str]) -> set[str]:
    """Those of some keys that an entry points to."""
    f = resource_file.c
    found: set[str] = set()
    for some in chunks(list(keys)):
        found |= set(connection.scalars(select(f.key).where(f.key.in_(some))))
    return found


def iter_keys(connection: Connection) -> Iterable[tuple[str, str]]:
    """Every key that an entry points to, with where that entry is: `<resource id>/<path>`."""
    f, i = resource_file.c, t.item.c
    query = select(f.key, i.id, f.path).join_from(resource_file, t.item, i.pk == f.resource_pk)
    rows = connection.execute(query.where(f.key.is_not(None)), execution_options={"yield_per": 1000})
    return ((row.key, f"{row.id}/{row.path}") for row in rows)


def _held(resource: ResourceRecord, row: Row[Any]) -> HeldFile:
    return HeldFile(
        resource,
        row.path,
        row.size,
        md5=row.md5 or "",
        sha256=row.sha256 or "",
        format=row.format or "",
        content=row.content or "",
        description=row.description or "",
        tags=row.tags or "",
        key=row.key or "",
        location=row.location or "",
        created=row.created,
        created_by=row.created_by,
        modified=row.modified,
    )


def _hold(connection: Connection, resource: ResourceRecord) -> None:
    """Nobody else changes the resource until the transaction ends. Raises NotFound when it is gone."""
    i = t.item.c
    query = select(i.pk).where(i.pk == resource.pk, i.status != "deleted").with_for_update()
    if connection.scalar(query) is None:
        raise NotFound(f"the resource {resource.called!r} of {resource.holder.id} was deleted meanwhile")


def _check(expected: Expected, path: str, row: Any) -> None:
    if expected.absent and row is not None:
        raise Outdated(f"{path!r} is there already, and the request wants it not to be")
    if expected.md5 and row is None:
        raise Outdated(f"{path!r} is not there, and the request wants to change it")
    if expected.md5 and row is not None and "*" not in expected.md5 and row.md5 not in expected.md5:
        raise Outdated(f"{path!r} was changed meanwhile; fetch it again, then decide")


def _below(folder: str) -> ColumnElement[bool]:
    """The path begins with the folder: a range of the index, in the order of code points."""
    f = resource_file.c
    return and_(f.path > f"{folder}/", f.path < f"{folder}0")  # 0 is what follows / in that order


def _refuse_folders(connection: Connection, resource: ResourceRecord, paths: Sequence[str]) -> None:
    """A path is a file or a folder, never both: no disk could hold the two."""
    f = resource_file.c
    new = set(paths)
    above = {folder for path in new for folder in folders_of(path)}
    clash = next(iter(sorted(above & new)), None)
    for some in chunks(sorted(above)):
        clash = clash or connection.scalar(
            select(f.path).where(f.resource_pk == resource.pk, f.path.in_(some)).limit(1)
        )
    for some in chunks(sorted(new), 100):
        clash = clash or connection.scalar(
            select(f.path).where(f.resource_pk == resource.pk, or_(*map(_below, some))).limit(1)
        )
    if clash is not None:
        raise Conflict(f"{clash!r} would be both a file and a folder; choose another path")


def _recount(connection: Connection, layout: t.Layout, resource: ResourceRecord, moment: datetime) -> None:
    """Counts of the resource as its document says them, and when it and what holds it changed."""
    n_files, size_bytes = count_files(connection, [resource.pk]).get(resource.pk, (0, 0))
    columns = layout.typed(resource.xsi_type).columns
    table = columns["file_count"].table
    connection.execute(
        update(table)
        .where(table.c.pk == resource.pk)
        .values({columns["file_count"].name: n_files, columns["file_size"].name: size_bytes})
    )
    i = t.item.c
    changed = i.pk.in_([resource.pk, resource.holder.pk, resource.holder.root_pk])
    connection.execute(update(t.item).where(changed).values(last_modified=moment))

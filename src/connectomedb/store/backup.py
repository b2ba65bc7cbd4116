"""A whole site as one file, taken while the server runs, and a site again from that file.

The file is a ZIP of the database, the site's data types and its facts, with a manifest that names every
member's SHA-256. SQLite is copied by its online backup; PostgreSQL is read in one REPEATABLE READ
transaction into lines of JSON. Either is restored into either: a site begins on a laptop and moves to a
server. Uploaded files come after the database, those that it names: they never change under their keys. Where
they are in a store elsewhere they stay there. Passwords of databases are not in it; the mirror's images are
neither.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import sqlite3
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO, Any, Protocol

from sqlalchemy import (
    Connection,
    Date,
    DateTime,
    Engine,
    MetaData,
    Table,
    Time,
    bindparam,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.exc import DataError

from connectomedb.errors import ConfigurationError, DiskFull, ObjectMissing
from connectomedb.schema.registry import load_types
from connectomedb.store import migrations
from connectomedb.store import tables as t
from connectomedb.store.engine import open_engine, writing
from connectomedb.store.resource_files import resource_file
from connectomedb.store.site import DATABASE, FACTS, FILES, SCHEMAS, Site, open_site, read_facts, write_facts
from connectomedb.store.sqlite import is_full

FORMAT = "connectomedb-backup-1"
_MANIFEST = "manifest.json"
_ROWS = "tables"
_BATCH = 1000
_KEYS = select(resource_file.c.key).where(resource_file.c.key.is_not(None)).order_by(resource_file.c.key)
# The rows of a table, from their beginning each time.
RowsOf = Callable[[Table], Iterator[dict[str, Any]]]
_PARSERS: tuple[tuple[type, Callable[[str], Any]], ...] = (
    (DateTime, datetime.fromisoformat),
    (Date, date.fromisoformat),
    (Time, time.fromisoformat),
)


class Objects(Protocol):
    """The bytes of the uploaded files, by key."""

    def kept(self) -> AbstractContextManager[None]:
        """While it lasts nothing is removed for good."""

    def open(self, key: str) -> IO[bytes]:
        """One object. Raises ObjectMissing."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds: when it was taken (UTC), of which schema version, each member and its SHA-256.

    `elsewhere` is the URL of the store where the uploaded files stay, '' when they are in the backup;
    `missing` are keys of files whose bytes were gone already.
    """

    taken: str
    version: int
    kind: str
    members: Mapping[str, str]
    elsewhere: str = ""
    missing: tuple[str, ...] = ()

    @property
    def n_files(self) -> int:
        """Uploaded files in the backup."""
        return sum(name.startswith(f"{FILES}/") for name in self.members)


def back_up(site: Site, target: Path, objects: Objects | None = None) -> Manifest:
    """Write the whole site into a file, which appears under its name only when it is complete.

    `objects` are the uploaded files; a site whose files are elsewhere, or that has none, needs none.

    Raises  ConfigurationError when the file is there already, or there are files and no `objects`; DiskFull
    Cost    reads every row and file once; writers of SQLite are not held up, nor is anybody on PostgreSQL;
            memory for the names of all files
    """
    if target.exists():
        raise ConfigurationError(f"{target} is there already; choose another name, backups are not replaced")
    beside = target.with_name(f".{target.name}.partial")
    elsewhere = site.files_url if "://" in site.files_url else ""
    kept = objects.kept() if objects is not None and not elsewhere else nullcontext()
    with _room_needed(target), _removed_afterwards(beside, beside.with_suffix(".db")), kept:
        members: dict[str, str] = {}
        missing: list[str] = []
        with zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            kind, keys = _write_database(site.archive.engine, archive, members, beside.with_suffix(".db"))
            if keys and not elsewhere:
                if objects is None:
                    raise ConfigurationError("the site holds files; back it up with `connectomedb backup`")
                missing = _write_objects(objects, keys, archive, members)
            # After the database, so that no row is of a type that is not in the file.
            for path in sorted(site.types_folder.rglob("*")):
                if path.is_file() and not path.name.startswith("."):
                    name = f"{SCHEMAS}/{path.relative_to(site.types_folder).as_posix()}"
                    _write_bytes(archive, members, name, path.read_bytes())
            # A store at a URL is still the site's; a folder beside it is in the file.
            facts = {**read_facts(site.folder), "database": "", "files": elsewhere}
            _write_bytes(archive, members, FACTS, json.dumps(facts, indent=2).encode())
            taken = datetime.now(UTC).isoformat()
            manifest = Manifest(taken, t.SCHEMA_VERSION, kind, members, elsewhere, tuple(missing))
            said: dict[str, Any] = {"format": FORMAT, "taken": taken, "version": manifest.version}
            said |= {"kind": kind, "members": members, "elsewhere": elsewhere, "missing": missing}
            archive.writestr(_MANIFEST, json.dumps(said, indent=2))
        with beside.open("rb") as stream:
            os.fsync(stream.fileno())
        beside.replace(target)
    return manifest


def check_backup(source: Path) -> Manifest:
    """Read every byte of a backup and compare the digests.

    Raises  ConfigurationError that names the member that is damaged or missing
    """
    with _open_backup(source) as archive:
        return _check(archive, source)


def restore(source: Path, folder: Path, *, database: str = "") -> Manifest:
    """A new site in `folder` from a backup, checked before anything is written.

    `database` is the URL of an empty database, whichever kind the backup is of; '' puts SQLite into the
    folder.

    Raises  ConfigurationError when the backup is damaged, folder or database hold something already, or the
            other kind of database does not take a value; DiskFull
    Cost    memory for a thousand rows; another kind of database is filled in one transaction
    """
    if folder.exists() and any(folder.iterdir()):
        raise ConfigurationError(f"{folder} is not empty; restore into a new folder")
    beside = folder.with_name(f".{folder.name}.restoring")
    with _room_needed(folder), _open_backup(source) as archive, _removed_afterwards(beside):
        manifest = _check(archive, source)
        shutil.rmtree(beside, ignore_errors=True)
        (beside / SCHEMAS).mkdir(parents=True)
        for name in manifest.members:
            if name.startswith((f"{SCHEMAS}/", f"{FILES}/")):
                path = beside / name
                private = 0o700 if name.startswith(f"{FILES}/") else 0o777
                path.parent.mkdir(parents=True, exist_ok=True, mode=private)
                with archive.open(name) as packed, path.open("wb") as stream:
                    path.chmod(0o600 if private == 0o700 else 0o644)
                    shutil.copyfileobj(packed, stream, 1 << 20)
                    stream.flush()
                    os.fsync(stream.fileno())
        facts = json.loads(archive.read(FACTS))
        write_facts(beside, {**facts, "database": database})
        if manifest.kind == "sqlite":
            with archive.open(DATABASE) as packed, (beside / DATABASE).open("wb") as stream:
                shutil.copyfileobj(packed, stream)
                stream.flush()
                os.fsync(stream.fileno())
        if manifest.kind != "sqlite" or database:
            _restore_rows(archive, manifest, beside, database)
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside.replace(folder)
        # Opening brings an older database to this version and proves that the site works.
        open_site(folder).close()
    return manifest


# The database


def _write_database(
    engine: Engine, archive: zipfile.ZipFile, members: dict[str, str], copy: Path
) -> tuple[str, list[str]]:
    """Its kind, and the keys of the objects that it names as it was then."""
    if engine.dialect.name == "sqlite":
        with closing(sqlite3.connect(copy)) as target, engine.connect() as connection:
            held = connection.connection.driver_connection
            assert isinstance(held, sqlite3.Connection)
            held.backup(target, pages=4096)
            keys = [key for (key,) in target.execute(str(_KEYS))]
        with archive.open(DATABASE, "w", force_zip64=True) as packed, copy.open("rb") as stream:
            members[DATABASE] = _copy(stream.read, packed.write)
        return "sqlite", keys
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        # Every table that there is, whoever declared it.
        for name in sorted(inspect(connection).get_table_names()):
            member = f"{_ROWS}/{name}.jsonl"
            table = Table(name, MetaData(), autoload_with=connection)
            digest = hashlib.sha256()
            with archive.open(member, "w", force_zip64=True) as stream:
                for line in _lines(connection, table):
                    digest.update(line)
                    stream.write(line)
            members[member] = digest.hexdigest()
        keys = list(connection.scalars(_KEYS))
        connection.rollback()
    return "rows", keys


def _write_objects(
    objects: Objects, keys: Iterable[str], archive: zipfile.ZipFile, members: dict[str, str]
) -> list[str]:
    """Each object as it is; gives the keys of those that are gone."""
    missing = []
    for key in keys:
        try:
            with objects.open(key) as source:
                name = f"{FILES}/{key}"
                # Images do not shrink any further.
                info = zipfile.ZipInfo(name)
                info.external_attr = 0o600 << 16
                with archive.open(info, "w", force_zip64=True) as packed:
                    members[name] = _copy(source.read, packed.write)
        except ObjectMissing:
            missing.append(key)
    return missing


def _lines(connection: Connection, table: Table) -> Iterator[bytes]:
    """The names of the columns, then each row."""
    yield _line([column.name for column in table.columns])
    rows = connection.execute(select(table), execution_options={"yield_per": _BATCH})
    with closing(rows) as found:
        for row in found:
            yield _line([v.isoformat() if isinstance(v, date | time) else v for v in row])


def _line(values: list[Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _restore_rows(archive: zipfile.ZipFile, manifest: Manifest, folder: Path, database: str) -> None:
    """All rows in one transaction: an interrupted restore leaves an empty database."""
    if manifest.kind == "rows" and manifest.version != t.SCHEMA_VERSION:
        raise ConfigurationError(
            f"the backup is of schema version {manifest.version}, this software restores {t.SCHEMA_VERSION}; "
            "restore it with the software that made it, and open the site with this one"
        )
    layout = t.Layout(load_types([folder / SCHEMAS]))
    target = open_engine(database or f"sqlite:///{folder.resolve() / DATABASE}")
    try:
        if inspect(target).get_table_names():
            raise ConfigurationError("the database holds tables already; restore into an empty one")
        held = _held_rows(archive, manifest) if manifest.kind == "rows" else _sqlite_rows(folder, layout)
        with held as rows_of, writing(target) as connection:
            t.core.create_all(connection)
            layout.metadata.create_all(connection)
            for table in (*t.core.sorted_tables, *layout.metadata.sorted_tables):
                try:
                    _insert_rows(connection, table, rows_of)
                except (DataError, ValueError) as problem:
                    said = problem.orig if isinstance(problem, DataError) else problem
                    raise ConfigurationError(
                        f"a row of {table.name} does not fit into that database ({said}); restore into the "
                        "kind of database that the backup is of, and mend the row there"
                    ) from problem
        migrations.upgrade(target, layout)
    finally:
        target.dispose()


@contextmanager
def _held_rows(archive: zipfile.ZipFile, manifest: Manifest) -> Iterator[RowsOf]:
    """The rows as they stand in a backup."""

    def rows_of(table: Table) -> Iterator[dict[str, Any]]:
        member = f"{_ROWS}/{table.name}.jsonl"
        if member not in manifest.members:
            return
        with archive.open(member) as lines:
            names = json.loads(next(lines))
            readers = {name: _reader(table, name) for name in names if name in table.c}
            for line in lines:
                values = zip(names, json.loads(line), strict=True)
                yield {name: readers[name](value) for name, value in values if name in readers}

    yield rows_of


@contextmanager
def _sqlite_rows(folder: Path, layout: t.Layout) -> Iterator[RowsOf]:
    """The rows of an unpacked SQLite database, of whatever version it is; the file goes away afterwards."""
    path = folder / DATABASE
    engine = open_engine(f"sqlite:///{path.resolve()}")
    try:
        migrations.upgrade(engine, layout)
        with engine.connect() as connection:

            def rows_of(table: Table) -> Iterator[dict[str, Any]]:
                found = connection.execute(select(table), execution_options={"yield_per": _BATCH})
                with closing(found):
                    yield from (dict(row) for row in found.mappings())

            yield rows_of
    finally:
        engine.dispose()
        for left in (path, *(path.with_name(f"{DATABASE}{ending}") for ending in ("-wal", "-shm"))):
            left.unlink(missing_ok=True)


def _insert_rows(connection: Connection, table: Table, rows_of: RowsOf) -> None:
    for some in _batches(rows_of(table)):
        # What these point to may come later; they are tied in a second reading.
        free = {"subject_pk": None, "owner_pk": None} if table is t.item else {}
        connection.execute(insert(table), [row | free for row in some])
    if table is not t.item:
        return
    tie = update(t.item).where(t.item.c.pk == bindparam("its"))
    tie = tie.values(subject_pk=bindparam("subject"), owner_pk=bindparam("owner"))
    ties = (
        {"its": row["pk"], "subject": row["subject_pk"], "owner": row["owner_pk"]}
        for row in rows_of(t.item)
        if row["subject_pk"] or row["owner_pk"]
    )
    for some in _batches(ties):
        connection.execute(tie, some)


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while batch := list(islice(rows, _BATCH)):
        yield batch


def _reader(table: Table, name: str) -> Callable[[Any], Any]:
    kind = table.c[name].type
    for sql_type, parse in _PARSERS:
        if isinstance(kind, sql_type):
            return partial(_parsed, parse)
    return _as_it_is


def _parsed(parse: Callable[[str], Any], value: str | None) -> Any:
    return None if value is None else parse(value)


def _as_it_is(value: Any) -> Any:
    return value


# The file


def _write_bytes(archive: zipfile.ZipFile, members: dict[str, str], name: str, content: bytes) -> None:
    archive.writestr(name, content)
    members[name] = hashlib.sha256(content).hexdigest()


def _copy(read: Callable[[int], bytes], write: Callable[[bytes], Any]) -> str:
    digest = hashlib.sha256()
    while chunk := read(1 << 20):
        digest.update(chunk)
        write(chunk)
    return digest.hexdigest()


@contextmanager
def _open_backup(source: Path) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(source)
    except FileNotFoundError as error:
        raise ConfigurationError(f"there is no {source}") from error
    except zipfile.BadZipFile as error:
        raise ConfigurationError(f"{source} is no backup, or not all of one: {error}") from error
    with archive:
        yield archive


def _check(archive: zipfile.ZipFile, source: Path) -> Manifest:
    try:
        said = json.loads(archive.read(_MANIFEST))
        if said["format"] != FORMAT:
            raise ConfigurationError(f"{source} is a backup of another format: {said['format']}")
        elsewhere, missing = said.get("elsewhere", ""), tuple(said.get("missing", ()))
        facts = said["taken"], said["version"], said["kind"], said["members"]
        manifest = Manifest(*facts, elsewhere, missing)
        for name, digest in manifest.members.items():
            if name.startswith("/") or ".." in Path(name).parts:
                raise ConfigurationError(f"{source}: {name!r} leads out of the site's folder")
            with archive.open(name) as stream:
                if _copy(stream.read, len) != digest:
                    raise ConfigurationError(f"{source} is damaged: {name} has another SHA-256 than noted")
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError, zlib.error) as error:
        if isinstance(error, ConfigurationError):
            raise
        raise ConfigurationError(f"{source} is damaged, or no backup: {error}") from error
    return manifest


@contextmanager
def _room_needed(target: Path) -> Iterator[None]:
    """A full disk by its name, whoever notices it."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise DiskFull(f"no room for {target}; free some, nothing was kept") from error
        raise
    except sqlite3.OperationalError as error:
        if is_full(error):
            raise DiskFull(f"no room for {target}; free some, nothing was kept") from error
        raise


@contextmanager
def _removed_afterwards(*paths: Path) -> Iterator[None]:
    try:
        yield
    finally:
        for path in paths:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

"""The site's own object store: bytes come in once, under a key that was never used, and never change.

A key is random, so that no name of a user ever becomes a path of the disk, and a new upload never touches
the bytes that an old entry points to. What arrives is a file in `incoming/` first; it gets its key once it
is complete, verified and on disk, and an entry in the database then makes it visible. Whoever writes shares
a lock until that is settled, and a process that dies gives it up: `sweep` takes the lock alone, so what it
finds without an entry is left over.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import math
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import IO

from connectomedb.errors import ChecksumMismatch, ConfigurationError, DiskFull, ObjectMissing, TransferError
from connectomedb.objects.stores import CHUNK_BYTES, ObjectStore, open_store

INCOMING = "incoming"
REMOVED = "removed"
LOCK = "sweep.lock"
KEPT_LOCK = "kept.lock"
_KEY = re.compile(r"objects/[0-9a-f]{2}/[0-9a-f]{32}")
# Hosts that share a store elsewhere share no lock: there an object is left over after so long.
_LEFT_AFTER_S = 24 * 3600.0
# Who has begun to fetch many files reads those that are removed meanwhile.
_READ_FOR_S = 900.0
# Smaller pieces are digested sooner than another thread is told of them.
_BESIDE_BYTES = 256 * 1024
# The disk begins to write that early, so that little is left for the sync at the end.
_SYNCED_BYTES = 32 << 20
# Digesting leaves the interpreter to others. The threads begin with the first large piece.
_HELPERS = ThreadPoolExecutor(4, "connectomedb-digests")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, slots=True)
class Arrived:
    """Bytes that are in the store: their key, size and digests (hex)."""

    key: str
    size_bytes: int
    md5: str
    sha256: str


class Incoming:
    """One file that arrives; made by `Arrivals.receive`."""

    def __init__(self, arrivals: Arrivals, path: Path) -> None:
        self._arrivals = arrivals
        self._path = path
        with _room():
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha256 = hashlib.sha256()
        self._beside: list[Future[None]] = []
        self._syncing: Future[None] | None = None
        self._synced_bytes = 0
        self._is_open = True
        self.size_bytes = 0

    def write(self, data: bytes) -> None:
        """Take the next bytes. Raises DiskFull.

        Memory  a large piece is held until the next one is written: it is digested meanwhile
        """
        self._wait()
        if len(data) >= _BESIDE_BYTES:
            self._beside = [_HELPERS.submit(one.update, data) for one in (self._md5, self._sha256)]
        else:
            self._md5.update(data)
            self._sha256.update(data)
        view = memoryview(data)
        with _room():
            while view:
                view = view[os.write(self._descriptor, view) :]
        self.size_bytes += len(data)
        if self.size_bytes - self._synced_bytes >= _SYNCED_BYTES and (
            self._syncing is None or self._syncing.done()
        ):
            self._wait_for_sync()
            self._synced_bytes = self.size_bytes
            self._syncing = _HELPERS.submit(os.fdatasync, self._descriptor)

    def _wait_for_sync(self) -> None:
        """Raises what went wrong: the system tells it once, the sync at the end would not know."""
        syncing, self._syncing = self._syncing, None
        if syncing is not None:
            with _room():
                syncing.result()

    def _wait(self) -> None:
        """The digests know all that came before."""
        for one in self._beside:
            one.result()
        self._beside = []

    def reader(self) -> IO[bytes]:
        """What arrived so far, to be read from its beginning."""
        return self._path.open("rb")

    def finish(self, *, md5: str = "", sha256: str = "") -> Arrived:
        """Verify, put on disk, give the key.

        Raises  ChecksumMismatch when a digest (hex) that was promised is another one; DiskFull
        """
        self._wait()
        found = (self._md5.hexdigest(), self._sha256.hexdigest())
        for name, said, is_ in (("MD5", md5, found[0]), ("SHA-256", sha256, found[1])):
            if said and said.lower() != is_:
                raise ChecksumMismatch(f"the bytes that arrived have the {name} {is_}, not {said.lower()}")
        token = self._path.name
        key = f"objects/{token[:2]}/{token}"
        self._wait_for_sync()
        with _room():
            os.fsync(self._descriptor)
            self._close()
            self._arrivals.give_key(self._path, key)
        return Arrived(key, self.size_bytes, *found)

    def discard(self) -> None:
        """Remove it, unless it has its key."""
        self._wait()
        self._close()
        self._path.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._is_open:
            self._is_open = False
            if self._syncing is not None:
                wait((self._syncing,))
            os.close(self._descriptor)


class Arrivals:
    """The files of one upload, under one lock; made by `HeldObjects.receiving`, to be closed in any case."""

    def __init__(self, folder: Path, remote: ObjectStore | None) -> None:
        self._folder = folder
        self._remote = remote
        with _room():
            (folder / INCOMING).mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_SH)
        self._incoming: list[Incoming] = []
        self._folders: set[Path] = set()
        self._keys: set[str] = set()
        self._is_open = True

    def __enter__(self) -> Arrivals:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def receive(self) -> Incoming:
        """A further file. Raises DiskFull."""
        self._incoming.append(Incoming(self, self._folder / INCOMING / secrets.token_hex(16)))
        return self._incoming[-1]

    def give_key(self, path: Path, key: str) -> None:
        """Put a complete file in its place."""
        self._keys.add(key)
        if self._remote is not None:
            self._remote.put_file(key, path)
            path.unlink()
        else:
            target = self._folder / key
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.rename(target)
            # All of them each time: another upload may have made a folder, and not come to its own syncing.
            self._folders |= {target.parent, target.parent.parent, self._folder}
        self._incoming = [one for one in self._incoming if one._path != path]

    def sync(self) -> None:
        """Put the names on disk: to be called before anybody is told that the files are there."""
        with _room():
            for folder in self._folders:
                _sync_folder(folder)
        self._folders.clear()

    def keep(self, unused: Collection[str] = ()) -> None:
        """What arrived has its entries now, all but these keys."""
        self._keys &= set(unused)

    def close(self) -> None:
        """End the upload: what was not finished is removed, and so is what was not kept."""
        if not self._is_open:
            return
        self._is_open = False
        try:
            for one in self._incoming:
                one.discard()
            for key in self._keys:
                if self._remote is not None:
                    self._remote.delete(key)
                else:
                    (self._folder / key).unlink(missing_ok=True)
        finally:
            os.close(self._lock)


class HeldObjects:
    """The store of one site: a folder, or any store by URL with a folder for what arrives."""

    def __init__(self, folder: Path, location: str = "") -> None:
        self._folder = folder
        self._remote = location

    def receiving(self) -> Arrivals:
        """The beginning of an upload."""
        return Arrivals(self._folder, self._store() if self._remote else None)

    def room_bytes(self) -> int:
        """Bytes that may arrive before the disk is full."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return shutil.disk_usage(self._folder).free

    def stream(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """An object from `start` up to `end`, about a megabyte at a time. Raises ObjectMissing."""
        if self._remote:
            yield from self._store().stream(key, start, end)
            return
        with self.open(key) as source:
            source.seek(start)
            left = os.fstat(source.fileno()).st_size - start if end is None else end - start
            while left > 0:
                piece = source.read(min(CHUNK_BYTES, left))
                if not piece:
                    raise TransferError(f"the object {key} is shorter than its entry says; run doctor")
                left -= len(piece)
                yield piece

    def open(self, key: str) -> IO[bytes]:
        """An object to be read anywhere. Raises ObjectMissing."""
        if not _KEY.fullmatch(key):
            raise ObjectMissing(f"{key!r} is no key of the site's store")
        if self._remote:
            return self._store().open(key)
        for path in (self._folder / key, self._folder / REMOVED / key[-32:]):
            try:
                return path.open("rb", buffering=0)
            except FileNotFoundError:
                pass  # it was removed after its entry was read, or is gone altogether
        raise ObjectMissing(f"the object {key} is gone from the site's store; run doctor")

    def presigned(self, key: str, lifetime: timedelta) -> str:
        """An address at which anybody reads the object for a while; '' where the store has none."""
        return self._store().presigned(key, lifetime) if self._remote else ""

    def remove(self, keys: Collection[str]) -> None:
        """Remove objects that no entry points to any more; what is gone already is no trouble.

        Who has looked at the entry before may still read for a while. In a store elsewhere they stay until
        a sweep.
        """
        keys = [key for key in keys if _KEY.fullmatch(key)]
        if self._remote or not keys:
            return
        removed = self._folder / REMOVED
        removed.mkdir(exist_ok=True, mode=0o700)
        for key in keys:
            with suppress(FileNotFoundError):
                target = (self._folder / key).rename(removed / key[-32:])
                os.utime(target)
        self._empty_removed()

    @contextmanager
    def kept(self) -> Iterator[None]:
        """While it lasts nothing is removed for good: who reads for hours finds what there was at first."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            for name in (LOCK, KEPT_LOCK):
                descriptor = os.open(self._folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                stack.callback(os.close, descriptor)
                fcntl.flock(descriptor, fcntl.LOCK_SH)
            yield

    def _empty_removed(self) -> None:
        with self._alone(KEPT_LOCK) as alone:
            if alone:
                self._empty(self._folder / REMOVED, time.time() - _READ_FOR_S)

    def _empty(self, folder: Path, before: float) -> int:
        """Remove the files of a folder that are older."""
        n_removed = 0
        for path in folder.glob("*"):
            with suppress(FileNotFoundError):  # somebody else was quicker
                if path.stat().st_mtime < before:
                    path.unlink()
                    n_removed += 1
        return n_removed

    def clear_arrivals(self) -> int:
        """Remove files of uploads that did not end, unless one is on its way; gives the number. Cheap."""
        if not (self._folder / INCOMING).is_dir():
            return 0
        with self._alone() as alone:
            return self._empty(self._folder / INCOMING, math.inf) if alone else 0

    def sweep(self, known: Callable[[Collection[str]], Collection[str]], *, only_count: bool = False) -> int:
        """Remove (or count) what was left over by uploads that did not end; gives the number.

        `known` gives those of some keys that have an entry. While an upload is on its way nothing is removed.
        """
        if not self._folder.is_dir():
            return 0
        if only_count:
            n_left = sum(1 for _ in (self._folder / INCOMING).glob("*"))
        else:
            n_left = self.clear_arrivals()
            self._empty_removed()
        if self._remote:
            return n_left + self._sweep_remote(known, only_count=only_count)
        for folder in sorted((self._folder / "objects").glob("??")):
            with self._alone() as alone:  # one folder at a time: uploads wait no longer
                if not alone:
                    return n_left
                keys = [f"objects/{folder.name}/{path.name}" for path in folder.iterdir()]
                left = set(keys) - set(known(keys))
                n_left += len(left)
                for key in left if not only_count else ():
                    (self._folder / key).unlink(missing_ok=True)
        return n_left

    def missing(self, keys: Collection[str]) -> set[str]:
        """Those of some keys of which there is no object."""
        if self._remote:
            return {key for key in keys if not self._store().has(key)}
        return {key for key in keys if not (self._folder / key).is_file()}

    @contextmanager
    def _alone(self, name: str = LOCK) -> Iterator[bool]:
        """Whether no upload is on its way (or who else shares the lock); none begins until the end."""
        descriptor = os.open(self._folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(descriptor)

    def _store(self) -> ObjectStore:
        return open_store(self._remote)

    def _sweep_remote(self, known: Callable[[Collection[str]], Collection[str]], *, only_count: bool) -> int:
        n_left, before = 0, time.time() - _LEFT_AFTER_S
        store = self._store()
        old = (one.key for one in store.list_prefix("objects") if one.modified_s < before)
        while batch := list(islice(old, 500)):
            left = set(batch) - set(known(batch))
            n_left += len(left)
            for key in left if not only_count else ():
                store.delete(key)
        return n_left


def open_held(folder: Path, location: str = "") -> HeldObjects:
    """The store of a site: objects in `folder`, or at the URL `location` with only arrivals in `folder`.

    Raises  ConfigurationError for a location that is no store
    """
    if location and "://" not in location:
        return HeldObjects(Path(location))
    if location.startswith("file://"):
        raise ConfigurationError("write the folder of the site's files as a path, not as file://")
    if location:
        open_store(location)
    return HeldObjects(folder, location)


@contextmanager
def _room() -> Iterator[None]:
    """A disk that is full, said in our words."""
    try:
        yield
    except OSError as problem:
        if problem.errno in _FULL:
            raise DiskFull(
                "no room for the file; nothing was stored, what was there is unchanged"
            ) from problem
        raise


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

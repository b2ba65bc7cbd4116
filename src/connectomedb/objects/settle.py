"""Names for finished files: one flush makes a group of small files durable, then each gets its name.

While one flush is under way the next group gathers: groups are as large as the disk is slow. Where the system
cannot flush a file system at once, or takes too long over it because others write much, each file is flushed
alone.
"""

from __future__ import annotations

import errno
import os
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Condition, Thread

from connectomedb.errors import ConnectomeDBError
from connectomedb.objects.cache import ContentCache
from connectomedb.objects.digests import Promise
from connectomedb.objects.journal import Journal
from connectomedb.objects.plan import PlannedFile
from connectomedb.objects.targets import TargetFolder, disk_trouble

_MOST_WAITING = 1000
_TOO_LONG_S = 1.0
_SMALLEST_GROUP = 4


@dataclass(frozen=True, slots=True)
class Ready:
    """A file whose bytes are right, under its temporary name; `covered_by` is the promise that it met."""

    file: PlannedFile
    path: Path
    facts: os.stat_result
    fetched_bytes: int
    covered_by: Promise | None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Names:
    """Gives durable files their names, and remembers them."""

    folder: TargetFolder
    journal: Journal
    cache: ContentCache | None

    def give(self, ready: Ready) -> None:
        """Name, journal and cache one file. Raises TargetRefused, DiskFull."""
        self.folder.move_in(ready.path, ready.file.target)
        self.journal.note(ready.file.target, str(ready.covered_by or ""), ready.facts)
        if self.cache is not None and ready.covered_by is not None:
            self.cache.add(self.folder.root / ready.file.target, ready.covered_by)


class Settler:
    """A thread that makes files durable in groups and names them. `done` hears of each, with its trouble."""

    def __init__(
        self, names: Names, parts: Path, done: Callable[[int, Ready, ConnectomeDBError | None], None]
    ) -> None:
        self._names, self._parts, self._done = names, parts, done
        self._waiting: deque[tuple[int, Ready]] = deque()
        self._changed = Condition()
        self._closing = False
        self._flush_all = flush_function()
        self._thread = Thread(target=self._work, name="transfer-settle", daemon=True)
        self._thread.start()

    def add(self, position: int, ready: Ready) -> None:
        """Take a file; waits while very many are waiting."""
        with self._changed:
            while len(self._waiting) >= _MOST_WAITING and self._thread.is_alive():
                self._changed.wait(1.0)
            self._waiting.append((position, ready))
            self._changed.notify_all()

    def close(self) -> None:
        """Settle what waits, and end."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closing:
                    self._changed.wait()
                group = list(self._waiting)
                self._waiting.clear()
                self._changed.notify_all()
            if not group:
                return
            troubles = self._flush([ready for _, ready in group])
            for (position, ready), trouble in zip(group, troubles, strict=True):
                if trouble is None:
                    try:
                        self._names.give(ready)
                    except ConnectomeDBError as problem:
                        trouble = problem
                self._done(position, ready, trouble)

    def _flush(self, group: list[Ready]) -> list[ConnectomeDBError | None]:
        """Make the bytes of a group durable; the trouble of each, None for those that are."""
        if self._flush_all is None or len(group) < _SMALLEST_GROUP:
            return [_flush_one(ready) for ready in group]
        started = time.monotonic()
        try:
            self._flush_all(self._parts)
        except OSError:
            # Somebody's bytes could not be written; each file is asked whether they were its own.
            return [_flush_one(ready) for ready in group]
        if time.monotonic() - started > _TOO_LONG_S:
            self._flush_all = None
        return [None] * len(group)


def _flush_one(ready: Ready) -> ConnectomeDBError | None:
    try:
        handle = os.open(ready.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as problem:
        return disk_trouble(problem, ready.file.target)
    return None


def flush_function() -> Callable[[Path], None] | None:
    """What flushes the file system that a folder lies on, Linux's `syncfs`; None where nothing does."""
    import ctypes

    try:
        syncfs = ctypes.CDLL(None, use_errno=True).syncfs
    except (OSError, AttributeError):
        return None

    def flush(folder: Path) -> None:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            if syncfs(handle):
                number = ctypes.get_errno() or errno.EIO
                raise OSError(number, os.strerror(number), str(folder))
        finally:
            os.close(handle)

    return flush

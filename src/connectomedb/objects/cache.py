"""A folder of files by digest, so that two cohorts on one machine do not fetch the same object twice.

A file lies at `<algorithm>/<first two digits>/<digest>` and is read-only. It is verified when it comes in,
and once more, as it is copied, when it is taken.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Literal

from connectomedb.errors import ChecksumMismatch
from connectomedb.objects.digests import READ_BYTES, Check, Promise, feed
from connectomedb.objects.targets import disk_trouble

Way = Literal["copy", "link"]


class ContentCache:
    """Files by digest. `way` says whether a file is copied out, or linked: one file under two names."""

    def __init__(self, folder: str | Path, way: Way = "copy") -> None:
        self.folder = Path(folder)
        self.way = way

    def path(self, promise: Promise) -> Path:
        """Where the file with this digest lies, if it does."""
        return self.folder / promise.algorithm / promise.value[:2] / promise.value

    def has(self, promise: Promise, size_bytes: int) -> bool:
        """True when there is a file of that digest's name and size."""
        try:
            return self.path(promise).stat().st_size == size_bytes
        except OSError:
            return False

    def take(self, promise: Promise, size_bytes: int, to: Path) -> None:
        """Put the file at `to`, verified on the way; a cached file that is wrong is removed.

        Raises   ChecksumMismatch, DiskFull, TransferError
        """
        source = self.path(promise)
        to.unlink(missing_ok=True)
        try:
            check = Check(promise, size_bytes)
            if self.way == "link":
                self._link(source, to)
                with to.open("rb") as held:
                    feed(held.fileno(), check)
            else:
                _copy(source, to, check)
        except OSError as problem:
            raise disk_trouble(problem, to) from problem
        if check.verdict() == "wrong" or to.stat().st_size != size_bytes:
            to.unlink()
            source.unlink(missing_ok=True)
            raise ChecksumMismatch(f"{source} in the cache is not what its name says; it was removed")

    def add(self, path: Path, promise: Promise) -> None:
        """Keep a verified file; does nothing when there is one of that digest already."""
        place = self.path(promise)
        if place.exists():
            return
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            partial = place.with_name(f".{place.name}.{os.getpid()}")
            partial.unlink(missing_ok=True)
            if self.way == "link":
                self._link(path, partial)
            else:
                _copy(path, partial)
            partial.chmod(0o444)
            partial.rename(place)
        except OSError as problem:
            raise disk_trouble(problem, place) from problem

    def _link(self, source: Path, to: Path) -> None:
        try:
            to.hardlink_to(source)
        except OSError as problem:
            if problem.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP):
                raise
            _copy(source, to)  # another file system, or one without links


def _copy(source: Path, to: Path, check: Check | None = None) -> None:
    buffer = memoryview(bytearray(READ_BYTES))
    with source.open("rb", buffering=0) as taken, to.open("wb", buffering=0) as out:
        while n := taken.readinto(buffer):
            if check is not None:
                check.update(buffer[:n])
            out.write(buffer[:n])
        os.fsync(out.fileno())

"""The members of an archive that arrived, one after the other, as bytes: zip, tar and tar.gz.

Nothing is written here, and no name of a member touches a disk. Limits hold against archives that were
made to do harm: they are counted while bytes are read, never believed from a header.
"""

from __future__ import annotations

import gzip
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from connectomedb.errors import ArchiveRefused, TooMuch
from connectomedb.objects.stores import CHUNK_BYTES
from connectomedb.vocabulary.resource_paths import member_path

_DIRECTORY_BYTES_PER_MEMBER = 400
_LONGEST_READ_BYTES = 16 * CHUNK_BYTES
_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    EOFError,
    gzip.BadGzipFile,
    NotImplementedError,
    UnicodeError,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What an archive may unpack to. The ratio counts once more than `free_bytes` were unpacked."""

    n_members: int = 100_000
    total_bytes: int = 2 * 2**40
    ratio: float = 250.0
    free_bytes: int = 256 * 2**20


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive: its checked path, and its bytes, which must be read before the next member."""

    path: str
    pieces: Iterator[bytes]


class _Count:
    """Bytes that were unpacked so far, against the limits."""

    def __init__(self, limits: Limits, archive_bytes: int) -> None:
        self._limits = limits
        self._archive_bytes = max(1, archive_bytes)
        self.n_bytes = 0
        self.n_members = 0

    def add_member(self) -> None:
        self.n_members += 1
        if self.n_members > self._limits.n_members:
            raise TooMuch(f"the archive has more than {self._limits.n_members} members; split it")

    def add_bytes(self, n: int) -> None:
        self.n_bytes += n
        if self.n_bytes > self._limits.total_bytes:
            raise TooMuch(f"the archive unpacks to more than {self._limits.total_bytes} bytes; split it")
        if self.n_bytes > self._limits.free_bytes and self.n_bytes > self._limits.ratio * self._archive_bytes:
            raise TooMuch(
                f"the archive unpacks to more than {self._limits.ratio:.0f} times its size; "
                "send such files one by one"
            )


def unpack(source: IO[bytes], size_bytes: int, limits: Limits | None = None) -> Iterator[Member]:
    """The files of an archive. Paths are checked, and none comes twice.

    Raises  ArchiveRefused for what is no archive, is damaged or encrypted, or has links or devices in it;
            BadPath for a member that would leave the resource; TooMuch when it unpacks to more than it may
    Memory  one piece, and a zip's table of contents, which is bounded by the number of members
    """
    count = _Count(limits or Limits(), size_bytes)
    source.seek(0)
    start = source.read(512)
    source.seek(0)
    if start.startswith(b"PK"):
        members = _zip_members(source, size_bytes, count, limits or Limits())
    elif start.startswith(b"\x1f\x8b") or start[257:262] == b"ustar":
        members = _tar_members(source, count, is_packed=start.startswith(b"\x1f\x8b"))
    else:
        raise ArchiveRefused("extract=true, but the body is no zip, tar or tar.gz; send it without extract")
    seen: set[str] = set()
    while True:
        with _readable():
            member = next(members, None)
        if member is None:
            break
        if member.path in seen:
            raise ArchiveRefused(f"the archive has {member.path!a} twice")
        seen.add(member.path)
        yield member
    if not seen:
        raise ArchiveRefused("the archive has no files in it")


def _zip_members(source: IO[bytes], size_bytes: int, count: _Count, limits: Limits) -> Iterator[Member]:
    _check_directory(source, size_bytes, limits)
    with zipfile.ZipFile(source) as archive:
        for info in archive.infolist():
            count.add_member()
            mode = info.external_attr >> 16
            if info.is_dir() or stat.S_ISDIR(mode):
                continue
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                raise ArchiveRefused(f"{info.filename!a} is a link or a device; only files are unpacked")
            if info.flag_bits & 0x1:
                raise ArchiveRefused(f"{info.filename!a} is encrypted; send it unencrypted")
            path = member_path(info.filename)
            with archive.open(info) as opened:
                yield Member(path, _pieces(opened, count))


def _check_directory(source: IO[bytes], size_bytes: int, limits: Limits) -> None:
    """Refuse a table of contents that would fill the memory: it is read whole."""
    tail_bytes = min(size_bytes, 65536 + 22 + 20 + 56)
    source.seek(size_bytes - tail_bytes)
    tail = source.read(tail_bytes)
    end = tail.rfind(b"PK\x05\x06")
    directory_bytes = int.from_bytes(tail[end + 12 : end + 16], "little") if end >= 0 else 0
    if directory_bytes == 0xFFFFFFFF:
        end64 = tail.rfind(b"PK\x06\x06")
        directory_bytes = int.from_bytes(tail[end64 + 40 : end64 + 48], "little") if end64 >= 0 else 2**63
    if directory_bytes > limits.n_members * _DIRECTORY_BYTES_PER_MEMBER:
        raise TooMuch(f"the archive's table of contents has {directory_bytes} bytes; split the archive")
    source.seek(0)


class _Tame:
    """A stream for tarfile that is never asked for more than a little at once: a header that says so lies."""

    def __init__(self, source: IO[bytes], count: _Count, *, is_packed: bool) -> None:
        self._source = source
        self._count = count
        self._is_packed = is_packed
        self._reached = 0

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _LONGEST_READ_BYTES:
            raise ArchiveRefused("the archive has a header larger than any header is")
        data = self._source.read(size)
        if self._is_packed:  # what is skipped by seeking is unpacked as well
            reached = self._source.tell()
            self._count.add_bytes(max(0, reached - self._reached))
            self._reached = max(self._reached, reached)
        return data

    def seek(self, position: int) -> int:
        if self._is_packed and position > self._reached + _LONGEST_READ_BYTES:
            while (at := self._source.tell()) < position:  # in steps, so that the count can end it
                if not self.read(min(CHUNK_BYTES, position - at)):
                    break
            return self._source.tell()
        return self._source.seek(position)

    def tell(self) -> int:
        return self._source.tell()


def _tar_members(source: IO[bytes], count: _Count, *, is_packed: bool) -> Iterator[Member]:
    opened = gzip.GzipFile(fileobj=source, mode="rb") if is_packed else source
    tame = _Tame(opened, count, is_packed=is_packed)  # type: ignore[arg-type]  # a GzipFile reads like any file
    with tarfile.open(fileobj=tame, mode="r:") as archive:  # type: ignore[call-overload]  # it reads, seeks and tells
        while (info := archive.next()) is not None:
            count.add_member()
            archive.members = []  # it would keep them all
            if info.isdir():
                continue
            if not info.isreg() or info.issparse():
                raise ArchiveRefused(f"{info.name!a} is a link, a device or sparse; only files are unpacked")
            path = member_path(info.name)
            content = archive.extractfile(info)
            assert content is not None
            # What a tar.gz unpacks is counted below, where it is read.
            yield Member(path, _pieces(content, None if is_packed else count))


def _pieces(source: IO[bytes], count: _Count | None) -> Iterator[bytes]:
    while True:
        with _readable():
            piece = source.read(CHUNK_BYTES)
        if not piece:
            return
        if count is not None:
            count.add_bytes(len(piece))
        yield piece


@contextmanager
def _readable() -> Iterator[None]:
    """Damage in an archive, said in our words."""
    try:
        yield
    except _BROKEN as problem:
        said = str(problem) or type(problem).__name__
        raise ArchiveRefused(f"the archive is damaged: {said}; nothing was stored") from problem

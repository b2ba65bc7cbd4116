"""Many files as one zip or tar that is sent while it is made: bytes in, bytes out, nothing kept.

Memory is a piece of a file and, for a zip, its table of contents.
"""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import RawIOBase
from typing import Literal

from connectomedb.errors import Truncated

BundleKind = Literal["zip", "tar", "tar.gz"]
# What is compressed already is stored as it is.
_PACKED = (".gz", ".zip", ".tgz", ".bz2", ".xz", ".zst", ".png", ".jpg", ".jpeg", ".mgz", ".mp4", ".pdf")
_QUICK = 1


@dataclass(frozen=True, slots=True)
class Packed:
    """A file that goes into a bundle: its path there, its size, when it was written, and how to read it."""

    path: str
    size_bytes: int
    modified: datetime
    read: Callable[[], Iterator[bytes]]


class _Pipe(RawIOBase):
    """What was written, until it is taken."""

    def __init__(self) -> None:
        self._held: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(data)  # type: ignore[call-overload]  # bytes, or a view of them
        self._held.append(piece)
        return len(piece)

    def take(self) -> bytes:
        held, self._held = self._held, []
        return b"".join(held)


def pack(files: Iterable[Packed], kind: BundleKind, level: int | None = None) -> Iterator[bytes]:
    """The bundle, piece by piece; `level` 0 to 9 says how hard to compress.

    Raises  Truncated when a file has another size than was said
    """
    return _zip(files, level) if kind == "zip" else _tar(files, kind, level)


def _zip(files: Iterable[Packed], level: int | None) -> Iterator[bytes]:
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", allowZip64=True) as archive:
        for one in files:
            info = zipfile.ZipInfo(one.path, _zip_moment(one.modified))
            info.external_attr = 0o100644 << 16
            info.file_size = one.size_bytes
            stored = level == 0 or (level is None and one.path.lower().endswith(_PACKED))
            info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            _set_level(info, _QUICK if level is None else level)
            with archive.open(info, "w", force_zip64=one.size_bytes >= 2**31) as target:
                for piece in _checked(one):
                    target.write(piece)
                    yield pipe.take()
    yield pipe.take()


def _tar(files: Iterable[Packed], kind: BundleKind, level: int | None) -> Iterator[bytes]:
    plain = _tar_pieces(files)
    if kind == "tar":
        yield from plain
        return
    squeeze = zlib.compressobj(_QUICK if level is None else level, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    yield from (squeezed for piece in plain if (squeezed := squeeze.compress(piece)))
    yield squeeze.flush()


def _tar_pieces(files: Iterable[Packed]) -> Iterator[bytes]:
    for one in files:
        info = tarfile.TarInfo(one.path)
        info.size, info.mode = one.size_bytes, 0o644
        info.mtime = int(one.modified.replace(tzinfo=UTC).timestamp())
        yield info.tobuf(tarfile.PAX_FORMAT)
        yield from _checked(one)
        yield b"\0" * (-one.size_bytes % tarfile.BLOCKSIZE)
    yield b"\0" * (2 * tarfile.BLOCKSIZE)


def _checked(one: Packed) -> Iterator[bytes]:
    n_bytes = 0
    for piece in one.read():
        n_bytes += len(piece)
        yield piece
    if n_bytes != one.size_bytes:
        raise Truncated(f"{one.path}: {n_bytes} bytes came, {one.size_bytes} were promised")


def _set_level(info: zipfile.ZipInfo, level: int) -> None:
    name = "compress_level" if hasattr(info, "compress_level") else "_compresslevel"  # its name until 3.13
    setattr(info, name, level)


def _zip_moment(moment: datetime) -> tuple[int, int, int, int, int, int]:
    year = min(2107, max(1980, moment.year))
    return (year, moment.month, moment.day, moment.hour, moment.minute, moment.second)

"""Digests that are computed while bytes go by: MD5, SHA, CRC32, CRC32C, CRC64NVME and S3's multipart ETag.

A `Promise` is what a file should be; a `Check` eats its bytes and says whether it is. CRC32C and CRC64NVME
come from `awscrt` where it is installed (`connectomedb[checksums]`), else from a table in Python, slowly.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, Protocol

from connectomedb.errors import ConfigurationError

Buffer = bytes | bytearray | memoryview
Verdict = Literal["right", "wrong", "unknown"]

READ_BYTES = 1 << 20
MIB = 1 << 20
# Sizes of parts that tools use; a multipart ETag does not say which it was.
PART_SIZES = (*(n * MIB for n in (8, 5, 16, 64, 32, 10, 15, 20, 25, 50, 100, 128, 256, 512, 6, 7, 12, 1)),)
_MULTIPART = re.compile(r"([0-9a-f]{32})-([1-9][0-9]{0,4})")
_LENGTHS = {"md5": 32, "sha1": 40, "sha256": 64, "crc32": 8, "crc32c": 8, "crc64nvme": 16}
ALGORITHMS = (*_LENGTHS, "s3-etag")
_MOST_CANDIDATES = 4


class Digest(Protocol):
    """What of a hashlib object is used here."""

    def update(self, data: Buffer, /) -> None: ...
    def hexdigest(self) -> str: ...


class Piece(Protocol):
    """The digest of some bytes out of order."""

    value: int

    def update(self, data: Buffer, /) -> None: ...


@dataclass(frozen=True, slots=True)
class Promise:
    """What a file's bytes should digest to, in lower-case hex, and who says so (`plan`, `store`)."""

    algorithm: str
    value: str
    source: str = "plan"

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.value}"


def read_promise(algorithm: str, value: str, source: str = "plan") -> Promise | None:
    """The promise in a manifest's or a store's words (hex, or base64 as HTTP headers have it); '' is none.

    Raises   ConfigurationError for an algorithm that is not known, or a value that cannot be of it
    """
    text = value.strip().strip('"')
    if not text or not algorithm:
        return None
    name = algorithm.lower().replace("-", "").replace("_", "")
    name = "s3-etag" if name in ("s3etag", "etag") else name
    if name not in ALGORITHMS:
        raise ConfigurationError(f"unknown digest {algorithm!r}; there are: {', '.join(ALGORITHMS)}")
    if name == "s3-etag":
        if not _MULTIPART.fullmatch(text.lower()):
            raise ConfigurationError(f"{value!r} is no multipart ETag (32 hex digits, -, number of parts)")
        return Promise(name, text.lower(), source)
    length = _LENGTHS[name]
    if len(text) == length and re.fullmatch(r"[0-9a-fA-F]+", text):
        return Promise(name, text.lower(), source)
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error:
        raw = b""
    if len(raw) * 2 != length:
        raise ConfigurationError(f"{value!r} is no {name} (neither {length} hex digits nor base64)")
    return Promise(name, raw.hex(), source)


def promise_of_etag(etag: str) -> Promise | None:
    """What an S3 ETag says of the body: an MD5, a multipart digest, or nothing."""
    text = etag.strip().strip('"').lower()
    if re.fullmatch(r"[0-9a-f]{32}", text):
        return Promise("md5", text, "store")
    return Promise("s3-etag", text, "store") if _MULTIPART.fullmatch(text) else None


class Check:
    """Eats the bytes of one file in order and compares with a promise."""

    def __init__(self, promise: Promise, size_bytes: int) -> None:
        self.promise = promise
        if promise.algorithm == "s3-etag":
            n_parts = int(promise.value.rsplit("-", 1)[1])
            self._digests: list[Digest] = [
                _Multipart(size) for size in possible_part_sizes(size_bytes, n_parts)
            ]
        else:
            self._digests = [new_digest(promise.algorithm)]

    def update(self, data: Buffer) -> None:
        for digest in self._digests:
            digest.update(data)

    def piece(self) -> Piece | None:
        """A digest for bytes in the middle, to be joined after those before it; None where it cannot be."""
        combine = _combine_function(self.promise.algorithm)
        return _Crc(_crc_function(self.promise.algorithm), 0) if combine else None

    def join(self, piece: Piece, n_bytes: int) -> None:
        """As if the piece's `n_bytes` had been fed to `update`."""
        combine = _combine_function(self.promise.algorithm)
        whole = self._digests[0]
        assert combine is not None
        assert isinstance(whole, _Crc)
        whole.value = combine(whole.value, piece.value, n_bytes)

    def verdict(self) -> Verdict:
        """`unknown` only for a multipart ETag whose part size was none of the usual ones."""
        if any(d.hexdigest() == self.promise.value for d in self._digests):
            return "right"
        return "unknown" if self.promise.algorithm == "s3-etag" else "wrong"

    def found(self) -> str:
        """What the bytes digest to, for a message."""
        return ", ".join(d.hexdigest() for d in self._digests) or "nothing that could be computed"


def possible_part_sizes(size_bytes: int, n_parts: int) -> tuple[int, ...]:
    """Usual part sizes that cut `size_bytes` into so many parts, the most usual first."""
    fitting = [s for s in PART_SIZES if max(1, -(-size_bytes // s)) == n_parts]
    if not fitting and n_parts > 1:
        # Tools that aim at a number of parts round up to a megabyte, of either kind, or not at all.
        least = -(-size_bytes // n_parts)
        rounded = (-(-least // MIB) * MIB, -(-least // 1_000_000) * 1_000_000, least)
        fitting = [s for s in dict.fromkeys(rounded) if -(-size_bytes // s) == n_parts]
    return tuple(fitting[:_MOST_CANDIDATES]) or ((size_bytes or 1,) if n_parts == 1 else ())


def new_digest(algorithm: str) -> Digest:
    """A fresh digest; ConfigurationError for one that is not known."""
    if algorithm in ("md5", "sha1", "sha256"):
        return hashlib.new(algorithm, usedforsecurity=False)
    if algorithm in _LENGTHS:
        return _Crc(_crc_function(algorithm), _LENGTHS[algorithm])
    raise ConfigurationError(f"unknown digest {algorithm!r}; there are: {', '.join(ALGORITHMS)}")


def digest_file(path: Path, digest: Digest | Check) -> int:
    """Feed a file to a digest, piece by piece; gives its number of bytes."""
    with path.open("rb") as source:
        return feed(source.fileno(), digest)


def feed(handle: int, digest: Digest | Check, start: int = 0, end: int | None = None) -> int:
    """Feed the bytes `start` to `end` of an open file to a digest; gives their number."""
    import os

    at = start
    buffer = memoryview(bytearray(READ_BYTES))
    while end is None or at < end:
        wanted = READ_BYTES if end is None else min(READ_BYTES, end - at)
        n = os.preadv(handle, [buffer[:wanted]], at)
        if not n:
            break
        digest.update(buffer[:n])
        at += n
    return at - start


class _Crc:
    def __init__(self, function: Callable[[Buffer, int], int], length: int) -> None:
        self._function, self._length, self.value = function, length, 0

    def update(self, data: Buffer) -> None:
        self.value = self._function(data, self.value)

    def hexdigest(self) -> str:
        return f"{self.value:0{self._length}x}"


class _Multipart:
    """The MD5 of the parts' MD5s, and their number: `<hex>-<n>`."""

    def __init__(self, part_bytes: int) -> None:
        self._part_bytes = part_bytes
        self._done: list[bytes] = []
        self._part = hashlib.md5(usedforsecurity=False)
        self._room = part_bytes

    def update(self, data: Buffer) -> None:
        view = memoryview(data)
        while len(view):
            taken = view[: self._room]
            self._part.update(taken)
            self._room -= len(taken)
            view = view[len(taken) :]
            if not self._room:
                self._close_part()

    def hexdigest(self) -> str:
        parts = list(self._done)
        if self._room < self._part_bytes or not parts:
            parts.append(self._part.digest())
        return f"{hashlib.md5(b''.join(parts), usedforsecurity=False).hexdigest()}-{len(parts)}"

    def _close_part(self) -> None:
        self._done.append(self._part.digest())
        self._part = hashlib.md5(usedforsecurity=False)
        self._room = self._part_bytes


@cache
def _crc_function(algorithm: str) -> Callable[[Buffer, int], int]:
    if algorithm == "crc32":
        return zlib.crc32
    try:
        from awscrt import checksums
    except ImportError:
        return table_crc(*_POLYNOMIALS[algorithm])
    found: Callable[[Buffer, int], int] = getattr(checksums, algorithm)
    return found


def is_slow(algorithm: str) -> bool:
    """True for a digest that is computed byte by byte here, for lack of its library."""
    return algorithm in _POLYNOMIALS and _combine_function(algorithm) is None


@cache
def _combine_function(algorithm: str) -> Callable[[int, int, int], int] | None:
    """The CRC of two blocks from the CRC of each and the length of the second."""
    if algorithm not in ("crc32", *_POLYNOMIALS):
        return None
    try:
        from awscrt import checksums
    except ImportError:
        return None
    found: Callable[[int, int, int], int] = getattr(checksums, f"combine_{algorithm}")
    return found


# Reflected polynomial and width: Castagnoli's, and the one of the NVM Express specification.
_POLYNOMIALS = {"crc32c": (0x82F63B78, 32), "crc64nvme": (0x9A6C9329AC4BC9B5, 64)}


def table_crc(polynomial: int, width: int) -> Callable[[Buffer, int], int]:
    """A reflected CRC with all bits set before and inverted after, one table look-up per byte."""
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (polynomial if value & 1 else 0)
        table.append(value)
    every_bit = (1 << width) - 1

    def crc(data: Buffer, before: int) -> int:
        value = before ^ every_bit
        for byte in memoryview(data).cast("B"):
            value = table[(value ^ byte) & 0xFF] ^ (value >> 8)
        return value ^ every_bit

    return crc

"""What is known to be right on disk: digests, and the journal of verified files.

The journal lies in the target folder (`.connectomedb/verified.jsonl`), one line per verified file with its
size and modification time; a file that changed since is unknown again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Protocol

from connectomedb.errors import ConfigurationError

ALGORITHMS = ("md5", "sha256", "sha1")
_READ_BYTES = 1 << 20


class Digest(Protocol):
    """What of a hashlib object is used here."""

    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """One file on disk against what was promised: verified, mismatched, missing or uncovered."""

    target: str
    status: str
    detail: str = ""


def new_digest(algorithm: str) -> Digest:
    """A fresh digest; ConfigurationError for one that manifests do not use."""
    if algorithm not in ALGORITHMS:
        raise ConfigurationError(f"unknown digest {algorithm!r}; there are: {', '.join(ALGORITHMS)}")
    return hashlib.new(algorithm, usedforsecurity=False)


def digest_file(path: Path, digest: Digest) -> int:
    """Feed a file to a digest, piece by piece; gives its number of bytes."""
    n_bytes = 0
    with path.open("rb") as source:
        while piece := source.read(_READ_BYTES):
            digest.update(piece)
            n_bytes += len(piece)
    return n_bytes


def verify_file(path: Path, target: str, size_bytes: int, algorithm: str, digest: str) -> Verdict:
    """Read one file and compare size and digest."""
    if not path.is_file():
        return Verdict(target, "missing", "no such file")
    if path.stat().st_size != size_bytes:
        return Verdict(target, "mismatched", f"{path.stat().st_size} bytes, promised are {size_bytes}")
    if not digest:
        return Verdict(target, "uncovered", "no digest was promised")
    running = new_digest(algorithm)
    digest_file(path, running)
    if running.hexdigest() != digest:
        return Verdict(target, "mismatched", f"{algorithm} {running.hexdigest()}, promised is {digest}")
    return Verdict(target, "verified")


def part_of(path: Path) -> Path:
    """The temporary name of a file that is not whole yet."""
    return path.with_name(f".{path.name}.part")


class Journal:
    """Which files of a folder were verified, and against which digest. Reading tolerates a torn last line."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / ".connectomedb" / "verified.jsonl"
        self._lock = Lock()
        self._known: dict[str, tuple[str, int, int]] = {}
        if self._path.is_file():
            for line in self._path.read_text("utf-8").splitlines():
                self._take(line)

    def knows(self, target: str, path: Path, digest: str) -> bool:
        """True when this very file (size and modification time) was verified against this digest."""
        facts = path.stat()
        return self._known.get(target) == (digest, facts.st_size, facts.st_mtime_ns)

    def note(self, target: str, path: Path, digest: str) -> None:
        """Remember that the file at `path` is right. Losing a line only costs a second look."""
        facts = path.stat()
        entry = (digest, facts.st_size, facts.st_mtime_ns)
        with self._lock:
            self._known[target] = entry
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as out:
                out.write(json.dumps([target, *entry]) + "\n")

    def _take(self, line: str) -> None:
        try:
            target, digest, size, mtime = json.loads(line)
        except ValueError:
            return  # the last line of a process that was killed while writing it
        self._known[target] = (digest, size, mtime)


def all_right(verdicts: Iterable[Verdict]) -> bool:
    """True when no file is mismatched or missing."""
    return all(v.status in ("verified", "uncovered") for v in verdicts)

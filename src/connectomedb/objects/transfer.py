"""Runs a plan: in parallel, resumable, with bounded memory, every byte counted and digested on its way.

A file is written under a temporary name in its target's folder and renamed only when size and digest are
right and the bytes are on the disk. Interrupted, it leaves `.part` files that the next run goes on from.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import BinaryIO, Literal

from connectomedb.errors import ChecksumMismatch, DiskFull, ObjectMissing, TransferError, Truncated
from connectomedb.objects.plan import PlannedFile, TransferPlan, safe_target
from connectomedb.objects.stores import ObjectStore, open_store
from connectomedb.objects.verify import Digest, Journal, digest_file, new_digest, part_of

Status = Literal["verified", "uncovered", "kept", "mismatched", "missing", "failed"]
RIGHT: frozenset[str] = frozenset({"verified", "uncovered", "kept"})


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is; sizes in bytes."""

    n_done: int
    n_files: int
    done_bytes: int
    total_bytes: int
    target: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file."""

    file: PlannedFile
    status: Status
    fetched_bytes: int = 0
    error: TransferError | None = None


@dataclass(frozen=True, slots=True)
class TransferReport:
    """One outcome per file, in the order of the plan."""

    outcomes: tuple[Outcome, ...]
    absent_subjects: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def counts(self) -> dict[str, int]:
        """How many files ended in which status."""
        found: dict[str, int] = {}
        for outcome in self.outcomes:
            found[outcome.status] = found.get(outcome.status, 0) + 1
        return found

    @property
    def fetched_bytes(self) -> int:
        """Bytes that crossed the wire."""
        return sum(o.fetched_bytes for o in self.outcomes)

    @property
    def failures(self) -> tuple[Outcome, ...]:
        return tuple(o for o in self.outcomes if o.status not in RIGHT)

    @property
    def ok(self) -> bool:
        """True when every file is here and nothing contradicts it."""
        return not self.failures

    def raise_for_failures(self) -> None:
        """Raise the first trouble, with the number of the others."""
        if not self.failures:
            return
        first = self.failures[0].error
        assert first is not None
        if len(self.failures) == 1:
            raise first
        raise type(first)(f"{first} (and {len(self.failures) - 1} more of {len(self.outcomes)} files)")

    def summary(self) -> str:
        """One line for a person."""
        parts = ", ".join(f"{n} {status}" for status, n in self.counts.items()) or "no files"
        absent = f"; not on the mirror: {', '.join(self.absent_subjects)}" if self.absent_subjects else ""
        return f"{parts}{absent}"


def run_plan(
    plan: TransferPlan,
    store: ObjectStore | None = None,
    *,
    parallel: int = 8,
    progress: Callable[[Progress], None] | None = None,
) -> TransferReport:
    """Bring every file of the plan over, `parallel` at a time, from `store` or from the plan's own location.

    Trouble with one file does not stop the others; it is in the report. A full disk stops the run.
    Memory   about one megabyte per parallel transfer
    Raises   DiskFull; ConfigurationError for a location that cannot be opened; KeyboardInterrupt, once the
             workers have stopped
    """
    started = time.monotonic()
    root = Path(plan.folder)
    journal, stop = Journal(root), Event()
    outcomes: list[Outcome | None] = [None] * plan.n_files
    done_bytes, n_done = 0, 0

    def finish(position: int, outcome: Outcome) -> None:
        nonlocal done_bytes, n_done
        outcomes[position] = outcome
        n_done += 1
        done_bytes += outcome.file.size_bytes
        if progress:
            progress(Progress(n_done, plan.n_files, done_bytes, plan.size_bytes, outcome.file.target))

    waiting = enumerate(plan.files)
    running: dict[Future[Outcome], int] = {}
    pool = ThreadPoolExecutor(max(1, parallel), thread_name_prefix="transfer")
    try:
        while True:
            for position, file in waiting:
                if file.action == "keep":
                    finish(position, Outcome(file, "kept"))
                    continue
                store = store or open_store(plan.location)
                running[pool.submit(_bring, file, store, root, journal, stop)] = position
                if len(running) >= 2 * parallel:
                    break
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                finish(running.pop(future), future.result())
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)
    ended = tuple(o for o in outcomes if o is not None)
    return TransferReport(ended, plan.absent_subjects, time.monotonic() - started)


def _bring(file: PlannedFile, store: ObjectStore, root: Path, journal: Journal, stop: Event) -> Outcome:
    try:
        n_bytes = _fetch(file, store, root, journal, stop)
    except DiskFull:
        raise
    except ChecksumMismatch as trouble:
        return Outcome(file, "mismatched", error=trouble)
    except ObjectMissing as trouble:
        return Outcome(file, "missing", error=trouble)
    except TransferError as trouble:
        return Outcome(file, "failed", error=trouble)
    return Outcome(file, "verified" if file.digest else "uncovered", n_bytes)


def _fetch(file: PlannedFile, store: ObjectStore, root: Path, journal: Journal, stop: Event) -> int:
    """Fetch, verify and rename one file; gives the bytes that crossed the wire."""
    path = root / safe_target(file.target)
    part = part_of(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = new_digest(file.algorithm) if file.digest else None
    have = _resumable(part, file, digest)
    fetched = 0
    with _opened(part, append=have > 0) as out:
        # A whole `.part` needs no request, and a range that starts at the end would be refused.
        pieces = store.stream(file.key, have) if have < file.size_bytes or not file.size_bytes else iter(())
        for piece in _until(stop, pieces):
            _write(out, piece, part)
            fetched += len(piece)
            if digest:
                digest.update(piece)
            if have + fetched > file.size_bytes:
                break
        _sync(out, part)
    _compare(file, part, have + fetched, digest)
    part.replace(path)
    _sync_folder(path.parent)
    if file.digest:
        journal.note(file.target, path, file.digest)
    return fetched


def _resumable(part: Path, file: PlannedFile, digest: Digest | None) -> int:
    """Bytes of an earlier try that can be gone on from, fed to the digest; without one, none."""
    if digest is None or not part.is_file() or part.stat().st_size > file.size_bytes:
        return 0
    return digest_file(part, digest)


def _compare(file: PlannedFile, part: Path, n_bytes: int, digest: Digest | None) -> None:
    if n_bytes < file.size_bytes:
        raise Truncated(
            f"{file.key}: {n_bytes} of {file.size_bytes} bytes came; run again to go on from there"
        )
    found = digest.hexdigest() if digest else file.digest
    if n_bytes > file.size_bytes or found != file.digest:
        part.unlink()
        what = (
            f"{file.algorithm} {found}"
            if n_bytes == file.size_bytes
            else f"more than {file.size_bytes} bytes"
        )
        raise ChecksumMismatch(
            f"{file.key}: got {what}, promised was {file.digest or file.size_bytes}; nothing was kept"
        )


def _until(stop: Event, pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        if stop.is_set():
            raise TransferError("stopped before the end; run again to go on from there")
        yield piece


def _opened(part: Path, *, append: bool) -> BinaryIO:
    try:
        return part.open("ab" if append else "wb")
    except OSError as problem:
        raise _disk_trouble(problem, part) from problem


def _write(out: BinaryIO, piece: bytes, part: Path) -> None:
    try:
        out.write(piece)
    except OSError as problem:
        raise _disk_trouble(problem, part) from problem


def _sync(out: BinaryIO, part: Path) -> None:
    try:
        out.flush()
        os.fsync(out.fileno())
    except OSError as problem:
        raise _disk_trouble(problem, part) from problem


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _disk_trouble(problem: OSError, part: Path) -> TransferError:
    if problem.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return DiskFull(f"no room left for {part}: {problem.strerror}; free some and run again")
    return TransferError(f"cannot write {part}: {problem.strerror}")

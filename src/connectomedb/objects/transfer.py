"""Runs a plan: in parallel, resumable, with bounded memory, every byte counted and digested on its way.

A file is written under a temporary name and gets its own only when size and digest are right and the bytes
are on the disk. Interrupted, a run leaves parts that the next one goes on from.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from threading import Condition, Event, Thread

from connectomedb.errors import (
    ChecksumMismatch,
    ConnectomeDBError,
    CredentialsExpired,
    DiskFull,
    ObjectChanged,
    Stalled,
    StoreBusy,
    TargetRefused,
    TransferError,
    Truncated,
)
from connectomedb.objects.cache import ContentCache
from connectomedb.objects.digests import Check, feed
from connectomedb.objects.fetch import (
    BUFFER_BYTES,
    Place,
    SegmentedFetch,
    Stopped,
    WholeFetch,
)
from connectomedb.objects.journal import FolderLock, Journal, Parts
from connectomedb.objects.plan import PlannedFile, TransferPlan
from connectomedb.objects.report import RIGHT, Outcome, Progress, Status, TransferReport, status_of
from connectomedb.objects.settle import Names, Ready, Settler
from connectomedb.objects.sources import Reader, Source
from connectomedb.objects.stores import ObjectStore, RangesIgnored, open_store
from connectomedb.objects.targets import (
    STATE,
    TargetFolder,
    disk_trouble,
    merges_names,
    trouble_with,
    twin_of,
)
from connectomedb.objects.wire import NotTrusted

SEGMENT_BYTES = 1 << 24
_REPORT_EVERY_S = 0.1
_ENDS = (DiskFull, CredentialsExpired, NotTrusted)  # what every other file would meet, too
_MOST_STARTS = 3


def run_plan(
    plan: TransferPlan,
    store: ObjectStore | None = None,
    *,
    parallel: int = 8,
    progress: Callable[[Progress], None] | None = None,
    cache: ContentCache | None = None,
    segment_bytes: int = SEGMENT_BYTES,
) -> TransferReport:
    """Bring every file of the plan over, `parallel` at a time, from `store` or from the plan's own location.

    Trouble with one file does not stop the others; it is in the report. A full disk, expired credentials and
    a store that answers nobody end the run: the report says so of every file that was not tried.
    Memory   a quarter of a megabyte per parallel transfer, and the plan
    Raises   FolderInUse; DiskFull before anything is moved; ConfigurationError for a location that cannot be
             opened; KeyboardInterrupt, once the workers have stopped
    """
    started = time.monotonic()
    root = Path(plan.folder)
    space = plan.space()
    if not space.enough:
        raise DiskFull(
            f"{root} needs {space.needed_bytes} bytes, {space.free_bytes} are free; nothing was moved"
        )
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise disk_trouble(problem, root) from problem
    with FolderLock(root, plan.part):
        run = _Run(plan, store, parallel, cache, segment_bytes)
        try:
            outcomes = run.all(progress)
        finally:
            run.close()
    return TransferReport(outcomes, plan.absent_subjects, time.monotonic() - started)


class _Run:
    """The threads of one run, and what they share."""

    def __init__(
        self,
        plan: TransferPlan,
        store: ObjectStore | None,
        parallel: int,
        cache: ContentCache | None,
        segment_bytes: int,
    ) -> None:
        self._plan = plan
        self._parallel = max(1, parallel)
        self._segment_bytes = max(1, segment_bytes)
        root = Path(plan.folder)
        self._twins = _keep_plan(plan, root)
        needs_store = any(f.action not in ("keep", "refuse", "folder") for f in plan.files)
        self._store = (store or open_store(plan.location)) if needs_store else None
        self._source = Source(self._store) if self._store else None
        self._place = Place(
            TargetFolder(root),
            Parts(root),
            Journal(root, plan.part),
            Event(),
            self._store.patience if self._store else open_store("memory://").patience,
        )
        self._cache = cache
        self._names = Names(self._place.folder, self._place.journal, cache)
        self._settler = Settler(self._names, self._place.parts.folder, self._settled_file)
        if not plan.part:
            self._place.parts.sweep()
        self._lock = Condition()
        self._files = iter(enumerate(plan.files))
        self._again: deque[tuple[int, PlannedFile, int, bool]] = deque()
        self._segmented: dict[SegmentedFetch, tuple[int, int]] = {}
        self._outcomes: list[Outcome | None] = [None] * plan.n_files
        self._n_done, self._done_bytes, self._last_target = 0, 0, ""
        self._live: dict[int, WholeFetch] = {}
        self._ended: ConnectomeDBError | None = None
        self._n_barren = 0

    def all(self, progress: Callable[[Progress], None] | None) -> tuple[Outcome, ...]:
        """Run to the end; one outcome per file."""
        n_threads = min(self._parallel, max(1, self._n_jobs()))
        threads = [Thread(target=self._work, name=f"transfer-{i}", daemon=True) for i in range(n_threads)]
        meter = _Meter(self._plan)
        try:
            for thread in threads:
                thread.start()
            while any(t.is_alive() for t in threads):
                with self._lock:
                    self._lock.wait(_REPORT_EVERY_S)
                if progress:
                    progress(meter.read(*self._so_far()))
        finally:
            self._place.stop.set()
            if self._source and any(t.is_alive() for t in threads):
                self._source.abort()
            for thread in threads:
                thread.join()
            self._settler.close()
        if progress:
            progress(meter.read(*self._so_far()))
        reason = self._ended or TransferError("a worker ended early; run again")
        return tuple(
            o or Outcome(f, status_of(reason), error=reason, detail="not tried")
            for f, o in zip(self._plan.files, self._outcomes, strict=True)
        )

    def close(self) -> None:
        """Make names and journal durable."""
        for segmented in self._segmented:
            segmented.close()
        try:
            self._place.folder.sync()
        finally:
            self._place.journal.close()
            self._place.folder.close()

    def _n_jobs(self) -> int:
        per_file = (-(-f.size_bytes // self._segment_bytes) or 1 for f in self._plan.files)
        return sum(per_file)

    def _so_far(self) -> tuple[int, int, str]:
        with self._lock:
            live = sum(f.fetched_bytes for f in self._live.values())
            live += sum(s.done_bytes for s in self._segmented)
            return self._n_done, self._done_bytes + live, self._last_target

    def _work(self) -> None:
        reader = self._source.reader() if self._source else None
        buffer = memoryview(bytearray(BUFFER_BYTES))
        try:
            while not self._place.stop.is_set():
                job = self._next()
                if job is None:
                    break
                if isinstance(job, SegmentedFetch):
                    assert reader is not None
                    self._fetch_segment(job, reader, buffer)
                else:
                    self._do(*job, reader, buffer)
        finally:
            if reader:
                reader.close()
            with self._lock:
                self._lock.notify_all()

    def _next(self) -> SegmentedFetch | tuple[int, PlannedFile, int, bool] | None:
        """What to do next: files before segments, but only few large files at a time."""
        with self._lock:
            if self._ended is not None:
                return None
            open_ones = [s for s in self._segmented if s.has_work]
            if len(open_ones) < max(1, self._parallel // 4):
                if self._again:
                    return self._again.popleft()
                for position, file in self._files:
                    return position, file, 0, False
            if open_ones:
                return min(open_ones, key=lambda s: s.n_running)
            return self._again.popleft() if self._again else None

    def _do(
        self,
        position: int,
        file: PlannedFile,
        starts: int,
        whole: bool,
        reader: Reader | None,
        buffer: memoryview,
    ) -> None:
        try:
            outcome = self._without_store(file)
            if outcome is not None:
                self._finish(position, outcome)
                return
            if reader is None:
                raise TransferError(f"{file.target} changed since the plan was made; make the plan anew")
            if file.size_bytes > self._segment_bytes and not whole:
                segmented = SegmentedFetch(file, self._place, self._segment_bytes)
                if segmented.begin(reader):
                    self._join(segmented, position, starts, reader, buffer)
                    return
            fetch = WholeFetch(file, self._place)
            with self._lock:
                self._live[position] = fetch
            try:
                self._settler.add(position, fetch.run(reader, buffer))
            finally:
                fetch.close()
        except ConnectomeDBError as trouble:
            self._fail(position, file, trouble)

    def _without_store(self, file: PlannedFile) -> Outcome | None:
        """The outcome of a file that needs no store; None for one that does.

        Raises   what is wrong with the target
        """
        trouble = trouble_with(file.target.rstrip("/") if file.action == "folder" else file.target)
        if file.action == "refuse" or trouble:
            raise TargetRefused(f"{file.key!r} was refused: {trouble or file.reason}")
        if file.target in self._twins:
            raise TargetRefused(
                f"{file.key!r} was refused: here, its name is that of {self._twins[file.target]!r}, too"
            )
        if file.action == "folder":
            self._place.folder.make_folder(file.target.rstrip("/"))
            return Outcome(file, "verified", detail="a folder")
        if file.action == "keep":
            return self._kept(file)
        if file.action == "check":
            return self._checked(file)
        if file.action == "take":
            return self._taken(file)
        return None

    def _kept(self, file: PlannedFile) -> Outcome | None:
        facts = self._place.folder.stat(file.target)
        if facts is None or facts.st_size != file.size_bytes:
            return None  # it was there when the plan was made, and is no longer
        known = self._place.journal.digest_of(file.target, facts) or ""
        if file.digest and known != str(file.promise):
            return self._checked(file)
        status: Status = "kept" if known else "uncovered"
        return Outcome(file, status, covered_by=known, detail=file.reason)

    def _checked(self, file: PlannedFile) -> Outcome | None:
        """Read a file that is here; None when it is not the promised one."""
        promise = file.promise
        if promise is None:
            return None
        try:
            handle = self._place.folder.open_file(file.target)
        except FileNotFoundError:
            return None
        try:
            facts = os.fstat(handle)
            check = Check(promise, file.size_bytes)
            if facts.st_size != file.size_bytes or feed(handle, check) != file.size_bytes:
                return None
        finally:
            os.close(handle)
        if check.verdict() != "right":
            return None
        self._place.journal.note(file.target, str(promise), facts)
        return Outcome(file, "kept", covered_by=str(promise), detail="verified here")

    def _taken(self, file: PlannedFile) -> Outcome | None:
        """Take a file from the cache; None when the cache's file is gone or wrong."""
        promise, cache = file.promise, self._cache
        if promise is None or cache is None or not cache.has(promise, file.size_bytes):
            return None
        part = self._place.parts.path(file.target, "")
        try:
            cache.take(promise, file.size_bytes, part)
        except ChecksumMismatch:
            return None
        facts = part.stat()
        self._place.folder.move_in(part, file.target)
        self._place.journal.note(file.target, str(promise), facts)
        return Outcome(file, "verified", covered_by=str(promise), detail=f"{cache.way} from the cache")

    def _join(
        self, segmented: SegmentedFetch, position: int, starts: int, reader: Reader, buffer: memoryview
    ) -> None:
        """Open a large file to all threads, beginning with this one."""
        if not segmented.has_work:
            self._end_segmented(segmented, position, starts)
            return
        with self._lock:
            self._segmented[segmented] = (position, starts)
        self._fetch_segment(segmented, reader, buffer)

    def _fetch_segment(self, segmented: SegmentedFetch, reader: Reader, buffer: memoryview) -> None:
        i = segmented.take()
        if i is None:
            return
        segmented.fetch(reader, buffer, i)
        if segmented.leave():
            with self._lock:
                found = self._segmented.pop(segmented, None)
            if found is not None:
                self._end_segmented(segmented, *found)

    def _end_segmented(self, segmented: SegmentedFetch, position: int, starts: int) -> None:
        """The last thread on a large file names it, or begins it anew where that is of use."""
        file = segmented.file
        try:
            ready = segmented.end()
            self._names.give(ready)
            segmented.named()
            self._finish(position, _outcome(ready))
        except (ChecksumMismatch, ObjectChanged, RangesIgnored) as trouble:
            useful = isinstance(trouble, RangesIgnored) or (
                starts < 1 if isinstance(trouble, ChecksumMismatch) else segmented.may_restart()
            )
            segmented.discard()
            if not useful or starts + 1 >= _MOST_STARTS:
                self._fail(position, file, trouble, segmented.fetched_bytes)
                return
            with self._lock:
                self._again.append((position, file, starts + 1, isinstance(trouble, RangesIgnored)))
        except ConnectomeDBError as trouble:
            self._fail(position, file, trouble, segmented.fetched_bytes)
        finally:
            segmented.close()

    def _settled_file(self, position: int, ready: Ready, trouble: ConnectomeDBError | None) -> None:
        if trouble is None:
            self._finish(position, _outcome(ready))
        else:
            self._fail(position, ready.file, trouble)

    def _finish(self, position: int, outcome: Outcome) -> None:
        with self._lock:
            self._live.pop(position, None)
            self._outcomes[position] = outcome
            self._n_done += 1
            self._done_bytes += outcome.file.size_bytes
            self._last_target = outcome.file.target
            if outcome.fetched_bytes:
                self._n_barren = 0

    def _fail(self, position: int, file: PlannedFile, trouble: ConnectomeDBError, moved: int = 0) -> None:
        if isinstance(trouble, Stopped) and self._ended is not None:
            trouble = self._ended
        with self._lock:
            fetch = self._live.get(position)
        moved += fetch.fetched_bytes if fetch else 0
        self._finish(position, Outcome(file, status_of(trouble), moved, trouble))
        unanswered = type(trouble) is TransferError or isinstance(trouble, StoreBusy | Stalled | Truncated)
        with self._lock:
            self._n_barren = self._n_barren + 1 if unanswered and not moved else 0
            gone = self._n_barren >= 4 * self._parallel
            if self._ended is not None or not (isinstance(trouble, _ENDS) or gone):
                return
            self._ended = trouble  # nothing new is begun
        if not isinstance(trouble, CredentialsExpired):  # answers that have begun come to their end
            self._place.stop.set()
            if self._source:
                self._source.abort()


class _Meter:
    """Rate and time left, from the last seconds."""

    def __init__(self, plan: TransferPlan) -> None:
        self._n_files, self._total = plan.n_files, plan.size_bytes
        self._seen: deque[tuple[float, int]] = deque(maxlen=50)

    def read(self, n_done: int, done_bytes: int, target: str) -> Progress:
        self._seen.append((time.monotonic(), done_bytes))
        (then, before), (now, _) = self._seen[0], self._seen[-1]
        rate = max(0.0, (done_bytes - before) / (now - then)) if now > then else 0.0
        left = (self._total - done_bytes) / rate if rate else None
        return Progress(n_done, self._n_files, done_bytes, self._total, target, rate, left)


def _outcome(ready: Ready) -> Outcome:
    covered = str(ready.covered_by or "")
    status: Status = "verified" if covered else "uncovered"
    return Outcome(ready.file, status, ready.fetched_bytes, None, covered, ready.detail)


def _keep_plan(plan: TransferPlan, root: Path) -> dict[str, str]:
    """Write the plan into the folder's state, for `verify`; gives the targets that others would hide."""
    state = root / STATE
    text = plan.to_json().encode()
    name = hashlib.sha256(
        "\0".join([plan.location, *(f.target for f in plan.files)]).encode("utf-8", "replace")
    )
    path = state / "plans" / f"{name.hexdigest()[:16]}.json"
    try:
        (state / "parts").mkdir(parents=True, exist_ok=True)
        path.parent.mkdir(exist_ok=True)
        partial = path.with_suffix(".part")
        partial.write_bytes(text)
        partial.replace(path)
        blind = merges_names(state)
    except OSError as problem:
        raise disk_trouble(problem, state) from problem
    if not blind:
        return {}
    first: dict[str, str] = {}
    return {
        f.target: other
        for f in plan.files
        if (other := first.setdefault(twin_of(f.target), f.target)) != f.target
    }


__all__ = [
    "RIGHT",
    "SEGMENT_BYTES",
    "Outcome",
    "Progress",
    "TransferReport",
    "run_plan",
]

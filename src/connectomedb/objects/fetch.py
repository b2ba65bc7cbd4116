"""Brings one file over: whole in one answer, or in segments by several threads; verified before it is named.

A part is named after the ETag that it was begun with, and is only gone on from with `If-Match`, so that
bytes of two objects never meet in one file.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock

from connectomedb.errors import (
    ChecksumMismatch,
    ConnectomeDBError,
    ObjectChanged,
    Stalled,
    StoreBusy,
    TransferError,
    Truncated,
)
from connectomedb.objects.digests import Check, Piece, feed, is_slow, promise_of_etag
from connectomedb.objects.journal import Journal, Parts, SegmentList
from connectomedb.objects.plan import PlannedFile
from connectomedb.objects.settle import Ready
from connectomedb.objects.sources import Body, ObjectFacts, Reader
from connectomedb.objects.stores import Patience, RangesIgnored
from connectomedb.objects.targets import TargetFolder, disk_trouble

BUFFER_BYTES = 1 << 18
_ENOUGH_PROGRESS_BYTES = 1 << 20
_MOST_RESTARTS = 3


class Stopped(TransferError):
    """The run ends; the file is gone on from by the next one."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where files go and what is remembered of them; shared by all threads of a run."""

    folder: TargetFolder
    parts: Parts
    journal: Journal
    stop: Event
    patience: Patience


class Tries:
    """Counts the tries in a row that brought next to nothing, and waits between them."""

    def __init__(self, patience: Patience, stop: Event) -> None:
        self._patience, self._stop = patience, stop
        self._n = 0

    def again(self, trouble: ConnectomeDBError, brought_bytes: int) -> None:
        """Wait until it is time to try again; raises `trouble` when it is of no use or was tried enough."""
        if self._stop.is_set():
            raise Stopped("stopped before the end; run again to go on from there") from trouble
        if not (isinstance(trouble, StoreBusy | Stalled | Truncated) or type(trouble) is TransferError):
            raise trouble
        patience = self._patience
        self._n = 1 if brought_bytes >= _ENOUGH_PROGRESS_BYTES else self._n + 1
        if self._n > patience.retries:
            raise trouble
        wait = patience.first_wait_s * 2.0 ** (self._n - 1) * random.uniform(0.5, 1)  # noqa: S311 - no secret
        asked = trouble.retry_after_s if isinstance(trouble, StoreBusy) else None
        if self._stop.wait(min(max(wait, asked or 0.0), patience.longest_wait_s)):
            raise Stopped("stopped before the end; run again to go on from there") from trouble


class FileFetch:
    """What both ways of fetching one file share: the promise, the pin, the part, and the end."""

    def __init__(self, file: PlannedFile, place: Place) -> None:
        self.file = file
        self.place = place
        self.fetched_bytes = 0
        self.promise = file.promise
        # A multipart ETag in the plan is a version, too: nothing but that one is wanted.
        self._planned_pin = f'"{file.digest}"' if self.promise and self.promise.algorithm == "s3-etag" else ""
        self.pin = self._planned_pin
        self.path = Path()
        self.handle = -1
        self.check: Check | None = None

    def agree(self, facts: ObjectFacts) -> None:
        """Compare what the store says with the plan, and choose what verifies the bytes.

        Raises   ObjectChanged, or StoreBusy for a page in place of the object
        """
        size = self.file.size_bytes
        if facts.is_page and (facts.size_bytes != size or self.promise is None):
            raise StoreBusy(f"{self.file.key}: the store sends a page (HTML or XML) instead of the object")
        if facts.size_bytes != size:
            raise ObjectChanged(f"{self.file.key}: {facts.size_bytes} bytes now, the plan says {size}")
        if self.pin and facts.pin != self.pin:
            raise ObjectChanged(f"{self.file.key}: its ETag is {facts.pin} now, it was {self.pin}")
        self.pin = facts.pin
        promise = self.promise
        if promise and not facts.etag_is_digest and promise.value == facts.pin.strip('"').lower():
            promise = None  # an encrypted object's ETag looks like an MD5 and is none
        self.promise = promise or min(facts.promises, key=lambda p: is_slow(p.algorithm), default=None)

    def may_restart(self) -> bool:
        """True when another version of the object may be what is wanted: the plan does not name one."""
        return bool(self.pin) and not self._planned_pin

    def open_part(self, *, size_bytes: int = 0) -> None:
        """Open the part that belongs to the pin; `size_bytes` makes room for segments."""
        path = self.place.parts.path(self.file.target, self.pin)
        try:
            self.handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
            if size_bytes:
                os.ftruncate(self.handle, size_bytes)
        except OSError as problem:
            raise disk_trouble(problem, self.file.target) from problem
        self.path = path

    def write(self, view: memoryview, at: int) -> None:
        """All of `view` into the part."""
        try:
            while len(view):
                n = os.pwrite(self.handle, view, at)
                view, at = view[n:], at + n
        except OSError as problem:
            raise disk_trouble(problem, self.file.target) from problem

    def close(self) -> None:
        if self.handle >= 0:
            os.close(self.handle)
            self.handle = -1

    def discard(self) -> None:
        """Throw away what came."""
        self.close()
        self.place.parts.forget(self.file.target)
        if self.path.name:
            self.path.unlink(missing_ok=True)
            SegmentList(self.path).remove()
        self.pin, self.check, self.promise = self._planned_pin, None, self.file.promise

    def finish(self, *, flush: bool) -> Ready:
        """Judge the bytes; with `flush` make them durable at once.

        Raises   ChecksumMismatch, when nothing is kept; DiskFull
        """
        verdict = self.check.verdict() if self.check else "unknown"
        if verdict == "wrong":
            assert self.check is not None
            found, promise = self.check.found(), self.check.promise
            self.discard()
            raise ChecksumMismatch(
                f"{self.file.key}: got {promise.algorithm} {found}, the {promise.source} promised "
                f"{promise.value}; nothing was kept"
            )
        covered = self.promise if verdict == "right" else None
        try:
            if flush:
                os.fsync(self.handle)
            facts = os.fstat(self.handle)
        except OSError as problem:
            raise disk_trouble(problem, self.file.target) from problem
        finally:
            self.close()
        detail = ""
        if covered is None and self.promise is not None:
            detail = f"the parts of the multipart ETag {self.promise.value} are of an unusual size"
        return Ready(self.file, self.path, facts, self.fetched_bytes, covered, detail)


class WholeFetch(FileFetch):
    """One file in one answer, gone on from where it broke."""

    def run(self, reader: Reader, buffer: memoryview) -> Ready:
        """Fetch and verify. Raises what cannot be cured by trying again."""
        tries, restarts = Tries(self.place.patience, self.place.stop), 0
        have = self._begun()
        while True:
            before = self.fetched_bytes
            try:
                self._once(reader, buffer, have)
                return self.finish(flush=False)
            except ObjectChanged:
                restarts += 1
                if not self.may_restart() or restarts > _MOST_RESTARTS:
                    raise
                self.discard()
                have = 0
            except (ChecksumMismatch, RangesIgnored):
                restarts += 1
                if restarts > 1:
                    raise
                have = 0
            except ConnectomeDBError as trouble:
                tries.again(trouble, self.fetched_bytes - before)
                have = os.fstat(self.handle).st_size if self.handle >= 0 else have

    def _begun(self) -> int:
        """Take up the part of an earlier run, when it can be; gives its bytes."""
        begun = self.place.parts.begun(self.file.target)
        if begun is None:
            return 0
        path, pin = begun
        have = path.stat().st_size
        # After a power failure a part may hold what never came: only a digest shows it.
        covered = self.promise is not None or promise_of_etag(pin) is not None
        other = bool(self._planned_pin) and pin not in ("", self.pin)
        if not covered or other or have > self.file.size_bytes or SegmentList(path).exists:
            self.discard()
            return 0
        self.pin = self.pin or pin
        if self.place.parts.path(self.file.target, self.pin) != path:
            path.rename(self.place.parts.path(self.file.target, self.pin))
        return have

    def _once(self, reader: Reader, buffer: memoryview, have: int) -> None:
        size = self.file.size_bytes
        if 0 < size == have:
            # Nothing to ask for; without a promise in the plan the store may know one.
            if self.promise is None:
                self.agree(reader.head(self.file.key))
            self._open_at(have)
            return
        body = reader.get(self.file.key, start=have, pin=self.pin)
        try:
            self.agree(body.facts)
            if body.start and self.promise is None and self.check is None and self.handle < 0:
                raise ObjectChanged(f"{self.file.key}: nothing covers what an earlier run brought")
            self._open_at(body.start)
            self._receive(body, buffer, body.start)
        finally:
            body.close()

    def _open_at(self, have: int) -> None:
        """The part, with `have` bytes that are digested."""
        if self.handle >= 0 and os.fstat(self.handle).st_size == have and self.check is not None:
            return
        old = self.path
        self.close()
        self.open_part()
        if old.name and old != self.path:
            old.unlink(missing_ok=True)
        if os.fstat(self.handle).st_size != have:
            os.ftruncate(self.handle, have)
        self.check = Check(self.promise, self.file.size_bytes) if self.promise else None
        if self.check and have:
            feed(self.handle, self.check, 0, have)

    def _receive(self, body: Body, buffer: memoryview, at: int) -> None:
        size, ended = self.file.size_bytes, False
        while not ended:
            filled = 0
            try:
                while filled < len(buffer):
                    n = body.readinto(buffer[filled:])
                    if not n:
                        ended = True
                        break
                    filled += n
            finally:
                if filled:
                    self.fetched_bytes += filled
                    if at + filled > size:
                        raise ObjectChanged(f"{self.file.key}: more than the {size} bytes of the plan come")
                    if not at and not self.pin and self.check is None:
                        _refuse_page(self.file, buffer[:512])
                    if self.check:
                        self.check.update(buffer[:filled])
                    self.write(buffer[:filled], at)
                    at += filled
            if self.place.stop.is_set():
                raise Stopped("stopped before the end; run again to go on from there")
        if at < size:
            raise Truncated(f"{self.file.key}: {at} of {size} bytes came; run again to go on from there")


class SegmentedFetch(FileFetch):
    """One large file in segments, which any thread may fetch; digested in order as they arrive."""

    def __init__(self, file: PlannedFile, place: Place, segment_bytes: int) -> None:
        super().__init__(file, place)
        self._wanted_segment_bytes = segment_bytes
        self._lock, self._hashing = Lock(), Lock()
        self._hashed = 0
        self._pieces: dict[int, Piece] = {}
        self._waiting: list[int] = []
        self.n_running = 0
        self.trouble: ConnectomeDBError | None = None

    def begin(self, reader: Reader) -> bool:
        """Ask for the object's facts and take up what is there; False when it must come in one answer."""
        tries = Tries(self.place.patience, self.place.stop)
        begun = self.place.parts.begun(self.file.target)
        while True:
            try:
                facts = reader.head(self.file.key)
                self.agree(facts)
                break
            except ConnectomeDBError as trouble:
                tries.again(trouble, 0)
        if not facts.pin and self.promise is None:
            return False  # nothing would show that two ranges are of two objects
        if begun and begun[1] != self.pin:
            self.place.parts.forget(self.file.target)
        self.open_part()
        self._segments = SegmentList(self.path)
        size = self.file.size_bytes
        here = os.fstat(self.handle).st_size
        if not self._segments.exists or self._segments.size_bytes != size or here != size:
            self._segments.begin(self._wanted_segment_bytes, size)
            # What came as a beginning in one answer counts as far as it fills segments.
            for i in range(min(here, size) // self._wanted_segment_bytes):
                self._segments.add(i)
            os.ftruncate(self.handle, size)
        self._n = -(-size // self._segments.segment_bytes)
        self._waiting = [i for i in reversed(range(self._n)) if i not in self._segments.done]
        self.check = Check(self.promise, size) if self.promise else None
        return True

    @property
    def done_bytes(self) -> int:
        """Bytes that are on the disk, by whole segments."""
        return self._segments.n_bytes

    def take(self) -> int | None:
        """A segment to fetch; None when there is none left, or no use in any."""
        with self._lock:
            if self.trouble is not None or not self._waiting:
                return None
            self.n_running += 1
            return self._waiting.pop()

    @property
    def has_work(self) -> bool:
        return bool(self._waiting) and self.trouble is None

    def fetch(self, reader: Reader, buffer: memoryview, i: int) -> None:
        """Bring segment `i`; trouble is kept for the end of the file."""
        start = i * self._segments.segment_bytes
        end = min(start + self._segments.segment_bytes, self.file.size_bytes)
        tries, at = Tries(self.place.patience, self.place.stop), start
        piece = self.check.piece() if self.check else None
        try:
            while at < end:
                before = at
                try:
                    body = reader.get(self.file.key, at, end, self.pin)
                    try:
                        if body.start != at:
                            raise RangesIgnored(f"{self.file.key}: the store ignores ranges")
                        self._agree_still(body.facts)
                        at = self._receive(body, buffer, at, end, piece)
                    finally:
                        body.close()
                except _Broken as broken:
                    at = broken.at
                    tries.again(broken.trouble, at - before)
                except ConnectomeDBError as trouble:
                    tries.again(trouble, 0)
            if self.check is None:
                os.fdatasync(self.handle)  # no digest would show what a power failure took
            with self._lock:
                if piece is not None:
                    self._pieces[i] = piece
                self._segments.add(i)
            self._hash_on(wait=False)
        except ConnectomeDBError as trouble:
            with self._lock:
                self.trouble = self.trouble or trouble

    def leave(self) -> bool:
        """One thread less is at work here; True for the last one, who must end the file."""
        with self._lock:
            self.n_running -= 1
            return not self.n_running and (self.trouble is not None or not self._waiting)

    def end(self) -> Ready:
        """Judge the file and make it durable. Raises a segment's trouble, or what `finish` raises."""
        if self.trouble is not None:
            self._segments.close()
            self.close()
            raise self.trouble
        self._hash_on(wait=True)
        return self.finish(flush=True)

    def named(self) -> None:
        """The file has its name: nothing needs to be known of its segments."""
        self._segments.remove()

    def discard(self) -> None:
        if hasattr(self, "_segments"):
            self._segments.close()
        super().discard()

    def _agree_still(self, facts: ObjectFacts) -> None:
        if facts.pin != self.pin or facts.size_bytes != self.file.size_bytes:
            raise ObjectChanged(f"{self.file.key}: another object stands there now, with ETag {facts.pin}")

    def _receive(self, body: Body, buffer: memoryview, at: int, end: int, piece: Piece | None) -> int:
        while at < end:
            filled = 0
            try:
                while filled < min(len(buffer), end - at):
                    n = body.readinto(buffer[filled : end - at])
                    if not n:
                        raise Truncated(f"{self.file.key}: the answer ends {end - at - filled} bytes early")
                    filled += n
            except ConnectomeDBError as trouble:
                self._keep(buffer[:filled], at, piece)
                raise _Broken(at + filled, trouble) from trouble
            self._keep(buffer[:filled], at, piece)
            at += filled
            if self.place.stop.is_set():
                raise Stopped("stopped before the end; run again to go on from there")
        return at

    def _keep(self, view: memoryview, at: int, piece: Piece | None) -> None:
        if piece is not None:
            piece.update(view)
        self.write(view, at)
        with self._lock:
            self.fetched_bytes += len(view)

    def _hash_on(self, *, wait: bool) -> None:
        """Digest the segments that follow on those digested; one thread does, the others go on fetching."""
        if self.check is None or not self._hashing.acquire(blocking=wait):
            return
        try:
            size = self._segments.segment_bytes
            while self._hashed in self._segments.done:
                start = self._hashed * size
                end = min(start + size, self.file.size_bytes)
                piece = self._pieces.pop(self._hashed, None)
                if piece is not None:
                    self.check.join(piece, end - start)
                else:
                    feed(self.handle, self.check, start, end)
                self._hashed += 1
        finally:
            self._hashing.release()


class _Broken(Exception):
    """An answer broke off at `at`."""

    def __init__(self, at: int, trouble: ConnectomeDBError) -> None:
        super().__init__(str(trouble))
        self.at, self.trouble = at, trouble


def _refuse_page(file: PlannedFile, view: memoryview) -> None:
    """What is not covered by anything must at least not look like an error."""
    start = bytes(view).lstrip().lower()
    if start.startswith(b"<?xml"):
        start = start.split(b"?>", 1)[-1].lstrip()
    is_html = start.startswith((b"<!doctype html", b"<html")) and not file.key.lower().endswith(
        ("html", "htm")
    )
    if is_html or start.startswith((b"<error>", b"<error ")):
        raise StoreBusy(f"{file.key}: the store sends a page (HTML or XML) instead of the object")

"""What a folder remembers of transfers into it: verified files, unfinished parts, plans, and who is at work.

All of it lies in `.connectomedb` in the folder:

    verified.jsonl   one line per file that was right, with its digest, size and modification time; runs of
                     a part of a plan have a file of their own, `verified.<part>.jsonl`
    parts/           unfinished files; a part's name says whose it is and which ETag it was begun with
    plans/           what was asked for, so that `verify` knows what is missing
    lock             held by the run that works here; shared by runs of parts, which hold `lock.<part>`, too
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import hashlib
import json
import os
from pathlib import Path
from threading import Lock
from types import TracebackType

from connectomedb.errors import FolderInUse, TargetRefused
from connectomedb.objects.targets import STATE, disk_trouble

_LONGEST_PIN = 120


class Journal:
    """Which files of a folder were right when they came. A file that changed since is unknown again.

    Reading tolerates a torn last line; losing a line costs a second look at the file, never a second fetch.
    """

    def __init__(self, folder: Path, part: str = "") -> None:
        self._path = folder / STATE / f"verified{_tail(part)}.jsonl"
        self._lock = Lock()
        self._handle = -1
        self._known: dict[str, list[tuple[str, int, int]]] = {}
        for path in sorted((folder / STATE).glob("verified*.jsonl")):
            for line in path.read_text("utf-8").splitlines():
                self._take(line)

    def digest_of(self, target: str, facts: os.stat_result) -> str | None:
        """`md5:…` that this very file was verified against, '' when nothing covered it, None when unknown."""
        # Several files may tell of one target; the one that is here is the one that counts.
        for digest, size, mtime in reversed(self._known.get(target, [])):
            if (size, mtime) == (facts.st_size, facts.st_mtime_ns):
                return digest
        return None

    def last_digest(self, target: str) -> str:
        """`md5:…` that the file under this name was verified against, whatever it is now; '' for none."""
        return self._known.get(target, [("", 0, 0)])[-1][0]

    def note(self, target: str, digest: str, facts: os.stat_result) -> None:
        """Remember that the file is right. One write, so that lines never mix."""
        entry = (digest, facts.st_size, facts.st_mtime_ns)
        line = (json.dumps([target, *entry]) + "\n").encode()
        with self._lock:
            self._known.setdefault(target, []).append(entry)
            try:
                if self._handle < 0:
                    self._path.parent.mkdir(parents=True, exist_ok=True)
                    self._handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
                    if self._torn():
                        line = b"\n" + line
                os.write(self._handle, line)
            except OSError as problem:
                raise disk_trouble(problem, self._path) from problem

    def close(self) -> None:
        """Make it durable."""
        with self._lock:
            if self._handle >= 0:
                os.fsync(self._handle)
                os.close(self._handle)
                self._handle = -1

    def _torn(self) -> bool:
        """True when a killed process left half a line at the end."""
        with self._path.open("rb") as source:
            if not source.seek(0, os.SEEK_END):
                return False
            source.seek(-1, os.SEEK_END)
            return source.read(1) != b"\n"

    def _take(self, line: str) -> None:
        try:
            target, digest, size, mtime = json.loads(line)
        except ValueError:
            return  # the last line of a process that was killed while writing it
        self._known.setdefault(target, []).append((digest, size, mtime))


class Parts:
    """The unfinished files of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / STATE / "parts"
        self._found: dict[str, list[Path]] = {}
        if self.folder.is_dir():
            for path in self.folder.iterdir():
                self._found.setdefault(path.name.split(".", 1)[0], []).append(path)

    def sweep(self) -> None:
        """Remove lists of segments whose part got its name already; only while the folder is locked."""
        for paths in self._found.values():
            for path in paths:
                if path.suffix == ".done" and path.with_suffix(".part") not in paths:
                    path.unlink(missing_ok=True)

    def path(self, target: str, pin: str) -> Path:
        """Where the part of `target` lies that is begun with the ETag `pin`."""
        tail = base64.urlsafe_b64encode(pin.encode()).rstrip(b"=").decode() if len(pin) < _LONGEST_PIN else ""
        return self.folder / f"{_id(target)}.{tail}.part"

    def begun(self, target: str) -> tuple[Path, str] | None:
        """A part that an earlier run left, and the ETag it was begun with."""
        for path in self._found.get(_id(target), ()):
            if path.suffix == ".part" and path.exists():
                tail = path.name.split(".")[1]
                try:
                    return path, base64.urlsafe_b64decode(tail + "=" * (-len(tail) % 4)).decode()
                except (binascii.Error, ValueError):
                    return path, ""
        return None

    def begun_bytes(self, target: str) -> int | None:
        """How many bytes of the file an earlier run brought; None when it brought no part."""
        begun = self.begun(target)
        if begun is None:
            return None
        done = SegmentList(begun[0])
        return done.n_bytes if done.exists else begun[0].stat().st_size

    def forget(self, target: str) -> None:
        """Remove every part of `target` that was here when this object was made."""
        for path in self._found.pop(_id(target), ()):
            path.unlink(missing_ok=True)


class SegmentList:
    """Which segments of a part are on the disk; lies beside it."""

    def __init__(self, part: Path) -> None:
        self._path = part.with_suffix(".done")
        self.segment_bytes, self.size_bytes = 0, 0
        self.done: set[int] = set()
        self._handle = -1
        try:
            first, *lines = self._path.read_text("ascii").split("\n")
            self.segment_bytes, self.size_bytes = (int(word) for word in first.split())
        except (OSError, ValueError):
            self.exists = False
            return
        self.exists = True
        last = -(-self.size_bytes // self.segment_bytes)
        # The last piece has no line end behind it yet: a killed process may have left half a number.
        self.done = {int(line) for line in lines[:-1] if line.isdigit() and int(line) < last}

    @property
    def n_bytes(self) -> int:
        """Bytes that are on the disk."""
        n = self.segment_bytes
        return sum(min(n, self.size_bytes - i * n) for i in self.done)

    def begin(self, segment_bytes: int, size_bytes: int) -> None:
        """Start anew, with nothing done."""
        self.segment_bytes, self.size_bytes, self.done, self.exists = segment_bytes, size_bytes, set(), True
        self._write(f"{segment_bytes} {size_bytes}\n", os.O_TRUNC)

    def add(self, i: int) -> None:
        """Note that segment `i` is whole."""
        self._write(f"{i}\n", 0)
        self.done.add(i)

    def close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def remove(self) -> None:
        self.close()
        self._path.unlink(missing_ok=True)

    def _write(self, text: str, flag: int) -> None:
        try:
            if self._handle < 0:
                self._handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | flag, 0o644)
            os.write(self._handle, text.encode())
        except OSError as problem:
            raise disk_trouble(problem, self._path) from problem


class FolderLock:
    """Held while a run works in a folder; the system lets go of it when the process ends, however it ends.

    Runs of different parts of a plan may work side by side, a run of a whole one is alone.
    """

    def __init__(self, folder: Path, part: str = "") -> None:
        self._folder = folder
        self._part = part
        self._handles: list[int] = []

    def __enter__(self) -> FolderLock:
        state = self._folder / STATE
        for place in (
            state,
            state / "parts",
            state / "plans",
            *state.glob("verified*"),
            *state.glob("lock*"),
        ):
            if place.is_symlink():
                raise TargetRefused(
                    f"{place} is a link; nothing is written through it. Remove it and run again"
                )
        try:
            self._hold(state / "lock", fcntl.LOCK_SH if self._part else fcntl.LOCK_EX)
            if self._part:
                self._hold(state / f"lock{_tail(self._part)}", fcntl.LOCK_EX)
        except FolderInUse:
            self._let_go()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._let_go()

    def _hold(self, path: Path, how: int) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as problem:
            raise disk_trouble(problem, path) from problem
        self._handles.append(handle)
        try:
            fcntl.flock(handle, how | fcntl.LOCK_NB)
        except OSError as problem:
            who = os.pread(handle, 40, 0).decode("ascii", "replace").strip()
            raise FolderInUse(
                f"another run works in {self._folder} (process {who or 'unknown'}); "
                "wait for it, or use another folder"
            ) from problem
        if how == fcntl.LOCK_EX:
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)

    def _let_go(self) -> None:
        while self._handles:
            os.close(self._handles.pop())


def _tail(part: str) -> str:
    """What the name of a part's own file ends in; '' for a whole plan's."""
    return f".{_id(part)[:12]}" if part else ""


def _id(target: str) -> str:
    return hashlib.sha256(os.fsencode(target)).hexdigest()[:32]

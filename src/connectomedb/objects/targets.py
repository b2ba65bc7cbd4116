"""Where files may go: keys as paths inside one folder, and the folder held so that nothing leads out of it.

Every name is opened from its parent without following links, so that a link planted between planning and
writing is refused, not followed.
"""

from __future__ import annotations

import errno
import os
import stat
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from threading import Lock, local

from connectomedb.errors import DiskFull, TargetRefused, TransferError

STATE = ".connectomedb"
_LONGEST_NAME = 255
_LONGEST_PATH = 4000


class CannotWrite(TransferError):
    """The disk refuses, for a reason that trying again does not cure."""


def trouble_with(target: str) -> str:
    """Why `target` cannot be a path in a folder; '' when it can."""
    if not target:
        return "an empty name"
    if "\0" in target:
        return "it contains a NUL"
    if target.startswith("/"):
        return "it is absolute"
    if "\\" in target:
        return "it contains a backslash, a separator elsewhere"
    parts = target.split("/")
    if ".." in parts:
        return "it climbs out with '..'"
    if "" in parts or "." in parts:
        return "it has an empty name or '.' between its slashes"
    if parts[0].casefold() == STATE:
        return f"{STATE} is where the state of transfers is kept"
    if any(len(os.fsencode(part)) > _LONGEST_NAME for part in parts):
        return f"a name in it is longer than {_LONGEST_NAME} bytes"
    if len(os.fsencode(target)) > _LONGEST_PATH:
        return f"it is longer than {_LONGEST_PATH} bytes"
    return ""


def safe_target(key: str) -> str:
    """The relative path of a key, which is the key itself; TargetRefused where it cannot be one."""
    trouble = trouble_with(key)
    if trouble:
        raise TargetRefused(f"the key {key!r} is no path inside a folder: {trouble}; nothing was written")
    return key


def twin_of(target: str) -> str:
    """What two targets have in common that a case-blind or normalising file system takes for one name."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", target).casefold())


def disk_trouble(problem: OSError, what: object) -> TransferError:
    """The error of ours that a trouble with the disk is."""
    if problem.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return DiskFull(f"no room left for {what}: {problem.strerror}; free some and run again")
    if problem.errno in (errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOTEMPTY):
        return TargetRefused(
            f"{what} cannot be written: a link, file or folder is in the way ({problem.strerror})"
        )
    if problem.errno in (errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL):
        return TargetRefused(f"{what} is no name that this file system takes: {problem.strerror}")
    return CannotWrite(f"cannot write {what}: {problem.strerror}")


class TargetFolder:
    """A folder that is written to, by several threads. `close` it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._root = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
        self._last = local()
        self._lock = Lock()
        self._opened: set[int] = set()
        self._touched: set[str] = set()

    def close(self) -> None:
        with self._lock:
            for handle in self._opened:
                os.close(handle)
            self._opened.clear()
        os.close(self._root)

    def stat(self, target: str) -> os.stat_result | None:
        """What stands under `target` itself, links not followed; None when nothing does.

        Raises   TargetRefused when a link or a file stands where a folder should
        """
        folder, _, name = target.rpartition("/")
        try:
            return os.stat(name, dir_fd=self._folder(folder, make=False), follow_symlinks=False)
        except FileNotFoundError:
            return None
        except OSError as problem:
            raise disk_trouble(problem, target) from problem

    def open_file(self, target: str) -> int:
        """A handle to read a file with; FileNotFoundError, or TargetRefused as `stat`."""
        folder, _, name = target.rpartition("/")
        try:
            return os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=self._folder(folder, make=False))
        except FileNotFoundError:
            raise
        except OSError as problem:
            raise disk_trouble(problem, target) from problem

    def make_folder(self, target: str) -> None:
        """See that there is a folder `target`."""
        try:
            self._folder(target, make=True)
        except OSError as problem:
            raise disk_trouble(problem, target) from problem

    def move_in(self, path: Path, target: str) -> None:
        """Give a finished file its name; what stood under it, a link too, is replaced."""
        folder, _, name = target.rpartition("/")
        try:
            os.rename(path, name, dst_dir_fd=self._folder(folder, make=True))
        except OSError as problem:
            raise disk_trouble(problem, target) from problem
        with self._lock:
            self._touched.add(folder)

    def sync(self) -> None:
        """Make the names durable that were given since the last time."""
        with self._lock:
            touched, self._touched = self._touched, set()
        ancestors = {"/".join(f.split("/")[:n]) for f in touched for n in range(f.count("/") + 2)}
        for folder in sorted(ancestors):
            try:
                os.fsync(self._folder(folder, make=False))
            except OSError as problem:
                raise disk_trouble(problem, folder) from problem

    def _folder(self, folder: str, *, make: bool) -> int:
        """A handle of a folder below the root; the last one of each thread stays open."""
        if not folder:
            return self._root
        known = getattr(self._last, "folder", None)
        if known is not None and known[0] == folder:
            handle: int = known[1]
            return handle
        handle = os.dup(self._root)
        try:
            for name in folder.split("/"):
                if make:
                    with suppress(FileExistsError):  # whether it is a folder is seen when it is opened
                        os.mkdir(name, dir_fd=handle)
                inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=handle)
                os.close(handle)
                handle = inner
        except OSError:
            os.close(handle)
            raise
        with self._lock:
            self._opened.add(handle)
            if known is not None and known[1] in self._opened:
                self._opened.discard(known[1])
                os.close(known[1])
        self._last.folder = (folder, handle)
        return handle


def merges_names(folder: Path) -> bool:
    """True when the file system takes names that differ in case or in Unicode form for one."""
    tail = os.urandom(4).hex()  # another run may look at the same time
    probe = folder / f"probe-\u00e4-A{tail}"
    probe.touch()
    try:
        return any(
            os.path.lexists(folder / f"{name}{tail}") for name in ("probe-\u00e4-a", "probe-a\u0308-A")
        )
    finally:
        probe.unlink()


def conflicts(targets: Iterable[str]) -> dict[str, str]:
    """Targets that cannot be written beside the others, with the reason: a file that is also a folder."""
    wanted = list(targets)
    folders = {t[:at] for t in wanted for at in (i for i, c in enumerate(t) if c == "/")}
    return {t: "other keys lie below it, as in a folder" for t in wanted if t in folders}


def is_plain_file(facts: os.stat_result | None) -> bool:
    """True for a file proper: no link, no folder, no device."""
    return facts is not None and stat.S_ISREG(facts.st_mode)

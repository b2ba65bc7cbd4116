"""A TransferPlan: what to move, why, and how many bytes, decided before anything is moved.

A plan is a value: it can be printed, saved, split by subject and handed to another tool. Making one looks
at the local folder and the cache; it asks nothing of the store.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from connectomedb.errors import TransferError
from connectomedb.objects.cache import ContentCache
from connectomedb.objects.digests import Promise, read_promise
from connectomedb.objects.journal import Journal, Parts
from connectomedb.objects.select import TargetTemplate
from connectomedb.objects.targets import TargetFolder, conflicts, is_plain_file, safe_target, trouble_with
from connectomedb.vocabulary.records import FileRow

if TYPE_CHECKING:
    from connectomedb.objects.stores import ObjectStore

Action = Literal["fetch", "resume", "refetch", "check", "take", "keep", "folder", "refuse"]
ACTION_MEANINGS: dict[Action, str] = {
    "fetch": "not here",
    "resume": "a part is here and is gone on from",
    "refetch": "something else is here",
    "check": "here with the right size; its digest decides whether it is kept",
    "take": "in the cache; copied or linked from there",
    "keep": "here and verified before",
    "folder": "an empty object whose key ends in a slash: a folder",
    "refuse": "cannot be a file in the folder",
}


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """One file: its object, what it must be, where it goes, and what is decided for it.

    `target` is relative to the plan's folder. `digest` is '' where nothing promises one.
    """

    key: str
    size_bytes: int
    algorithm: str
    digest: str
    target: str
    subject: str
    action: Action
    reason: str

    @property
    def promise(self) -> Promise | None:
        """What the plan says of the bytes; ConfigurationError for a digest that cannot be one."""
        return read_promise(self.algorithm, self.digest)


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes that a plan needs in its folder, and that are free there."""

    needed_bytes: int
    free_bytes: int

    @property
    def enough(self) -> bool:
        return self.needed_bytes <= self.free_bytes


@dataclass(frozen=True, slots=True)
class TransferPlan:
    """The files, where they come from (`location`, a store's URL) and where they go (`folder`).

    `absent_subjects` were asked for and have no such file on the mirror: an ordinary outcome. `part` names a
    part of a larger plan: several parts may run into one folder at once, on several machines.
    """

    files: tuple[PlannedFile, ...]
    location: str
    folder: str
    absent_subjects: tuple[str, ...] = ()
    part: str = ""

    @property
    def n_files(self) -> int:
        return len(self.files)

    @property
    def size_bytes(self) -> int:
        """Bytes of all files, kept ones included."""
        return sum(f.size_bytes for f in self.files)

    @property
    def to_move_bytes(self) -> int:
        """Bytes of the files that are asked of the store."""
        return sum(f.size_bytes for f in self.files if f.action in ("fetch", "resume", "refetch"))

    @property
    def subjects(self) -> tuple[str, ...]:
        """Subjects with files, in order of first appearance."""
        return tuple(dict.fromkeys(f.subject for f in self.files))

    @property
    def actions(self) -> dict[str, int]:
        """How many files there are of each action."""
        found: dict[str, int] = {}
        for file in self.files:
            found[file.action] = found.get(file.action, 0) + 1
        return found

    def space(self) -> Space:
        """What the plan needs in its folder against what is free there; one system call.

        A file that is fetched again needs room beside the one that it replaces.
        """
        place = Path(self.folder).absolute()
        while not place.exists():
            place = place.parent
        parts = Parts(Path(self.folder))
        begun = sum(parts.begun_bytes(f.target) or 0 for f in self.files if f.action == "resume")
        taken = sum(f.size_bytes for f in self.files if f.action == "take")
        return Space(max(0, self.to_move_bytes + taken - begun), shutil.disk_usage(place).free)

    def by_subject(self) -> dict[str, TransferPlan]:
        """Independent plans, one per subject, that may run side by side."""
        files: dict[str, list[PlannedFile]] = {}
        for file in self.files:
            files.setdefault(file.subject, []).append(file)
        return {
            subject: replace(self, files=tuple(theirs), absent_subjects=(), part=f"{self.part}{subject}")
            for subject, theirs in files.items()
        }

    def split(self, n: int) -> tuple[TransferPlan, ...]:
        """At most `n` independent plans of whole subjects, of about the same number of bytes.

        The same plan is split in the same way everywhere, so that each task of a job array can take its own.
        """
        heaps: list[list[TransferPlan]] = [[] for _ in range(max(1, n))]
        weights = [0] * len(heaps)
        for plan in sorted(self.by_subject().values(), key=lambda p: (-p.size_bytes, p.part)):
            lightest = weights.index(min(weights))
            heaps[lightest].append(plan)
            weights[lightest] += plan.size_bytes + plan.n_files
        return tuple(
            replace(
                self,
                files=tuple(f for p in heap for f in p.files),
                absent_subjects=self.absent_subjects if i == 1 else (),
                part=f"{i} of {len(heaps)}",
            )
            for i, heap in enumerate(heaps, 1)
            if heap
        )

    def summary(self) -> str:
        """A few lines for a person."""
        actions = ", ".join(f"{n} to {action}" for action, n in self.actions.items()) or "nothing to do"
        what = f"{self.n_files} files of {len(self.subjects)} subjects, {format_bytes(self.size_bytes)}"
        space = self.space()
        lines = [
            f"{what}: {actions}",
            f"from {self.location or '(no location)'} to {self.folder}",
            f"needs {format_bytes(space.needed_bytes)} there, {format_bytes(space.free_bytes)} are free"
            + ("" if space.enough else ": too little"),
        ]
        if self.absent_subjects:
            lines.append(f"not on the mirror: {', '.join(self.absent_subjects)}")
        lines += [f"refused: {f.key!r}: {f.reason}" for f in self.files if f.action == "refuse"]
        return "\n".join(lines)

    def to_json(self) -> str:
        """The plan as text; `from_json` gives it back."""
        names = PlannedFile.__slots__
        # `asdict` copies every value; a plan may have a million files.
        files = [{name: getattr(file, name) for name in names} for file in self.files]
        facts: dict[str, object] = {
            "location": self.location,
            "folder": self.folder,
            "absent_subjects": self.absent_subjects,
        }
        facts["part"] = self.part
        return json.dumps({"files": files, **facts}, indent=1)

    def export(self, tool: str, store: ObjectStore | None = None) -> str:
        """The moves for s5cmd, rclone, aws or aria2; see `objects.exports`."""
        from connectomedb.objects.exports import export_plan

        return export_plan(self, tool, store)

    @staticmethod
    def from_json(text: str) -> TransferPlan:
        """The plan that `to_json` wrote; TransferError when the text is no plan."""
        try:
            facts = json.loads(text)
            files = tuple(PlannedFile(**row) for row in facts["files"])
            plan = TransferPlan(
                files, facts["location"], facts["folder"], tuple(facts["absent_subjects"]), facts["part"]
            )
        except (ValueError, KeyError, TypeError) as problem:
            raise TransferError(f"this is not a saved plan: {problem!r}") from problem
        for file in plan.files:
            if file.action not in get_args(Action):
                raise TransferError(f"this is not a saved plan: unknown action {file.action!r}")
        return plan


def make_plan(
    rows: Iterable[FileRow],
    folder: str | Path,
    *,
    location: str,
    subjects_wanted: Sequence[str] = (),
    layout: str = "",
    cache: str | Path = "",
) -> TransferPlan:
    """Decide for every row what is done: see `ACTION_MEANINGS`. A row that cannot be a file here is refused.

    `layout` is a template of target paths such as `{subject}/{package}/{name}`; '' keeps the keys. `cache`
    is a folder of files by digest; what is there is taken from there.
    Raises   ConfigurationError for a template that is none, or a digest that cannot be one
    Cost     one `stat` per file; no byte is read and no request made
    """
    root = Path(folder)
    where = TargetTemplate(layout)
    wanted = [(row, where.target(row)) for row in rows]
    decided = _Decider(root, [target for _, target in wanted], cache)
    try:
        files = tuple(decided.planned(row, target) for row, target in wanted)
    finally:
        decided.close()
    present = {f.subject for f in files}
    absent = tuple(s for s in subjects_wanted if s not in present)
    return TransferPlan(files, location, str(root), absent)


def plan_again(plan: TransferPlan, *, cache: str | Path = "") -> TransferPlan:
    """The same plan with every action decided anew for what is in the folder now."""
    decided = _Decider(Path(plan.folder), [f.target for f in plan.files], cache)
    try:
        files = []
        for file in plan.files:
            row = FileRow(file.subject, file.key, file.size_bytes, file.algorithm, file.digest)
            files.append(decided.planned(row, file.target))
    finally:
        decided.close()
    return replace(plan, files=tuple(files))


def format_bytes(n: int) -> str:
    """`1.5 GB`; powers of ten, as stores count."""
    size = float(n)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


class _Decider:
    """Looks at a folder and decides for one file after the other."""

    def __init__(self, root: Path, targets: Sequence[str], cache: str | Path) -> None:
        self._journal, self._parts = Journal(root), Parts(root)
        self._cache = ContentCache(cache) if cache else None
        self._conflicts = conflicts(targets)
        self._taken: set[str] = set()
        self._folder = TargetFolder(root) if root.is_dir() else None

    def close(self) -> None:
        if self._folder is not None:
            self._folder.close()

    def planned(self, row: FileRow, target: str) -> PlannedFile:
        action, reason = self._decide(row, target)
        self._taken.add(target)
        return PlannedFile(
            row.key, row.size_bytes, row.algorithm, row.digest, target, row.subject_label, action, reason
        )

    def _decide(self, row: FileRow, target: str) -> tuple[Action, str]:
        promise = read_promise(row.algorithm, row.digest)
        marker = target.endswith("/") and row.size_bytes == 0
        trouble = trouble_with(target.removesuffix("/") if marker else target)
        trouble = trouble or ("" if marker else self._conflicts.get(target, ""))
        if not trouble and target in self._taken:
            trouble = "another file of the plan goes there"
        if trouble:
            return "refuse", trouble
        if marker:
            return "folder", "an empty object that stands for a folder"
        facts = None
        if self._folder is not None:
            try:
                facts = self._folder.stat(target)
            except TransferError as problem:
                return "refuse", str(problem)
        if facts is not None and is_plain_file(facts):
            return self._of_what_is_here(facts, row.size_bytes, promise, target)
        if self._cache is not None and promise is not None and self._cache.has(promise, row.size_bytes):
            return "take", "in the cache"
        begun = self._parts.begun_bytes(target)
        if begun is not None:
            return "resume", f"{begun} bytes are here"
        return "fetch", "not here" if facts is None else "what is here is no file"

    def _of_what_is_here(
        self, facts: os.stat_result, size_bytes: int, promise: Promise | None, target: str
    ) -> tuple[Action, str]:
        if facts.st_size != size_bytes:
            return "refetch", f"here with {facts.st_size} bytes, promised are {size_bytes}"
        known = self._journal.digest_of(target, facts)
        if promise is None:
            return "keep", f"verified before ({known})" if known else "same size, and no digest to compare"
        if known == str(promise):
            return "keep", "verified before"
        if known == "":
            return "keep", "came before, and no digest could be computed"
        return "check", "here, but not verified against this digest"


__all__ = [
    "ACTION_MEANINGS",
    "Action",
    "PlannedFile",
    "Space",
    "TransferPlan",
    "format_bytes",
    "make_plan",
    "plan_again",
    "safe_target",
]

"""A TransferPlan: what to move, why, and how many bytes, decided before anything is moved.

A plan is a value: it can be printed, saved, split by subject and handed to another tool. Making one looks
at the local folder; it asks nothing of the store.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal

from connectomedb.errors import TransferError
from connectomedb.objects.verify import Journal, part_of
from connectomedb.vocabulary.records import FileRow

Action = Literal["fetch", "resume", "refetch", "keep"]


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


@dataclass(frozen=True, slots=True)
class TransferPlan:
    """The files, where they come from (`location`, a store's URL) and where they go (`folder`).

    `absent_subjects` were asked for and have no such file on the mirror: an ordinary outcome.
    """

    files: tuple[PlannedFile, ...]
    location: str
    folder: str
    absent_subjects: tuple[str, ...] = ()

    @property
    def n_files(self) -> int:
        return len(self.files)

    @property
    def size_bytes(self) -> int:
        """Bytes of all files, kept ones included."""
        return sum(f.size_bytes for f in self.files)

    @property
    def to_move_bytes(self) -> int:
        """Bytes of the files that are not kept."""
        return sum(f.size_bytes for f in self.files if f.action != "keep")

    @property
    def subjects(self) -> tuple[str, ...]:
        """Subjects with files, in order of first appearance."""
        return tuple(dict.fromkeys(f.subject for f in self.files))

    def by_subject(self) -> dict[str, TransferPlan]:
        """Independent plans, one per subject."""
        return {
            subject: replace(
                self, files=tuple(f for f in self.files if f.subject == subject), absent_subjects=()
            )
            for subject in self.subjects
        }

    def summary(self) -> str:
        """A few lines for a person."""
        counts: dict[str, int] = {}
        for file in self.files:
            counts[file.action] = counts.get(file.action, 0) + 1
        actions = ", ".join(f"{n} to {action}" for action, n in counts.items()) or "nothing to do"
        what = f"{self.n_files} files of {len(self.subjects)} subjects, {format_bytes(self.size_bytes)}"
        lines = [
            f"{what}: {actions}",
            f"from {self.location or '(no location)'} to {self.folder}",
        ]
        if self.absent_subjects:
            lines.append(f"not on the mirror: {', '.join(self.absent_subjects)}")
        return "\n".join(lines)

    def to_json(self) -> str:
        """The plan as text; `from_json` gives it back."""
        return json.dumps(asdict(self), indent=1)

    @staticmethod
    def from_json(text: str) -> TransferPlan:
        """The plan that `to_json` wrote; TransferError when the text is no plan."""
        try:
            facts = json.loads(text)
            files = tuple(PlannedFile(**row) for row in facts["files"])
            return TransferPlan(files, facts["location"], facts["folder"], tuple(facts["absent_subjects"]))
        except (ValueError, KeyError, TypeError) as problem:
            raise TransferError(f"this is not a saved plan: {problem!r}") from problem

    def s5cmd_lines(self) -> str:
        """The moves as a file for `s5cmd run` (unverified there)."""
        base = self.location.rstrip("/")
        return "".join(
            f"cp {_quoted(f'{base}/{f.key}')} {_quoted(str(Path(self.folder) / f.target))}\n"
            for f in self.files
            if f.action != "keep"
        )


def make_plan(
    rows: Iterable[FileRow], folder: str | Path, *, location: str, subjects_wanted: Sequence[str] = ()
) -> TransferPlan:
    """Decide for every row whether it is fetched, resumed, fetched again or kept.

    Raises   TransferError for a key that would leave the folder
    Cost     one `stat` per file; no byte is read and no request made
    """
    root = Path(folder)
    journal = Journal(root)
    files = []
    for row in rows:
        target = safe_target(row.key)
        action, reason = _decide(root / target, target, row, journal)
        files.append(
            PlannedFile(
                row.key, row.size_bytes, row.algorithm, row.digest, target, row.subject_label, action, reason
            )
        )
    present = {f.subject for f in files}
    absent = tuple(s for s in subjects_wanted if s not in present)
    return TransferPlan(tuple(files), location, str(root), absent)


def safe_target(key: str) -> str:
    """The relative path of a key; TransferError for one that climbs out or cannot be a path here."""
    parts = PurePosixPath(key).parts
    if not parts or key.startswith("/") or ".." in parts or "\\" in key or "\0" in key:
        raise TransferError(f"the key {key!r} is no path inside a folder; nothing was written")
    return str(PurePosixPath(*parts))


def format_bytes(n: int) -> str:
    """`1.5 GB`; powers of ten, as stores count."""
    size = float(n)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def _decide(path: Path, target: str, row: FileRow, journal: Journal) -> tuple[Action, str]:
    if path.is_file():
        if path.stat().st_size != row.size_bytes:
            return "refetch", f"here with {path.stat().st_size} bytes, promised are {row.size_bytes}"
        if row.digest and journal.knows(target, path, row.digest):
            return "keep", "verified before"
        if not row.digest:
            return "keep", "same size, and no digest to compare"
        return "refetch", "here, but not verified against this digest"
    if part_of(path).is_file():
        return "resume", f"{part_of(path).stat().st_size} bytes are here"
    return "fetch", "not here"


def _quoted(text: str) -> str:
    return f'"{text}"' if " " in text else text

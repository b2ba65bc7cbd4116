"""A cohort lock: a question and its answer, frozen, so that it can be cited, compared and fetched again.

The file is JSON in one order, a line for each subject and each file: any tool compares two of them, and the
same answer makes the same bytes but for the moment it was made.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectomedb.errors import ManifestError
from connectomedb.objects.plan import TransferPlan, make_plan
from connectomedb.vocabulary.known_issues import KnownIssue, issues_touching
from connectomedb.vocabulary.records import FileRow

FORMAT = "connectomedb cohort lock 1"


@dataclass(frozen=True, slots=True, order=True)
class LockedFile:
    """One object as it was. Size in bytes; an empty digest where nothing promised one."""

    subject: str
    key: str
    size_bytes: int
    algorithm: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class CohortLock:
    """Who met a question, and which objects were theirs.

    `question` is the expression and `document` the same as a search document; `package`, `run` and `kind`
    narrow the files. Nothing in it says who asked; the answer is what that person was allowed to see.
    """

    server: str
    server_version: str
    project: str
    data_type: str
    question: str
    document: str
    package: str = ""
    run: str = ""
    kind: str = ""
    synthetic: bool = False
    location: str = ""
    releases: tuple[str, ...] = ()
    # Labels and ids.
    subjects: tuple[tuple[str, str], ...] = ()
    files: tuple[LockedFile, ...] = ()
    made: datetime | None = field(default=None, compare=False)

    @property
    def identity(self) -> str:
        """SHA-256 over everything but the moment: locks of one answer have the same."""
        facts = json.dumps(_facts(self), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(facts.encode()).hexdigest()

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the subjects, in order."""
        return tuple(label for label, _ in self.subjects)

    @property
    def size_bytes(self) -> int:
        """Bytes of all files."""
        return sum(one.size_bytes for one in self.files)

    @property
    def absent_subjects(self) -> tuple[str, ...]:
        """Subjects without such a file."""
        with_files = {one.subject for one in self.files}
        return tuple(label for label in self.labels if label not in with_files)

    def plan(self, folder: str | Path, *, location: str = "") -> TransferPlan:
        """What fetching these very objects into `folder` would do; from `location` when they moved."""
        rows = (FileRow(f.subject, f.key, f.size_bytes, f.algorithm, f.digest) for f in self.files)
        return make_plan(rows, folder, location=location or self.location, subjects_wanted=self.labels)

    def cite(self) -> str:
        """How the lock is cited: the question, the numbers, the source, the identity."""
        when = f" on {self.made:%Y-%m-%d}" if self.made else ""
        what = self.question or f"all {self.data_type}"
        note = "SYNTHETIC data. " if self.synthetic else ""
        release = f", {' and '.join(self.releases)}" if self.releases else ""
        uncovered = sum(not one.digest for one in self.files)
        return (
            f"{note}{len(self.subjects)} subjects of project {self.project} for whom {what}, as answered by "
            f"{self.server} (connectomedb {self.server_version or 'unknown'}){when}; {len(self.files)} files"
            f"{release}, {self.size_bytes} bytes, {uncovered} without a digest. "
            f"Lock sha256:{self.identity}."
        )


def make_lock(lock: CohortLock, rows: Iterable[FileRow], *, now: datetime | None = None) -> CohortLock:
    """The lock with these files, in the one order that locks have."""
    found = list(rows)
    held = sorted(LockedFile(r.subject_label, r.key, r.size_bytes, r.algorithm, r.digest) for r in found)
    return replace(
        lock,
        subjects=tuple(sorted(lock.subjects)),
        files=tuple(held),
        releases=tuple(sorted({row.release for row in found if row.release})),
        made=(now or datetime.now(UTC)).replace(microsecond=0),
    )


def print_lock(lock: CohortLock) -> str:
    """The lock as its file holds it."""
    facts = _facts(lock)
    lines = ["{", f' "format": {json.dumps(FORMAT)},']
    if lock.made:
        lines.append(f' "made": {json.dumps(lock.made.isoformat())},')
    for name, value in facts.items():
        if name in ("subjects", "files"):
            rows = ",\n".join(f"  {json.dumps(row, ensure_ascii=False)}" for row in value)
            lines.append(f' "{name}": [\n{rows}\n ],' if rows else f' "{name}": [],')
        else:
            lines.append(f' "{name}": {json.dumps(value, ensure_ascii=False)},')
    lines.append(f' "sha256": "{lock.identity}"')
    return "\n".join((*lines, "}")) + "\n"


def write_lock(lock: CohortLock, path: Path) -> None:
    """Write the lock's file, whole or not at all."""
    partial = path.with_name(f".{path.name}.part")
    partial.write_text(print_lock(lock), "utf-8")
    partial.replace(path)


def read_lock(path: Path) -> CohortLock:
    """The lock that the file holds.

    Raises  ManifestError for a file that is none, or that was changed after it was made
    """
    try:
        text = path.read_text("utf-8")
    except OSError as problem:
        raise ManifestError(f"cannot read {path}: {problem.strerror}") from problem
    try:
        said = json.loads(text)
        found = said["format"]
        lock = _from_facts(said) if found == FORMAT else None
        promised = said["sha256"]
    except (ValueError, KeyError, TypeError) as problem:
        raise ManifestError(f"{path} is no cohort lock: {problem!r}") from problem
    if lock is None:
        raise ManifestError(f"{path} is of the format {found!r}; this version reads {FORMAT!r}")
    if promised != lock.identity:
        raise ManifestError(
            f"{path} was changed after it was made: it does not have the sha256 that it states"
        )
    return lock


_LISTS = ("releases", "subjects", "files")


def _from_facts(said: Mapping[str, Any]) -> CohortLock:
    texts = {one.name: said[one.name] for one in fields(CohortLock) if one.name not in (*_LISTS, "made")}
    return CohortLock(
        **texts,
        releases=tuple(said["releases"]),
        subjects=tuple((label, subject_id) for label, subject_id in said["subjects"]),
        files=tuple(LockedFile(*row) for row in said["files"]),
        made=datetime.fromisoformat(said["made"]) if "made" in said else None,
    )


def _facts(lock: CohortLock) -> dict[str, Any]:
    facts: dict[str, Any] = {one.name: getattr(lock, one.name) for one in fields(lock) if one.name != "made"}
    facts["releases"] = list(lock.releases)
    facts["subjects"] = [list(pair) for pair in lock.subjects]
    facts["files"] = [[f.subject, f.key, f.size_bytes, f.algorithm, f.digest] for f in lock.files]
    return facts


@dataclass(frozen=True, slots=True)
class LockDifference:
    """What became of a cohort: who came and who went, and which objects did or are others now."""

    came: tuple[str, ...] = ()
    went: tuple[str, ...] = ()
    new_files: tuple[LockedFile, ...] = ()
    gone_files: tuple[LockedFile, ...] = ()
    # As they were, and as they are.
    changed_files: tuple[tuple[LockedFile, LockedFile], ...] = ()
    issues: tuple[KnownIssue, ...] = ()

    @property
    def same(self) -> bool:
        """The answer is the one that was locked; known issues do not change that."""
        return not (self.came or self.went or self.new_files or self.gone_files or self.changed_files)

    @property
    def counts(self) -> dict[str, int]:
        """How many of each."""
        return {one.name: len(getattr(self, one.name)) for one in fields(self)}

    def lines(self) -> list[str]:
        """The differences, a line each."""
        found = [f"came: {label}" for label in self.came]
        found += [f"went: {label}" for label in self.went]
        found += [f"new object: {one.key}" for one in self.new_files]
        found += [f"object gone: {one.key}" for one in self.gone_files]
        found += [f"object changed: {was.key} ({_change(was, now)})" for was, now in self.changed_files]
        found += [f"known issue: {issue.text}" for issue in self.issues]
        return found


def diff_locks(old: CohortLock, new: CohortLock) -> LockDifference:
    """How `new` differs from `old`, and which known issues touch the old one."""
    was, now = {f.key: f for f in old.files}, {f.key: f for f in new.files}
    return LockDifference(
        came=_missing(new.labels, old.labels),
        went=_missing(old.labels, new.labels),
        new_files=tuple(f for f in new.files if f.key not in was),
        gone_files=tuple(f for f in old.files if f.key not in now),
        changed_files=tuple((f, now[f.key]) for f in old.files if f.key in now and _differs(f, now[f.key])),
        issues=issues_touching(old.document, old.labels),
    )


def _missing(these: Sequence[str], those: Sequence[str]) -> tuple[str, ...]:
    known = set(those)
    return tuple(label for label in these if label not in known)


def _differs(was: LockedFile, now: LockedFile) -> bool:
    """Another size, or another digest by the same algorithm; a digest that came later is no difference."""
    if was.size_bytes != now.size_bytes:
        return True
    return bool(was.digest and now.digest and was.algorithm == now.algorithm and was.digest != now.digest)


def _change(was: LockedFile, now: LockedFile) -> str:
    if was.size_bytes != now.size_bytes:
        return f"{was.size_bytes} bytes, now {now.size_bytes}"
    return f"{was.algorithm} {was.digest}, now {now.digest}"

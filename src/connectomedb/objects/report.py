"""What became of every file of a run, as values: outcomes, their counts, JSON and a table."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from connectomedb.errors import (
    AccessDenied,
    ChecksumMismatch,
    ConnectomeDBError,
    ObjectChanged,
    ObjectMissing,
    TargetRefused,
)
from connectomedb.objects.plan import PlannedFile

if TYPE_CHECKING:
    from connectomedb.tables.result import ResultTable

Status = Literal[
    "verified", "uncovered", "kept", "mismatched", "missing", "changed", "denied", "refused", "failed"
]
RIGHT: frozenset[str] = frozenset({"verified", "uncovered", "kept"})
STATUS_MEANINGS: dict[Status, str] = {
    "verified": "here, and its digest is the promised one",
    "uncovered": "here with the promised size, not covered by any digest",
    "kept": "was here, and verified now or before",
    "mismatched": "other bytes came than were promised; nothing was kept",
    "missing": "the store has no such object",
    "changed": "the store has another object under that key than the one that was listed",
    "denied": "the store refuses it to these keys",
    "refused": "cannot be a file in the folder, or not safely",
    "failed": "did not come; the error says why",
}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. `rate_bytes_per_s` is that of the last seconds; `left_s` is None while unknown."""

    n_done: int
    n_files: int
    done_bytes: int
    total_bytes: int
    target: str = ""
    rate_bytes_per_s: float = 0.0
    left_s: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file. `covered_by` is the digest that it met, such as `md5:…`; '' for none."""

    file: PlannedFile
    status: Status
    fetched_bytes: int = 0
    error: ConnectomeDBError | None = None
    covered_by: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class TransferReport:
    """One outcome per file, in the order of the plan."""

    outcomes: tuple[Outcome, ...]
    absent_subjects: tuple[str, ...] = ()
    seconds: float = 0.0

    @staticmethod
    def merged(reports: Iterable[TransferReport]) -> TransferReport:
        """One report of the runs of several parts of a plan; `seconds` is that of the longest."""
        each = list(reports)
        absent = dict.fromkeys(s for r in each for s in r.absent_subjects)
        outcomes = tuple(o for r in each for o in r.outcomes)
        return TransferReport(outcomes, tuple(absent), max((r.seconds for r in each), default=0.0))

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
        if len(self.failures) > 1:
            first.add_note(f"and {len(self.failures) - 1} more of {len(self.outcomes)} files")
        raise first

    def summary(self) -> str:
        """One line for a person."""
        parts = (
            ", ".join(f"{n} {_SAID.get(status, status)}" for status, n in self.counts.items()) or "no files"
        )
        absent = f"; not on the mirror: {', '.join(self.absent_subjects)}" if self.absent_subjects else ""
        return f"{parts}{absent}"

    def table(self) -> ResultTable:
        """One row per file: subject, target, key, size, status, digest, bytes fetched, error."""
        from connectomedb.tables.result import Column, ResultTable

        rows = tuple(
            (
                o.file.subject,
                o.file.target,
                o.file.key,
                o.file.size_bytes,
                o.status,
                o.covered_by,
                o.fetched_bytes,
                str(o.error or o.detail),
            )
            for o in self.outcomes
        )
        names = ("subject", "target", "key", "size_bytes", "status", "covered_by", "fetched_bytes", "said")
        return ResultTable(
            tuple(Column(n, "integer" if n.endswith("_bytes") else "string") for n in names), rows
        )

    def to_json(self) -> str:
        """The whole report as text."""
        files = [
            {
                "key": o.file.key,
                "target": o.file.target,
                "subject": o.file.subject,
                "size_bytes": o.file.size_bytes,
                "status": o.status,
                "covered_by": o.covered_by,
                "fetched_bytes": o.fetched_bytes,
                "detail": o.detail,
                "error": f"{type(o.error).__name__}: {o.error}" if o.error else "",
            }
            for o in self.outcomes
        ]
        facts = {
            "counts": self.counts,
            "fetched_bytes": self.fetched_bytes,
            "seconds": round(self.seconds, 3),
            "absent_subjects": list(self.absent_subjects),
        }
        return json.dumps({**facts, "files": files}, indent=1)


_SAID = {"uncovered": "not covered by a digest"}


def status_of(error: ConnectomeDBError) -> Status:
    """The status of a file that ended in this error."""
    for kind, status in _STATUS_OF:
        if isinstance(error, kind):
            return status
    return "failed"


_STATUS_OF: tuple[tuple[type[ConnectomeDBError], Status], ...] = (
    (ChecksumMismatch, "mismatched"),
    (ObjectMissing, "missing"),
    (ObjectChanged, "changed"),
    (TargetRefused, "refused"),
    (AccessDenied, "denied"),
)

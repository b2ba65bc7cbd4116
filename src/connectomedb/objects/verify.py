"""A folder against what was promised: which files are right, wrong, missing, extra, or covered by nothing.

What was promised is a plan, or every plan that was run in the folder; every byte is read again.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from connectomedb.errors import ConfigurationError, TransferError
from connectomedb.objects.digests import Check, Promise, feed, read_promise
from connectomedb.objects.journal import Journal
from connectomedb.objects.plan import PlannedFile, TransferPlan
from connectomedb.objects.report import Progress, TransferReport
from connectomedb.objects.targets import STATE, TargetFolder

Finding = Literal["verified", "mismatched", "missing", "extra", "uncovered", "refused"]
_WRONG = frozenset({"mismatched", "missing"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """One file on disk against what was promised. `covered_by` is the digest it was compared with."""

    target: str
    status: Finding
    detail: str = ""
    covered_by: str = ""


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """One verdict per promised file, then one per file that nobody promised."""

    verdicts: tuple[Verdict, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many files there are of each status."""
        found: dict[str, int] = {}
        for verdict in self.verdicts:
            found[verdict.status] = found.get(verdict.status, 0) + 1
        return found

    @property
    def wrong(self) -> tuple[Verdict, ...]:
        """The mismatched and the missing ones."""
        return tuple(v for v in self.verdicts if v.status in _WRONG)

    @property
    def ok(self) -> bool:
        """True when no file is mismatched or missing."""
        return not self.wrong

    def summary(self) -> str:
        """One line for a person."""
        said = {"uncovered": "not covered by a digest"}
        return ", ".join(f"{n} {said.get(status, status)}" for status, n in self.counts.items()) or "no files"


def plans_of(folder: Path) -> tuple[TransferPlan, ...]:
    """The plans that were run in a folder, oldest first.

    Raises   ConfigurationError when none was, or one cannot be read
    """
    kept = list((folder / STATE / "plans").glob("*.json"))
    if not kept:
        raise ConfigurationError(f"nothing was fetched into {folder} by us; give the plan: verify PLAN_FILE")
    try:
        plans = [
            TransferPlan.from_json(path.read_text("utf-8"))
            for path in sorted(kept, key=lambda p: p.stat().st_mtime_ns)
        ]
    except (TransferError, UnicodeDecodeError) as problem:
        raise ConfigurationError(
            f"a plan in {folder / STATE / 'plans'} cannot be read: {problem}"
        ) from problem
    # The folder may have been moved since.
    return tuple(replace(plan, folder=str(folder)) for plan in plans)


def verify_folder(
    folder: Path,
    plans: Iterable[TransferPlan] = (),
    *,
    parallel: int = 4,
    progress: Callable[[Progress], None] | None = None,
) -> VerifyReport:
    """Read every file that the plans promise (those run in the folder, when none are given) and compare.

    Raises   ConfigurationError when nothing says what should be there
    Cost     every byte is read; memory of a megabyte per thread
    """
    if not folder.is_dir():
        raise ConfigurationError(f"there is no folder {folder}")
    promised = _promised(plans or plans_of(folder))
    journal, held = Journal(folder), TargetFolder(folder)
    total = sum(f.size_bytes for f in promised.values())
    verdicts: list[Verdict] = []
    done_bytes = 0
    try:
        with ThreadPoolExecutor(max(1, parallel)) as pool:
            looks = pool.map(lambda file: verify_file(held, file, journal), promised.values())
            for file, verdict in zip(promised.values(), looks, strict=True):
                verdicts.append(verdict)
                done_bytes += file.size_bytes
                if progress:
                    progress(Progress(len(verdicts), len(promised), done_bytes, total, file.target))
    finally:
        held.close()
    known = set(promised)
    verdicts += [
        Verdict(target, "extra", "nobody promised it")
        for target in _files_below(folder)
        if target not in known
    ]
    return VerifyReport(tuple(verdicts))


def verify_file(folder: TargetFolder, file: PlannedFile, journal: Journal) -> Verdict:
    """Read one file and compare size and digest: the plan's, else the one it met when it came."""
    if file.action == "refuse":
        return Verdict(file.target, "refused", file.reason)
    try:
        facts = folder.stat(file.target.rstrip("/"))
        if facts is None:
            return Verdict(file.target, "missing", "no such file")
        if file.action == "folder":
            return Verdict(
                file.target, "verified" if stat.S_ISDIR(facts.st_mode) else "mismatched", "a folder"
            )
        if not stat.S_ISREG(facts.st_mode):
            return Verdict(file.target, "mismatched", "a link or a folder, not a file")
        if facts.st_size != file.size_bytes:
            return Verdict(
                file.target, "mismatched", f"{facts.st_size} bytes, promised are {file.size_bytes}"
            )
        promise = file.promise or _met_when_it_came(journal, file.target)
        if promise is None:
            return Verdict(file.target, "uncovered", "no digest was promised")
        handle = folder.open_file(file.target)
    except FileNotFoundError:
        return Verdict(file.target, "missing", "no such file")
    except TransferError as problem:
        return Verdict(file.target, "mismatched", str(problem))
    check = Check(promise, file.size_bytes)
    try:
        feed(handle, check)
    except OSError as problem:
        return Verdict(file.target, "mismatched", f"cannot be read: {problem.strerror}")
    finally:
        os.close(handle)
    verdict = check.verdict()
    if verdict == "wrong":
        return Verdict(
            file.target, "mismatched", f"{promise.algorithm} {check.found()}, promised is {promise.value}"
        )
    if verdict == "unknown":
        return Verdict(file.target, "uncovered", "the part size of the multipart ETag is not known")
    return Verdict(file.target, "verified", covered_by=str(promise))


def repair_folder(
    folder: Path,
    report: VerifyReport,
    plans: Iterable[TransferPlan] = (),
    *,
    run: Callable[[TransferPlan], TransferReport],
) -> list[TransferReport]:
    """Fetch what a report found mismatched or missing; one transfer report per plan that has such files.

    A file that is wrong keeps its name until the right one takes it.
    """
    wrong = {v.target for v in report.wrong}
    reports = []
    for plan in plans or plans_of(folder):
        files = tuple(replace(f, action="refetch") for f in plan.files if f.target in wrong)
        wrong -= {f.target for f in files}
        if files:
            reports.append(run(replace(plan, files=files, folder=str(folder), absent_subjects=())))
    return reports


def _met_when_it_came(journal: Journal, target: str) -> Promise | None:
    algorithm, _, value = journal.last_digest(target).partition(":")
    return read_promise(algorithm, value, "journal")


def _promised(plans: Iterable[TransferPlan]) -> dict[str, PlannedFile]:
    """What should be in the folder; of two plans that say something of a file, the later one counts."""
    return {file.target: file for plan in plans for file in plan.files}


def _files_below(folder: Path) -> Iterator[str]:
    for place, folders, names in os.walk(folder):
        if Path(place) == folder and STATE in folders:
            folders.remove(STATE)
        linked = [name for name in folders if (Path(place) / name).is_symlink()]
        for name in sorted(names + linked):
            yield str((Path(place) / name).relative_to(folder))

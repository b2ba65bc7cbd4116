"""Import XML documents: files, folders and archives of projects, subjects and experiments.

Documents may come in any order: one whose subject or session is not there yet waits until everything else
was read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from connectomedb.errors import DocumentError, ImportRefused, NotValid, UnknownDataType
from connectomedb.schema.documents import read_document
from connectomedb.store.facts import read_facts
from connectomedb.store.ingest import journal
from connectomedb.store.ingest.loading import BATCH, Loading, Sourced
from connectomedb.store.ingest.sources import Source, count_sources, iter_sources
from connectomedb.store.report import IngestReport, Refusal
from connectomedb.vocabulary.records import Principal

if TYPE_CHECKING:
    from connectomedb.store.archive import Archive

Keep = Literal["files", "rows", "all"]
Progress = Callable[[int, int | None, str], None]

_BATCH_BYTES = 4 << 20
_AT_LINE = re.compile(r"line (\d+)(?:, column \d+)?[:;]? ?(.*)", re.DOTALL)
_AT_PATH = re.compile(r"([\w@/.:-]+)(?: is|:) ('[^']*'|\"[^\"]*\"):? ?(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Read:
    source: Source
    stamp: journal.Stamp
    sourced: Sourced


@dataclass(slots=True)
class _Run:
    archive: Archive
    project: str
    again: bool
    progress: Progress
    n_total: int | None
    n_done: int = 0
    n_known: int = 0
    n_updated: int = 0
    ids: list[str] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    waiting: dict[str, Refusal] = field(default_factory=dict)


def import_xml(
    archive: Archive,
    paths: Sequence[Path],
    *,
    project: str,
    who: Principal,
    keep: Keep = "files",
    dry_run: bool = False,
    again: bool = False,
    update: bool = False,
    progress: Progress | None = None,
) -> IngestReport:
    """Store documents. `project`, made if it is new, owns those that name no other.

    A document is stored whole or not at all. With `keep` 'files' (and 'rows', which is the same for
    documents) those that are fine stay when others are refused; with 'all' nothing stays then. `dry_run` does
    everything and takes it back. A run that was killed is taken up by running it again: documents that are
    in are not read again, unless `again` says so.

    With `update` a document about something that is there is laid over it, as `Changing.merge_item` does:
    what it says replaces, what it does not say stays. It is known by its ID, else by its label in its
    project. What another site states beside its documents (dates, users, numbers; see `store.facts`) is kept.

    Raises   ImportRefused, whose `report` says what was stored, when a document was refused and `keep` is
             not 'rows'; DiskFull; Conflict when another writer does not end
    Cost     memory for one batch of 500 documents or 4 MiB, and for what is refused
    """
    journal.prepare(archive.engine)
    run = _Run(archive, project, again, progress or _quiet, count_sources(paths))
    if dry_run or keep == "all":
        with archive.loading(user=who.login, project=project, update=update) as load:
            _rounds(run, paths, lambda batch: _store(run, batch, load))
            if dry_run or run.refused:
                load.cancel()
    else:

        def alone(batch: Sequence[_Read]) -> int:
            with archive.loading(user=who.login, project=project, update=update) as load:
                return _store(run, batch, load)

        _rounds(run, paths, alone)
    none_stays = dry_run or (keep == "all" and run.refused)
    ids = () if none_stays else tuple(run.ids)
    n_updated = 0 if none_stays else run.n_updated
    report = IngestReport(len(ids), ids, tuple(run.refused), n_known=run.n_known, n_updated=n_updated)
    if report.refused and keep != "rows":
        raise ImportRefused(report)
    return report


def _rounds(run: _Run, paths: Sequence[Path], store: Callable[[Sequence[_Read]], int]) -> None:
    """Everything once; then what waited, as long as that brings something in."""
    n_stored = _pass(run, paths, store, None)
    while run.waiting and n_stored:
        waiting, run.waiting = set(run.waiting), {}
        n_stored = _pass(run, paths, store, waiting)
    run.refused += run.waiting.values()


def _pass(
    run: _Run, paths: Sequence[Path], store: Callable[[Sequence[_Read]], int], only: set[str] | None
) -> int:
    n_stored, batch, size = 0, list[_Read](), 0
    # What cannot be read at all was said in the first pass.
    refuse = run.refused.append if only is None else _ignore
    for source in iter_sources(paths, refuse):
        if only is not None and source.stamp.source not in only:
            continue
        found = _read(run, source, refuse)
        if found is not None:
            batch.append(found)
            size += found.stamp.size_bytes
        else:
            run.n_done += 1
        if len(batch) >= BATCH or size > _BATCH_BYTES:
            n_stored += store(batch)
            batch, size = [], 0
        run.progress(run.n_done, run.n_total, source.name)
    if batch:
        n_stored += store(batch)
        run.progress(run.n_done, run.n_total, batch[-1].source.name)
    return n_stored


def _read(run: _Run, source: Source, refuse: Callable[[Refusal], None]) -> _Read | None:
    """The document, unless it is stored already or refused."""
    if not run.again and source.stamp.mtime_ns and _is_known(run, source.stamp):
        run.n_known += 1
        return None
    try:
        data = source.read()
        stamp = replace(source.stamp, size_bytes=len(data), digest=journal.digest_of(data))
        if not run.again and _is_known(run, stamp):
            run.n_known += 1
            return None
        item = read_document(data, run.archive.types)
        stated = read_facts(data, item)
    except (DocumentError, UnknownDataType) as problem:
        for refusal in _refusals(source.name, problem):
            refuse(refusal)
        return None
    return _Read(source, stamp, Sourced(item, source.name, stated=stated))


def _is_known(run: _Run, stamp: journal.Stamp) -> bool:
    with run.archive.engine.connect() as connection:
        return journal.is_known(connection, run.project, stamp)


def _store(run: _Run, batch: Sequence[_Read], load: Loading) -> int:
    """Projects first, then the project that owns what names none, then the rest; answers how many."""
    before, n_updated = len(load.ids), load.n_updated
    projects = [one.sourced for one in batch if load.is_project(one.sourced)]
    rest = [one.sourced for one in batch if not load.is_project(one.sourced)]
    failed = load.add(projects)
    if rest:
        load.ensure_project(run.project)
        failed += load.add(rest)
    stamps = {one.source.name: one.stamp for one in batch}
    for one in failed:
        stamp = stamps.pop(one.sourced.file)
        if one.waits:
            run.waiting[stamp.source] = one.refusal
        else:
            run.refused.append(one.refusal)
            run.n_done += 1
    journal.note(load.connection, run.project, list(stamps.values()))
    run.ids += load.ids[before:]
    run.n_updated += load.n_updated - n_updated
    run.n_done += len(stamps)
    return len(stamps)


def _refusals(name: str, problem: Exception) -> Iterator[Refusal]:
    """One per reason, its line and path apart where the reason names them."""
    for reason in problem.reasons if isinstance(problem, NotValid) else (str(problem),):
        line: int | None = None
        if at_line := _AT_LINE.match(reason):
            line, reason = int(at_line[1]), at_line[2]
        elif at_end := re.search(r"line (\d+), column \d+", reason):
            line = int(at_end[1])
        if at_path := _AT_PATH.match(reason):
            yield Refusal(name, at_path[3], line, at_path[1], at_path[2][1:-1])
        else:
            yield Refusal(name, reason, line)


def _ignore(_refusal: Refusal) -> None:
    return


def _quiet(_n_done: int, _n_total: int | None, _file: str) -> None:
    return

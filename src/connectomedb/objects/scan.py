"""Reads what a mirror holds into rows of the file table: from the store itself, or from a listing of it.

A digest comes from a manifest first, else from an ETag (a plain MD5, or that of a multipart object), else
there is none.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from connectomedb.objects.layouts import KeyFacts, Layout
from connectomedb.objects.listings import COLUMNS, Listed
from connectomedb.objects.manifest import ManifestEntry, read_manifest, relative_uri
from connectomedb.objects.stores import ObjectInfo, ObjectStore
from connectomedb.vocabulary.records import FileRow

PARALLEL = 16
# In a listing on its way to disk: all objects below this prefix are in it.
_WHOLE = "whole"


def scan_store(
    store: ObjectStore, layout: Layout, prefix: str = "", *, parallel: int = PARALLEL
) -> Iterator[FileRow]:
    """One row per object that belongs to a subject, subject by subject, in the order of the store.

    Cost     delimiter listings down to the subjects, then one listing per subject (a request per 1,000
             keys) and one small read per manifest, `parallel` subjects at a time
    Memory   the objects of `parallel` subjects
    """
    for _, held in _by_subject(store, layout, subject_prefixes(store, layout, prefix), parallel):
        yield from describe(held, layout)


def scan_package(
    store: ObjectStore,
    layout: Layout,
    package: str,
    subjects: Iterable[str],
    *,
    release: str = "",
    parallel: int = PARALLEL,
) -> Iterator[FileRow]:
    """The files of one package of these subjects, without a database.

    Raises   ConfigurationError for a package that the layout cannot have
    Cost     a listing per prefix of the package and subject, and one of the subject's manifests
    """
    wanted = [(subject, layout.package_prefixes(package, subject, release=release)) for subject in subjects]

    def found(subject: str, prefixes: tuple[str, ...]) -> list[Listed]:
        manifests = f"{layout.subject_prefix(subject, release=release)}.xdlm/"
        listed = [info for prefix in (*prefixes, manifests) for info in _below(store, prefix)]
        return _joined(store, layout, listed)

    with ThreadPoolExecutor(parallel, thread_name_prefix="scan") as pool:
        for objects in pool.map(found, *zip(*wanted, strict=True)) if wanted else ():
            yield from (row for row in describe(objects, layout) if row.package == package)


def describe(objects: Iterable[Listed], layout: Layout) -> Iterator[FileRow]:
    """The objects that the layout knows as rows of the file table."""
    for one in objects:
        facts = layout.parse(one.key)
        if facts is not None:
            yield FileRow(
                subject_label=facts.subject,
                key=one.key,
                size_bytes=one.size_bytes,
                algorithm=one.algorithm,
                digest=one.digest,
                session=facts.session,
                run=facts.run,
                kind=facts.kind,
                package=facts.package,
                release=facts.release,
            )


def list_into(
    path: Path,
    store: ObjectStore,
    layout: Layout,
    prefix: str = "",
    *,
    parallel: int = PARALLEL,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Write the store's listing, digests joined in, to a table that `listings.read_table` reads.

    A listing that broke off goes on after its last whole subject. Gives how many subjects were in it already.
    """
    done, n_known = _resume(path)
    with path.open("a", encoding="utf-8", newline="") as target:
        writer = csv.writer(target, delimiter="\t", lineterminator="\n")
        if not done:
            writer.writerow(COLUMNS)
        wanted = (p for p in subject_prefixes(store, layout, prefix) if p not in done)
        n_listed = n_known
        for subject, held in _by_subject(store, layout, wanted, parallel):
            writer.writerows((one.key, one.size_bytes, one.algorithm, one.digest) for one in held)
            # `subject` ends in a slash: a folder, which no layout takes for an object.
            writer.writerow((subject, 0, _WHOLE, ""))
            target.flush()
            n_listed += len(held)
            if progress:
                progress(n_listed)
    return len(done)


def _resume(path: Path) -> tuple[set[str], int]:
    """The subjects that the broken listing holds whole, and its number of objects; the rest is cut off."""
    if not path.exists():
        return set(), 0
    done: set[str] = set()
    end = at = n_objects = n_whole = 0
    with path.open("rb") as source:
        for line in source:
            at += len(line)
            cells = line.rstrip(b"\n").split(b"\t")
            if line.endswith(b"\n") and len(cells) == len(COLUMNS) and cells[2] == _WHOLE.encode():
                done.add(cells[0].decode("utf-8"))
                end, n_whole = at, n_objects
            else:
                n_objects += 1
    with path.open("r+b") as target:
        target.truncate(end)
    return done, max(n_whole - 1, 0)


def subject_prefixes(store: ObjectStore, layout: Layout, prefix: str = "") -> Iterator[str]:
    """The folders of subjects at or below `prefix`, each with its closing slash."""
    if prefix and layout.parse(f"{prefix.rstrip('/')}/-"):
        yield f"{prefix.rstrip('/')}/"
        return
    yield from _folders(store, layout, prefix, layout.folders_above)


def _folders(store: ObjectStore, layout: Layout, prefix: str, deeper: int) -> Iterator[str]:
    for folder in sorted(store.list_level(prefix)[1]):
        if layout.parse(f"{folder}-"):
            yield folder
        elif deeper and not folder.startswith("."):
            yield from _folders(store, layout, folder, deeper - 1)


def _by_subject(
    store: ObjectStore, layout: Layout, prefixes: Iterable[str], parallel: int
) -> Iterator[tuple[str, list[Listed]]]:
    """Each subject's objects by key; so many subjects are listed at a time."""
    under_way: deque[tuple[str, Future[list[Listed]]]] = deque()
    with ThreadPoolExecutor(parallel, thread_name_prefix="scan") as pool:
        try:
            for subject in prefixes:
                under_way.append((subject, pool.submit(_objects_of, store, layout, subject)))
                if len(under_way) > parallel:
                    first, found = under_way.popleft()
                    yield first, found.result()
            while under_way:
                first, found = under_way.popleft()
                yield first, found.result()
        finally:
            for _, waiting in under_way:
                waiting.cancel()


def _objects_of(store: ObjectStore, layout: Layout, subject: str) -> list[Listed]:
    return _joined(store, layout, store.list_prefix(subject))


def _below(store: ObjectStore, prefix: str) -> Iterator[ObjectInfo]:
    """The objects whose keys begin so; the store lists whole folders."""
    folder = prefix.rpartition("/")[0]
    return (info for info in store.list_prefix(f"{folder}/") if info.key.startswith(prefix))


def _joined(store: ObjectStore, layout: Layout, objects: Iterable[ObjectInfo]) -> list[Listed]:
    """The objects of one subject by key, each with the digest that its manifest or the store has."""
    held = [(info, layout.parse(info.key)) for info in objects]
    known = _digests(store, held)
    found = []
    for info, facts in held:
        if facts is None:
            continue
        listed = known.get(relative_uri(info.key, facts.subject)) if known else None
        if listed and listed.sha256 and not listed.md5:
            found.append(Listed(info.key, info.size_bytes, "sha256", listed.sha256))
            continue
        md5 = listed.md5 if listed and listed.md5 else info.md5
        algorithm = "md5" if md5 else "s3-etag" if info.multipart else ""
        found.append(Listed(info.key, info.size_bytes, algorithm, md5 or info.multipart))
    return sorted(found, key=lambda one: one.key)


def _digests(
    store: ObjectStore, held: Iterable[tuple[ObjectInfo, KeyFacts | None]]
) -> dict[str, ManifestEntry]:
    """What the manifests of a subject say, by path below its folder."""
    known: dict[str, ManifestEntry] = {}
    for info, facts in held:
        if facts and facts.kind == "manifest":
            for entry in read_manifest(store.read(info.key), info.key).entries:
                known[relative_uri(entry.uri, facts.subject)] = entry
    return known

"""Reads what a mirror holds into rows of the file table: from the store itself, or from a listing file.

A digest comes from a manifest first, else from an ETag that is a plain MD5, else there is none.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from connectomedb.errors import ManifestError
from connectomedb.objects.keys import KeyFacts, parse_key
from connectomedb.objects.manifest import ManifestEntry, read_manifest, relative_uri
from connectomedb.objects.stores import ObjectStore
from connectomedb.vocabulary.records import FileRow


def scan_store(store: ObjectStore, layout: str, prefix: str = "") -> Iterator[FileRow]:
    """One row per object that belongs to a subject, subject by subject.

    Cost     a delimiter listing down to the subjects, then one listing per subject (a request per
             1,000 keys), and for `hcp-q1` one small read per manifest; memory for one subject's objects
    """
    for subject_prefix in _subject_prefixes(store, layout, prefix):
        yield from _rows_of(store, layout, subject_prefix)


def _subject_prefixes(store: ObjectStore, layout: str, prefix: str) -> Iterator[str]:
    if prefix and parse_key(layout, f"{prefix.rstrip('/')}/-"):
        yield prefix
        return
    _, folders = store.list_level(prefix)
    for folder in folders:
        if parse_key(layout, f"{folder}-"):
            yield folder
        elif folder.count("/") == 1:
            # One folder above the subjects at the most (`q1/`): anything deeper is no subject of a layout.
            yield from (f for f in store.list_level(folder)[1] if parse_key(layout, f"{f}-"))


def _rows_of(store: ObjectStore, layout: str, subject_prefix: str) -> Iterator[FileRow]:
    held = [(info, parse_key(layout, info.key)) for info in store.list_prefix(subject_prefix)]
    known: dict[str, ManifestEntry] = {}
    for info, facts in held:
        if facts and facts.kind == "manifest":
            for entry in read_manifest(store.read(info.key), info.key).entries:
                known[relative_uri(entry.uri, facts.subject)] = entry
    for info, facts in sorted(held, key=lambda pair: pair[0].key):
        if facts:
            listed = known.get(relative_uri(info.key, facts.subject))
            md5 = listed.md5 if listed and listed.md5 else info.md5
            yield _row(info.key, info.size_bytes, "md5" if md5 else "", md5, facts)


def read_listing(path: Path, layout: str) -> Iterator[FileRow]:
    """Rows from a tab-separated listing with the columns key, size, algorithm, digest.

    Raises   ManifestError with the line number for a row that cannot be right
    """
    with path.open(encoding="utf-8-sig", newline="") as source:
        reader = csv.DictReader(source, delimiter="\t")
        lacking = {"key", "size", "algorithm", "digest"} - set(reader.fieldnames or ())
        if lacking:
            raise ManifestError(f"{path.name} lacks the columns {', '.join(sorted(lacking))}")
        for row in reader:
            place = f"{path.name}, line {reader.line_num}"
            if not row["key"] or not (row["size"] or "").isdigit():
                raise ManifestError(f"{place}: key {row['key']!r} with size {row['size']!r} is no object")
            facts = parse_key(layout, row["key"])
            if facts is not None:
                digest = (row["digest"] or "").lower()
                yield _row(row["key"], int(row["size"]), row["algorithm"] if digest else "", digest, facts)


def _row(key: str, size_bytes: int, algorithm: str, digest: str, facts: KeyFacts) -> FileRow:
    return FileRow(
        subject_label=facts.subject,
        key=key,
        size_bytes=size_bytes,
        algorithm=algorithm,
        digest=digest,
        session=facts.session,
        run=facts.run,
        kind=facts.kind,
        package=facts.package,
        release=facts.release,
    )

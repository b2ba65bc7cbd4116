"""Listings of a store that somebody else made: saved tables, S3 Inventories, datasets under git-annex.

Each gives the objects one by one, so that a listing of millions of keys is never held.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote_plus

from connectomedb.errors import ManifestError
from connectomedb.objects.stores import ObjectInfo, ObjectStore

COLUMNS = ("key", "size", "algorithm", "digest")
_ANNEX_KEY = re.compile(r"(?P<backend>MD5|SHA256|SHA1)E?-s(?P<size>[0-9]+)--(?P<digest>[0-9a-f]+)")
# A pointer file of git-annex is one short line.
_POINTER_BYTES = 32_768


@dataclass(frozen=True, slots=True)
class Listed:
    """One object of a listing. Size in bytes; an empty digest where the listing has none."""

    key: str
    size_bytes: int
    algorithm: str = ""
    digest: str = ""


def read_table(path: Path) -> Iterator[Listed]:
    """A tab-separated listing (also `.gz`) with the columns key, size, algorithm, digest.

    Raises   ManifestError with the line number for a row that cannot be right
    """
    with _opened(path) as source:
        reader = csv.DictReader(source, delimiter="\t")
        lacking = set(COLUMNS) - set(reader.fieldnames or ())
        if lacking:
            raise ManifestError(f"{path.name} lacks the columns {', '.join(sorted(lacking))}")
        for row in reader:
            if not row["key"] or not (row["size"] or "").isdigit():
                place = f"{path.name}, line {reader.line_num}"
                raise ManifestError(f"{place}: key {row['key']!r} with size {row['size']!r} is no object")
            digest = (row["digest"] or "").lower()
            yield Listed(row["key"], int(row["size"]), (row["algorithm"] or "") if digest else "", digest)


def _opened(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def read_inventory(
    store: ObjectStore, manifest: str = "manifest.json", *, prefix: str = ""
) -> Iterator[Listed]:
    """The objects of an S3 Inventory report in CSV, whose `manifest.json` and data lie in `store`.

    `prefix` is where the mirror begins in its bucket: other keys are left out, and it is cut off.

    Source   the Amazon S3 Inventory's documentation: fields of `manifest.json`, keys in URL encoding
    Raises   ManifestError for a report that is none, is not in CSV, or whose data are not as promised
    Memory   one data file, still packed
    """
    report = _json(store.read(manifest), manifest)
    if str(report.get("fileFormat", "")).upper() != "CSV":
        raise ManifestError(
            f"{manifest} is of the format {report.get('fileFormat')!r}; order the inventory as CSV"
        )
    names = [name.strip() for name in str(report.get("fileSchema", "")).split(",")]
    if not {"Key", "Size"} <= set(names):
        raise ManifestError(f"{manifest} lists {', '.join(names)}; an inventory needs Key and Size")
    for part in report.get("files", []):
        data = store.read(_below(part["key"], manifest, store))
        if hashlib.md5(data, usedforsecurity=False).hexdigest() != str(part.get("MD5checksum", "")).lower():
            raise ManifestError(
                f"{part['key']} is not what {manifest} promises (MD5); fetch the report again"
            )
        yield from _inventory_rows(data, names, prefix, str(part["key"]))


def _inventory_rows(data: bytes, names: list[str], prefix: str, place: str) -> Iterator[Listed]:
    with gzip.open(io.BytesIO(data), "rt", encoding="utf-8", newline="") as source:
        for number, cells in enumerate(csv.reader(source), 1):
            row = dict(zip(names, cells, strict=False))
            if row.get("IsLatest", "true") != "true" or row.get("IsDeleteMarker", "false") == "true":
                continue
            key = unquote_plus(row.get("Key", ""))
            if not key.startswith(prefix):
                continue
            if not row.get("Size", "").isdigit():
                raise ManifestError(f"{place}, line {number}: size {row.get('Size')!r} is no number of bytes")
            md5 = ObjectInfo(key, 0, row.get("ETag", "").strip('"')).md5
            yield Listed(key.removeprefix(prefix), int(row["Size"]), "md5" if md5 else "", md5)


def _below(key: str, manifest: str, store: ObjectStore) -> str:
    """The data file's key as the opened store has it: the manifest names it from the bucket's root."""
    key = str(key)
    tail = key.rsplit("/data/", 1)[-1]
    folder = manifest.rpartition("/")[0]
    # A report lies in a folder with its date, the data in `data/` beside that.
    beside = folder.rpartition("/")[0]
    for candidate in (key, f"{folder}/data/{tail}", f"{beside}/data/{tail}"):
        if store.has(candidate.lstrip("/")):
            return candidate.lstrip("/")
    raise ManifestError(f"{manifest} names {key}, which is not in {store.location}")


def _json(data: bytes, name: str) -> Mapping[str, Any]:
    try:
        found = json.loads(data)
    except ValueError as problem:
        raise ManifestError(f"{name} is not JSON: {problem}") from problem
    if not isinstance(found, dict):
        raise ManifestError(f"{name} is no manifest of an inventory")
    return found


def read_annex(folder: Path) -> Iterator[Listed]:
    """The files of a clone under git-annex or DataLad: sizes and digests from their keys, nothing fetched.

    Files that the annex does not hold (sidecars, tables) are read for their size.
    """
    for at, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in (".git", ".datalad"))
        for name in sorted(names):
            path = Path(at, name)
            key = path.relative_to(folder).as_posix()
            match = _ANNEX_KEY.search(_annex_target(path))
            if match:
                yield Listed(key, int(match["size"]), match["backend"].lower(), match["digest"])
            elif path.is_file():
                yield Listed(key, path.stat().st_size)


def _annex_target(path: Path) -> str:
    """What the link or the pointer file says; an empty text for a file that is neither."""
    if path.is_symlink():
        return os.readlink(path)
    if path.stat().st_size < _POINTER_BYTES:
        with path.open("rb") as source:
            head = source.read(15)
            if head == b"/annex/objects/":
                return source.readline().decode("utf-8", "replace")
    return ""

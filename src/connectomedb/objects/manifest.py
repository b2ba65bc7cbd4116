"""`.xdlm` manifests: which files a download package holds, with sizes and digests.

Written as one line of JSON, `DownloadManifest.Includes[]` with `URI`, `Size`, `MD5` and, beyond the original,
`SHA256`. Read leniently: names of members in any case and spelling, URIs absolute or relative.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from connectomedb.errors import ManifestError


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """One file of a package. `size_bytes` is None where the manifest is silent."""

    uri: str
    size_bytes: int | None = None
    md5: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The files of one package of one subject."""

    entries: tuple[ManifestEntry, ...]


def write_manifest(entries: Iterable[ManifestEntry], **facts: str) -> bytes:
    """The manifest as one line; `facts` stand beside the list (subject, package, a notice)."""
    includes = []
    for entry in entries:
        row: dict[str, Any] = {"URI": entry.uri}
        if entry.size_bytes is not None:
            row["Size"] = entry.size_bytes
        if entry.md5:
            row["MD5"] = entry.md5
        if entry.sha256:
            row["SHA256"] = entry.sha256
        includes.append(row)
    return json.dumps({"DownloadManifest": {**facts, "Includes": includes}}).encode() + b"\n"


def read_manifest(data: bytes, name: str = "manifest") -> Manifest:
    """The manifest in `data`; ManifestError says what is wrong in the file `name`."""
    try:
        document = json.loads(data.decode("utf-8-sig"))
    except ValueError as problem:
        raise ManifestError(f"{name} is not JSON: {problem}") from problem
    body = _member(document, "downloadmanifest")
    includes = _member(body, "includes")
    if not isinstance(includes, list):
        raise ManifestError(f"{name} holds no list DownloadManifest.Includes")
    return Manifest(tuple(_entry(row, f"{name}, entry {i}") for i, row in enumerate(includes, 1)))


def relative_uri(uri: str, subject: str) -> str:
    """The path below the subject's folder, whichever way the manifest spelt it."""
    marker = f"/{subject}/"
    return uri.rsplit(marker, 1)[-1] if marker in uri else uri.removeprefix(f"{subject}/").lstrip("/")


def _entry(row: object, place: str) -> ManifestEntry:
    facts = {_plain(k): v for k, v in row.items()} if isinstance(row, Mapping) else {}
    uri = next((facts[k] for k in ("uri", "path", "key", "file", "name") if facts.get(k)), None)
    if not isinstance(uri, str):
        raise ManifestError(f"{place} names no file (URI)")
    size = next((facts[k] for k in ("size", "sizebytes", "filesize", "length") if k in facts), None)
    if size is not None and not str(size).isdigit():
        raise ManifestError(f"{place}: size {size!r} is not a number of bytes")
    md5 = next((facts[k] for k in ("md5", "md5checksum", "md5sum", "checksum", "digest") if facts.get(k)), "")
    sha256 = facts.get("sha256", "")
    return ManifestEntry(uri, None if size is None else int(str(size)), str(md5).lower(), str(sha256).lower())


def _plain(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())


def _member(value: object, name: str) -> object:
    if not isinstance(value, Mapping):
        return None
    return next((v for k, v in value.items() if _plain(str(k)) == name), None)

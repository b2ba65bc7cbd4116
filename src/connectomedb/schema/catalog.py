"""The catalog of a resource as XML: written for clients, and read from them.

Source  protocol/rest.md 5.1
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import quoteattr

from connectomedb.errors import NotValid
from connectomedb.schema.xml import NAMESPACES, parse_xml

_NAMESPACE = NAMESPACES["cat"]
# What a document cannot say; names of files never hold it, words about them may.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_ROOTS = tuple(f"{{{_NAMESPACE}}}{name}" for name in ("Catalog", "DCMCatalog"))


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One entry: the path of a file within its resource, or a URL (`location`), and what is said of it."""

    path: str
    location: str = ""
    size_bytes: int | None = None
    format: str = ""
    content: str = ""
    description: str = ""
    digest: str = ""
    created: datetime | None = None
    created_by: str = ""
    tags: tuple[str, ...] = ()


def write_catalog(catalog_id: str, entries: Iterable[CatalogEntry]) -> Iterator[bytes]:
    """The catalog, piece by piece; it begins exactly as xnatpy wants it."""
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<cat:Catalog xmlns:cat="{_NAMESPACE}"'
    yield f"{head} ID={_quoted(catalog_id)}>\n  <cat:entries>\n".encode()
    for entry in entries:
        yield _entry(entry).encode()
    yield b"  </cat:entries>\n</cat:Catalog>\n"


def read_catalog(data: bytes) -> tuple[CatalogEntry, ...]:
    """The entries of a catalog that somebody sent. An entry with a URL needs a `name` or an `ID` as its path.

    Raises  NotWellFormed; NotValid with every reason
    """
    root = parse_xml(data)
    if root.tag not in _ROOTS:
        raise NotValid([f"the root element is {root.tag!r}, not Catalog of {_NAMESPACE}"])
    found: list[CatalogEntry] = []
    reasons: list[str] = []
    for element in root.iter(f"{{{_NAMESPACE}}}entry"):
        uri, line = str(element.get("URI", "")), element.sourceline
        is_elsewhere = re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", uri) is not None
        path = str(element.get("name") or element.get("ID") or "") if is_elsewhere else uri
        size = _meta(element, "SIZE")
        if not uri:
            reasons.append(f"line {line}: an entry without URI")
        elif not path:
            reasons.append(f"line {line}: the entry for {uri!r} needs a name, its path in the resource")
        if size and not (size.isascii() and size.isdigit() and len(size) < 19):
            reasons.append(f"line {line}: SIZE {size!r} is no number of bytes")
            size = ""
        tags = tuple(
            text
            for tag in element.iter(f"{{{_NAMESPACE}}}tag")
            if (text := "=".join(filter(None, (tag.get("name"), (tag.text or "").strip()))))
        )
        found.append(
            CatalogEntry(
                path,
                uri if is_elsewhere else "",
                int(size) if size else None,
                str(element.get("format", "")),
                str(element.get("content", "")),
                str(element.get("description", "")),
                str(element.get("digest", "")).lower(),
                tags=tags,
            )
        )
    if reasons:
        raise NotValid(reasons)
    return tuple(found)


def _meta(element: object, name: str) -> str:
    for field in element.iter(f"{{{_NAMESPACE}}}metaField"):  # type: ignore[attr-defined]  # an lxml element
        if field.get("name") == name:
            return (field.text or "").strip()
    return ""


def _entry(entry: CatalogEntry) -> str:
    said = {
        "URI": entry.location or entry.path,
        "ID": entry.path,
        "name": entry.path if entry.location else entry.path.rpartition("/")[2],
        "description": entry.description,
        "format": entry.format,
        "content": entry.content,
        "createdBy": entry.created_by,
        "createdTime": entry.created.isoformat(timespec="milliseconds") if entry.created else "",
        "digest": entry.digest,
    }
    words = " ".join(f"{name}={_quoted(text)}" for name, text in said.items() if text)
    inside = ""
    if entry.size_bytes is not None:
        size = f'<cat:metaField name="SIZE">{entry.size_bytes}</cat:metaField>'
        inside += f"<cat:metaFields>{size}</cat:metaFields>"
    if entry.tags:
        inside += f"<cat:tags>{''.join(map(_tag, entry.tags))}</cat:tags>"
    return f"    <cat:entry {words}>{inside}</cat:entry>\n" if inside else f"    <cat:entry {words}/>\n"


def _tag(text: str) -> str:
    name, equals, value = text.partition("=")
    value = value if equals else text
    bare = _quoted(value)[1:-1]
    return f"<cat:tag name={_quoted(name)}>{bare}</cat:tag>" if equals else f"<cat:tag>{bare}</cat:tag>"


def _quoted(text: str) -> str:
    """An attribute in double quotes, whatever is in it."""
    return quoteattr(_UNWRITABLE.sub("\ufffd", text), {'"': "&quot;"})

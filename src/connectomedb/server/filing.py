"""What the routes of resources and files share: the address, the site's store, rows, and bundles."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import cast, get_args

from starlette.convertors import Convertor, register_url_convertor
from starlette.responses import RedirectResponse, Response

from connectomedb.errors import BadConstraint, BadPath, NoSuchFile, TransferError
from connectomedb.objects.elsewhere import head_elsewhere, presigned_elsewhere, read_elsewhere
from connectomedb.objects.held import HeldObjects
from connectomedb.objects.pack import BundleKind, Packed, pack
from connectomedb.server.downloads import Download, attachment
from connectomedb.server.inbound import Ask
from connectomedb.server.outbound import answer_text
from connectomedb.server.streaming import Streamed
from connectomedb.store.holders import ResourceHolder
from connectomedb.store.resource_files import HeldFile
from connectomedb.store.resources import ResourceRecord
from connectomedb.tables.result import Column, ResultTable
from connectomedb.vocabulary.resource_paths import ITEM_PATTERN, ItemAddress, parse_item_address, split_names

_PRESIGNED_FOR = timedelta(minutes=15)
_BUNDLE_TYPES: dict[BundleKind, str] = {
    "zip": "application/zip",
    "tar": "application/x-tar",
    "tar.gz": "application/gzip",
}
_RESOURCE_COLUMNS = (
    "xnat_abstractresource_id label element_name category cat_id cat_desc file_count file_size tags content "
    "format"
)
_FILE_COLUMNS = "Name Size URI collection file_tags file_format file_content cat_ID digest"
_STRUCTURES = ("default", "improved", "simplified", "legacy")


class _ItemConvertor(Convertor[str]):
    """The part of an address that names an item; it never reaches over `/resources` or `/files`."""

    regex = ITEM_PATTERN

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("item", _ItemConvertor())


def held(ask: Ask) -> HeldObjects:
    """The store of the site's own files."""
    found: HeldObjects = ask.request.app.state.held
    return found


def address_of(ask: Ask) -> ItemAddress:
    """The item that the path names."""
    return parse_item_address(ask.part("item"))


def flag(ask: Ask, name: str, *, default: bool = False) -> bool:
    """A yes or no among the query parameters: anything but `false` and `0` is yes."""
    params = ask.request.query_params
    return params[name].lower() not in ("false", "0") if name in params else default


def asked_resources(ask: Ask) -> list[ResourceRecord]:
    """The resources that the path names: one, some, or all of the item. Raises NotFound."""
    some = ask.archive.find_holders(address_of(ask), ask.who, below=flag(ask, "all"))
    names = ask.part("resource")
    return ask.archive.find_resources(some, names) if names else ask.archive.list_resources(some)


def only_one(some: Sequence[ResourceHolder]) -> ResourceHolder:
    """The item to change. Raises BadPath when the address names several, or none."""
    if len(some) != 1:
        raise BadPath(f"files go to one item, and the address names {len(some)}")
    return some[0]


def nothing(ask: Ask, what: str) -> Response:
    """The answer when there is no file: 404, or 204 for those who asked for that."""
    if flag(ask, "accept-not-found"):
        return Response(None, 204)
    raise NoSuchFile(f"no file {what}; the list is at …/files")


# Tables


def resource_table(some: Sequence[ResourceRecord]) -> ResultTable:
    """The listing of resources; its columns never are others, as xnatpy tells it from an item by them."""
    rows = tuple(
        (
            one.number,
            one.label or None,
            one.xsi_type,
            one.holder.category,
            one.holder.name if one.holder.category in ("scans", "reconstructions") else one.holder.id,
            one.holder.description or None,
            one.n_files,
            one.size_bytes,
            ",".join(one.tags) or None,
            one.content or None,
            one.format or None,
        )
        for one in some
    )
    return ResultTable(tuple(Column(key) for key in _RESOURCE_COLUMNS.split()), rows, "Resources")


def file_table(ask: Ask, some: Sequence[HeldFile]) -> ResultTable:
    """The listing of files. Raises BadConstraint for a `locator` that is not offered."""
    keys = _FILE_COLUMNS.split()
    locator = ask.param("locator")
    if locator not in ("", "projectPath"):
        raise BadConstraint(f"locator={locator!r} is not offered: a file has no path of its own on the disk")
    if locator:
        keys[2] = locator
    rows = tuple(
        (
            one.name,
            one.size_bytes,
            "/".join(_member_parts(one, "default")) if locator else one.uri,
            one.resource.label or None,
            one.tags or None,
            one.format or None,
            one.content or None,
            one.resource.number,
            one.md5 or None,
        )
        for one in some
    )
    return ResultTable(tuple(Column(key) for key in keys), rows, "Files")


def wanted_files(ask: Ask, some: Sequence[HeldFile]) -> list[HeldFile]:
    """Those that `file_content` and `file_format` keep; NULL stands for having none."""
    found = list(some)
    for name in ("content", "format"):
        if said := ask.param(f"file_{name}"):
            words = split_names(said)
            found = [one for one in found if (getattr(one, name) or None) in words]
    return found


# Bytes


def download_of(ask: Ask, one: HeldFile) -> Download:
    """A file as something to send. Raises TransferError when a store elsewhere does not answer."""
    if not one.location:
        store = held(ask)

        def read_held(start: int, end: int) -> Iterator[bytes]:
            whole = (start, end) == (0, one.size_bytes)
            return _exactly(store.stream(one.key, start, None if whole else end), end - start, one.name)

        return Download(one.name, one.size_bytes or 0, one.md5, one.modified, read_held)
    size, tag = one.size_bytes, one.md5
    if size is None:
        found = head_elsewhere(one.location)
        size, tag = found.size_bytes, tag or found.etag

    def read_there(start: int, end: int) -> Iterator[bytes]:
        whole = (start, end) == (0, size)
        return _exactly(read_elsewhere(one.location, start, None if whole else end), end - start, one.name)

    return Download(one.name, size, tag, one.modified, read_there)


def _exactly(pieces: Iterator[bytes], n_bytes: int, name: str) -> Iterator[bytes]:
    """As many bytes as were announced. Raises TransferError when there are fewer.

    Whole objects are asked for without a range: a store may answer a range that is all with the whole, and
    the store library takes that for a failure.
    """
    for piece in pieces:
        yield piece[:n_bytes]
        n_bytes -= len(piece)
        if n_bytes <= 0:
            return
    if n_bytes > 0:
        raise TransferError(f"the bytes of {name!r} end {n_bytes} too early; run doctor")


def redirected(ask: Ask, one: HeldFile) -> Response | None:
    """A redirect to the store that holds the bytes, for who asks so (`redirect=true`); None if none does."""
    if not flag(ask, "redirect"):
        return None
    url = (
        presigned_elsewhere(one.location, _PRESIGNED_FOR)
        if one.location
        else held(ask).presigned(one.key, _PRESIGNED_FOR)
    )
    return RedirectResponse(url, 307, {"Cache-Control": "no-store"}) if url else None


def bundle_kind(ask: Ask) -> BundleKind | None:
    """The bundle that `format=` or `Accept` asks for; None for a listing."""
    word = ask.param("format").lower()
    words = {**{kind: kind for kind in get_args(BundleKind)}, "tgz": "tar.gz"}
    words |= {"application/zip": "zip", "application/x-tar": "tar", "application/x-gtar": "tar.gz"}
    words |= {"application/gzip": "tar.gz", "application/x-gzip": "tar.gz"}
    if not word:
        accept = ask.request.headers.get("accept", "").lower()
        word = next((kind for kind in words if "/" in kind and kind in accept), "")
    return cast("BundleKind", words[word]) if word in words else None


def answer_bundle(ask: Ask, some: Sequence[HeldFile], kind: BundleKind, name: str) -> Response:
    """The files as one zip or tar, sent while it is made.

    Raises  BadConstraint for an unknown structure or level of compression
    """
    structure = ask.param("structure") or "default"
    if structure not in _STRUCTURES:
        raise BadConstraint(f"structure={structure!r} is not offered; there are: {', '.join(_STRUCTURES)}")
    level = ask.param("compression")
    if level not in ("", *map(str, range(10))):
        raise BadConstraint(f"compression={level!r} is no level; write 0 to 9")
    before = _paths_before(ask, some)
    headers = {"Content-Disposition": attachment(f"{name}.{kind}"), "Cache-Control": "no-store"}
    if ask.request.method == "HEAD":
        return Response(None, 200, headers, _BUNDLE_TYPES[kind])

    def packed() -> Iterator[Packed]:
        for one in some:
            sent = download_of(ask, one)
            path = "/".join((*before[one.resource.holder.pk], *_member_parts(one, structure)))
            yield Packed(path, sent.size_bytes, one.modified, lambda sent=sent: sent.read(0, sent.size_bytes))  # type: ignore[misc]  # the file of this round

    pieces = pack(packed(), kind, int(level) if level else None)
    return Streamed(pieces, lambda: None, headers, _BUNDLE_TYPES[kind])


def _paths_before(ask: Ask, some: Sequence[HeldFile]) -> dict[int, tuple[str, ...]]:
    """Project and subject before the paths of a holder's files, where they are asked for."""
    holders = {one.resource.holder.pk: one.resource.holder for one in some}
    with_project, with_subject = flag(ask, "projectIncludedInPath"), flag(ask, "subjectIncludedInPath")
    subjects: dict[int, str] = {}
    if with_subject:
        pks = {one.subject_pk for one in holders.values() if one.subject_pk is not None}
        subjects = ask.archive.labels_of(sorted(pks))
    found = {}
    for pk, one in holders.items():
        subject = subjects.get(one.subject_pk or 0, "")
        project = (one.project,) if with_project and one.family != "project" else ()
        found[pk] = (*project, *((subject,) if subject and one.family != "subject" else ()))
    return found


def _member_parts(one: HeldFile, structure: str) -> tuple[str, ...]:
    """The path of a file in a bundle."""
    holder, resource = one.resource.holder, one.resource
    side = resource.place.partition("/")[0]
    sides = (side,) if side in ("in", "out") and holder.category != "resources" else ()
    folder = tuple(_harmless(part) for part in holder.folder)
    label = _harmless(resource.called)
    if structure == "improved":
        if holder.category == "scans":
            kind = re.sub("[^A-Za-z0-9_.-]", "_", holder.description)
            folder = (*folder[:-1], _harmless(f"{holder.name}_{kind}" if kind else holder.name))
        return (*folder, *sides, label, one.path)
    if structure == "simplified":
        return (*folder, *sides, label, one.path)
    if structure == "legacy":
        if holder.category == "resources":
            return (*folder, "RESOURCES", label, one.path)
        around = holder.category.upper()
        return (*folder[:-2], around, _harmless(holder.name), *(s.upper() for s in sides), label, one.path)
    return (*folder, *sides, "resources", label, "files", one.path)


def _harmless(part: str) -> str:
    """A name as a folder in a bundle, which is unpacked on who knows what disk."""
    return re.sub(r'[\\/:*?"<>|\x00-\x1f]', "_", part) if part.strip(". ") else "_"


def done(text: str = "") -> Response:
    """The answer to a change: 200, and nothing that a client could take for a page."""
    return answer_text(text)

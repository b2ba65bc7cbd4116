"""Files: listed, fetched one by one or as a bundle, sent, deleted."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace

from starlette.responses import Response

from connectomedb.errors import AccessDenied, BadPath, Conflict, ConnectomeDBError, DiskFull
from connectomedb.objects.elsewhere import need_allowed
from connectomedb.objects.held import Arrivals, Arrived
from connectomedb.objects.stores import CHUNK_BYTES
from connectomedb.objects.unpack import unpack
from connectomedb.server.downloads import Download, answer_download, tags_of
from connectomedb.server.failures import BadUpload, NotOffered, failure
from connectomedb.server.filing import (
    address_of,
    answer_bundle,
    asked_resources,
    bundle_kind,
    done,
    download_of,
    file_table,
    flag,
    held,
    nothing,
    only_one,
    redirected,
    wanted_files,
)
from connectomedb.server.inbound import Ask
from connectomedb.server.outbound import CONTENT_TYPES, answer_table
from connectomedb.server.uploads import (
    Receiving,
    Refusing,
    Sent,
    multipart_boundary,
    need_name,
    promised_digests,
)
from connectomedb.store.resource_files import Expected, HeldFile, NewFile
from connectomedb.store.resources import NoSuchResource
from connectomedb.vocabulary.resource_paths import file_path, sought_path

# What a client says when it has nothing to say.
_UNSAID = ("", "U")
# The disk keeps that much for the database.
_SPARE_BYTES = 64 * 2**20


def listing(ask: Ask) -> Response:
    """The files of a resource, of an item, or of several scans: a table, a bundle, or the n-th of them."""
    return _answer_files(ask, _listed(ask))


def fetch(ask: Ask) -> Response:
    """One file; or what is below a folder, when the address ends in a slash or names no file."""
    path = sought_path(ask.part("path"))
    resources = asked_resources(ask)
    found = [] if _is_folder(ask) else ask.archive.find_files(resources, path=path)
    if found:
        return redirected(ask, found[0]) or answer_download(ask.request, download_of(ask, found[0]))
    if "!/" in path:
        return _fetch_inside(ask, *path.split("!/", 1))
    recursive = flag(ask, "recursive", default=True)
    below = ask.archive.find_files(resources, folder=path, recursive=recursive)
    if below and (_is_folder(ask) or bundle_kind(ask)):
        return _answer_files(ask, below)
    return nothing(ask, repr(ask.part("path")))


def send(ask: Ask) -> Response:
    """Files that come: one under the path of the address, or several under their own names."""
    try:
        return _receive(ask)
    except ConnectomeDBError as error:
        return Refusing(failure(ask.request, error))


def delete(ask: Ask) -> Response:
    """Delete a file, or everything below a folder."""
    some = ask.archive.find_holders(address_of(ask), ask.who)
    path = sought_path(ask.part("path"))
    resources = asked_resources(ask)
    found = [] if _is_folder(ask) else ask.archive.find_files(resources, path=path)
    found = found or ask.archive.find_files(resources, folder=path)
    if some:
        ask.archive.find_holders(address_of(ask), ask.who, right="delete")
    if not found:
        return nothing(ask, repr(ask.part("path")))
    held(ask).remove(ask.archive.delete_files(found, ask.who, expected=_expected(ask)))
    return done()


# Reading


def _listed(ask: Ask) -> list[HeldFile]:
    recursive = flag(ask, "recursive", default=True)
    try:
        resources = asked_resources(ask)
    except NoSuchResource:
        # xnatpy lists the files of a resource once more after it has deleted it, and dies of a 404.
        if bundle_kind(ask) is not None:
            raise
        resources = []
    return ask.archive.find_files(resources, recursive=recursive)


def _answer_files(ask: Ask, some: Sequence[HeldFile]) -> Response:
    files = wanted_files(ask, some)
    index = ask.number("index")
    if index is not None:
        if index >= len(files):
            return nothing(ask, f"number {index}: there are {len(files)}")
        return redirected(ask, files[index]) or answer_download(ask.request, download_of(ask, files[index]))
    kind = bundle_kind(ask)
    if kind is None:
        return answer_table(ask, file_table(ask, files))
    if not files:
        return nothing(ask, "to put into it")
    parts = [word for word in (ask.part("resource"), *reversed(ask.part("item").split("/"))) if word]
    top = files[0].resource.holder.folder[0]
    name = parts[0] if ask.part("resource") and not ask.part("resource").isdigit() else top
    return answer_bundle(ask, files, kind, re.sub(r"[^\w.-]", "_", name))


def _fetch_inside(ask: Ask, path: str, inner: str) -> Response:
    """A member of a zip that is a file of the site."""
    found = ask.archive.find_files(asked_resources(ask), path=path)
    if not found or found[0].location:
        return nothing(ask, repr(path))
    store, outer = held(ask), found[0]
    try:
        with store.open(outer.key) as source, zipfile.ZipFile(source) as archive:
            info = archive.getinfo(inner)
    except (zipfile.BadZipFile, KeyError):
        return nothing(ask, f"{inner!r} in {path!r}")

    def read(start: int, end: int) -> Iterator[bytes]:
        with (
            store.open(outer.key) as source,
            zipfile.ZipFile(source) as archive,
            archive.open(inner) as opened,
        ):
            opened.seek(start)
            left = end - start
            while left > 0 and (piece := opened.read(min(CHUNK_BYTES, left))):
                left -= len(piece)
                yield piece

    tag = f"{outer.md5}-{info.CRC:08x}" if outer.md5 else ""
    name = inner.rpartition("/")[2]
    return answer_download(ask.request, Download(name, info.file_size, tag, outer.modified, read))


def _is_folder(ask: Ask) -> bool:
    asked: str = ask.request.scope.get("connectomedb.asked_path", ask.request.url.path)
    return asked.endswith("/")


# Writing


def _receive(ask: Ask) -> Response:
    """Everything that can be refused before the body is read; then the body."""
    request = ask.request
    holder = only_one(ask.archive.find_holders(address_of(ask), ask.who, right="edit"))
    resource = ask.part("resource") or "NULL"
    try:
        ask.archive.find_resources([holder], resource)
    except NoSuchResource:
        if resource.isdigit():
            raise
    asked: str = request.scope.get("connectomedb.asked_path", "")
    extract = flag(ask, "extract")
    path = ask.part("path")
    if path:
        if re.search(r"/files/{2,}", asked):
            raise BadPath("the path of the file is absolute; write it without its first /")
        path = file_path(path) if not (_is_folder(ask) or extract) else path.strip("/")
    boundary = multipart_boundary(request)
    if boundary and flag(ask, "inbody"):
        raise NotOffered("a multipart body is not the file itself; leave inbody out, or send the bare bytes")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise BadUpload("a body with Content-Encoding is not taken; send the file as it is")
    if reference := request.query_params.get("reference", ""):
        return _refer(ask, resource, path, reference)
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) + _SPARE_BYTES > held(ask).room_bytes():
        raise DiskFull(f"no room for {int(length)} bytes; nothing was stored")
    if not path and not boundary and not extract:
        raise BadPath("the address names no file; write …/files/NAME, or send multipart with names")
    promised = promised_digests(request.headers)
    takes_empty = flag(ask, "inbody") or bool(boundary) or "content-type" in request.headers

    def finish(arrivals: Arrivals, sent: Sequence[Sent]) -> Response:
        if not sent or (len(sent) == 1 and not sent[0].incoming.size_bytes and not takes_empty):
            raise BadUpload(
                "no file came with the request; send its bytes, with inbody=true for an empty one"
            )
        if extract:
            files = [one for each in sent for one in _unpacked(ask, arrivals, each, path)]
        else:
            single = promised if len(sent) == 1 and not boundary else None
            files = []
            for one in sent:
                md5, sha256 = (single.md5, single.sha256) if single else ("", "")
                arrived = one.incoming.finish(md5=md5, sha256=sha256)
                files.append(_file(ask, _target(ask, path, one.name, len(sent)), arrived))
        if len({one.path for one in files}) < len(files):
            raise Conflict("two files of the body have the same name; nothing was stored")
        arrivals.sync()
        return _enter(ask, resource, files, arrivals)

    return Receiving(request, held(ask), finish)


def _enter(ask: Ask, resource: str, files: Sequence[NewFile], arrivals: Arrivals | None) -> Response:
    entered = ask.archive.enter_files(
        address_of(ask),
        resource,
        files,
        ask.who,
        overwrite=flag(ask, "overwrite"),
        expected=_expected(ask),
        reason=ask.param("event_reason"),
    )
    if arrivals is not None:
        arrivals.keep(unused={one.key for one in files if one.path in set(entered.duplicates)})
    held(ask).remove(entered.unused_keys)
    if entered.duplicates:
        # XNAT's answer: the file is as it was, and the status says nothing of it.
        return Response(json.dumps({"duplicates": entered.duplicates}), 200, None, CONTENT_TYPES["json"])
    return done()


def _unpacked(ask: Ask, arrivals: Arrivals, sent: Sent, path: str) -> list[NewFile]:
    """The members of an archive, each in the store; they go below the folder that the address names."""
    around = path if _is_folder(ask) else path.rpartition("/")[0]
    found = []
    with sent.incoming.reader() as source:
        for member in unpack(source, sent.incoming.size_bytes):
            incoming = arrivals.receive()
            for piece in member.pieces:
                incoming.write(piece)
            name = f"{around}/{member.path}" if around else member.path
            found.append(_file(ask, file_path(name), incoming.finish()))
    return found


def _target(ask: Ask, path: str, name: str, n_sent: int) -> str:
    """The path that a file gets: that of the address, or its own name below it."""
    if path and n_sent == 1 and not _is_folder(ask):
        return path
    return file_path(f"{path}/{need_name(name)}" if path else need_name(name))


def _file(ask: Ask, path: str, arrived: Arrived) -> NewFile:
    format_, content, tags, description = (
        "" if ask.param(name) in _UNSAID else ask.param(name)
        for name in ("format", "content", "tags", "description")
    )
    return NewFile(
        path,
        arrived.size_bytes,
        arrived.md5,
        arrived.sha256,
        arrived.key,
        format=format_,
        content=content,
        tags=tags,
        description=description,
    )


def _refer(ask: Ask, resource: str, path: str, reference: str) -> Response:
    """An entry for an object that stays where it is.

    Deviation: XNAT copies files of the server's own disk; here nobody reads that over HTTP.
    """
    if "://" not in reference:
        raise AccessDenied("the server's own disk is nothing to point to; send the file, or name its URL")
    prefixes = (ask.site.mirror_url, *ask.archive.get_setting("file_locations").split())
    need_allowed(reference, prefixes, is_admin=ask.who.is_admin)
    name = path or file_path(reference.rpartition("/")[2].partition("?")[0])
    new = _file(ask, name, Arrived("", 0, "", ""))
    return _enter(ask, resource, [replace(new, size_bytes=None, location=reference)], None)


def _expected(ask: Ask) -> Expected | None:
    """What `If-Match` and `If-None-Match: *` say of the file that is changed."""
    headers = ask.request.headers
    if_match = headers.get("if-match", "")
    absent = headers.get("if-none-match", "").strip() == "*"
    if not if_match and not absent:
        return None
    return Expected(tags_of(if_match) if if_match else (), absent)

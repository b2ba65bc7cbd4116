"""Resources: their list, their catalogs, made and deleted."""

from __future__ import annotations

import re

from starlette.responses import Response

from connectomedb.errors import BadConstraint, NotValid, ObjectMissing
from connectomedb.objects.digests import new_digest
from connectomedb.objects.elsewhere import need_allowed
from connectomedb.schema.catalog import CatalogEntry, read_catalog, write_catalog
from connectomedb.server.filing import (
    address_of,
    answer_bundle,
    asked_resources,
    bundle_kind,
    done,
    download_of,
    flag,
    held,
    only_one,
    resource_table,
)
from connectomedb.server.inbound import Ask
from connectomedb.server.outbound import answer_table
from connectomedb.server.streaming import Streamed
from connectomedb.store.resource_files import HeldFile, NewFile
from connectomedb.store.resources import ResourceFacts, ResourceRecord
from connectomedb.vocabulary.resource_paths import file_path, parse_item_address

_REFRESHES = ("append", "checksum", "delete", "populateStats")


def listing(ask: Ask) -> Response:
    """The resources of an item; with `all=true` also those of what is inside it."""
    return answer_table(ask, resource_table(asked_resources(ask)))


def catalog(ask: Ask) -> Response:
    """One resource as its catalog, whatever format is asked for; or its files as a zip or tar."""
    some = asked_resources(ask)
    files = ask.archive.find_files(some)
    kind = bundle_kind(ask)
    if kind is not None:
        return answer_bundle(ask, files, kind, some[0].called)
    pieces = write_catalog(some[0].called, map(_entry, files))
    return Streamed(pieces, lambda: None, {"Cache-Control": "no-store"}, "text/xml; charset=utf-8")


def create(ask: Ask) -> Response:
    """A new resource; a catalog as the body brings words about its files, and files that are elsewhere."""
    label = ask.part("resource")
    if ask.body.strip():
        entries = read_catalog(ask.document())
        made = _made(ask, label)
        _take_entries(ask, made, entries)
        return done()
    ask.archive.create_resource(address_of(ask), label, ask.who, **_facts(ask))
    return done()


def create_unnamed(ask: Ask) -> Response:
    """A new resource under the next number, with the label that the query says, if any."""
    made = ask.archive.create_resource(address_of(ask), ask.param("label"), ask.who, **_facts(ask))
    return done(made.uri)


def delete(ask: Ask) -> Response:
    """Delete resources with their files."""
    only_one(ask.archive.find_holders(address_of(ask), ask.who))
    some = asked_resources(ask)
    ask.archive.find_holders(address_of(ask), ask.who, right="delete")
    for resource in some:
        held(ask).remove(ask.archive.delete_resource(resource, ask.who, ask.param("event_reason")))
    return done()


def refresh(ask: Ask) -> Response:
    """Look again at what resources hold: sizes, digests, entries whose bytes are gone."""
    params = ask.request.query_params
    form = ask.form() if ask.body else {}
    wanted = {word for said in params.getlist("options") for word in re.split(r"[,\s]+", said) if word}
    wanted |= {word for word in _REFRESHES if flag(ask, word)}
    if unknown := wanted - set(_REFRESHES):
        raise BadConstraint(
            f"options={sorted(unknown)[0]!r} is not offered; there are: {', '.join(_REFRESHES)}"
        )
    uris = params.getlist("resource") or [form[name] for name in form if name == "resource"]
    if not uris:
        raise BadConstraint("resource= says what is looked at: /archive/experiments/… or …/resources/…")
    for uri in uris:
        item, _, name = re.sub(r"\A/?(?:data/|REST/)?(?:archive/)?", "", uri).partition("/resources")
        some = ask.archive.find_holders(
            parse_item_address(item.strip("/")), ask.who, right="edit", below=True
        )
        names = name.strip("/").partition("/")[0]
        found = ask.archive.find_resources(some, names) if names else ask.archive.list_resources(some)
        for resource in found:
            _look_again(ask, resource, wanted)
    return done()


def _facts(ask: Ask) -> ResourceFacts:
    names = ("format", "content", "description")
    said = {name: ask.param(name) for name in names if ask.param(name)}
    return {"facts": said, "tags": ask.words("tags"), "reason": ask.param("event_reason")}


def _made(ask: Ask, label: str) -> ResourceRecord:
    """The resource of that label, made when it is not there; the user may change it."""
    ask.archive.enter_files(address_of(ask), label, (), ask.who)
    some = ask.archive.find_holders(address_of(ask), ask.who, right="edit")
    return ask.archive.find_resources(some, label)[0]


def _take_entries(ask: Ask, resource: ResourceRecord, entries: tuple[CatalogEntry, ...]) -> None:
    """Entries elsewhere become files; what is said of the resource's own files is kept."""
    prefixes = (ask.site.mirror_url, *ask.archive.get_setting("file_locations").split())
    there = {one.path: one for one in ask.archive.find_files([resource])}
    new: list[NewFile] = []
    said: list[NewFile] = []
    reasons: list[str] = []
    for entry in entries:
        path = file_path(entry.path)
        if entry.location:
            need_allowed(entry.location, prefixes, is_admin=ask.who.is_admin)
            new.append(_new_file(entry, path))
        elif path not in there:
            reasons.append(f"{path}: no such file; upload it first, then say more of it")
        elif entry.digest and entry.digest != there[path].md5:
            reasons.append(f"{path}: the digest is {there[path].md5}, the catalog says {entry.digest}")
        else:
            said.append(NewFile(path, format=entry.format, content=entry.content, tags=",".join(entry.tags)))
    if reasons:
        raise NotValid(reasons)
    if new:
        label = str(resource.number)
        entered = ask.archive.enter_files(address_of(ask), label, new, ask.who, overwrite=True)
        held(ask).remove(entered.unused_keys)
    if said:
        ask.archive.set_file_facts(resource, said)


def _new_file(entry: CatalogEntry, path: str) -> NewFile:
    return NewFile(
        path,
        entry.size_bytes,
        md5=entry.digest if re.fullmatch("[0-9a-f]{32}", entry.digest) else "",
        location=entry.location,
        format=entry.format,
        content=entry.content,
        description=entry.description,
        tags=",".join(entry.tags),
    )


def _entry(one: HeldFile) -> CatalogEntry:
    return CatalogEntry(
        one.path,
        one.location,
        one.size_bytes,
        one.format,
        one.content,
        one.description,
        one.md5,
        one.created,
        one.created_by,
        tuple(word for word in one.tags.split(",") if word),
    )


def _look_again(ask: Ask, resource: ResourceRecord, wanted: set[str]) -> None:
    files = ask.archive.find_files([resource])
    gone: list[HeldFile] = []
    facts: list[NewFile] = []
    for one in files if wanted & {"checksum", "delete"} else ():
        try:
            facts.append(_seen(ask, one, checksum="checksum" in wanted))
        except ObjectMissing:
            if "delete" not in wanted:
                raise
            gone.append(one)
    if gone:
        ask.archive.delete_files(gone, ask.who)
    ask.archive.set_file_facts(resource, facts)


def _seen(ask: Ask, one: HeldFile, *, checksum: bool) -> NewFile:
    """Size and digests as the bytes are."""
    download = download_of(ask, one)
    if not checksum:
        if not one.location:
            held(ask).open(one.key).close()
        return NewFile(one.path, download.size_bytes)
    md5, sha256, n_bytes = new_digest("md5"), new_digest("sha256"), 0
    for piece in download.read(0, download.size_bytes):
        md5.update(piece)
        sha256.update(piece)
        n_bytes += len(piece)
    return NewFile(one.path, n_bytes, md5.hexdigest(), sha256.hexdigest())

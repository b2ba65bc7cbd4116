"""Addresses of the original ConnectomeDB that scripts still hold: exports, file views, download links.

Source   domain/hcp.md 1.5, 4.7
"""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator
from urllib.parse import quote, urlencode

from starlette.responses import RedirectResponse, Response

from connectomedb.errors import BadConstraint, NotFound
from connectomedb.objects.stores import open_store
from connectomedb.schema.dictionary.shipped import s1200_fields
from connectomedb.schema.model import DataType, ElementPath
from connectomedb.server.inbound import Ask
from connectomedb.server.outbound import answer_table
from connectomedb.server.places import subject_of
from connectomedb.server.streaming import Streamed
from connectomedb.store.subject_files import MirrorFile
from connectomedb.tables.result import Cell, Column, ResultTable
from connectomedb.vocabulary.short_names import EXPERIMENT, SESSION

# The one dictionary whose export had a stable address.
_DICTIONARY = "subject information"
# `restricted=0` is what is open, 1 and 2 are the tiers above.
_TIERS = (("open",), ("open", "restricted"), ("open", "restricted", "sensitive"))
_DELIMITERS = str.maketrans("", "", ',"\r\n\t')


def subject_export(ask: Ask) -> Response:
    """Everything that is known of a project's subjects, one row each: the dashboard's CSV export.

    Raises  NotFound for another dictionary or project; TermsNotAccepted for tiers that the caller lacks
    """
    name = ask.part("dictionary")
    if name.strip().lower() != _DICTIONARY:
        raise NotFound(f"no dictionary {name!r}; there is: Subject Information")
    level = ask.param("restricted") or "0"
    if level not in ("0", "1", "2"):
        raise BadConstraint(f"restricted={level!r}: write 0 for open fields, 1 or 2 for the tiers above")
    if not ask.param("project"):
        raise BadConstraint("say which project to export: project=HCP_1200")
    project_id = ask.archive.locate_project(ask.param("project"), ask.who)
    table = _export(ask, project_id, _TIERS[int(level)])
    if ask.flag("removeDelimitersFromFieldValues"):
        rows = tuple(tuple(_bare(cell) for cell in row) for row in table.rows)
        table = ResultTable(table.columns, rows, table.title)
    response = answer_table(ask, table)
    kind = "unrestricted" if level == "0" else "RESTRICTED"
    if response.headers["content-type"].startswith("text/csv"):
        response.headers["Content-Disposition"] = f'attachment; filename="{kind}_{project_id}.csv"'
    return response


def _export(ask: Ask, project_id: str, tiers: tuple[str, ...]) -> ResultTable:
    """The subjects' labels and what each type of measure says of them; of several the first."""
    types = ask.site.types
    subjects = ask.archive.listing("subjects", ask.who, project=project_id, columns=("ID", "label"))
    order = {str(row["ID"]): str(row["label"]) for row in subjects.as_dicts()}
    held: dict[str, dict[str, Cell]] = {subject_id: {} for subject_id in order}
    columns: dict[str, Column] = {"Subject": Column("Subject")}
    for xsi_type in _in_order(ask, project_id):
        data_type = types.get(xsi_type)
        wanted = {f"{xsi_type}/{leaf.path}".lower(): leaf for leaf in _measures(ask, data_type, tiers)}
        if not wanted:
            continue
        names = _names(xsi_type)
        asked = ["subject_ID", *(f"{xsi_type}/{leaf.path}" for leaf in wanted.values())]
        table = ask.archive.listing(
            "experiments", ask.who, project=project_id, columns=asked, xsi_types=(xsi_type,)
        )
        for leaf in wanted.values():
            columns.setdefault(names.get(leaf.path, leaf.name), Column("", leaf.value_type))
        for row in table.as_dicts():
            said = held.get(str(row["subject_ID"]))
            if said is None:
                continue
            for key, leaf in wanted.items():
                column = names.get(leaf.path, leaf.name)
                if said.get(column) is None:
                    said[column] = row[key]
    described = tuple(Column(name, column.value_type) for name, column in columns.items())
    rows = tuple(
        (label, *(held[subject_id].get(c.key) for c in described[1:]))
        for subject_id, label in sorted(order.items(), key=lambda one: one[1])
    )
    return ResultTable(described, rows, "Subject Information")


def _in_order(ask: Ask, project_id: str) -> list[str]:
    """The types of measures in a project as the registry has them; sessions hold none of the dictionary's."""
    there = set(ask.archive.types_in_project(project_id, ask.who))
    types = ask.site.types
    return [t.xsi_type for t in types.all() if t.xsi_type in there and not types.is_a(t.xsi_type, SESSION)]


def _measures(ask: Ask, data_type: DataType, tiers: tuple[str, ...]) -> Iterator[ElementPath]:
    """What a type says beside what every experiment says."""
    common = {leaf.path for leaf in ask.site.types.get(EXPERIMENT).fields} | {"subject_ID", "age"}
    for leaf in data_type.fields:
        if leaf.path not in common and leaf.tier in tiers:
            yield leaf


def _names(xsi_type: str) -> dict[str, str]:
    """The dictionary's names of elements that are called otherwise."""
    return {f.column.path: f.column.name for f in s1200_fields() if f.xsi_type == xsi_type}


def _bare(cell: Cell) -> Cell:
    return cell.translate(_DELIMITERS) if isinstance(cell, str) else cell


# The whole-subject file view, SUBJECT_CREST


def subject_files(ask: Ask) -> Response:
    """The files of a subject, by their paths below its folder."""
    _label(ask)
    base = ask.request.scope["path"].rstrip("/")
    rows = tuple(
        (f.path.rpartition("/")[2], f.size_bytes, f"{base}/{f.path}", ask.part("view") + "_CREST", f.digest)
        for f in _held(ask)
    )
    columns = (
        Column("Name"),
        Column("Size", "integer"),
        Column("URI"),
        Column("collection"),
        Column("digest"),
    )
    return answer_table(ask, ResultTable(columns, rows, "Files"))


def subject_file(ask: Ask) -> Response:
    """One file of a subject, from the mirror."""
    _label(ask)
    path = ask.part("path")
    found = next((f for f in _held(ask) if f.path == path), None)
    if found is None:
        raise NotFound(f"no file {path!r} of subject {ask.part('view')}")
    store = open_store(found.location)
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    # Images are compressed already; said so, they are sent as they are.
    headers = {"Cache-Control": "private, no-cache", "Content-Encoding": "identity"}
    if ask.request.method == "HEAD":
        return Response(None, 200, {**headers, "Content-Length": str(found.size_bytes)}, kind)
    return Streamed(store.stream(found.key), lambda: None, headers, kind)


def _label(ask: Ask) -> None:
    """Raises NotFound when the parts of the address are about different subjects."""
    view = ask.part("view")
    subject = subject_of(ask)
    if view not in (subject.label, subject.id) or ask.part("again") != view:
        raise NotFound(f"no view {view}_CREST of subject {subject.label}")


def _held(ask: Ask) -> list[MirrorFile]:
    return ask.archive.files_of_subject(subject_of(ask).id, ask.who)


def download_link(ask: Ask) -> Response:
    """The browser's form of a file of a project resource: goes there."""
    asked = {name: ask.param(name) for name in ("project", "resource", "filePath")}
    missing = [name for name, value in asked.items() if not value]
    if missing:
        form = urlencode({"project": "P", "resource": "R", "filePath": "F"})
        raise BadConstraint(f"the link lacks {', '.join(missing)}; write ?{form}")
    project, resource = (quote(asked[name], safe="") for name in ("project", "resource"))
    path = quote(asked["filePath"].lstrip("/"), safe="/")
    if ".." in asked["filePath"].split("/"):
        raise BadConstraint(f"filePath={asked['filePath']!r} leads out of the resource")
    return RedirectResponse(f"/data/projects/{project}/resources/{resource}/files/{path}", 302)

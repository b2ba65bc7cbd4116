"""From an answer to its images: which files belong to these subjects, and the plan that brings them.

The question about files is an ordinary search on the type `hcp:file`; the plan is made from its answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from connectomedb.errors import ConfigurationError
from connectomedb.objects.layouts import Layout
from connectomedb.objects.plan import TransferPlan, make_plan
from connectomedb.objects.scan import scan_package
from connectomedb.objects.select import Selection
from connectomedb.objects.stores import ObjectStore
from connectomedb.search.query import CriteriaSet, Criterion, FieldRef, SearchField, SearchQuery
from connectomedb.tables.result import ResultTable
from connectomedb.vocabulary.records import FileRow

FILE_TYPE = "hcp:file"
FILE_COLUMNS = (
    "SUBJECT_LABEL",
    "KEY",
    "SIZE",
    "ALGORITHM",
    "DIGEST",
    "SESSION",
    "RUN",
    "KIND",
    "PACKAGE",
    "RELEASE",
    "LOCATION",
)


def files_query(
    labels: Iterable[str], *, package: str = "", run: str = "", kind: str = "", project: str = ""
) -> SearchQuery:
    """The search for the files of these subjects, by label, narrowed to a package, a run or a kind."""
    wanted = ", ".join(f'"{label}"' for label in labels)
    criteria = [Criterion(FieldRef(FILE_TYPE, "SUBJECT_LABEL"), "IN", wanted)]
    for name, value in (("PACKAGE", package), ("RUN", run), ("KIND", kind), ("PROJECT", project)):
        if value:
            criteria.append(Criterion(FieldRef(FILE_TYPE, name), "=", value))
    fields = tuple(SearchField(FieldRef(FILE_TYPE, name)) for name in FILE_COLUMNS)
    return SearchQuery(FILE_TYPE, fields, CriteriaSet("AND", tuple(criteria)))


def values_query(field: str) -> SearchQuery:
    """The search for the values that a column of the file table has."""
    return SearchQuery(FILE_TYPE, (SearchField(FieldRef(FILE_TYPE, field)),))


def plan_from_table(
    table: ResultTable,
    folder: str | Path,
    *,
    subjects_wanted: Sequence[str] = (),
    selection: Selection | None = None,
    layout: str = "",
    cache: str | Path = "",
) -> TransferPlan:
    """The plan for the files of a `files_query` answer; subjects without any are named in it.

    `selection` narrows the files; `layout` and `cache` are those of `make_plan`.
    Raises   ConfigurationError when the files lie in several mirrors
    Cost     one `stat` per file; no request
    """
    rows = file_rows(table)
    present = {row.subject_label for row in rows}
    plan = make_plan(
        selection.of(rows) if selection else rows,
        folder,
        location=location_of(table),
        layout=layout,
        cache=cache,
    )
    # Who is on the mirror and has no file of the selection is not absent.
    return replace(plan, absent_subjects=tuple(s for s in subjects_wanted if s not in present))


def location_of(table: ResultTable) -> str:
    """Where the files of a `files_query` answer lie. Raises ConfigurationError for several mirrors."""
    locations = dict.fromkeys(str(v) for v in table.column("location") if v)
    if len(locations) > 1:
        raise ConfigurationError(
            f"the files lie in several mirrors ({', '.join(locations)}); make one plan for each"
        )
    return next(iter(locations), "")


def plan_from_store(
    store: ObjectStore, layout: Layout, package: str, subjects: Sequence[str], folder: str | Path
) -> TransferPlan:
    """The plan for a package of these subjects, straight from a store that no server describes.

    Raises   ConfigurationError for a package that the layout cannot have
    Cost     one or two listings per subject, one read per manifest
    """
    rows = list(scan_package(store, layout, package, subjects))
    return make_plan(rows, folder, location=store.location, subjects_wanted=subjects)


def file_rows(table: ResultTable) -> list[FileRow]:
    """The rows of a `files_query` answer as file rows."""

    def text(row: Mapping[str, object], key: str) -> str:
        value = row.get(key)
        return "" if value is None else str(value)

    return [
        FileRow(
            subject_label=text(row, "subject_label"),
            key=text(row, "key"),
            size_bytes=int(text(row, "size") or 0),
            algorithm=text(row, "algorithm"),
            digest=text(row, "digest"),
            session=text(row, "session"),
            run=text(row, "run"),
            kind=text(row, "kind"),
            package=text(row, "package"),
            release=text(row, "release"),
        )
        for row in table.as_dicts()
    ]

"""The searches that nobody saved: one per data type for the site, and one for each project.

Source  protocol/search-and-types.md 3.8
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from xml.sax.saxutils import quoteattr

from connectomedb.errors import NotFound
from connectomedb.schema.model import DisplayVersion, VersionField
from connectomedb.schema.registry import DataTypes
from connectomedb.search.query import CriteriaSet, Criterion, FieldRef, SearchField, SearchQuery
from connectomedb.search.search_xml import print_bundle

SUBJECT = "xnat:subjectData"
IMAGE_SESSION = "xnat:imageSessionData"
_IDENTIFIER = "_PROJECT_IDENTIFIER"


def site_search(xsi_type: str, types: DataTypes, version: str = "") -> SearchQuery:
    """Every item of a type, with the columns of a display version, `listing` if none is named.

    Raises  UnknownDataType; NotFound for a version that the type does not have
    """
    root = types.get(xsi_type).xsi_type
    versions = types.display(root).versions
    if version and version not in versions:
        raise NotFound(f"{root} has no display version {version!r}; there are: {', '.join(versions)}")
    shown = versions.get(version or "listing") or _any(versions.values())
    return SearchQuery(root, tuple(_fields(shown, root, types)), search_id=f"@{root}")


def project_search(
    project: str, xsi_type: str, types: DataTypes, present: Iterable[str], version: str = ""
) -> SearchQuery:
    """The items of a type that are in a project, under the labels that they have there.

    `present` are the types of which the project has experiments: a subject counts them, an image session
    those that are its assessors.
    Raises  UnknownDataType; NotFound for a version that the type does not have
    """
    query = site_search(xsi_type, types, version)
    root = query.root
    display = types.display(root)
    bundle = display.versions.get(version or "project_bundle")
    fields = _fields(bundle, root, types) if bundle else _labelled_first(query.fields, root, types)
    counts = (_count(counted, root, project, types) for counted in _countable(root, present, types))
    inside = CriteriaSet(
        "OR",
        (
            Criterion(FieldRef(root, "sharing/share/project"), "=", project),
            Criterion(FieldRef(root, "project"), "=", project),
        ),
    )
    return replace(
        query,
        fields=(*(_in_project(field, project) for field in fields), *counts),
        where=CriteriaSet("AND", (inside,)),
        search_id=f"{project}_{root}",
        brief_description=display.plural,
        tag=project,
        secure=False,
    )


def print_default(query: SearchQuery) -> bytes:
    """A generated search as XNAT writes it: that of the site has no attribute but its ID."""
    if not query.tag:
        return print_bundle(query, f"ID={quoteattr(query.search_id)}")
    attributes = {
        "ID": query.search_id,
        "allow-diff-columns": "0",
        "secure": "0",
        "brief-description": query.brief_description,
        "tag": query.tag,
    }
    return print_bundle(query, " ".join(f"{name}={quoteattr(value)}" for name, value in attributes.items()))


def _any(versions: Iterable[DisplayVersion]) -> DisplayVersion:
    by_name = {version.name: version for version in versions}
    return by_name.get("full") or next(iter(by_name.values()), DisplayVersion("listing", ()))


def _fields(version: DisplayVersion, root: str, types: DataTypes) -> Iterator[SearchField]:
    for shown in version.fields:
        field = _field(shown, root, types)
        if field is not None:
            yield field


def _field(shown: VersionField, root: str, types: DataTypes) -> SearchField | None:
    """The column; None for a reference to a field that there is not."""
    element = shown.element_name or root
    if element not in types:
        return None
    known = types.display(element).fields.get(shown.field_id.partition("=")[0])
    if known is None:
        return None
    value_type = "string" if known.value_type == "dateTime" else known.value_type
    header = shown.header or known.header or known.id
    return SearchField(FieldRef(element, shown.field_id), header, visible=shown.visible, type=value_type)


def _labelled_first(fields: tuple[SearchField, ...], root: str, types: DataTypes) -> Iterator[SearchField]:
    """A type without the version `project_bundle`: its identifiers in the project, then its listing."""
    owners = [root] if types.is_a(root, SUBJECT) else [root, SUBJECT]
    for element in owners:
        for known in types.display(element).fields.values():
            if known.valued and known.id.endswith(_IDENTIFIER):
                yield SearchField(FieldRef(element, known.id), known.header or known.id)
    yield from fields


def _in_project(field: SearchField, project: str) -> SearchField:
    """Identifier fields get the project as their value, in both places that can hold it."""
    if not field.ref.name.endswith(_IDENTIFIER):
        return field
    return replace(field, ref=FieldRef(field.ref.element_name, f"{field.ref.name}={project}"), value=project)


def _countable(root: str, present: Iterable[str], types: DataTypes) -> Iterator[str]:
    assessor = "xnat:imageAssessorData"
    for name in present:
        is_assessor = assessor in types and types.is_a(name, assessor)
        if (types.is_a(root, SUBJECT) and not is_assessor) or (
            types.is_a(root, IMAGE_SESSION) and is_assessor
        ):
            yield name


def _count(counted: str, root: str, project: str, types: DataTypes) -> SearchField:
    name = f"CNT_{types.get(counted).sql_name.upper()}={project}"
    return SearchField(FieldRef(root, name), types.display(counted).plural, project, type="integer")

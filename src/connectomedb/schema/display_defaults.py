"""The display document that every type has without writing one, and what it adds to a written one.

Four families differ: what is measured of a subject, what is derived from an imaging session, any other
experiment, and all the rest (a field per leaf). Beside them stand the generated counts, which no file lists.

Source  protocol/search-and-types.md 2.2 and 2.3
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from connectomedb.errors import NotValid
from connectomedb.schema.built_ins import SCAN_LEAVES
from connectomedb.schema.expressions import Constant, inputs_of
from connectomedb.schema.model import (
    Arc,
    ArcDefinition,
    DataType,
    DisplayDocument,
    DisplayField,
    DisplayVersion,
    Link,
    LinkProperty,
    VersionField,
)

SUBJECT = "xnat:subjectData"
SESSION = "xnat:imageSessionData"
ASSESSOR = "xnat:imageAssessorData"
SCAN = "xnat:imageScanData"
_SECURED = ("PROJECTS", "PROJECT")
REPORT_ICON = "/@WEBAPPimages/r.gif"

ARCS = (
    ArcDefinition(
        "PARTICIPANT_EXPERIMENT",
        SUBJECT,
        "SUBJECT_ID",
        (("PART_ID", "string"), ("DATE", "date"), ("EXPT_ID", "string")),
        (("DATE", "closest"),),
    ),
    ArcDefinition("ASSESSOR", "xnat:mrSessionData", "SESSION_ID", (("SESSION_ID", "string"),)),
)


class Types(Protocol):
    """What the default needs to know of the other types of a site."""

    def is_a(self, xsi_type: str, base: str) -> bool: ...
    def all(self) -> tuple[DataType, ...]: ...
    def plural(self, xsi_type: str) -> str: ...


def complete(document: DisplayDocument | None, data_type: DataType, types: Types) -> DisplayDocument:
    """The document with everything that it leaves to the default; the default alone for None."""
    written = dict(document.fields) if document else {}
    fields = dict(written)
    whole = document is not None and document.is_whole
    own = _own_fields(data_type, types)
    if not whole:
        covered = {f.expression for f in written.values() if f.expression[0] == "element"}
        own = [f for f in own if f.expression not in covered]
        fields = {**{f.id: f for f in _common_fields(data_type, types)}, **written}
        for field in own:
            fields.setdefault(field.id, field)
    for field in _generated(data_type, types):
        fields.setdefault(field.id, field)
    leaves = {leaf.path.lower(): leaf for leaf in data_type.fields}
    for field in written.values():
        leaf = leaves.get(field.expression[1].lower()) if field.expression[0] == "element" else None
        if leaf is not None and field.declared_type not in ("string", "float"):
            fields[field.id] = replace(field, value_type=leaf.value_type)
    closed = {leaf.path: leaf.tier for leaf in data_type.fields if leaf.tier != "open"}
    for field in tuple(fields.values()):
        if field.expression[0] == "element" and field.expression[1] in closed:
            fields[field.id] = replace(field, tier=closed[field.expression[1]])
    versions = dict(document.versions) if document else {}
    if not whole:
        mine = {leaf.path for leaf in data_type.own_fields()}
        shown = [i for i, f in fields.items() if f.expression[0] == "element" and f.expression[1] in mine]
        for version in _versions(data_type, types, shown, fields):
            versions.setdefault(version.name, version)
    name = data_type.root_element or data_type.xsi_type
    if document is None:
        document = DisplayDocument(data_type.xsi_type, name, types.plural(data_type.xsi_type), {})
    return replace(
        document,
        fields=fields,
        versions=versions,
        description=document.description or data_type.documentation,
        arcs=document.arcs or _arcs(data_type, types, fields),
    )


def check(document: DisplayDocument, data_type: DataType, types: Types) -> None:
    """Whether everything that a written document names exists.

    Raises   NotValid with every element, type and sort-by that does not, by field and file
    """
    known = {t.xsi_type: t for t in types.all()}
    whole = complete(document, data_type, types)
    problems = []
    for field in document.fields.values():
        place = f"{document.source}: {field.id}"
        inputs = [field.expression, *(i.expression for i in inputs_of(field.formula or Constant(None)))]
        for name, *arguments in inputs:
            owner = arguments[0] if name == "element_of" else data_type.xsi_type
            if name in ("element", "element_of") and (
                owner not in known or not _has_leaf(known[owner], arguments[-1])
            ):
                problems.append(f"{place} reads {owner}/{arguments[-1]}, which no schema defines")
            elif name == "element_of" and not _connects(data_type, owner, types):
                problems.append(f"{place} reads {owner}, which {data_type.xsi_type} does not lead to")
        if field.sort_by and field.sort_by not in whole.fields:
            problems.append(f"{place} sorts by {field.sort_by}, which is no field of the document")
        for linked in field.link_fields:
            if linked not in whole.fields:
                problems.append(f"{place} links by {linked}, which is no field of the document")
    if problems:
        raise NotValid(problems)


def sql_name(xsi_type: str) -> str:
    """`xnat:petSessionData` → `XNAT_PETSESSIONDATA`, as it stands in generated ids."""
    return xsi_type.replace(":", "_").upper()


def item_link(xsi_type: str, key: str) -> Link:
    """The stock link of an item: its page and its report."""
    spot = f"{xsi_type}.ID"
    place = f"search_value/@Field1/search_element/{xsi_type}/search_field/{spot}"
    href = f"@WEBAPPapp/action/DisplayItemAction/{place}"
    inserts = (("Field1", key),)
    properties = (
        LinkProperty("HREF", href, inserts),
        LinkProperty("ONCLICK", f"return rpt('@Field1','{xsi_type}','{spot}');", inserts),
    )
    return Link(properties, _SECURED, xsi_type)


def _label_link(xsi_type: str) -> Link:
    """That of a label also tells who stored the item and when."""
    link = item_link(xsi_type, "EXPT_ID")
    inserted = (("Field1", "INSERT_DATE"), ("Field2", "INSERT_USER"))
    title = LinkProperty("TITLE", "Inserted: @Field1 (@Field2)", inserted)
    return replace(link, properties=(*link.properties, title))


def _identifier_link(xsi_type: str) -> Link:
    """That of a label in a project leads to the item as that project shows it."""
    link = item_link(xsi_type, "EXPT_ID")
    href, *rest = link.properties
    in_project = LinkProperty("HREF", f"{href.value}/project/@Field2", (*href.inserts, ("Field2", "@WHERE")))
    return replace(link, properties=(in_project, *rest))


def _has_leaf(data_type: DataType, path: str) -> bool:
    wanted = path.lower()
    if any(f.path.lower() == wanted for f in data_type.fields):
        return True
    inside = (f"{m.path}/{f.path}" for m in data_type.multiples for f in m.fields)
    return any(one.lower() == wanted for one in inside)


def _connects(data_type: DataType, owner: str, types: Types) -> bool:
    """One item of `owner` belongs to each item of the type."""
    own = data_type.xsi_type
    if types.is_a(own, owner):
        return True
    if owner == SUBJECT:
        return any(types.is_a(own, base) for base in ("xnat:subjectAssessorData", ASSESSOR, SCAN))
    return types.is_a(owner, SESSION) and (types.is_a(own, ASSESSOR) or types.is_a(own, SCAN))


def _common_fields(data_type: DataType, types: Types) -> Iterator[DisplayField]:
    """What every experiment has, and every scan; nothing for other types."""
    own = data_type.xsi_type
    if types.is_a(own, SCAN):
        yield from _of_scans(data_type)
    if not types.is_a(own, "xnat:experimentData"):
        return
    of_subject = types.is_a(own, "xnat:subjectAssessorData")
    of_session = types.is_a(own, ASSESSOR)
    to_item = replace(item_link(own, "EXPT_ID"), secured_by=())
    if of_subject:
        link = item_link(SUBJECT, "SUBJECT_ID")
        yield DisplayField(
            "SUBJECT_ID", "Subject", "string", ("element", "subject_ID"), link=replace(link, secured_by=())
        )
    yield DisplayField("EXPT_ID", "ID", "string", ("element", "ID"), link=to_item)
    icon = Constant(REPORT_ICON)
    yield DisplayField(
        "RPT",
        "Report",
        "string",
        ("formula",),
        searchable=False,
        link=to_item,
        formula=icon,
        declared_type="image",
        image=True,
    )
    yield DisplayField("DATE", "Date", "date", ("element", "date"), sort_order="DESC")
    if of_session:
        yield DisplayField("SESSION_ID", "Session", "string", ("element", "imageSession_ID"))
        yield DisplayField("MR_DATE", "MR Date", "date", ("element_of", SESSION, "date"))
    if of_subject or of_session:
        # Deviation: XNAT gives no age where no birth is known; an age that was stated is better than none.
        ways = ("age", "days", "year", "stated", "demographics")
        yield DisplayField("AGE", "Age", "integer", ways, unit="years")
    yield DisplayField("PROJECTS", "Projects", "string", ("projects",))
    yield DisplayField("LABEL", "Label", "string", ("label",), link=_label_link(own))
    yield DisplayField("PROJECT", "Project", "string", ("element", "project"))
    name = sql_name(own)
    yield DisplayField(
        f"{name}_PROJECT_IDENTIFIER",
        f"{name} ID",
        "string",
        ("label_in_project",),
        searchable=False,
        valued=True,
        link=_identifier_link(own),
    )
    yield DisplayField("INSERT_DATE", "Inserted", "dateTime", ("insert_date",), declared_type="string")
    yield DisplayField("INSERT_USER", "Creator", "string", ("insert_user",))
    yield DisplayField(f"{name}_FIELD_MAP", "Field", "string", ("field_map",), searchable=False, valued=True)
    if of_subject:
        yield from _ours_of_subjects()


def _ours_of_subjects() -> Iterator[DisplayField]:
    """What XNAT lacks: the subject's label and gender in the same row, and its files on the mirrors."""
    yield DisplayField("SUBJECT_LABEL", "Subject", "string", ("subject_label",))
    yield DisplayField("GENDER", "Gender", "string", ("element_of", SUBJECT, "demographics/gender"))
    for field_id, header, built_in, said in (
        ("FILE_COUNT", "Files", "file_count", "How many"),
        ("FILE_BYTES", "Bytes", "file_bytes", "Bytes"),
    ):
        yield DisplayField(
            field_id,
            header,
            "integer",
            (built_in,),
            searchable=False,
            valued=True,
            description=f"{said} of the subject's files that have this kind, run or package",
            unit="bytes" if built_in == "file_bytes" else "",
        )


def _of_scans(data_type: DataType) -> Iterator[DisplayField]:
    href = LinkProperty(
        "HREF",
        "@WEBAPPdata/experiments/@Field3/scans/@Field4?format=html",
        (("Field1", "PROJECT"), ("Field2", "SUBJECT_ID"), ("Field3", "SESSION_ID"), ("Field4", "ID")),
    )
    link = Link((href,), (), data_type.xsi_type)
    yield DisplayField("ID", "ID", "string", ("element", "ID"), link=link)
    yield DisplayField("IMAGE_SCANDATA_ID", "Scan Key", "integer", ("key",))
    yield DisplayField("SESSION_ID", "Session", "string", ("session_id",))
    yield DisplayField("IMAGE_SESSION_ID", "image_session_ID", "string", ("session_id",))
    yield DisplayField("SESSION_LABEL", "Session Label", "string", ("session_label",))
    yield DisplayField("SUBJECT_ID", "Subject", "string", ("subject_id",))
    yield DisplayField("MR_DATE", "MR Date", "date", ("element_of", SESSION, "date"))
    yield DisplayField("URI", "URI", "string", ("uri",))
    yield DisplayField("PROJECT", "project", "string", ("project",))
    yield DisplayField("INSERT_DATE", "Inserted", "dateTime", ("insert_date",), declared_type="string")
    yield DisplayField("INSERT_USER", "Creator", "string", ("insert_user",))


def _generated(data_type: DataType, types: Types) -> Iterator[DisplayField]:
    """Counts that no file lists: of experiments by type in a project, and of scans by what they are."""
    own = data_type.xsi_type
    is_session = types.is_a(own, SESSION)
    if is_session:
        scans = next((t for t in types.all() if t.xsi_type == SCAN), None)
        leaves = [n for n in SCAN_LEAVES if scans is not None and _has_leaf(scans, n)]
        for leaf in leaves:
            word = {"type": "TYPE", "series_description": "DESC", "series_class": "CLASS"}[leaf]
            for letter, match in (("", "equal"), ("L_", "contains")):
                yield DisplayField(
                    f"SCAN_COUNT_{letter}{word}",
                    "Scans",
                    "integer",
                    ("scan_count", leaf, match),
                    searchable=False,
                    valued=True,
                )
    counted = ASSESSOR if is_session else "xnat:subjectAssessorData" if own == SUBJECT else ""
    if counted:
        for other in types.all():
            if types.is_a(other.xsi_type, counted) and not other.abstract:
                yield DisplayField(
                    f"CNT_{sql_name(other.xsi_type)}",
                    types.plural(other.xsi_type),
                    "integer",
                    ("count_in_project", other.xsi_type),
                    searchable=False,
                    valued=True,
                )


def _own_fields(data_type: DataType, types: Types) -> list[DisplayField]:
    """The type's own leaves; all leaves of what is no experiment."""
    is_experiment = types.is_a(data_type.xsi_type, "xnat:experimentData")
    return [
        DisplayField(
            leaf.column.upper(),
            leaf.name,
            leaf.value_type,
            ("element", leaf.path),
            description=leaf.documentation,
            unit=leaf.unit,
        )
        for leaf in (data_type.own_fields() if is_experiment else data_type.fields)
    ]


def _versions(
    data_type: DataType, types: Types, shown: Sequence[str], fields: dict[str, DisplayField]
) -> Iterator[DisplayVersion]:
    own = data_type.xsi_type
    of_subject = types.is_a(own, "xnat:subjectAssessorData")
    of_session = types.is_a(own, ASSESSOR)
    if not types.is_a(own, "xnat:experimentData"):
        refs = tuple(VersionField(i, own) for i, f in fields.items() if f.visible and not f.valued)
        yield DisplayVersion("listing", refs)
        yield DisplayVersion("full", refs)
        return
    session = ("xnat:mrSessionData LABEL",) if of_session else ()
    subject = (f"{SUBJECT} SUBJECT_LABEL",) if of_subject or of_session else ()
    age = ("AGE",) if of_subject else ()
    gender = (f"{SUBJECT} GENDER",) if of_subject else ()
    day = () if of_session else ("DATE",)
    identifier = f"{sql_name(own)}_PROJECT_IDENTIFIER"
    in_project = (f"{SUBJECT} SUB_PROJECT_IDENTIFIER",) if of_subject or of_session else ()
    sets = {
        "listing": ("RPT", "LABEL", *session, *subject, *day, *gender, *age),
        "listing_csv": ("LABEL", *session, *subject, *day, *age),
        "full": ("EXPT_ID", *session, *subject, *day, *age),
        "detailed": (),
        "project_bundle": (identifier, *session, *in_project, *day, *age),
    }
    for name, lead in sets.items():
        refs = tuple(
            VersionField(text.rpartition(" ")[2], text.rpartition(" ")[0] or own)
            for text in dict.fromkeys((*lead, *shown))
        )
        yield DisplayVersion(name, refs, "DATE", "DESC")


def _arcs(data_type: DataType, types: Types, fields: dict[str, DisplayField]) -> tuple[Arc, ...]:
    """The standard joins that the type takes part in."""
    own = data_type.xsi_type
    key = "EXPT_ID" if "EXPT_ID" in fields else "SESSION_ID"
    if types.is_a(own, "xnat:subjectAssessorData"):
        pairs = (("PART_ID", "SUBJECT_ID"), ("DATE", "DATE"), ("EXPT_ID", key))
        return (Arc("PARTICIPANT_EXPERIMENT", pairs),)
    if types.is_a(own, ASSESSOR):
        return (Arc("ASSESSOR", (("SESSION_ID", "SESSION_ID"),)),)
    return ()

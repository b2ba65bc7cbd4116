"""A synthetic site for the law of searches: types of every kind, things at random, people with rights.

The same things stand in the archive and, as plain Python, in the reference's world.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from sqlalchemy import select, update
from tests.properties import random_types
from tests.properties.reference import Field, Thing, User, World

from connectomedb.schema.model import Item
from connectomedb.schema.registry import load_types
from connectomedb.store import groups
from connectomedb.store import tables as t
from connectomedb.store.archive import Archive
from connectomedb.store.engine import open_engine
from connectomedb.store.writer import Imported
from connectomedb.vocabulary.records import GUEST, Principal

LAW_SCHEMA = b"""<?xml version="1.0" encoding="UTF-8"?>
<xs:schema targetNamespace="http://example.org/law" xmlns:law="http://example.org/law"
  xmlns:xnat="http://nrg.wustl.edu/xnat" xmlns:xdat="http://nrg.wustl.edu/xdat"
  xmlns:xs="http://www.w3.org/2001/XMLSchema">
<xs:import namespace="http://nrg.wustl.edu/xnat"/>
<xs:element name="Plain" type="law:plainData"/>
<xs:element name="Fine" type="law:fineData"/>
<xs:element name="Finer" type="law:finerData"/>
<xs:complexType name="anyData">
  <xs:annotation><xs:appinfo><xdat:element abstract="true"/></xs:appinfo></xs:annotation>
  <xs:complexContent><xs:extension base="xnat:subjectAssessorData"><xs:sequence>
    <xs:element name="word" type="xs:string" minOccurs="0"/>
    <xs:element name="count" type="xs:integer" minOccurs="0"/>
    <xs:element name="score" type="xs:double" minOccurs="0"/>
    <xs:element name="flag" type="xs:boolean" minOccurs="0"/>
    <xs:element name="day" type="xs:date" minOccurs="0"/>
    <xs:element name="at" type="xs:time" minOccurs="0"/>
    <xs:element name="moment" type="xs:dateTime" minOccurs="0"/>
    <xs:element name="group" minOccurs="0"><xs:complexType><xs:sequence>
      <xs:element name="inner" type="xs:string" minOccurs="0"/>
    </xs:sequence></xs:complexType></xs:element>
    <xs:element name="marks" minOccurs="0"><xs:complexType><xs:sequence>
      <xs:element name="mark" minOccurs="0" maxOccurs="unbounded"><xs:complexType><xs:simpleContent>
        <xs:extension base="xs:string"><xs:attribute name="name" type="xs:string"/>
          <xs:attribute name="weight" type="xs:integer"/></xs:extension>
      </xs:simpleContent></xs:complexType></xs:element>
    </xs:sequence></xs:complexType></xs:element>
  </xs:sequence></xs:extension></xs:complexContent></xs:complexType>
<xs:complexType name="plainData"><xs:complexContent><xs:extension base="law:anyData"><xs:sequence>
  <xs:element name="extra" type="xs:string" minOccurs="0"/>
</xs:sequence></xs:extension></xs:complexContent></xs:complexType>
<xs:complexType name="fineData"><xs:complexContent><xs:extension base="law:anyData"><xs:sequence>
  <xs:element name="depth" type="xs:integer" minOccurs="0"/>
</xs:sequence></xs:extension></xs:complexContent></xs:complexType>
<xs:complexType name="finerData"><xs:complexContent><xs:extension base="law:fineData"><xs:sequence>
  <xs:element name="finest" type="xs:double" minOccurs="0"/>
</xs:sequence></xs:extension></xs:complexContent></xs:complexType>
</xs:schema>
"""

BASES = {
    "law:anyData": "xnat:subjectAssessorData",
    "law:plainData": "law:anyData",
    "law:fineData": "law:anyData",
    "law:finerData": "law:fineData",
    "xnat:subjectAssessorData": "xnat:experimentData",
    "xnat:imageSessionData": "xnat:subjectAssessorData",
    "xnat:mrSessionData": "xnat:imageSessionData",
    "xnat:petSessionData": "xnat:imageSessionData",
    "xnat:imageAssessorData": "xnat:experimentData",
    "xnat:qcManualAssessorData": "xnat:imageAssessorData",
    "xnat:mrScanData": "xnat:imageScanData",
    "xnat:otherDicomScanData": "xnat:imageScanData",
}
STATUSES = ("active", "active", "locked", "quarantine", "deleted", "obsolete")
ROOTS = (
    *("xnat:subjectData", "law:anyData", "law:plainData", "law:fineData", "law:finerData"),
    *("xnat:experimentData", "xnat:subjectAssessorData", "xnat:imageSessionData", "xnat:mrSessionData"),
    *("xnat:imageScanData", "xnat:mrScanData", "xnat:qcManualAssessorData"),
)
PROJECTS = ("P1", "P1b", "p_1x", "A_C", "ABC", "OPEN")
PUBLIC = frozenset({"OPEN"})
UNSECURED = frozenset({"law:finerData"})
INACCESSIBLE = frozenset({"xnat:otherDicomScanData", "xnat:petSessionData"})
PEOPLE = (
    User("boss", is_admin=True),
    User("one", frozenset({"P1"})),
    User("some", frozenset({"P1b", "A_C", "p_1x"})),
    User("nobody"),
    User(
        "part",
        frozenset({"p_1x"}),
        frozenset(
            {
                *(("P1", kind) for kind in ("xnat:subjectData", "law:fineData", "xnat:petSessionData")),
                *(("A_C", kind) for kind in ("law:plainData", "xnat:mrSessionData")),
            }
        ),
    ),
    User("guest"),
)

# Few values, so that questions meet them; among them those that databases disagree on.
POOLS: dict[str, tuple[Any, ...]] = {
    "string": (
        *("a", "A", "Ab", "aB", "b", "ä", "Ä", "É", "ß", "\u03c3", "\u03a3", "z,z", "it's", '"q"', "a AND b"),
        *("a%", "a_b", "axb", "a\\b", "01", "1", " a", "a ", "NULL", "*", "Z", "\U0001f9e0", "\ufb01"),
    ),
    "integer": (0, 1, -1, 2, 3, 33, 34, 2**53, 2**53 + 1, 2**63 - 1, -(2**63)),
    "float": (
        0.0,
        1.0,
        -1.5,
        0.1,
        33.0,
        33.5,
        150.0,
        1e-5,
        0.1 + 0.2,
        123456.789,
        2.0**53,
        1e15,
        6.429560891534334e16,
        -1e300,
    ),
    "boolean": (True, False),
    "date": (date(2020, 3, 20), date(2020, 3, 21), date(2019, 12, 31), date(2020, 2, 29), date(1, 1, 1)),
    "time": (time(8, 8, 7, 999000), time(8, 8, 8), time(0), time(1, 23), time(23, 59, 59, 999999)),
    "dateTime": (
        *(datetime(2011, 1, 1, 3), datetime(2011, 1, 1), datetime(2011, 1, 1, 3, 0, 0, 500000)),
        *(datetime(2010, 12, 31, 23, 59, 59), datetime(2020, 3, 20, 12, 30)),
    ),
}


def _path(xsi_type: str, path: str, kind: str) -> Field:
    return Field(xsi_type, path, kind, lambda thing: thing.values.get(path), by_path=True)


def _shown(xsi_type: str, name: str, kind: str, path: str) -> Field:
    return Field(xsi_type, name, kind, lambda thing: thing.values.get(path))


def _computed(xsi_type: str, name: str, kind: str, get: Callable[[Thing], Any]) -> Field:
    return Field(xsi_type, name, kind, get)


def _entries(xsi_type: str, name: str, kind: str, get: Callable[[Thing], list[Any]]) -> Field:
    return Field(xsi_type, name, kind, get, by_path=True, repeated=True)


def projects_text(thing: Thing) -> str:
    text = ",".join(f"<{project}>" for project in (thing.project, *thing.shares))
    return f",{text}" if thing.xsi_type == "xnat:subjectData" else text


def _common(xsi_type: str, *, shown: bool) -> list[Field]:
    """What every subject and experiment has."""
    fields = [
        Field(xsi_type, "project", "string", lambda thing: thing.project, by_path=True),
        Field(xsi_type, "label", "string", lambda thing: thing.label, by_path=True),
        _entries(xsi_type, "sharing/share/project", "string", lambda thing: list(thing.shares)),
    ]
    if shown:
        fields += [
            _computed(xsi_type, "PROJECT", "string", lambda thing: thing.project),
            _computed(xsi_type, "PROJECTS", "string", projects_text),
            _computed(xsi_type, "LABEL", "string", lambda thing: thing.label),
            _computed(xsi_type, "INSERT_DATE", "dateTime", lambda thing: thing.inserted),
        ]
    return fields


def _marks(xsi_type: str) -> list[Field]:
    def of(leaf: str) -> Callable[[Thing], list[Any]]:
        return lambda thing: [entry.get(leaf) for entry in thing.entries.get("marks/mark", [])]

    def named(thing: Thing) -> list[Any]:
        return [e.get("mark") for e in thing.entries.get("marks/mark", []) if e.get("name") == "a"]

    return [
        _entries(xsi_type, "marks/mark/name", "string", of("name")),
        _entries(xsi_type, "marks/mark", "string", of("mark")),
        _entries(xsi_type, "marks/mark/weight", "integer", of("weight")),
        _entries(xsi_type, "marks/mark[name=a]/mark", "string", named),
    ]


_KINDS = {
    "word": "string",
    "count": "integer",
    "score": "float",
    "flag": "boolean",
    "day": "date",
    "at": "time",
    "moment": "dateTime",
    "group/inner": "string",
}
_SCAN = {"type": "string", "frames": "integer", "startTime": "time"}


def make_fields() -> dict[str, tuple[Field, ...]]:
    """The names by type; a root may use those of any type."""
    any_data = "law:anyData"
    found: dict[str, list[Field]] = {
        "xnat:subjectData": [
            *_common("xnat:subjectData", shown=True),
            _computed("xnat:subjectData", "SUBJECT_LABEL", "string", lambda thing: thing.label),
            _computed("xnat:subjectData", "SUBJECT_ID", "string", lambda thing: thing.id),
            _shown("xnat:subjectData", "GENDER", "string", "demographics/gender"),
            _path("xnat:subjectData", "demographics/gender", "string"),
            _path("xnat:subjectData", "demographics/dob", "date"),
            _path("xnat:subjectData", "group", "string"),
        ],
        any_data: [
            *_common(any_data, shown=True),
            *(_path(any_data, path, kind) for path, kind in _KINDS.items()),
            *(_shown(any_data, path.upper().replace("/", "_"), kind, path) for path, kind in _KINDS.items()),
            *_marks(any_data),
        ],
        "law:plainData": [
            *_common("law:plainData", shown=True),
            _path("law:plainData", "word", "string"),
            _path("law:plainData", "law:anyData/count", "integer"),
            _shown("law:plainData", "EXTRA", "string", "extra"),
            _shown("law:plainData", "DATE", "date", "date"),
            *_marks("law:plainData"),
        ],
        "law:fineData": [
            *_common("law:fineData", shown=True),
            _path("law:fineData", "score", "float"),
            _shown("law:fineData", "DEPTH", "integer", "depth"),
            *_marks("law:fineData"),
        ],
        "law:finerData": [
            _path("law:finerData", "depth", "integer"),
            _shown("law:finerData", "FINEST", "float", "finest"),
            _computed("law:finerData", "LABEL", "string", lambda thing: thing.label),
        ],
        "xnat:experimentData": [
            *_common("xnat:experimentData", shown=True),
            _shown("xnat:experimentData", "DATE", "date", "date"),
        ],
        "xnat:subjectAssessorData": [
            *_common("xnat:subjectAssessorData", shown=False),
            _path("xnat:subjectAssessorData", "date", "date"),
        ],
        "xnat:imageSessionData": [
            *_common("xnat:imageSessionData", shown=True),
            _path("xnat:imageSessionData", "modality", "string"),
            *_scan_entries("xnat:imageSessionData"),
        ],
        "xnat:mrSessionData": [
            *_common("xnat:mrSessionData", shown=True),
            _computed("xnat:mrSessionData", "SESSION_ID", "string", lambda thing: thing.id),
            _computed("xnat:mrSessionData", "EXPT_ID", "string", lambda thing: thing.id),
            _path("xnat:mrSessionData", "modality", "string"),
            _shown("xnat:mrSessionData", "DATE", "date", "date"),
            _path("xnat:mrSessionData", "dcmPatientWeight", "float"),
            *_scan_entries("xnat:mrSessionData"),
        ],
        "xnat:petSessionData": [
            _computed("xnat:petSessionData", "LABEL", "string", lambda thing: thing.label),
            _path("xnat:petSessionData", "xnat:imageSessionData/modality", "string"),
        ],
        "xnat:imageScanData": [
            *(_path("xnat:imageScanData", path, kind) for path, kind in _SCAN.items()),
            _path("xnat:imageScanData", "ID", "string"),
        ],
        "xnat:mrScanData": [
            *(_path("xnat:mrScanData", path, kind) for path, kind in _SCAN.items()),
            _path("xnat:mrScanData", "parameters/tr", "float"),
        ],
        "xnat:qcManualAssessorData": [
            *_common("xnat:qcManualAssessorData", shown=True),
            _shown("xnat:qcManualAssessorData", "RATER", "string", "rater"),
            _path("xnat:qcManualAssessorData", "date", "date"),
        ],
    }
    for fields in found.values():
        for one in fields:
            if one.by_path and ":" in one.name:
                path = one.name.partition("/")[2]
                object.__setattr__(one, "get", lambda thing, path=path: thing.values.get(path))
    return {name: tuple(fields) for name, fields in found.items()}


def _scan_entries(xsi_type: str) -> list[Field]:
    def of(leaf: str) -> Callable[[Thing], list[Any]]:
        return lambda thing: [scan.values.get(leaf) for scan in thing.scans]

    return [
        _entries(xsi_type, "scans/scan/type", "string", of("type")),
        _entries(xsi_type, "scans/scan/parameters/tr", "float", of("parameters/tr")),
    ]


class Court:
    """An archive and the world that it should agree with; hypothesis would print a whole dataclass.

    `fields` are the names by type, `roots` the types that a question may be about.
    """

    def __init__(
        self,
        archive: Archive,
        world: World,
        principals: dict[str, Principal],
        fields: Mapping[str, tuple[Field, ...]],
        seed: int,
    ) -> None:
        self.archive = archive
        self.world = world
        self.principals = principals
        self.fields = fields
        self.roots = (*ROOTS, *(name for name in fields if name.startswith(random_types.PREFIX)))
        self.seed = seed

    def __repr__(self) -> str:
        return f"Court({self.archive.engine.dialect.name}, CONNECTOMEDB_LAW_SEED={self.seed})"


def make_court(url: str, folder: Path, seed: int = 0) -> Court:
    """A new site in an empty database, filled at random."""
    chance = random.Random(seed)
    drawn = random_types.draw_types(chance)
    for name, schema in (("law", LAW_SCHEMA), (random_types.PREFIX, random_types.schema_of(drawn))):
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / f"{name}.xsd").write_bytes(schema)
    archive = Archive(open_engine(url), load_types([folder])).create()
    principals = {"guest": GUEST, "boss": archive.add_user("boss", "boss-of-the-law", is_admin=True)}
    for project in PROJECTS:
        public = "public" if project in PUBLIC else "protected" if project == "ABC" else "private"
        archive.add_project(project, accessibility=public, insert_user="boss")  # type: ignore[arg-type]  # words
    for person in PEOPLE:
        if person.login not in principals:
            principals[person.login] = archive.add_user(person.login, f"{person.login}-of-the-law")
        for project in person.member_of:
            archive.grant(project, person.login, "member" if project != "A_C" else "collaborator")
        _enter_groups(archive, person, principals[person.login])
    for name in UNSECURED:
        archive.register_type(name, {"secure": "0"}, principals["boss"])
    for name in INACCESSIBLE:
        archive.register_type(name, {"accessible": "0"}, principals["boss"])
    things = _things(chance, drawn)
    # Subjects first: the others are in projects that the subjects are shared into.
    documents = [one for one in things if _is_document(one)]
    for subjects in (True, False):
        some = [one for one in documents if (one.subject is None) == subjects]
        archive.store_items([_document(one) for one in some], user="boss")
    _agree(archive, things)
    bases = BASES | {one.xsi_type: one.base for one in drawn}
    world = World(tuple(things), PUBLIC, bases, UNSECURED, INACCESSIBLE)
    fields = {**make_fields(), **random_types.fields_of(drawn, lambda name: _common(name, shown=False))}
    return Court(archive, world, principals, fields, seed)


def _enter_groups(archive: Archive, person: User, who: Principal) -> None:
    """A custom group for each project of which the person reads some types, and one that reads nothing."""
    with archive.engine.begin() as connection:
        for project in sorted({project for project, _ in person.reads}):
            rights = {kind: groups.TypeRights(read=True) for p, kind in person.reads if p == project}
            for group_id, may in ((f"{project}-part", rights), (f"{project}-none", {})):
                group = groups.keep_group(
                    connection, project, group_id, f"Of {group_id}".replace("_", "-"), may
                )
                groups.enter(connection, group, who.user_id)


def _things(chance: random.Random, drawn: tuple[random_types.RandomType, ...]) -> list[Thing]:
    things: list[Thing] = []

    def pick(kind: str) -> Any:
        return chance.choice(POOLS[kind])

    def some(kinds: dict[str, str]) -> dict[str, Any]:
        return {path: pick(kind) for path, kind in kinds.items() if chance.random() < 0.7}

    def make(xsi_type: str, letter: str, subject: Thing | None, values: dict[str, Any]) -> Thing:
        number = len(things)
        # An experiment's owner must know the subject; its shares need not.
        owner = chance.choice(PROJECTS if subject is None else subject.projects)
        shares = chance.sample([p for p in PROJECTS if p != owner], chance.choice((0, 0, 1, 2, 3)))
        inserted = datetime(2021, 1, chance.randint(1, 4), 12, 0, 0, chance.choice((0, 500000)))
        label = chance.choice(("l", "L", "lab_", "x-")) + str(number)
        thing = Thing(
            0, f"{letter}{number}", xsi_type, owner, label, values, {}, shares, subject, inserted=inserted
        )
        things.append(thing)
        return thing

    for _ in range(36):
        values = some({"demographics/dob": "date", "group": "string"})
        if chance.random() < 0.7:
            values["demographics/gender"] = chance.choice(("male", "female", "other"))
        subject = make("xnat:subjectData", "S", None, values)
        for _ in range(chance.choice((0, 1, 1, 2, 3))):
            kind = chance.choice(("law:plainData", "law:fineData", "law:finerData"))
            values = some(_KINDS)
            values |= some({"date": "date"})
            values |= some(
                {"law:plainData": {"extra": "string"}, "law:fineData": {"depth": "integer"}}.get(
                    kind, {"depth": "integer", "finest": "float"}
                )
            )
            measure = make(kind, "M", subject, values)
            measure.entries["marks/mark"] = [
                {k: v for k, v in entry.items() if v is not None}
                for entry in (
                    {
                        "mark": pick("string"),
                        "name": chance.choice(("a", "b", None)),
                        "weight": chance.choice((None, *POOLS["integer"])),
                    }
                    for _ in range(chance.choice((0, 0, 1, 2, 3)))
                )
            ]
            measure.status = chance.choice(STATUSES)
        for _ in range(chance.choice((0, 1, 1, 2))):
            kind = chance.choice([one.xsi_type for one in drawn if not one.abstract])
            values, entries = random_types.fill(chance, drawn, kind, pick)
            measure = make(kind, "R", subject, values | some({"date": "date"}))
            measure.entries |= entries
            measure.status = chance.choice(STATUSES)
        for _ in range(chance.choice((0, 0, 1, 2))):
            kind = chance.choice(("xnat:mrSessionData", "xnat:petSessionData"))
            values = some({"date": "date", "modality": "string", "dcmPatientWeight": "float"})
            session = make(kind, "E", subject, values)
            for number in range(chance.choice((0, 1, 2, 3))):
                kind = chance.choice(("xnat:mrScanData", "xnat:otherDicomScanData"))
                values = {"ID": f"{number + 1}-{chance.choice('aAb')}"} | some(_SCAN)
                if kind == "xnat:mrScanData":
                    values |= some({"parameters/tr": "float"})
                scan = Thing(0, f"{session.id}/scans/{values['ID']}", kind, session.project, "", values)
                scan.subject, scan.session, scan.inserted = session.subject, session, session.inserted
                session.scans.append(scan)
                things.append(scan)
            for _ in range(chance.choice((0, 0, 1, 2))):
                values = {"pass": "1"} | some({"rater": "string", "date": "date"})
                quality = make("xnat:qcManualAssessorData", "Q", session.subject, values)
                quality.session, quality.project = session, session.project
                quality.shares = [p for p in quality.shares if p != session.project]
    return things


def _is_document(thing: Thing) -> bool:
    return "Scan" not in thing.xsi_type


def _document(thing: Thing) -> Imported:
    values: dict[str, Any] = {"ID": thing.id, "label": thing.label, "project": thing.project, **thing.values}
    children: dict[str, tuple[Item, ...]] = {}
    if thing.xsi_type == "xnat:qcManualAssessorData" and thing.session is not None:
        values["imageSession_ID"] = thing.session.id
    elif thing.subject is not None:
        values["subject_ID"] = thing.subject.id
    if thing.shares:
        kind = (
            "xnat:projectParticipant" if thing.xsi_type == "xnat:subjectData" else "xnat:experimentData_share"
        )
        children["sharing/share"] = tuple(
            Item(kind, {"project": project, "label": f"{thing.label}-{project}"}) for project in thing.shares
        )
    if thing.entries.get("marks/mark"):
        children["marks/mark"] = tuple(Item("law:anyData_mark", e) for e in thing.entries["marks/mark"])
    if thing.xsi_type.startswith(random_types.PREFIX):
        children |= random_types.children_of(thing.entries)
    if thing.scans:
        children["scans/scan"] = tuple(Item(scan.xsi_type, scan.values) for scan in thing.scans)
    return Imported(Item(thing.xsi_type, values, children), insert_date=thing.inserted)


def _agree(archive: Archive, things: list[Thing]) -> None:
    """What only the database decides goes into the world, and the other way round."""
    with archive.engine.begin() as connection:
        numbers: dict[str, int] = dict(connection.execute(select(t.item.c.id, t.item.c.pk)).all())
        for thing in things:
            thing.pk = numbers[thing.id]
            if thing.status != "active":
                changed = update(t.item).where(t.item.c.pk == thing.pk)
                connection.execute(changed.values(status=thing.status))

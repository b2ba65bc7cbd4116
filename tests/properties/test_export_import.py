"""The law of exports: what is exported and imported into an empty site is there as it was.

Also when and through whom it came in, the numbers of resources and who may see a project; from SQLite to
PostgreSQL, and back.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, select, text

from connectomedb.schema.model import Item, Value
from connectomedb.schema.registry import load_types
from connectomedb.store import tables as t
from connectomedb.store.archive import Archive
from connectomedb.store.ingest import TableOptions, import_table, import_xml
from connectomedb.store.site import init_site
from connectomedb.store.writer import Imported
from connectomedb.vocabulary.records import Accessibility, Principal

ADMIN = Principal("curator", is_admin=True)
PROJECTS = ("OWN", "OTHER", "THIRD")
TYPES = load_types()
SUBJECT = ("xnat:subjectData_field", "xnat:projectParticipant")
EXPERIMENT = ("xnat:experimentData_field", "xnat:experimentData_share")

# What XML can carry and a blank is not: an empty value is no value.
texts = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Cn"), include_characters="\t\n\r,;\"'<>&"),
    min_size=1,
    max_size=20,
).filter(lambda found: bool(found.strip()))
labels = st.text("abcXYZ019_-", min_size=1, max_size=12)
# SQLite knows one zero; PostgreSQL, and Python, a negative one as well.
floats = st.floats(allow_nan=False, allow_infinity=False).map(lambda number: number + 0.0)
moments = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1))

# From which database to which.
WAYS = [(a, b) for a in ("sqlite", "postgresql") for b in ("sqlite", "postgresql")]
_NUMBERS = itertools.count()

# Each example makes two sites; shrinking one takes minutes and is left to whoever mends a failure.
LAW = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)


def _optional(**leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Value]]:
    return st.fixed_dictionaries({}, optional={name.replace("__", "/"): s for name, s in leaves.items()})


def _with_investigator(values: dict[str, Any]) -> dict[str, Value]:
    names = values.pop("investigator", None)
    parts = {} if names is None else {"investigator/firstname": names[0], "investigator/lastname": names[1]}
    return {**values, **parts}


demographics = _optional(
    demographics__gender=st.sampled_from(("male", "female", "unknown")),
    demographics__age=st.integers(0, 120),
    demographics__weight=floats,
    demographics__dob=st.dates(date(1900, 1, 1)),
    group=texts,
    # An investigator has both names or is none.
    investigator=st.tuples(texts, texts),
).map(_with_investigator)
scores = _optional(
    NEO__NEOFAC_A=st.integers(0, 48),
    ER40__ER40_CRT=floats,
    CPW__IWRD_RTC=floats,
    date=st.dates(date(1900, 1, 1)),
    time=st.times().map(lambda at: at.replace(fold=0)),
    note=texts,
)
variables = st.lists(st.tuples(labels, texts), max_size=3, unique_by=lambda pair: pair[0])
scan = st.tuples(
    labels, _optional(type=texts, quality=texts, frames=st.integers(0, 999), parameters__tr=floats)
)
shares = st.lists(st.sampled_from(PROJECTS[1:]), max_size=2, unique=True)


stated = st.fixed_dictionaries(
    {"insert_date": moments, "insert_user": texts, "last_modified": moments},
)


@st.composite
def sites(draw: st.DrawFn) -> list[Imported]:
    """Documents of one project: subjects with variables, scores and sessions with scans, some shared.

    All of them came from elsewhere, at some time and through somebody.
    """
    numbers = draw(st.permutations(range(1, 40)))
    documents: list[Imported] = []
    for item in draw(documents_of_a_site()):
        held = item.children.get("scans/scan", ())
        spots = ["resources/resource[1]", *(f"scans/scan[{n}]/file[1]" for n in range(1, len(held) + 1))]
        given = {spot: numbers.pop() for spot in spots if "resources/resource" in item.children}
        facts: dict[str, Any] = draw(stated)
        documents.append(Imported(item, **facts, numbers=given))
    return documents


@st.composite
def documents_of_a_site(draw: st.DrawFn) -> list[Item]:
    """The documents alone."""
    documents: list[Item] = []
    for name in draw(st.lists(labels, max_size=4, unique=True)):
        documents.append(
            Item(
                "xnat:subjectData",
                {"label": name, **draw(demographics)},
                _children(SUBJECT, name, draw(variables), draw(shares)),
            )
        )
        for n, values in enumerate(draw(st.lists(scores, max_size=2))):
            label = f"{name}-e{n}"
            documents.append(
                Item(
                    "nt:scores",
                    {"label": label, "subject_ID": name, **values},
                    _children(
                        EXPERIMENT,
                        label,
                        draw(variables),
                        draw(shares),
                    ),
                )
            )
        if draw(st.booleans()):
            found = draw(st.lists(scan, max_size=3, unique_by=lambda pair: pair[0]))
            held = draw(st.booleans())
            file = {"file": (Item("xnat:resourceCatalog", {"label": "NIFTI"}),)} if held else {}
            scans = tuple(
                Item("xnat:mrScanData", {"ID": scan_id, **values}, file) for scan_id, values in found
            )
            children = {"scans/scan": scans} if scans else {}
            if held:
                children["resources/resource"] = (Item("xnat:resourceCatalog", {"label": "notes"}),)
            documents.append(
                Item("xnat:mrSessionData", {"label": f"{name}-mr", "subject_ID": name}, children)
            )
    taken = [item.text("label") for item in documents]
    return documents if len(set(taken)) == len(taken) else documents[:1]


def _children(
    entry_types: tuple[str, str], label: str, pairs: list[tuple[str, str]], shared: list[str]
) -> dict[str, tuple[Item, ...]]:
    field_type, share_type = entry_types
    children: dict[str, tuple[Item, ...]] = {}
    if shared:
        children["sharing/share"] = tuple(
            Item(share_type, {"label": f"{label}-{project}", "project": project}) for project in shared
        )
    if pairs:
        children["fields/field"] = tuple(Item(field_type, {"name": n, "field": said}) for n, said in pairs)
    return children


class Databases:
    """Empty sites on both databases; those on PostgreSQL are copies of one, which is quick."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url = url
        self._admin = create_engine(url, isolation_level="AUTOCOMMIT")
        self._run("CREATE DATABASE empty_site")
        init_site(folder, database=self._address("empty_site")).close()

    def __repr__(self) -> str:
        return "Databases()"

    @contextmanager
    def fresh(self, folder: Path, kind: str, *projects: str) -> Iterator[Archive]:
        name = f"law_{next(_NUMBERS)}"
        if kind == "postgresql":
            self._run(f"CREATE DATABASE {name} TEMPLATE empty_site")
        database = self._address(name) if kind == "postgresql" else ""
        try:
            with init_site(folder, database=database) as site:
                for project in projects:
                    site.archive.add_project(project, insert_user="curator")
                yield site.archive
        finally:
            if kind == "postgresql":
                self._run(f"DROP DATABASE {name}")

    def _run(self, statement: str) -> None:
        with self._admin.connect() as connection:
            connection.execute(text(statement))

    def _address(self, name: str) -> str:
        return self._url.replace("/postgres?", f"/{name}?")


@pytest.fixture(scope="module")
def databases(postgresql_url: str, tmp_path_factory: pytest.TempPathFactory) -> Databases:
    return Databases(postgresql_url, tmp_path_factory.mktemp("empty") / "site")


@contextmanager
def fresh(folder: Path, *projects: str) -> Iterator[Archive]:
    with init_site(folder) as site:
        for project in projects:
            site.archive.add_project(project, insert_user="curator")
        yield site.archive


def stated_in(archive: Archive, *, parts: bool = True) -> dict[str, tuple[Any, ...]]:
    """What the site states beside the documents of the owner project, by id."""
    i, p = t.item.c, t.project.c
    query = (
        select(i.id, i.insert_date, i.insert_user, i.last_modified, i.number, p.accessibility)
        .select_from(t.item.outerjoin(t.project, p.pk == i.pk))
        .where(i.project == "OWN")
    )
    if not parts:  # a table has neither parts nor the project
        query = query.where(i.place.is_(None), i.family != "project")
    with archive.engine.connect() as connection:
        return {row[0]: tuple(row[1:]) for row in connection.execute(query)}


def contents(archive: Archive) -> dict[str, Item]:
    """Every document of the owner project, by id."""
    found = {}
    for level in ("subjects", "experiments"):
        for item_id in archive.listing(level, ADMIN, project="OWN").column("ID"):
            found[str(item_id)] = archive.load_item(str(item_id), ADMIN)
    return found


@pytest.mark.parametrize("way", WAYS, ids=" to ".join)
@LAW
@given(sites(), stated, st.sampled_from(get_args(Accessibility)), st.sampled_from(("files", "all")))
def test_xml_out_and_in_is_the_same_site(
    databases: Databases,
    way: tuple[str, str],
    documents: list[Imported],
    facts: dict[str, Any],
    accessibility: Any,
    keep: Any,
) -> None:
    others, (one, other) = PROJECTS[1:], way
    with tempfile.TemporaryDirectory() as folder, databases.fresh(Path(folder, "a"), one, *others) as first:
        own = Imported(Item(t.PROJECT, {"ID": "OWN"}), **facts, accessibility=accessibility)
        first.store_items([own, *documents], user="curator", project="OWN")
        first.export("OWN", Path(folder, "out"), "xml", ADMIN)
        with databases.fresh(Path(folder, "b"), other, *others) as second:
            import_xml(second, [Path(folder, "out")], project="OWN", who=ADMIN, keep=keep)
            assert contents(second) == contents(first)
            assert stated_in(second) == stated_in(first)
            assert second.load_project_item("OWN", ADMIN) == first.load_project_item("OWN", ADMIN)
            second.export("OWN", Path(folder, "again"), "xml", ADMIN)
        assert _bytes(Path(folder, "again")) == _bytes(Path(folder, "out"))


@pytest.mark.parametrize("way", WAYS, ids=" to ".join)
@LAW
@given(sites())
def test_csv_with_its_dictionary_out_and_in_keeps_every_value(
    databases: Databases, way: tuple[str, str], documents: list[Imported]
) -> None:
    one, other = way
    with tempfile.TemporaryDirectory() as folder, databases.fresh(Path(folder, "a"), one, *PROJECTS) as first:
        first.store_items(documents, user="curator", project="OWN")
        out = Path(folder, "out")
        first.export("OWN", out, "csv", ADMIN)
        with databases.fresh(Path(folder, "b"), other) as second:
            for xsi_type in ("xnat:subjectData", "nt:scores", "xnat:mrSessionData"):
                table = out / f"{xsi_type.replace(':', '_')}.csv"
                if table.exists():
                    options = TableOptions("OWN", table.with_suffix(".json"))
                    import_table(second, table, options, who=ADMIN, xsi_type=xsi_type)
            if documents:
                assert _values(second) == _values(first)
                assert stated_in(second, parts=False) == stated_in(first, parts=False)


@pytest.mark.parametrize("value", [0.1, -0.0, 1e-310, 1.7976931348623157e308, 2**53 + 1, 1 / 3])
def test_floats_come_back_to_the_last_bit(value: float, tmp_path: Path) -> None:
    with fresh(tmp_path / "a", "OWN") as first:
        person = Item("xnat:subjectData", {"label": "s1", "demographics/weight": float(value)})
        first.store_items([person], user="curator", project="OWN")
        first.export("OWN", tmp_path / "out", "csv", ADMIN)
        with fresh(tmp_path / "b") as second:
            table = tmp_path / "out" / "xnat_subjectData.csv"
            options = TableOptions("OWN", table.with_suffix(".json"))
            import_table(second, table, options, who=ADMIN, xsi_type="xnat:subjectData")
            (found,) = contents(second).values()
            (stored,) = contents(first).values()
    assert repr(found.values["demographics/weight"]) == repr(stored.values["demographics/weight"])
    assert stored.values["demographics/weight"] == float(value)


def test_times_and_moments_come_back(tmp_path: Path) -> None:
    values: dict[str, Value] = {
        "label": "p1",
        "subject_ID": "s1",
        "time": time(1, 2, 3, 4),
        "start_time": datetime(2020, 1, 2, 3, 4, 5, 600),
    }
    with fresh(tmp_path / "a", "OWN") as first:
        documents = [Item("xnat:subjectData", {"label": "s1"}), Item("xnat:petSessionData", values)]
        if "start_time" not in {f.path for f in TYPES.get("xnat:petSessionData").fields}:
            del values["start_time"]
        first.store_items(documents, user="curator", project="OWN")
        first.export("OWN", tmp_path / "out", "csv", ADMIN)
        with fresh(tmp_path / "b") as second:
            for xsi_type in ("xnat:subjectData", "xnat:petSessionData"):
                table = tmp_path / "out" / f"{xsi_type.replace(':', '_')}.csv"
                options = TableOptions("OWN", table.with_suffix(".json"))
                import_table(second, table, options, who=ADMIN, xsi_type=xsi_type)
            assert _values(second) == _values(first)


def _values(archive: Archive) -> dict[str, dict[str, Value]]:
    """What a table can carry: the single values of each document."""
    return {item_id: dict(item.values) for item_id, item in contents(archive).items()}


def _bytes(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}

"""Rights per data type: what custom groups read and how types are registered limits every way to the rows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connectomedb.errors import AccessDenied, NoSuchExperiment, NotFound
from connectomedb.schema.model import Item
from connectomedb.schema.registry import load_types
from connectomedb.search.query import CriteriaSet, Criterion, FieldRef, SearchField, SearchQuery
from connectomedb.store import groups
from connectomedb.store.archive import Archive
from connectomedb.store.engine import open_engine
from connectomedb.store.facets import Facet
from connectomedb.vocabulary.records import GUEST, FileRow, Principal

MR, SCORES, SUBJECT, ANY = "xnat:mrSessionData", "nt:scores", "xnat:subjectData", "xnat:experimentData"
SCAN, FILE = "xnat:mrScanData", "hcp:file"
ADMIN = Principal("admin", 1, is_admin=True)


_NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def site(database: str) -> Iterator[Archive]:
    archive = Archive(open_engine(database), load_types()).create()
    archive.add_user("admin", "admin-of-rights", is_admin=True)
    for project in ("P", "Q"):
        archive.add_project(project, insert_user="admin")
    scan = Item(SCAN, {"ID": "1", "type": "T1w"})
    share = Item("xnat:projectParticipant", {"project": "Q", "label": "s1-in-q"})
    items = [
        Item(
            SUBJECT, {"ID": "S1", "label": "s1", "demographics/gender": "female"}, {"sharing/share": (share,)}
        ),
        Item(MR, {"ID": "E1", "label": "s1_mr", "subject_ID": "s1"}, {"scans/scan": (scan,)}),
        Item(SCORES, {"ID": "E2", "label": "s1_scores", "subject_ID": "s1", "NEO/NEOFAC_A": 30}),
    ]
    archive.store_items(items, user="admin", project="P")
    archive.add_files("P", "mirror", [FileRow("s1", "s1/T1w.nii.gz", 7, kind="T1w")])
    yield archive
    archive.close()


@pytest.fixture
def stranger(site: Archive) -> Principal:
    """Somebody in no group."""
    return site.add_user(f"person{next(_NUMBERS)}", "person-of-rights")


@pytest.fixture
def imager(site: Archive) -> Principal:
    """Somebody who reads the subjects and MR sessions of P."""
    who = site.add_user(f"person{next(_NUMBERS)}", "person-of-rights")
    _let(site, who, "P", SUBJECT, MR)
    return who


@pytest.fixture
def idle(site: Archive) -> Principal:
    """Somebody in a group of P that reads nothing."""
    who = site.add_user(f"person{next(_NUMBERS)}", "person-of-rights")
    _let(site, who, "P")
    return who


@pytest.fixture
def registering(site: Archive) -> Iterator[Callable[..., object]]:
    """Change records of types; they are as before afterwards."""
    changed: dict[str, dict[str, str]] = {}

    def register(xsi_type: str, **flags: str) -> object:
        changed.setdefault(xsi_type, {}).update(dict.fromkeys(flags, "1"))
        return site.register_type(xsi_type, flags, ADMIN)

    yield register
    for xsi_type, flags in changed.items():
        site.register_type(xsi_type, flags, ADMIN)


def _let(archive: Archive, who: Principal, project: str, *types: str) -> None:
    """Put somebody into a custom group that reads these types."""
    with archive.engine.begin() as connection:
        rights = {name: groups.TypeRights(read=True) for name in types}
        group_id = f"{project}-{who.login}"
        group = groups.keep_group(connection, project, group_id, f"Group of {who.login}", rights)
        groups.enter(connection, group, who.user_id)


def _ids(
    archive: Archive, root: str, who: Principal, *conditions: Criterion, method: str = "AND"
) -> list[str]:
    name = {SUBJECT: "SUBJECT_ID", SCAN: "ID", FILE: "KEY"}.get(root, "ID")
    where = CriteriaSet("OR" if method == "OR" else "AND", conditions)
    rows = archive.search(SearchQuery(root, (SearchField(FieldRef(root, name)),), where), who).rows
    return sorted(str(row[0]) for row in rows)


def _in_project(root: str, project: str) -> tuple[Criterion, Criterion]:
    paths = ("sharing/share/project", "project")
    first, second = (Criterion(FieldRef(root, path), "=", project) for path in paths)
    return first, second


def test_a_search_shows_the_types_that_the_group_reads(
    site: Archive, imager: Principal, idle: Principal
) -> None:
    assert _ids(site, MR, imager) == ["E1"]
    assert _ids(site, SCAN, imager) == ["1"]
    assert _ids(site, SUBJECT, imager) == ["S1"]
    assert _ids(site, SCORES, imager) == []
    assert _ids(site, ANY, imager) == ["E1"]
    assert _ids(site, ANY, imager, *_in_project(ANY, "P"), method="OR") == ["E1"]
    assert _ids(site, SCORES, imager, *_in_project(SCORES, "P"), method="OR") == []
    assert _ids(site, SUBJECT, imager, *_in_project(SUBJECT, "Q"), method="OR") == []
    high = Criterion(FieldRef(SCORES, "NEO/NEOFAC_A"), ">", "1")
    assert _ids(site, SUBJECT, imager, high) == []
    assert _ids(site, ANY, idle) == []
    assert _ids(site, ANY, ADMIN) == ["E1", "E2"]


def test_a_column_of_another_type_is_empty_and_counts_leave_it_out(site: Archive, imager: Principal) -> None:
    names = ("MR_COUNT", "SUB_EXPT_COUNT=nt:scores", "CNT_NT_SCORES=P", "CNT_XNAT_MRSESSIONDATA=P")
    fields = [*(FieldRef(SUBJECT, name) for name in names), FieldRef(SCORES, "NEO_NEOFAC_A")]
    query = SearchQuery(SUBJECT, tuple(SearchField(ref) for ref in fields))
    assert site.search(query, imager).rows == ((1, None, None, 1, None, "active"),)
    assert site.search(query, ADMIN).rows == ((1, 1, 1, 1, 30, "active"),)


def test_listings_counts_and_names(site: Archive, imager: Principal, idle: Principal) -> None:
    listed = site.listing("experiments", imager, project="P", columns=("ID",))
    assert [row[0] for row in listed.rows] == ["E1"]
    assert site.listing("experiments", idle, project="P", columns=("ID",)).rows == ()
    assert site.count_members(imager) == {("P", "subject"): 1, ("P", "experiment"): 1}
    assert site.count_members(idle) == {}
    assert site.types_in_project("P", imager) == [MR]
    assert set(site.elements_used(imager)) == {SUBJECT, MR, SCAN, "xnat:projectData"}
    assert site.locate_project("P", idle) == "P"
    assert site.read_project_ids(idle) == ["P"]
    assert site.locate_experiment("s1_mr", imager, project="P").id == "E1"
    with pytest.raises(NoSuchExperiment):
        site.locate_experiment("s1_scores", imager, project="P")
    with pytest.raises(NotFound):
        site.load_item("E2", imager)
    assert site.load_item("S1", imager).xsi_type == SUBJECT


def test_a_label_of_another_project_stays_hidden(site: Archive, imager: Principal) -> None:
    names = ("SUB_PROJECT_IDENTIFIER=P", "SUB_PROJECT_IDENTIFIER=Q", "ADD_IDS")
    query = SearchQuery(SUBJECT, tuple(SearchField(FieldRef(SUBJECT, name)) for name in names))
    assert site.search(query, imager).rows == (("s1", None, "s1", "active"),)
    _let(site, imager, "Q", MR)
    assert site.search(query, imager).rows == (("s1", None, "s1", "active"),)
    _let(site, imager, "Q", SUBJECT)
    assert site.search(query, imager).rows == (("s1", "s1-in-q", "s1, s1-in-q", "active"),)


def test_facets_and_exports(site: Archive, tmp_path: Path, imager: Principal) -> None:
    by_label = Facet(FieldRef(ANY, "LABEL"))
    assert [row[0] for row in site.facet(SearchQuery(ANY), by_label, imager).rows] == ["s1_mr"]
    site.export("P", tmp_path / "out", "csv", imager)
    written = {path.name for path in (tmp_path / "out").rglob("*.csv")}
    assert {name for name in written if "scores" in name.lower()} == set()
    assert any("mrsession" in name.lower() for name in written)
    site.export("P", tmp_path / "xml", "xml", imager)
    assert not [path for path in (tmp_path / "xml").rglob("*.xml") if "s1_scores" in path.read_text()]


def test_files_need_the_right_to_files(site: Archive, imager: Principal) -> None:
    count = SearchQuery(SUBJECT, (SearchField(FieldRef(SUBJECT, "FILE_COUNT=T1w")),))
    assert _ids(site, FILE, imager) == []
    assert site.search(count, imager).rows == ((None, "active"),)
    _let(site, imager, "P", SUBJECT, FILE)
    assert _ids(site, FILE, imager) == ["s1/T1w.nii.gz"]
    assert site.search(count, imager).rows == ((1, "active"),)
    assert _ids(site, MR, imager) == []


def test_leaving_the_group_ends_it_at_once(site: Archive, imager: Principal) -> None:
    assert _ids(site, MR, imager) == ["E1"]
    with site.engine.begin() as connection:
        groups.leave(connection, groups.find_group(connection, "P", f"P-{imager.login}"), imager.user_id)
    assert _ids(site, MR, imager) == []


def test_a_type_that_is_not_secured_is_for_all_who_are_logged_in(
    site: Archive, stranger: Principal, registering: Callable[..., object]
) -> None:
    assert _ids(site, SCORES, stranger) == []
    registering(SCORES, secure="0")
    assert _ids(site, SCORES, stranger) == ["E2"]
    assert _ids(site, SCORES, GUEST) == []
    assert _ids(site, SUBJECT, stranger) == []
    registering(SCORES, secure="1")
    assert _ids(site, SCORES, stranger) == []
    registering(SCORES, secure_read="0")
    assert _ids(site, SCORES, stranger) == ["E2"]


def test_a_type_that_is_not_accessible_is_for_administrators(
    site: Archive, stranger: Principal, registering: Callable[..., object]
) -> None:
    site.grant("P", stranger.login, "owner")
    owner = stranger
    assert (_ids(site, ANY, owner), _ids(site, SCAN, owner)) == (["E1", "E2"], ["1"])
    registering(MR, accessible="0")
    assert _ids(site, ANY, owner) == ["E2"]
    assert _ids(site, MR, owner, *_in_project(MR, "P"), method="OR") == []
    assert _ids(site, SCAN, owner) == []
    listed = site.listing("experiments", owner, project="P", columns=("ID",))
    assert [row[0] for row in listed.rows] == ["E2"]
    with pytest.raises(NotFound):
        site.load_item("E1", owner)
    assert _ids(site, MR, ADMIN) == ["E1"]


def test_a_type_that_is_not_searchable_is_refused_by_name(
    site: Archive, stranger: Principal, registering: Callable[..., object]
) -> None:
    site.grant("P", stranger.login, "owner")
    owner = stranger
    high = Criterion(FieldRef(SCORES, "NEO/NEOFAC_A"), ">", "1")
    assert _ids(site, SUBJECT, owner, high) == ["S1"]
    registering(SCORES, searchable="0")
    with pytest.raises(AccessDenied, match="nt:scores is registered as not searchable"):
        _ids(site, SCORES, owner)
    with pytest.raises(AccessDenied, match="not searchable"):
        _ids(site, SUBJECT, owner, high)
    with pytest.raises(AccessDenied, match="not searchable"):
        site.facet(SearchQuery(SCORES), Facet(FieldRef(SCORES, "LABEL")), owner)
    assert _ids(site, SCORES, ADMIN) == ["E2"]
    assert _ids(site, ANY, owner) == ["E1", "E2"]
    registering(SCORES, searchable="1")
    assert _ids(site, SCORES, owner) == ["E2"]

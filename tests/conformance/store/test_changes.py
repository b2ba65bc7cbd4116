"""Documents change, leave and are remembered: rights, history, shares and tombstones, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from tests.conformance.store.documents import documents

from connectomedb.errors import (
    AccessDenied,
    AlreadyShared,
    Conflict,
    DocumentError,
    LabelTaken,
    NoSuchProject,
    NotFound,
    NotValid,
)
from connectomedb.schema.documents import read_document
from connectomedb.schema.model import Item
from connectomedb.schema.registry import load_types
from connectomedb.store import tables as t
from connectomedb.store.archive import Archive
from connectomedb.store.engine import open_engine
from connectomedb.store.merge import clear, merge
from connectomedb.store.writer import Imported
from connectomedb.vocabulary.records import GUEST, Principal

ADMIN = Principal("admin", 1, True)
PROJECTS = ("P", "Q", "R")


@pytest.fixture(scope="module")
def site(database: str) -> Iterator[Archive]:
    """Three projects, each with an owner, a member and a collaborator of its own."""
    archive = Archive(open_engine(database), load_types()).create()
    for project in PROJECTS:
        archive.add_project(project, insert_user="admin")
        for group in ("owner", "member", "collaborator"):
            archive.add_user(f"{group}-{project}", "password-of-the-test")
            archive.grant(project, f"{group}-{project}", group)
    yield archive
    archive.close()


class Person:
    """A subject of P with a session, its scan and assessor, and scores; names begin with `name`."""

    def __init__(self, archive: Archive, name: str) -> None:
        self.archive = archive
        self.subject, self.session, self.qc, self.scores = (f"{name}{c}" for c in "SMQN")
        scan = Item("xnat:mrScanData", {"ID": "1", "type": "T1w", "quality": "usable"})
        resource = Item("xnat:resourceCatalog", {"label": "NII", "URI": f"{name}.xml", "file_count": 3})
        qc = Item("xnat:qcManualAssessorData", {"ID": self.qc, "label": self.qc, "pass": "1"})
        field = Item("xnat:subjectData_field", {"name": "visit", "field": "1"})
        archive.store_items(
            [
                Item("xnat:subjectData", self.ids(self.subject), {"fields/field": (field,)}),
                Item(
                    "xnat:mrSessionData",
                    {**self.ids(self.session), "subject_ID": self.subject, "note": "first"},
                    {"scans/scan": (scan,), "resources/resource": (resource,), "assessors/assessor": (qc,)},
                ),
                Item("nt:scores", {**self.ids(self.scores), "subject_ID": self.subject, "NEO/NEOFAC_A": 30}),
            ],
            user="admin",
            project="P",
        )

    @staticmethod
    def ids(item_id: str) -> dict[str, Any]:
        return {"ID": item_id, "label": item_id}

    def load(self, item_id: str, who: Principal = ADMIN) -> Item:
        return self.archive.load_item(item_id, who)


@pytest.fixture
def person(site: Archive, request: pytest.FixtureRequest) -> Person:
    number = sum(request.node.name.encode()) * 1000 + next(_NUMBERS)
    return Person(site, f"X{number}")


_NUMBERS = iter(range(1000))


def user(archive: Archive, group: str, project: str) -> Principal:
    return archive.find_user(f"{group}-{project}")


def texts(archive: Archive, item_id: str) -> set[str]:
    """The PROJECTS texts of an item and its parts."""
    i = t.item.c
    with archive.engine.connect() as connection:
        pk = connection.scalar(select(i.pk).where(i.id == item_id))
        return set(connection.scalars(select(i.projects_text).where(i.root_pk == pk)))


# Merge and replace


def test_what_is_said_replaces_and_the_rest_stays(site: Archive, person: Person) -> None:
    member = user(site, "member", "P")
    before = person.load(person.session)
    scan = Item("xnat:mrScanData", {"ID": "1", "quality": "poor"})
    more = Item("xnat:mrScanData", {"ID": "2", "type": "T2w"})
    said = Item("xnat:mrSessionData", {"operator": "anna"}, {"scans/scan": (scan, more)})
    after = site.merge_item(person.session, said, member)
    assert after.values == {**before.values, "operator": "anna"}
    assert [one.values for one in after.children["scans/scan"]] == [
        {"ID": "1", "type": "T1w", "quality": "poor"},
        {"ID": "2", "type": "T2w"},
    ]
    assert after.children["resources/resource"] == before.children["resources/resource"]
    assert person.load(person.session).children["assessors/assessor"]


def test_replacing_deletes_what_the_document_lacks_but_no_shares_and_assessors(
    site: Archive, person: Person
) -> None:
    site.share(person.session, "Q", "there", ADMIN)
    kept = _pk(site, f"{person.session}/scans/1")
    scan = Item("xnat:mrScanData", {"ID": "1", "note": "new"})
    site.replace_item(person.session, Item("xnat:mrSessionData", {}, {"scans/scan": (scan,)}), ADMIN)
    after = person.load(person.session)
    assert "note" not in after.values
    assert after.text("subject_ID") == person.subject
    assert after.children["scans/scan"] == (scan,)
    assert "resources/resource" not in after.children
    assert after.children["assessors/assessor"]
    assert after.children["sharing/share"]
    assert _pk(site, f"{person.session}/scans/1") == kept


def _pk(archive: Archive, item_id: str) -> int | None:
    with archive.engine.connect() as connection:
        found: int | None = connection.scalar(select(t.item.c.pk).where(t.item.c.id == item_id))
    return found


def test_fields_are_matched_by_name_and_can_be_cleared(site: Archive, person: Person) -> None:
    fields = tuple(
        Item("xnat:subjectData_field", {"name": n, "field": v}) for n, v in (("visit", "2"), ("arm", "a"))
    )
    after = site.merge_item(person.subject, Item("xnat:subjectData", {}, {"fields/field": fields}), ADMIN)
    assert after.children["fields/field"] == fields
    cleared = ("fields/field[name=visit]/field", "demographics/age")
    after = site.merge_item(person.subject, Item("xnat:subjectData", {}), ADMIN, cleared=cleared)
    assert after.children["fields/field"] == fields[1:]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_archive_merges_and_replaces_as_the_documents_do(site: Archive, data: st.DataObject) -> None:
    layout = t.Layout(site.types)
    who = f"H{next(_NUMBERS)}{data.draw(st.integers(0, 10**9))}"
    if _pk(site, who) is None:
        site.store_items([Item("xnat:subjectData", {"ID": who, "label": who})], user="admin", project="P")
    xsi_type = data.draw(st.sampled_from(["xnat:mrSessionData", "xnat:petSessionData", "nt:scores"]))
    first, second = (data.draw(documents(layout, xsi_type, "P", who)) for _ in range(2))
    first, second = (_without(one, "assessors/assessor") for one in (first, second))
    same = {"ID": first.text("ID"), "label": first.text("label")}
    second = Item(xsi_type, {**second.values, **same}, second.children)
    site.store_items([first], user="admin", project="P")
    merged = merge(site.load_item(first.text("ID"), ADMIN), second)
    assert _sorted(site.merge_item(first.text("ID"), second, ADMIN)) == _sorted(merged)
    assert _sorted(site.replace_item(first.text("ID"), second, ADMIN)) == _sorted(second)


def _without(item: Item, path: str) -> Item:
    return Item(item.xsi_type, item.values, {p: e for p, e in item.children.items() if p != path})


def _sorted(item: Item) -> tuple[Any, ...]:
    return (item.xsi_type, dict(item.values), {p: list(e) for p, e in item.children.items() if e})


def test_a_change_of_identity_is_refused(site: Archive, person: Person) -> None:
    def change(**values: str) -> None:
        site.merge_item(person.session, Item("xnat:mrSessionData", values), ADMIN)

    with pytest.raises(DocumentError, match="ids stay"):
        change(ID="other")
    with pytest.raises(Conflict, match="belongs to P"):
        change(project="Q")
    with pytest.raises(DocumentError, match="rename it"):
        change(label="other")
    with pytest.raises(NotFound, match="no subject 'nobody'"):
        change(subject_ID="nobody")
    with pytest.raises(Conflict, match="does not become"):
        site.merge_item(person.session, Item("xnat:petSessionData", {}), ADMIN)
    other = Item("xnat:otherDicomScanData", {"ID": "1"})
    with pytest.raises(Conflict, match="does not become"):
        site.merge_item(person.session, Item("xnat:mrSessionData", {}, {"scans/scan": (other,)}), ADMIN)
    with pytest.raises(DocumentError, match="no place for colour"):
        change(colour="red")


def test_an_experiment_moves_to_another_subject_with_its_parts(site: Archive, person: Person) -> None:
    other = Person(site, f"Y{person.subject}")
    site.merge_item(
        person.session, Item("xnat:mrSessionData", {"subject_ID": other.subject}), user(site, "member", "P")
    )
    i = t.item.c
    with site.engine.connect() as connection:
        moved = connection.scalars(
            select(i.subject_pk).where(i.id.in_([person.session, person.qc, f"{person.session}/scans/1"]))
        ).all()
    assert moved == [_pk(site, other.subject)] * 3


def test_a_change_that_changes_nothing_leaves_no_trace(site: Archive, person: Person) -> None:
    site.merge_item(person.session, Item("xnat:mrSessionData", {"note": "first"}), ADMIN)
    assert site.history(person.session, ADMIN) == ()


# Names


def test_a_label_changes_where_it_is_asked_for(site: Archive, person: Person) -> None:
    member = user(site, "member", "P")
    site.share(person.subject, "Q", "shared", ADMIN)
    site.rename_item(person.subject, "renamed" + person.subject, member)
    assert person.load(person.subject).text("label") == "renamed" + person.subject
    site.rename_item(person.subject, "q" + person.subject, ADMIN, project="Q")
    located = site.locate_subject("q" + person.subject, user(site, "collaborator", "Q"), "Q")
    assert located.id == person.subject
    other = Person(site, f"Z{person.subject}")
    with pytest.raises(LabelTaken):
        site.rename_item(other.subject, "renamed" + person.subject, member)
    with pytest.raises(DocumentError, match="not legal"):
        site.rename_item(other.subject, "a b", member)


# History


def test_history_keeps_each_document_as_it_was(site: Archive, person: Person) -> None:
    member = user(site, "member", "P")
    before = site.load_item(person.session, ADMIN, contents="parts")
    site.merge_item(
        person.session, Item("xnat:mrSessionData", {"note": "second"}), member, reason="a slip of the pen"
    )
    site.delete_item(person.session, ADMIN, "withdrawn")
    deleted, changed = site.history(person.session, user(site, "collaborator", "P"))
    assert (changed.kind, changed.login, changed.reason) == ("changed", "member-P", "a slip of the pen")
    assert read_document(changed.document.encode(), site.types) == before
    assert (deleted.kind, deleted.login, deleted.reason) == ("deleted", "admin", "withdrawn")
    assert "second" in deleted.document
    for stranger in (user(site, "owner", "Q"), GUEST):
        with pytest.raises(NotFound):
            site.history(person.session, stranger)


def test_a_share_shows_the_item_and_not_its_history(site: Archive, person: Person) -> None:
    site.merge_item(person.session, Item("xnat:mrSessionData", {"note": "second"}), ADMIN)
    site.share(person.session, "Q", "", ADMIN)
    with pytest.raises(AccessDenied):
        site.history(person.session, user(site, "owner", "Q"))


# Rights


@pytest.mark.parametrize(
    ("group", "project", "edits", "deletes"),
    [
        ("owner", "P", None, None),
        ("member", "P", None, AccessDenied),
        ("collaborator", "P", AccessDenied, AccessDenied),
        ("owner", "Q", AccessDenied, AccessDenied),
        ("owner", "R", NotFound, NotFound),
    ],
)
def test_who_may_change_and_delete(
    site: Archive, person: Person, group: str, project: str, edits: Any, deletes: Any
) -> None:
    who = user(site, group, project)
    site.share(person.session, "Q", "", ADMIN)
    site.share(person.qc, "Q", "", ADMIN)
    said = Item("xnat:mrSessionData", {"note": "changed"})
    for refused, action in (
        (edits, lambda: site.merge_item(person.session, said, who)),
        (edits, lambda: site.replace_item(person.qc, Item("xnat:qcManualAssessorData", {}), who)),
        (edits, lambda: site.merge_item(f"{person.session}/scans/1", Item("xnat:mrScanData", {}), who)),
        (edits, lambda: site.rename_item(person.session, f"n{person.session}", who)),
        (deletes, lambda: site.delete_item(f"{person.session}/scans/1", who)),
        (deletes, lambda: site.delete_item(person.session, who, with_shares=True)),
    ):
        if refused is None:
            action()
        else:
            with pytest.raises(refused):
                action()


def test_who_may_store_documents(site: Archive) -> None:
    def store(who: Principal, name: str) -> None:
        site.add_items([Item("xnat:subjectData", {"label": name})], who, project="P")

    store(user(site, "owner", "P"), "by-owner")
    store(user(site, "member", "P"), "by-member")
    with pytest.raises(AccessDenied, match="owner or member of P"):
        store(user(site, "collaborator", "P"), "by-collaborator")
    for stranger in (user(site, "owner", "R"), GUEST):
        with pytest.raises(NoSuchProject):
            store(stranger, "by-stranger")


# Identifiers and dates of another site


def test_an_import_keeps_ids_dates_users_and_numbers(site: Archive) -> None:
    moment = datetime(2013, 3, 1, 12, 30)
    resources = tuple(Item("xnat:resourceCatalog", {"label": n}) for n in ("A", "B"))
    item = Item("xnat:subjectData", {"ID": "CDB_S7", "label": "s7"}, {"resources/resource": resources})
    given = Imported(item, moment, "someone", datetime(2014, 1, 1), numbers={"resources/resource[2]": 4711})
    with pytest.raises(AccessDenied, match="administrators"):
        site.add_items([given], user(site, "owner", "P"), project="P")
    site.add_items([given], ADMIN, project="P")
    i = t.item.c
    with site.engine.connect() as connection:
        row = connection.execute(select(t.item).where(i.id == "CDB_S7")).one()
        number = connection.scalar(select(i.number).where(i.id == "CDB_S7/resources/B"))
    assert (row.insert_date, row.insert_user, row.last_modified) == (moment, "someone", datetime(2014, 1, 1))
    assert number == 4711
    other = Imported(Item(item.xsi_type, {"label": "s8"}, item.children), numbers=given.numbers)
    with pytest.raises(Conflict):
        site.add_items([other], ADMIN, project="P")
    site.add_items([Item(item.xsi_type, {"label": "s9"}, item.children)], ADMIN, project="P")


# Sharing


def test_sharing_keeps_the_projects_text_of_an_item_and_its_parts(site: Archive, person: Person) -> None:
    site.share(person.session, "Q", "in-q" + person.session, ADMIN)
    site.share(person.session, "R", "", ADMIN)
    assert texts(site, person.session) == {"<P>,<Q>,<R>"}
    with pytest.raises(AlreadyShared):
        site.share(person.session, "Q", "", ADMIN)
    with pytest.raises(AlreadyShared):
        site.share(person.session, "P", "", ADMIN)
    site.share(person.session, "Q", "again" + person.session, ADMIN)
    assert site.locate_experiment("again" + person.session, ADMIN, "Q").id == person.session
    site.unshare(person.session, "Q", user(site, "owner", "Q"))
    assert texts(site, person.session) == {"<P>,<R>"}
    with pytest.raises(NotFound):
        site.load_item(person.session, user(site, "owner", "Q"))


def test_a_subject_leaves_with_its_shared_experiments(site: Archive, person: Person) -> None:
    for one in (person.subject, person.session, person.scores):
        site.share(one, "Q", "", ADMIN)
    member, owner = user(site, "member", "Q"), user(site, "owner", "Q")
    with pytest.raises(AccessDenied, match="owner of Q"):
        site.unshare(person.subject, "Q", member)
    site.add_items(
        [Item("nt:scores", {"ID": f"{person.scores}q", "subject_ID": person.subject})], member, project="Q"
    )
    with pytest.raises(AccessDenied, match="owns experiments of that subject"):
        site.unshare(person.subject, "Q", owner)
    site.delete_item(f"{person.scores}q", owner)
    site.unshare(person.subject, "Q", owner)
    assert texts(site, person.session) == texts(site, person.scores) == {"<P>"}
    with pytest.raises(AccessDenied, match="owns"):
        site.unshare(person.subject, "P", ADMIN)


def test_ownership_moves_and_the_old_owner_keeps_a_share(site: Archive, person: Person) -> None:
    with pytest.raises(AccessDenied):
        site.move_item(person.session, "Q", _both(site))
    site.move_item(person.session, "Q", ADMIN)
    assert texts(site, person.session) == {"<Q>,<P>"}
    moved = person.load(person.session)
    assert moved.text("project") == "Q"
    assert moved.children["sharing/share"][0].text("project") == "P"
    with pytest.raises(AccessDenied):
        site.merge_item(person.session, Item("xnat:mrSessionData", {"note": "x"}), user(site, "owner", "P"))


def _both(site: Archive) -> Principal:
    """Member of P and of Q, owner of neither."""
    try:
        return site.find_user("both")
    except NotFound:
        site.add_user("both", "password-of-the-test")
        site.grant("P", "both", "member")
        site.grant("Q", "both", "member")
        return site.find_user("both")


# Deletion


def test_a_subject_goes_with_everything_and_leaves_tombstones(site: Archive, person: Person) -> None:
    owner = user(site, "owner", "P")
    gone = site.delete_item(person.subject, owner, "withdrew consent")
    assert set(gone) == {
        person.subject,
        person.session,
        person.qc,
        person.scores,
        f"{person.session}/scans/1",
        f"{person.session}/resources/NII",
    }
    with pytest.raises(NotFound):
        site.load_item(person.session, ADMIN)
    stones = {stone.id: stone for stone in site.tombstones("P", user(site, "collaborator", "P"))}
    assert set(gone) <= set(stones)
    assert (stones[person.subject].login, stones[person.subject].reason) == ("owner-P", "withdrew consent")
    assert site.tombstones("P", user(site, "owner", "Q")) == ()
    with pytest.raises(Conflict, match="not given again"):
        site.store_items(
            [Item("xnat:subjectData", {"ID": person.subject, "label": "new"})], user="admin", project="P"
        )
    layout = t.Layout(site.types)
    with site.engine.connect() as connection:
        left = [
            table.name
            for table in layout.metadata.sorted_tables
            if connection.execute(
                select(table).where(next(iter(table.columns)).not_in(select(t.item.c.pk)))
            ).first()
        ]
    assert left == []


def test_what_is_shared_is_deleted_only_on_request(site: Archive, person: Person) -> None:
    owner = user(site, "owner", "P")
    site.share(person.scores, "Q", "", ADMIN)
    with pytest.raises(Conflict, match=r"1 items .* shared"):
        site.delete_item(person.subject, owner)
    site.delete_item(person.subject, owner, with_shares=True)
    with pytest.raises(NotFound):
        site.load_item(person.scores, user(site, "owner", "Q"))


def test_experiments_of_another_project_hold_a_subject(site: Archive, person: Person) -> None:
    site.share(person.subject, "Q", "", ADMIN)
    foreign = Item("nt:scores", {"ID": f"{person.scores}q", "subject_ID": person.subject})
    site.add_items([foreign], user(site, "member", "Q"), project="Q")
    with pytest.raises(AccessDenied, match="1 experiments that other projects own"):
        site.delete_item(person.subject, user(site, "owner", "P"), with_shares=True)


def test_a_scan_goes_alone_and_its_id_may_come_back(site: Archive, person: Person) -> None:
    site.delete_item(f"{person.session}/scans/1", user(site, "owner", "P"), "bad scan")
    assert "scans/scan" not in person.load(person.session).children
    assert site.history(person.session, ADMIN)[0].reason == "bad scan"
    scan = Item("xnat:mrScanData", {"ID": "1", "type": "again"})
    said = Item("xnat:mrSessionData", {}, {"scans/scan": (scan,)})
    assert site.merge_item(person.session, said, ADMIN).children["scans/scan"] == (scan,)


def test_a_project_goes_with_what_it_owns_and_gives_back_what_it_borrowed(
    site: Archive, person: Person
) -> None:
    project = f"D{person.subject}"
    site.add_project(project, insert_user="admin")
    site.share(person.subject, project, "", ADMIN)
    site.add_items([Item("xnat:subjectData", {"ID": f"{project}_S", "label": "own"})], ADMIN, project=project)
    site.delete_item(project, ADMIN, "over")
    assert texts(site, person.subject) == {",<P>"}
    with pytest.raises(NotFound):
        site.load_item(f"{project}_S", ADMIN)
    with pytest.raises(Conflict, match="not given again"):
        site.add_project(project, insert_user="admin")


def test_clear_and_merge_are_laws_of_documents() -> None:
    first = Item("t", {"a": 1, "b": 2}, {"f/f": (Item("e", {"name": "n", "f": "1"}),)})
    assert merge(first, Item("t", {})) == first
    assert merge(Item("t", {}), first) == first
    assert merge(first, first) == first
    assert clear(first, ["A", "f/f[n]"]) == Item("t", {"b": 2})
    with pytest.raises(DocumentError):
        clear(first, ["f/f[name"])


def test_a_document_that_cannot_be_stored_changes_nothing(site: Archive, person: Person) -> None:
    before = person.load(person.session)
    twice = (Item("xnat:mrScanData", {"ID": "8"}),) * 2
    with pytest.raises((DocumentError, NotValid), match="twice"):
        site.replace_item(person.session, Item("xnat:mrSessionData", {}, {"scans/scan": twice}), ADMIN)
    assert person.load(person.session) == before

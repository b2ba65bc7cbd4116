"""Sharing over REST: who sees what, what follows along, labels, and another owner."""

from __future__ import annotations

import pytest
from tests.conformance.people.conftest import World


class Case:
    """A project with data, another one with people of its own, and the addresses in both."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.source, self.target = world.project(), world.project()
        archive = world.site.archive
        for group in ("owner", "member", "collaborator"):
            archive.revoke(self.target, group)
        self.reader, self.boss = world.person("reader"), world.person("boss")
        archive.grant(self.target, self.reader, "collaborator")
        archive.grant(self.target, self.boss, "owner")
        archive.grant(self.target, "owner", "member")
        self.subject = f"/data/projects/{self.source}/subjects/one"
        self.session = f"{self.subject}/experiments/one_3T"
        self.there = f"/data/projects/{self.target}/subjects"

    def status(self, login: str, method: str, path: str) -> int:
        return self.world.ask(login, method, path).status_code

    def share(self, item: str, label: str, login: str = "owner") -> None:
        answer = self.world.ask(login, "PUT", f"{item}/projects/{self.target}", params={"label": label})
        assert answer.status_code == 200, answer.text
        assert answer.text == ""


@pytest.fixture
def case(world: World) -> Case:
    return Case(world)


def test_who_sees_a_shared_subject_by_which_address(case: Case) -> None:
    assert case.status(case.reader, "GET", case.subject) == 404
    assert case.status(case.reader, "DELETE", f"{case.subject}/projects/{case.target}") == 404
    case.share(case.subject, "PUB_one")
    shared = f"{case.there}/PUB_one"
    assert case.status(case.reader, "GET", shared) == 200
    assert case.status(case.reader, "GET", case.subject) == 404
    assert case.status("collaborator", "GET", case.subject) == 200
    assert case.status("collaborator", "GET", shared) == 404
    document = case.world.ask(case.reader, "GET", f"{shared}?format=xml").text
    assert f'project="{case.source}"' in document
    assert 'label="one"' in document
    assert f'project="{case.target}"' in document
    listed = case.world.ask("owner", "GET", f"{case.subject}/projects?format=csv").text.splitlines()
    assert listed == [
        "label,ID,Secondary_ID,Name",
        f"one,{case.source},{case.source},{case.source}",
        f"PUB_one,{case.target},{case.target},{case.target}",
    ]


def test_only_projects_that_one_sees_are_listed(case: Case) -> None:
    case.share(case.subject, "PUB_one")
    rows = case.world.ask(case.reader, "GET", f"{case.there}/PUB_one/projects").json()["ResultSet"]["Result"]
    assert [row["ID"] for row in rows] == [case.target]


def test_a_subjects_experiments_do_not_follow_and_leave_with_it(case: Case) -> None:
    case.share(case.subject, "PUB_one")
    inside = f"{case.there}/PUB_one/experiments"
    assert case.world.ask(case.reader, "GET", f"{inside}?format=csv").text.count("\n") == 1
    case.share(case.session, "PUB_3T")
    assert case.status(case.reader, "GET", f"{inside}/PUB_3T") == 200
    away = f"{case.subject}/projects/{case.target}"
    assert case.status("owner", "DELETE", away) == 403  # a member there: only its owners take out
    assert case.status(case.boss, "DELETE", f"{case.there}/PUB_one/projects/{case.target}") == 200
    assert case.status(case.reader, "GET", f"{case.there}/PUB_one") == 404
    assert case.status(case.reader, "GET", f"/data/projects/{case.target}/experiments/PUB_3T") == 404
    assert case.status("owner", "GET", case.session) == 200


def test_labels_there(case: Case) -> None:
    path = f"{case.subject}/projects/{case.target}"
    taken = case.world.ask(
        "owner", "PUT", f"{path}?label=one"
    )  # the target has a subject of its own so called
    assert taken.status_code == 409
    assert case.status("owner", "PUT", path) == 409  # and that is its label here, too
    assert case.status("owner", "PUT", f"{path}?label=a%20b") == 400
    case.share(case.subject, "FIRST")
    assert case.status("owner", "PUT", f"{path}?label=FIRST") == 409
    assert case.status("owner", "PUT", path) == 409
    case.share(case.subject, "SECOND")  # relabelled
    assert case.status(case.reader, "GET", f"{case.there}/SECOND") == 200
    assert case.status(case.reader, "GET", f"{case.there}/FIRST") == 404
    assert case.status("owner", "PUT", f"{case.subject}/projects/{case.source}") == 409
    assert case.status("owner", "PUT", f"{case.subject}/projects/NOWHERE") == 404


def test_who_may_share(case: Case) -> None:
    path = f"{case.subject}/projects/{case.target}?label=X"
    assert case.status(case.boss, "PUT", path) == 404
    assert case.status("collaborator", "PUT", path) == 404  # does not see the target
    case.world.site.archive.grant(case.target, "collaborator", "collaborator")
    assert case.status("collaborator", "PUT", path) == 403
    case.world.site.archive.grant(case.target, "collaborator", "member")
    assert case.status("collaborator", "PUT", path) == 200  # reading here and creating there is enough


def test_another_owner(case: Case) -> None:
    path = f"{case.session}/projects/{case.target}"
    case.share(case.subject, "PUB_one")
    assert case.status("member", "PUT", f"{path}?primary=true") == 404
    archive = case.world.site.archive
    archive.grant(case.target, "member", "member")
    assert case.status("member", "PUT", f"{path}?primary=true") == 403  # may not delete in the source
    # one_3T is a label of the target too: the session is shared there under another one first.
    case.share(case.session, "MOVED_3T")
    assert case.status("owner", "PUT", f"{path}?primary=true") == 200
    there = f"/data/projects/{case.target}/experiments/MOVED_3T"
    document = case.world.ask(case.reader, "GET", f"{there}?format=xml").text
    assert f'project="{case.target}"' in document
    assert case.status("collaborator", "GET", f"/data/projects/{case.source}/experiments/one_3T") == 200
    assert case.status("owner", "PUT", f"{there}/projects/{case.target}?primary=true") == 409


def test_assessors_go_along_when_they_are_named(case: Case) -> None:
    archive = case.world.site.archive
    admin = archive.find_user("admin")
    assessor = archive.locate_experiment("one_QC", admin, project=case.source)
    for item, label in ((case.session, "MOVED_3T"), (f"/data/experiments/{assessor.id}", "MOVED_QC")):
        case.share(item, label)
    moved = f"{case.session}/projects/{case.target}?primary=true&moveAssessors="
    assert case.status("owner", "PUT", f"{moved}CDB_NONE") == 404
    assert case.status("owner", "PUT", f"{moved}{assessor.id}") == 200
    for label in ("MOVED_3T", "MOVED_QC"):
        located = archive.locate_experiment(label, admin, project=case.target)
        assert located.owner_project == case.target

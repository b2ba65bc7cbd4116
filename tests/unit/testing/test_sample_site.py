"""The sample site as values: ids, labels, owners and shares as the tutorial printed them."""

from __future__ import annotations

from connectomedb.testing.sample_site import (
    ACCOUNTS,
    PROJECTS,
    in_q1b,
    make_items,
    retested,
    subject_id,
    subjects,
)
from connectomedb.testing.seed import answers

ITEMS = list(make_items())
EXPERIMENTS = [item for item in ITEMS if item.xsi_type != "xnat:subjectData"]


def shown_in(item_index: int) -> list[str]:
    return [share.text("project") for share in EXPERIMENTS[item_index].children["sharing/share"]]


def test_ids_and_labels_of_the_subjects() -> None:
    found = [item for item in ITEMS if item.xsi_type == "xnat:subjectData"]
    assert [item.text("label") for item in found] == answers()["subjects_in_order"] == subjects()
    assert found[0].text("ID") == subject_id("100307") == "ConnectomeDB_S00230"
    assert found[1].text("ID") == "ConnectomeDB_S00231"
    assert found[75].text("ID") == "ConnectomeDB_S00305"


def test_the_three_experiments_of_100307() -> None:
    first = [(e.text("label"), e.text("ID"), e.xsi_type) for e in EXPERIMENTS[:3]]
    assert first == [
        ("100307_3T", "ConnectomeDB_E00297", "xnat:mrSessionData"),
        ("100307_SubjMeta", "ConnectomeDB_E00298", "hcp:subjMeta"),
        ("100307_NonToolbox", "ConnectomeDB_E00299", "nt:scores"),
    ]
    assert shown_in(2) == ["HCP_Q1", "HCP_Q2"]
    assert EXPERIMENTS[2].text("project") == "HCP_Subjects"


def test_ids_are_unique() -> None:
    ids = [item.text("ID") for item in ITEMS]
    assert len(set(ids)) == len(ids) == 76 + 3 * 76 + 3


def test_the_like_trap_is_there() -> None:
    assert len(in_q1b()) == 10
    assert "100307" not in in_q1b()
    assert [shown_in(i) for i in range(-3, 0)] == [["HCP_Q1b"]] * 3
    assert [e.text("label") for e in EXPERIMENTS[-3:]] == [f"{label}_Retest" for label in retested()]
    scores = [i for i, e in enumerate(EXPERIMENTS) if e.xsi_type == "nt:scores"]
    like = [i for i in scores if any("HCP_Q1" in project for project in shown_in(i))]
    exact = [i for i in scores if "HCP_Q1" in shown_in(i)]
    assert (len(like), len(exact)) == (79, 76)


def test_everything_says_that_it_is_synthetic() -> None:
    assert all("SYNTHETIC" in project.description for project in PROJECTS)
    assert all("SYNTHETIC" in experiment.text("note") for experiment in EXPERIMENTS)


def test_accounts_of_the_demo() -> None:
    assert [(a.login, a.password, a.is_admin) for a in ACCOUNTS] == [
        ("admin", "admin-demo", True),
        ("guest-reader", "reader-demo", False),
    ]
    assert ACCOUNTS[1].member_of == (("HCP_Q1", "collaborator"),)

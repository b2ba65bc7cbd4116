"""Accounts and people of a project from the command line, on a real site's folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from connectomedb.cli.main import main
from connectomedb.errors import BadCredentials
from connectomedb.store.site import open_site


def run(*words: str, typed: str = "", status: int = 0) -> Any:
    outcome = CliRunner().invoke(main, [*words, "--json"], input=typed)
    assert outcome.exit_code == status, outcome.output
    return json.loads(outcome.stdout) if status == 0 else outcome.output


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    run("init", str(folder))
    with open_site(folder) as opened:
        opened.archive.add_project("STUDY", insert_user="admin")
    return folder


def test_a_new_site_has_one_account_and_nothing_open(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    made = run("init", str(folder))
    assert len(made["password"]) >= 20
    with open_site(folder) as opened:
        people = opened.archive.people
        assert [(a.login, a.is_admin) for a in people.everybody()] == [("admin", True)]
        assert people.setting("requireLogin") is True
        assert people.project_ids() == []
        for guess in ("admin", "password", "admin-demo", ""):
            with pytest.raises(BadCredentials):
                opened.archive.verify_password("admin", guess)
        assert opened.archive.verify_password("admin", made["password"]).is_admin


def test_a_weak_password_leaves_no_site_behind(tmp_path: Path) -> None:
    said = run("init", str(tmp_path / "weak"), "--ask-password", typed="short\nshort\n", status=1)
    assert "fewer than 8" in said
    assert not (tmp_path / "weak").exists()


def test_accounts_come_change_and_go(site: Path) -> None:
    where = ("--site", str(site))
    made = run("users", "add", "alice", "--email", "alice@example.org", *where)
    run("users", "add", "bob", "--ask-password", *where, typed="a-password-of-bob\na-password-of-bob\n")
    listed = CliRunner().invoke(main, ["users", "--json", *where])
    assert [row["login"] for row in json.loads(listed.stdout)["rows"]] == ["admin", "alice", "bob"]
    assert run("users", "role", "alice", "Administrator", *where)["roles"] == ["Administrator"]
    assert run("users", "role", "alice", "Administrator", "--take", *where)["roles"] == []
    changed = run("users", "password", "alice", *where)
    assert changed["password"] != made["password"]
    run("users", "disable", "bob", *where)
    with open_site(site) as opened:
        opened.archive.verify_password("alice", changed["password"])
        for login, password in (("alice", made["password"]), ("bob", "a-password-of-bob")):
            with pytest.raises(BadCredentials):
                opened.archive.verify_password(login, password)
    run("users", "enable", "bob", *where)
    assert "last administrator" in run("users", "disable", "admin", *where, status=1)
    assert "no account" in run("users", "password", "nobody", *where, status=1)


def test_people_of_a_project(site: Path) -> None:
    where = ("--site", str(site))
    run("users", "add", "alice", *where)
    assert run("projects", "users", "add", "STUDY", "alice", "member", *where)["invited"] is False
    listed = run("projects", "users", "--project", "STUDY", *where)
    assert [(row["login"], row["group"]) for row in listed["rows"]] == [("alice", "Members")]
    run("projects", "users", "remove", "STUDY", "alice", "member", *where)
    assert run("projects", "users", "--project", "STUDY", *where)["rows"] == []
    assert run("projects", "users", "add", "STUDY", "new@example.org", "member", *where)["invited"] is True
    assert "no group" in run("projects", "users", "add", "STUDY", "alice", "king", *where, status=1)

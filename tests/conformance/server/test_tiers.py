"""Tiers over HTTP and from the command line: asked for, granted, accepted, withdrawn."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from click.testing import CliRunner, Result

from connectomedb.cli.main import main
from connectomedb.schema.model import Item
from connectomedb.server.run import ServerThread
from connectomedb.store.site import init_site

PASSWORD = "a-password-of-the-test"
TYPE, FIELD = "hcp:demographics", "TestRetestInterval"
DOCUMENT = f"""<xdat:bundle xmlns:xdat="http://nrg.wustl.edu/security">
<xdat:root_element_name>{TYPE}</xdat:root_element_name>
<xdat:search_field><xdat:element_name>{TYPE}</xdat:element_name><xdat:field_ID>{FIELD}</xdat:field_ID>
</xdat:search_field></xdat:bundle>"""
Run = Callable[..., Result]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    site = init_site(tmp_path / "site", synthetic=True)
    site.archive.add_user("admin", PASSWORD, is_admin=True)
    site.archive.add_user("jane", PASSWORD)
    site.archive.add_project("P", insert_user="admin")
    site.archive.grant("P", "jane", "collaborator")
    subject = Item("xnat:subjectData", {"label": "s1"})
    measured = Item(TYPE, {"label": "s1_demo", "subject_ID": "s1", FIELD: 90})
    site.archive.store_items([subject, measured], user="admin", project="P")
    with ServerThread(site) as running:
        yield running.url
    site.close()


@pytest.fixture
def run(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`connectomedb …` against the server, as that user."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("CONNECTOMEDB_SERVER", server)
    monkeypatch.setenv("CONNECTOMEDB_PROJECT", "P")
    monkeypatch.setenv("CONNECTOMEDB_PASSWORD", PASSWORD)

    def invoke(user: str, *words: str) -> Result:
        return CliRunner().invoke(main, ["tiers", *words, "--user", user])

    return invoke


def _answer(server: str, user: str) -> httpx2.Response:
    with httpx2.Client(base_url=server, auth=(user, PASSWORD)) as client:
        return client.post("/data/search", params={"format": "csv"}, content=DOCUMENT)


def test_a_refused_field_says_whom_to_ask_and_the_way_leads_there(server: str, run: Run) -> None:
    refused = _answer(server, "jane")
    assert refused.status_code == 403
    assert f"{TYPE}/{FIELD} is restricted" in refused.text
    assert "connectomedb tiers grant restricted jane --project PROJECT" in refused.text

    done = run("admin", "grant", "restricted", "jane")
    assert (done.exit_code, done.output) == (
        0,
        "granted restricted in P to jane; they have to accept the terms first\n",
    )
    waiting = _answer(server, "jane")
    assert waiting.status_code == 403
    assert "connectomedb tiers accept restricted --project P" in waiting.text

    done = run("jane", "accept", "restricted")
    assert (done.exit_code, done.output) == (0, "accepted the terms of restricted in P; you hold it\n")
    assert _answer(server, "jane").text.splitlines()[1].startswith("90,")
    listed = json.loads(run("jane", "--json").output)["rows"]
    assert [(row["project"], row["tier"], row["holds"]) for row in listed] == [("P", "restricted", "true")]
    listed = json.loads(run("admin", "who", "--json").output)["rows"]
    assert [(row["login"], row["tier"], row["holds"]) for row in listed] == [("jane", "restricted", "true")]

    done = run("admin", "withdraw", "restricted", "jane")
    assert (done.exit_code, done.output) == (0, "jane does not hold restricted in P any more\n")
    assert _answer(server, "jane").status_code == 403
    assert json.loads(run("admin", "grant", "restricted", "jane", "--json").output)["holds"] == "true"


def test_new_terms_are_accepted_anew(server: str, run: Run, tmp_path: Path) -> None:
    run("admin", "grant", "restricted", "jane")
    run("jane", "accept", "restricted")
    (tmp_path / "terms.txt").write_text("Only on paper. Äußerst streng.\n", encoding="utf-8")
    assert run("admin", "terms", "restricted", "terms.txt").exit_code == 0
    assert run("jane", "terms", "restricted").output == "Only on paper. Äußerst streng.\n"
    assert _answer(server, "jane").status_code == 403
    run("jane", "accept", "restricted")
    assert _answer(server, "jane").status_code == 200


def test_only_administrators_grant(server: str, run: Run, tmp_path: Path) -> None:
    for words in (("grant", "restricted", "jane"), ("withdraw", "restricted", "jane"), ("who",)):
        done = run("jane", *words)
        assert done.exit_code == 1
        assert "only an administrator" in done.stderr
    (tmp_path / "terms.txt").write_text("mine")
    assert "only an administrator" in run("jane", "terms", "restricted", "terms.txt").stderr
    assert run("jane", "--json").output.count("restricted") == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("grant", "secret", "jane"), "no tier 'secret'; there are: restricted, sensitive"),
        (("grant", "restricted", "nobody"), "no account 'nobody'"),
        (("grant", "restricted", "jane", "--project", "X"), "no project 'X'"),
        (("withdraw", "restricted", "nobody"), "no account 'nobody'"),
        (("terms", "restricted", "--project", "X"), "no project 'X'"),
    ],
)
def test_what_there_is_not_is_named(run: Run, words: tuple[str, ...], said: str) -> None:
    done = run("admin", *words)
    assert done.exit_code == 1
    assert said in done.stderr


def test_empty_terms_are_refused(server: str) -> None:
    with httpx2.Client(base_url=server, auth=("admin", PASSWORD)) as client:
        answer = client.post("/data/projects/P/terms/restricted", content=b" \n")
        assert (answer.status_code, "bind nobody" in answer.text) == (400, True)
        assert client.post("/data/projects/P/terms/restricted", content=b"\xff").status_code == 400

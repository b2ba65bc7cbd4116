"""The S1200 demo from end to end, and closed fields over HTTP."""

from __future__ import annotations

import json
from pathlib import Path

import httpx2
import pytest
from click.testing import CliRunner

from connectomedb.cli.main import main
from connectomedb.client.connection import connect
from connectomedb.errors import AccessDenied
from connectomedb.server.run import ServerThread
from connectomedb.store.site import open_site
from connectomedb.testing.s1200 import PROJECT

GUEST = ("guest-reader", "reader-demo")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo, run once; its answers are checked here."""
    place = tmp_path_factory.mktemp("s1200")
    ran = CliRunner().invoke(main, ["demo", "--release", "s1200", "--folder", str(place), "--json"])
    assert ran.exit_code == 0, ran.output
    facts = json.loads(ran.stdout)
    assert facts["synthetic"]
    assert len(facts["steps"]) == 7
    assert all(step["ok"] for step in facts["steps"])
    return place


def test_it_is_small(folder: Path) -> None:
    assert sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) < 150e6


def test_our_client_raises_what_the_server_means(folder: Path) -> None:
    with (
        open_site(folder / "site") as site,
        ServerThread(site) as server,
        connect(server.url, *GUEST) as mine,
        pytest.raises(AccessDenied, match="FamHist_Moth_Dep is sensitive"),
    ):
        mine.project(PROJECT).search("FamHist_Moth_Dep = 1", data_type="hcp:health")


def test_terms_are_granted_accepted_and_then_the_field_is_answered(folder: Path) -> None:
    with (
        open_site(folder / "site") as site,
        ServerThread(site) as server,
        httpx2.Client(base_url=server.url, auth=GUEST) as client,
    ):
        fields = client.get("/data/search/elements/hcp:demographics?format=csv").text
        assert any("Age_in_Yrs" in line and "restricted" in line for line in fields.splitlines())
        columns = "?format=csv&columns=label,hcp:demographics/Age_in_Yrs"
        address = f"/data/projects/{PROJECT}/experiments{columns}"
        refused = client.get(address)
        assert refused.status_code == 403
        assert "hcp:demographics/Age_in_Yrs is restricted" in refused.text
        site.archive.grant_tier(PROJECT, "guest-reader", "restricted")
        waiting = client.get(address)
        assert waiting.status_code == 403
        assert f"{PROJECT}/terms/restricted" in waiting.text
        accepted = client.put(f"/data/projects/{PROJECT}/terms/restricted")
        assert accepted.json()["holds"] == "true"
        assert PROJECT in client.get("/data/terms?format=csv").text
        assert client.get(address).status_code == 200

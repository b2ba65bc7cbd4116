"""Searches that our own client saves on the server, and templates of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectomedb.client.interface import Interface
from connectomedb.errors import AccessDenied, BadConstraint, NotFound
from connectomedb.server.run import ServerThread
from connectomedb.store.site import open_site
from connectomedb.testing.sample_site import build_site

ROW = "nt:scores"
COLUMNS = ["SUBJECT_ID", "nt:scores/NEO_NEOFAC_A"]
OVER_40 = [("NEO_NEOFAC_A", ">", 40), "AND"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    build_site(tmp_path / "site")
    with open_site(tmp_path / "site") as site, ServerThread(site) as running:
        yield running.url


def test_saved_searches(server: str) -> None:
    with (
        Interface(server, "guest-reader", "reader-demo") as mine,
        Interface(server, "admin", "admin-demo") as other,
    ):
        search = mine.manage.search
        search.save("over 40", ROW, COLUMNS, OVER_40, sharing="public", description="100%")
        assert search.saved(with_description=True) == [("over 40", "100%")]
        table = search.get("over 40")
        assert (table.headers(), len(table)) == (["subject_id", "neo_neofac_a"], 4)
        assert mine.select(ROW, COLUMNS).where(query="over 40").items() == table.items()
        assert b"<xdat:value>40</xdat:value>" in search.get("over 40", "xml")
        assert search.get("over 40", "query").where.members[0].value == "40"
        assert len(other.manage.search.get("over 40")) == 4
        with pytest.raises(NotFound, match="there are: over 40"):
            search.get("over 50")
        with pytest.raises(BadConstraint, match="sharing"):
            search.save("x", ROW, COLUMNS, OVER_40, sharing="secret")
        with pytest.raises(BadConstraint, match="out_format"):
            search.get("over 40", "pdf")
        search.delete("over 40")
        assert search.saved() == []
        other.manage.search.save("theirs", ROW, COLUMNS, OVER_40)
        with pytest.raises(NotFound, match="there are: none"):
            search.delete("theirs")
        with pytest.raises(AccessDenied, match="is taken"):
            search.save("theirs", ROW, COLUMNS, OVER_40)


def test_templates(server: str) -> None:
    with Interface(server, "guest-reader", "reader-demo") as mine:
        search = mine.manage.search
        outside = [[("NEO_NEOFAC_A", "<", "low"), ("NEO_NEOFAC_A", ">=", "high"), "OR"], "AND"]
        search.save_template("outside", ROW, COLUMNS, outside)
        assert (search.saved(), search.saved_templates()) == ([], ["outside"])
        rows = search.use_template("outside", {"low": 20, "high": "45"}).items()
        assert rows
        assert {int(score) for _, score in rows} <= {*range(20), *range(45, 61)}
        same = mine.select(ROW, COLUMNS).where(template=("outside", {"low": 20, "high": 45}))
        assert same.items() == rows
        with pytest.raises(BadConstraint, match="'high'"):
            search.use_template("outside", {"low": 20})
        search.delete_template("outside")
        assert search.saved_templates() == []

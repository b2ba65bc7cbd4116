"""Home page, version, schemas, and the announcement of what is offered beyond XNAT."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest

import connectomedb
from connectomedb.errors import ConfigurationError, LabelTaken, NotValid, ServerFault, UnknownField
from connectomedb.server.app import canonical_path
from connectomedb.server.failures import status_of
from connectomedb.server.run import serve
from connectomedb.store.site import open_site


def test_the_home_page_for_a_stranger(stranger: httpx2.Client) -> None:
    page = stranger.get("/")
    assert page.status_code == 200
    assert '<span id="user_info">Logged in as: <span style="color:red;">Guest</span>' in page.text
    assert "Synthetic data" in page.text
    assert "HCP_Q1" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "http://" not in page.text.replace(str(stranger.base_url), "")
    assert stranger.get("/web/style.css").headers["content-type"].startswith("text/css")


def test_the_home_page_for_a_reader(reader: httpx2.Client) -> None:
    page = reader.get("/").text
    assert '<a href="/data/projects/HCP_Q1">HCP_Q1</a>' in page
    assert ">76</a>" in page
    assert "nt:scores" in page
    assert "HCP_Q2" not in page


def test_templates_are_not_served(reader: httpx2.Client) -> None:
    url = str(reader.base_url).rstrip("/") + "/web/%2e%2e/templates/home.html"
    assert reader.get(url).status_code == 404


def test_the_version_is_open_and_stands_where_clients_look(stranger: httpx2.Client) -> None:
    facts = stranger.get("/xapi/siteConfig/buildInfo?format=json").json()
    assert facts["version"] == "1.9.0"
    assert facts["connectomedb"] == connectomedb.__version__
    assert stranger.get("/xapi/siteConfig/buildInfo/version").text == "1.9.0"
    assert stranger.get("/xapi/siteConfig/buildInfo/nothing").status_code == 404


def test_the_announcement(reader: httpx2.Client) -> None:
    said = reader.get("/xapi/connectomedb").json()
    assert said["server"] == "connectomedb"
    assert said["synthetic"] is True
    assert "explain" in said["features"]


def test_every_schema_is_served_under_every_address(reader: httpx2.Client) -> None:
    names = reader.get("/xapi/schemas").json()
    assert {"xnat", "nt"} <= {n.rsplit("/", 1)[-1] for n in names}
    for name in names:
        document = reader.get(f"/xapi/schemas/{name}")
        assert document.headers["content-type"].startswith("application/xml")
        assert b"<xs:schema" in document.content
        assert reader.get(f"/schemas/{name}.xsd").content == document.content
        assert reader.get(f"/schemas/{name.rsplit('/', 1)[-1]}.xsd").status_code == 200
    unknown = reader.get("/xapi/schemas/nothing")
    assert unknown.status_code == 404
    assert "xnat" in unknown.text


def test_the_schema_location_of_a_document_can_be_fetched(reader: httpx2.Client) -> None:
    document = reader.get("/data/experiments/ConnectomeDB_E00299?format=xml").text
    locations = document.split('schemaLocation="')[1].split('"')[0].split()[1::2]
    assert locations
    for location in locations:
        assert location.startswith(str(reader.base_url).rstrip("/"))
        assert reader.get(location).status_code == 200, location


def test_users_are_listed_without_addresses(reader: httpx2.Client) -> None:
    rows = reader.get("/data/users").json()["ResultSet"]["Result"]
    assert "guest-reader" in {r["login"] for r in rows}
    assert {r["email"] for r in rows if r["login"] != "guest-reader"} <= {""}


@pytest.mark.parametrize(
    ("asked", "canonical"),
    [
        ("/REST/projects", "/data/projects"),
        ("/REST", "/data"),
        ("/RESTful", "/RESTful"),
        ("//data///archive/projects/", "/data/projects"),
        ("/data/archive/search", "/data/archive/search"),
        ("/data/archive/projectsX", "/data/archive/projectsX"),
        ("/", "/"),
        ("//", "/"),
    ],
)
def test_addresses(asked: str, canonical: str) -> None:
    assert canonical_path(asked) == canonical


def test_the_status_of_an_exception_is_that_of_its_nearest_base() -> None:
    assert status_of(UnknownField("x")) == 400
    assert status_of(NotValid(["x"])) == 422
    assert status_of(LabelTaken("x")) == 409
    assert status_of(ServerFault("x")) == 500


def test_a_port_in_use_is_said(q1_server: str, sample_site_folder: Path) -> None:
    port = int(q1_server.rsplit(":", 1)[-1])
    site = open_site(sample_site_folder)
    with pytest.raises(ConfigurationError, match="choose another"):
        serve(site, "127.0.0.1", port)
    site.close()

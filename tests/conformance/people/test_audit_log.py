"""The audit log of a running site: reads and writes, who, what came of it, and no secret anywhere."""

from __future__ import annotations

import time
from pathlib import Path

import httpx2
import pytest
from tests.conformance.people.conftest import PASSWORD, World


def lines(world: World, **wanted: str) -> list[dict[str, str]]:
    """The lines, once the writer has come to them."""
    for _ in range(100):
        answer = world.ask("admin", "GET", "/xapi/connectomedb/audit", params=wanted)
        assert answer.status_code == 200
        assert answer.headers["x-audit-lost"] == "0"
        found: list[dict[str, str]] = answer.json()["ResultSet"]["Result"]
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"no line with {wanted}")


def test_reads_and_writes_are_noted_with_who_and_what_came_of_it(world: World) -> None:
    read = world.ask("member", "GET", "/REST/projects/HIDDEN/subjects?format=csv&columns=ID,label")
    refused = world.ask("member", "PUT", "/data/projects/HIDDEN/accessibility/public")
    for answer, method, path, status in (
        (read, "GET", "/REST/projects/HIDDEN/subjects", "200"),
        (refused, "PUT", "/data/projects/HIDDEN/accessibility/public", "403"),
    ):
        (line,) = lines(world, request_id=answer.headers["x-request-id"])
        assert (line["login"], line["method"], line["path"], line["status"]) == (
            "member",
            method,
            path,
            status,
        )
        assert line["address"] == "127.0.0.1"
        assert line["at"].startswith("20")
    assert lines(world, request_id=read.headers["x-request-id"])[0]["query"] == "format=csv&columns=ID,label"


def test_it_can_be_asked_for_some_lines(world: World) -> None:
    world.ask("collaborator", "GET", "/data/projects/SEEN")
    found = lines(world, login="collaborator", path="/projects/SEEN", status="200", n="1")
    assert len(found) == 1
    assert found[0]["path"] == "/data/projects/SEEN"
    later = world.ask("admin", "GET", "/xapi/connectomedb/audit", params={"since": "2999"})
    assert later.json()["ResultSet"]["Result"] == []


@pytest.mark.parametrize("login", ["", "member", "owner"])
def test_it_is_for_administrators(world: World, login: str) -> None:
    assert world.ask(login, "GET", "/xapi/connectomedb/audit").status_code == (403 if login else 401)


def test_no_secret_is_in_logs_answers_or_addresses(world: World, caplog: pytest.LogCaptureFixture) -> None:
    token = world.ask("member", "GET", "/data/services/tokens/issue").json()
    session = world.session("member")
    secrets = [PASSWORD, token["secret"], session, "wrong-guess-of-a-password"]
    said = []
    with httpx2.Client(base_url=world.url) as client:
        validate = f"/data/services/tokens/validate/{token['alias']}/{token['secret']}"
        said.append(client.get(validate, headers={"Cookie": f"JSESSIONID={session}"}).text)
        client.cookies.clear()
        for path in ("/data/auth", "/data/projects?password=wrong-guess-of-a-password"):
            said.append(client.get(path, auth=("member", "wrong-guess-of-a-password")).text)
        form = {"username": "member", "password": "wrong-guess-of-a-password"}
        said.append(client.put("/data/services/auth", data=form).text)
        said.append(client.post("/login", data=form).headers.get("location", ""))
        last = client.get("/data/auth", auth=("member", PASSWORD))
    lines(world, request_id=last.headers["x-request-id"])
    written = "".join(path.read_text() for path in Path(world.site.folder, "audit").glob("*.jsonl"))
    assert token["alias"] in written
    for secret in secrets:
        assert secret not in written
        assert secret not in caplog.text
        assert all(secret not in text for text in said)

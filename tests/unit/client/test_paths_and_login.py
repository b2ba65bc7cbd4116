"""Paths, credentials and what an import costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from connectomedb.client.login import Credentials, Login, find_credentials
from connectomedb.errors import ConfigurationError, QueryError
from connectomedb.vocabulary.uris import Step, join_uri, parse_path


def test_a_path_is_levels_and_names() -> None:
    assert parse_path("/project/HCP_Q1/subjects") == ((Step("projects", "HCP_Q1"), Step("subjects", "*")),)


@pytest.mark.parametrize("path", ["/", "/cats/x", "/subjects/x/projects/y"])
def test_a_path_that_cannot_be_is_refused(path: str) -> None:
    with pytest.raises(QueryError):
        parse_path(path)


def test_names_are_encoded_once() -> None:
    assert join_uri("/data/projects", "a b/c") == "/data/projects/a%20b%2Fc"


def test_credentials_come_from_arguments_then_environment_then_netrc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("CONNECTOMEDB_USER", raising=False)
    monkeypatch.delenv("CONNECTOMEDB_PASSWORD", raising=False)
    server = "http://example.org:1"
    assert not find_credentials(server)
    with pytest.raises(ConfigurationError, match="CONNECTOMEDB_PASSWORD"):
        find_credentials(server, "ann")
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine example.org login net password word\n")
    netrc.chmod(0o600)
    assert find_credentials(server) == Credentials("net", "word")
    monkeypatch.setenv("CONNECTOMEDB_USER", "env")
    monkeypatch.setenv("CONNECTOMEDB_PASSWORD", "word")
    assert find_credentials(server).user == "env"
    assert find_credentials(server, "arg", "x").user == "arg"


def test_a_password_is_never_printed() -> None:
    credentials = Credentials("ann", "secret-word")
    assert "secret-word" not in repr(credentials) + repr(Login(credentials))


def test_importing_the_client_imports_no_heavy_library() -> None:
    code = (
        "import sys, connectomedb.client.interface, connectomedb.client.connection;"
        "print([m for m in ('httpx2', 'lxml', 'obstore', 'sqlalchemy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

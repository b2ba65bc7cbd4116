"""Scripts of the original ConnectomeDB, as curl commands, with only the host name changed."""

from __future__ import annotations

import csv
import io
import subprocess
from pathlib import Path

import pytest

from connectomedb.testing.seed import subject_labels

READER = "guest-reader:reader-demo"


def curl(*words: str) -> bytes:
    done = subprocess.run(["curl", "-sS", "--max-time", "30", *words], capture_output=True, check=True)
    return done.stdout


def test_the_export_of_the_dashboard(demo_server: str) -> None:
    address = (
        f"{demo_server}/REST/search/dict/Subject%20Information/results?format=csv"
        "&removeDelimitersFromFieldValues=true&restricted=0&project=HCP_Q1"
    )
    text = curl("-u", READER, address).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [r["Subject"] for r in rows] == sorted(subject_labels())
    assert {"NEOFAC_A", "ER40_CR"} <= set(rows[0])
    first = next(r for r in rows if r["Subject"] == "100307")
    assert first["ER40_CR"] == "39"
    assert '"' not in text
    # No line has more cells than the head: the delimiters were taken out of the values.
    assert {line.count(",") for line in text.splitlines()} == {len(rows[0]) - 1}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("Subject%20Information/results?project=HCP_Q2", "404"),
        ("Subject%20Information/results?restricted=0", "400"),
        ("Subject%20Information/results?restricted=7&project=HCP_Q1", "400"),
        ("Other/results?project=HCP_Q1", "404"),
    ],
)
def test_what_cannot_be_exported(demo_server: str, query: str, status: str) -> None:
    address = f"{demo_server}/REST/search/dict/{query}"
    assert curl("-u", READER, "-o", "/dev/null", "-w", "%{http_code}", address).decode() == status


def test_a_session_by_cookie(demo_server: str, tmp_path: Path) -> None:
    jar = str(tmp_path / "cookies")
    opened = curl("-u", READER, "-c", jar, "-X", "POST", f"{demo_server}/data/JSESSION").decode()
    assert len(opened) == 32
    listed = curl("-b", jar, f"{demo_server}/data/projects?format=csv").decode()
    assert "HCP_Q1" in listed
    by_hand = curl("-H", f"Cookie: JSESSIONID={opened}", f"{demo_server}/REST/projects?format=csv").decode()
    assert by_hand == listed
    assert curl("-b", jar, f"{demo_server}/REST/JSESSIONID").decode() == opened
    curl("-b", jar, "-X", "DELETE", f"{demo_server}/data/JSESSION")
    refused = curl("-b", jar, "-o", "/dev/null", "-w", "%{http_code}", f"{demo_server}/data/projects")
    assert refused == b"401"


def test_the_files_of_a_whole_subject(demo_server: str, q1_mirror: Path, tmp_path: Path) -> None:
    label = next(one for one in sorted(subject_labels()) if (q1_mirror / "q1" / one).is_dir())
    view = (
        f"{demo_server}/data/archive/projects/HCP_Q1/subjects/{label}/experiments/{label}_CREST"
        f"/resources/{label}_CREST/files"
    )
    rows = list(csv.DictReader(io.StringIO(curl("-u", READER, view + "?format=csv").decode())))
    folder = q1_mirror / "q1" / label
    row = next(r for r in rows if int(r["Size"]) > 100)
    path = row["URI"].partition("/files/")[2]
    target = tmp_path / "file"
    curl("-u", READER, "-o", str(target), f"{view}/{path}")
    assert target.read_bytes() == (folder / path).read_bytes()
    for wrong in (f"{view}/no/such.file", view.replace(f"{label}_CREST/res", "999999_CREST/res") + "/x"):
        assert curl("-u", READER, "-o", "/dev/null", "-w", "%{http_code}", wrong) == b"404"
    outside = f"{view}/..%2f..%2f{label}/x"
    assert curl("--path-as-is", "-u", READER, "-o", "/dev/null", "-w", "%{http_code}", outside) == b"404"
    assert curl("-o", "/dev/null", "-w", "%{http_code}", f"{view}/{path}") == b"401"


def test_the_browsers_download_link(demo_server: str) -> None:
    link = f"{demo_server}/app/action/ChooseDownloadResources"
    asked = "project=HCP_Q1&resource=docs&filePath=a/b%20c.txt"
    head = curl("-u", READER, "-i", f"{link}?{asked}").decode().lower()
    assert head.startswith("http/1.1 302")
    assert "location: /data/projects/hcp_q1/resources/docs/files/a/b%20c.txt\r\n" in head
    for bad in ("project=HCP_Q1", "project=//evil.example&resource=r&filePath=../../x"):
        assert curl("-u", READER, "-o", "/dev/null", "-w", "%{http_code}", f"{link}?{bad}") == b"400"

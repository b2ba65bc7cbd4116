"""Manifests: written one way, read in many."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectomedb.errors import ManifestError
from connectomedb.objects.manifest import ManifestEntry, read_manifest, relative_uri, write_manifest

_hex = st.text("0123456789abcdef", min_size=32, max_size=32)
_entries = st.builds(
    ManifestEntry, st.text(min_size=1, max_size=30), st.none() | st.integers(0, 2**50), st.just("") | _hex
)


@given(st.lists(_entries, max_size=5))
def test_what_is_written_is_read(entries: list[ManifestEntry]) -> None:
    data = write_manifest(entries, notice="synthetic")
    assert data.count(b"\n") == 1
    assert read_manifest(data).entries == tuple(entries)


def test_other_spellings_are_understood() -> None:
    body = {
        "downloadManifest": {"includes": [{"uri": "100307/T1w/a", "File Size": "7", "MD5 Checksum": "AB"}]}
    }
    assert read_manifest(json.dumps(body).encode()).entries == (ManifestEntry("100307/T1w/a", 7, "ab"),)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<html>", "not JSON"),
        (b"[]", "no list"),
        (b'{"DownloadManifest":{"Includes":[{"MD5":"x"}]}}', "entry 1 names no file"),
        (b'{"DownloadManifest":{"Includes":[{"URI":"a","Size":"big"}]}}', "not a number of bytes"),
    ],
)
def test_a_manifest_that_cannot_be_right_is_named(data: bytes, reason: str) -> None:
    with pytest.raises(ManifestError, match=rf"x\.json.*{reason}"):
        read_manifest(data, "x.json")


@pytest.mark.parametrize(
    "uri", ["T1w/a", "/T1w/a", "100307/T1w/a", "q1/100307/T1w/a", "s3://b/q1/100307/T1w/a"]
)
def test_uris_become_relative_to_the_subject(uri: str) -> None:
    assert relative_uri(uri, "100307") == "T1w/a"

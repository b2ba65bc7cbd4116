"""The audit log on its own: bounded, rotating, scrubbed, and honest about what it lost."""

from __future__ import annotations

import json
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectomedb.server.audit import FILE, AuditLog, Note, line_of, scrubbed_path, without_secrets


def _scope(path: str, query: bytes = b"") -> dict[str, Any]:
    return {"method": "GET", "path": path, "query_string": query, "client": ("192.0.2.7", 1)}


def test_lines_come_back_newest_first(tmp_path: Path) -> None:
    audit = AuditLog(tmp_path / "audit")
    for n in range(5):
        audit.note({"login": "alice" if n % 2 else "bob", "path": f"/data/{n}", "status": 200})
    audit.close()
    assert [one["path"] for one in audit.read()] == [f"/data/{n}" for n in (4, 3, 2, 1, 0)]
    assert [one["path"] for one in audit.read(login="alice")] == ["/data/3", "/data/1"]
    assert [one["path"] for one in audit.read(limit=1, path="/2")] == ["/data/2"]
    assert audit.read(status="404") == []
    assert stat.S_IMODE((tmp_path / "audit" / FILE).stat().st_mode) == 0o600


def test_nothing_is_opened_before_the_first_line(tmp_path: Path) -> None:
    audit = AuditLog(tmp_path / "audit")
    assert audit.read() == []
    audit.close()
    assert not (tmp_path / "audit").exists()


def test_a_full_file_is_renamed_and_the_oldest_go(tmp_path: Path) -> None:
    audit = AuditLog(tmp_path, largest_file_bytes=2000, files_kept=3)
    for n in range(200):
        audit.note({"n": n, "text": "x" * 80})
        if n % 10 == 0:
            audit.close()
    audit.close()
    files = sorted(tmp_path.glob("*.jsonl"))
    assert len(files) == 4
    assert all(path.stat().st_size <= 2000 for path in files)
    kept = [one["n"] for one in audit.read()]
    assert kept == list(range(199, 199 - len(kept), -1))


def test_a_full_queue_loses_lines_and_says_how_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    audit = AuditLog(tmp_path, queue_length=10)
    held = threading.Event()
    real = audit._append_bytes

    def slow(content: bytes) -> None:
        held.wait(10)
        real(content)

    monkeypatch.setattr(audit, "_append_bytes", slow)
    began = time.monotonic()
    for n in range(100):
        audit.note({"n": n})
    assert time.monotonic() - began < 5, "a disk that hangs holds nobody up"
    assert audit.n_lost > 70
    held.set()
    audit.note({"n": "after"})
    audit.close()
    lines = [json.loads(line) for line in (tmp_path / FILE).read_text().splitlines()]
    lost = sum(one.get("lost", 0) for one in lines)
    assert lost == audit.n_lost
    assert lost + sum("n" in one for one in lines) == 101


def test_a_disk_that_refuses_is_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    audit = AuditLog(blocked / "audit")
    audit.note({"n": 1})
    audit.close()
    assert audit.n_lost == 1
    assert "cannot be written" in caplog.text


def test_two_writers_share_a_folder(tmp_path: Path) -> None:
    logs = [AuditLog(tmp_path, largest_file_bytes=5000, files_kept=1000) for _ in range(3)]

    def fill(audit: AuditLog) -> None:
        for n in range(200):
            audit.note({"n": n, "who": id(audit)})
        audit.close()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(fill, logs))
    found = AuditLog(tmp_path).read(limit=10_000)
    assert len(found) == 600
    assert sum(audit.n_lost for audit in logs) == 0


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("password=hunter22&label=a", "password=***&label=a"),
        ("XNAT_CSRF=1234&j_password=x", "XNAT_CSRF=***&j_password=***"),
        ("secret=s&alias=a&JSESSIONID=ABC", "secret=***&alias=a&JSESSIONID=***"),
        ("columns=ID,label&format=csv", "columns=ID,label&format=csv"),
        ("", ""),
    ],
)
def test_secrets_of_a_query_are_hidden(query: str, shown: str) -> None:
    assert without_secrets(query) == shown


def test_secrets_of_a_path_are_hidden() -> None:
    token = "/data/services/tokens/{}/6f3e2b1a-0c4d-4e5f-8a9b-112233445566"
    for word in ("validate", "invalidate"):
        assert scrubbed_path(f"{token.format(word)}/Zt4secret") == f"{token.format(word)}/***"
    assert scrubbed_path("/data/projects;jsessionid=ABC123") == "/data/projects;jsessionid=***"
    assert scrubbed_path("/data/projects/A") == "/data/projects/A"


@given(st.text(max_size=300), st.binary(max_size=300))
def test_any_request_is_one_line(path: str, query: bytes) -> None:
    line = line_of(_scope(f"/{path}", query), Note("1234", "alice"), "2026-01-01", 200)
    text = json.dumps(line, ensure_ascii=False)
    assert "\n" not in text
    assert json.loads(text) == line

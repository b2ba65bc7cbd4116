"""The audit log: who asked for what, when, and what came of it; one line of JSON for each request.

Lines go through a bounded queue to one thread, so that a slow disk holds up no answer. What finds the queue
full is not written: it is counted, and the next line says how many were lost. Several processes may write
into one file; it is renamed when it is full, and the oldest go. Passwords, tokens and session ids are never
in it.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import re
import secrets
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from starlette.types import ASGIApp, Message, Receive, Scope, Send

if sys.platform != "win32":
    import fcntl

log = logging.getLogger("connectomedb.audit")

FILE = "audit.jsonl"
LARGEST_FILE_BYTES = 16 * 1024 * 1024
FILES_KEPT = 10
QUEUE_LENGTH = 10_000
LONGEST_TEXT = 1000
_SECRETS = re.compile(r"pass|secret|token|csrf|jsession|authorization|signature|key\b", re.IGNORECASE)
_SECRET_PATHS = (
    (re.compile(r"(/services/tokens/(?:validate|invalidate)/[^/]*)/.*"), r"\1/***"),
    (re.compile(r";jsessionid=[^/;?]*", re.IGNORECASE), ";jsessionid=***"),
)
HIDDEN = "***"


@dataclass(slots=True)
class Note:
    """What one request leaves behind; the handler writes who it was as soon as that is known."""

    request_id: str
    login: str = ""


class AuditLog:
    """The log in one folder. Nothing is opened, and no thread runs, before the first line."""

    def __init__(
        self,
        folder: Path,
        *,
        largest_file_bytes: int = LARGEST_FILE_BYTES,
        files_kept: int = FILES_KEPT,
        queue_length: int = QUEUE_LENGTH,
    ) -> None:
        self.folder = folder
        self._largest_file_bytes = largest_file_bytes
        self._files_kept = files_kept
        self._lines: queue.Queue[dict[str, Any] | None] = queue.Queue(queue_length)
        self._lock = threading.Lock()
        self._n_lost = 0
        self._n_lost_in_all = 0
        self._thread: threading.Thread | None = None

    @property
    def n_lost(self) -> int:
        """Lines that were never written, since the process began."""
        return self._n_lost_in_all

    def note(self, line: Mapping[str, Any]) -> None:
        """Take a line; never waits."""
        if self._thread is None:
            self._start()
        try:
            self._lines.put_nowait(dict(line))
        except queue.Full:
            self._lose(1)

    def close(self) -> None:
        """Write what waits, and end the thread."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._lines.put(None)
            thread.join(10)

    def read(self, *, limit: int = 1000, **wanted: str) -> list[dict[str, Any]]:
        """The last lines, newest first, whose members hold these texts (`login` is compared whole)."""
        found: list[dict[str, Any]] = []
        for line in self._backwards():
            with suppress(ValueError):  # a line that a crash cut
                one = json.loads(line)
                if isinstance(one, dict) and _meets(one, wanted):
                    found.append(one)
            if len(found) >= limit:
                break
        return found

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._write, name="connectomedb-audit", daemon=True)
                self._thread.start()

    def _lose(self, n: int) -> None:
        with self._lock:
            self._n_lost += n
            self._n_lost_in_all += n

    def _write(self) -> None:
        while (first := self._lines.get()) is not None:
            batch, over = [first], False
            while len(batch) < 1000 and not over:
                try:
                    following = self._lines.get_nowait()
                except queue.Empty:
                    break
                over = following is None
                if following is not None:
                    batch.append(following)
            self._append(batch)
            if over:
                return

    def _append(self, batch: list[dict[str, Any]]) -> None:
        with self._lock:
            n_lost, self._n_lost = self._n_lost, 0
        lines = [json.dumps(one, ensure_ascii=False) for one in batch]
        if n_lost:
            lines.append(json.dumps({"at": _moment(), "lost": n_lost}))
        try:
            self._append_bytes(("\n".join(lines) + "\n").encode("utf-8", "replace"))
        except OSError as problem:
            # A full disk or a lost folder: the site goes on, and what is missing will be said.
            log.error("the audit log cannot be written (%s); %d lines are lost", problem.strerror, len(batch))
            self._lose(len(batch))
            with self._lock:
                self._n_lost += n_lost

    def _append_bytes(self, content: bytes) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / ".lock").open("a") as lock:
            if sys.platform != "win32":
                fcntl.flock(lock, fcntl.LOCK_EX)  # one process writes or renames at a time
            path = self.folder / FILE
            if path.exists() and path.stat().st_size + len(content) > self._largest_file_bytes:
                self._rotate(path)
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)

    def _rotate(self, path: Path) -> None:
        path.rename(self.folder / f"audit-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}.jsonl")
        for old in sorted(self.folder.glob("audit-*.jsonl"))[: -self._files_kept]:
            old.unlink()

    def _backwards(self) -> Iterator[str]:
        paths = [self.folder / FILE, *sorted(self.folder.glob("audit-*.jsonl"), reverse=True)]
        for path in paths:
            with suppress(FileNotFoundError):  # renamed or dropped meanwhile
                yield from reversed(path.read_text(encoding="utf-8").splitlines())


class Audit:
    """Notes every request of an application, and gives each an id that its answer carries too."""

    def __init__(self, app: ASGIApp, audit: AuditLog) -> None:
        self.app = app
        self.audit = audit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        note = Note(secrets.token_hex(8))
        scope["connectomedb.note"] = note
        status = 0

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                marked = (b"x-request-id", note.request_id.encode())
                message["headers"] = [*message["headers"], marked]
            await send(message)

        at = _moment()
        try:
            await self.app(scope, receive, send_marked)
        except Exception:
            status = 500  # said by whoever is around; here it is only noted
            raise
        finally:
            self.audit.note(line_of(scope, note, at, status))


def line_of(scope: Scope, note: Note, at: str, status: int) -> dict[str, Any]:
    """One line of the log."""
    client = scope.get("client")
    path = scope.get("connectomedb.asked_path", scope["path"])
    query = without_secrets(scope.get("query_string", b"").decode("latin-1"))
    return {
        "at": at,
        "request_id": note.request_id,
        "login": note.login,
        "address": client[0] if client else "",
        "method": scope["method"],
        "path": scrubbed_path(path)[:LONGEST_TEXT],
        "query": query[:LONGEST_TEXT],
        "status": status,
    }


def scrubbed_path(path: str) -> str:
    """A path without the secrets that some addresses hold."""
    for pattern, instead in _SECRET_PATHS:
        path = pattern.sub(instead, path)
    return path


def without_secrets(query: str) -> str:
    """A query string whose secret values are hidden."""
    pairs = parse_qsl(query, keep_blank_values=True)
    hidden = [(name, HIDDEN if _SECRETS.search(name) else value) for name, value in pairs]
    return urlencode(hidden, safe="*/:,@", quote_via=quote)


def note_login(scope: Scope, login: str) -> None:
    """Say who asks; until then the line has no name."""
    note = scope.get("connectomedb.note")
    if isinstance(note, Note):
        note.login = login


def _meets(one: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    for name, text in wanted.items():
        if not text:
            continue
        there = str(one.get(name, ""))
        if name == "since":
            if str(one.get("at", "")) < text:
                return False
        elif name == "path":
            if text not in there:
                return False
        elif there != text:
            return False
    return True


def _moment() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")

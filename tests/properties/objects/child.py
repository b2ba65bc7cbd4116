"""One run of a plan in a process of its own, which may be told to die at a certain step."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from connectomedb.objects.fetch import FileFetch
from connectomedb.objects.journal import Journal, SegmentList
from connectomedb.objects.plan import make_plan
from connectomedb.objects.stores import Patience, open_store
from connectomedb.objects.targets import TargetFolder
from connectomedb.objects.transfer import run_plan
from connectomedb.vocabulary.records import FileRow

PATIENCE = Patience(retries=2, timeout_s=0.4, first_wait_s=0.002, longest_wait_s=0.02)
STEPS: tuple[tuple[type[Any], str], ...] = (
    (FileFetch, "write"),
    (FileFetch, "finish"),
    (FileFetch, "discard"),
    (SegmentList, "add"),
    (SegmentList, "begin"),
    (TargetFolder, "move_in"),
    (Journal, "note"),
)


def run_child(
    answer: Connection, url: str, folder: str, rows: list[FileRow], segment_bytes: int, die_at: int | None
) -> None:
    """Plan and run; sends the report as JSON. With `die_at`, killed before or after the n-th step."""
    if die_at is not None:
        _die_at(die_at)
    store = open_store(
        "s3://bucket", endpoint=url, access_key="a", secret_key="b", retries=0, patience=PATIENCE
    )
    plan = make_plan(rows, Path(folder), location="s3://bucket")
    report = run_plan(plan, store, parallel=3, segment_bytes=segment_bytes)
    answer.send(report.to_json())


def _die_at(n: int) -> None:
    n_steps = 0

    def step() -> None:
        nonlocal n_steps
        n_steps += 1
        if n_steps > n:
            os.kill(os.getpid(), signal.SIGKILL)

    def watched(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            step()
            done = function(*args, **kwargs)
            step()
            return done

        return call

    for owner, name in STEPS:
        setattr(owner, name, watched(getattr(owner, name)))

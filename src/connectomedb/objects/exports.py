"""A plan in the words of other tools: s5cmd, rclone, aws and aria2. None of them verifies as we do.

s5cmd     lines for `s5cmd run FILE`
rclone    names for `rclone copy --files-from-raw FILE REMOTE: FOLDER`; only where targets are the keys
aws       a shell script of `aws s3 cp` calls
aria2     an input file for `aria2c -i FILE`, with addresses that are signed for a time, and digests
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Literal, get_args

from connectomedb.errors import ConfigurationError
from connectomedb.objects.plan import PlannedFile, TransferPlan
from connectomedb.objects.stores import ObjectStore

Tool = Literal["s5cmd", "rclone", "aws", "aria2"]
TOOLS: tuple[Tool, ...] = get_args(Tool)
_SIGNED_FOR_S = 12 * 3600.0
_ARIA2_NAMES = {"md5": "md5", "sha1": "sha-1", "sha256": "sha-256"}


def export_plan(plan: TransferPlan, tool: str, store: ObjectStore | None = None) -> str:
    """The moves of a plan for another tool; files that are kept or refused are left out.

    Raises   ConfigurationError for an unknown tool, a key that the tool's file cannot hold, a plan that it
             cannot follow, and for aria2 a `store` that has no addresses
    """
    if tool not in _WRITERS:
        raise ConfigurationError(f"unknown tool {tool!r}; there are: {', '.join(TOOLS)}")
    moved = [f for f in plan.files if f.action not in ("keep", "refuse", "folder")]
    for file in moved:
        if "\n" in file.key + file.target or "\r" in file.key + file.target:
            raise ConfigurationError(f"{tool}'s file has no way to write the key {file.key!r}")
    return _WRITERS[tool](plan, moved, store)


def _s5cmd(plan: TransferPlan, files: list[PlannedFile], _: ObjectStore | None) -> str:
    base = plan.location.rstrip("/")
    return "".join(
        f"cp --raw {shlex.quote(f'{base}/{f.key}')} {shlex.quote(str(Path(plan.folder) / f.target))}\n"
        for f in files
    )


def _rclone(plan: TransferPlan, files: list[PlannedFile], _: ObjectStore | None) -> str:
    other = next((f for f in files if f.target != f.key), None)
    if other is not None:
        raise ConfigurationError(
            f"rclone copies {other.key!r} to its own name, the plan puts it at {other.target!r}; "
            "export for s5cmd, aws or aria2"
        )
    return "".join(f"{f.key}\n" for f in files)


def _aws(plan: TransferPlan, files: list[PlannedFile], _: ObjectStore | None) -> str:
    base = plan.location.rstrip("/")
    lines = [
        f"aws s3 cp --only-show-errors {shlex.quote(f'{base}/{f.key}')} "
        f"{shlex.quote(str(Path(plan.folder) / f.target))}\n"
        for f in files
    ]
    return "".join(["#!/bin/sh\nset -e\n", *lines])


def _aria2(plan: TransferPlan, files: list[PlannedFile], store: ObjectStore | None) -> str:
    if store is None:
        raise ConfigurationError("aria2 needs addresses: give the store that the plan is for")
    urls = store.sign([f.key for f in files], expires_s=_SIGNED_FOR_S)
    out = []
    for file, url in zip(files, urls, strict=True):
        out.append(f"{url}\n  dir={plan.folder}\n  out={file.target}\n")
        if file.digest and file.algorithm in _ARIA2_NAMES:
            out.append(f"  checksum={_ARIA2_NAMES[file.algorithm]}={file.digest}\n")
    return "".join(out)


_WRITERS: dict[str, Callable[[TransferPlan, list[PlannedFile], ObjectStore | None], str]] = {
    "s5cmd": _s5cmd,
    "rclone": _rclone,
    "aws": _aws,
    "aria2": _aria2,
}

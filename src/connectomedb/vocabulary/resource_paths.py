"""Addresses of resources and files: which item a path names, and which names a file may have; pure, no I/O.

Source  protocol/rest.md 2.1, 5.2 and 5.3
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from connectomedb.errors import BadPath

Part = Literal["", "scans", "reconstructions", "assessors"]
Side = Literal["", "in", "out"]

# The part of an address that names an item, as it stands between `/data/` and `/resources` or `/files`.
ITEM_PATTERN = (
    r"(?:projects/[^/]+(?:/subjects/[^/]+)?(?:/experiments/[^/]+)?"
    r"|subjects/[^/]+(?:/experiments/[^/]+)?|experiments/[^/]+)"
    r"(?:/(?:scans|reconstructions|assessors)/[^/]+)?(?:/(?:in|out))?"
)
LONGEST_NAME_BYTES = 255
LONGEST_PATH_BYTES = 2048
# Characters that no name has: controls, what turns the direction of writing, and the separator of Windows.
_ILLEGAL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\\\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class ItemAddress:
    """One item, or several parts of one session, as a path names them: ids or labels."""

    project: str = ""
    subject: str = ""
    experiment: str = ""
    part: Part = ""
    # One id or label; for scans also a list, a type or ALL.
    names: str = ""
    side: Side = ""


def parse_item_address(text: str) -> ItemAddress:
    """`projects/P/subjects/S/experiments/E/scans/3,4` as an address. Raises BadPath for anything else."""
    if not re.fullmatch(ITEM_PATTERN, text):
        raise BadPath(f"{text!r} names no item; write projects/…/subjects/…/experiments/…")
    words = text.split("/")
    side: Side = ""
    if len(words) % 2:
        side = "in" if words.pop() == "in" else "out"
    found = dict(zip(words[::2], words[1::2], strict=True))
    part = next((p for p in ("scans", "reconstructions", "assessors") if p in found), "")
    if (part or side) and "experiments" not in found:
        raise BadPath(f"{text!r}: scans, assessors and reconstructions stand below an experiment")
    if side and part == "scans":
        raise BadPath(f"{text!r}: scans have no {side}, only assessors and reconstructions have")
    return ItemAddress(
        found.get("projects", ""),
        found.get("subjects", ""),
        found.get("experiments", ""),
        part,  # type: ignore[arg-type]  # one of the three words, or none
        found.get(part, ""),
        side,
    )


def split_names(text: str) -> tuple[str | None, ...]:
    """`3,4` as its names; `[SLASH]` and `[COMMA]` stand for the characters, `NULL` for having no name."""
    return tuple(
        None if name == "NULL" else name.replace("[SLASH]", "/").replace("[COMMA]", ",")
        for name in text.split(",")
        if name
    )


def file_path(text: str) -> str:
    """The path of a file within its resource, in the one spelling that is kept (Unicode NFC).

    Raises  BadPath for a path that leaves the resource, is absolute, or has a name that no disk could hold
    """
    path = unicodedata.normalize("NFC", text)
    if not path or path.endswith("/"):
        raise BadPath(f"{_shown(text)} names no file; write its path below files/")
    if len(path.encode("utf-8", "replace")) > LONGEST_PATH_BYTES:
        raise BadPath(f"a path of more than {LONGEST_PATH_BYTES} bytes: {_shown(text)}; shorten it")
    if (bad := _ILLEGAL.search(path)) is not None:
        raise BadPath(f"{_shown(text)} holds the character {bad[0]!a}, which no file name may have")
    for name in path.split("/"):
        if name in ("", ".", ".."):
            raise BadPath(
                f"{_shown(text)} is no path below the resource: no leading /, no empty name, no . or .."
            )
        if len(name.encode()) > LONGEST_NAME_BYTES:
            raise BadPath(f"a name of more than {LONGEST_NAME_BYTES} bytes in {_shown(text)}; shorten it")
    return path


def member_path(text: str) -> str:
    """The same for a member of an archive, whose names may begin with `/` or `./`."""
    return file_path(re.sub(r"\A(?:\.?/)+", "", text))


def sought_path(text: str) -> str:
    """A path as it is looked up: nothing is refused, as nothing can be found that is not there."""
    return unicodedata.normalize("NFC", text)


def folders_of(path: str) -> tuple[str, ...]:
    """`a/b/c.txt` → `a`, `a/b`."""
    return tuple(path[:n] for n, character in enumerate(path) if character == "/")


def _shown(text: str) -> str:
    return ascii(text if len(text) <= 80 else f"{text[:77]}...")

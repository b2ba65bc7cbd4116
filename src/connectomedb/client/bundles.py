"""Many files as one zip: fetched for a session, and unpacked without leaving the folder."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any
from zipfile import BadZipFile, ZipFile

from connectomedb.errors import ConfigurationError, QueryError, TransferError
from connectomedb.vocabulary.uris import join_uri

_BUNDLED = ("scans", "assessors", "reconstructions")


def download(
    elements: Iterable[Any],
    folder: Path,
    types: str = "ALL",
    name: str | None = None,
    *,
    extract: bool = False,
    safe: bool = False,
    remove_zip: bool = False,
) -> list[str]:
    """Fetch the files of all scans (assessors, reconstructions) of one session that are of these types.

    `types` are types or ids, separated by commas; with `safe` nothing that is there is written over; the zip
    is removed after unpacking with `remove_zip`.

    Gives    the path of the zip, or with `extract` those of the files
    Raises   QueryError for handles of several sessions; ConfigurationError for a target that is there
    """
    held = list(elements)
    if not held:
        return []
    levels = {one.level for one in held}
    sessions = {one.parent().uri for one in held}
    if not levels <= set(_BUNDLED) or len(levels) > 1:
        raise QueryError(f"{', '.join(_BUNDLED)} are fetched as one, not {', '.join(sorted(levels))}")
    if len(sessions) > 1:
        raise QueryError(f"these belong to {len(sessions)} sessions; fetch those of one at a time")
    session, level = held[0].parent(), held[0].level
    if not folder.is_dir():
        raise ConfigurationError(f"there is no folder {folder}")
    stem = name or f"{session.label()}_{level}_{types.replace(',', '_')}"
    target = folder / (stem if stem.endswith(".zip") else f"{stem}.zip")
    if safe and target.exists():
        raise ConfigurationError(f"{target} is there already")
    session._core.fetch(join_uri(session.uri, level, types, "files"), target, {"format": "zip"})
    if not extract:
        return [str(target)]
    made = unpack(target, folder, safe=safe)
    if remove_zip:
        target.unlink()
    return [str(path) for path in made]


def unpack(packed: Path, root: Path, *, after: str = "", safe: bool = False) -> list[Path]:
    """Unpack a zip into a folder; with `after` the part of each name up to that folder is left out.

    Raises   TransferError for a file that is no zip, and for a name that would leave the folder;
             ConfigurationError with `safe` for a file that is there. Nothing is written then.
    """
    try:
        with ZipFile(packed) as source:
            places = []
            for info in source.infolist():
                if info.is_dir():
                    continue
                path = PurePosixPath(info.filename)
                parts = path.parts
                if after and after in parts:
                    parts = parts[parts.index(after) + 1 :]
                if not parts or path.is_absolute() or ".." in parts or "\\" in info.filename:
                    raise TransferError(
                        f"{packed.name} holds {info.filename!r}, which is no path in a folder"
                    )
                place = root.joinpath(*parts)
                if safe and place.exists():
                    raise ConfigurationError(f"{place} is there already; nothing was unpacked")
                places.append((info, place))
            for info, place in places:
                place.parent.mkdir(parents=True, exist_ok=True)
                with (
                    source.open(info) as data,
                    tempfile.NamedTemporaryFile(dir=place.parent, prefix=".part-", delete=False) as out,
                ):
                    while piece := data.read(1 << 20):
                        out.write(piece)
                Path(out.name).replace(place)
            return [place for _, place in places]
    except BadZipFile as problem:
        raise TransferError(f"{packed} is no zip: {problem}") from problem

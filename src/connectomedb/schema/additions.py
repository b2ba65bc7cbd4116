"""New data types for a site: an XSD and its display documents, checked with everything that is there.

Nothing is written before all of it loads; the schema comes last, so that a crash leaves at most a display
document whose schema is not there yet, and the next addition writes it again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from connectomedb.errors import Conflict, NotValid
from connectomedb.schema.registry import DataTypes, load_types
from connectomedb.schema.xml import parse_xml
from connectomedb.schema.xsd import read_schema_file


@dataclass(frozen=True, slots=True)
class Addition:
    """What was added: the types, those of them that are roots of documents, and the files."""

    types: tuple[str, ...]
    roots: tuple[str, ...]
    files: tuple[Path, ...]


def add_types(
    folder: Path,
    xsd: Path,
    displays: Sequence[Path] = (),
    *,
    replace: bool = False,
    accept: Callable[[DataTypes], None] | None,
) -> Addition:
    """Put a schema and its display documents into a site's folder of types.

    `accept` is called with all types before anything is written, and may refuse them; without it nothing is.

    Raises   NotWellFormed, NotValid with every reason, Conflict when the site has that schema already and
             `replace` is not said, OSError
    """
    content = xsd.read_bytes()
    schema = read_schema_file(xsd.stem, xsd.name, content)
    home = folder / schema.prefix
    files: dict[Path, bytes] = {home / "display" / name: data for name, data in _displays(displays).items()}
    files[home / xsd.name] = content
    taken = [path for path in files if path.exists() and path.read_bytes() != files[path]]
    if taken and not replace:
        raise Conflict(
            f"{taken[0]} is there already and differs; say --replace to put the new one in its place"
        )
    before = load_types([folder])
    with TemporaryDirectory(prefix="connectomedb-types-") as scratch:
        beside = Path(scratch) / folder.name
        if folder.exists():
            shutil.copytree(folder, beside)
        for path, data in files.items():
            target = beside / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        after = load_types([beside])
    own = [t for t in after.all() if t.namespace == schema.namespace]
    added = tuple(t.xsi_type for t in own if t.xsi_type not in before or t != before.get(t.xsi_type))
    roots = tuple(t.root_element for t in own if t.root_element and t.xsi_type in added)
    if accept is not None:
        accept(after)
        for path, data in files.items():
            _write(path, data)
    return Addition(added, roots, tuple(files))


def _displays(paths: Sequence[Path]) -> Mapping[str, bytes]:
    """File names as the site looks for them, and contents."""
    found: dict[str, bytes] = {}
    for path in paths:
        data = path.read_bytes()
        element = parse_xml(data).get("schema-element") or ""
        if ":" not in element:
            raise NotValid([f"{path.name}: the root must be Displays with a schema-element"])
        found[f"{element.replace(':', '_')}_display.xml"] = data
    return found


def _write(path: Path, data: bytes) -> None:
    """Under a name of its own first, so that nobody reads half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    with beside.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(path)

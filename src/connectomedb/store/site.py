"""A site's folder: its database, its own data types and its few facts.

<site>/site.json          database URL, mirror URL, site id, title, synthetic
<site>/connectomedb.db    the database, unless it is elsewhere
<site>/schemas/           data types that the site adds
<site>/files/             objects of uploaded files, unless `files` in site.json is another store
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectomedb.errors import ConfigurationError
from connectomedb.schema.registry import DataTypes, load_types
from connectomedb.store.archive import DEFAULT_SITE_ID, Archive
from connectomedb.store.engine import open_engine

FACTS = "site.json"
DATABASE = "connectomedb.db"
SCHEMAS = "schemas"
FILES = "files"


@dataclass(frozen=True, slots=True)
class Site:
    """An open site. Close it when done, or use it in a `with`."""

    folder: Path
    archive: Archive
    title: str = ""
    site_id: str = DEFAULT_SITE_ID
    mirror_url: str = ""
    synthetic: bool = False
    # Where uploaded files are; '' for the site's own folder.
    files_url: str = ""

    @property
    def files_folder(self) -> Path:
        """Where objects of uploaded files are, or what arrives for a store elsewhere."""
        return self.folder / FILES

    @property
    def types(self) -> DataTypes:
        """The data types of the site, shipped and added."""
        return self.archive.types

    @property
    def types_folder(self) -> Path:
        """Where the site's own data types are."""
        return self.folder / SCHEMAS

    def close(self) -> None:
        """Give the database back."""
        self.archive.close()

    def __enter__(self) -> Site:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def init_site(
    folder: Path,
    *,
    database: str = "",
    title: str = "",
    site_id: str = DEFAULT_SITE_ID,
    synthetic: bool = False,
    mirror_url: str = "",
) -> Site:
    """Make a new site and open it. `database` is a URL; '' means a SQLite file in the folder.

    Raises  ConfigurationError when the folder holds a site, or the database cannot be used
    """
    if (folder / FACTS).exists():
        raise ConfigurationError(f"{folder} holds a site already; choose another folder")
    (folder / SCHEMAS).mkdir(parents=True, exist_ok=True)
    archive = Archive(open_engine(database or _file_url(folder)), load_types([folder / SCHEMAS]))
    try:
        archive.create()
        archive.set_setting("site_id", site_id)
    except BaseException:
        archive.close()
        raise
    write_facts(
        folder,
        {
            "database": database,
            "mirror": mirror_url,
            "site_id": site_id,
            "title": title,
            "synthetic": synthetic,
        },
    )
    return Site(folder, archive, title, site_id, mirror_url, synthetic)


def open_site(folder: Path) -> Site:
    """The site in a folder.

    Raises  ConfigurationError when there is none, or it is damaged or of another version
    """
    facts = read_facts(folder)
    url = _text(facts, "database")
    if not url and not (folder / DATABASE).is_file():
        raise ConfigurationError(f"the database {folder / DATABASE} is missing; restore it from a backup")
    archive = Archive(open_engine(url or _file_url(folder)), load_types([folder / SCHEMAS]))
    try:
        archive.open()
    except BaseException:
        archive.close()
        raise
    return Site(
        folder,
        archive,
        _text(facts, "title"),
        _text(facts, "site_id") or DEFAULT_SITE_ID,
        _text(facts, "mirror"),
        facts.get("synthetic") is True,
        _text(facts, "files"),
    )


def set_mirror(folder: Path, url: str) -> None:
    """Note where the site's images are."""
    write_facts(folder, {**read_facts(folder), "mirror": url})


def _file_url(folder: Path) -> str:
    return f"sqlite:///{folder.resolve() / DATABASE}"


def read_facts(folder: Path) -> dict[str, Any]:
    """What `site.json` says. Raises ConfigurationError when there is none that can be read."""
    path = folder / FACTS
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"{folder} holds no site; make one with `connectomedb init {folder}`"
        ) from error
    except ValueError as error:
        raise ConfigurationError(f"{path} cannot be read ({error}); mend it or restore it") from error
    if not isinstance(facts, dict):
        raise ConfigurationError(f"{path} is not an object with the site's facts; mend it or restore it")
    return facts


def _text(facts: dict[str, Any], name: str) -> str:
    value = facts.get(name, "")
    if not isinstance(value, str):
        raise ConfigurationError(f"{name} in {FACTS} must be a text, it is {value!r}")
    return value


def write_facts(folder: Path, facts: dict[str, Any]) -> None:
    """Write beside, sync, then rename: a crash leaves the old file or the new one."""
    path, beside = folder / FACTS, folder / f".{FACTS}.new"
    # A database URL may hold a password.
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(facts, stream, indent=2)
        stream.write("\n")
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(path)

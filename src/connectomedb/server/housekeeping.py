"""The database and the store of its files together: what is missing, what was left over; a backup of both."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from connectomedb.objects.held import open_held
from connectomedb.store.backup import Manifest, back_up
from connectomedb.store.doctor import Problem
from connectomedb.store.site import Site

_SHOWN = 20
_BATCH = 500


def examine_files(site: Site, *, repair: bool = False) -> tuple[Problem, ...]:
    """Files whose bytes are gone, and objects that no file points to; `repair` removes the latter.

    Cost    lists the whole store, and looks at the object of every file
    """
    held = open_held(site.files_folder, site.files_url)
    found: list[Problem] = []
    n_left = held.sweep(site.archive.known_keys, only_count=not repair)
    if n_left and not repair:
        said = f"{n_left} objects were left over by uploads that did not end, or by deleted items"
        found.append(Problem("left over", str(site.files_folder), said, repairable=True))
    keys = iter(site.archive.held_keys())
    while batch := dict(islice(keys, _BATCH)):
        for key in sorted(held.missing(batch)):
            said = f"its bytes ({key}) are gone from the site's store; restore them, or delete the file"
            found.append(Problem("bytes", batch[key], said))
            if len(found) > _SHOWN:
                return tuple(found)
    return tuple(found)


def back_up_site(site: Site, target: Path) -> Manifest:
    """The site with its files in one file; see `backup.back_up`."""
    return back_up(site, target, open_held(site.files_folder, site.files_url))

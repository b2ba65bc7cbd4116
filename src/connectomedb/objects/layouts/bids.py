"""BIDS datasets, as OpenNeuro keeps them: entities in names, sidecars, derivatives.

Source  the BIDS specification, common principles: entities, the inheritance of sidecars, derivatives
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from connectomedb.objects.layouts.model import KeyFacts

_KEY = re.compile(
    r"(?P<above>(?:[^/]+/)*?)sub-(?P<subject>[A-Za-z0-9]+)/(?:ses-(?P<session>[A-Za-z0-9]+)/)?(?P<path>.+)"
)
# Folders that hold one: `sourcedata/`, `rawdata/`, `derivatives/<pipeline>/`.
_ABOVE = re.compile(r"(?:(?:sourcedata|rawdata)/|derivatives/[^/]+/)*")
_ENTITY = re.compile(r"([a-z]+)-([A-Za-z0-9+]+)")


@dataclass(frozen=True, slots=True)
class Bids:
    """The layout of BIDS.

    A package is the folder of the data type (`anat`, `func`); of a derivative `fmriprep/func`. The run is
    the task with the number of its run; the kind is the suffix (`bold`, `T1w`), for sidecars as well.
    """

    name: str = "bids"
    # `derivatives/fmriprep/sub-1/`
    folders_above: int = 2

    def parse(self, key: str) -> KeyFacts | None:
        """What the key says; None for a key of no subject."""
        match = _KEY.fullmatch(key)
        if match is None or not _ABOVE.fullmatch(match["above"]):
            return None
        folder, _, name = match["path"].rpartition("/")
        entities = entities_of(name)
        run = entities.get("task", "")
        if "run" in entities:
            run = f"{run}_run-{entities['run']}".lstrip("_")
        package = "/".join(part for part in (_shown(match["above"]), folder.split("/")[0]) if part)
        return KeyFacts(match["subject"], match["session"] or "", run, suffix_of(name), package)

    def subject_prefix(self, subject: str, *, release: str = "") -> str:
        """What all keys of one subject begin with, its derivatives aside."""
        return f"sub-{subject}/"

    def package_prefixes(self, package: str, subject: str, *, release: str = "") -> tuple[str, ...]:
        """What the keys of a package begin with; sessions lie between subject and data type."""
        above, _, _ = package.rpartition("/")
        if not above:
            return (f"sub-{subject}/",)
        start = f"{above}/" if above in ("sourcedata", "rawdata") else f"derivatives/{above}/"
        return (f"{start}sub-{subject}/",)

    def packages(self) -> tuple[str, ...]:
        """None by itself: the folders of a dataset are its packages."""
        return ()


def entities_of(name: str) -> dict[str, str]:
    """The entities in a file's name: `sub-1_task-rest_run-2_bold.nii.gz` → sub, task, run."""
    parts = name.split(".", 1)[0].split("_")
    found = (_ENTITY.fullmatch(part) for part in parts)
    return {match[1]: match[2] for match in found if match}


def suffix_of(name: str) -> str:
    """What the file holds: `bold`, `events`, `T1w`."""
    return name.split(".", 1)[0].rsplit("_", 1)[-1]


def sidecar_applies(sidecar: str, key: str) -> bool:
    """Whether the metadata in the file `sidecar` are those of `key`, by the rule of inheritance.

    Same suffix, a folder at or above the file's, and no entity that the file has not.
    """
    folder, _, name = sidecar.rpartition("/")
    of_folder, _, of_name = key.rpartition("/")
    if not name.endswith(".json") or sidecar == key or suffix_of(name) != suffix_of(of_name):
        return False
    if folder and not f"{of_folder}/".startswith(f"{folder}/"):
        return False
    return entities_of(name).items() <= entities_of(of_name).items()


def _shown(above: str) -> str:
    return above.strip("/").removeprefix("derivatives/").replace("/derivatives/", "/")

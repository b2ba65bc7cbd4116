"""Between object keys and what they are: subject, session, run, kind and package, per layout.

A key that belongs to no subject, or fits no rule of the layout, has no description: `parse_key` gives None.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from connectomedb.errors import ConfigurationError
from connectomedb.vocabulary import hcp

Layout = Literal["hcp-q1", "bids"]

_HCP = re.compile(r"(?:(?P<release>[^/]+)/)?(?P<subject>\d{6})/(?P<path>.+)")
_RUN = re.compile(r"(?:^|[/_])((?:[rt]fMRI)_[A-Z0-9]+_(?:LR|RL))(?=[/_.])")
_RUN_GROUP = re.compile(r"(?:^|/)((?:[rt]fMRI)_[A-Z0-9]+)/")
_BIDS = re.compile(r"sub-(?P<subject>[A-Za-z0-9]+)/(?:ses-(?P<session>[A-Za-z0-9]+)/)?(?P<path>.+)")
_ENTITY = re.compile(r"(?:^|_)task-([A-Za-z0-9]+)(?=_)")


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What a key says about its object."""

    subject: str
    session: str = ""
    run: str = ""
    kind: str = ""
    package: str = ""
    release: str = ""


def parse_key(layout: str, key: str) -> KeyFacts | None:
    """What the key says in this layout; None for a key of no subject.

    Raises   ConfigurationError for a layout that is not known
    """
    if layout not in _PARSERS:
        raise ConfigurationError(f"unknown layout {layout!r}; there are: {', '.join(LAYOUTS)}")
    return _PARSERS[layout](key)


def subject_prefix(layout: str, subject: str, *, release: str = "q1") -> str:
    """Where the objects of one subject begin: `q1/100307/`, `sub-10159/`."""
    if layout == "hcp-q1":
        return f"{release}/{subject}/"
    if layout == "bids":
        return f"sub-{subject}/"
    raise ConfigurationError(f"unknown layout {layout!r}; there are: {', '.join(LAYOUTS)}")


def _parse_hcp(key: str) -> KeyFacts | None:
    match = _HCP.fullmatch(key)
    if match is None:
        return None
    subject, path, release = match["subject"], match["path"], match["release"] or ""
    top = path.split("/", 1)[0]
    found = _RUN.search(path)
    run = found[1] if found else ""
    group = _RUN_GROUP.search(path)
    stem = hcp.without_phase(run) if run else (group[1] if group else "")
    if top == ".xdlm":
        return KeyFacts(subject, f"{subject}_3T", "", "manifest", "", release)
    if top == "release-notes":
        return KeyFacts(subject, f"{subject}_3T", "", "release-note", "", release)
    if top == "unprocessed":
        package = f"{stem}_unproc" if stem else "Structural_unproc"
        if "/Diffusion/" in f"/{path}":
            package = "Diffusion_unproc"
    elif top == "Diffusion":
        package = "Diffusion_preproc"
    elif stem:
        package = f"{stem}_preproc"
    else:
        package = "Structural_preproc"
    return KeyFacts(subject, f"{subject}_3T", run, _hcp_kind(path), package, release)


_HCP_KINDS: tuple[tuple[str, str], ...] = (
    (r"/EVs/[^/]+$", "ev"),
    (r"/Movement_[^/]+\.txt$", "movement"),
    (r"\.dtseries\.nii$", "dtseries"),
    (r"\.dscalar\.nii$", "dscalar"),
    (r"\.dlabel\.nii$", "dlabel"),
    (r"\.surf\.gii$", "surface"),
    (r"\.func\.gii$", "func-surface"),
    (r"\.(shape|label)\.gii$", "surface-map"),
    (r"_SBRef\.nii\.gz$", "sbref"),
    (r"\.nii\.gz$", "volume"),
    (r"\.nii$", "volume"),
    (r"_TAB\.txt$", "task-log"),
    (r"\.fsf$", "design"),
    (r"\.(mat)$", "transform"),
    (r"(bvals|bvecs)$", "gradients"),
)


def _hcp_kind(path: str) -> str:
    return next((kind for pattern, kind in _HCP_KINDS if re.search(pattern, f"/{path}")), "other")


def _parse_bids(key: str) -> KeyFacts | None:
    match = _BIDS.fullmatch(key)
    if match is None:
        return None
    folder, _, name = match["path"].rpartition("/")
    stem = name.split(".", 1)[0]
    task = _ENTITY.search(stem)
    kind = stem.rsplit("_", 1)[-1]
    return KeyFacts(
        match["subject"], match["session"] or "", task[1] if task else "", kind, folder.split("/")[0]
    )


_PARSERS: Mapping[str, Callable[[str], KeyFacts | None]] = {"hcp-q1": _parse_hcp, "bids": _parse_bids}
LAYOUTS = tuple(_PARSERS)

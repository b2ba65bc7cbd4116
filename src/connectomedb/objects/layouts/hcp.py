"""The Human Connectome Project's mirrors: the first one of 2013, and those of the later releases.

Source  domain/hcp.md 4.2, 4.4 and 4.7; the file names of the cleaned rest runs and of the volume analyses are
        those of the public processing pipelines
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from connectomedb.objects.layouts.model import Rule, RuledLayout
from connectomedb.objects.layouts.templates import Alphabet, read_template
from connectomedb.vocabulary import hcp

_RESTS = tuple(f"rfMRI_{rest}" for rest in hcp.RESTS)
_TASKS = tuple(f"tfMRI_{task}" for task in hcp.TASKS)
_ALPHABETS: Mapping[str, Alphabet] = {
    "release": r"[^/]+",
    "subject": r"[0-9]{6}",
    "stem": (*_RESTS, *_TASKS),
    "rest": _RESTS,
    "task": _TASKS,
    "phase": hcp.PHASES,
    "mm": hcp.SMOOTHINGS_MM,
    "run7": r"[rt]fMRI_[A-Z0-9]+_7T_(?:AP|PA)",
}
_RUN, _RUN7 = "{stem}_{phase}", "{run7}"
_REST_RUN = "{rest}_{phase}"
_RESULTS = "MNINonLinear/Results"
# Everything of one subject but what only some releases have. The first rule that fits decides.
_COMMON = (
    Rule(".xdlm/**", kind="manifest"),
    Rule("release-notes/**", kind="release-note"),
    Rule("unprocessed/3T/Diffusion/**", "Diffusion_unproc"),
    Rule("unprocessed/3T/{stem}_{phase}/**", "{stem}_unproc", _RUN),
    Rule("unprocessed/3T/**", "Structural_unproc"),
    Rule("unprocessed/7T/{run7}/**", run=_RUN7, session="{subject}_7T"),
    Rule("unprocessed/7T/**", session="{subject}_7T"),
    Rule("unprocessed/MEG/**", session="{subject}_MEG"),
    Rule(f"{_RESULTS}/{_REST_RUN}/{_REST_RUN}_Atlas*_hp2000_clean.dtseries.nii", "rfMRI_REST_fix", _REST_RUN),
    Rule(f"{_RESULTS}/{_REST_RUN}/{_REST_RUN}_hp2000_clean.nii.gz", "{rest}_fixextended", _REST_RUN),
    Rule(f"{_RESULTS}/{_REST_RUN}/{_REST_RUN}_hp2000.ica/**", "{rest}_fixextended", _REST_RUN),
    Rule(f"{_RESULTS}/{_RUN}/**", "{stem}_preproc", _RUN),
    Rule(f"{_RESULTS}/{_RUN7}/**", run=_RUN7, session="{subject}_7T"),
    Rule(f"{_RESULTS}/{{task}}/{{task}}_hp200_s{{mm}}_level2*.feat/**", "{task}_analysis_s{mm}"),
    Rule(f"{_RESULTS}/{{task}}/**", "{task}_preproc"),
    Rule("MNINonLinear/xfms/diff2standard.nii.gz", "Diffusion_preproc"),
    Rule("MNINonLinear/xfms/standard2diff.nii.gz", "Diffusion_preproc"),
    Rule(f"T1w/Results/{_RUN}/**", "{stem}_preproc", _RUN),
    Rule(f"T1w/Results/{_RUN7}/**", run=_RUN7, session="{subject}_7T"),
    Rule("T1w/xfms/diff2str.mat", "Diffusion_preproc"),
    Rule("T1w/xfms/str2diff.mat", "Diffusion_preproc"),
    Rule("T1w/Diffusion/**", "Diffusion_preproc"),
    # In no package of the site: named after the archive's resource.
    Rule("T1w/Diffusion.bedpostX/**", "Diffusion_bedpostx"),
    Rule("T1w/{subject}/**", "Structural_preproc_extended"),
    Rule("T1w/**", "Structural_preproc"),
    Rule("MNINonLinear/**", "Structural_preproc"),
    Rule("MEG/**", session="{subject}_MEG"),
    Rule("**"),
)
_VOLUMES = Rule(f"{_RESULTS}/{{task}}/{{task}}_hp200_s4_level2vol*.feat/**", "{task}_volume_s4")
_KINDS = (
    (r"/EVs/[^/]+$", "ev"),
    (r"/Movement_[^/]+\.txt$", "movement"),
    (r"\.dtseries\.nii$", "dtseries"),
    (r"\.dscalar\.nii$", "dscalar"),
    (r"\.dlabel\.nii$", "dlabel"),
    (r"\.surf\.gii$", "surface"),
    (r"\.func\.gii$", "func-surface"),
    (r"\.(shape|label)\.gii$", "surface-map"),
    (r"_SBRef\.nii\.gz$", "sbref"),
    (r"\.nii(\.gz)?$", "volume"),
    (r"_TAB\.txt$", "task-log"),
    (r"_Physio_log\.txt$", "physio"),
    (r"\.fsf$", "design"),
    (r"\.mat$", "transform"),
    (r"(bvals|bvecs|\.bval|\.bvec)$", "gradients"),
)
HCP_1200 = RuledLayout(
    "hcp-1200", "{release}/{subject}/", _COMMON, _ALPHABETS, "HCP_1200", "{subject}_3T", _KINDS
)
HCP_900 = replace(HCP_1200, name="hcp-900", release="HCP_900")
HCP_500 = replace(HCP_1200, name="hcp-500", release="HCP", rules=(_VOLUMES, *_COMMON))
HCP_Q1 = replace(
    HCP_1200,
    name="hcp-q1",
    release="q1",
    rules=(Rule("Diffusion/**", "Diffusion_preproc"), *_COMMON),
)

# Resources of a session in the archive, and where their files lie below the subject's folder.
_RESOURCES = (
    ("{stem}_{phase}_unproc", "unprocessed/3T/{stem}_{phase}/"),
    ("{scan}_unproc", "unprocessed/3T/{scan}/"),
    ("{stem}_{phase}_FIX", f"{_RESULTS}/"),
    ("{any}", ""),
)
_NAMES: Mapping[str, Alphabet] = {
    **_ALPHABETS,
    "scan": r"T1w_MPR[0-9]|T2w_SPC[0-9]|Diffusion",
    "any": r"[^/]+",
}
_READ_RESOURCES = tuple((read_template(label, _NAMES), read_template(to, _NAMES)) for label, to in _RESOURCES)
_ADDRESS = re.compile(
    r"/*(?:data|REST)(?:/archive)?/projects/(?P<project>[^/]+)/subjects/(?P<subject>[0-9]{6})"
    r"/experiments/(?P<session>[^/]+)/resources/(?P<label>[^/]+)/files/(?P<path>.+)"
)


def key_of_address(layout: RuledLayout, address: str) -> str:
    """The key of the file at an address of the archive; an empty text when no key belongs to it.

    `…/experiments/100307_CREST/resources/100307_CREST/files/<path>` and the resources of a session, by label.
    """
    match = _ADDRESS.fullmatch(address.partition("?")[0])
    if match is None:
        return ""
    below = layout.subject_prefix(match["subject"])
    if match["label"].endswith("_CREST"):
        return below + match["path"]
    for label, to in _READ_RESOURCES:
        values = label.read(match["label"])
        if values is not None:
            return below + to.write(values) + match["path"]
    raise AssertionError("the last rule takes every label")


def address_of_key(layout: RuledLayout, key: str, project: str) -> str:
    """The archive's address of the object: in the view of all files of a subject. Empty for no subject's."""
    facts = layout.parse(key)
    if facts is None:
        return ""
    path = key.split(f"{facts.subject}/", 1)[1]
    view = f"{facts.subject}_CREST"
    return (
        f"/data/archive/projects/{project}/subjects/{facts.subject}/experiments/{view}/resources/{view}"
        f"/files/{path}"
    )

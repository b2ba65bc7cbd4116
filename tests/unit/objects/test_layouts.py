"""Every layout, both ways: what keys say, and what the keys of a package begin with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectomedb.errors import ConfigurationError
from connectomedb.objects.layouts import LAYOUTS, KeyFacts, find_layout, parse_key, subject_prefix
from connectomedb.objects.layouts.bids import sidecar_applies
from connectomedb.objects.layouts.hcp import HCP_500, HCP_1200, HCP_Q1, address_of_key, key_of_address

MOTOR = "q1/100307/MNINonLinear/Results/tfMRI_MOTOR_LR"
RESULTS = "MNINonLinear/Results"
SUBJECT_3 = "/data/archive/projects/HCP_1200/subjects/100307/experiments"


@pytest.mark.parametrize(
    ("key", "run", "kind", "package"),
    [
        (f"{MOTOR}/EVs/lh.txt", "tfMRI_MOTOR_LR", "ev", "tfMRI_MOTOR_preproc"),
        (
            f"{MOTOR}/tfMRI_MOTOR_LR_Atlas.dtseries.nii",
            "tfMRI_MOTOR_LR",
            "dtseries",
            "tfMRI_MOTOR_preproc",
        ),
        (f"{MOTOR}/Movement_Regressors.txt", "tfMRI_MOTOR_LR", "movement", "tfMRI_MOTOR_preproc"),
        ("q1/100307/T1w/T1w_acpc_dc.nii.gz", "", "volume", "Structural_preproc"),
        ("q1/100307/MNINonLinear/100307.L.pial.32k_fs_LR.surf.gii", "", "surface", "Structural_preproc"),
        ("q1/100307/Diffusion/data/bvals", "", "gradients", "Diffusion_preproc"),
        ("q1/100307/T1w/xfms/diff2str.mat", "", "transform", "Diffusion_preproc"),
        (
            "q1/100307/unprocessed/3T/tfMRI_MOTOR_LR/100307_3T_tfMRI_MOTOR_LR.nii.gz",
            "tfMRI_MOTOR_LR",
            "volume",
            "tfMRI_MOTOR_unproc",
        ),
        ("q1/100307/.xdlm/100307_3T_tfMRI_MOTOR_preproc.json", "", "manifest", ""),
    ],
)
def test_keys_of_the_first_release(key: str, run: str, kind: str, package: str) -> None:
    assert parse_key("hcp-q1", key) == KeyFacts("100307", "100307_3T", run, kind, package, "q1")


@pytest.mark.parametrize(
    ("path", "package", "session"),
    [
        ("unprocessed/3T/T1w_MPR1/100206_3T_T1w_MPR1.nii.gz", "Structural_unproc", "3T"),
        ("unprocessed/3T/Diffusion/100206_3T_DWI_dir95_LR.bval", "Diffusion_unproc", "3T"),
        ("unprocessed/3T/rfMRI_REST2_RL/100206_3T_rfMRI_REST2_RL.nii.gz", "rfMRI_REST2_unproc", "3T"),
        ("T1w/Diffusion/eddylogs/eddy_unwarped_images.eddy_parameters", "Diffusion_preproc", "3T"),
        ("T1w/Diffusion.bedpostX/mean_f1samples.nii.gz", "Diffusion_bedpostx", "3T"),
        ("T1w/100206/stats/aseg.stats", "Structural_preproc_extended", "3T"),
        ("T1w/100307/stats/aseg.stats", "Structural_preproc", "3T"),  # no tree of this subject's own
        (
            f"{RESULTS}/rfMRI_REST1_LR/rfMRI_REST1_LR_Atlas_MSMAll_hp2000_clean.dtseries.nii",
            "rfMRI_REST_fix",
            "3T",
        ),
        (f"{RESULTS}/rfMRI_REST1_LR/rfMRI_REST1_LR_hp2000_clean.nii.gz", "rfMRI_REST1_fixextended", "3T"),
        (
            f"{RESULTS}/rfMRI_REST2_RL/rfMRI_REST2_RL_hp2000.ica/fix4melview.txt",
            "rfMRI_REST2_fixextended",
            "3T",
        ),
        (f"{RESULTS}/rfMRI_REST1_LR/rfMRI_REST1_LR_Atlas.dtseries.nii", "rfMRI_REST1_preproc", "3T"),
        (f"{RESULTS}/tfMRI_WM/tfMRI_WM_hp200_s12_level2.feat/design.con", "tfMRI_WM_analysis_s12", "3T"),
        (f"{RESULTS}/tfMRI_WM/tfMRI_WM_hp200_s2_level2_MSMAll.feat/a/b", "tfMRI_WM_analysis_s2", "3T"),
        (f"{RESULTS}/tfMRI_WM/tfMRI_WM_hp200_s4_level2.fsf", "tfMRI_WM_preproc", "3T"),
        (f"{RESULTS}/rfMRI_REST1_7T_PA/rfMRI_REST1_7T_PA.nii.gz", "", "7T"),
        ("MEG/Restin/rmegpreproc/100206_MEG_3-Restin_rmegpreproc.mat", "", "MEG"),
    ],
)
def test_keys_of_the_last_release(path: str, package: str, session: str) -> None:
    facts = parse_key("hcp-1200", f"HCP_1200/100206/{path}")
    assert facts is not None
    assert (facts.package, facts.session) == (package, f"100206_{session}")
    assert facts == HCP_1200.parse(f"HCP_1200/100206/{path}")
    # A store that is opened inside the release.
    below = HCP_1200.parse(f"100206/{path}")
    assert below is not None
    assert (below.package, below.release) == (package, "")


def test_only_the_500_subjects_have_volume_analyses() -> None:
    key = f"HCP/100307/{RESULTS}/tfMRI_MOTOR/tfMRI_MOTOR_hp200_s4_level2vol.feat/cope1.feat/mask.nii.gz"
    for layout, package in ((HCP_500, "tfMRI_MOTOR_volume_s4"), (HCP_1200, "tfMRI_MOTOR_analysis_s4")):
        facts = layout.parse(key)
        assert facts is not None
        assert facts.package == package


def test_all_packages_of_the_site_are_known(shared_data: Path) -> None:
    known = json.loads((shared_data.parent.parent / "domain" / "seed-answers.json").read_text("utf-8"))[
        "packages_3T"
    ]
    stems = {entry["name"].removeprefix("{subject}_3T_") for entry in known}
    assert len(stems) == 61
    assert stems == set(HCP_500.packages()) - {"Diffusion_bedpostx"}
    volumes = {stem for stem in stems if stem.endswith("_volume_s4")}
    assert stems - volumes == set(HCP_1200.packages()) - {"Diffusion_bedpostx"}


@pytest.mark.parametrize("layout", [HCP_Q1, HCP_500, HCP_1200])
def test_a_package_leads_to_its_keys(layout) -> None:  # type: ignore[no-untyped-def]  # any of ours
    for package in layout.packages():
        for prefix in layout.package_prefixes(package, "100307"):
            assert prefix.startswith(layout.subject_prefix("100307"))
    assert layout.package_prefixes("tfMRI_MOTOR_unproc", "100307") == (
        f"{layout.release}/100307/unprocessed/3T/tfMRI_MOTOR_LR/",
        f"{layout.release}/100307/unprocessed/3T/tfMRI_MOTOR_RL/",
    )
    with pytest.raises(ConfigurationError, match="tfMRI_MOTOR_unproc"):
        layout.package_prefixes("tfMRI_CHESS_unproc", "100307")


def test_what_an_analysis_begins_with() -> None:
    assert HCP_1200.package_prefixes("tfMRI_WM_analysis_s8", "100206") == (
        f"HCP_1200/100206/{RESULTS}/tfMRI_WM/tfMRI_WM_hp200_s8_level2",
    )


@pytest.mark.parametrize(
    ("address", "key"),
    [
        (
            f"{SUBJECT_3}/100307_CREST/resources/100307_CREST/files/MNINonLinear/a.nii.gz",
            "HCP_1200/100307/MNINonLinear/a.nii.gz",
        ),
        (
            "/data/projects/HCP_1200/subjects/100307/experiments/100307_3T/resources/tfMRI_WM_LR_unproc/files/a.nii.gz",
            "HCP_1200/100307/unprocessed/3T/tfMRI_WM_LR/a.nii.gz",
        ),
        (
            "/REST/projects/HCP_1200/subjects/100307/experiments/100307_3T/resources/T1w_MPR1_unproc/files/a.gz?x=1",
            "HCP_1200/100307/unprocessed/3T/T1w_MPR1/a.gz",
        ),
        (
            f"{SUBJECT_3}/100307_3T/resources/rfMRI_REST1_LR_FIX/files/rfMRI_REST1_LR/a.nii",
            "HCP_1200/100307/MNINonLinear/Results/rfMRI_REST1_LR/a.nii",
        ),
        (
            "/data/projects/HCP_1200/subjects/100307/experiments/100307_3T/resources/Structural_preproc/files/T1w/a",
            "HCP_1200/100307/T1w/a",
        ),
        ("/data/projects/HCP_1200/subjects/100307", ""),
    ],
)
def test_addresses_of_the_archive_and_keys(address: str, key: str) -> None:
    assert key_of_address(HCP_1200, address) == key
    if key:
        there = address_of_key(HCP_1200, key, "HCP_1200")
        assert "/resources/100307_CREST/files/" in there
        assert key_of_address(HCP_1200, there) == key


@pytest.mark.parametrize(
    ("key", "session", "run", "kind", "package"),
    [
        ("sub-10159/anat/sub-10159_T1w.nii.gz", "", "", "T1w", "anat"),
        ("sub-10159/func/sub-10159_task-rest_bold.nii.gz", "", "rest", "bold", "func"),
        ("sub-10159/func/sub-10159_task-bart_events.tsv", "", "bart", "events", "func"),
        ("sub-01/ses-2/func/sub-01_ses-2_task-nb_run-02_bold.json", "2", "nb_run-02", "bold", "func"),
        (
            "derivatives/fmriprep/sub-01/func/sub-01_task-rest_desc-confounds_timeseries.tsv",
            "",
            "rest",
            "timeseries",
            "fmriprep/func",
        ),
        ("sourcedata/sub-01/anat/sub-01_T1w.nii.gz", "", "", "T1w", "sourcedata/anat"),
    ],
)
def test_keys_of_bids(key: str, session: str, run: str, kind: str, package: str) -> None:
    subject = key.split("sub-")[1].split("/")[0]
    assert parse_key("bids", key) == KeyFacts(subject, session, run, kind, package)
    assert any(key.startswith(p) for p in find_layout("bids").package_prefixes(package, subject))


@pytest.mark.parametrize(
    ("sidecar", "applies"),
    [
        ("task-rest_bold.json", True),
        ("sub-1/sub-1_task-rest_bold.json", True),
        ("sub-1/func/sub-1_task-rest_run-1_bold.json", True),
        ("sub-1/func/sub-1_task-rest_run-2_bold.json", False),
        ("task-bart_bold.json", False),
        ("task-rest_events.json", False),
        ("sub-2/sub-2_task-rest_bold.json", False),
    ],
)
def test_sidecars_are_inherited(sidecar: str, applies: bool) -> None:
    assert sidecar_applies(sidecar, "sub-1/func/sub-1_task-rest_run-1_bold.nii.gz") is applies


def test_keys_of_an_xnat_archive_name_sessions() -> None:
    facts = parse_key("xnat", "OURS/arc001/s1_MR1/SCANS/4/DICOM/1.dcm")
    assert facts == KeyFacts("", "s1_MR1", "4", "dicom", "DICOM", "")
    facts = parse_key("xnat", "OURS/arc001/s1_MR1/RESOURCES/FREESURFER/mri/T1.mgz")
    assert facts == KeyFacts("", "s1_MR1", "", "other", "FREESURFER", "")
    with pytest.raises(ConfigurationError, match="arc"):
        subject_prefix("xnat", "s1")


@pytest.mark.parametrize("key", ["README", "task-bart_bold.json", "phenotype/wais.tsv", "q1/"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_keys_of_no_subject_say_nothing(key: str, layout: str) -> None:
    assert parse_key(layout, key) is None


def test_an_unknown_layout_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r"hcp-q1, hcp-500.*bids"):
        parse_key("hcp", "x")


def test_prefixes_lead_back() -> None:
    assert subject_prefix("hcp-q1", "100307") == "q1/100307/"
    assert subject_prefix("hcp-1200", "100307", release="HCP_Retest") == "HCP_Retest/100307/"
    assert subject_prefix("bids", "10159") == "sub-10159/"


OURS = r"""
root = "{site}/{subject}/"
session = "{subject}_v{visit}"
[names]
site = ["north", "south"]
subject = "[A-Z][0-9]{3}"
visit = "[0-9]"
[[rule]]
path = "v{visit}/{modality}/**"
package = "{modality}"
[[kind]]
ends = '\.nii\.gz$'
is = "volume"
"""


def test_a_site_adds_a_layout_with_a_file(tmp_path: Path) -> None:
    own = tmp_path / "ours.toml"
    own.write_text(OURS.replace("[names]", '[names]\nmodality = ["t1", "bold"]'), "utf-8")
    layout = find_layout(str(own))
    assert layout.parse("north/A001/v2/bold/x.nii.gz") == KeyFacts("A001", "A001_v2", "", "volume", "bold")
    assert layout.packages() == ("t1", "bold")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (OURS, "modality"),
        ("x = [", "not TOML"),
        ("[names]\n", "root"),
        ("root = '{release}/'\n", "neither"),
        ("root = '{subject}/'\n[[rule]]\npath = '**'\npackages = 'x'\n", "packages"),
        ("root = '{subject}/'\n[names]\nsubject = '('\n", "regular expression"),
        ("root = '{subject}/'\n[[rule]]\npath = 'a{'\n", "understood"),
    ],
)
def test_a_layout_that_is_none_is_refused_with_its_file(tmp_path: Path, text: str, reason: str) -> None:
    own = tmp_path / "ours.toml"
    own.write_text(text, "utf-8")
    with pytest.raises(ConfigurationError, match=rf"ours\.toml.*{reason}"):
        find_layout(str(own))

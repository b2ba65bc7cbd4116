"""Keys of both layouts, and what they say."""

from __future__ import annotations

import pytest

from connectomedb.errors import ConfigurationError
from connectomedb.objects.keys import KeyFacts, parse_key, subject_prefix

MOTOR = "q1/100307/MNINonLinear/Results/tfMRI_MOTOR_LR"


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
        (
            "q1/100307/unprocessed/3T/tfMRI_MOTOR_LR/100307_3T_tfMRI_MOTOR_LR.nii.gz",
            "tfMRI_MOTOR_LR",
            "volume",
            "tfMRI_MOTOR_unproc",
        ),
        ("q1/100307/.xdlm/100307_3T_tfMRI_MOTOR_preproc.json", "", "manifest", ""),
    ],
)
def test_hcp_keys(key: str, run: str, kind: str, package: str) -> None:
    assert parse_key("hcp-q1", key) == KeyFacts("100307", "100307_3T", run, kind, package, "q1")


@pytest.mark.parametrize(
    ("key", "run", "kind"),
    [
        ("sub-10159/anat/sub-10159_T1w.nii.gz", "", "T1w"),
        ("sub-10159/func/sub-10159_task-rest_bold.nii.gz", "rest", "bold"),
        ("sub-10159/func/sub-10159_task-bart_events.tsv", "bart", "events"),
        ("sub-10159/beh/sub-10159_task-stopsignaltraining_events.tsv", "stopsignaltraining", "events"),
    ],
)
def test_bids_keys(key: str, run: str, kind: str) -> None:
    facts = parse_key("bids", key)
    assert facts is not None
    assert (facts.subject, facts.run, facts.kind) == ("10159", run, kind)


@pytest.mark.parametrize("key", ["README", "task-bart_bold.json", "phenotype/wais.tsv", "q1/"])
def test_keys_of_no_subject_say_nothing(key: str) -> None:
    assert parse_key("bids", key) is None
    assert parse_key("hcp-q1", key) is None


def test_an_unknown_layout_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="hcp-q1, bids"):
        parse_key("hcp", "x")


def test_prefixes_lead_back() -> None:
    assert subject_prefix("hcp-q1", "100307") == "q1/100307/"
    assert subject_prefix("bids", "10159") == "sub-10159/"

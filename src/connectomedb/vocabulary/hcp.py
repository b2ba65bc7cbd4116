"""What HCP calls things: releases, tasks, runs and download packages; pure.

Source: the public package tables of the 2013 to 2017 releases.
"""

from __future__ import annotations

TASKS = ("EMOTION", "GAMBLING", "LANGUAGE", "MOTOR", "RELATIONAL", "SOCIAL", "WM")
RESTS = ("REST1", "REST2")
PHASES = ("LR", "RL")
# Of the second-level task analyses, full width at half maximum.
SMOOTHINGS_MM = ("2", "4", "8", "12")
TOP_FOLDERS = (".xdlm", "Diffusion", "MNINonLinear", "T1w", "release-notes", "unprocessed")


def runs() -> tuple[str, ...]:
    """All functional runs of a 3T visit: `rfMRI_REST1_LR` … `tfMRI_WM_RL`."""
    names = [f"rfMRI_{r}" for r in RESTS] + [f"tfMRI_{t}" for t in TASKS]
    return tuple(f"{name}_{phase}" for name in names for phase in PHASES)


def without_phase(run: str) -> str:
    """`tfMRI_MOTOR_LR` → `tfMRI_MOTOR`."""
    stem, _, phase = run.rpartition("_")
    return stem if phase in PHASES else run

"""The short names of columns, filters and fields of each level, and the paths they stand for; pure.

Source   protocol/rest.md 2.2 and 2.7
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

ListLevel = Literal["projects", "subjects", "experiments", "assessors", "scans", "reconstructions"]

PROJECT = "xnat:projectData"
SUBJECT = "xnat:subjectData"
EXPERIMENT = "xnat:experimentData"
SUBJECT_ASSESSOR = "xnat:subjectAssessorData"
IMAGE_ASSESSOR = "xnat:imageAssessorData"
SESSION = "xnat:imageSessionData"
MR_SESSION = "xnat:mrSessionData"
PET_SESSION = "xnat:petSessionData"
SCAN = "xnat:imageScanData"
MR_SCAN = "xnat:mrScanData"
RECONSTRUCTION = "xnat:reconstructedImageData"


@dataclass(frozen=True, slots=True)
class Short:
    """A short name: the type and path it stands for; without a path it is computed, and not written."""

    name: str
    xsi_type: str
    path: str = ""


def _shorts(xsi_type: str, names: str, prefix: str = "") -> list[Short]:
    """`short=path` or a name that is its own path."""
    found = []
    for word in names.split():
        short, _, path = word.partition("=")
        found.append(Short(short, xsi_type, f"{prefix}{path or short}"))
    return found


def _computed(xsi_type: str, names: str) -> list[Short]:
    return [Short(name, xsi_type) for name in names.split()]


_STAMPS = "insert_date insert_user last_modified"
_PI = "pi_firstname=investigator/firstname pi_lastname=investigator/lastname"
_VALIDATION = (
    "validation_method=validation/method validation_status=validation/status "
    "validation_date=validation/date validation_notes=validation/notes"
)
_TRACER = (
    "tracer_name=tracer/name tracer_startTime=tracer/startTime tracer_dose=tracer/dose "
    "tracer_sa=tracer/specificActivity tracer_totalmass=tracer/totalMass "
    "tracer_intermediate=tracer/intermediate tracer_isotope=tracer/isotope "
    "tracer_transmissions=tracer/transmissions tracer_transmissions_start=tracer/transmissions_starttime"
)

_PROJECTS = [
    *_shorts(PROJECT, "ID secondary_ID name description keywords alias=aliases/alias/alias"),
    *_shorts(PROJECT, "pi_firstname=PI/firstname pi_lastname=PI/lastname"),
    *_computed(PROJECT, f"note {_STAMPS}"),
]
_SUBJECTS = [
    *_shorts(SUBJECT, f"ID project label group src {_PI}"),
    *_shorts(
        SUBJECT,
        "dob yob age gender handedness ses education educationDesc race ethnicity weight height "
        "gestational_age post_menstrual_age birth_weight",
        "demographics/",
    ),
    *_computed(SUBJECT, _STAMPS),
]
_EXPERIMENTS = [
    *_shorts(EXPERIMENT, f"ID project label date time note visit_id visit protocol {_PI} {_VALIDATION}"),
    *_shorts(SUBJECT_ASSESSOR, "subject_ID"),
    *_shorts(
        SESSION,
        "scanner operator dcmAccessionNumber dcmPatientId dcmPatientName session_type modality UID "
        "studyInstanceUID=UID",
    ),
    *_shorts(MR_SESSION, "coil fieldStrength marker stabilization"),
    *_shorts(
        PET_SESSION,
        "studyType patientID patientName scan_start_time=start_time_scan "
        f"injection_start_time=start_time_injection {_TRACER}",
    ),
    *_shorts(IMAGE_ASSESSOR, "session_ID=imageSession_ID"),
    *_computed(EXPERIMENT, f"{_STAMPS} xsiType subject_label subject_project"),
    *_computed(IMAGE_ASSESSOR, "session_label session_project"),
]
_SCANS = [
    *_shorts(
        SCAN,
        "ID type UID note quality condition series_description documentation scanner modality frames "
        f"scanTime=startTime {_VALIDATION}",
    ),
    *_shorts(MR_SCAN, "coil fieldStrength marker stabilization"),
    *_computed(SCAN, f"xnat_imagescandata_id {_STAMPS} xsiType"),
]
_RECONSTRUCTIONS = [
    *_shorts(RECONSTRUCTION, "ID type baseScanType"),
    *_computed(RECONSTRUCTION, f"xnat_reconstructedimagedata_id {_STAMPS} xsiType"),
]

_BY_LEVEL: Mapping[ListLevel, list[Short]] = {
    "projects": _PROJECTS,
    "subjects": _SUBJECTS,
    "experiments": _EXPERIMENTS,
    "assessors": _EXPERIMENTS,
    "scans": _SCANS,
    "reconstructions": _RECONSTRUCTIONS,
}
SHORT_NAMES: Mapping[ListLevel, Mapping[str, Short]] = {
    level: {short.name.lower(): short for short in shorts} for level, shorts in _BY_LEVEL.items()
}

LEVEL_TYPES: Mapping[ListLevel, str] = {
    "projects": PROJECT,
    "subjects": SUBJECT,
    "experiments": EXPERIMENT,
    "assessors": EXPERIMENT,
    "scans": SCAN,
    "reconstructions": RECONSTRUCTION,
}
DEFAULT_COLUMNS: Mapping[ListLevel, tuple[str, ...]] = {
    "projects": ("ID", "secondary_ID", "name", "description", "pi_firstname", "pi_lastname"),
    "subjects": ("ID", "project", "label", "insert_date", "insert_user"),
    "experiments": ("ID", "project", "date", "xsiType", "label", "insert_date"),
    "assessors": (
        "ID",
        "project",
        "label",
        "date",
        "xsiType",
        "insert_date",
        "session_ID",
        "session_label",
    ),
    "scans": ("xnat_imagescandata_id", "ID", "type", "quality", "xsiType", "note", "series_description"),
    "reconstructions": ("xnat_reconstructedimagedata_id", "ID", "type", "baseScanType"),
}

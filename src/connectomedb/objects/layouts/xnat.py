"""XNAT's own archive on disk: `<project>/arc001/<session>/SCANS/<scan>/<resource>/…`.

Keys name sessions, not subjects: `KeyFacts.session` is the label, and the archive knows whose it is.

Source  domain/hcp.md 4.7; protocol/rest.md, resources
"""

from __future__ import annotations

from connectomedb.objects.layouts.model import Rule, RuledLayout

XNAT = RuledLayout(
    "xnat",
    "{project}/{arc}/{session}/",
    (
        Rule("SCANS/{scan}/{resource}/**", "{resource}", "{scan}"),
        Rule("RESOURCES/{resource}/**", "{resource}"),
        Rule("ASSESSORS/{assessor}/{direction}/{resource}/**", "{resource}"),
        Rule("**"),
    ),
    {
        "project": r"[^/]+",
        "arc": r"arc[0-9]{3,}",
        "session": r"[^/]+",
        "scan": r"[^/]+",
        "resource": r"[^/]+",
        "assessor": r"[^/]+",
        "direction": ("IN", "OUT"),
    },
    session="{session}",
    kinds=(
        (r"_catalog\.xml$", "catalog"),
        (r"\.(dcm|ima)$", "dicom"),
        (r"\.nii(\.gz)?$", "volume"),
        (r"\.json$", "sidecar"),
        (r"\.xml$", "document"),
    ),
)

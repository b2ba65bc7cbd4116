"""Many values of many experiments with one request: `interface.array`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from connectomedb.client.core import Core
from connectomedb.errors import QueryError

if TYPE_CHECKING:
    from connectomedb.tables.jsontable import JsonTable

SESSION = "xnat:imageSessionData"


class ArrayData:
    """Tables over the whole site, narrowed by project, subject, experiment and further constraints."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def experiments(
        self,
        project_id: str | None = None,
        subject_id: str | None = None,
        subject_label: str | None = None,
        experiment_id: str | None = None,
        experiment_label: str | None = None,
        experiment_type: str = "xnat:subjectAssessorData",
        columns: Sequence[str] | None = None,
        constraints: Mapping[str, object] | None = None,
    ) -> JsonTable:
        """The experiments of a type, a row each; `columns` are paths, `constraints` paths with values."""
        narrowed = {
            "project": project_id,
            f"{experiment_type}/subject_id": subject_id,
            "xnat:subjectData/label": subject_label,
            f"{experiment_type}/ID": experiment_id,
            f"{experiment_type}/label": experiment_label,
        }
        wanted = ("ID", "project", f"{experiment_type}/subject_id", *(columns or ()))
        return self._table(experiment_type, wanted, narrowed, constraints)

    def mrsessions(self, *args: Any, **kwargs: Any) -> JsonTable:
        """`experiments` of the type xnat:mrSessionData."""
        return self.experiments(*args, **{**kwargs, "experiment_type": "xnat:mrSessionData"})

    def scans(
        self,
        project_id: str | None = None,
        subject_id: str | None = None,
        subject_label: str | None = None,
        experiment_id: str | None = None,
        experiment_label: str | None = None,
        experiment_type: str = SESSION,
        scan_type: str = "xnat:imageScanData",
        columns: Sequence[str] | None = None,
        constraints: Mapping[str, object] | None = None,
    ) -> JsonTable:
        """The scans of a type, a row each."""
        narrowed = {
            "project": project_id,
            f"{experiment_type}/subject_id": subject_id,
            "xnat:subjectData/label": subject_label,
            f"{experiment_type}/ID": experiment_id,
            f"{experiment_type}/label": experiment_label,
        }
        scan_id = f"{scan_type}/ID"
        wanted = ("ID", "project", f"{experiment_type}/subject_id", scan_id, *(columns or ()))
        table = self._table(experiment_type, wanted, narrowed, constraints)
        key = next((key for key in table.headers() if key.lower() == scan_id.lower()), "")
        if not key:
            raise QueryError(f"the server does not list scans by {scan_id}")
        return table.where_not(**{key: ""})  # a session without such a scan stands there with an empty id

    def mrscans(self, *args: Any, **kwargs: Any) -> JsonTable:
        """`scans` of MR sessions."""
        kinds = {"experiment_type": "xnat:mrSessionData", "scan_type": "xnat:mrScanData"}
        return self.scans(*args, **{**kwargs, **kinds})

    def search_experiments(
        self,
        project_id: str | None = None,
        subject_id: str | None = None,
        subject_label: str | None = None,
        experiment_type: str = "xnat:subjectAssessorData",
        columns: Sequence[str] | None = None,
        constraints: Mapping[str, object] | None = None,
    ) -> JsonTable:
        """`experiments`, for those who do not look for one by its name."""
        return self.experiments(
            project_id,
            subject_id,
            subject_label,
            experiment_type=experiment_type,
            columns=columns,
            constraints=constraints,
        )

    def _table(
        self,
        experiment_type: str,
        columns: Sequence[str],
        narrowed: Mapping[str, str | None],
        constraints: Mapping[str, object] | None,
    ) -> JsonTable:
        from connectomedb.tables.jsontable import JsonTable

        asked = {name: value for name, value in narrowed.items() if value is not None}
        asked |= {name: str(value) for name, value in (constraints or {}).items()}
        return JsonTable(self._core.listing("/data/experiments", columns, xsiType=experiment_type, **asked))

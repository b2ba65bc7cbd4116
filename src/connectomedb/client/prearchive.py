"""What waits in the prearchive of an XNAT: `interface.manage.prearchive`. It is read, never changed."""

from __future__ import annotations

from collections.abc import Sequence

from connectomedb.client.core import Core
from connectomedb.errors import NotFound
from connectomedb.tables.result import ResultTable
from connectomedb.vocabulary.uris import join_uri

Triple = tuple[str, str, str]
_PROJECTS = "/data/prearchive/projects"


class PreArchive:
    """Sessions by (project, timestamp, folder)."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def get(self) -> list[Triple]:
        """All sessions that wait."""
        table = self._core.table(_PROJECTS)
        return [
            (str(row["project"]), str(row["timestamp"]), str(row["folderName"])) for row in table.as_dicts()
        ]

    def status(self, triple: Sequence[str]) -> str:
        """What is done with a session. Raises NotFound."""
        return self._of(triple, "status")

    def get_uri(self, triple: Sequence[str]) -> str:
        """The address of a session. Raises NotFound."""
        return self._of(triple, "url")

    def get_scans(self, triple: Sequence[str]) -> list[str]:
        """IDs of its scans."""
        return _column(self._core.table(join_uri(_PROJECTS, *triple, "scans")), "ID")

    def get_resources(self, triple: Sequence[str], scan_id: str) -> list[str]:
        """Labels of the resources of a scan."""
        return _column(self._core.table(join_uri(_PROJECTS, *triple, "scans", scan_id, "resources")), "label")

    def get_files(self, triple: Sequence[str], scan_id: str, resource_id: str) -> list[str]:
        """Names of the files of a resource."""
        path = join_uri(_PROJECTS, *triple, "scans", scan_id, "resources", resource_id, "files")
        return _column(self._core.table(path), "Name")

    def _of(self, triple: Sequence[str], column: str) -> str:
        for row in self._core.table(_PROJECTS).as_dicts():
            if (row["project"], row["timestamp"], row["folderName"]) == tuple(triple):
                return str(row[column] or "")
        raise NotFound(f"nothing waits in the prearchive as {tuple(triple)!r}")


def _column(table: ResultTable, key: str) -> list[str]:
    return [str(cell) for cell in table.column(key)]

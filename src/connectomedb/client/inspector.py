"""What the server knows: data types, their fields, and the values that are there."""

from __future__ import annotations

from fnmatch import fnmatchcase

from connectomedb.client.core import Core, asked_columns
from connectomedb.client.manage import field_ref
from connectomedb.errors import ServerFault
from connectomedb.search.query import SearchField, SearchQuery
from connectomedb.vocabulary.hierarchy import BELOW, Level
from connectomedb.vocabulary.uris import join_uri


class Inspector:
    """`interface.inspect`: nothing is guessed, every answer is the server's."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def __call__(self) -> list[str]:
        """The searchable data types."""
        return self.datatypes()

    def datatypes(self, pattern: str = "*", fields_pattern: str | None = None) -> list[str]:
        """Searchable data types that match; with `fields_pattern` their fields, `nt:scores/NEO_NEOFAC_A`."""
        types = [
            name
            for name in self._names("/data/search/elements", "ELEMENT_NAME")
            if fnmatchcase(name, pattern)
        ]
        if fields_pattern is None:
            return types
        found: list[str] = []
        for name in types:
            for field in self._names(f"/data/search/elements/{name}", "FIELD_ID"):
                whole = f"{name}/{field}"
                if fnmatchcase(field, fields_pattern) or fnmatchcase(whole, fields_pattern):
                    found.append(whole)
        return found

    def schemas(self) -> list[str]:
        """Names of the schemas that the server has."""
        found = self._core.json("/xapi/schemas")
        return [str(name) for name in found] if isinstance(found, list) else []

    def field_values(self, field_name: str) -> list[str]:
        """The values that a search field has, each once, in order: `field_values('nt:scores/AGE')`."""
        ref = field_ref(field_name, "")
        field = SearchField(ref, header=field_name)
        table = self._core.search(SearchQuery(ref.element_name, (field,)))
        return sorted(
            {str(cell) for cell in table.column(asked_columns(table, (field,))[0]) if cell is not None}
        )

    def experiment_types(self) -> list[str]:
        """The types of the experiments that are there."""
        return self._types("/data/experiments")

    def assessor_types(self) -> list[str]:
        """The types of the assessors that are there."""
        return self._types("/data/experiments", xsiType="xnat:imageAssessorData")

    def scan_types(self) -> list[str]:
        """The types of the scans that are there."""
        return self._inside("xnat:imageSessionData", "xnat:imageScanData", "type")

    def reconstruction_types(self) -> list[str]:
        """The types of the reconstructions that are there."""
        return self._inside("xnat:imageSessionData", "xnat:reconstructedImageData", "type")

    def project_values(self) -> list[str]:
        """Ids of the projects."""
        return self._ids("/data/projects")

    def subject_values(self, project: str | None = None) -> list[str]:
        """Ids of the subjects, of one project or of all."""
        return self._ids(join_uri("/data/projects", project, "subjects") if project else "/data/subjects")

    def experiment_values(self, datatype: str, project: str | None = None) -> list[str]:
        """Ids of the experiments of a data type."""
        return self._ids(self._experiments(project), xsiType=datatype)

    def scan_values(self, experiment_type: str, project: str | None = None) -> list[str]:
        """The ids that scans of such sessions have, each once."""
        return self._inside(experiment_type, "xnat:imageScanData", "ID", project)

    def assessor_values(self, experiment_type: str, project: str | None = None) -> list[str]:
        """The ids of the assessors of such sessions."""
        column = f"{experiment_type}/assessors/assessor/ID"
        return self._column(self._experiments(project), column, xsiType=experiment_type)

    def reconstruction_values(self, experiment_type: str, project: str | None = None) -> list[str]:
        """The ids that reconstructions of such sessions have, each once."""
        return self._inside(experiment_type, "xnat:reconstructedImageData", "ID", project)

    def structure(self) -> str:
        """The levels and what stands below each, as a text."""
        lines: list[str] = []

        def draw(level: Level | None, depth: int) -> None:
            below = BELOW[level]
            for one in below if level is not None else ("projects",):
                lines.append("    " * depth + f"- {one}")
                draw(one, depth + 1)

        draw(None, 0)
        return "\n".join(lines)

    def _experiments(self, project: str | None) -> str:
        return join_uri("/data/projects", project, "experiments") if project else "/data/experiments"

    def _ids(self, path: str, **filters: str) -> list[str]:
        return [str(cell) for cell in self._core.listing(path, ("ID",), **filters).column("ID")]

    def _types(self, path: str, **filters: str) -> list[str]:
        return self._column(path, "xsiType", **filters)

    def _inside(self, experiment_type: str, part: str, leaf: str, project: str | None = None) -> list[str]:
        return self._column(self._experiments(project), f"{part}/{leaf}", xsiType=experiment_type)

    def _column(self, path: str, column: str, **filters: str) -> list[str]:
        """The values of one column, each once, in order."""
        table = self._core.listing(path, ("ID", column), **filters)
        key = next((key for key in table.keys if key.lower() == column.lower()), "")
        if not key:
            raise ServerFault(f"{path} came without the column {column}")
        return sorted({str(cell) for cell in table.column(key) if cell not in (None, "")})

    def _names(self, path: str, column: str) -> list[str]:
        table = self._core.table(path)
        if column not in table.keys:
            raise ServerFault(f"{path} came without the column {column}")
        return [str(cell) for cell in table.column(column) if cell and "=" not in str(cell)]

"""Handles of the hierarchy: projects, subjects, experiments and what a session holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import ClassVar

from connectomedb.client.elements import Collection, Element, listed
from connectomedb.client.provenance import Provenance
from connectomedb.client.resources import InResource, OutResource, Resource
from connectomedb.errors import NoSuchExperiment, NoSuchProject, NoSuchSubject, NotFound, QueryError
from connectomedb.vocabulary.hierarchy import Level
from connectomedb.vocabulary.uris import join_uri

_ROLES = {"owner": "Owners", "member": "Members", "collaborator": "Collaborators"}


class HasResources(Element):
    """What holds resources of its own."""

    def resources(self, pattern: str = "*") -> Collection[Resource]:
        """All its resources, or those whose number or label matches."""
        return listed(self._core, Resource, self, pattern)

    def resource(self, name: str) -> Resource:
        """One resource by label or number."""
        return Resource(self._core, self, str(name))


class HasInAndOut(Element):
    """What was made from some files and holds others."""

    def in_resources(self, pattern: str = "*") -> Collection[InResource]:
        """The resources it was made from."""
        return listed(self._core, InResource, self, pattern)

    def in_resource(self, name: str) -> InResource:
        """One resource it was made from."""
        return InResource(self._core, self, str(name))

    def out_resources(self, pattern: str = "*") -> Collection[OutResource]:
        """The resources that were made."""
        return listed(self._core, OutResource, self, pattern)

    def out_resource(self, name: str) -> OutResource:
        """One resource that was made."""
        return OutResource(self._core, self, str(name))

    @property
    def provenance(self) -> Provenance:
        """How it was made, step by step."""
        return Provenance(self)


class Shared(Element):
    """What can be shared into further projects."""

    def shares(self, pattern: str = "*") -> Collection[Project]:
        """The projects that see it, its owner first."""
        uri = join_uri(self.uri, "projects")

        def walk() -> Iterator[Project]:
            for row in self._core.listing(uri, ("ID",)).as_dicts():
                if fnmatchcase(str(row["ID"]), pattern):
                    yield Project(self._core, None, str(row["ID"]))

        return Collection(self._core, Project, walk)

    def share(self, project: str, label: str | None = None, primary: bool = False) -> None:
        """Let a project see it, under `label` there; `primary` gives it to that project."""
        said = {"label": label} if label else {}
        self._core.send(
            "PUT",
            join_uri(self.uri, "projects", project),
            {**said, **({"primary": "true"} if primary else {})},
        )

    def unshare(self, project: str) -> None:
        """Take it out of a project that it is shared into."""
        self._core.send("DELETE", join_uri(self.uri, "projects", project))


class HasExperiments(HasResources):
    """What experiments stand below."""

    def experiments(self, pattern: str = "*") -> Collection[Experiment]:
        """All its experiments, or those whose id or label matches."""
        return listed(self._core, Experiment, self, pattern)

    def experiment(self, name: str) -> Experiment:
        """One experiment by id or label."""
        return Experiment(self._core, self, str(name))


class Project(HasExperiments):
    """A project, with its subjects, experiments, resources and people."""

    level: ClassVar[Level] = "projects"
    columns: ClassVar[tuple[str, ...]] = ("ID", "name")
    label_column: ClassVar[str] = "ID"
    default_type: ClassVar[str] = "xnat:projectData"
    no_such: ClassVar[type[NotFound]] = NoSuchProject

    def subjects(self, pattern: str = "*") -> Collection[Subject]:
        """All its subjects, or those whose id or label matches."""
        return listed(self._core, Subject, self, pattern)

    def subject(self, name: str) -> Subject:
        """One subject by id or label."""
        return Subject(self._core, self, str(name))

    def datatype(self) -> str:
        """`xnat:projectData`."""
        return self.default_type

    def description(self) -> str:
        """What the project says of itself."""
        return self._of_listing("description")

    def aliases(self) -> list[str]:
        """Its other names."""
        return [name.strip() for name in self._of_listing("alias").split(",") if name.strip()]

    def last_modified(self) -> dict[str, str]:
        """When each of its subjects was changed last, by the subject's id."""
        table = self._core.listing(join_uri(self.uri, "subjects"), ("ID", "last_modified"))
        return {str(row["ID"]): str(row["last_modified"] or "") for row in table.as_dicts()}

    # Settings

    def accessibility(self) -> str:
        """public, protected or private."""
        return self._setting("accessibility")

    def set_accessibility(self, accessibility: str = "protected") -> None:
        """Who may see it: public, protected or private."""
        self._set("accessibility", accessibility)

    def prearchive_code(self) -> int:
        """What becomes of arriving sessions."""
        return int(self._setting("prearchive_code"))

    def set_prearchive_code(self, code: int) -> None:
        """Say what becomes of arriving sessions."""
        self._set("prearchive_code", str(code))

    def quarantine_code(self) -> int:
        """Whether new data are put into quarantine."""
        return int(self._setting("quarantine_code"))

    def set_quarantine_code(self, code: int) -> None:
        """Say whether new data are put into quarantine."""
        self._set("quarantine_code", str(code))

    def current_arc(self) -> str:
        """The folder of the archive that new sessions go to."""
        return self._setting("current_arc")

    def set_subfolder_in_current_arc(self, subfolder: str) -> None:
        """Let new sessions go into a folder below that."""
        self._set("current_arc", self.current_arc(), subfolder)

    # People

    def users(self) -> list[str]:
        """Logins of all people of the project."""
        return [row["login"] for row in self._people()]

    def owners(self) -> list[str]:
        """Logins of its owners."""
        return self._in_group("Owners")

    def members(self) -> list[str]:
        """Logins of its members."""
        return self._in_group("Members")

    def collaborators(self) -> list[str]:
        """Logins of its collaborators."""
        return self._in_group("Collaborators")

    def user_role(self, login: str) -> str:
        """owner, member or collaborator. Raises NotFound for a login that has no part in the project."""
        for row in self._people():
            if row["login"] == login:
                return next(
                    (r for r, group in _ROLES.items() if group == row["displayname"]), row["displayname"]
                )
        raise NotFound(f"{login!r} has no part in the project {self._name!r}")

    def add_user(self, login: str, role: str = "member") -> None:
        """Give a person a part in the project: owner, member or collaborator."""
        if role not in _ROLES:
            raise QueryError(f"the role {role!r} is none; there are: {', '.join(_ROLES)}")
        self._core.send("PUT", join_uri(self.uri, "users", _ROLES[role], login))

    def remove_user(self, login: str) -> None:
        """Take a person out of the project. Raises NotFound for one who has no part in it."""
        self._core.send("DELETE", join_uri(self.uri, "users", _ROLES[self.user_role(login)], login))

    # Custom variables

    def get_custom_variables(self) -> dict[str, dict[str, dict[str, str]]]:
        """The custom variables by kind of thing, set and name; see `add_custom_variables`."""
        found: dict[str, dict[str, dict[str, str]]] = {}
        for protocol in self.xpath("//xnat:studyProtocol"):
            groups = found.setdefault(protocol.get("name", ""), {})
            for group in protocol.iterfind(".//{*}definition"):
                fields = groups.setdefault(group.get("ID", ""), {})
                for one in group.iterfind(".//{*}field"):
                    fields[one.get("name", "")] = one.get("datatype", "")
        return found

    def add_custom_variables(
        self,
        custom_variables: Mapping[str, Mapping[str, Mapping[str, str]]],
        allow_data_deletion: bool = False,
    ) -> None:
        """Define custom variables: `{'Subjects': {'mine': {'score': 'float'}}}`."""
        from connectomedb.client.variables import print_protocols

        document = print_protocols(self._name, custom_variables)
        asked = {"allowDataDeletion": "true" if allow_data_deletion else "false"}
        self._core.send("PUT", self.uri, asked, document, headers={"Content-Type": "text/xml"})
        self.refresh()

    def _of_listing(self, column: str) -> str:
        for row in self._core.listing(self._collection_uri, ("ID", column)).as_dicts():
            if str(row["ID"]) == self._name:
                return str(row.get(column) or "")
        raise self.no_such(f"no project {self._name!r}")

    def _setting(self, name: str) -> str:
        return self._core.text(join_uri(self.uri, name))

    def _set(self, name: str, *values: str) -> None:
        self._core.send("PUT", join_uri(self.uri, name, *values))

    def _people(self) -> list[dict[str, str]]:
        table = self._core.table(join_uri(self.uri, "users"))
        return [
            {key: "" if cell is None else str(cell) for key, cell in row.items()} for row in table.as_dicts()
        ]

    def _in_group(self, group: str) -> list[str]:
        return [row["login"] for row in self._people() if row["displayname"] == group]


class Subject(HasExperiments, Shared):
    """A subject, with its experiments and resources."""

    level: ClassVar[Level] = "subjects"
    columns: ClassVar[tuple[str, ...]] = ("ID", "label", "project")
    default_type: ClassVar[str] = "xnat:subjectData"
    no_such: ClassVar[type[NotFound]] = NoSuchSubject

    def datatype(self) -> str:
        """`xnat:subjectData`."""
        return self.default_type


class Experiment(HasResources, Shared):
    """An experiment: a session, a table of scores, bookkeeping."""

    level: ClassVar[Level] = "experiments"
    columns: ClassVar[tuple[str, ...]] = ("ID", "label", "xsiType", "project", "date", "subject_ID")
    default_type: ClassVar[str] = "xnat:mrSessionData"
    no_such: ClassVar[type[NotFound]] = NoSuchExperiment

    def scans(self, pattern: str = "*") -> Collection[Scan]:
        """The scans of a session."""
        return listed(self._core, Scan, self, pattern)

    def scan(self, name: str) -> Scan:
        """One scan by its ID."""
        return Scan(self._core, self, str(name))

    def assessors(self, pattern: str = "*") -> Collection[Assessor]:
        """What was derived from a session."""
        return listed(self._core, Assessor, self, pattern)

    def assessor(self, name: str) -> Assessor:
        """One assessor by id or label."""
        return Assessor(self._core, self, str(name))

    def reconstructions(self, pattern: str = "*") -> Collection[Reconstruction]:
        """The reconstructions of a session."""
        return listed(self._core, Reconstruction, self, pattern)

    def reconstruction(self, name: str) -> Reconstruction:
        """One reconstruction by its ID."""
        return Reconstruction(self._core, self, str(name))

    def trigger(self, pipelines: bool = True, fix_types: bool = True, scan_headers: bool = True) -> None:
        """Ask the server to look at the session again: its pipelines, types and headers of its scans."""
        asked = {
            "triggerPipelines": pipelines,
            "fixScanTypes": fix_types,
            "pullDataFromHeaders": scan_headers,
        }
        self._core.send("PUT", self.uri, {name: "true" for name, wanted in asked.items() if wanted})

    def trigger_pipelines(self) -> None:
        """Ask for the pipelines that start by themselves."""
        self.trigger(True, False, False)

    def fix_scan_types(self) -> None:
        """Ask for types of the scans to be made alike."""
        self.trigger(False, True, False)

    def pull_data_from_headers(self) -> None:
        """Ask for values to be read from the headers of images."""
        self.trigger(False, False, True)


class HasParameters(Element):
    """What holds parameters by name."""

    def params(self) -> list[str]:
        """Names of its parameters."""
        return [str(name) for name in self.xpath("//xnat:addParam/@name")]

    def get_param(self, key: str) -> str | None:
        """A parameter's value; None where it has none."""
        return self.get_params().get(key)

    def get_params(self) -> dict[str, str]:
        """All its parameters."""
        found = self.xpath("//xnat:addParam")
        return {one.get("name", ""): "".join(one.itertext()).strip() for one in found}

    def set_param(self, key: str, value: object) -> None:
        """Give a parameter a value."""
        self.attrs.set(f"{self.datatype()}/parameters/addParam[name={key}]/addField", value)


class Scan(HasResources, HasParameters):
    """One scan of a session."""

    level: ClassVar[Level] = "scans"
    columns: ClassVar[tuple[str, ...]] = ("ID", "xsiType", "type")
    label_column: ClassVar[str] = "ID"
    default_type: ClassVar[str] = "xnat:mrScanData"


class Assessor(HasResources, HasInAndOut, HasParameters):
    """Something that was derived from a session."""

    level: ClassVar[Level] = "assessors"
    columns: ClassVar[tuple[str, ...]] = ("ID", "label", "xsiType")
    default_type: ClassVar[str] = "xnat:mrAssessorData"
    no_such: ClassVar[type[NotFound]] = NoSuchExperiment


class Reconstruction(HasInAndOut):
    """A reconstruction of a session's images."""

    level: ClassVar[Level] = "reconstructions"
    columns: ClassVar[tuple[str, ...]] = ("ID", "label", "xsiType")
    label_column: ClassVar[str] = "label"
    default_type: ClassVar[str] = "xnat:reconstructedImageData"

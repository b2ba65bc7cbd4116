"""Our own face: `connect(server)`, then questions in words and answers in typed tables and files."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from connectomedb.client.core import Core, Offer, asked_columns
from connectomedb.client.transport import Transport
from connectomedb.client.warnings import ServerLacks
from connectomedb.errors import ConfigurationError, QueryError, ServerFault
from connectomedb.search.query import CriteriaSet, FieldRef, SearchField, SearchQuery, SortBy
from connectomedb.tables.result import Column, ResultTable
from connectomedb.vocabulary.uris import join_uri

if TYPE_CHECKING:
    from connectomedb.cohort_lock import CohortLock
    from connectomedb.objects.plan import TransferPlan
    from connectomedb.objects.report import Progress, TransferReport
    from connectomedb.objects.select import Selection

LABEL_KEY = "subject_label"


def connect(
    server: str, user: str | None = None, password: str | None = None, *, transport: Transport | None = None
) -> Server:
    """A connection to `server`; without user and password they are looked up, see `client.login`."""
    return Server(Core(server, user, password, transport=transport))


@dataclass(frozen=True, slots=True)
class Cohort:
    """The subjects that meet a question: their labels in the project and their ids, in the same order."""

    labels: tuple[str, ...]
    ids: tuple[str, ...]
    question: str = ""

    def __len__(self) -> int:
        return len(self.labels)


Who = Cohort | ResultTable | Sequence[str] | str


class Server:
    """One server as one user sees it."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def __repr__(self) -> str:
        return f"<Server {self._core.server} as {self._core.login.user}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.disconnect()

    def disconnect(self) -> None:
        """End the login session and close the connection."""
        self._core.close()

    def offer(self) -> Offer:
        """What the server offers beyond XNAT."""
        return self._core.offer()

    def projects(self) -> ResultTable:
        """The projects this user may see."""
        return self._core.listing("/data/projects", ("ID", "name", "description"))

    def data_types(self) -> tuple[str, ...]:
        """The data types that can be searched, `nt:scores` among them."""
        from connectomedb.tables.formats import read_csv

        answer = self._core.send("GET", "/data/search/elements", {"format": "csv"})
        return tuple(str(name) for name in read_csv(answer.body).column("ELEMENT_NAME"))

    def project(self, project_id: str) -> Project:
        """One project; it is asked for when the first question is."""
        return Project(self._core, project_id)


class Project:
    """A project: questions over its subjects, and their files."""

    def __init__(self, core: Core, project_id: str) -> None:
        self._core = core
        self.id = project_id

    def __repr__(self) -> str:
        return f"<Project {self.id} at {self._core.server}>"

    def subjects(self) -> ResultTable:
        """Ids and labels of all its subjects, in one request."""
        uri = join_uri("/data/projects", self.id, "subjects")
        return self._core.listing(uri, ("ID", "label")).select(("ID", "label"))

    def search(
        self, expression: str = "", columns: Iterable[str] = (), data_type: str = "nt:scores"
    ) -> ResultTable:
        """A typed table of the rows that meet `expression`, the subject's label first."""
        query = self._query(expression, columns, data_type)
        answer = self._core.search(query)
        table = answer.select(asked_columns(answer, query.fields))
        return replace(table, columns=(replace(table.columns[0], key=LABEL_KEY), *table.columns[1:]))

    def cohort(self, expression: str = "", data_type: str = "nt:scores") -> Cohort:
        """The subjects that meet `expression`, each once."""
        table = self.search(expression, ("SUBJECT_ID",), data_type)
        pairs = dict.fromkeys((str(row[0]), str(row[1])) for row in table.rows)
        return Cohort(tuple(p[0] for p in pairs), tuple(p[1] for p in pairs), expression)

    def explain(self, expression: str = "", columns: Iterable[str] = (), data_type: str = "nt:scores") -> str:
        """What the question means, in one sentence, and how the server answers it."""
        from connectomedb.search.search_xml import print_search

        document = print_search(self._query(expression, columns, data_type))
        if "explain" not in self._core.offer().features:
            self._lacking("explain", "the question is shown as the search document that would be sent")
            return document.decode("utf-8")
        answer = self._core.send("POST", "/xapi/connectomedb/explain", body=document)
        try:
            facts = json.loads(answer.body)
            return f"{facts['sentence']}\n{facts['sql']}"
        except (ValueError, KeyError, TypeError) as problem:
            raise ServerFault("the explanation cannot be read", url=self._core.server) from problem

    def facet(
        self,
        field: str,
        expression: str = "",
        *,
        kind: str = "values",
        bins: int | Sequence[float] = 10,
        against: str = "",
        data_type: str = "nt:scores",
    ) -> ResultTable:
        """How a field is spread over the rows that meet `expression`, counted by the server.

        `kind` is values, histogram (with a number of `bins`, or their edges), missing, or cross (with
        `against`, the second field).
        """
        from connectomedb.search.search_xml import print_search
        from connectomedb.tables.formats import read_result_set

        if "facets" not in self._core.offer().features:
            raise ConfigurationError(f"{self._core.server} counts no facets; ask a connectomedb server")
        edges = str(bins) if isinstance(bins, int) else ",".join(repr(float(edge)) for edge in bins)
        asked = {"field": field, "kind": kind, "bins": edges, "against": against, "format": "json"}
        document = print_search(self._query(expression, (), data_type))
        answer = self._core.send("POST", "/xapi/connectomedb/facets", asked, document)
        return read_result_set(answer.body)

    def files(self, who: Who, *, package: str = "", run: str = "", kind: str = "") -> ResultTable:
        """The files that the mirror holds for these subjects (labels, a cohort or a table).

        Raises   QueryError for a package, run or kind of which the mirror holds no file at all
        Cost     one request; when there is no such file, one more to see whether the name is known
        """
        from connectomedb import bridge

        if "files" not in self._core.offer().features:
            raise ConfigurationError(
                f"{self._core.server} keeps no table of files; it is a plain XNAT, ask a connectomedb server"
            )
        labels = labels_of(who)
        if not labels:
            return ResultTable(
                tuple(Column(name.lower()) for name in bridge.FILE_COLUMNS), root=bridge.FILE_TYPE
            )
        table = self._core.search(bridge.files_query(labels, package=package, run=run, kind=kind))
        if not table.rows:
            for field, value in (("PACKAGE", package), ("RUN", run), ("KIND", kind)):
                if value:
                    self._check_known(field, value)
        return table

    def plan(
        self,
        who: Who,
        folder: Path | str,
        *,
        package: str = "",
        run: str = "",
        kind: str = "",
        selection: Selection | None = None,
        layout: str = "",
        cache: Path | str = "",
    ) -> TransferPlan:
        """What fetching these subjects' files into `folder` would do; nothing is fetched.

        `selection` narrows the files by pattern, package and size; `layout` is a template of target paths;
        `cache` a folder of files by digest, from which is taken what it holds.
        """
        from connectomedb import bridge

        table = self.files(who, package=package, run=run, kind=kind)
        return bridge.plan_from_table(
            table,
            Path(folder),
            subjects_wanted=labels_of(who),
            selection=selection,
            layout=layout,
            cache=cache,
        )

    def lock(
        self,
        expression: str = "",
        *,
        data_type: str = "nt:scores",
        package: str = "",
        run: str = "",
        kind: str = "",
    ) -> CohortLock:
        """Who meets `expression` now and which objects are theirs, frozen; see `cohort_lock`.

        Cost     three requests
        """
        from connectomedb import bridge, cohort_lock
        from connectomedb.search.search_xml import print_search

        cohort = self.cohort(expression, data_type)
        table = self.files(cohort, package=package, run=run, kind=kind)
        offer = self._core.offer()
        asked = cohort_lock.CohortLock(
            server=self._core.server,
            server_version=offer.version,
            project=self.id,
            data_type=data_type,
            question=expression,
            document=print_search(self._query(expression, ("SUBJECT_ID",), data_type)).decode("utf-8"),
            package=package,
            run=run,
            kind=kind,
            synthetic=offer.synthetic,
            location=bridge.location_of(table) or offer.mirror,
            subjects=tuple(zip(cohort.labels, cohort.ids, strict=True)),
        )
        return cohort_lock.make_lock(asked, bridge.file_rows(table))

    def download(
        self,
        what: TransferPlan | Who,
        folder: Path | str = "",
        *,
        package: str = "",
        run: str = "",
        kind: str = "",
        parallel: int = 8,
        progress: Callable[[Progress], None] | None = None,
        cache: Path | str = "",
    ) -> TransferReport:
        """Fetch and verify a plan, or these subjects' files into `folder`.

        What comes is kept in the folder `cache`, too, for the next cohort.
        """
        from connectomedb.objects.cache import ContentCache
        from connectomedb.objects.plan import TransferPlan
        from connectomedb.objects.transfer import run_plan

        if isinstance(what, TransferPlan):
            plan = what
        elif not str(folder):
            raise ConfigurationError("say where the files go: download(subjects, folder='images')")
        else:
            plan = self.plan(what, folder, package=package, run=run, kind=kind, cache=cache)
        if not plan.location:
            plan = replace(plan, location=self._core.offer().mirror)
        held = ContentCache(cache) if cache else None
        return run_plan(plan, parallel=parallel, progress=progress, cache=held)

    def _check_known(self, field: str, value: str) -> None:
        """An empty answer means that there is none, not that a name was misspelt."""
        from connectomedb import bridge
        from connectomedb.schema.registry import nearest

        table = self._core.search(bridge.values_query(field))
        known = sorted({str(row[0]) for row in table.rows if row[0]})
        if value not in known:
            near = " or ".join(nearest(value, known)) or ", ".join(known) or "nothing"
            raise QueryError(f"no file on the mirror has the {field.lower()} {value!r}; there is {near}")

    def _query(self, expression: str, columns: Iterable[str], data_type: str) -> SearchQuery:
        from connectomedb.search.expression import in_project, parse_expression

        label = FieldRef(data_type, "SUBJECT_LABEL")
        if "labels" not in self._core.offer().features:
            self._lacking("labels in every answer", "they are asked for through xnat:subjectData")
            label = FieldRef("xnat:subjectData", "SUBJECT_LABEL")
        fields = [label]
        for name in [columns] if isinstance(columns, str) else columns:
            head, slash, tail = name.partition("/")
            ref = FieldRef(head, tail) if slash and ":" in head else FieldRef(data_type, name)
            if ref not in fields:
                fields.append(ref)
        conditions: list[CriteriaSet] = [in_project(data_type, self.id)]
        if expression.strip():
            conditions.append(parse_expression(expression, data_type))
        return SearchQuery(
            data_type,
            tuple(SearchField(ref) for ref in fields),
            CriteriaSet("AND", tuple(conditions)),
            SortBy(FieldRef(data_type, "SUBJECT_ID")),
        )

    def _lacking(self, feature: str, instead: str) -> None:
        message = f"{self._core.server} does not offer {feature}; {instead}"
        warnings.warn(message, ServerLacks, stacklevel=4)


def labels_of(who: Who) -> tuple[str, ...]:
    """Subject labels of a cohort, of a table with a label column, or as given; each once, in order."""
    if isinstance(who, Cohort):
        return who.labels
    if isinstance(who, str):
        return (who,)
    if isinstance(who, ResultTable):
        key = next((k for k in (LABEL_KEY, "label") if k in who.keys), LABEL_KEY)
        return tuple(dict.fromkeys(str(cell) for cell in who.column(key)))
    return tuple(dict.fromkeys(who))

"""What both faces stand on: a server's address, a login, and the few questions XNAT answers.

It turns answers into tables and documents and failures into exceptions; it knows no handles.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from connectomedb.client.failures import excerpt, failure_of
from connectomedb.client.login import Login, find_credentials
from connectomedb.client.transport import NetworkTransport, Request, Response, Transport
from connectomedb.errors import ConfigurationError, NotFound, ServerFault
from connectomedb.search.query import SearchField, SearchQuery
from connectomedb.tables.result import ResultTable


@dataclass(frozen=True, slots=True)
class Offer:
    """What the server announces beyond XNAT; a plain XNAT announces nothing."""

    version: str = ""
    features: tuple[str, ...] = ()
    synthetic: bool = False
    mirror: str = ""


class Core:
    """One server as one user sees it."""

    def __init__(
        self,
        server: str,
        user: str | None = None,
        password: str | None = None,
        *,
        transport: Transport | None = None,
    ) -> None:
        parts = urlsplit(server)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigurationError(
                "the server's address must begin with http:// or https:// and name a host"
            )
        if parts.username or parts.password:
            raise ConfigurationError("give user and password as arguments, not inside the server's address")
        self.server = server.rstrip("/")
        self.login = Login(find_credentials(server, user, password))
        self._transport = transport or NetworkTransport()
        self._offer: Offer | None = None

    def send(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        body: bytes = b"",
        accept: str = "*/*",
    ) -> Response:
        """One request under the login; raises what a bad answer means."""
        url = self.server + path
        conversation = self.login.converse(Request(method, url, params or {}, {"Accept": accept}, body))
        request = next(conversation)
        response = self._transport.send(request)
        while True:
            try:
                request = conversation.send(response)
            except StopIteration:
                break  # the conversation returns the response it was last sent
            response = self._transport.send(request)
        trouble = failure_of(response, url=url, renewed=self.login.was_open)
        if trouble is not None:
            raise trouble
        return response

    def listing(self, path: str, columns: Sequence[str], **filters: str) -> ResultTable:
        """A table of a collection, with its columns even when it is empty."""
        from connectomedb.tables.formats import read_csv

        response = self.send("GET", path, {"format": "csv", "columns": ",".join(columns), **filters})
        if not response.body.strip():
            raise ServerFault(f"{path} sent nothing where a table was promised", status=response.status)
        try:
            table = read_csv(response.body)
        except ValueError as error:
            raise self._nonsense(response, path, "CSV") from error
        if "ID" not in table.keys:
            raise self._nonsense(response, path, "a table with ID")
        return table

    def document(self, path: str) -> bytes:
        """The XML of one item."""
        return self.send("GET", path, {"format": "xml"}).body

    def search(self, query: SearchQuery) -> ResultTable:
        """The answer to `query`, typed as the server describes its columns."""
        from connectomedb.search.search_xml import print_search
        from connectomedb.tables.formats import read_result_set

        response = self.send(
            "POST", "/data/search", {"format": "json"}, print_search(query), accept="application/json"
        )
        try:
            return read_result_set(response.body)
        except (ValueError, KeyError, TypeError) as error:
            raise self._nonsense(response, "/data/search", "a result set") from error

    def json(self, path: str, method: str = "GET", body: bytes = b"") -> object:
        """A JSON answer as Python values."""
        response = self.send(method, path, body=body, accept="application/json")
        try:
            value: object = json.loads(response.body)
        except ValueError as error:
            raise self._nonsense(response, path, "JSON") from error
        return value

    def offer(self) -> Offer:
        """What this server offers beyond XNAT; asked once."""
        if self._offer is None:
            try:
                said = self.json("/xapi/connectomedb")
            except NotFound:
                self._offer = Offer()
            else:
                facts = said if isinstance(said, dict) else {}
                self._offer = Offer(
                    str(facts.get("version", "")),
                    tuple(str(f) for f in facts.get("features", ())),
                    bool(facts.get("synthetic", False)),
                    str(facts.get("mirror") or ""),
                )
        return self._offer

    def close(self) -> None:
        """End the login session, if one was opened, and close the connection."""
        try:
            if self.login.was_open:
                self.send("DELETE", "/data/JSESSION")
        finally:
            self.login.forget()
            self.login.was_open = False
            self._transport.close()

    def _nonsense(self, response: Response, path: str, promised: str) -> ServerFault:
        said = excerpt(response)
        return ServerFault(
            f"{self.server}{path} sent something that is not {promised}: {said}",
            status=response.status,
            url=self.server + path,
            excerpt=said,
        )


def asked_columns(table: ResultTable, fields: Sequence[SearchField]) -> list[str]:
    """Keys of the columns that were asked for, in that order and each once.

    XNAT adds link columns, drops unknown names and answers a path with its display field: a column is taken
    by what it says of itself, never by its place.
    Raises   ServerFault naming the columns that did not come
    """
    found = [_column_of(field, table) for field in fields]
    missing = [str(field.ref) for field, key in zip(fields, found, strict=True) if not key]
    if missing:
        raise ServerFault(f"the answer came without the columns {', '.join(missing)}")
    return list(dict.fromkeys(found))


def _column_of(field: SearchField, table: ResultTable) -> str:
    """The key of the column that answers a field; '' when none does."""
    element, name = field.ref.element_name.lower(), field.ref.name.lower()
    own = {c.field_id.lower(): c.key for c in table.columns if c.element_name.lower() == element}
    if name in own:
        return own[name]
    header = field.header or str(field.ref)
    by_header = [c.key for c in table.columns if c.element_name and c.header == header]
    if len(by_header) == 1:
        return by_header[0]
    for key in (name, f"{element.replace(':', '_')}_{name}"):
        if key in table.keys:
            return key
    # A path or dictionary column that the server merged with its display field.
    tail = name.replace("/", "_")
    return next((key for i, key in own.items() if i == tail or i.endswith(f"_{tail}")), "")

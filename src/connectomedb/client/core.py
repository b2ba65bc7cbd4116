"""What both faces stand on: a server's address, a login, and the few questions XNAT answers.

It turns answers into tables and documents and failures into exceptions; it knows no handles.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from connectomedb.client.failures import excerpt, failure_of, is_login_page
from connectomedb.client.login import Credentials, Login, find_credentials
from connectomedb.client.transport import NetworkTransport, Request, Response, Transport
from connectomedb.errors import ConfigurationError, NotFound, ServerFault, Truncated
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
        anonymous: bool = False,
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
        self.login = Login(Credentials() if anonymous else find_credentials(server, user, password))
        self._transport = transport or NetworkTransport()
        self._offer: Offer | None = None

    def send(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        body: bytes | Path = b"",
        accept: str = "*/*",
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """One request under the login; raises what a bad answer means."""
        response = self.exchange(method, path, params, body, {"Accept": accept, **(headers or {})})
        trouble = failure_of(response, url=self.server + path, renewed=self.login.was_open)
        if trouble is not None:
            raise trouble
        return response

    def exchange(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        body: bytes | Path = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """One request under the login; the answer as it came, whatever it says."""
        request = Request(method, self.server + path, params or {}, headers or {}, body)
        return self._converse(request, self._transport.send)

    def fetch(self, path: str, target: Path, params: Mapping[str, str] | None = None) -> Response:
        """Write the body of an answer into a file, which has its name only when it is whole.

        Raises   what a bad answer means; Truncated when the body broke off; nothing is left then
        Memory   one piece
        """
        partial = target.with_name(f".{target.name}.part")
        n_bytes = 0
        try:
            with partial.open("wb") as out:

                def take(piece: bytes) -> None:
                    nonlocal n_bytes
                    n_bytes += len(piece)
                    out.write(piece)

                request = Request("GET", self.server + path, params or {}, {"Accept": "*/*"})
                response = self._converse(request, lambda asked: self._transport.receive(asked, take))
            head = b"" if response.status >= 400 else _head(partial)
            shown = replace(response, body=response.body or head)
            trouble = failure_of(shown, url=self.server + path, renewed=self.login.was_open)
            if trouble is not None and not _is_wanted_page(shown, target):
                raise trouble
            promised = response.headers.get("content-length", "")
            if promised.isdigit() and "content-encoding" not in response.headers and int(promised) != n_bytes:
                raise Truncated(f"{path}: {n_bytes} of {promised} bytes came; try again")
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
        return response

    def _converse(self, request: Request, send: Callable[[Request], Response]) -> Response:
        conversation = self.login.converse(request)
        response = send(next(conversation))
        while True:
            try:
                request = conversation.send(response)
            except StopIteration:
                return response  # the conversation returns the response it was last sent
            response = send(request)

    def listing(self, path: str, columns: Sequence[str], **filters: str) -> ResultTable:
        """A table of a collection, with its columns even when it is empty.

        Raises   ServerFault when it comes without the first of `columns`
        """
        from connectomedb.tables.formats import read_csv

        response = self.send("GET", path, {"format": "csv", "columns": ",".join(columns), **filters})
        if not response.body.strip():
            raise ServerFault(f"{path} sent nothing where a table was promised", status=response.status)
        try:
            table = read_csv(response.body)
        except ValueError as error:
            raise self._nonsense(response, path, "CSV") from error
        if columns[0] not in table.keys:
            raise self._nonsense(response, path, f"a table with {columns[0]}")
        return table

    def table(self, path: str, params: Mapping[str, str] | None = None) -> ResultTable:
        """Any other table that the server gives as CSV. Raises ServerFault when it is none."""
        from connectomedb.tables.formats import read_csv

        response = self.send("GET", path, {**(params or {}), "format": "csv"})
        try:
            return read_csv(response.body)
        except ValueError as error:
            raise self._nonsense(response, path, "CSV") from error

    def text(self, path: str) -> str:
        """An answer that is one word or line."""
        return self.send("GET", path).text.strip()

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


def _head(path: Path) -> bytes:
    with path.open("rb") as source:
        return source.read(2000)


def _is_wanted_page(response: Response, target: Path) -> bool:
    """A web page is what was asked for when the file is called one, and it is no login."""
    return target.suffix.lower() in (".html", ".htm") and not is_login_page(response)


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

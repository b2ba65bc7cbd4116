"""From a request to what a handler needs: the site, who asks, the body, the parameters.

A handler is an ordinary function `(Ask) -> Response`; it runs in a worker thread, so it may use the store.
"""

from __future__ import annotations

import email.message
import email.parser
import email.policy
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import parse_qsl, quote, unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from connectomedb.errors import (
    AuthenticationError,
    BadConstraint,
    BadCredentials,
    ConnectomeDBError,
    NotFound,
    NotWellFormed,
    TooManyAttempts,
)
from connectomedb.server.answers import Answers
from connectomedb.server.audit import note_login
from connectomedb.server.auth import Caller, Gate, need_csrf_token, prefers_html, set_cookies
from connectomedb.server.failures import TooLarge, failure
from connectomedb.store.archive import Archive
from connectomedb.store.site import Site
from connectomedb.vocabulary.records import Principal

LARGEST_BODY_BYTES = 16 * 1024 * 1024

# Query parameters that steer an answer; every other one is a filter.
STEERING = frozenset(
    re.findall(
        r"\w+",
        """
        format columns xsitype sortby sortorder limit offset fields req_format inbody concealhiddenfields
        includehistory includeheaders event_reason event_action event_comment event_type event_id xnat_csrf
        requested_screen handler accessible owner member collaborator recent favorite activesince
        prearc_code permissions restrict data datatype admin users alldataoverride creatabletypes
        """,
    )
)

_CUT_NAME = re.compile(r"((?:[^\[\]=]|\[[^\]]*\])+)=(.*)\Z", re.DOTALL)

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Ask:
    """One request, ready to be answered."""

    request: Request
    site: Site
    gate: Gate
    caller: Caller
    body: bytes = b""

    @property
    def archive(self) -> Archive:
        return self.site.archive

    @property
    def answers(self) -> Answers:
        """Finished answers that may be good still."""
        answers: Answers = self.request.app.state.answers
        return answers

    @property
    def who(self) -> Principal:
        return self.caller.who

    @property
    def site_url(self) -> str:
        """Address of the site as the caller wrote it, without a slash at the end."""
        return str(self.request.base_url).rstrip("/")

    def part(self, name: str) -> str:
        """One piece of the path; '' when the route has none of that name."""
        return str(self.request.path_params.get(name, ""))

    def param(self, name: str) -> str:
        """One query parameter; '' when absent."""
        return self.request.query_params.get(name, "")

    def flag(self, name: str) -> bool:
        """A switch among the query parameters: there, and neither `false` nor `0`."""
        value = self.request.query_params.get(name)
        return value is not None and value.strip().lower() not in ("false", "0")

    def revisions(self, header: str = "if-match") -> tuple[str, ...]:
        """The revisions that `If-Match` or `If-None-Match` names; `*` for any."""
        tags = self.request.headers.get(header, "").split(",")
        bare = (tag.strip().removeprefix("W/").strip('"') for tag in tags)
        return tuple(tag.partition("-")[0] for tag in bare if tag)

    def words(self, name: str) -> tuple[str, ...]:
        """A comma list among the query parameters."""
        values = self.request.query_params.getlist(name)
        return tuple(w.strip() for value in values for w in value.split(",") if w.strip())

    def filters(self) -> dict[str, str]:
        """Query parameters that restrict a listing."""
        return {name: value for name, value in self.pairs() if name.lower() not in STEERING}

    def pairs(self) -> list[tuple[str, str]]:
        """The query parameters in order, their names whole."""
        return whole_names(self.request.query_params.multi_items())

    def number(self, name: str) -> int | None:
        """A count among the query parameters; None when absent or `*`. Raises BadConstraint."""
        text = self.param(name)
        if text in ("", "*"):
            return None
        if not (text.isascii() and text.isdigit() and len(text) < 16):
            raise BadConstraint(f"{name}={text!r} is no count; write a whole number, or * for no limit")
        return int(text)

    def form(self) -> dict[str, str]:
        """Fields of a form body. Raises BadConstraint when it is not UTF-8."""
        try:
            return dict(parse_qsl(self.body.decode(), keep_blank_values=True, max_num_fields=100))
        except ValueError:
            raise BadConstraint("the body is not a form in UTF-8; send username=…&password=…") from None

    def members(self) -> dict[str, object]:
        """Members of a JSON object in the body, or fields of a form. Raises BadConstraint."""
        if not self.body.lstrip().startswith((b"{", b"[")):
            return dict(self.form())
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise BadConstraint('the body is no JSON object; send {"name": value}') from error
        if not isinstance(found, dict):
            raise BadConstraint('the body is no JSON object; send {"name": value}')
        return found

    def document(self) -> bytes:
        """The XML of the body, whatever its content type says. Raises NotWellFormed when there is none."""
        if self.body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            return self.body
        content_type = self.request.headers.get("content-type", "")
        if content_type.lower().startswith("multipart/"):
            head = b"Content-Type: " + content_type.encode("latin-1") + b"\r\n\r\n"
            message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + self.body)
            for part in message.iter_parts() if isinstance(message, email.message.EmailMessage) else ():
                if (part.get_filename() or "").lower().endswith(".xml"):
                    content = part.get_payload(decode=True)
                    return content if isinstance(content, bytes) else b""
        raise NotWellFormed("the body is not XML; send a search document (root element bundle)")


def whole_names(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Names that were cut at an `=` in their brackets: `fields/field[name=release]/field=Q2` as typed."""
    found = []
    for name, value in pairs:
        if name.count("[") > name.count("]") and (cut := _CUT_NAME.match(f"{name}={value}")):
            name, value = cut[1], cut[2]
        found.append((name, value))
    return found


def decoded_again(find: Callable[[str], Found], text: str) -> Found:
    """What `find` finds, at the second try with one more URL-decoding.

    Source  pyxnat encodes a label twice when it has a reserved character.
    """
    try:
        return find(text)
    except NotFound:
        if (again := unquote(text)) != text:
            return find(again)
        raise


Handler = Callable[[Ask], Response]


def endpoint(
    handler: Handler, *, open_to_all: bool = False, reads_body: bool = True
) -> Callable[[Request], Awaitable[Response]]:
    """The handler as Starlette wants it: body read and bounded, caller known, errors answered.

    One that takes the body itself, while it comes, says so: see `uploads.Receiving`.
    """

    async def answer(request: Request) -> Response:
        try:
            body = await bounded_body(request) if reads_body else b""
        except TooLarge as error:
            refused = failure(request, error)
            refused.headers["Connection"] = "close"
            return refused
        return await run_in_threadpool(_answer, request, body, handler, open_to_all)

    # What the description of the interface says of the route; see `openapi`.
    answer.__doc__, answer.__name__, answer.__module__ = handler.__doc__, handler.__name__, handler.__module__
    vars(answer)["open_to_all"] = open_to_all
    return answer


def _answer(request: Request, body: bytes, handler: Handler, open_to_all: bool) -> Response:
    site: Site = request.app.state.site
    gate: Gate = request.app.state.gate
    try:
        caller = gate.caller(request, site.archive, open_to_all=open_to_all)
        note_login(request.scope, caller.who.login)
        need_csrf_token(request, caller, body, site.archive)
    except ConnectomeDBError as error:
        return to_login_page(request, error) or failure(request, error)
    try:
        response = handler(Ask(request, site, gate, caller, body))
    except ConnectomeDBError as error:
        response = failure(request, error)
    if caller.session_id and "set-cookie" not in response.headers:
        set_cookies(response, request, caller.session_id, gate.session_lifetime_s, is_new=caller.is_new)
    return response


def to_login_page(request: Request, error: ConnectomeDBError) -> Response | None:
    """The way to the login page, for a person who looks at a page without a login; None for scripts."""
    wrong = isinstance(error, BadCredentials | TooManyAttempts) or not isinstance(error, AuthenticationError)
    if wrong or request.method != "GET" or not prefers_html(request):
        return None
    asked = request.scope.get("connectomedb.asked_path", request.url.path)
    asked += f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"/app/template/Login.vm?to={quote(asked)}", 302)


async def bounded_body(request: Request) -> bytes:
    """The whole body. Raises TooLarge as soon as that is known."""
    too_large = TooLarge(f"the body is larger than {LARGEST_BODY_BYTES // 2**20} MiB")
    stated = request.headers.get("content-length", "")
    if stated.isdigit() and int(stated) > LARGEST_BODY_BYTES:
        raise too_large
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > LARGEST_BODY_BYTES:
            raise too_large
        chunks.append(chunk)
    return b"".join(chunks)


def known_types(ask: Ask, names: Sequence[str]) -> tuple[str, ...]:
    """The data types as they are spelled in the registry. Raises UnknownDataType."""
    return tuple(ask.site.types.get(name).xsi_type for name in names)

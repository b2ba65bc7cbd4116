"""The seam to the network: one `Request` goes out, one `Response` comes back.

Every variant has one method, `send`. It follows the redirects of a GET, knows nothing of logins
and raises only `ServerUnreachable` and `ServerTimeout`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from connectomedb.errors import ServerTimeout, ServerUnreachable

if TYPE_CHECKING:
    import httpx2

_N_TRIES = 3
_PIECE_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: the whole URL, its query, headers and body. Headers stay out of the repr.

    A body that is a path is read from that file while it is sent.
    """

    method: str
    url: str
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | Path = b""


@dataclass(frozen=True, slots=True)
class Response:
    """What came back, read whole. Header names are in lower case.

    The second half of the names is what scripts written for `requests` read.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str = ""
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def status_code(self) -> int:
        return self.status

    @property
    def ok(self) -> bool:
        """Whether the status says that it worked."""
        return self.status < 400

    @property
    def content(self) -> bytes:
        return self.body

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON. Raises ValueError when it is none."""
        return json.loads(self.body)


class Transport(Protocol):
    """Anything that sends a request and brings its response."""

    def send(self, request: Request) -> Response: ...

    def receive(self, request: Request, take: Callable[[bytes], object]) -> Response:
        """As `send`, but the body of an answer that worked goes to `take`, piece by piece."""

    def close(self) -> None: ...


class NetworkTransport:
    """Speaks HTTP. A GET is tried twice again when the connection fails, nothing else is repeated.

    `verify` is whether certificates are checked, or the path of those to trust; `proxy` a proxy's URL.
    """

    def __init__(self, *, timeout_s: float = 60.0, verify: bool | str = True, proxy: str = "") -> None:
        self._timeout_s = timeout_s
        self._verify = verify
        self._proxy = proxy or None
        self._client: httpx2.Client | None = None

    def send(self, request: Request) -> Response:
        """The answer, read whole."""
        pieces: list[bytes] = []
        answer = self._try(request, pieces.append)
        return replace(answer, body=b"".join(pieces)) if pieces else answer

    def receive(self, request: Request, take: Callable[[bytes], object]) -> Response:
        """See `Transport.receive`. Memory: one piece."""
        return self._try(request, take)

    def _try(self, request: Request, take: Callable[[bytes], object]) -> Response:
        import httpx2

        begun = False

        def noted(piece: bytes) -> None:
            nonlocal begun
            begun = True
            take(piece)

        for tries_left in reversed(range(_N_TRIES if request.method == "GET" else 1)):
            try:
                return self._once(request, noted)
            except httpx2.TimeoutException as error:
                raise ServerTimeout(
                    f"{request.url} did not answer in {self._timeout_s:g} s; try again or wait longer",
                    url=request.url,
                ) from error
            except (httpx2.RequestError, httpx2.InvalidURL) as error:
                # What was handed on cannot be taken back: a body that broke off is not asked for again.
                if tries_left and not begun and isinstance(error, httpx2.TransportError):
                    continue
                raise ServerUnreachable(
                    f"no answer from {request.url} ({error}); is the address right and the server running?",
                    url=request.url,
                ) from error
        raise AssertionError("every try returns or raises")

    def _once(self, request: Request, take: Callable[[bytes], object]) -> Response:
        import httpx2

        if self._client is None:
            self._client = httpx2.Client(
                timeout=self._timeout_s, verify=self._verify, trust_env=False, proxy=self._proxy
            )
        self._client.cookies.clear()  # the login keeps the cookie, nobody else
        with ExitStack() as stack:
            content: Any = request.body or None
            if isinstance(request.body, Path):
                content = stack.enter_context(request.body.open("rb"))
            answer = stack.enter_context(
                self._client.stream(
                    request.method,
                    request.url,
                    params=dict(request.params) or None,
                    headers=dict(request.headers),
                    content=content,
                    # A question that is sent with a body would arrive without it.
                    follow_redirects=request.method in ("GET", "HEAD"),
                )
            )
            body = b""
            if answer.status_code >= 400:
                body = answer.read()
            else:
                for piece in answer.iter_bytes(_PIECE_BYTES):
                    take(piece)
            return Response(
                answer.status_code,
                {name.lower(): value for name, value in answer.headers.items()},
                body,
                str(answer.url),
                {cookie.name: cookie.value or "" for cookie in answer.cookies.jar},
            )

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


class RecordingTransport:
    """Passes everything on and keeps the requests, so that they can be counted."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self.requests: list[Request] = []

    def send(self, request: Request) -> Response:
        self.requests.append(request)
        return self._inner.send(request)

    def receive(self, request: Request, take: Callable[[bytes], object]) -> Response:
        self.requests.append(request)
        return self._inner.receive(request, take)

    def close(self) -> None:
        self._inner.close()

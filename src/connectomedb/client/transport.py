"""The seam to the network: one `Request` goes out, one `Response` comes back.

Every variant has one method, `send`. It follows the redirects of a GET, knows nothing of logins
and raises only `ServerUnreachable` and `ServerTimeout`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from connectomedb.errors import ServerTimeout, ServerUnreachable

if TYPE_CHECKING:
    import httpx2

_N_TRIES = 3


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: the whole URL, its query, headers and body. Headers stay out of the repr."""

    method: str
    url: str
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """What came back, read whole. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str = ""
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)


class Transport(Protocol):
    """Anything that sends a request and brings its response."""

    def send(self, request: Request) -> Response: ...

    def close(self) -> None: ...


class NetworkTransport:
    """Speaks HTTP. A GET is tried twice again when the connection fails, nothing else is repeated."""

    def __init__(self, *, timeout_s: float = 60.0, verify: bool = True) -> None:
        self._timeout_s = timeout_s
        self._verify = verify
        self._client: httpx2.Client | None = None

    def send(self, request: Request) -> Response:
        import httpx2

        if self._client is None:
            self._client = httpx2.Client(timeout=self._timeout_s, verify=self._verify, trust_env=False)
        for tries_left in reversed(range(_N_TRIES if request.method == "GET" else 1)):
            self._client.cookies.clear()  # the login keeps the cookie, nobody else
            try:
                answer = self._client.request(
                    request.method,
                    request.url,
                    params=dict(request.params) or None,
                    headers=dict(request.headers),
                    content=request.body or None,
                    # A question that is sent with a body would arrive without it.
                    follow_redirects=request.method in ("GET", "HEAD"),
                )
            except httpx2.TimeoutException as error:
                raise ServerTimeout(
                    f"{request.url} did not answer in {self._timeout_s:g} s; try again or wait longer",
                    url=request.url,
                ) from error
            except (httpx2.RequestError, httpx2.InvalidURL) as error:
                if tries_left and isinstance(error, httpx2.TransportError):
                    continue
                raise ServerUnreachable(
                    f"no answer from {request.url} ({error}); is the address right and the server running?",
                    url=request.url,
                ) from error
            return Response(
                answer.status_code,
                {name.lower(): value for name, value in answer.headers.items()},
                answer.content,
                str(answer.url),
                {cookie.name: cookie.value or "" for cookie in answer.cookies.jar},
            )
        raise AssertionError("every try returns or raises")

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

    def close(self) -> None:
        self._inner.close()

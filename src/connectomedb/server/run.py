"""Serve a site: in the foreground until interrupted, or in a thread for as long as a block lasts."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from types import TracebackType

import uvicorn

from connectomedb.errors import ConfigurationError
from connectomedb.server.app import make_app
from connectomedb.store.site import Site

Ready = Callable[[str], None]
_START_WITHIN_S = 30.0


class _Server(uvicorn.Server):
    """A uvicorn that says when it listens."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()


def serve(
    site: Site,
    host: str = "127.0.0.1",
    port: int = 8080,
    ready: Ready | None = None,
    *,
    session_lifetime_s: float = 1800,
) -> None:
    """Serve until interrupted; `ready` gets the URL once it answers. Port 0 picks a free one.

    Raises  ConfigurationError when the address cannot be used.
    """
    with _listening_socket(host, port) as listener:
        url = _url(host, listener)
        server = _Server(_config(site, session_lifetime_s), lambda: ready(url) if ready else None)
        server.run(sockets=[listener])


class ServerThread:
    """A server beside the caller: `with ServerThread(site) as server: … server.url …`."""

    def __init__(
        self,
        site: Site,
        port: int = 0,
        *,
        host: str = "127.0.0.1",
        session_lifetime_s: float = 1800,
        require_login: bool | None = None,
    ) -> None:
        self.url = ""
        self._host = host
        self._port = port
        self._started = threading.Event()
        self._server = _Server(_config(site, session_lifetime_s, require_login), self._started.set)
        self._thread: threading.Thread | None = None
        self._listener: socket.socket | None = None

    def __enter__(self) -> ServerThread:
        self._listener = _listening_socket(self._host, self._port)
        self.url = _url(self._host, self._listener)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._listener],), name="connectomedb-server", daemon=True
        )
        self._thread.start()
        if not self._started.wait(_START_WITHIN_S):
            self._stop()
            raise ConfigurationError(f"the server did not start on {self.url}; its log says why")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join()
        if self._listener is not None:
            self._listener.close()


def _config(site: Site, session_lifetime_s: float, require_login: bool | None = None) -> uvicorn.Config:
    return uvicorn.Config(
        make_app(site, session_lifetime_s=session_lifetime_s, require_login=require_login),
        log_level="warning",
        access_log=False,  # addresses may hold names of people
        lifespan="on",
        server_header=False,
        timeout_graceful_shutdown=5,
        ws="none",
    )


def _listening_socket(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise ConfigurationError(f"cannot listen on {host}:{port}: {error}; choose another --port") from error
    return listener


def _url(host: str, listener: socket.socket) -> str:
    port = listener.getsockname()[1]
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104  # recognised here, not listened at
    shown = everywhere.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}"

"""How an address becomes a route: what reads, what changes, what takes a body of any size."""

from __future__ import annotations

from typing import Any

from starlette.routing import Match, Route
from starlette.types import Scope

from connectomedb.server.inbound import Handler, endpoint


class QuickRoute(Route):
    """A route that sees at a glance that an address is none of its own: most are tried for every request."""

    def __init__(self, path: str, *args: Any, **options: Any) -> None:
        super().__init__(path, *args, **options)
        self._begins = path.partition("{")[0]
        self._n_slashes = None if ":path}" in path or ":item}" in path else path.count("/")

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        path: str = scope["path"]
        if not scope.get("root_path"):
            if not path.startswith(self._begins):
                return Match.NONE, {}
            if self._n_slashes is not None and path.count("/") != self._n_slashes:
                return Match.NONE, {}
        return super().matches(scope)


def get(path: str, handler: Handler, *, open_to_all: bool = False) -> Route:
    """Reads (HEAD included)."""
    return QuickRoute(path, endpoint(handler, open_to_all=open_to_all), methods=["GET"])


def post(path: str, handler: Handler, *methods: str, open_to_all: bool = False) -> Route:
    """Everything that is sent with a body, or changes something."""
    answer = endpoint(handler, open_to_all=open_to_all)
    return QuickRoute(path, answer, methods=list(methods) or ["POST"])


def sending(path: str, handler: Handler) -> Route:
    """Takes a body of any size, while it comes."""
    return QuickRoute(path, endpoint(handler, reads_body=False), methods=["PUT", "POST"])

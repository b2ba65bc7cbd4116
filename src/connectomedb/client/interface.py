"""pyxnat's face: `Interface`, `select`, `inspect` and `manage`, spelled as the users of pyxnat type them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, overload

from connectomedb.client.array import ArrayData
from connectomedb.client.core import Core
from connectomedb.client.elements import Collection, Element, kind_of, listed
from connectomedb.client.hierarchy import Experiment, Project
from connectomedb.client.inspector import Inspector
from connectomedb.client.login import read_xnat_pass
from connectomedb.client.manage import Manager
from connectomedb.client.search import Search
from connectomedb.client.transport import NetworkTransport, Response, Transport
from connectomedb.errors import ConfigurationError, ServerFault
from connectomedb.vocabulary.uris import Step, parse_path

_CONFIG = ("server", "user", "password", "proxy", "verify")


class Interface:
    """A connection to an XNAT server. Making one asks nothing of the server.

    `config` is a file that `save_config` wrote; without a server `~/.xnatPass` says where and who. `verify`
    is whether certificates are checked, or the path of those to trust.
    """

    def __init__(
        self,
        server: str | None = None,
        user: str | None = None,
        password: str | None = None,
        config: str | Path | None = None,
        anonymous: bool = False,
        proxy: str | None = None,
        verify: bool | str | None = None,
        *,
        transport: Transport | None = None,
    ) -> None:
        said: dict[str, Any] = _read_config(Path(config)) if config is not None else {}
        if server is None and not said:
            said = _from_xnat_pass()
        given = {"server": server, "user": user, "password": password, "proxy": proxy, "verify": verify}
        said |= {name: value for name, value in given.items() if value is not None}
        if not said.get("server"):
            raise ConfigurationError(
                "no server: give its address, a config file, or a line +user@server=password in ~/.xnatPass"
            )
        self._said = said | {"anonymous": anonymous}
        self._core = Core(
            str(said["server"]),
            said.get("user"),
            said.get("password"),
            anonymous=anonymous,
            transport=transport
            or NetworkTransport(verify=said.get("verify", True), proxy=said.get("proxy") or ""),
        )
        self.select = Select(self._core)
        self.inspect = Inspector(self._core)
        self.manage = Manager(self._core)
        self.array = ArrayData(self._core)

    def __repr__(self) -> str:
        return f"<Interface {self._core.server} as {self._core.login.user}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.disconnect()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled for another process it carries how to log in, the password included; never store it."""
        said = self._said
        wanted = (*(said.get(name) for name in ("server", "user", "password")), None, said["anonymous"])
        return Interface, (*wanted, said.get("proxy"), said.get("verify"))

    def disconnect(self) -> None:
        """End the login session and close the connection."""
        self._core.close()

    close_jsession = disconnect

    def version(self) -> dict[str, Any]:
        """What the server says of its build; `version` is among it."""
        found = self._core.json("/xapi/siteConfig/buildInfo")
        if not isinstance(found, dict):
            raise ServerFault("the server does not say which version it is", url=self._core.server)
        return found

    def save_config(self, location: str | Path) -> None:
        """Write address and login into a file that only its owner reads. The password stands in it."""
        path = Path(location)
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {name: self._said[name] for name in _CONFIG if self._said.get(name) is not None}
        partial = path.with_name(f".{path.name}.part")
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            json.dump(content, out, indent=1)
        partial.replace(path)

    def load_config(self, location: str | Path) -> None:
        """Go on as the file says."""
        self.__init__(config=location)  # type: ignore[misc]  # pyxnat's call: the object becomes another one

    # Bare requests: the answer as it came, whatever its status

    def get(self, uri: str, **kwargs: Any) -> Response:
        """GET; `params`, `headers`, `data` and `json` as `requests` has them."""
        return self._exchange("GET", uri, kwargs)

    def put(self, uri: str, **kwargs: Any) -> Response:
        """PUT, see `get`."""
        return self._exchange("PUT", uri, kwargs)

    def post(self, uri: str, **kwargs: Any) -> Response:
        """POST, see `get`."""
        return self._exchange("POST", uri, kwargs)

    def delete(self, uri: str, **kwargs: Any) -> Response:
        """DELETE, see `get`."""
        return self._exchange("DELETE", uri, kwargs)

    def head(self, uri: str, **kwargs: Any) -> Response:
        """HEAD, see `get`."""
        return self._exchange("HEAD", uri, kwargs)

    def _exchange(self, method: str, uri: str, said: Mapping[str, Any]) -> Response:
        unknown = sorted(set(said) - {"params", "headers", "data", "json", "timeout"})
        if unknown:
            raise TypeError(
                f"{method.lower()}() takes params, headers, data, json and timeout, not {unknown[0]}"
            )
        params = {name: str(value) for name, value in (said.get("params") or {}).items()}
        headers = {name: str(value) for name, value in (said.get("headers") or {}).items()}
        body, kind = _body(said)
        if kind and "content-type" not in {name.lower() for name in headers}:
            headers["Content-Type"] = kind
        path = "/" + uri.removeprefix(self._core.server).lstrip("/")
        path, _, query = path.partition("?")
        if query:
            from urllib.parse import parse_qsl

            params = dict(parse_qsl(query, keep_blank_values=True)) | params
        return self._core.exchange(method, path, params, body, {"Accept": "*/*", **headers})


class Select:
    """The way in: `select.projects()`, `select('/projects/X/subjects/*')`, `select('nt:scores', fields)`."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def projects(self, pattern: str = "*") -> Collection[Project]:
        """All visible projects, or those whose id matches."""
        return listed(self._core, Project, None, pattern)

    def project(self, project_id: str) -> Project:
        """One project by id."""
        return Project(self._core, None, str(project_id))

    def experiments(self, pattern: str = "*") -> Collection[Experiment]:
        """All visible experiments of the site, or those whose id or label matches."""
        return listed(self._core, Experiment, None, pattern)

    def experiment(self, experiment_id: str) -> Experiment:
        """One experiment by its site-wide id."""
        return Experiment(self._core, None, str(experiment_id))

    @overload
    def __call__(self, name: str, columns: Sequence[str]) -> Search: ...

    @overload
    def __call__(self, name: str, columns: None = None) -> Any: ...

    def __call__(self, name: str, columns: Sequence[str] | None = None) -> Any:
        """A path gives a handle, or with wildcards a collection; a data type with columns a `Search`."""
        if columns is None and ":" in name and "/" not in name:
            return Search(self._core, name, Inspector(self._core).datatypes(name, "*"))
        if columns is not None:
            return Search(self._core, name, columns)
        paths = parse_path(name)
        if len(paths) == 1 and not any(_is_pattern(step.name) for step in paths[0]):
            return _walk_exact(self._core, paths[0])
        kind = kind_of(paths[0][-1].level)

        def walk() -> Iterator[Element]:
            for steps in paths:
                yield from _walk(self._core, None, steps)

        return Collection(self._core, kind, walk)


def _walk(core: Core, above: Element | None, steps: tuple[Step, ...]) -> Iterator[Element]:
    step, rest = steps[0], steps[1:]
    if above is not None and _is_pattern(step.name):
        found: Iterator[Element] = iter(above.below(step.level, step.name))
    elif _is_pattern(step.name):
        found = iter(listed(core, kind_of(step.level), None, step.name))
    else:
        found = iter([kind_of(step.level)(core, above, step.name)])
    for element in found:
        if rest:
            yield from _walk(core, element, rest)
        else:
            yield element


def _walk_exact(core: Core, steps: tuple[Step, ...]) -> Element:
    element: Element | None = None
    for step in steps:
        element = kind_of(step.level)(core, element, step.name)
    assert element is not None
    return element


def _is_pattern(name: str) -> bool:
    return any(mark in name for mark in "*?[")


def _body(said: Mapping[str, Any]) -> tuple[bytes | Path, str]:
    """The body of a bare request and its media type, as `requests` would send them."""
    if said.get("json") is not None:
        return json.dumps(said["json"]).encode("utf-8"), "application/json"
    data = said.get("data")
    if data is None:
        return b"", ""
    if isinstance(data, Mapping):
        from urllib.parse import urlencode

        return urlencode(data).encode("ascii"), "application/x-www-form-urlencoded"
    if isinstance(data, str):
        return data.encode("utf-8"), ""
    return (data if isinstance(data, bytes | Path) else data.read()), ""


def _read_config(path: Path) -> dict[str, Any]:
    try:
        said = json.loads(path.read_text("utf-8"))
    except OSError as problem:
        raise ConfigurationError(f"cannot read {path}: {problem.strerror}") from problem
    except ValueError as problem:
        raise ConfigurationError(f"{path} is not JSON: {problem}") from problem
    if not isinstance(said, dict) or not said.get("server"):
        raise ConfigurationError(f"{path} names no server; `save_config` writes such a file")
    return {name: said[name] for name in _CONFIG if said.get(name) is not None}


def _from_xnat_pass() -> dict[str, Any]:
    found = read_xnat_pass()
    if found is None:
        return {}
    server, credentials = found
    return {"server": server, "user": credentials.user, "password": credentials.password}

"""Importing the client is cheap and never imports the server; counted in modules, not in milliseconds."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {
    "sqlalchemy",
    "starlette",
    "uvicorn",
    "lxml",
    "httpx2",
    "obstore",
    "click",
    "rich",
    "pandas",
    "pyarrow",
}


def _modules_after(statement: str) -> set[str]:
    code = f"import sys; {statement}; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_package_loads_one_module_of_it() -> None:
    ours = {m for m in _modules_after("import connectomedb") if m.split(".")[0] == "connectomedb"}
    assert ours == {"connectomedb"}


def test_the_client_loads_no_server_and_no_heavy_library() -> None:
    loaded = _modules_after("from connectomedb import Interface, connect")
    assert not {m for m in loaded if m.startswith(("connectomedb.server", "connectomedb.store"))}
    assert not {m.split(".")[0] for m in loaded} & HEAVY


def test_the_client_loads_few_modules() -> None:
    before = _modules_after("pass")
    loaded = _modules_after("from connectomedb import Interface, connect")
    assert len(loaded - before) < 120


def test_the_public_names_are_sorted_and_exist() -> None:
    import connectomedb

    assert connectomedb.__all__ == sorted(connectomedb.__all__)
    for name in connectomedb.__all__:
        assert getattr(connectomedb, name) is not None

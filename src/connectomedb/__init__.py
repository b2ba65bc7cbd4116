"""ConnectomeDB that anyone can run, and the bridge from its answers to the images on S3.

    import connectomedb as pyxnat                 # the 2013 tutorial runs as it stands
    cdb = pyxnat.Interface("http://127.0.0.1:8080", "guest-reader", "reader-demo")

    import connectomedb
    site = connectomedb.connect("http://127.0.0.1:8080", "guest-reader", "reader-demo")
    agreeable = site.project("HCP_Q1").search("NEOFAC_A > 40", columns=["NEOFAC_A"])

Names load when they are first used: importing this package costs nothing and never imports the server.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connectomedb.client.connection import connect
    from connectomedb.client.interface import Interface
    from connectomedb.errors import ConnectomeDBError
    from connectomedb.objects.plan import TransferPlan
    from connectomedb.objects.stores import open_store
    from connectomedb.objects.transfer import run_plan
    from connectomedb.tables.jsontable import JsonTable
    from connectomedb.tables.result import ResultTable

__version__ = "0.1.0"

__all__ = [
    "ConnectomeDBError",
    "Interface",
    "JsonTable",
    "ResultTable",
    "TransferPlan",
    "connect",
    "open_store",
    "run_plan",
]

_HOME_OF = {
    "ConnectomeDBError": "connectomedb.errors",
    "Interface": "connectomedb.client.interface",
    "JsonTable": "connectomedb.tables.jsontable",
    "ResultTable": "connectomedb.tables.result",
    "TransferPlan": "connectomedb.objects.plan",
    "connect": "connectomedb.client.connection",
    "open_store": "connectomedb.objects.stores",
    "run_plan": "connectomedb.objects.transfer",
}


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""What of XNAT's REST interface this server answers: one line per address, its state read off the routes.

An address that has a route works; `better` says in what it goes beyond XNAT. One without a route has a reason
why it never will, or is still to come.

Source   protocol/rest.md
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from starlette.routing import BaseRoute, Match

State = Literal["works", "works better", "not yet", "never"]

# Settings of a project that have a route together.
SETTINGS = ("prearchive_code", "quarantine_code", "current_arc", "scan_type_mapping")
_IMPORT = "sessions come in by `connectomedb import`; there is no DICOM receiver"
_PIPELINES = "computations run elsewhere, on files that the mirror names"


@dataclass(frozen=True, slots=True)
class Address:
    """An address of XNAT: methods, the address with `{…}` for names, and what to say of it."""

    area: str
    methods: str
    address: str
    better: str = ""
    never: str = ""


@dataclass(frozen=True, slots=True)
class Supported:
    """An address and its state here; `lacking` are the methods that are not offered."""

    address: Address
    state: State
    lacking: tuple[str, ...] = ()


_ITEM = "`ETag` and `If-Match`: a change of what somebody else changed meanwhile is refused (412)"
_DELETE = "what other projects are shown is not deleted without `deleteShares=true`"
_FILTER = "an unknown path as a filter is refused, where XNAT gives the whole list"

ADDRESSES: tuple[Address, ...] = (
    Address("Sessions", "GET POST DELETE", "/data/JSESSION"),
    Address("Sessions", "GET", "/data/auth"),
    Address("Sessions", "PUT POST", "/data/services/auth"),
    Address("Sessions", "POST", "/login"),
    Address("Sessions", "GET", "/data/version", never="404 tells clients to read the build's version"),
    Address("Sessions", "GET", "/xapi/siteConfig/buildInfo"),
    Address("Sessions", "GET", "/xapi/siteConfig/buildInfo/{property}"),
    Address("Sessions", "GET", "/xapi/siteConfig/uptime"),
    Address("Sessions", "GET", "/data/services/tokens/issue"),
    Address("Sessions", "GET", "/data/services/tokens/validate/{alias}/{secret}"),
    Address("Sessions", "GET", "/data/services/tokens/invalidate/{alias}"),
    Address("People", "GET", "/data/users"),
    Address("People", "GET", "/xapi/users"),
    Address("People", "GET", "/xapi/users/username"),
    Address("People", "GET", "/xapi/users/profiles"),
    Address("People", "PUT DELETE", "/xapi/users/{user}/roles/{role}"),
    Address(
        "People",
        "GET",
        "/data/projects/{project}/users",
    ),
    Address("People", "PUT DELETE", "/data/projects/{project}/users/{group}/{login}"),
    Address("People", "GET", "/data/projects/{project}/accessibility"),
    Address("People", "PUT", "/data/projects/{project}/accessibility/{level}"),
    Address("People", "GET", "/data/projects/{project}/groups"),
    Address("People", "GET", "/xapi/access/projects"),
    Address("People", "GET POST", "/xapi/siteConfig"),
    Address("Hierarchy", "GET POST", "/data/projects", better=_FILTER),
    Address("Hierarchy", "GET PUT DELETE", "/data/projects/{project}", better=f"{_ITEM}; {_DELETE}"),
    Address("Hierarchy", "GET POST", "/data/projects/{project}/subjects", better=_FILTER),
    Address(
        "Hierarchy",
        "GET PUT DELETE",
        "/data/projects/{project}/subjects/{subject}",
        better=f"{_ITEM}; {_DELETE}; an id of another project is not found here",
    ),
    Address(
        "Hierarchy", "GET POST", "/data/projects/{project}/subjects/{subject}/experiments", better=_FILTER
    ),
    Address(
        "Hierarchy",
        "GET PUT DELETE",
        "/data/projects/{project}/subjects/{subject}/experiments/{experiment}",
        better=f"{_ITEM}; {_DELETE}",
    ),
    Address("Hierarchy", "GET", "/data/projects/{project}/experiments", better=_FILTER),
    Address("Hierarchy", "GET PUT DELETE", "/data/projects/{project}/experiments/{experiment}", better=_ITEM),
    Address("Hierarchy", "GET", "/data/subjects", better=_FILTER),
    Address("Hierarchy", "GET PUT DELETE", "/data/subjects/{subject}", better=_ITEM),
    Address("Hierarchy", "GET", "/data/experiments", better=_FILTER),
    Address("Hierarchy", "GET PUT DELETE", "/data/experiments/{experiment}", better=_ITEM),
    Address("Hierarchy", "GET POST", "/data/experiments/{experiment}/assessors"),
    Address(
        "Hierarchy", "GET PUT DELETE", "/data/experiments/{experiment}/assessors/{assessor}", better=_ITEM
    ),
    Address("Hierarchy", "GET POST", "/data/experiments/{experiment}/scans"),
    Address("Hierarchy", "GET PUT DELETE", "/data/experiments/{experiment}/scans/{scan}", better=_ITEM),
    Address("Hierarchy", "GET POST", "/data/experiments/{experiment}/reconstructions"),
    Address("Hierarchy", "GET PUT DELETE", "/data/experiments/{experiment}/reconstructions/{reconstruction}"),
    Address("Hierarchy", "GET", "/data/experiments/{experiment}/status"),
    Address("Hierarchy", "GET", "/data/experiments/{experiment}/history"),
    Address("Hierarchy", "GET", "/data/projects/{project}/prearchive_code"),
    Address("Hierarchy", "PUT", "/data/projects/{project}/prearchive_code/{code}"),
    Address("Hierarchy", "GET", "/data/projects/{project}/quarantine_code"),
    Address("Hierarchy", "PUT", "/data/projects/{project}/quarantine_code/{code}"),
    Address("Hierarchy", "GET", "/data/projects/{project}/current_arc"),
    Address("Hierarchy", "GET", "/data/projects/{project}/scan_types"),
    Address("Hierarchy", "GET", "/data/projects/{project}/scanners"),
    Address("Hierarchy", "GET", "/data/scan_types"),
    Address("Hierarchy", "GET", "/data/scanners"),
    Address("Hierarchy", "GET", "/data/investigators"),
    Address("Hierarchy", "GET POST", "/xapi/investigators"),
    Address("Hierarchy", "PUT", "/xapi/archive/upload/xml"),
    Address("Sharing", "GET", "/data/subjects/{subject}/projects"),
    Address("Sharing", "PUT DELETE", "/data/projects/{project}/subjects/{subject}/projects/{other}"),
    Address("Sharing", "GET", "/data/experiments/{experiment}/projects"),
    Address(
        "Sharing",
        "PUT DELETE",
        "/data/projects/{project}/subjects/{subject}/experiments/{experiment}/projects/{other}",
    ),
    Address("Files", "GET", "/data/projects/{project}/resources"),
    Address("Files", "GET PUT DELETE", "/data/projects/{project}/resources/{resource}"),
    Address("Files", "GET", "/data/projects/{project}/resources/{resource}/files"),
    Address("Files", "GET PUT POST DELETE", "/data/projects/{project}/resources/{resource}/files/{file}"),
    Address("Files", "GET", "/data/experiments/{experiment}/scans/{scan}/resources"),
    Address("Files", "GET", "/data/experiments/{experiment}/scans/{scan}/files"),
    Address("Files", "POST", "/data/services/refresh/catalog"),
    Address("Stored data", "GET", "/data/config"),
    Address("Stored data", "GET", "/data/config/{tool}"),
    Address("Stored data", "GET PUT DELETE", "/data/config/{tool}/{path}"),
    Address("Stored data", "GET PUT DELETE", "/data/projects/{project}/config/{tool}/{path}"),
    Address(
        "Stored data",
        "GET PUT",
        "/xapi/custom-fields/projects/{project}/subjects/{subject}/fields",
        better="two changes at once both stay",
    ),
    Address("Stored data", "GET DELETE", "/xapi/custom-fields/experiments/{experiment}/fields/{name}"),
    Address("Stored data", "PUT", "/data/workflows", never=_PIPELINES),
    Address("Stored data", "GET", "/xapi/plugins"),
    Address("Search", "POST", "/data/search"),
    Address("Search", "GET", "/data/search/elements"),
    Address("Search", "GET", "/data/search/elements/{xsi_type}"),
    Address("Search", "GET", "/data/search/saved"),
    Address("Search", "GET PUT DELETE", "/data/search/saved/{id}"),
    Address("Search", "GET", "/data/search/saved/{id}/results"),
    Address("Search", "GET", "/xapi/schemas"),
    Address("Search", "GET", "/xapi/schemas/{name}"),
    Address("Import", "POST", "/data/services/import", never=_IMPORT),
    Address("Import", "GET", "/data/prearchive/projects"),
    Address("Import", "POST", "/data/services/prearchive/move", never=_IMPORT),
    Address("Import", "GET", "/data/services/dicomdump", never=_IMPORT),
    Address("Import", "GET", "/data/projects/{project}/pipelines", never=_PIPELINES),
    Address("ConnectomeDB", "GET", "/data/search/dict/{dictionary}/results"),
    Address("ConnectomeDB", "GET", "/app/action/ChooseDownloadResources"),
    Address(
        "ConnectomeDB",
        "GET",
        "/data/projects/{project}/subjects/100307/experiments/100307_CREST/resources/100307_CREST/files/{path}",
    ),
)


def support(routes: Sequence[BaseRoute], addresses: Iterable[Address] = ADDRESSES) -> Iterator[Supported]:
    """The state of every address."""
    for address in addresses:
        lacking = tuple(m for m in address.methods.split() if not _offered(routes, m, address.address))
        if address.never:
            yield Supported(address, "never", lacking)
        elif lacking:
            yield Supported(address, "not yet", lacking)
        else:
            yield Supported(address, "works better" if address.better else "works")


def support_page(routes: Sequence[BaseRoute]) -> str:
    """The states as a page of Markdown."""
    lines = [
        "# What of XNAT's REST interface works here",
        "",
        "Under `/data`, and the same under `/REST`, `/data/archive` and `/REST/archive`. *Works better* says",
        "in what; *never* says why. Every other form of an address (a session by its project, by its",
        "subject, by its id) answers as the one that is listed.",
        "",
        "| area | methods | address | state | |",
        "| --- | --- | --- | --- | --- |",
    ]
    for one in support(routes):
        a = one.address
        note = a.never or (f"lacks {', '.join(one.lacking)}" if one.state == "not yet" else a.better)
        lines.append(f"| {a.area} | {a.methods} | `{a.address}` | {one.state} | {note} |")
    return "\n".join(lines) + "\n"


def _offered(routes: Sequence[BaseRoute], method: str, address: str) -> bool:
    """The first route that takes the address is one for it, and no setting of any name."""
    path = address.replace("{", "").replace("}", "")
    scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}
    found = next((r for r in routes if r.matches(scope)[0] == Match.FULL), None)
    for_any_word = "{setting}" in str(getattr(found, "path", ""))
    return found is not None and (not for_any_word or any(name in address for name in SETTINGS))

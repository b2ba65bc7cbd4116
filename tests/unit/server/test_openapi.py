"""The description of the interface is that of the route table, and the table of what works is true."""

from __future__ import annotations

import re

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Mount, Route

from connectomedb.errors import ConfigurationError
from connectomedb.server.app import routes
from connectomedb.server.openapi import PARAMETERS, openapi
from connectomedb.server.support import ADDRESSES, Address, support, support_page

METHODS = {"get", "put", "post", "delete"}


def test_every_route_is_described() -> None:
    described = openapi(routes())["paths"]
    assert isinstance(described, dict)
    for route in routes():
        if isinstance(route, Mount):
            continue
        assert isinstance(route, Route)
        path = re.sub(r":\w+\}", "}", route.path)
        for method in (route.methods or set()) - {"HEAD"}:
            assert described[path][method.lower()]["summary"], path


def test_a_route_without_a_description_is_refused() -> None:
    async def silent(request: Request) -> Response:
        return Response(request.url.path)

    with pytest.raises(ConfigurationError, match=r"/data/new: its handler .*silent says nothing"):
        openapi([*routes(), Route("/data/new", silent)])


def test_the_document_holds_together() -> None:
    document = openapi(routes())
    paths = document["paths"]
    assert isinstance(paths, dict)
    ids: list[str] = []
    named: set[str] = set()
    for path, operations in paths.items():
        assert set(operations) <= METHODS
        for operation in operations.values():
            ids.append(operation["operationId"])
            in_path = {p["name"] for p in operation["parameters"] if p.get("in") == "path"}
            assert in_path == {piece.partition("}")[0] for piece in path.split("{")[1:]}
            named |= {p["$ref"].rpartition("/")[2] for p in operation["parameters"] if "$ref" in p}
    assert len(ids) == len(set(ids)), "every operation has an id of its own"
    assert named == set(PARAMETERS), "every parameter is described, and every description used"


def test_what_is_open_to_all_says_so() -> None:
    paths = openapi(routes())["paths"]
    assert isinstance(paths, dict)
    assert paths["/xapi/siteConfig/buildInfo"]["get"]["security"] == []
    assert "security" not in paths["/data/projects"]["get"]


def test_the_states_are_read_off_the_routes() -> None:
    table = routes()
    (there,) = support(table, [Address("x", "GET PUT", "/data/projects/{project}")])
    assert there.state == "works"
    (half,) = support(table, [Address("x", "GET PATCH", "/data/projects/{project}")])
    assert (half.state, half.lacking) == ("not yet", ("PATCH",))
    # Settings take any word; that is no route for all words.
    (word,) = support(table, [Address("x", "GET", "/data/projects/{project}/nonsense")])
    assert word.state == "not yet"


def test_what_never_works_has_its_reason_and_no_route() -> None:
    for one in support(routes()):
        if one.state == "never":
            assert one.address.never
            assert set(one.lacking) == set(one.address.methods.split()), one.address.address
    assert len({(a.methods, a.address) for a in ADDRESSES}) == len(ADDRESSES)
    assert support_page(routes()).count("\n| ") == len(ADDRESSES) + 2


def test_all_of_the_hierarchy_works() -> None:
    for one in support(routes()):
        if one.address.area in ("ConnectomeDB", "Stored data"):
            assert one.state != "not yet", one.address.address


def test_a_glance_never_hides_a_route() -> None:
    """Every route takes what its own pattern takes."""
    for route in routes():
        if isinstance(route, Route):
            for rest in ("x", "x/y/z"):
                path = re.sub(r"\{\w+:path\}", rest, route.path.replace("{item:item}", "projects/x"))
                path = re.sub(r"\{\w+\}", "x", path)
                method = next(iter(route.methods or ()))
                for root_path in ("", "/site"):
                    scope = {
                        "type": "http",
                        "method": method,
                        "path": root_path + path,
                        "root_path": root_path,
                    }
                    assert route.matches(scope)[0] == Match.FULL, path

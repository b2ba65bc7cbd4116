"""Counts over the rows of a question: what pages and notebooks draw."""

from __future__ import annotations

from typing import cast

from starlette.responses import Response

from connectomedb.errors import BadConstraint
from connectomedb.search.query import FieldRef
from connectomedb.search.search_xml import parse_search
from connectomedb.server.inbound import Ask
from connectomedb.server.outbound import answer_search
from connectomedb.store.facets import KINDS, Facet, FacetKind


def facet(ask: Ask) -> Response:
    """`field=`, `kind=`, `bins=` (a number, or edges with commas) and `against=` over a search document."""
    query = parse_search(ask.document())
    if not ask.param("field"):
        raise BadConstraint("name the field to count: field=NEO_NEOFAC_A")
    kind = ask.param("kind") or "values"
    if kind not in KINDS:
        raise BadConstraint(f"kind={kind!r} is none; there are: {', '.join(KINDS)}")
    against = ask.param("against")
    asked = Facet(
        _ref(ask.param("field"), query.root),
        cast(FacetKind, kind),
        _bins(ask),
        _ref(against, query.root) if against else None,
    )
    return answer_search(ask, ask.archive.facet(query, asked, ask.who).stream())


def _ref(name: str, root: str) -> FieldRef:
    head, slash, tail = name.partition("/")
    return FieldRef(head, tail) if slash and ":" in head else FieldRef(root, name)


def _bins(ask: Ask) -> int | tuple[str, ...]:
    if "," in ask.param("bins"):
        return ask.words("bins")
    found = ask.number("bins")
    return 10 if found is None else found

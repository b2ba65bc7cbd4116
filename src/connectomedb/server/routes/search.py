"""The search service: questions, and the words they can be asked in."""

from __future__ import annotations

from dataclasses import replace

from starlette.responses import Response

from connectomedb.errors import BadConstraint
from connectomedb.search.explain import explain as sentence_of
from connectomedb.search.query import FieldRef, SearchQuery, SortBy
from connectomedb.search.resolve import resolve
from connectomedb.search.search_xml import parse_search
from connectomedb.server.inbound import Ask
from connectomedb.server.outbound import answer_json, chosen_media, media_response, search_body


def search(ask: Ask) -> Response:
    """The rows that a search document asks for."""
    query, media = _query(ask), chosen_media(ask, "json")

    def make() -> bytes:
        return search_body(ask.archive.search(query, ask.who), media)

    return media_response(ask.answers.get((query, ask.who, media), ask.archive.data_version(), make), media)


def explain(ask: Ask) -> Response:
    """What a search document asks, as a sentence and as SQL."""
    query = _query(ask)
    sentence = sentence_of(resolve(query, ask.site.types))
    sql = ask.archive.explain(query, ask.who).removeprefix(sentence).strip()
    return answer_json({"sentence": sentence, "sql": sql})


def _query(ask: Ask) -> SearchQuery:
    query = parse_search(ask.document())
    wanted = ask.param("sortBy")
    if not wanted:
        return query
    order = ask.param("sortOrder").upper() or "ASC"
    if order not in ("ASC", "DESC"):
        raise BadConstraint(f"sortOrder={ask.param('sortOrder')!r} is neither ASC nor DESC")
    element, dot, name = wanted.partition(".")
    ref = FieldRef(element, name) if dot and ":" in element else FieldRef(query.root, wanted)
    return replace(query, sort_by=SortBy(ref, "DESC" if order == "DESC" else "ASC"))

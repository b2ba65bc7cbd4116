"""The search service: questions, their answers in pages, and the words they can be asked in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from starlette.responses import Response

from connectomedb.errors import BadConstraint, NotValid, QueryError, UnknownDataType
from connectomedb.schema.registry import DataTypes
from connectomedb.search.explain import explain as sentence_of
from connectomedb.search.query import CriteriaSet, FieldRef, SearchQuery, SortBy
from connectomedb.search.resolve import ResolvedField, resolve
from connectomedb.search.search_xml import parse_search
from connectomedb.search.usable import usable
from connectomedb.server.failures import RootRefused
from connectomedb.server.inbound import Ask
from connectomedb.server.outbound import answer_json, answer_search
from connectomedb.store.investigators import INVESTIGATOR
from connectomedb.store.results import Kept
from connectomedb.tables.result import ResultStream


def search(ask: Ask) -> Response:
    """The rows that a search document asks for, or the first page of an answer that is kept."""
    query = parse_search(ask.document())
    if ask.param("cache").lower() == "true":
        return _first_page(ask, query)
    asked = ask_archive(ask, query)
    return answer_search(ask, asked.answer, headers=asked.warning, question=asked.query.bare())


def page(ask: Ask) -> Response:
    """Rows of a kept answer."""
    kept = ask.archive.results.find(ask.part("id"), ask.who)
    rows = ask.archive.results.page(
        kept,
        offset=_count(ask, "offset") or 0,
        limit=_count(ask, "limit"),
        sort_by=ask.param("sortBy"),
        descending=_order(ask) == "DESC",
    )
    facts = {"totalRecords": str(kept.n_rows), "ID": kept.id}
    return answer_search(ask, rows, facts=facts, described=False)


def values(ask: Ask) -> Response:
    """The values of one column of a kept answer, each with its count."""
    kept = ask.archive.results.find(ask.part("id"), ask.who)
    key = ask.part("column")
    table = ask.archive.results.values(kept, key)
    return answer_search(ask, table.stream(), facts={"ID": kept.id, "COLUMN": key}, described=False)


def explain(ask: Ask) -> Response:
    """What a search document asks, as a sentence and as SQL."""
    query = sorted_as_asked(ask, parse_search(ask.document()))
    sentence = sentence_of(resolve(query, ask.site.types))
    sql = ask.archive.explain(query, ask.who).removeprefix(sentence).strip()
    return answer_json({"sentence": sentence, "sql": sql})


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that was understood: what is really asked, the answer, and a header about what is not."""

    query: SearchQuery
    answer: ResultStream
    warning: Mapping[str, str]


def ask_archive(ask: Ask, query: SearchQuery) -> Asked:
    """Ask a question under the address's `sortBy`.

    For a caller with `Prefer: handling=lenient` unknown columns are left out, with a warning (RFC 7240).
    Raises  RootRefused; BadConstraint, UnknownField
    """
    check_root(ask, query.root)
    query = sorted_as_asked(ask, query)
    try:
        return Asked(query, ask.archive.search_stream(query, ask.who), {})
    except QueryError:
        if "handling=lenient" not in ask.request.headers.get("prefer", "").lower():
            raise
        understood, unknown = usable(query, ask.site.types)
        if not unknown:
            raise
    names = ", ".join(str(field.ref) for field in unknown)
    text = "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "?" for c in names)[:1000]
    warning = {"Warning": f'299 connectomedb "unknown search fields were left out: {text}"'}
    return Asked(understood, ask.archive.search_stream(understood, ask.who), warning)


def check_root(ask: Ask, root: str) -> None:
    """Raises RootRefused for a type that there is not, or that nobody searches."""
    types = ask.site.types
    try:
        data_type = types.get(root)
    except UnknownDataType as error:
        raise RootRefused(error.name, error.nearest) from error
    if not _has_rows(data_type.xsi_type, types):
        raise RootRefused(root, ())


@lru_cache(maxsize=512)
def _has_rows(xsi_type: str, types: DataTypes) -> bool:
    """Items can be of this type, or of one that extends it."""
    searchable = {t.xsi_type for t in types.searchable()} | {INVESTIGATOR}
    return any(t.xsi_type in searchable for t in types.subtypes(xsi_type))


def sorted_as_asked(ask: Ask, query: SearchQuery) -> SearchQuery:
    """The question under the address's `sortBy`: a column key, a display id, or `type.FIELD`."""
    wanted = ask.param("sortBy").strip()
    if not wanted:
        return query
    order = _order(ask)
    element, dot, name = wanted.partition(".")
    ref = FieldRef(element, name) if dot and ":" in element else FieldRef(query.root, wanted)
    if query.fields and wanted == wanted.lower():
        for field in _columns(query, ask.site.types):
            if field.key == wanted:
                value = f"={field.value}" if field.value else ""
                ref = FieldRef(field.element_name, field.display.id + value)
    return replace(query, sort_by=SortBy(ref, "DESC" if order == "DESC" else "ASC"))


def _columns(query: SearchQuery, types: DataTypes) -> tuple[ResolvedField, ...]:
    """The columns of a question, those that nobody knows left out."""
    bare = replace(query, where=CriteriaSet(), sort_by=None)
    try:
        return resolve(bare, types).fields
    except QueryError:
        return resolve(usable(bare, types)[0], types).fields


def kept_answer(
    ask: Ask,
    kept: Kept,
    *,
    limit: int | None,
    headers: Mapping[str, str],
    sort_by: str = "",
    facts: Mapping[str, str] | None = None,
) -> Response:
    """The first rows of a kept answer, with everything about its columns."""
    descending = _order(ask) == "DESC"
    rows = ask.archive.results.page(kept, limit=limit, sort_by=sort_by, descending=descending)
    facts = {**(facts or {}), "totalRecords": str(kept.n_rows), "ID": kept.id}
    return answer_search(ask, rows, facts=facts, headers=headers)


def _first_page(ask: Ask, query: SearchQuery) -> Response:
    search_id = query.search_id if query.search_id and not query.search_id.startswith("@") else ""
    limit = _count(ask, "limit") or 0
    question = repr(sorted_as_asked(ask, query))
    if search_id and ask.param("refresh").lower() != "true":
        # Deviation: XNAT answers from the last run even when the document changed since.
        kept = ask.archive.results.latest(ask.who, search_id)
        if kept is not None and kept.question == question:
            return kept_answer(ask, kept, limit=limit, headers={})
    asked = ask_archive(ask, query)
    kept = ask.archive.results.keep(asked.answer, ask.who, search_id=search_id, question=question)
    return kept_answer(ask, kept, limit=limit, headers=asked.warning)


def _count(ask: Ask, name: str) -> int | None:
    try:
        return ask.number(name)
    except BadConstraint as problem:
        raise NotValid([str(problem)]) from problem


def _order(ask: Ask) -> str:
    order = ask.param("sortOrder").upper() or "ASC"
    if order not in ("ASC", "DESC"):
        raise BadConstraint(f"sortOrder={ask.param('sortOrder')!r} is neither ASC nor DESC")
    return order

"""From a table, an item or a page to the response: the representation that was asked for.

`format=` wins, then `Accept`, then the default: JSON for tables, a page for single items.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

from connectomedb.errors import BadConstraint, ConfigurationError
from connectomedb.schema.documents import read_document, write_document
from connectomedb.schema.model import Item
from connectomedb.server.auth import csrf_token
from connectomedb.server.failures import NotOffered
from connectomedb.server.inbound import Ask
from connectomedb.server.item_json import item_json, spelled
from connectomedb.server.streaming import Streamed
from connectomedb.store.edits import revision
from connectomedb.tables.formats import stream, stream_page_json, stream_search_json, stream_xlist, write
from connectomedb.tables.frames import arrow_stream, parquet_stream
from connectomedb.tables.result import Cell, Column, ResultStream, ResultTable

M = TypeVar("M")
Media = Literal["json", "csv", "xml", "html"]
SearchMedia = Literal["json", "csv", "xml", "html", "xlist", "arrow", "parquet"]

CONTENT_TYPES: dict[SearchMedia, str] = {
    "json": "application/json; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "xml": "text/xml; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "xlist": "text/html; charset=utf-8",
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
}
_WORDS: dict[str, Media] = {
    "json": "json",
    "csv": "csv",
    "xml": "xml",
    "html": "html",
    "application/json": "json",
    "text/csv": "csv",
    "text/xml": "xml",
    "application/xml": "xml",
    "text/html": "html",
}
_SEARCH_WORDS: dict[str, SearchMedia] = {
    **_WORDS,
    "xlist": "xlist",
    "arrow": "arrow",
    "parquet": "parquet",
    "application/vnd.apache.arrow.stream": "arrow",
    "application/vnd.apache.parquet": "parquet",
}
_TABLE_HEADERS = {"Vary": "Accept, Cookie, Authorization", "Cache-Control": "no-store"}
WEB = Path(__file__).parent / "web"
_PAGES = Environment(
    loader=FileSystemLoader(WEB / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Vary": "Accept, Cookie, Authorization",
}


def chosen_media(ask: Ask, default: Media) -> Media:
    """The representation that was asked for. Raises BadConstraint for one that is not offered."""
    return _chosen(ask, default, _WORDS)


def chosen_search_media(ask: Ask) -> SearchMedia:
    """The same among those of a search; JSON when nothing was said."""
    return _chosen(ask, "json", _SEARCH_WORDS)


def _chosen(ask: Ask, default: M, words: Mapping[str, M]) -> M:
    wanted = ask.param("format").strip().lower()
    if wanted:
        if wanted not in words:
            offered = ", ".join(sorted(word for word in words if "/" not in word))
            raise BadConstraint(f"format={wanted!r} is not offered here; there are: {offered}")
        return words[wanted]
    offers: list[tuple[float, M]] = []
    for entry in ask.request.headers.get("accept", "").split(","):
        name, *options = (piece.strip().lower() for piece in entry.split(";"))
        if name in words:
            offers.append((_quality(options), words[name]))
        elif name == "*/*":
            offers.append((_quality(options), default))
    offers = [offer for offer in offers if offer[0] > 0]
    return max(offers, key=lambda offer: offer[0])[1] if offers else default


def answer_table(ask: Ask, table: ResultTable) -> Response:
    """A listing, sorted and cut as the query string says."""
    table = page_of(ask, sorted_by(table, ask.words("sortBy"), ask.param("sortOrder")))
    return table_response(table, chosen_media(ask, "json"))


def answer_search(
    ask: Ask,
    answer: ResultStream,
    *,
    facts: Mapping[str, str] | None = None,
    described: bool = True,
    headers: Mapping[str, str] | None = None,
    question: Hashable = None,
) -> Response:
    """The answer of a search, sent while it is read; of the same `question`, as it was sent last time.

    `described` says that JSON tells about the columns too; `facts` stand beside the rows there and in XML.
    """
    media = chosen_search_media(ask)
    headers = {**_TABLE_HEADERS, **(headers or {})}
    answer = replace(answer, properties={**answer.properties, **(facts or {})})
    linked = ask.param("format").lower() == "json"
    pieces = _pieces(answer, media, described=described, linked=linked)
    if question is not None:
        key, version = (question, answer.title, ask.who, media, linked), ask.archive.data_version()
        found = ask.answers.find(key, version)
        if found is not None:
            answer.stop()
            return Response(found, 200, headers, CONTENT_TYPES[media])
        pieces = ask.answers.keeping(key, version, pieces)
    return Streamed(pieces, answer.stop, headers, CONTENT_TYPES[media])


def _pieces(answer: ResultStream, media: SearchMedia, *, described: bool, linked: bool) -> Iterator[bytes]:
    if media == "json":
        return stream_search_json(answer, linked=linked) if described else stream_page_json(answer)
    if media == "xlist":
        return stream_xlist(answer)
    try:
        if media == "arrow":
            return arrow_stream(answer)
        if media == "parquet":
            return parquet_stream(answer)
    except ConfigurationError as problem:
        raise NotOffered(f"this server cannot send {media}: {problem}") from problem
    return stream(answer, media)


def table_response(table: ResultTable, media: Media) -> Response:
    """A table in one representation."""
    return media_response(write(table, media), media)


def answer_item(ask: Ask, item: Item, *, insert_date: datetime | None, heading: str) -> Response:
    """One project, subject or experiment as a document, as JSON or as a page."""
    media = chosen_media(ask, "html")
    if media in ("xml", "json"):
        state = revision(item)
        headers = {**_TABLE_HEADERS, "Cache-Control": "private, no-cache", "ETag": f'"{state}-{media}"'}
        earlier = _earlier(ask, item)
        if not earlier and state in ask.revisions("if-none-match"):
            return Response(None, 304, headers)
        if media == "xml":
            document = write_document(item, ask.site.types, site_url=ask.site_url)
            return Response(document, 200, headers, CONTENT_TYPES[media])
        answer = answer_json({"items": [item_json(item, ask.site.types, insert_date), *earlier]})
        answer.headers.update(headers)
        return answer
    if media == "csv":
        raise BadConstraint("a single item has no CSV form; ask for xml, json or html, or for a listing")
    values = [(path, spelled(value)) for path, value in item.values.items()]
    return answer_page(ask, "item.html", heading=heading, item=item, values=values, path=ask.request.url.path)


def _earlier(ask: Ask, item: Item) -> list[dict[str, object]]:
    """Earlier versions of the item, the last first, where they are asked for."""
    if not ask.flag("includeHistory"):
        return []
    earlier = []
    for change in ask.archive.history(item.text("ID"), ask.who):
        if change.document:
            old = read_document(change.document.encode(), ask.site.types)
            earlier.append(item_json(old, ask.site.types, change.at, is_history=True))
    return earlier


def answer_json(value: object, status: int = 200) -> Response:
    """A value as JSON."""
    return Response(json.dumps(value, ensure_ascii=False), status, None, CONTENT_TYPES["json"])


def answer_text(text: str, status: int = 200) -> Response:
    """Bare text, without a line end."""
    return Response(text, status, None, "text/plain; charset=utf-8")


def answer_page(ask: Ask, template: str, **values: object) -> Response:
    """A page of the site for a person."""
    site = ask.site
    text = _PAGES.get_template(template).render(
        title=site.title or site.site_id,
        synthetic=site.synthetic,
        who=ask.who,
        csrf=csrf_token(ask.caller.session_id) if ask.caller.session_id else "",
        **values,
    )
    return Response(text, 200, _PAGE_HEADERS, CONTENT_TYPES["html"])


def text_table(title: str, keys: Sequence[str], rows: Sequence[Sequence[Cell]]) -> ResultTable:
    """A table of text columns."""
    return ResultTable(tuple(Column(k) for k in keys), tuple(tuple(r) for r in rows), title)


def sorted_by(table: ResultTable, keys: Sequence[str], order: str) -> ResultTable:
    """The finished table sorted by columns of it, empty cells last. Raises BadConstraint."""
    if not keys:
        return table
    if order.upper() not in ("", "ASC", "DESC"):
        raise BadConstraint(f"sortOrder={order!r} is neither ASC nor DESC")
    by_name = {key.lower(): position for position, key in enumerate(table.keys)}
    rows = list(table.rows)
    for key in reversed(keys):
        if key.lower() not in by_name:
            raise BadConstraint(
                f"sortBy={key!r} is no column of this table; there are: {', '.join(table.keys)}"
            )
        p = by_name[key.lower()]
        filled = [row for row in rows if row[p] is not None]
        empty = [row for row in rows if row[p] is None]
        filled.sort(key=lambda row, p=p: row[p], reverse=order.upper() == "DESC")  # type: ignore[misc]  # one column
        rows = filled + empty
    return ResultTable(table.columns, tuple(rows), table.title, table.root, dict(table.properties))


def page_of(ask: Ask, table: ResultTable) -> ResultTable:
    """The rows that `limit` and `offset` name; without either, all of them."""
    if not ask.param("limit") and not ask.param("offset"):
        return table
    start = ask.number("offset") or 0
    limit = ask.number("limit") if ask.param("limit") else 100
    rows = table.rows[start:] if limit is None else table.rows[start : start + limit]
    return ResultTable(table.columns, rows, table.title, table.root, dict(table.properties))


def _quality(options: Sequence[str]) -> float:
    for option in options:
        if option.startswith("q="):
            try:
                return float(option[2:])
            except ValueError:
                return 0.0
    return 1.0


def media_response(content: bytes, media: Media) -> Response:
    """Finished bytes in one representation."""
    return Response(content, 200, _TABLE_HEADERS, CONTENT_TYPES[media])

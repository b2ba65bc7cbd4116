"""Saved searches of the site and of projects, and the generated ones: `@xnat:subjectData`."""

from __future__ import annotations

from dataclasses import replace

from starlette.responses import Response

from connectomedb.errors import BadConstraint, NotFound, UnknownDataType
from connectomedb.search.defaults import print_default, project_search, site_search
from connectomedb.search.query import SearchQuery
from connectomedb.search.search_xml import parse_search, print_search
from connectomedb.server.inbound import Ask
from connectomedb.server.outbound import CONTENT_TYPES, answer_search, answer_table, answer_text
from connectomedb.server.routes.search import ask_archive, check_root, kept_answer, sorted_as_asked
from connectomedb.tables.cells import spell

_ATTACHMENT = {"Content-Disposition": "attachment; filename=results.csv"}


def listing(ask: Ask) -> Response:
    """The saved searches that the caller may use; `includeTag` says those of which projects."""
    project = _project(ask)
    tag = ask.param("includeTag")
    if project:
        return answer_table(ask, ask.archive.searches.listing(ask.who, tag=project))
    if ask.who.is_admin and ask.param("all").lower() == "true":
        return answer_table(ask, ask.archive.searches.listing(ask.who, every=True))
    who = ask.archive.find_user(ask.param("user")) if ask.who.is_admin and ask.param("user") else ask.who
    if tag.lower() in ("", "true", "false"):
        return answer_table(ask, ask.archive.searches.listing(who, tagged=tag.lower() == "true"))
    try:
        tag = ask.archive.locate_project(tag, ask.who)
    except NotFound as problem:
        raise BadConstraint(f"includeTag={tag!r} is neither true nor a project: {problem}") from problem
    return answer_table(ask, ask.archive.searches.listing(who, tag=tag))


def document(ask: Ask) -> Response:
    """One search as a document."""
    project, search_id = _project(ask), ask.part("id")
    query = _find(ask, project, search_id)
    written = print_default(query) if search_id.startswith("@") else print_search(query)
    return Response(written, 200, None, CONTENT_TYPES["xml"])


def save(ask: Ask) -> Response:
    """Keep the search of the body; the answer is the id under which it is kept."""
    project = _project(ask)
    query = parse_search(ask.document())
    check_root(ask, query.root)
    if project:
        query = replace(query, tag=project)
    as_copy = ask.param("saveAs").lower() == "true"
    return answer_text(ask.archive.searches.save(ask.part("id"), query, ask.who, as_copy=as_copy))


def delete(ask: Ask) -> Response:
    """Take the caller off a search; the last one to go deletes it."""
    project, search_id = _project(ask), ask.part("id")
    if project:
        _find(ask, project, search_id)
    ask.archive.searches.delete(search_id, ask.who)
    return answer_text("")


def results(ask: Ask) -> Response:
    """The rows of a search: those of its last kept answer, or new ones with `refresh=true`."""
    project, search_id = _project(ask), ask.part("id")
    query = _find(ask, project, search_id)
    headers = _ATTACHMENT if ask.param("format").lower() == "csv" else {}
    generated = search_id.startswith("@")
    if ask.param("refresh").lower() == "true":
        ask.archive.results.forget(ask.who, search_id)
    elif not generated:
        kept = ask.archive.results.latest(ask.who, search_id)
        if kept is not None:
            read_at = {"last_access": spell(kept.made_at, "dateTime")}
            sort_by = ask.param("sortBy")
            return kept_answer(ask, kept, limit=None, headers=headers, sort_by=sort_by, facts=read_at)
    asked = ask_archive(ask, query)
    if ask.param("cache").lower() == "true" and not generated:
        question = repr(sorted_as_asked(ask, query))
        kept = ask.archive.results.keep(asked.answer, ask.who, search_id=search_id, question=question)
        return kept_answer(ask, kept, limit=None, headers={**headers, **asked.warning})
    return answer_search(ask, asked.answer, headers={**headers, **asked.warning})


def _find(ask: Ask, project: str, search_id: str) -> SearchQuery:
    """The search of that id; below a project one that belongs to it. Raises NotFound."""
    if search_id.startswith("@"):
        return _generated(ask, project, search_id[1:])
    query = ask.archive.searches.find(search_id, ask.who)
    if project and query.tag != project:
        raise NotFound(f"the project {project} has no saved search {search_id[:80]!r}")
    return query


def _generated(ask: Ask, project: str, xsi_type: str) -> SearchQuery:
    types, version = ask.site.types, ask.param("dv")
    try:
        check_root(ask, xsi_type)
        if not project:
            return site_search(xsi_type, types, version)
        return project_search(
            project, xsi_type, types, ask.archive.types_in_project(project, ask.who), version
        )
    except UnknownDataType as problem:
        raise NotFound(f"there is no generated search: {problem}") from problem


def _project(ask: Ask) -> str:
    """Id of the project in the address; '' when there is none. Raises NoSuchProject."""
    return ask.archive.locate_project(ask.part("project"), ask.who) if ask.part("project") else ""

"""The addresses of questions: searches, saved ones, data types and their schemas, facets, terms and tiers."""

from __future__ import annotations

from starlette.routing import BaseRoute

from connectomedb.server.routes import facets, saved_searches, schemas, search, terms, types
from connectomedb.server.routing import get, post


def search_routes() -> list[BaseRoute]:
    """Everything that is asked over many items at once, and what can be asked."""
    p = "/data/projects/{project}"
    return [
        post("/data/search", search.search),
        get("/data/search/elements", types.elements),
        get("/data/search/elements/{xsi_type}", types.fields),
        post("/data/search/elements/{xsi_type}", schemas.register, "PUT"),
        get("/data/search/elements/{xsi_type}/versions", types.versions),
        get("/data/search/saved", saved_searches.listing),
        get("/data/search/saved/{id}", saved_searches.document),
        post("/data/search/saved/{id}", saved_searches.save, "PUT"),
        post("/data/search/saved/{id}", saved_searches.delete, "DELETE"),
        get("/data/search/saved/{id}/results", saved_searches.results),
        get(p + "/searches", saved_searches.listing),
        get(p + "/searches/{id}", saved_searches.document),
        post(p + "/searches/{id}", saved_searches.save, "PUT"),
        post(p + "/searches/{id}", saved_searches.delete, "DELETE"),
        get(p + "/searches/{id}/results", saved_searches.results),
        get("/data/search/{id}", search.page),
        get("/data/search/{id}/{column}", search.values),
        get("/data/terms", terms.mine),
        get(p + "/terms/{tier}", terms.terms),
        post(p + "/terms/{tier}", terms.accept, "PUT"),
        post(p + "/terms/{tier}", terms.change_terms),
        get(p + "/tiers", terms.holders),
        post(p + "/tiers/{tier}/users/{login}", terms.grant, "PUT"),
        post(p + "/tiers/{tier}/users/{login}", terms.withdraw, "DELETE"),
        get("/xapi/schemas", schemas.names),
        get("/xapi/schemas/datatypes", schemas.data_types),
        get("/xapi/schemas/datatypes/searchable", schemas.searchable),
        get("/xapi/schemas/datatypes/names/{xsi_type}", schemas.type_names),
        post("/xapi/schemas/datatypes/names", schemas.type_names),
        get("/xapi/schemas/datatypes/elements/{xsi_type}", schemas.type_elements),
        post("/xapi/schemas/datatypes/elements", schemas.type_elements),
        get("/xapi/schemas/{name:path}", schemas.schema),
        get("/xapi/{name:path}.xsd", schemas.schema),
        get("/schemas/{name:path}", schemas.schema),
        post("/xapi/connectomedb/explain", search.explain),
        post("/xapi/connectomedb/facets", facets.facet),
    ]

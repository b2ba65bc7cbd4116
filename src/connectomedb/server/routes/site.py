"""What the site is: its home page, its version, what it offers beyond XNAT."""

from __future__ import annotations

from starlette.responses import Response

import connectomedb
from connectomedb.errors import NotFound
from connectomedb.server.auth import local_path
from connectomedb.server.inbound import Ask
from connectomedb.server.openapi import openapi
from connectomedb.server.outbound import answer_json, answer_page, answer_text

# Clients choose their dialect by this; ours stands beside it.
XNAT_VERSION = "1.9.0"
FEATURES = ("labels", "files", "explain", "facets")


def home(ask: Ask) -> Response:
    """What the site holds, as far as the caller may see it."""
    projects = []
    types: list[tuple[str, str, int]] = []
    if ask.caller.session_id or not ask.gate.is_closed(ask.archive):
        members = ask.archive.count_members(ask.who)
        for row in ask.archive.listing("projects", ask.who).as_dicts():
            project_id = str(row["ID"])
            held = [members.get((project_id, family), 0) for family in ("subject", "experiment")]
            projects.append((project_id, row["name"], row["description"], *held))
        counts = ask.archive.elements_used(ask.who)
        types = [
            (t.xsi_type, ask.site.types.display(t.xsi_type).plural, counts[t.xsi_type])
            for t in ask.site.types.searchable()
            if counts.get(t.xsi_type)
        ]
    return answer_page(
        ask,
        "home.html",
        projects=projects,
        types=types,
        mirror=ask.site.mirror_url if ask.caller.session_id else "",
        logged_in=bool(ask.caller.session_id),
        refused=bool(ask.param("refused")),
        to=local_path(ask.param("to")),
    )


def build_info(ask: Ask) -> Response:
    """The version, as XNAT's clients read it, and our own."""
    return answer_json(_build())


def build_property(ask: Ask) -> Response:
    """One line of the version."""
    facts = _build()
    if ask.part("property") not in facts:
        raise NotFound(f"no {ask.part('property')!r} in the build; there are: {', '.join(facts)}")
    return answer_text(facts[ask.part("property")])


def plugins(ask: Ask) -> Response:
    """There are no plugins."""
    return answer_json({})


def description(ask: Ask) -> Response:
    """The whole interface as an OpenAPI document."""
    return answer_json(openapi(ask.request.app.routes))


def announcement(ask: Ask) -> Response:
    """What this server offers beyond XNAT."""
    return answer_json(
        {
            "server": "connectomedb",
            "version": connectomedb.__version__,
            "features": list(FEATURES),
            "synthetic": ask.site.synthetic,
            "mirror": ask.site.mirror_url,
        }
    )


def _build() -> dict[str, str]:
    return {"version": XNAT_VERSION, "connectomedb": connectomedb.__version__, "tag": XNAT_VERSION}

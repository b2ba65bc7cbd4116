"""The addresses of the hierarchy: every form of each level, with what reads and what changes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from starlette.routing import BaseRoute

from connectomedb.server.routes import edits, hierarchy, trailing

Get = Callable[..., BaseRoute]
Post = Callable[..., BaseRoute]

P, S, E = "/data/projects/{project}", "/subjects/{subject}", "/experiments/{experiment}"
SUBJECTS = (P + S, "/data" + S)
EXPERIMENTS = (P + S + E, P + E, "/data" + S + E, "/data" + E)


def hierarchy_routes(get: Get, post: Post) -> Iterator[BaseRoute]:
    """Projects and everything in them; `get` and `post` make a route."""
    yield get("/data/projects", hierarchy.projects)
    yield post("/data/projects", edits.post_project)
    yield get(P, hierarchy.project)
    yield post(P, edits.put_project, "PUT")
    yield post(P, edits.delete_project, "DELETE")
    yield from _trailing(P, get)
    yield get("/data/subjects", hierarchy.subjects)
    yield get(P + "/subjects", hierarchy.subjects)
    yield post(P + "/subjects", edits.post_subject)
    for address in SUBJECTS:
        yield get(address, hierarchy.subject)
        yield post(address, edits.put_subject, "PUT")
        yield post(address, edits.delete_item, "DELETE")
        yield from _trailing(address, get)
        yield get(address + "/projects", trailing.shares)
        yield get(address + "/experiments", hierarchy.experiments)
        yield post(address + "/experiments", edits.post_experiment)
    yield get("/data/experiments", hierarchy.experiments)
    yield get(P + "/experiments", hierarchy.experiments)
    for address in EXPERIMENTS:
        yield get(address, hierarchy.experiment)
        yield post(address, edits.put_experiment, "PUT")
        yield post(address, edits.delete_item, "DELETE")
        yield from _trailing(address, get)
        yield get(address + "/projects", trailing.shares)
        yield from _inside(address, get, post)


def project_setting_routes(get: Get, post: Post) -> Iterator[BaseRoute]:
    """Settings of a project; they come after all other addresses below a project."""
    yield get(P + "/{setting}", trailing.setting)
    yield post(P + "/{setting}/{value:path}", trailing.put_setting, "PUT")


def _inside(session: str, get: Get, post: Post) -> Iterator[BaseRoute]:
    """What a session holds."""
    assessor = session + "/assessors/{assessor}"
    yield get(session + "/assessors", hierarchy.assessors)
    yield post(session + "/assessors", edits.post_assessor)
    yield get(assessor, hierarchy.assessor)
    yield post(assessor, edits.put_assessor, "PUT")
    yield post(assessor, edits.delete_item, "DELETE")
    yield from _trailing(assessor, get)
    yield get(assessor + "/projects", trailing.shares)
    for listing, one, name in (
        (hierarchy.scans, hierarchy.scan, "scan"),
        (hierarchy.reconstructions, hierarchy.reconstruction, "reconstruction"),
    ):
        part = f"{session}/{name}s/{{{name}}}"
        yield get(f"{session}/{name}s", listing)
        yield post(f"{session}/{name}s", edits.post_part)
        yield get(part, one)
        yield post(part, edits.put_part, "PUT")
        yield post(part, edits.delete_item, "DELETE")


def _trailing(item: str, get: Get) -> Iterator[BaseRoute]:
    yield get(item + "/status", trailing.status)
    yield get(item + "/history", trailing.history)

"""The addresses of the hierarchy: every form of each level, with what reads and what changes it."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.routing import BaseRoute

from connectomedb.server.routes import (
    configuration,
    custom_fields,
    edits,
    hierarchy,
    investigators,
    legacy,
    project_edits,
    sessions,
    trailing,
    upload,
)
from connectomedb.server.routing import get, post

P, S, E = "/data/projects/{project}", "/subjects/{subject}", "/experiments/{experiment}"
SUBJECTS = (P + S, "/data" + S)
EXPERIMENTS = (P + S + E, P + E, "/data" + S + E, "/data" + E)


def hierarchy_routes() -> Iterator[BaseRoute]:
    """Projects and everything in them."""
    yield get("/data/projects", hierarchy.projects)
    yield post("/data/projects", project_edits.post_project)
    yield get(P, hierarchy.project)
    yield post(P, project_edits.put_project, "PUT")
    yield post(P, project_edits.delete_project, "DELETE")
    yield from _trailing(P)
    yield get("/data/subjects", hierarchy.subjects)
    yield get(P + "/subjects", hierarchy.subjects)
    yield post(P + "/subjects", edits.post_subject)
    for address in SUBJECTS:
        yield get(address, hierarchy.subject)
        yield post(address, edits.put_subject, "PUT")
        yield post(address, edits.delete_item, "DELETE")
        yield from _trailing(address)
        yield get(address + "/experiments", hierarchy.experiments)
        yield post(address + "/experiments", edits.post_experiment)
    yield get("/data/experiments", hierarchy.experiments)
    yield get(P + "/experiments", hierarchy.experiments)
    for address in EXPERIMENTS:
        yield get(address, hierarchy.experiment)
        yield post(address, edits.put_experiment, "PUT")
        yield post(address, edits.delete_item, "DELETE")
        yield from _trailing(address)
        yield from _inside(address)


def beside_routes() -> Iterator[BaseRoute]:
    """What stands beside the hierarchy: kinds of scans, scanners, configurations, custom fields."""
    for place in ("/data", P):
        yield get(place + "/scan_types", trailing.scan_types)
        yield get(place + "/scanners", trailing.scanners)
        yield get(place + "/config", configuration.tools)
        yield get(place + "/config/{tool}", configuration.of_tool)
        yield get(place + "/config/{tool}/{path:path}", configuration.one)
        yield post(place + "/config/{tool}/{path:path}", configuration.put, "PUT")
        yield post(place + "/config/{tool}/{path:path}", configuration.delete, "DELETE")
    yield post("/xapi/archive/upload/xml", upload.upload, "PUT")
    yield get("/data/investigators", investigators.table)
    yield get("/xapi/investigators", investigators.listing)
    yield post("/xapi/investigators", investigators.create)
    yield get("/xapi/investigators/{number}", investigators.read)
    yield post("/xapi/investigators/{number}", investigators.change, "PUT")
    yield post("/xapi/investigators/{number}", investigators.delete, "DELETE")
    yield get("/data/prearchive", trailing.prearchive)
    yield get("/data/prearchive/projects", trailing.prearchive)
    yield get("/data/prearchive/projects/{project}", trailing.prearchive)
    experiments = [address.removeprefix("/data") for address in (P + S + E, P + E, "/data" + E)]
    held = [e + inner for e in experiments for inner in ("/scans/{scan}", "/assessors/{assessor}")]
    subjects = [address.removeprefix("/data") for address in SUBJECTS]
    for scope in (P.removeprefix("/data"), *subjects, *experiments, *held):
        fields = f"/xapi/custom-fields{scope}/fields"
        yield get(fields, custom_fields.read)
        yield post(fields, custom_fields.put, "PUT")
        yield get(fields + "/{name}", custom_fields.read_one)
        yield post(fields + "/{name}", custom_fields.delete, "DELETE")


def legacy_routes() -> Iterator[BaseRoute]:
    """Addresses of the original ConnectomeDB; they come before those that fit, too."""
    view = P + S + "/experiments/{view}_CREST/resources/{again}_CREST/files"
    yield get(view, legacy.subject_files)
    yield get(view + "/{path:path}", legacy.subject_file)
    yield get("/data/search/dict/{dictionary}/results", legacy.subject_export)
    yield get("/app/action/ChooseDownloadResources", legacy.download_link)
    yield post("/data/JSESSIONID", sessions.open_session, "GET", "POST", open_to_all=True)
    yield post("/data/JSESSIONID", sessions.close_session, "DELETE", open_to_all=True)


def project_setting_routes() -> Iterator[BaseRoute]:
    """Settings of a project; they come after all other addresses below a project."""
    yield get(P + "/{setting}", trailing.setting)
    yield post(P + "/{setting}/{value:path}", trailing.put_setting, "PUT")


def _inside(session: str) -> Iterator[BaseRoute]:
    """What a session holds."""
    assessor = session + "/assessors/{assessor}"
    yield get(session + "/assessors", hierarchy.assessors)
    yield post(session + "/assessors", edits.post_assessor)
    yield get(assessor, hierarchy.assessor)
    yield post(assessor, edits.put_assessor, "PUT")
    yield post(assessor, edits.delete_item, "DELETE")
    yield from _trailing(assessor)
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


def _trailing(item: str) -> Iterator[BaseRoute]:
    yield get(item + "/status", trailing.status)
    yield get(item + "/history", trailing.history)

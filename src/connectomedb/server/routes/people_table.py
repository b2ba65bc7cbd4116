"""The addresses of people: accounts, logins, tokens, rights, settings of the site, the audit log, sharing."""

from __future__ import annotations

from starlette.routing import BaseRoute

from connectomedb.server.routes import (
    access,
    audit_log,
    project_people,
    sessions,
    sharing,
    site,
    site_config,
    tokens,
    users,
)
from connectomedb.server.routing import get, post


def people_routes() -> list[BaseRoute]:
    """Accounts, logins, tokens, rights, settings of the site, the audit log."""
    p, users_, one = "/data/projects/{project}", "/xapi/users", "/xapi/users/{user}"
    tokens_, config = "/data/services/tokens", "/xapi/siteConfig"
    return [
        get("/app/template/Login.vm", site.home, open_to_all=True),
        get("/app/template/Index.vm", site.home, open_to_all=True),
        get("/data/users", users.table),
        get("/data/users/favorites/{type}", users.favorites),
        post("/data/users/favorites/{type}/{project}", users.keep_favorite, "PUT"),
        post("/data/users/favorites/{type}/{project}", users.drop_favorite, "DELETE"),
        get("/data/user", users.one_old),
        get("/data/user/{user}", users.one_old),
        get("/data/user/{user}/roles", users.roles_table),
        post("/data/user/{user}/roles", users.give_roles),
        get("/data/user/{user}/sessions", sessions.count_sessions),
        post("/data/user/{user}/sessions", sessions.end_sessions, "DELETE"),
        get(tokens_ + "/issue", tokens.issue),
        get(tokens_ + "/issue/user/{user}", tokens.issue),
        get(tokens_ + "/show", tokens.show),
        get(tokens_ + "/show/user/{user}", tokens.show),
        get(tokens_ + "/validate/{alias}/{secret}", tokens.validate),
        get(tokens_ + "/invalidate/{alias}", tokens.invalidate),
        get(tokens_ + "/invalidate/{alias}/{secret}", tokens.invalidate),
        get(tokens_ + "/{operation}", tokens.incomplete),
        get(tokens_ + "/{operation}/{rest:path}", tokens.incomplete),
        get(p + "/users", project_people.users),
        get(p + "/users/{disabled}", project_people.users),
        post(p + "/users/{group}/{user}", project_people.add_users, "PUT"),
        post(p + "/users/{group}/{user}", project_people.remove_users, "DELETE"),
        get(p + "/groups", project_people.groups),
        post(p + "/groups/{group}", project_people.keep_group, "PUT", "POST"),
        post(p + "/groups/{group}", project_people.drop_group, "DELETE"),
        get(p + "/accessibility", project_people.accessibility),
        post(p + "/accessibility", project_people.set_accessibility, "PUT"),
        post(p + "/accessibility/{level}", project_people.set_accessibility, "PUT"),
        get(p + "/prearchive_code", project_people.prearchive_code),
        post(p + "/prearchive_code/{code}", project_people.set_prearchive_code, "PUT"),
        get(p + "/quarantine_code", project_people.quarantine_code),
        post(p + "/quarantine_code/{code}", project_people.set_quarantine_code, "PUT"),
        get(p + "/pars", project_people.project_requests),
        post(p + "/pars", project_people.ask_access, "PUT", "POST"),
        get("/data/pars", project_people.my_requests),
        get("/data/pars/{id}", project_people.one_request),
        post("/data/pars/{id}", project_people.answer_request, "PUT"),
        get(users_, users.names),
        post(users_, users.create),
        get(users_ + "/username", users.user_name),
        get(users_ + "/profiles", users.profiles),
        get(users_ + "/profile", users.profile),
        get(users_ + "/profile/{user}", users.profile),
        get(users_ + "/projects", users.projects),
        get(users_ + "/current", sessions.current),
        get(users_ + "/active", sessions.active),
        get(users_ + "/active/{user}", sessions.active_of),
        post(users_ + "/active/{user}", sessions.end_sessions, "DELETE"),
        get(users_ + "/authProviders", users.providers),
        get(users_ + "/authDetails/{user}", users.auth_details),
        get(one, users.profile),
        post(one, users.change, "PUT"),
        get(one + "/enabled", users.enabled),
        post(one + "/enabled", users.set_enabled, "PUT"),
        post(one + "/enabled/{value}", users.set_enabled, "PUT"),
        get(one + "/verified", users.verified),
        post(one + "/verified", users.set_verified, "PUT"),
        post(one + "/verified/{value}", users.set_verified, "PUT"),
        get(one + "/roles", users.roles),
        post(one + "/roles/{role}", users.give_role, "PUT"),
        post(one + "/roles/{role}", users.take_role, "DELETE"),
        get(one + "/groups", users.groups),
        post(one + "/groups/{group}", users.enter_group, "PUT"),
        post(one + "/groups/{group}", users.leave_group, "DELETE"),
        get("/xapi/access/projects", access.projects),
        get("/xapi/access/displays/{kind}", access.displays),
        get("/xapi/role/projects", access.role_projects),
        get("/xapi/roles", access.roles),
        get(config, site_config.all_settings),
        post(config, site_config.change_settings),
        get(config + "/uptime", site_config.uptime),
        get(config + "/values/{names}", site_config.some_settings),
        *(get(f"{config}/{n}", site_config.open_setting, open_to_all=True) for n in site_config.OPEN_NAMES),
        get(config + "/{name}", site_config.one_setting),
        post(config + "/{name}", site_config.change_setting),
        get("/xapi/connectomedb/audit", audit_log.lines),
    ]


def sharing_routes() -> list[BaseRoute]:
    """Every way to say an item, and the projects that it is in."""
    p, s, e, a = (
        "/data/projects/{project}",
        "/subjects/{subject}",
        "/experiments/{experiment}",
        "/assessors/{assessor}",
    )
    experiments = (p + s + e, p + e, "/data" + s + e, "/data" + e)
    items = (p + s, "/data" + s, *experiments, *(one + a for one in experiments))
    return [
        route
        for item in items
        for route in (
            get(item + "/projects", sharing.projects),
            post(item + "/projects/{target}", sharing.share, "PUT"),
            post(item + "/projects/{target}", sharing.unshare, "DELETE"),
        )
    ]

"""Commands of a site's folder: init, serve, backup, restore and doctor."""

from __future__ import annotations

import secrets
from pathlib import Path

import click

from connectomedb.cli import common
from connectomedb.errors import ConfigurationError

_PASSWORD_BYTES = 15


def need_server_libraries() -> None:
    """Raise ConfigurationError when the server's libraries are not installed."""
    try:
        import sqlalchemy  # noqa: F401  # only whether it is there
        import starlette  # noqa: F401  # likewise
    except ImportError as problem:
        raise ConfigurationError(
            f"a site needs the server's libraries ({problem.name} is missing): "
            "pip install 'connectomedb[server]'"
        ) from problem


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--title", default="", help="Title shown on the pages.  [default: the folder's name]")
@click.option("--site-id", default="ConnectomeDB", show_default=True, help="Prefix of new ids.")
@click.option("--database", default="", help="URL of a PostgreSQL database instead of SQLite in the folder.")
@click.option("--admin", default="admin", show_default=True, help="Login of the first administrator.")
@click.option("--ask-password", is_flag=True, help="Ask for the administrator's password; else one is made.")
@common.as_json_option
def init_command(
    folder: Path, title: str, site_id: str, database: str, admin: str, ask_password: bool, as_json: bool
) -> None:
    """Make a new site in FOLDER: database, settings, first administrator.

    \b
    Example:
      connectomedb init mysite --title "Our study"
    """
    need_server_libraries()
    from connectomedb.store.site import init_site

    if (folder / "site.json").exists():
        raise ConfigurationError(f"{folder} holds a site already; choose another folder")
    if ask_password:
        password = click.prompt(f"Password of {admin}", hide_input=True, confirmation_prompt=True, err=True)
    else:
        password = secrets.token_urlsafe(_PASSWORD_BYTES)
    from connectomedb.store.passwords import check_password

    check_password(admin, password)  # before there is a site without anybody in it
    site = init_site(folder, database=database, title=title or folder.resolve().name, site_id=site_id)
    try:
        site.archive.add_user(admin, password, is_admin=True)
    finally:
        site.close()
    facts = {"folder": str(folder), "login": admin} | ({} if ask_password else {"password": password})
    text = f"site in {folder}; administrator {admin}"
    if not ask_password:
        text += f"\npassword, shown this once: {password}"
    common.emit(facts, as_json=as_json, text=f"{text}\nserve it with: connectomedb serve {folder}")


@click.command("serve")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path("."))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 picks a free one."
)
@common.as_json_option
def serve_command(folder: Path, host: str, port: int, as_json: bool) -> None:
    """Serve the site in FOLDER until interrupted.

    \b
    Example:
      connectomedb serve mysite --port 0
    """
    need_server_libraries()
    common.existing_site(folder)
    from connectomedb.server.run import serve
    from connectomedb.store.site import open_site

    site = open_site(folder)
    lifetime_s = float(common.setting("session_lifetime_s"))

    def ready(url: str) -> None:
        common.emit({"url": url}, as_json=as_json, text=f"serving {folder} at {url} (Ctrl-C ends it)")

    try:
        serve(site, host, port, ready, session_lifetime_s=lifetime_s)
    finally:
        site.close()


@click.command("backup")
@click.argument("site", type=click.Path(path_type=Path, file_okay=False))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@common.as_json_option
def backup_command(site: Path, file: Path, as_json: bool) -> None:
    """Write the database, uploaded files, data types and facts of SITE into FILE; the server may go on.

    Uploaded files in a store elsewhere stay there, and a restored site finds them there. The images of a
    mirror are not in it, nor is the password of a database.

    \b
    Example:
      connectomedb backup mysite mysite-monday.zip
    """
    need_server_libraries()
    common.existing_site(site)
    from connectomedb.server.housekeeping import back_up_site
    from connectomedb.store.site import open_site

    with open_site(site) as opened:
        manifest = back_up_site(opened, file)
    size_bytes = file.stat().st_size
    facts = {"file": str(file), "size_bytes": size_bytes, "members": dict(manifest.members)}
    facts |= {"files_elsewhere": manifest.elsewhere, "files_missing": list(manifest.missing)}
    said = f"{file}: {len(manifest.members)} members, {size_bytes} bytes, taken {manifest.taken}"
    said += f"; {manifest.n_files} uploaded files"
    if manifest.elsewhere:
        said += f"\nuploaded files stay at {manifest.elsewhere}: a restored site changes the same ones"
    if manifest.missing:
        said += f"\n{len(manifest.missing)} files have lost their bytes; `connectomedb doctor` names them"
    common.emit(facts, as_json=as_json, text=said)


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--database", default="", help="URL of an empty PostgreSQL database instead of SQLite.")
@common.as_json_option
def restore_command(file: Path, folder: Path, database: str, as_json: bool) -> None:
    """Make a site again from the backup FILE, in a new FOLDER; every byte is checked first.

    \b
    Example:
      connectomedb restore mysite-monday.zip mysite-again
    """
    need_server_libraries()
    from connectomedb.store.backup import restore

    manifest = restore(file, folder, database=database)
    facts = {"folder": str(folder), "taken": manifest.taken}
    common.emit(facts, as_json=as_json, text=f"site in {folder}, as it was at {manifest.taken}")


@click.command("doctor")
@click.argument("site", type=click.Path(path_type=Path, file_okay=False))
@click.option("--repair", is_flag=True, help="Mend what can be computed again.")
@common.as_json_option
def doctor_command(site: Path, repair: bool, as_json: bool) -> None:
    """Name what is wrong in the database and the files of SITE; status 1 when something is.

    \b
    Example:
      connectomedb doctor mysite --repair
    """
    need_server_libraries()
    common.existing_site(site)
    from connectomedb.server.housekeeping import examine_files
    from connectomedb.store.site import open_site

    with open_site(site) as opened:
        problems = opened.archive.repair() if repair else opened.archive.examine()
        problems += examine_files(opened, repair=repair)
    lines = [
        f"{one.check}: {one.where}: {one.said}" + (" (--repair mends it)" if one.repairable else "")
        for one in problems
    ]
    facts = [
        {"check": one.check, "where": one.where, "said": one.said, "repairable": one.repairable}
        for one in problems
    ]
    common.emit({"problems": facts}, as_json=as_json, text="\n".join(lines) or "nothing is wrong")
    if problems:
        raise click.exceptions.Exit(1)

"""Settings of a site that administrators change while it runs: what each is, and who may see it.

They are kept in the database, so that every server process goes by them with the next request. A name that is
not in the table does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, insert, select, update

from connectomedb.errors import AccessDenied, BadConstraint, NotFound
from connectomedb.store import tables as t
from connectomedb.vocabulary.records import Principal

Level = Literal["public", "user", "admin"]
SettingValue = str | bool | int
_PREFIX = "siteConfig."
_TRUTH = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class SiteSetting:
    """One setting: its default tells the type; `level` says who may read it."""

    name: str
    default: SettingValue
    level: Level
    help: str


SETTINGS: Mapping[str, SiteSetting] = {
    one.name: one
    for one in (
        SiteSetting("siteId", "", "public", "prefix of new ids; it is given when a site is made"),
        SiteSetting("siteUrl", "", "public", "address that people use for the site"),
        SiteSetting("siteHome", "/", "public", "page that the site begins with"),
        SiteSetting("siteLogoPath", "", "public", "path of the logo"),
        SiteSetting("siteDescription", "", "public", "a sentence about the site"),
        SiteSetting("requireLogin", True, "public", "closed: nothing is shown without a login"),
        SiteSetting("adminEmail", "", "user", "address of the administrators"),
        SiteSetting("enableCsrfToken", True, "admin", "changes by a browser's cookie need a token"),
        SiteSetting(
            "restrictUserListAccessToAdmins", False, "admin", "the list of people is for administrators"
        ),
        SiteSetting("aliasTokenLifetimeHours", 48, "admin", "hours after which an alias token ends"),
    )
}
_FIXED = ("siteId",)


def read_all(connection: Connection) -> dict[str, SettingValue]:
    """Every setting with its value."""
    s = t.setting.c
    rows = connection.execute(select(s.name, s.value).where(s.name.like("site%")))
    kept: dict[str, str] = dict(rows.all())
    found = {name: _read(one, kept.get(_PREFIX + name)) for name, one in SETTINGS.items()}
    return {**found, "siteId": kept.get("site_id", "")}


def read(connection: Connection, name: str) -> SettingValue:
    """The value of one setting. Raises NotFound."""
    one = _known(name)
    key = "site_id" if name == "siteId" else _PREFIX + name
    return _read(one, connection.scalar(select(t.setting.c.value).where(t.setting.c.name == key)))


def shown(connection: Connection, who: Principal) -> dict[str, SettingValue]:
    """The settings that the user may read."""
    return {name: value for name, value in read_all(connection).items() if _may_read(who, SETTINGS[name])}


def read_for(connection: Connection, name: str, who: Principal) -> SettingValue:
    """One setting. Raises NotFound; AccessDenied for one above the user's level."""
    if not _may_read(who, _known(name)):
        raise AccessDenied(f"the setting {name} is not for you to read; ask an administrator")
    return read(connection, name)


def change(connection: Connection, values: Mapping[str, object], who: Principal) -> None:
    """Give settings their values: all of them, or none.

    Raises  AccessDenied for everybody but administrators; NotFound for a name; BadConstraint for a value
    """
    if not who.is_admin:
        raise AccessDenied("the settings of the site are for administrators to change")
    spelled = {name: _spelled(_known(name), value) for name, value in values.items()}
    for name, text in spelled.items():
        here = t.setting.c.name == _PREFIX + name
        if not connection.execute(update(t.setting).where(here).values(value=text)).rowcount:
            connection.execute(insert(t.setting).values(name=_PREFIX + name, value=text))


def _known(name: str) -> SiteSetting:
    if name not in SETTINGS:
        raise NotFound(f"the site has no setting {name!r}; there are: {', '.join(SETTINGS)}")
    return SETTINGS[name]


def _may_read(who: Principal, one: SiteSetting) -> bool:
    return who.is_admin or one.level == "public" or (one.level == "user" and not who.is_guest)


def _read(one: SiteSetting, text: str | None) -> SettingValue:
    if text is None:
        return one.default
    if isinstance(one.default, bool):
        return text == "true"
    return int(text) if isinstance(one.default, int) else text


def _spelled(one: SiteSetting, value: object) -> str:
    if one.name in _FIXED:
        raise BadConstraint(f"{one.name} cannot be changed: ids that were given begin with it")
    text = str(value).strip()
    if isinstance(one.default, bool):
        if text.lower() not in _TRUTH:
            raise BadConstraint(f"{one.name}={text!r} is neither true nor false")
        return "true" if _TRUTH[text.lower()] else "false"
    if isinstance(one.default, int):
        if not (text.isascii() and text.isdigit() and 0 < int(text) < 100_000):
            raise BadConstraint(f"{one.name}={text!r} is no whole number above 0")
        return text
    if len(text) > 2000 or not text.isprintable():
        raise BadConstraint(f"{one.name} is a text of one line, at most 2000 characters")
    return text

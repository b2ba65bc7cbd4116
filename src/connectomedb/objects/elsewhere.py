"""Objects that a catalog points to and the site does not hold: `s3://…`, `gs://…`, `az://…`, `https://…`.

The server fetches them with its own credentials, so who may name one is decided before: see `may_point_to`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from urllib.parse import unquote, urlsplit

from connectomedb.errors import AccessDenied, BadPath
from connectomedb.objects.stores import ObjectInfo, open_store

SCHEMES = ("s3", "gs", "az", "http", "https")


def need_allowed(url: str, prefixes: Iterable[str], *, is_admin: bool) -> None:
    """Raises BadPath for what is no address of an object, AccessDenied for one that the user may not name.

    Administrators name any; others only what lies below one of the prefixes.
    """
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or not parts.netloc or "@" in parts.netloc or not parts.path.strip("/"):
        raise BadPath(f"{url[:200]!a} is no object; write s3://bucket/key, gs://, az:// or https://")
    if any(word in (".", "..") for word in unquote(parts.path).split("/")) or "\\" in url:
        raise BadPath(f"{url[:200]!a} has . or .. in it; write the address of the object itself")
    if is_admin or any(url.startswith(f"{prefix.rstrip('/')}/") for prefix in prefixes if prefix):
        return
    raise AccessDenied(
        f"{url[:200]!a} lies outside of what users may point to here; an administrator can enter it, or name "
        "its folder in the setting file_locations"
    )


def head_elsewhere(url: str) -> ObjectInfo:
    """Size and ETag of an object. Raises ObjectMissing, AccessDenied, TransferError."""
    store, key = _split(url)
    return open_store(store).head(key)


def read_elsewhere(url: str, start: int, end: int | None) -> Iterator[bytes]:
    """The bytes of an object from `start` up to `end` (or all that follow), about a megabyte at a time."""
    store, key = _split(url)
    return open_store(store).stream(key, start, end)


def presigned_elsewhere(url: str, lifetime: timedelta) -> str:
    """An address at which anybody reads the object for a while."""
    store, key = _split(url)
    return open_store(store).presigned(key, lifetime)


def _split(url: str) -> tuple[str, str]:
    """The store and the key: the folder around the object, options included, and its name."""
    parts = urlsplit(url)
    folder, _, name = parts.path.rpartition("/")
    return parts._replace(path=folder or "/").geturl(), unquote(name)

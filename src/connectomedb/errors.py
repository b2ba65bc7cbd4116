"""Every exception of connectomedb; the tree below is the map.

    ConnectomeDBError
      ConfigurationError(ValueError)      a setting, a site folder or an installation that cannot work
        WeakPassword                      a password that is easily guessed, with every reason
      ServerUnreachable(ConnectionError)  nobody answered
      ServerTimeout(TimeoutError)         nobody answered in time
      ServerFault                         5xx, or nonsense where data was promised
      AuthenticationError
        BadCredentials                    the name or the password is wrong
        LoginExpired                      the login ended and could not be renewed
        TooManyAttempts                   wrong passwords came too fast; says when to try again
      AccessDenied(PermissionError)       readable perhaps, but this may not be done
        TermsNotAccepted                  data-use terms stand in the way
        CredentialsExpired                the keys were good once; everything else would fail, too
      NotFound(LookupError)
        NoSuchProject  NoSuchSubject  NoSuchExperiment  NoSuchFile
      Conflict
        Outdated                          changed meanwhile
        LabelTaken  AlreadyShared
        ValueTaken                        a value that must be one of a kind on the site
      QueryError(ValueError)
        UnknownDataType                   with the nearest names
        UnknownField                      with the nearest names
        BadConstraint                     an operator, a value or a nesting that means nothing
        BadPath                           a path that names nothing, or that no file may have
      DocumentError(ValueError)
        NotWellFormed                     not XML, or XML that is refused unread
        NotValid                          every reason, each with its line
          ImportRefused                   rows or documents that an import left out
        ArchiveRefused                    a zip or tar that is not unpacked
      TransferError(OSError)
        ObjectMissing  ChecksumMismatch  Truncated  ManifestError  DiskFull
        ObjectChanged                     another object stands under the key than the one that was meant
        TargetRefused                     a name that cannot be one in the folder, or not safely
        FolderInUse                       another run works in the folder
        StoreBusy                         the store asked to come later, too often
        Stalled                           nothing came, or next to nothing
      TooMuch                             more than the site takes at once

A message names the thing and the cure; facts are attributes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connectomedb.store.report import IngestReport


class ConnectomeDBError(Exception):
    """Base of everything this package raises on purpose."""


class ConfigurationError(ConnectomeDBError, ValueError):
    """A setting, a site folder or an installation that cannot work as it is."""


class WeakPassword(ConfigurationError):
    """A password that is too easily guessed; `reasons` holds all that is wrong with it."""

    def __init__(self, reasons: Iterable[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__(f"this password is not good enough: it {'; it '.join(self.reasons)}; choose another")


class ServerUnreachable(ConnectomeDBError, ConnectionError):
    """Nobody answered at `url`."""

    def __init__(self, message: str, *, url: str = "") -> None:
        super().__init__(message)
        self.url = url


class ServerTimeout(ConnectomeDBError, TimeoutError):
    """The server at `url` did not answer in time."""

    def __init__(self, message: str, *, url: str = "") -> None:
        super().__init__(message)
        self.url = url


class ServerFault(ConnectomeDBError):
    """The server failed (5xx), or sent nonsense where data was promised."""

    def __init__(self, message: str, *, status: int | None = None, url: str = "", excerpt: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.url = url
        self.excerpt = excerpt


class AuthenticationError(ConnectomeDBError):
    """The server wants to know who asks."""


class BadCredentials(AuthenticationError):
    """The name or the password is wrong."""


class LoginExpired(AuthenticationError):
    """The login ended and could not be renewed."""


class TooManyAttempts(AuthenticationError):
    """Wrong passwords came too fast; after `retry_after_s` seconds the next one is looked at."""

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class AccessDenied(ConnectomeDBError, PermissionError):
    """This may not be done by this user."""


class TermsNotAccepted(AccessDenied):
    """Data-use terms must be accepted first."""


class CredentialsExpired(AccessDenied):
    """The keys to a store were good once and are no longer, or the clock is wrong."""


class NotFound(ConnectomeDBError, LookupError):
    """There is no such thing, or it may not be seen."""


class NoSuchProject(NotFound):
    """No project of that id is visible."""


class NoSuchSubject(NotFound):
    """No subject of that id or label is visible."""


class NoSuchExperiment(NotFound):
    """No experiment of that id or label is visible."""


class NoSuchFile(NotFound):
    """No file of that path is visible."""


class Conflict(ConnectomeDBError):
    """What is there already stands in the way."""


class Outdated(Conflict):
    """What was to be changed is not what it was expected to be: somebody changed it meanwhile."""


class LabelTaken(Conflict):
    """The label is in use in that project."""


class AlreadyShared(Conflict):
    """The item is in that project already."""


class ValueTaken(Conflict):
    """Another item has a value that its schema wants to be one of a kind on the site."""


class QueryError(ConnectomeDBError, ValueError):
    """A question that cannot be asked."""


class UnknownDataType(QueryError):
    """No data type of that name; `nearest` holds the closest names."""

    def __init__(self, name: str, nearest: Sequence[str] = ()) -> None:
        self.name = name
        self.nearest = tuple(nearest)
        super().__init__(_unknown(f"unknown data type {name!r}", self.nearest))


class UnknownField(QueryError):
    """No field of that name in the data type; `nearest` holds the closest names."""

    def __init__(self, field: str, data_type: str = "", nearest: Sequence[str] = ()) -> None:
        self.field = field
        self.data_type = data_type
        self.nearest = tuple(nearest)
        place = f" in {data_type}" if data_type else ""
        super().__init__(_unknown(f"unknown field {field!r}{place}", self.nearest))


class BadConstraint(QueryError):
    """An operator, a value or a nesting that means nothing."""


class BadPath(QueryError):
    """A path that names nothing, or that no file may have."""


class DocumentError(ConnectomeDBError, ValueError):
    """A document that cannot be taken."""


class NotWellFormed(DocumentError):
    """Not XML, or XML of a kind that is refused unread (entities, depth, size)."""


class NotValid(DocumentError):
    """A document that contradicts its type; `reasons` holds all of them, each with its line."""

    def __init__(self, reasons: Iterable[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("; ".join(self.reasons) or "not valid")


class ImportRefused(NotValid):
    """An import refused rows or documents; `report` says what was stored and what was not."""

    def __init__(self, report: IngestReport) -> None:
        self.report = report
        super().__init__(str(refusal) for refusal in report.refused)


class ArchiveRefused(DocumentError):
    """A zip or tar that is not unpacked: damaged, encrypted, or with members that are no files."""


class TransferError(ConnectomeDBError, OSError):
    """A file could not be brought over whole."""


class ObjectMissing(TransferError):
    """The store holds no object of that key."""


class ChecksumMismatch(TransferError):
    """The bytes are not the ones that were promised."""


class Truncated(TransferError):
    """Fewer bytes came than were promised."""


class ManifestError(TransferError, ValueError):
    """A manifest that cannot be read."""


class DiskFull(TransferError):
    """No room where the file should go."""


class TooMuch(ConnectomeDBError):
    """More than the site takes at once."""


class ObjectChanged(TransferError):
    """Another object stands under the key than the one that was listed or begun with."""


class TargetRefused(TransferError, ValueError):
    """A key or path that cannot be a file in the folder, or could not be one safely."""


class FolderInUse(TransferError):
    """Another run works in this folder."""


class StoreBusy(TransferError):
    """The store asks to come back later; `retry_after_s` is what it asked for, None when it did not say."""

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Stalled(TransferError):
    """Nothing came for too long, or next to nothing."""


def _unknown(statement: str, nearest: Sequence[str]) -> str:
    if not nearest:
        return statement
    return f"{statement}; did you mean {' or '.join(nearest)}?"

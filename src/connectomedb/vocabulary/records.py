"""Frozen records of the hierarchy: what a project, a subject or an experiment is, without its scores.

They carry no behaviour and do no I/O.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Accessibility = Literal["public", "protected", "private"]
Group = Literal["owner", "member", "collaborator"]
# What a user may do everywhere, by a group of the site: nothing more, read, or read and write.
AllData = Literal["", "read", "write"]


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking. `user_id` 0 is the guest; an administrator reads and writes everything."""

    login: str
    user_id: int = 0
    is_admin: bool = False
    all_data: AllData = ""

    @property
    def is_guest(self) -> bool:
        return self.user_id == 0 and not self.is_admin


GUEST = Principal("guest")


@dataclass(frozen=True, slots=True)
class Share:
    """A project that sees an item which another one owns, and the label it has there."""

    project: str
    label: str


@dataclass(frozen=True, slots=True)
class Membership:
    """One row of 'who is in which project'."""

    project: str
    login: str
    group: Group


@dataclass(frozen=True, slots=True)
class Located:
    """A subject or experiment found by a path: its ids, its type, its label in the project asked for."""

    id: str
    label: str
    xsi_type: str
    owner_project: str
    project: str
    subject_id: str = ""
    insert_date: datetime | None = None


@dataclass(frozen=True, slots=True)
class FileRow:
    """One object of a mirror, as the file table knows it. Sizes in bytes."""

    subject_label: str
    key: str
    size_bytes: int
    algorithm: str = ""
    digest: str = ""
    session: str = ""
    run: str = ""
    kind: str = ""
    package: str = ""
    release: str = ""

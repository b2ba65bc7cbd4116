"""The list of people who answer for data, which projects choose from.

Owns the table `investigator`. Projects name their people in their own documents; what is said here of one
says nothing of a project.

Source   protocol/rest.md 6.4
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Engine, Integer, Row, Table, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from connectomedb.errors import AccessDenied, BadConstraint, Conflict, NotFound
from connectomedb.store import tables as t
from connectomedb.store.engine import writing
from connectomedb.vocabulary.records import Principal

FACTS = ("title", "firstname", "lastname", "institution", "department", "email", "phone")

investigator = Table(
    "investigator",
    t.core,
    Column("pk", Integer, primary_key=True, autoincrement=False),
    *(Column(name, t.string, nullable=False) for name in FACTS),
    Column("login", t.string, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Investigator:
    """One of them; `login` is who added them. Facts that nobody stated are ''."""

    number: int
    title: str
    firstname: str
    lastname: str
    institution: str
    department: str
    email: str
    phone: str
    login: str


class Investigators:
    """The list of one site's database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self) -> list[Investigator]:
        """Everybody, by last and first name."""
        c = investigator.c
        with self._engine.connect() as connection:
            rows = connection.execute(select(investigator).order_by(c.lastname, c.firstname, c.pk))
            return [_one(row) for row in rows]

    def find(self, number: int) -> Investigator:
        """One of them. Raises NotFound."""
        with self._engine.connect() as connection:
            row = connection.execute(select(investigator).where(investigator.c.pk == number)).one_or_none()
        if row is None:
            raise NotFound(f"no investigator {number}")
        return _one(row)

    def add(self, facts: Mapping[str, str], who: Principal) -> Investigator:
        """Somebody new. Raises AccessDenied for guests; BadConstraint without a first and a last name."""
        if who.is_guest:
            raise AccessDenied("guests add nobody; log in first")
        values = {name: facts.get(name, "").strip() for name in FACTS}
        _need_names(values)
        with writing(self._engine) as connection:
            number = (connection.scalar(select(func.max(investigator.c.pk))) or 0) + 1
            try:
                connection.execute(insert(investigator).values(pk=number, login=who.login, **values))
            except IntegrityError as problem:
                raise Conflict("somebody else was added in this moment; try again") from problem
        return self.find(number)

    def change(self, number: int, facts: Mapping[str, str], who: Principal) -> bool:
        """Change what is said of one; False when that was said already.

        Raises  NotFound; AccessDenied for those who neither added them nor administer the site
        """
        known = self.find(number)
        if not who.is_admin and who.login != known.login:
            raise AccessDenied(f"investigator {number} was added by somebody else; ask an administrator")
        wanted = {name: facts[name].strip() for name in FACTS if name in facts}
        _need_names({"firstname": known.firstname, "lastname": known.lastname, **wanted})
        if all(getattr(known, name) == value for name, value in wanted.items()):
            return False
        with writing(self._engine) as connection:
            connection.execute(update(investigator).where(investigator.c.pk == number).values(**wanted))
        return True

    def delete(self, number: int) -> Investigator:
        """Take one off the list. Raises NotFound."""
        known = self.find(number)
        with writing(self._engine) as connection:
            connection.execute(delete(investigator).where(investigator.c.pk == number))
        return known


def _need_names(values: Mapping[str, str]) -> None:
    for name in ("firstname", "lastname"):
        if not values.get(name):
            raise BadConstraint(f"an investigator needs a {name}")
    for name, value in values.items():
        if "\0" in value or len(value) > 255:
            raise BadConstraint(f"{name} is longer than 255 characters, or holds a NUL")


def _one(row: Row[Any]) -> Investigator:
    return Investigator(
        row.pk,
        row.title,
        row.firstname,
        row.lastname,
        row.institution,
        row.department,
        row.email,
        row.phone,
        row.login,
    )

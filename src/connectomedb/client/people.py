"""The people of a site, by login: `interface.manage.users`."""

from __future__ import annotations

from connectomedb.client.core import Core
from connectomedb.errors import NotFound


class Users:
    """Accounts of the site as everybody may see them."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def __call__(self) -> list[str]:
        """All logins."""
        return [row["login"] for row in self._rows()]

    def id(self, login: str) -> str:
        """The number of an account."""
        return self._of(login, "xdat_user_id")

    def firstname(self, login: str) -> str:
        """First name. Raises NotFound for a login that is none."""
        return self._of(login, "firstname")

    def lastname(self, login: str) -> str:
        """Last name."""
        return self._of(login, "lastname")

    def email(self, login: str) -> str:
        """Address for e-mail."""
        return self._of(login, "email")

    def _rows(self) -> list[dict[str, str]]:
        table = self._core.table("/data/users")
        return [
            {key: "" if cell is None else str(cell) for key, cell in row.items()} for row in table.as_dicts()
        ]

    def _of(self, login: str, column: str) -> str:
        for row in self._rows():
            if row["login"] == login:
                return row[column]
        raise NotFound(f"there is no account {login!r}")

"""What a builder of a display field is told: the row, the field, its value, and who asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from connectomedb.errors import BadConstraint
from connectomedb.schema.model import DisplayField
from connectomedb.store import tables as t
from connectomedb.store.engine import Dialect
from connectomedb.store.rows import Expr, Row
from connectomedb.vocabulary.records import Principal


@dataclass(frozen=True, slots=True)
class Asked:
    """One value that is wanted of one row."""

    layout: t.Layout
    dialect: Dialect
    who: Principal
    row: Row
    display: DisplayField
    arguments: tuple[str, ...]
    value: str

    @property
    def name(self) -> str:
        """The field as people write it."""
        return f"{self.row.data_type.xsi_type}/{self.display.id}"

    def needed_value(self) -> str:
        """The value of a valued field. Raises BadConstraint when there is none."""
        if not self.value:
            raise BadConstraint(f"{self.name} needs a value: {self.display.id}=…")
        return self.value

    def project(self) -> Row:
        """The row, which must be a project's. Raises BadConstraint."""
        if self.row.family != "project":
            raise BadConstraint(f"{self.name}: only a project has that")
        return self.row


Builder = Callable[[Asked], Expr]

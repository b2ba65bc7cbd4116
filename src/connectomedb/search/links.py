"""What a linked column brings along: further columns, and the texts that become addresses.

Pure: from the columns asked for to those that come with them, and from a column to its `linkProps`.

Source  protocol/search-and-types.md 3.3 and 3.4
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from connectomedb.schema.model import DataType
from connectomedb.schema.registry import DataTypes
from connectomedb.search.resolve import ResolvedField

# Where the pages of the site begin; documents write it as @WEBAPP.
_WEBAPP = "/"


@dataclass(frozen=True, slots=True)
class LinkProp:
    """One property of a cell's link; `inserts` pairs each `FieldN` of the text with a column key.

    The pairs stand in descending order of `FieldN`: clients compare the answer literally.
    """

    name: str
    value: str
    inserts: tuple[tuple[str, str], ...] = ()

    def as_json(self) -> dict[str, object]:
        """The property as XNAT's answers spell it."""
        inserts = [{"name": name, "value": key} for name, key in self.inserts]
        return {"name": self.name, "value": self.value, "inserts": inserts}


def link_columns(
    fields: Sequence[ResolvedField], root: DataType, types: DataTypes
) -> tuple[ResolvedField, ...]:
    """The columns that links of `fields` need and that are not among `fields`, each once, in order."""
    known = {field.key for field in fields}
    found: dict[str, ResolvedField] = {}
    for field in fields:
        displays = types.display(field.data_type.xsi_type).fields
        for field_id in field.display.link_fields:
            display = displays.get(field_id)
            key = link_key(field_id, field.data_type, root)
            if display is not None and not display.valued and key not in known:
                found.setdefault(key, ResolvedField(field.data_type, display, "", key, display.header))
    return tuple(found.values())


def link_props(field: ResolvedField, root: DataType) -> tuple[LinkProp, ...]:
    """The `linkProps` of a column; () when its cells lead nowhere."""
    if field.display.link is None:
        return ()
    props = []
    for one in field.display.link.properties:
        text = one.value.replace("@WEBAPP", _WEBAPP)
        inserts = []
        for name, source in sorted(one.inserts, key=lambda pair: (len(pair[0]), pair[0]), reverse=True):
            if source == "@WHERE":
                text = text.replace(f"@{name}", quote(field.value, safe=""))
            else:
                inserts.append((name, link_key(source, field.data_type, root)))
        props.append(LinkProp(one.name, text, tuple(inserts)))
    return tuple(props)


def link_key(field_id: str, data_type: DataType, root: DataType) -> str:
    """Key of the column of a plain field: that of another type begins with the type's name."""
    prefix = "" if data_type.xsi_type == root.xsi_type else f"{data_type.sql_name}_"
    return f"{prefix}{field_id.lower()}"

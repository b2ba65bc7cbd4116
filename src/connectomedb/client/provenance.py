"""How an assessor or a reconstruction was made: the steps of its processing, as documents keep them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from connectomedb.errors import DocumentError

if TYPE_CHECKING:
    from connectomedb.client.elements import Element

PROV = "http://www.nbirn.net/prov"
XNAT = "http://nrg.wustl.edu/xnat"
# Elements of a step in their order, and the attributes that each has.
_PARTS: Mapping[str, tuple[str, ...]] = {
    "program": ("version", "arguments"),
    "timestamp": (),
    "cvs": (),
    "user": (),
    "machine": (),
    "platform": ("version",),
    "compiler": ("version",),
    "library": ("version",),
}
_ALWAYS = (("program", "arguments"), ("platform", "version"))
_NEEDED = ("program", "timestamp", "user", "machine")


class Provenance:
    """`assessor.provenance`: a step is a dict such as `{'program': 'bet', 'program_version': '1.0', …}`."""

    def __init__(self, element: Element) -> None:
        self._element = element

    def get(self) -> list[dict[str, str]]:
        """The steps, in order; keys are `program`, `program_version`, `timestamp` and so on."""
        found = []
        for step in self._element.xpath("//*[local-name()='processStep']"):
            said: dict[str, str] = {}
            for part in step:
                name = str(part.tag).rpartition("}")[2]
                said[name] = (part.text or "").strip()
                said |= {f"{name}_{key}": value for key, value in part.attrib.items()}
            found.append(said)
        return found

    def set(
        self, process_steps: Mapping[str, Any] | Sequence[Mapping[str, Any]], overwrite: bool = False
    ) -> None:
        """Add steps after those that are there, or put them in their place.

        Raises   DocumentError for a step that lacks a part it needs, or says something unknown
        """
        steps = [process_steps] if isinstance(process_steps, Mapping) else list(process_steps)
        known = [] if overwrite else self.get()
        document = print_provenance(str(self._element._tree().tag), [*known, *steps])
        self._element._core.send(
            "PUT",
            self._element.uri,
            {"allowDataDeletion": "true" if overwrite else "false"},
            document,
            headers={"Content-Type": "text/xml"},
        )
        self._element.refresh()


def print_provenance(tag: str, steps: Sequence[Mapping[str, Any]]) -> bytes:
    """A document whose root is called `tag`, with these steps and nothing else."""
    from lxml import etree

    root = etree.Element(tag, nsmap={"xnat": XNAT, "prov": PROV})
    provenance = etree.SubElement(root, f"{{{XNAT}}}provenance")
    for step in steps:
        unknown = set(step) - {
            "program",
            *_PARTS,
            *(f"{p}_{a}" for p, names in _PARTS.items() for a in names),
        }
        lacking = [part for part in _NEEDED if not step.get(part)]
        if unknown or lacking:
            what = (
                f"says {sorted(unknown)[0]!r}, which is unknown" if unknown else f"lacks {', '.join(lacking)}"
            )
            raise DocumentError(f"a step {what}; it says: {', '.join(_PARTS)}")
        node = etree.SubElement(provenance, f"{{{PROV}}}processStep")
        for part, names in _PARTS.items():
            if step.get(part):
                held = etree.SubElement(node, f"{{{PROV}}}{part}")
                held.text = str(step[part])
                for one in names:
                    if f"{part}_{one}" in step or (part, one) in _ALWAYS:
                        held.set(one, str(step.get(f"{part}_{one}", "")))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")

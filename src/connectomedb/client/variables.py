"""Definitions of custom variables as the document of a project."""

from __future__ import annotations

from collections.abc import Mapping

from connectomedb.errors import DocumentError

_TYPES = ("string", "integer", "float", "boolean", "date")
_SPELLINGS = {"int": "integer", "str": "string", "bool": "boolean", "double": "float"}
# Kinds of things as people call them, and their data types.
_KINDS = {"Subjects": "xnat:subjectData", "MR Sessions": "xnat:mrSessionData"}
XNAT = "http://nrg.wustl.edu/xnat"
XSI = "http://www.w3.org/2001/XMLSchema-instance"


def print_protocols(project: str, variables: Mapping[str, Mapping[str, Mapping[str, str]]]) -> bytes:
    """The document that defines variables by kind of thing, set and name.

    A kind is a data type or what XNAT calls it: Subjects, MR Sessions.

    Raises   DocumentError for a kind or a type that is none
    """
    from lxml import etree

    root = etree.Element(f"{{{XNAT}}}Project", nsmap={"xnat": XNAT, "xsi": XSI})
    root.set("ID", project)
    for kind, groups in variables.items():
        node = etree.SubElement(root, f"{{{XNAT}}}studyProtocol")
        node.set(f"{{{XSI}}}type", "xnat:datatypeProtocol")
        data_type = _KINDS.get(kind, kind)
        if ":" not in data_type:
            raise DocumentError(f"{kind!r} is no data type; write one, or: {', '.join(_KINDS)}")
        node.set("ID", f"{project}_{data_type.replace(':', '_')}")
        node.set("data-type", data_type)
        node.set("name", kind)
        definitions = etree.SubElement(node, f"{{{XNAT}}}definitions")
        for group, fields in groups.items():
            definition = etree.SubElement(definitions, f"{{{XNAT}}}definition")
            definition.set("ID", group)
            definition.set("data-type", data_type)
            definition.set("project-specific", "1")
            held = etree.SubElement(definition, f"{{{XNAT}}}fields")
            for name, value_type in fields.items():
                spelt = _SPELLINGS.get(value_type, value_type)
                if spelt not in _TYPES:
                    raise DocumentError(f"{name}: {value_type!r} is no type; there are: {', '.join(_TYPES)}")
                field = etree.SubElement(held, f"{{{XNAT}}}field")
                field.set("name", name)
                field.set("datatype", spelt)
                field.set("type", "custom")
                field.set("required", "0")
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")

"""The one place where XML is parsed, hardened, for every schema and document; and the fixed namespaces.

A DOCTYPE, entities, more than 16 MiB or more than 200 levels are refused before anybody looks inside.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from connectomedb.errors import NotWellFormed

if TYPE_CHECKING:
    from lxml.etree import _Element

XSI = "http://www.w3.org/2001/XMLSchema-instance"
# Hints inside schemas; the prefix xdat stands for this there, and for the security namespace elsewhere.
ANNOTATIONS = "http://nrg.wustl.edu/xdat"
# The fixed prefixes, in the order in which the 2013 documents declare them.
NAMESPACES: Mapping[str, str] = {
    "arc": "http://nrg.wustl.edu/arc",
    "val": "http://nrg.wustl.edu/val",
    "pipe": "http://nrg.wustl.edu/pipe",
    "hcp": "http://nrg.wustl.edu/hcp",
    "wrk": "http://nrg.wustl.edu/workflow",
    "scr": "http://nrg.wustl.edu/scr",
    "xdat": "http://nrg.wustl.edu/security",
    "nt": "http://nrg.wustl.edu/nt",
    "cat": "http://nrg.wustl.edu/catalog",
    "prov": "http://www.nbirn.net/prov",
    "xnat": "http://nrg.wustl.edu/xnat",
    "xnat_a": "http://nrg.wustl.edu/xnat_assessments",
}
MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 200
_TOO_DEEP = f"boolean({'/*' * (MAX_DEPTH + 1)})"


def parse_xml(data: bytes) -> _Element:
    """The root element of an XML document."""
    from lxml import etree

    if len(data) > MAX_BYTES:
        raise NotWellFormed(f"the document has {len(data)} bytes; at most {MAX_BYTES} are read, split it")
    if not data.strip():
        raise NotWellFormed("the document is empty; send an XML document")
    # The parser's own limit is a little higher; until there is a tree, nobody looks inside.
    too_deep = f"the document is nested deeper than {MAX_DEPTH} levels; flatten it"
    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        for start in range(0, len(data), 65536):
            parser.feed(data[start : start + 65536])
        root = parser.close()
    except etree.XMLSyntaxError as error:
        if re.search(rb"<!(DOCTYPE|ENTITY)", data):
            raise NotWellFormed("the document has a DOCTYPE; remove it, none is read") from error
        if "Excessive depth" in error.msg:
            raise NotWellFormed(too_deep) from error  # the parser's own limit came first
        raise NotWellFormed(f"not XML: {error.msg}; mend the document there") from error
    if root.getroottree().docinfo.doctype:
        raise NotWellFormed("the document has a DOCTYPE; remove it, none is read")
    if root.xpath(_TOO_DEEP):
        raise NotWellFormed(too_deep)
    return root

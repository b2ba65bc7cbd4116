"""The data types as XNAT describes them: their XSD documents, names, fields and registration."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from urllib.parse import parse_qsl

from starlette.responses import Response

from connectomedb.errors import BadConstraint, NotFound
from connectomedb.schema.model import DataType, ElementPath, Node
from connectomedb.schema.registry import DataTypes
from connectomedb.server.inbound import Ask
from connectomedb.server.outbound import answer_json

_XML_TYPES = {"integer": "xs:integer", "float": "xs:double", "string": "xs:string"}


def names(ask: Ask) -> Response:
    """Names of all schemas."""
    return answer_json([s.name for s in ask.site.types.schemas()])


def schema(ask: Ask) -> Response:
    """One schema: by its name, by folder and file, or by file alone; `.xsd` at the end or not."""
    asked = ask.part("name").removesuffix(".xsd")
    known = ask.site.types.schemas()
    for found in known:
        if asked in (found.name, f"{found.folder}/{found.name.rsplit('/', 1)[-1]}"):
            return _document(found.content)
    for found in known:
        if asked == found.name.rsplit("/", 1)[-1]:
            return _document(found.content)
    raise NotFound(f"no schema {asked!r}; there are: {', '.join(s.name for s in known)}")


def data_types(ask: Ask) -> Response:
    """Names of all types, those of anonymous repeated parts among them."""
    return answer_json(list(_all_names(ask.site.types)))


def searchable(ask: Ask) -> Response:
    """Names of the types that the caller can search."""
    records = ask.archive.registrations().values()
    mine = [r for r in records if r.searchable and (r.accessible or ask.who.is_admin)]
    return answer_json([r.element_name for r in mine])


def type_names(ask: Ask) -> Response:
    """All names of the types that were asked for."""
    return _each(ask, _names_of)


def type_elements(ask: Ask) -> Response:
    """A description of the types that were asked for, with their fields."""
    return _each(ask, _element_of)


def register(ask: Ask) -> Response:
    """Change how a type is registered; administrators only."""
    record = ask.archive.register_type(ask.part("xsi_type"), _attributes(ask), ask.who)
    spelled = {k: int(v) if isinstance(v, bool) else v for k, v in asdict(record).items()}
    return answer_json({_formatted(record.element_name): spelled})


def _document(content: bytes) -> Response:
    return Response(content, 200, {"Cache-Control": "no-cache"}, "application/xml")


def _each(ask: Ask, describe: Callable[[DataType], object]) -> Response:
    return answer_json({_formatted(t.xsi_type): describe(t) for t in _asked_types(ask)})


def _asked_types(ask: Ask) -> Iterable[DataType]:
    types = ask.site.types
    if ask.request.method == "POST":
        asked = _posted_names(ask)
    elif ask.part("xsi_type") == "all":
        return types.all()
    else:
        asked = [ask.part("xsi_type")]
    return [types.get(name.replace("_", ":", 1) if ":" not in name else name) for name in asked]


def _posted_names(ask: Ask) -> list[str]:
    """`dataTypes` and `dataType`, of a form or of JSON."""
    wrong = 'send dataTypes=xnat:subjectData as a form, or {"dataTypes": ["xnat:subjectData"]} as JSON'
    try:
        text = ask.body.decode("utf-8").strip()
        sent = json.loads(text) if text.startswith("{") else None
    except ValueError as error:
        raise BadConstraint(f"the body cannot be read; {wrong}") from error
    if sent is None:
        pairs = [*parse_qsl(text, max_num_fields=1000), *ask.request.query_params.multi_items()]
        asked = [value for name, value in pairs if name in ("dataTypes", "dataType")]
    else:
        several = sent.get("dataTypes", [])
        asked = [*(several if isinstance(several, list) else [several]), sent.get("dataType", "")]
    found = [name.strip() for one in asked if isinstance(one, str) for name in one.split(",") if name.strip()]
    if not found:
        raise BadConstraint(f"no data type is named; {wrong}")
    return list(dict.fromkeys(found))


def _attributes(ask: Ask) -> dict[str, str]:
    """Attributes of a record: of the query string, of a form, or of JSON."""
    sent = {k: v for k, v in ask.filters().items() if k != "dataType"}
    text = ask.body.strip()
    if text.startswith(b"{"):
        try:
            pairs = json.loads(text)
        except ValueError as error:
            raise BadConstraint(f"the body is no JSON ({error}); mend it") from error
        return sent | {k: str(int(v)) if isinstance(v, bool) else str(v) for k, v in pairs.items()}
    return sent | ask.form() if text else sent


def _formatted(name: str) -> str:
    return name.replace(":", "_")


def _names_of(data_type: DataType) -> list[str]:
    """`xnat:mrSessionData`, `MRSession`, `xnat_mrSessionData`, `xnat_mrsessiondata`, each once."""
    every = [data_type.xsi_type, data_type.root_element, _formatted(data_type.xsi_type), data_type.sql_name]
    return [name for name in dict.fromkeys(every) if name]


def _element_of(data_type: DataType) -> dict[str, object]:
    prefix, _, local = data_type.xsi_type.partition(":")
    keys = [f for f in data_type.fields if f.path == "ID"]
    return {
        "label": data_type.root_element or local,
        "name": local,
        "sqlName": data_type.sql_name,
        "properName": data_type.root_element or data_type.xsi_type,
        "formattedName": _formatted(data_type.xsi_type),
        "xmlName": local,
        "type": data_type.xsi_type,
        "fullXMLType": data_type.xsi_type,
        "namespacePrefix": prefix,
        "namespaceURI": data_type.namespace,
        "base": data_type.base,
        "abstract": data_type.abstract,
        "documentation": data_type.documentation,
        "defaultKey": {f.path: _field_of(prefix, f) for f in keys},
        "fields": dict(_fields_of(prefix, data_type.nodes)),
    }


def _fields_of(prefix: str, nodes: Iterable[Node]) -> Iterable[tuple[str, dict[str, object]]]:
    for node in nodes:
        if node.element is not None:
            yield node.path, _field_of(node.prefix or prefix, node.element)
        if node.kind == "multiple":
            shown = {"prefix": node.prefix, "xmlPath": node.path, "xmlType": node.item_type}
            yield node.path, {**shown, "multiple": True}
        else:
            yield from _fields_of(prefix, node.children)


def _field_of(prefix: str, field: ElementPath) -> dict[str, object]:
    steps = field.path.split("/")
    path = "/".join([*steps[:-1], f"@{steps[-1]}" if field.is_attribute else steps[-1]])
    kind = _XML_TYPES.get(field.value_type, f"xs:{field.value_type}")
    return {"prefix": prefix, "xmlPath": path, "xmlType": kind}


def _all_names(types: DataTypes) -> Iterable[str]:
    """Every named type and, below it, its anonymous repeated parts; each once."""
    seen: dict[str, None] = {}
    for data_type in types.all():
        seen.setdefault(data_type.xsi_type)
        for name in _anonymous(data_type.nodes, types):
            seen.setdefault(name)
    return seen


def _anonymous(nodes: Iterable[Node], types: DataTypes) -> Iterable[str]:
    for node in nodes:
        if node.kind == "multiple" and node.item_type not in types:
            yield node.item_type
        yield from _anonymous(node.children, types)

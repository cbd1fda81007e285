"""Schemas of what requests bring: of the structs that they are read into, with what is taken or refused beside.

They say how a body is best written. Numbers and booleans as text, enumerations in any case and null for what is not
given are taken as well.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec

from pools import VirtualMachineConfiguration

from ..api.applications import Change
from ..property_table import BODIES, Status, changes, objects, rows
from ..rest_properties import old_names

Schema = dict[str, Any]

#: Where schemas are in the document.
REFERENCE = "#/components/schemas/{name}"
#: What becomes of a property, if not what the service does with it: `refused`, `no effect`.
STATUS = "x-ebbtide-status"
#: Schemas that are the same in requests and answers.
ENUMERATIONS = frozenset(("NodeDeallocationOption",))
#: Groups that are kept as they stand, and what they are made of nevertheless.
_MADE_OF = {"virtualMachineConfiguration": VirtualMachineConfiguration}
_SECRET = frozenset(("password",))
#: Of the bodies of PATCH and PUT: their names, what they change, what a PUT must have.
_CHANGES = (
    ("PoolChange", "pool", "PoolSpec"),
    ("JobChange", "job", "JobSpec"),
    ("JobScheduleChange", "job schedule", "JobScheduleSpec"),
    ("TaskChange", "task", "TaskSpec"),
)
_OF_TASKS = (("task", "constraints", "at once"),)


def reference(name: str) -> Schema:
    return {"$ref": REFERENCE.format(name=name)}


def request_schemas() -> dict[str, Schema]:
    """By the names of the structs."""
    kinds = [kind for _, kind in BODIES]
    _, found = msgspec.json.schema_components([*kinds, VirtualMachineConfiguration, Change], ref_template=REFERENCE)
    for kind in objects().values():
        _complete(found[kind.__name__], kind)
    for schema in found.values():
        _tidy(schema)
    for name, title, whole in _CHANGES:
        found[name] = _change(title, found[whole])
    return found


def _complete(schema: Schema, kind: type[msgspec.Struct]) -> None:
    """With the properties that the struct does not have."""
    properties = schema["properties"]
    for name, inner in _MADE_OF.items():
        if name in properties:
            properties[name] = reference(inner.__name__)
    for name in _SECRET & properties.keys():
        properties[name]["writeOnly"] = True
    for row in rows(kind):
        if row.status is Status.REFUSED:
            properties[row.name] = {"description": f"Is not supported: {row.text}.", STATUS: "refused"}
        elif row.status is Status.ANSWERED:
            properties[row.name] = {"description": "Counts for nothing in a request.", "readOnly": True}
        elif row.status is Status.WITHOUT_EFFECT:
            properties[row.name] |= {"description": f"{row.text[:1].upper()}{row.text[1:]}.", STATUS: "no effect"}
    for old, new in old_names(kind).items():
        properties[old] = {**properties[new], "deprecated": True, "description": f"An old name of `{new}`."}


def _tidy(schema: Schema) -> None:
    """Without what says nothing: null for what is not given, and defaults that are empty."""
    if "description" in schema:
        schema["description"] = " ".join(schema["description"].split())
    for name, each in schema.get("properties", {}).items():
        schema["properties"][name] = _without_null(each)
    if not schema.get("required", True):
        del schema["required"]


def _without_null(schema: Schema) -> Schema:
    schema = dict(schema)
    if "default" in schema and not schema["default"] and schema["default"] is not False and schema["default"] != 0:
        del schema["default"]
    options = schema.get("anyOf")
    if options is None:
        return schema
    left = [each for each in options if each != {"type": "null"}]
    if len(left) == 1:
        del schema["anyOf"]
        return {**left[0], **schema}
    return {**schema, "anyOf": left}


def _change(title: str, whole: Schema) -> Schema:
    """What PATCH and PUT take."""
    when = {name: text for what, name, text in (*changes(), *_OF_TASKS) if what == title}
    properties = {name: _without_default(whole["properties"][name]) for name in when}
    text = "; ".join(f"`{name}`: {text}" for name, text in when.items())
    return {
        "title": f"{title[:1].upper()}{title[1:]}, changed",
        "description": f"What may change, and when it counts: {text}.",
        "type": "object",
        "properties": properties | dict(_unchanged(whole, properties, title != "pool")),
        "additionalProperties": False,
    }


def _without_default(schema: Schema) -> Schema:
    return {name: value for name, value in schema.items() if name != "default"}


def _unchanged(whole: Schema, known: Collection[str], as_they_are: bool) -> Iterator[tuple[str, Schema]]:
    """What an answer holds beside. `as_they_are`: with the properties that cannot change."""
    for name, each in whole["properties"].items():
        if name in known:
            continue
        if each.get("readOnly"):
            yield name, each
        elif as_they_are and STATUS not in each and not each.get("deprecated"):
            kept = _without_default(each)
            yield name, {**kept, "description": "Cannot change; may be given as it is answered.", STATUS: "kept"}


def answered_name(name: str) -> str:
    return f"{name}Answered"


def answered_schemas(schemas: Mapping[str, Schema]) -> dict[str, Schema]:
    """The same structs as they are answered: with what holds where nothing was said, and without secrets and lists that
    are empty."""
    return {answered_name(name): _answered(schema) for name, schema in schemas.items() if "properties" in schema}


def _answered(schema: Schema) -> Schema:
    properties = {
        name: _as_answered(each)
        for name, each in schema["properties"].items()
        if not (each.get("readOnly") or each.get("writeOnly") or each.get("deprecated"))
        and each.get(STATUS) != "refused"
    }
    found: Schema = {"title": f"{schema['title']}, as it is answered", "type": "object", "properties": properties}
    required = [name for name in schema.get("required", ()) if properties[name].get("type") != "array"]
    return {**found, **({"required": required} if required else {}), "additionalProperties": False}


def _as_answered(schema: Schema) -> Schema:
    left = {key: value for key, value in schema.items() if key not in ("default", "description", STATUS)}
    if "items" in left:
        left["items"] = _as_answered(left["items"])
        left["minItems"] = 1
    name = left.get("$ref", "").rpartition("/")[2]
    return {"$ref": REFERENCE.format(name=answered_name(name))} if name and name not in ENUMERATIONS else left

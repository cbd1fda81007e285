"""What a success promises, and whether a GET shows it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, unquote

from service.iso8601 import parse_duration, parse_instant

from ..service.openapi.described import named, resolved
from .connection import Reply, Request

#: Asks for a path; the JSON of a 200, or None if it is not there.
Ask = Callable[[str], Any]
#: By operation: the states in which the object may be then. None: it may be gone.
_STATES: Mapping[str, tuple[str | None, ...]] = {
    "pool.delete": ("deleting", None),
    "job.delete": ("deleting", None),
    "job_schedule.delete": ("deleting", None),
    "task.delete": (None,),
    "job.disable": ("disabling", "disabled"),
    "job.enable": ("active", "enabling"),
    "job.terminate": ("terminating", "completed"),
    "job_schedule.disable": ("disabled",),
    # what has nothing more to do completes at once
    "job_schedule.enable": ("active", "completed"),
    "job_schedule.terminate": ("terminating", "completed"),
    "task.terminate": ("completed",),
    "task.reactivate": ("active", "preparing", "running", "completed"),
}
_NEW = {
    "pool.add": "/pools/{id}",
    "job.add": "/jobs/{id}",
    "job_schedule.add": "/jobschedules/{id}",
    "task.add": "{path}/{id}",
}
_CHANGED = frozenset(
    ("pool.patch", "job.patch", "job_schedule.patch", "job.update", "job_schedule.update", "task.update")
)


def missing(request: Request, reply: Reply, ask: Ask) -> list[str]:
    """What the answer to a request that succeeded promised, and is not so."""
    path = request.path.partition("?")[0]
    name = request.operation
    if name in _NEW:
        asked = json.loads(request.body or b"")
        place = _NEW[name].format(id=_quoted(asked["id"]), path=path)
        found = ask(place)
        if found is None:
            return [f"{place} was created, and is not there"]
        return [f"{place}: {each}" for each in _unlike(asked, found, _schema(name))]
    if name in _CHANGED:
        found = ask(path)
        return [f"{path}: {each}" for each in _unlike(json.loads(request.body or b""), found, _schema(name))]
    if name in _STATES:
        found = ask(path.rpartition("/")[0] if request.method == "POST" else path)
        state = None if found is None else found.get("state")
        return [] if state in _STATES[name] else [f"{path}: is {state} after {name}"]
    other = _OTHERS.get(name)
    return other(request, reply, path, ask) if other is not None else []


def _schema(operation: str) -> dict[str, Any]:
    return resolved(named()[operation]["requestBody"]["content"]["application/json"]["schema"])


def _quoted(text: object) -> str:
    return quote(_written(text), safe="")


def _written(value: object) -> str:
    """Where a text is wanted, a number or a boolean counts as it is written."""
    return value if isinstance(value, str) else json.dumps(value)


def _unlike(asked: Any, found: Any, schema: dict[str, Any], place: str = "") -> list[str]:
    """Where what was asked for is not what is answered; by the description alone, and not as the server reads it."""
    schema = resolved(schema)
    if isinstance(asked, dict) and "properties" in schema:
        if not isinstance(found, dict):
            return [f"{place or 'it'} is {found!r:.80}, not a group"] if _means(asked) else []
        wrong: list[str] = []
        for name, value in asked.items():
            inner = schema["properties"].get(name)
            if inner is None:
                wrong += [f"{place}.{name}: there is no such property, and it was taken"] if value is not None else []
                continue
            if inner.get("x-ebbtide-status") == "refused" and _means(value):
                wrong.append(f"{place}.{name}: is not supported, and {value!r:.80} was taken")
            if name in _OF_FORMULAS and _no_formula(asked):
                continue  # nobody is told of it then
            if inner.get("readOnly") or inner.get("writeOnly") or inner.get("x-ebbtide-status") == "refused":
                continue
            if inner.get("deprecated"):
                name = inner["description"].rpartition("`")[0].rpartition("`")[2]
            wrong += _unlike(value, found.get(name), inner, f"{place}.{name}" if place else name)
        return wrong
    if isinstance(asked, list):
        if not asked:
            return []
        if not isinstance(found, list) or len(found) != len(asked):
            return [f"{place} is {found!r:.80}, not {asked!r:.80}"]
        inner, pairs = schema.get("items", {}), enumerate(zip(asked, found, strict=True))
        return [each for at, (one, other) in pairs for each in _unlike(one, other, inner, f"{place}[{at}]")]
    if asked is None or (found is None and not _means(asked)):
        return []
    if found is None:
        return [f"{place} is not there, and was to be {asked!r:.80}"]
    if place.endswith("poolId") and str(asked).lower() == str(found).lower():
        return []  # it is told as the pool spells it
    return [] if _same(asked, found, schema) else [f"{place} is {found!r:.80}, not {asked!r:.80}"]


#: Words that ask for nothing.
_NOTHING = ("", "false", "none", "null", "manual", "regional", "batchmanaged", "default")
_OF_FORMULAS = ("autoScaleFormula", "autoScaleEvaluationInterval")


def _no_formula(pool: Mapping[str, Any]) -> bool:
    return str(pool.get("enableAutoScale")).lower() != "true"


def _means(asked: Any) -> bool:
    """Whether leaving it out would be something else."""
    if isinstance(asked, dict):
        return any(map(_means, asked.values()))
    if isinstance(asked, str):
        return asked.lower() not in _NOTHING
    return asked not in (None, [], False)


def _same(asked: Any, found: Any, schema: dict[str, Any]) -> bool:
    if "enum" in schema or isinstance(found, bool):
        return str(asked).strip().lower() == str(found).lower()
    if isinstance(asked, str) and isinstance(found, int | float):
        return float(asked) == float(found)
    try:
        match schema.get("format"):
            case "duration":
                return parse_duration(asked) == parse_duration(found) or found.startswith("P10675199")
            case "date-time":
                return abs((parse_instant(asked) - parse_instant(found)).total_seconds()) < 0.001
    except ValueError:
        return False
    return bool(asked == found) or _written(asked) == found


def _resized(request: Request, reply: Reply, path: str, ask: Ask) -> list[str]:
    found, asked = ask(path.rpartition("/")[0]), json.loads(request.body or b"")
    wanted = {name: value for name, value in asked.items() if name.startswith("target") and value is not None}
    return [f"{path}: {name} is {found[name]}" for name, value in wanted.items() if found[name] != int(value)]


def _formula(on: bool) -> Callable[[Request, Reply, str, Ask], list[str]]:
    def check(request: Request, reply: Reply, path: str, ask: Ask) -> list[str]:
        found = ask(path.rpartition("/")[0])
        asked = (json.loads(request.body or b"") if (request.body or b"").strip() else {}).get("autoScaleFormula")
        same = not on or asked is None or found["autoScaleFormula"] == _written(asked)
        told = f"{path}: {found['enableAutoScale']}, {found.get('autoScaleFormula')!r:.80}"
        return [] if same and found["enableAutoScale"] is on else [told]

    return check


def _all_there(request: Request, reply: Reply, path: str, ask: Ask) -> list[str]:
    wrong: list[str] = []
    asked, results = json.loads(request.body or b"")["value"], json.loads(reply.body)["value"]
    if len(asked) != len(results):
        wrong.append(f"{len(asked)} tasks were sent, and {len(results)} results came")
    for spec, result in zip(asked, results, strict=False):
        there = ask(f"{path.rpartition('/')[0]}/tasks/{_quoted(result['taskId'])}")
        if result["status"] == "success" and there is None:
            wrong.append(f"{result['taskId']!r} was added, and is not there")
        if _written(spec["id"]) != result["taskId"]:
            wrong.append(f"the result of {spec['id']!r} is about {result['taskId']!r}")
    return wrong


def _package(there: bool) -> Callable[[Request, Reply, str, Ask], list[str]]:
    def check(request: Request, reply: Reply, path: str, ask: Ask) -> list[str]:
        found = ask(path)
        fine = (found is not None and found["contentLength"] == len(request.body or b"")) if there else found is None
        return [] if fine else [f"{path}: {found}"]

    return check


def _gone(request: Request, reply: Reply, path: str, ask: Ask) -> list[str]:
    try:
        found = ask(path)
    except ValueError:  # a file
        found = "bytes"
    return [] if found is None else [f"{path} was deleted, and is there"]


def _scheduling(state: str) -> Callable[[Request, Reply, str, Ask], list[str]]:
    def check(request: Request, reply: Reply, path: str, ask: Ask) -> list[str]:
        found = ask(path.rpartition("/")[0])
        return [] if found is None or found["schedulingState"] == state else [f"{path}: {found['schedulingState']}"]

    return check


def _leaves(*states: str) -> Callable[[Request, Reply, str, Ask], list[str]]:
    """The node is on its way, or beyond."""

    def check(request: Request, reply: Reply, path: str, ask: Ask) -> list[str]:
        found = ask(path.rpartition("/")[0])
        return [] if found is None or found["state"] in states else [f"{path}: {found['state']}"]

    return check


def _selected(request: Request, reply: Reply, path: str, ask: Ask) -> list[str]:
    """Pages are no longer than was asked for, and hold what was selected, or whole objects."""
    pairs = [each.partition("=") for each in request.path.partition("?")[2].split("&")]
    query = {unquote(name).lower(): unquote(value) for name, _, value in reversed(pairs)}
    found = json.loads(reply.body)
    items = found.get("value", [found])
    wrong = []
    most = query.get("maxresults")
    if most and len(items) > int(most):
        wrong.append(f"{len(items)} items, and maxresults={most}")
    chosen = {each.strip().partition("/")[0].lower() for each in query.get("$select", "").split(",")} - {""}
    for item in items:
        names = {name.lower() for name in item} - {"odata.metadata"}
        if chosen and names - chosen:
            wrong.append(f"{sorted(names - chosen)} were not selected")
        if not chosen and not {"id", "url", "state"} <= names:
            wrong.append(f"half an object: {item!r:.200}")
    return wrong


_OTHERS: Mapping[str, Callable[[Request, Reply, str, Ask], list[str]]] = {
    "pool.resize": _resized,
    "pool.enable_auto_scale": _formula(True),
    "pool.disable_auto_scale": _formula(False),
    "task.add_collection": _all_there,
    "application.put_package": _package(True),
    "application.delete_package": _package(False),
    "application.delete": _gone,
    "file.delete_from_task": _gone,
    "compute_node.disable_scheduling": _scheduling("disabled"),
    "compute_node.enable_scheduling": _scheduling("enabled"),
    "compute_node.reboot": _leaves("rebooting", "starting", "waitingforstarttask", "idle", "running", "unusable"),
    "compute_node.reimage": _leaves("reimaging", "starting", "waitingforstarttask", "idle", "creating", "unusable"),
    **{
        f"{kind}.{verb}": _selected
        for kind in ("pool", "job", "task", "job_schedule", "compute_node")
        for verb in ("list", "get")
    },
}

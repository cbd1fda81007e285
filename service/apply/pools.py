"""What brings a pool to what a workload file says of it.

What sizes a pool is asked for by operations of its own, the rest by PATCH. Targets that the file does not give stay as
they are: silence does not take nodes away.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

from msgspec.structs import fields

from pools import WITHOUT_NODES, PoolSpec, PoolState

from ..rest_objects import Objects, View
from .changes import Change, Difference, Plan, Step
from .compared import differences, names_of, tops, wanted
from .reading import found

_TARGETS = ("targetDedicatedNodes", "targetLowPriorityNodes")
_FORMULA = ("enableAutoScale", "autoScaleFormula", "autoScaleEvaluationInterval")
_SIZING = (*_TARGETS, *_FORMULA, "resizeTimeout")
_ATTRIBUTES = {each.encode_name: each.name for each in fields(PoolSpec)}
#: What is to be sent for a property that is not to be there any more, where None would say nothing of it.
_NOTHING: dict[str, Any] = {
    "displayName": "",
    "networkConfiguration": {},
    "resourceTags": {},
    "targetNodeCommunicationMode": "default",
    "virtualMachineConfiguration": {},
}


def plan_pool(spec: PoolSpec, objects: Objects, plan: Plan) -> None:
    """Raises RequestRefused, Unanswered."""
    held = found(objects, "pools", spec.id)
    if held is None:
        plan.changes.append(Change(kind="pool", name=spec.id, new=True, steps=(Step("POST", ("pools",), spec),)))
        return
    if held["state"] == PoolState.DELETING:
        plan.refused.append(f"pool {held['id']!r} is being deleted; give this command again when it is gone")
        return
    new = _wanted(spec, held)
    differing = differences(_with_mode(held), _with_mode(new), names_of(PoolSpec))
    plan.refused += _refused(held, differing)
    steps = (*_sizing(spec, held, new, differing), *_rest(spec, held["id"], differing))
    plan.note(Change(kind="pool", name=held["id"], differences=differing, steps=steps))


def _wanted(spec: PoolSpec, held: View) -> View:
    new = wanted(spec)
    if spec.enable_auto_scale:
        # the formula has set what there is
        return new | {name: held.get(name) for name in _TARGETS}
    new = {name: value for name, value in new.items() if name not in _FORMULA} | {"enableAutoScale": False}
    return new | {name: held.get(name) for name in _TARGETS if new.get(name) is None}


def _with_mode(view: View) -> View:
    """Where nothing is said, the mode is the usual one."""
    return {"targetNodeCommunicationMode": "default", **view}


def _refused(held: View, differing: tuple[Difference, ...]) -> Iterator[str]:
    """What cannot become so while the pool is as it is, and the cure."""
    pool_id = shlex.quote(held["id"])
    nodes = held["currentDedicatedNodes"] + held["currentLowPriorityNodes"]
    common = [name for name in tops(differing) if _ATTRIBUTES[name] in WITHOUT_NODES]
    if common and nodes:
        first = f"`ebbtide pool autoscale disable {pool_id}`, then " if held["enableAutoScale"] else ""
        cure = f"{first}`ebbtide pool resize {pool_id} --dedicated 0 --low-priority 0`"
        yield (
            f"pool {held['id']!r}: {', '.join(common)} can change only while the pool has no node, and it has {nodes}; "
            f"{cure} takes them away, or undo this change"
        )
    for each in differing:
        if each.path == "metadata[provider]" and None not in (each.old, each.new):
            text = f"its nodes are at the provider {each.old}, and stay there; make another pool for {each.new}"
            yield f"pool {held['id']!r}: {text}"


def _sizing(spec: PoolSpec, held: View, new: View, differing: tuple[Difference, ...]) -> Iterator[Step]:
    """In an order that can be left off and taken up again anywhere."""
    changed = {name for name in tops(differing) if name in _SIZING}
    place, automatic = ("pools", held["id"]), bool(held["enableAutoScale"])
    again = "resizeTimeout" in changed  # with a formula nobody can resize the pool
    if automatic and (again or not spec.enable_auto_scale):
        yield Step("POST", (*place, "disableautoscale"))
    if again or changed.intersection(_TARGETS):
        body = {name: new[name] for name in (*_TARGETS, "resizeTimeout")}
        yield Step("POST", (*place, "resize"), body)
    if spec.enable_auto_scale and (again or changed.intersection(_FORMULA)):
        body = {name: new[name] for name in _FORMULA[1:]}
        yield Step("POST", (*place, "enableautoscale"), body)


def _rest(spec: PoolSpec, pool_id: str, differing: tuple[Difference, ...]) -> Iterator[Step]:
    changed = [name for name in tops(differing) if name not in _SIZING]
    body = {name: getattr(spec, _ATTRIBUTES[name]) for name in changed}
    if "startTask" in body and spec.start_task is None:
        # only what replaces all three takes it away
        del body["startTask"]
        kept = {name: getattr(spec, _ATTRIBUTES[name]) for name in ("applicationPackageReferences", "metadata")}
        body = {name: value for name, value in body.items() if name not in kept}
        yield Step("POST", ("pools", pool_id, "updateproperties"), kept)
    if body:
        body = {name: _NOTHING[name] if value is None else value for name, value in body.items()}
        yield Step("PATCH", ("pools", pool_id), body)

"""What a pool request must be like to be let in. Everything is checked before anything is changed. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import timedelta

from msgspec.structs import fields

from formula import FormulaError, compile_formula

from .command_spec import EnvironmentSetting, StartTask
from .differences import differences
from .options import POOL_CHANGES, OptionError, pool_options
from .secret_references import invalid_references
from .settings import PoolSettings
from .spec import PoolSpec

#: Most task slots that a node may have (Batch REST API: 4 * vCPUs, at most 256).
MAX_TASK_SLOTS = 256

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")


class PoolError(ValueError):
    """A request about a pool that cannot be carried out; `code` as the Batch REST API spells it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def invalid_id(value: str) -> str | None:
    """Why `value` cannot be an id, or None. Ids become parts of paths on nodes, so nothing else is let in."""
    if _ID.match(value):
        return None
    return f"{value!r} is not an id: 1 to 64 letters, digits, hyphens and underscores"


def invalid_environment(settings: Iterable[EnvironmentSetting]) -> str | None:
    """Why the settings cannot become environment variables, or None."""
    for setting in settings:
        if not setting.name or "=" in setting.name or "\0" in setting.name:
            return (
                f"{setting.name!r} cannot be the name of an environment variable (empty, or holds = or NUL)"
            )
        if "\0" in setting.value:
            return f"the value of {setting.name!r} holds a NUL character"
        if (fault := invalid_references(setting.value)) is not None:
            return f"the value of {setting.name!r}: {fault}"
    return None


def invalid_retries(value: int) -> str | None:
    """Why `value` cannot be a maxTaskRetryCount, or None."""
    return None if value >= -1 else f"{value}: -1 (without limit), 0 or more"


def _require(property_name: str, fault: str | None) -> None:
    if fault is not None:
        raise PoolError("InvalidPropertyValue", f"{property_name}: {fault}")


def _check_reach(spec: PoolSpec, provider: str, settings: PoolSettings) -> None:
    """Can its nodes reach each other, if they are to? Raises PoolError."""
    reach = settings.profile(provider).reach
    if spec.enable_inter_node_communication and reach is not True:
        fault = f"the provider {provider} cannot do it: {reach or 'its nodes do not reach each other'}"
        _require("enableInterNodeCommunication", fault)


def check_targets(dedicated: int | None, low_priority: int | None) -> None:
    """Raises PoolError."""
    for name, value in (("targetDedicatedNodes", dedicated), ("targetLowPriorityNodes", low_priority)):
        _require(name, None if value is None or value >= 0 else f"{value}: 0 or more")


def check_resize_timeout(timeout: timedelta) -> None:
    """Raises PoolError."""
    _require("resizeTimeout", None if timeout.total_seconds() > 0 else "must be positive")


def check_formula(text: str) -> None:
    """Raises PoolError with every diagnostic if `text` is not a formula."""
    try:
        compile_formula(text)
    except FormulaError as exc:
        raise PoolError(exc.code, f"autoScaleFormula:\n{exc}") from None


def check_pool(spec: PoolSpec, settings: PoolSettings, provider: str | None = None) -> None:
    """Raises PoolError, naming the property. `provider`: also what it can do."""
    if provider is not None:
        _check_reach(spec, provider, settings)
    _require("id", invalid_id(spec.id))
    slots = spec.task_slots_per_node
    _require("taskSlotsPerNode", None if 1 <= slots <= MAX_TASK_SLOTS else f"{slots}: 1 to {MAX_TASK_SLOTS}")
    _require("metadata", _invalid_options(spec))
    check_resize_timeout(spec.resize_timeout)
    check_targets(spec.target_dedicated_nodes, spec.target_low_priority_nodes)
    if spec.start_task is not None:
        _check_start_task(spec.start_task)
    if spec.enable_auto_scale:
        _check_autoscale(spec, settings)
    elif spec.auto_scale_formula is not None:
        _require("autoScaleFormula", "needs enableAutoScale: true beside it")


def _invalid_options(spec: PoolSpec) -> str | None:
    try:
        pool_options(spec.metadata)
    except OptionError as exc:
        return str(exc)
    return None


def _check_start_task(task: StartTask) -> None:
    _require("startTask.environmentSettings", invalid_environment(task.environment_settings))
    _require("startTask.maxTaskRetryCount", invalid_retries(task.max_task_retry_count))


def _check_autoscale(spec: PoolSpec, settings: PoolSettings) -> None:
    for name, value in (
        ("targetDedicatedNodes", spec.target_dedicated_nodes),
        ("targetLowPriorityNodes", spec.target_low_priority_nodes),
    ):
        _require(name, None if value is None else "cannot stand beside enableAutoScale; the formula sets it")
    if spec.auto_scale_formula is None:
        raise PoolError("InvalidPropertyValue", "autoScaleFormula: enableAutoScale needs a formula")
    check_formula(spec.auto_scale_formula)
    interval = spec.auto_scale_evaluation_interval.total_seconds()
    least, most = settings.minimum_evaluation_interval, settings.maximum_evaluation_interval
    if not least <= interval <= most:
        raise PoolError(
            "InvalidPropertyValue",
            f"autoScaleEvaluationInterval: {interval:g} s is not between {least:g} s and {most:g} s"
            " (these bounds are settings)",
        )


#: What may change of a pool: what sizes it, and what only its new nodes meet. What its `metadata` say may change as
#: well, but for the provider and what is not ours.
POOL_CHANGEABLE = (
    "autoScaleFormula",
    "autoScaleEvaluationInterval",
    "enableAutoScale",
    "networkConfiguration",
    "resourceTags",
    "startTask",
    "targetDedicatedNodes",
    "targetLowPriorityNodes",
    "targetNodeCommunicationMode",
    "virtualMachineConfiguration",
    "vmSize",
)


#: What may change of a pool by name (Batch REST API: PATCH of a pool): what is heeded from now on ...
AT_ONCE = (
    "display_name",
    "metadata",
    "resource_tags",
    "target_node_communication_mode",
    "task_scheduling_policy",
)
#: ... what only new nodes meet, and those that start anew ...
FOR_NEW_NODES = (
    "application_package_references",
    "network_configuration",
    "start_task",
    "virtual_machine_configuration",
    "vm_size",
)
#: ... and what all nodes have in common, so that there must be none.
WITHOUT_NODES = ("enable_inter_node_communication", "task_slots_per_node", "user_accounts")
UPDATABLE = (*AT_ONCE, *FOR_NEW_NODES, *WITHOUT_NODES)


def check_changed(changed: Collection[str]) -> None:
    """May these attributes of a pool change? Raises PoolError."""
    names = {field.name: field.encode_name for field in fields(PoolSpec)}
    fixed = sorted(names.get(each, each) for each in changed if each not in UPDATABLE)
    _require(", ".join(fixed), "cannot be changed in this way" if fixed else None)


def check_update(old: PoolSpec, new: PoolSpec, provider: str, nodes: int) -> None:
    """Can the pool become that? `nodes`: how many it has. Raises PoolError."""
    names = {field.name: field.encode_name for field in fields(new)}
    moved = pool_options(new.metadata).provider
    text = f"provider: the pool's nodes are at {provider}, and stay there; make another pool for {moved}"
    _require("metadata", text if moved not in (None, provider) else None)
    common = [each for each in WITHOUT_NODES if getattr(old, each) != getattr(new, each)]
    if common and nodes:
        what = f"{', '.join(names[each] for each in common)} can change only while the pool has no node"
        cure = f"it has {nodes}; resize it to none first"
        raise PoolError("OperationInvalidForCurrentState", f"pool {old.id!r}: {what}, and {cure}")


def fixed_differences(old: PoolSpec, new: PoolSpec) -> tuple[str, ...]:
    """The properties in which the two differ although they are for a pool's whole life; () if the one pool can become
    the other."""
    return differences(old, new, POOL_CHANGEABLE, POOL_CHANGES)

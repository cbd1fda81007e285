"""What must hold within a pool, beyond the types of its properties."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from .command_checks import check_command
from .cursor import Cursor
from .decoding import listed, nearest
from .formula_in_file import check_formula
from .identity_checks import accounts_of, check_accounts, check_container_configuration, check_identities
from .iso8601 import format_duration
from .metadata_checks import check_pool_metadata, option
from .offers import Offer
from .placement_checks import check_placement
from .positions import Scalar
from .problems import Problems
from .settings import Settings

#: The service's own limit for an evaluation interval.
_LONGEST_INTERVAL = timedelta(hours=168)
_MOST_SLOTS = 256


def check_pool(
    pool: Cursor, offers: Mapping[str, Offer] | None, settings: Settings, lines: list[str], problems: Problems
) -> None:
    """`offers` None: who has them is not known here."""
    check_pool_metadata(pool, problems)
    offer = _provider(pool, offers, settings.default_provider, problems) if offers is not None else None
    if offer is not None:
        check_placement(pool, offer, problems)
    _targets(pool, problems)
    _formula(pool, settings, lines, problems)
    machine = pool.get("virtualMachineConfiguration")
    if machine is not None:
        check_container_configuration(machine, problems)
    slots = "taskSlotsPerNode" if pool.get("taskSlotsPerNode") else "maxTasksPerNode"
    if not 1 <= pool.whole(slots, 1) <= _MOST_SLOTS:
        _error(pool, slots, f"must be between 1 and {_MOST_SLOTS}", problems)
    timeout = pool.duration("resizeTimeout")
    if timeout is not None and not timeout:
        _error(pool, "resizeTimeout", "must be longer than nothing", problems)
    check_accounts(pool, problems)
    start = pool.get("startTask")
    check_identities([start], accounts_of(pool), problems)
    if start is not None:
        check_command(start, problems)
        if start.whole("maxTaskRetryCount", 0) < -1:
            _error(start, "maxTaskRetryCount", "must be at least -1, which means without limit", problems)


def _provider(pool: Cursor, offers: Mapping[str, Offer], default: str, problems: Problems) -> Offer | None:
    """What the provider of the pool offers; None if there is no such provider (which is said then)."""
    named = option(pool, "provider")
    name = named.tree.text if named is not None and isinstance(named.tree, Scalar) else default
    if name in offers or not name:
        return offers.get(name)
    assert named is not None
    near = nearest(name, offers)
    hint = f"did you mean {near}?" if near else f"there are {listed(offers)}"
    problems.error(named.place, named.path, f"the settings have no provider {name!r}; {hint}")
    return None


def _targets(pool: Cursor, problems: Problems) -> None:
    automatic = pool.true("enableAutoScale")
    for name in ("targetDedicatedNodes", "targetLowPriorityNodes"):
        if pool.whole(name, 0) < 0:
            _error(pool, name, "must be at least 0", problems)
        elif automatic and pool.get(name) is not None:
            _error(pool, name, "cannot stand beside enableAutoScale: true; the formula sets it", problems)


def _formula(pool: Cursor, settings: Settings, lines: list[str], problems: Problems) -> None:
    automatic = pool.true("enableAutoScale")
    formula = pool.get("autoScaleFormula")
    interval = pool.duration("autoScaleEvaluationInterval")
    least = settings.minimum_auto_scale_evaluation_interval
    if automatic and formula is None:
        _error(pool, "enableAutoScale", "needs an autoScaleFormula", problems)
    if formula is not None:
        if not automatic:
            _error(pool, "autoScaleFormula", "needs enableAutoScale: true beside it", problems)
        check_formula(formula, lines, problems)
    if pool.get("autoScaleEvaluationInterval") is not None and not automatic:
        _error(pool, "autoScaleEvaluationInterval", "needs enableAutoScale: true beside it", problems)
    if interval is not None and interval < least:
        text = (
            f"must be at least {format_duration(least)}, the setting minimumAutoScaleEvaluationInterval, "
            f"not {format_duration(interval)}"
        )
        _error(pool, "autoScaleEvaluationInterval", text, problems)
    elif interval is not None and interval > _LONGEST_INTERVAL:
        _error(
            pool,
            "autoScaleEvaluationInterval",
            f"must be at most {format_duration(_LONGEST_INTERVAL)}",
            problems,
        )


def _error(cursor: Cursor, name: str, text: str, problems: Problems) -> None:
    value = cursor.get(name)
    assert value is not None
    problems.error(value.place, value.path, text)

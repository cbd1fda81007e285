"""What a deployment asks of the core as a whole."""

from __future__ import annotations

import msgspec

from pools import PoolSettings

from .user_identity import Scope


class CoreSettings(msgspec.Struct, frozen=True, kw_only=True):
    pools: PoolSettings = PoolSettings()
    account: str = "ebbtide"
    #: least recurrenceInterval of a job schedule, in seconds (Batch REST API: 1 minute)
    minimum_recurrence_interval: float = 60.0
    #: `run` mode: pools without work end, schedules make at most so many jobs
    end_idle_pools: bool = False
    occurrences: int | None = None
    #: who tasks run as that ask for nobody (see user_identity), and what they have between SIGTERM and SIGKILL
    auto_user_scope: Scope = "pool"
    task_grace: float = 30.0

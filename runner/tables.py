"""The tables of jobs, tasks, schedules, applications and outputs; see pools/tables.py."""

from __future__ import annotations

from sqlalchemy import BigInteger, Double, Index, Integer, LargeBinary, Table

from pools import tables as shared

metadata, body, copied, key, stamped = shared.metadata, shared.body, shared.copied, shared.key, shared.stamped

jobs = Table(
    "jobs",
    metadata,
    key("id"),
    copied("pool_id"),
    copied("schedule_id", optional=True),
    copied("priority", Integer, source="spec.priority"),
    *stamped(),
    body(),
)

tasks = Table(
    "tasks",
    metadata,
    key("job_id"),
    key("id"),
    copied("sequence", BigInteger),
    # of completed ones, which the controller does not hold in memory (see model.Done)
    copied("done", Integer, optional=True),
    copied("cost", Double, optional=True),
    copied("unpriced_seconds", Double, optional=True),
    *stamped(),
    body(),
    Index(None, "done", "job_id"),
)

job_nodes = Table("job_nodes", metadata, key("job_id"), key("node_id"), *stamped(), body())

#: what is gone on purpose; the ids are in lower case
gone = Table("gone", metadata, key("job_id"), key("task_id"), body())

job_schedules = Table("job_schedules", metadata, key("id"), *stamped(), body())

applications = Table("applications", metadata, key("id"), key("version"), copied("created", Double), body())

outputs = Table(
    "outputs",
    metadata,
    key("owner"),
    key("parent_id"),
    key("id"),
    key("attempt", Integer),
    key("stream"),
    copied("size", BigInteger),
    copied("file", optional=True),
    copied("data", LargeBinary, optional=True),
    body(),
)

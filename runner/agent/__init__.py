"""The node agent: what runs on a node. Standard library only, Python 3.8 or later, shipped as one zipapp.

`serve` speaks JSON lines with the controller, one *supervisor* process per slot runs the executions and
outlives agent and connection, `files` moves file bytes on a channel of its own.
"""

VERSION = 1
"""Of the wire protocol; the first message of the agent (`hello`) carries it."""

PRIVATE = ".ebbtide"
"""The folder below the node root that belongs to the agent."""

STARTUP = "startup"
"""Name of the supervisor that runs the start task."""

JOB = "job-"
"""Names of the supervisors that run preparation and release tasks begin so."""

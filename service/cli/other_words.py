"""Words that commands have elsewhere, and what they are here: those of `az batch` above all."""

from __future__ import annotations

import re

#: By the command that they were typed behind, without `ebbtide`.
_OURS: dict[tuple[str, str], str] = {
    ("", "application"): "`ebbtide app`",
    ("", "job-schedule"): "`ebbtide schedule`",
    ("", "compute-node"): "`ebbtide node`",
    ("", "list"): "`ebbtide status`, or `ebbtide pool list`, `job list` and so on",
    ("account", "keys"): "`ebbtide account show` and `ebbtide account key renew`",
    ("account", "login"): "AZURE_BATCH_ENDPOINT, AZURE_BATCH_ACCOUNT and AZURE_BATCH_ACCESS_KEY",
    ("account", "set"): "AZURE_BATCH_ENDPOINT, AZURE_BATCH_ACCOUNT and AZURE_BATCH_ACCESS_KEY",
    ("app", "create"): "`ebbtide app add`, which makes the application as well",
    ("app", "delete"): "`ebbtide app remove`",
    ("app", "package"): "`ebbtide app add` and `ebbtide app remove`",
    ("app", "set"): "`ebbtide app set-default`",
    ("app", "summary"): "`ebbtide app list`",
    ("job", "stop"): "`ebbtide job terminate`",
    ("job", "add"): "`ebbtide job create`",
    ("node", "delete"): "`ebbtide pool remove-nodes`",
    ("node", "scheduling"): "`ebbtide node disable` and `ebbtide node enable`",
    ("node", "remote-desktop"): "`ebbtide node remote-login-settings`: nodes are reached by ssh",
    ("node", "service-logs"): "`ebbtide node logs`",
    ("pool", "remove"): "`ebbtide pool remove-nodes`",
    ("pool", "add"): "`ebbtide pool create`",
    ("pool", "evaluate"): "`ebbtide pool autoscale evaluate`",
    ("pool", "enable-autoscale"): "`ebbtide pool autoscale enable`",
    ("pool", "disable-autoscale"): "`ebbtide pool autoscale disable`",
    ("pool", "usage-metrics"): "`ebbtide status`, which tells what pools have cost",
    ("schedule", "stop"): "`ebbtide schedule terminate`",
    ("schedule", "add"): "`ebbtide schedule create`",
    ("task", "add"): "`ebbtide task create`",
    ("task", "reset"): "`ebbtide task set`",
    ("task", "stop"): "`ebbtide task terminate`",
    ("task", "subtask"): "`ebbtide task subtasks`",
}
_UNKNOWN = re.compile(r"No such command '([^']+)'")


def here(message: str, behind: str) -> str:
    """What is to be said after the message that there is no such command; `behind`: the words before it."""
    found = _UNKNOWN.match(message)
    ours = _OURS.get((behind, found[1])) if found is not None else None
    return f" It is {ours} here." if ours is not None else ""

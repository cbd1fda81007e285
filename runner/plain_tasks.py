"""Tasks that ask for a command line and little else, as most of a million do: whether one is right is seen at once.
Pure."""

from __future__ import annotations

import re

from pools import invalid_environment, invalid_id, invalid_retries

from .linux_nodes import windows_command
from .task_checks import invalid_files, invalid_limit
from .task_spec import TaskConstraints, TaskSpec

#: A command line of printable ASCII without `\`, whose quotes are closed and whose first word is not empty: it can be
#: split (see command_line.split).
_SPLITS = re.compile(r"""[A-Za-z0-9_./%](?:[ !#-&(-\[\]-~]+|'[ -&(-\[\]-~]*'|"[ !#-\[\]-~]*")*+""")
_DEFAULT = TaskSpec(id="", command_line="").constraints


def is_plain(spec: TaskSpec) -> bool:
    """It asks for nothing that depends on anything but itself, and nothing is wrong with it. False says nothing: then
    `check_task` knows."""
    if (
        spec.depends_on is not None
        or spec.required_slots != 1
        or spec.output_files
        or spec.container_settings is not None
        or spec.exit_conditions is not None
        or spec.affinity_info is not None
        or spec.multi_instance_settings is not None
        or spec.application_package_references
        or spec.authentication_token_settings is not None
    ):
        return False
    if spec.environment_settings and invalid_environment(spec.environment_settings) is not None:
        return False
    if spec.constraints is not _DEFAULT and not _are_right(spec.constraints):
        return False
    if spec.resource_files and invalid_files(spec.resource_files) is not None:
        return False
    if spec.user_identity is not None and spec.user_identity.user_name is not None:
        return False
    line = spec.command_line
    if _SPLITS.fullmatch(line) is None or (line[0] != "/" and windows_command(line) is not None):
        return False
    return invalid_id(spec.id) is None


def _are_right(constraints: TaskConstraints) -> bool:
    retries = constraints.max_task_retry_count
    return (
        (retries is None or invalid_retries(retries) is None)
        and invalid_limit(constraints.max_wall_clock_time) is None
        and invalid_limit(constraints.retention_time) is None
    )

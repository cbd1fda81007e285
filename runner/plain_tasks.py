"""Tasks that ask for a command line and nothing else, as most of a million do: whether one is right is seen at once.
Pure."""

from __future__ import annotations

import re

from pools import invalid_id

from .linux_nodes import windows_command
from .task_spec import TaskSpec

#: A command line of printable ASCII without `\`, whose quotes are closed and whose first word is not empty: it can be
#: split (see command_line.split).
_SPLITS = re.compile(r"""[A-Za-z0-9_./%](?:[ !#-&(-\[\]-~]+|'[ -&(-\[\]-~]*'|"[ !#-\[\]-~]*")*+""")
_DEFAULT = TaskSpec(id="", command_line="").constraints


def is_plain(spec: TaskSpec) -> bool:
    """It asks for nothing but to be run, and nothing is wrong with it. False says nothing: then `check_task` knows."""
    if (
        spec.depends_on is not None
        or spec.required_slots != 1
        or spec.resource_files
        or spec.environment_settings
        or spec.output_files
        or spec.constraints is not _DEFAULT
        or spec.container_settings is not None
        or spec.exit_conditions is not None
        or spec.affinity_info is not None
        or spec.user_identity is not None
        or spec.multi_instance_settings is not None
        or spec.application_package_references
        or spec.authentication_token_settings is not None
    ):
        return False
    line = spec.command_line
    if _SPLITS.fullmatch(line) is None or (line[0] != "/" and windows_command(line) is not None):
        return False
    return invalid_id(spec.id) is None

"""The environment variables that every command finds (`AZ_BATCH_*`), as Azure Batch on Linux spells them.
Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from pools import EnvironmentSetting, InstalledPackage

from .model import ApplicationPackage

#: Stands in AZ_BATCH_MASTER_NODE, as in Azure Batch; nothing listens there but what the task starts.
MASTER_PORT = 6000
_FLATTENED = re.compile(r"[#.\-]")


def node_environment(account: str, pool_id: str, node_id: str, root: str, dedicated: bool) -> dict[str, str]:
    """What is the same for everything that runs on the node; `root` is the absolute node root."""
    return {
        "AZ_BATCH_ACCOUNT_NAME": account,
        "AZ_BATCH_POOL_ID": pool_id,
        "AZ_BATCH_NODE_ID": node_id,
        "AZ_BATCH_NODE_IS_DEDICATED": "true" if dedicated else "false",
        "AZ_BATCH_NODE_ROOT_DIR": root,
        "AZ_BATCH_NODE_SHARED_DIR": f"{root}/shared",
        "AZ_BATCH_NODE_STARTUP_DIR": f"{root}/startup",
    }


def directory_environment(root: str, directory: str) -> dict[str, str]:
    """Where a command finds itself; `directory` is relative to the node root."""
    return {
        "AZ_BATCH_TASK_DIR": f"{root}/{directory}",
        "AZ_BATCH_TASK_WORKING_DIR": f"{root}/{directory}/wd",
    }


def preparation_environment(root: str, directory: str) -> dict[str, str]:
    """Where the tasks of a job (not itself) find what its preparation task left; `directory` is that one's."""
    return {
        "AZ_BATCH_JOB_PREP_DIR": f"{root}/{directory}",
        "AZ_BATCH_JOB_PREP_WORKING_DIR": f"{root}/{directory}/wd",
    }


def task_environment(job_id: str, task_id: str) -> dict[str, str]:
    return {"AZ_BATCH_JOB_ID": job_id, "AZ_BATCH_TASK_ID": task_id}


def instance_environment(addresses: Sequence[str], number: int, shared: str) -> dict[str, str]:
    """What the instances of a multi-instance task know of each other; the first address is the primary's. `shared`: a
    folder of their own, at the same place of every node."""
    return {
        "AZ_BATCH_HOST_LIST": ",".join(addresses),
        "AZ_BATCH_NODE_LIST": ";".join(addresses),
        "AZ_BATCH_MASTER_NODE": f"{addresses[0]}:{MASTER_PORT}",
        "AZ_BATCH_IS_CURRENT_NODE_MASTER": "false" if number else "true",
        "AZ_BATCH_TASK_SHARED_DIR": shared,
        "EBBTIDE_INSTANCE": str(number),
    }


def package_environment(
    packages: Iterable[ApplicationPackage | InstalledPackage], defaults: Mapping[str, str], root: str
) -> dict[str, str]:
    """`AZ_BATCH_APP_PACKAGE_<id>[_<version>]`: flattened as on Linux, in lower case and not, and also as
    written.

    `defaults` maps an application id to the version that the name without a version stands for.
    """
    env: dict[str, str] = {}
    for package in packages:
        path = f"{root}/{package_directory(package)}"
        names = [f"{package.application_id}_{package.version}", f"{package.application_id}#{package.version}"]
        if defaults.get(package.application_id) == package.version:
            names.append(package.application_id)
        for name in names:
            env[f"AZ_BATCH_APP_PACKAGE_{name}"] = path
            flat = _FLATTENED.sub("_", name)
            env[f"AZ_BATCH_APP_PACKAGE_{flat}"] = path
            env[f"AZ_BATCH_APP_PACKAGE_{flat.lower()}"] = path
    return env


def package_directory(package: ApplicationPackage | InstalledPackage) -> str:
    """Where a package is unpacked, relative to the node root; another content is another folder."""
    return f"applications/{package.application_id}/{package.version}/{package.sha256[:12]}"


def settings_environment(settings: Iterable[EnvironmentSetting]) -> dict[str, str]:
    return {setting.name: setting.value for setting in settings}

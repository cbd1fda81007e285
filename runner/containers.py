"""Commands in containers, in the words of the node's agent. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pools import (
    ContainerRegistry,
    ContainerSettings,
    PoolSpecification,
    UserIdentity,
    container_configuration,
    invalid_image,
    invalid_registry,
)

from .agent.container_options import OptionRefused, check
from .command_line import CommandLineError, split


def contained(settings: ContainerSettings | None, pool: PoolSpecification) -> dict[str, Any] | None:
    """How the command runs in a container; None: it runs in none. Its own registry goes before those of the pool."""
    if settings is None:
        return None
    configuration = container_configuration(pool)
    known = configuration.container_registries if configuration is not None else ()
    own = (settings.registry,) if settings.registry is not None else ()
    return {
        "image": settings.image_name,
        "options": options(settings),
        "inside": settings.working_directory == "taskWorkingDirectory",
        "registries": _registries((*known, *own)),
    }


def images(pool: PoolSpecification) -> dict[str, Any] | None:
    """What the pool's nodes are to hold before they take tasks; None: nothing."""
    configuration = container_configuration(pool)
    if configuration is None or not configuration.container_image_names:
        return None
    return {
        "images": configuration.container_image_names,
        "registries": _registries(configuration.container_registries),
        # a start task may yet install what runs containers
        "patient": pool.start_task is not None,
    }


def _registries(found: Iterable[ContainerRegistry]) -> list[dict[str, Any]]:
    return [{"server": each.registry_server, "username": each.user_name, "password": each.password} for each in found]


def options(settings: ContainerSettings) -> tuple[str, ...]:
    """Raises CommandLineError."""
    return split(settings.container_run_options) if settings.container_run_options.strip() else ()


def invalid_container(settings: ContainerSettings | None, identity: UserIdentity | None = None) -> str | None:
    """What is wrong with `containerSettings`, or None. `identity`: who the command runs as; what a user account of the
    pool may do, only its nodes know."""
    if settings is None:
        return None
    if (fault := invalid_image(settings.image_name)) is not None:
        return f"imageName: {fault}"
    try:
        check(list(options(settings)), admin=_may_be_admin(identity))
    except (CommandLineError, OptionRefused) as exc:
        return f"containerRunOptions: {exc}"
    if settings.registry is not None and (fault := invalid_registry(settings.registry)) is not None:
        return f"registry: {fault}"
    return None


def _may_be_admin(identity: UserIdentity | None) -> bool:
    if identity is None:
        return False
    auto = identity.auto_user
    return identity.user_name is not None or (auto is not None and auto.elevation_level == "admin")

"""Commands in containers, in the words of the node's agent. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pools import (
    ContainerRegistry,
    ContainerSettings,
    PoolSpecification,
    container_configuration,
    invalid_image,
    invalid_registry,
)

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


def invalid_container(settings: ContainerSettings | None) -> str | None:
    """What is wrong with `containerSettings`, or None."""
    if settings is None:
        return None
    if (fault := invalid_image(settings.image_name)) is not None:
        return f"imageName: {fault}"
    try:
        found = options(settings)
    except CommandLineError as exc:
        return f"containerRunOptions: {exc}"
    if found and not found[0].startswith("-"):
        return f"containerRunOptions: {found[0][:80]!r} is no option; they are those of `docker create`, such as --rm"
    for own in ("--name", "--cidfile", "--detach", "-d"):
        if any(option.partition("=")[0] == own for option in found):
            return f"containerRunOptions: {own} may not be among them: the container is named and watched already"
    if settings.registry is not None and (fault := invalid_registry(settings.registry)) is not None:
        return f"registry: {fault}"
    return None

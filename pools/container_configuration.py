"""What a pool's `virtualMachineConfiguration.containerConfiguration` says: images that its nodes hold before they take
tasks, and registries that images come from."""

from __future__ import annotations

import msgspec

from .command_spec import ContainerRegistry, Spec
from .secret_references import invalid_password
from .spec import PoolSpecification

NAME = "containerConfiguration"


class ContainerConfiguration(Spec, frozen=True, kw_only=True):
    """`type`: dockerCompatible or criCompatible, in whatever case; nodes take the engine that they have."""

    type: str = "dockerCompatible"
    container_image_names: tuple[str, ...] = ()
    container_registries: tuple[ContainerRegistry, ...] = ()


def container_configuration(pool: PoolSpecification) -> ContainerConfiguration | None:
    """Raises ValueError, which those of checked pools do not."""
    group = (pool.virtual_machine_configuration or {}).get(NAME)
    if group is None:
        return None
    try:
        return msgspec.convert(group, ContainerConfiguration)
    except msgspec.ValidationError as exc:
        raise ValueError(f"{NAME}: {exc}") from exc


def invalid_container_configuration(pool: PoolSpecification) -> str | None:
    """What is wrong with it, or None."""
    try:
        found = container_configuration(pool)
    except ValueError as exc:
        return str(exc)
    if found is None:
        return None
    if found.type.lower() not in ("dockercompatible", "cricompatible"):
        return f"{NAME}.type: {found.type[:40]!r} is neither dockerCompatible nor criCompatible"
    for name in found.container_image_names:
        if (fault := invalid_image(name)) is not None:
            return f"{NAME}.containerImageNames: {fault}"
    for registry in found.container_registries:
        if (fault := invalid_registry(registry)) is not None:
            return f"{NAME}.containerRegistries: {fault}"
    return None


def invalid_image(name: str) -> str | None:
    if not name or name.startswith("-") or any(char.isspace() or not char.isprintable() for char in name):
        return f"{name[:80]!r} is no name of an image"
    return None


def invalid_registry(registry: ContainerRegistry) -> str | None:
    if not registry.user_name or registry.password is None:
        return "needs username and password (leave the registry out if its images are open to all)"
    if ":" in registry.user_name or any(ord(char) < 32 for char in registry.user_name + registry.password):
        return "username may hold no colon, and neither it nor password a control character"
    if (fault := invalid_password(registry.password)) is not None:
        return f"password: {fault}"
    server = registry.registry_server
    if server is not None and (not server or any(char.isspace() for char in server)):
        return f"registryServer {server[:80]!r} is no address"
    return None

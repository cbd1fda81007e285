"""In what two requests for the same thing differ. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from .command_spec import Spec
from .spec import MetadataItem


def differences(
    old: Spec, new: Spec, may_change: Collection[str] = (), items: Collection[str] = (), path: str = ""
) -> tuple[str, ...]:
    """The properties in which the two differ, as they are spelled on the wire (`startTask.commandLine`), without those
    that `may_change` and without the metadata `items` of these names. Both are of one type."""
    found: list[str] = []
    for attribute, encoded in zip(old.__struct_fields__, old.__struct_encode_fields__, strict=True):
        name, before, after = path + encoded, getattr(old, attribute), getattr(new, attribute)
        if before == after or name in may_change:
            continue
        if attribute == "metadata":
            found += _items(name, before, after, items)
        elif isinstance(before, Spec) and type(before) is type(after):
            found += differences(before, after, may_change, items, f"{name}.")
        else:
            found.append(name)
    return tuple(found)


def _items(
    name: str, old: Iterable[MetadataItem], new: Iterable[MetadataItem], leave_out: Collection[str]
) -> list[str]:
    before, after = ([item for item in each if item.name not in leave_out] for each in (old, new))
    if before == after:
        return []
    names = dict.fromkeys(item.name for item in (*before, *after) if (item in before) != (item in after))
    return [f"{name} ({', '.join(names)})" if names else name]

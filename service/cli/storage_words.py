"""Addresses in the object store as words of a command, and their completion."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from ..hints import DEFAULT_STATE
from .options import read_settings

if TYPE_CHECKING:
    from runner import ObjectStore

    _Text = click.ParamType[str]
else:
    _Text = click.ParamType

#: Names that are offered at most.
_OFFERED = 100


def open_state(state: Path, config: Path | None) -> ObjectStore:
    from ..object_stores import open_store
    from ..state import StateDirectory

    directory = StateDirectory(state)
    directory.check()
    return open_store(directory, read_settings(config).object_store)


class Url(_Text):
    """`storage://CONTAINER[/NAME]`, or a path where that may stand too."""

    name = "url"

    def __init__(self, paths: bool) -> None:
        self._paths = paths

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from runner import StorageUrlError, StoreError

        with suppress(StoreError, StorageUrlError, click.ClickException, OSError, ValueError):
            # bash takes what stands before a colon for a word of its own
            after_colon = incomplete.startswith("//")
            text = f"storage:{incomplete}" if after_colon else incomplete
            if text.startswith("storage://"):
                store = open_state(Path(ctx.params.get("state") or DEFAULT_STATE), ctx.params.get("config"))
                cut = len("storage:") if after_colon else 0
                return [CompletionItem(each[cut:]) for each in completions(store, text)]
        items = [CompletionItem("storage://")] if "storage://".startswith(incomplete) else []
        return [*items, CompletionItem(incomplete, type="file")] if self._paths else items


def completions(store: ObjectStore, text: str) -> list[str]:
    from runner import parse_storage_url

    container, slash, _ = text[len("storage://") :].partition("/")
    if not slash:
        return [f"storage://{name}/" for name in store.containers() if name.startswith(container)]
    place = parse_storage_url(text)
    names = [blob.name for blob in store.page(place.container, place.name, limit=_OFFERED).blobs]
    return [f"storage://{place.container}/{name}" for name in names]

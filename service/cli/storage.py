"""`ebbtide storage`: a user's files in the built-in object store, with or without a controller that runs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from ..whole_file import whole_file
from .door import BadInput, colour
from .options import config_option, json_option, state_option
from .storage_words import Url, open_state

if TYPE_CHECKING:
    from runner import Blob, ObjectStore

    from ..storage_copies import Copy

_PIECE = 1 << 20
#: How long S3 lets an address be good for.
SHORTEST, LONGEST = timedelta(seconds=1), timedelta(days=7)


@click.group()
def storage() -> None:
    """Files in the built-in object store (storage://CONTAINER/NAME)."""


# -- cp --------------------------------------------------------------------------------------------------------


@storage.command()
@click.argument("source", nargs=-1, required=True, type=Url(paths=True))
@click.argument("target", type=Url(paths=True))
@click.option("-r", "--recursive", is_flag=True, help="Folders with all that is in them.")
@state_option
@config_option
def cp(source: tuple[str, ...], target: str, recursive: bool, state: Path, config: Path | None) -> None:
    """Copy files into the object store, out of it, or within it; `-` is standard input or output."""
    from runner import StorageUrlError, StoreError

    from ..storage_copies import CopyError, planned

    store = open_state(state, config)
    try:
        copies = planned(store, source, target, recursive)
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        progress = _Progress(copies)
        for copy in copies:
            _copy(store, copy, progress)
        progress.end()
    except (CopyError, StorageUrlError) as exc:
        raise BadInput(str(exc)) from None
    except StoreError as exc:
        raise click.ClickException(str(exc)) from None


class _Progress:
    """One line on a terminal, nothing elsewhere."""

    def __init__(self, copies: list[Copy]) -> None:
        self._shown = colour(sys.stderr)
        self._files, self._total = len(copies), sum(copy.size or 0 for copy in copies)
        self._done, self._bytes, self._told = 0, 0, -1

    def moved(self, count: int) -> None:
        self._bytes += count
        if self._shown and self._bytes - self._told > _PIECE * 4:
            self._told = self._bytes
            of = f" of {_size(self._total)}" if self._total else ""
            click.echo(f"\r\x1b[K{self._done}/{self._files} files, {_size(self._bytes)}{of}", err=True, nl=False)

    def file(self) -> None:
        self._done += 1

    def end(self) -> None:
        if self._shown:
            click.echo("\r\x1b[K", err=True, nl=False)


def _size(count: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def _copy(store: ObjectStore, copy: Copy, progress: _Progress) -> None:
    from runner import Place

    pieces = _pieces(store, copy)
    if isinstance(copy.target, Place):
        with store.begin(copy.target.container, copy.target.name) as upload:
            for piece in pieces:
                upload.write(piece)
                progress.moved(len(piece))
            upload.commit()
    elif copy.target is None:
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
    else:
        _write(copy.target, pieces, progress)
    progress.file()


def _pieces(store: ObjectStore, copy: Copy) -> Iterator[bytes]:
    from runner import Place

    if isinstance(copy.source, Place):
        return store.read(copy.source.container, copy.source.name)
    if copy.source is None:
        return _read(sys.stdin.buffer)
    return _read(open(copy.source, "rb"))


def _read(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE):
            yield piece


def _write(path: Path, pieces: Iterator[bytes], progress: _Progress) -> None:
    """The file appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not path.is_file():
        with open(path, "wb") as device:
            device.writelines(pieces)
        return
    with whole_file(path) as file:
        for piece in pieces:
            file.write(piece)
            progress.moved(len(piece))


# -- ls, rm, url -----------------------------------------------------------------------------------------------


@storage.command()
@click.argument("url", required=False, type=Url(paths=False))
@click.option("-r", "--recursive", is_flag=True, help="Changes nothing: blobs of all depths are listed in any case.")
@state_option
@config_option
@json_option
def ls(url: str | None, recursive: bool, state: Path, config: Path | None, as_json: bool) -> None:
    """List the containers, or the blobs of a container whose names begin with NAME."""
    from runner import StorageUrlError, StoreError, parse_storage_url

    from ..storage_copies import every

    store = open_state(state, config)
    try:
        if url is None:
            names = store.containers()
            click.echo(json.dumps([{"name": name} for name in names]) if as_json else "\n".join(names), nl=bool(names))
            if as_json and not names:
                click.echo()
            return
        place = parse_storage_url(url)
        if as_json:
            _json_lines(place.container, every(store, place))
            return
        for blob in every(store, place):
            click.echo(f"{blob.size:>12}  {_when(blob.modified)}  {_legible(blob.name)}")
    except StorageUrlError as exc:
        raise BadInput(str(exc)) from None
    except StoreError as exc:
        raise click.ClickException(str(exc)) from None


def _json_lines(container: str, blobs: Iterator[Blob]) -> None:
    """One list, a line for each blob: a long one is never held in memory."""
    before = "["
    for blob in blobs:
        told: dict[str, Any] = {"container": container, "name": blob.name, "size": blob.size}
        told |= {"lastModified": _when(blob.modified), "eTag": blob.etag}
        click.echo(f"{before}{json.dumps(told)}", nl=False)
        before = ",\n "
    click.echo("[]" if before == "[" else "]")


def _when(seconds: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _legible(name: str) -> str:
    """Line ends and what terminals obey are shown, not done."""
    return name if name.isprintable() else json.dumps(name)


@storage.command()
@click.argument("url", nargs=-1, required=True, type=Url(paths=False))
@click.option("-r", "--recursive", is_flag=True, help="Folders and containers with all that is in them.")
@state_option
@config_option
def rm(url: tuple[str, ...], recursive: bool, state: Path, config: Path | None) -> None:
    """Delete blobs; wildcards are `*`, `?`, `[abc]` and `**`."""
    from runner import StorageUrlError, StoreError, parse_storage_url

    from ..storage_copies import CopyError, chosen

    store = open_state(state, config)
    try:
        for each in url:
            place = parse_storage_url(each)
            for blob, _ in chosen(store, place, recursive):
                store.delete(place.container, blob.name)
    except (CopyError, StorageUrlError) as exc:
        raise BadInput(str(exc)) from None
    except StoreError as exc:
        raise click.ClickException(str(exc)) from None


@storage.command()
@click.argument("url", type=Url(paths=False))
@click.option("--put", is_flag=True, help="An address to write the blob to, instead of one to read it from.")
@click.option("--expires", metavar="DURATION", default="PT1H", show_default=True, help="How long it is good for.")
@state_option
@config_option
def url(url: str, put: bool, expires: str, state: Path, config: Path | None) -> None:
    """Print an address of a blob for other programs: signed where the store is in S3, else that of the file."""
    from runner import StorageUrlError, StoreError, parse_storage_url

    from ..iso8601 import format_duration, parse_duration

    store = open_state(state, config)
    try:
        lifetime = parse_duration(expires)
        if not SHORTEST <= lifetime <= LONGEST:
            least, most = format_duration(SHORTEST), format_duration(LONGEST)
            raise BadInput(f"--expires {expires}: an address is good for {least} at least, and {most} at most")
        place = parse_storage_url(url)
        if not place.name:
            raise BadInput(f"{url} is a container; name a blob in it")
        if not put:
            store.stat(place.container, place.name)
        found = store.redirect("PUT" if put else "GET", place.container, place.name, lifetime.total_seconds())
        if found is None:
            file = store.file(place.container, place.name)
            if put or file is None:
                raise BadInput("the store is a local directory; write to it by `ebbtide storage cp`")
            found = file.absolute().as_uri()
    except (StorageUrlError, ValueError) as exc:
        raise BadInput(str(exc)) from None
    except StoreError as exc:
        raise click.ClickException(str(exc)) from None
    click.echo(found)

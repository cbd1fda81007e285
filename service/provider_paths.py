"""Files that settings name, mostly options of providers: their paths are relative to the settings file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from .cursor import Cursor
from .problems import Problems
from .settings import Settings, Written

#: Options that are paths, wherever they stand.
_PATHS = frozenset(("baseDir", "credentials", "disk", "identityFile", "initrd", "kernel", "knownHosts"))
#: The script that a VM runs at its first boot: read here, for a provider takes its text.
_SCRIPT = "userData"
#: Clouds take less; whatever is longer is no script.
_LONGEST = 64 * 1024


def with_files(settings: Settings, root: Cursor, file: Path, problems: Problems) -> Settings:
    """The settings with whole paths, and the text of scripts in the place of their names."""
    base = file.absolute().parent
    providers = {}
    for name, options in settings.providers.items():
        each = _located(_spelled_out(name, options), base)
        script = each.get(_SCRIPT)
        if isinstance(script, str) and not script.startswith("#!"):
            place = root.find("providers", name, _SCRIPT)
            each[_SCRIPT] = _text(base / Path(script).expanduser(), place or root, problems)
        providers[name] = _written(each, root.find("providers"), name, file)
    files = {
        name: str(base / Path(path).expanduser())
        for name in ("certificate", "certificate_key")
        if (path := getattr(settings.server, name)) is not None
    }
    server = msgspec.structs.replace(settings.server, **files)
    return msgspec.structs.replace(settings, providers=providers, server=server)


def _written(options: Mapping[str, Any], above: Cursor | None, name: str, file: Path) -> Written:
    cursor = above.get(name) if above is not None else None
    if above is None or cursor is None:
        return Written(options, str(file), {})
    places = {key: f"{file}:{cursor.key_place(key)}" for key in options if cursor.get(key) is not None}
    return Written(options, f"{file}:{above.key_place(name)}", places)


def _spelled_out(name: str, options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Images of VMs on this machine are files: `{disk: PATH}`, of which PATH is the short form."""
    images = options.get("images")
    if options.get("driver", name) != "qemu" or not isinstance(images, Mapping):
        return options
    return {**options, "images": {key: {"disk": it} if isinstance(it, str) else it for key, it in images.items()}}


def _located(value: Any, base: Path) -> Any:
    if isinstance(value, list | tuple):
        return [_located(each, base) for each in value]
    if not isinstance(value, Mapping):
        return value
    return {
        key: str(base / Path(each).expanduser())
        if isinstance(each, str) and each and "${" not in each and (key in _PATHS or _is_file(key, each))
        else _located(each, base)
        for key, each in value.items()
    }


def _is_file(key: str, value: str) -> bool:
    """An image that is a file by its looks: a cloud's own names begin with no dot."""
    return key == "image" and value.startswith(("./", "../", "~/"))


def _text(path: Path, cursor: Cursor, problems: Problems) -> str:
    def refuse(text: str) -> str:
        problems.error(cursor.place, cursor.path, text)
        return ""

    try:
        with open(path, "rb") as file:
            data = file.read(_LONGEST + 1)
        text = data.decode()
    except OSError as exc:
        return refuse(f"{path} cannot be read: {exc.strerror or exc}")
    except UnicodeDecodeError:
        return refuse(f"{path} is not UTF-8")
    if len(data) > _LONGEST:
        return refuse(f"{path} is longer than {_LONGEST // 1024} KiB; let a short script fetch the rest")
    return text if text.startswith("#!") else refuse(f"{path} is no script: it must begin with #!")

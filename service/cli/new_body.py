"""The body of what is to be made: from a file, as `az batch` takes it, and from options, which count before it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from .door import BadInput
from .ids import application_ids

F = TypeVar("F", bound=Callable[..., Any])
Body = dict[str, Any]

#: What `show` tells beside the answers of the Batch REST API; those can be given back.
_SHOWN = ("taskCounts", "taskSlotCounts", "subtasks", "schedulingError")


def json_file_option(command: F) -> F:
    return click.option(
        "--json-file",
        type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
        metavar="FILE",
        help="The object in JSON, as the Batch REST API has it (- reads it); options count before it.",
    )(command)


def metadata_option(command: F) -> F:
    return click.option("--metadata", multiple=True, metavar="NAME=VALUE", help="May be given several times.")(command)


def env_option(command: F) -> F:
    told = "A variable of the environment; may be given several times."
    return click.option("--env", "environment", multiple=True, metavar="NAME=VALUE", help=told)(command)


def retries_option(command: F) -> F:
    told = "How often a task that fails is tried again; -1: always."
    return click.option("--max-retries", type=click.IntRange(min=-1), metavar="N", help=told)(command)


def time_option(command: F) -> F:
    return click.option("--max-time", metavar="DURATION", help="How long it may take, such as PT1H.")(command)


def app_option(command: F) -> F:
    told = "ID, or ID#VERSION, of an application that is needed there; may be given several times."
    return click.option(
        "--app", "apps", multiple=True, metavar="APP", shell_complete=application_ids, help=told
    )(command)


def read_json(file: Path | None) -> Any:
    """{} of no file. Raises BadInput."""
    if file is None:
        return {}
    try:
        with click.open_file(str(file), encoding="utf-8-sig") as opened:
            return json.load(opened)
    except OSError as exc:
        raise BadInput(f"{file}: {exc.strerror or exc}") from None
    except json.JSONDecodeError as exc:
        raise BadInput(f"{file}:{exc.lineno}:{exc.colno}: {exc.msg}; the file is to hold JSON") from None
    except (UnicodeDecodeError, RecursionError) as exc:
        raise BadInput(f"{file}: is no JSON: {exc}") from None


def read_object(file: Path | None) -> Body:
    """Raises BadInput."""
    return as_object(read_json(file), file)


def as_object(found: object, file: Path | None) -> Body:
    """Without what nobody asks for. Raises BadInput."""
    if not isinstance(found, dict):
        told = {list: "a list", str: "a string", type(None): "null"}.get(type(found), "a number or a truth value")
        raise BadInput(f"{file}: is to hold JSON objects, not {told}")
    return {name: value for name, value in found.items() if name not in _SHOWN}


def complete(body: Body, given: Mapping[str, Any]) -> Body:
    """`given`: by the paths of the properties, such as `constraints.maxTaskRetryCount`; what is None or empty says
    nothing. Raises BadInput."""
    for path, value in given.items():
        if value is None or value == []:
            continue
        *groups, last = path.split(".")
        place = body
        for group in groups:
            place = place.setdefault(group, {})
            if not isinstance(place, dict):
                raise BadInput(f"{group} in the JSON file is to be an object")
        place[last] = value
    return body


def named(body: Body, object_id: str | None, argument: str) -> str:
    """The id of what is to be made, which is in the body then. Raises UsageError."""
    if object_id is not None:
        body["id"] = object_id
    found = body.get("id")
    if not isinstance(found, str) or not found:
        raise click.UsageError(f"Missing argument '{argument}': the id, which the JSON file does not hold either.")
    return found


def pairs(given: Iterable[str], option: str) -> list[dict[str, str]]:
    """`NAME=VALUE` as names and values. Raises BadParameter."""
    found = []
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{each!r} is not NAME=VALUE", param_hint=option)
        found.append({"name": name, "value": value})
    return found


def fetched(given: Iterable[str]) -> list[dict[str, str]]:
    """`PATH=URL` as resource files. Raises BadParameter."""
    found = []
    for each in given:
        path, equals, url = each.partition("=")
        if not equals or not path or "://" not in url:
            raise click.BadParameter(f"{each!r} is not PATH=URL", param_hint="--resource-file")
        found.append({"filePath": path, "httpUrl": url})
    return found


def packages(given: Iterable[str]) -> list[dict[str, str]]:
    """`ID` or `ID#VERSION`."""
    parts = [each.partition("#") for each in given]
    return [
        {"applicationId": name, **({"version": version} if version else {})} for name, _, version in parts
    ]


def image(text: str | None) -> Body | None:
    """`publisher:offer:sku[:version]`, or what the provider calls it, or an alias of the settings. Raises
    BadParameter."""
    if text is None:
        return None
    parts = text.split(":")
    if len(parts) == 1:
        return {"virtualMachineImageId": text}
    if len(parts) not in (3, 4) or not all(parts):
        raise click.BadParameter(f"{text!r} is not PUBLISHER:OFFER:SKU[:VERSION]", param_hint="--image")
    return dict(zip(("publisher", "offer", "sku", "version"), [*parts, "latest"], strict=False))

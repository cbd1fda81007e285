"""Reading the settings: the file, then the environment, which overrides it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect as shape

from .cursor import Cursor
from .decoding import WRONG, Decoder, decode
from .iso8601 import format_duration
from .positions import Scalar, read_document, read_text
from .problems import InputError, Place, Problems
from .provider_paths import with_files
from .settings import Settings
from .toml_document import parse_toml

#: Names of other things than settings that begin like one.
OTHERS = frozenset(("EBBTIDE_CRASH_AT", "EBBTIDE_DEBUG", "EBBTIDE_LIFELINE_FD", "EBBTIDE_NODE"))
_SCALARS = (shape.StrType, shape.IntType, shape.FloatType, shape.BoolType, shape.LiteralType, shape.TimeDeltaType)
_MAY_BE_ZERO = frozenset(("sample_delay",))
#: Longer ones the system cannot wait for: on a connection, and otherwise.
_LONGEST_ON_A_CONNECTION, _LONGEST = timedelta(days=1), timedelta(days=36525)
_ON_CONNECTIONS = frozenset(
    (
        *("agent_start_timeout", "connect_timeout", "connection_timeout", "handshake_timeout", "keep_alive_interval"),
        "transfer_timeout",
    )
)
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


def load_settings(path: Path | None, environment: Mapping[str, str]) -> Settings:
    """The settings of a file (None: the defaults) and of `EBBTIDE_*` variables. Raises InputError."""
    settings = Settings()
    if path is not None:
        settings = _from_file(path)
    changes = _from_environment(environment)
    if changes:
        settings = msgspec.structs.replace(settings, **changes)
        _check(settings, "the environment")
    return settings


def _from_file(path: Path) -> Settings:
    problems, settings = Problems(), Settings()
    document = parse_toml(read_text(path), str(path)) if path.suffix.lower() == ".toml" else read_document(path)
    empty = isinstance(document.root, Scalar) and document.root.is_null
    decoded = settings if empty else decode(document.root, Settings, problems)
    if decoded is not None:
        settings = with_files(decoded, Cursor(document.root), path, problems)
        _check_providers(settings, Cursor(document.root), problems)
    if problems.errors:
        raise InputError(document.file, problems.errors)
    _check(settings, document.file)
    return settings


def _check_providers(settings: Settings, root: Cursor, problems: Problems) -> None:
    for name in settings.providers:
        if not _NAME.fullmatch(name):
            place = root.find("providers", name) or root
            problems.error(place.place, place.path, "its name may hold 1 to 64 letters, digits, `-` and `_`")


def environment_names() -> dict[str, shape.Field]:
    """The variable of each scalar setting."""
    info = shape.type_info(Settings)
    assert isinstance(info, shape.StructType)
    return {
        f"EBBTIDE_{field.name.upper()}": field
        for field in info.fields
        if isinstance(_bare(field.type), _SCALARS)
    }


def _bare(kind: shape.Type) -> shape.Type:
    return _bare(kind.type) if isinstance(kind, shape.Metadata) else kind


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    names = environment_names()
    changes: dict[str, Any] = {}
    for variable, text in sorted(environment.items()):
        if not variable.startswith("EBBTIDE_") or variable in OTHERS:
            continue
        problems = Problems()
        field = names.get(variable)
        if field is None:
            near = get_close_matches(variable, names, n=1, cutoff=0.85)
            if near:
                problems.error(Place(), "", f"is no setting; did you mean {near[0]}?")
        else:
            value = Decoder(problems).value(
                Scalar(text, "'", Place()), field.type, "", "Settings", field.name
            )
            if value is not WRONG:
                changes[field.name] = value
        if problems.errors:
            raise InputError(variable, problems.errors)
    return changes


def _check(settings: Settings, file: str) -> None:
    problems = Problems()
    for field in msgspec.structs.fields(Settings):
        value = getattr(settings, field.name)
        if isinstance(value, timedelta) and not value and field.name not in _MAY_BE_ZERO:
            problems.error(Place(), field.encode_name, "must be longer than nothing")
        longest = _LONGEST_ON_A_CONNECTION if field.name in _ON_CONNECTIONS else _LONGEST
        if isinstance(value, timedelta) and value > longest:
            problems.error(Place(), field.encode_name, f"must be at most {format_duration(longest)}")
    for name, value in (("account", settings.account), ("defaultProvider", settings.default_provider)):
        if not _NAME.fullmatch(value):
            problems.error(Place(), name, "may hold 1 to 64 letters, digits, `-` and `_`")
    if settings.connection_timeout <= settings.keep_alive_interval:
        problems.error(Place(), "connectionTimeout", "must be longer than keepAliveInterval")
    if (fault := settings.secrets.fault()) is not None:
        problems.error(Place(), *fault)
    if problems.errors:
        raise InputError(file, problems.errors)

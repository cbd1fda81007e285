"""From a tree with positions to a typed struct: every fault is collected, with its place and cure.

Forgiving where the Azure CLI is (numbers and booleans as text, enums in any case, old names, nulls), strict
otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any, TypeVar

import msgspec
from msgspec import inspect as shape

from pools import VirtualMachineConfiguration

from .iso8601 import parse_duration, parse_instant
from .positions import Listing, Mapping, Scalar, Tree, kind
from .problems import Place, Problems
from .rest_properties import NEUTRAL, accepted, answered, old_names, refused

S = TypeVar("S", bound=msgspec.Struct)

_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]{0,18})", re.ASCII)
_NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?", re.ASCII)
_INT32 = 2**31 - 1
#: Groups that are kept as they stand, and what they are made of nevertheless.
_MADE_OF = {"virtualMachineConfiguration": shape.type_info(VirtualMachineConfiguration)}


class _Wrong:
    """Stands for a value that could not be decoded; what is wrong with it has been said."""


WRONG = _Wrong()


def decode(
    tree: Tree, wanted: type[S], problems: Problems, path: str = "", *, posted_back: bool = False
) -> S | None:
    """The struct, or None if anything was wrong; `problems` then says what. `posted_back`: it may be an answer of the
    service, whose other properties count for nothing."""
    before = len(problems.errors)
    plain = Decoder(problems, posted_back=posted_back).value(tree, shape.type_info(wanted), path, "", "")
    return msgspec.convert(plain, wanted) if len(problems.errors) == before else None


def join(path: str, name: str) -> str:
    """The path of a property of the thing at `path`."""
    return f"{path}.{name}" if path else name


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant."""
    choices = {candidate.lower(): candidate for candidate in known}
    found = get_close_matches(name.lower()[:80], choices, n=1, cutoff=0.75)
    return choices[found[0]] if found else None


def listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names, key=str.lower))


@dataclass(frozen=True)
class _Known:
    """What a struct's properties are, by their names on the wire."""

    fields: dict[str, shape.Field]
    old_names: dict[str, str]
    refused: dict[str, str]
    accepted: dict[str, str]
    answered: frozenset[str]


@cache
def _known(kind: type) -> _Known:
    info = shape.type_info(kind)
    assert isinstance(info, shape.StructType)
    found = {field.encode_name: field for field in info.fields}
    return _Known(found, old_names(kind), refused(kind), accepted(kind), answered(kind))


class Decoder:
    def __init__(self, problems: Problems, *, posted_back: bool = False) -> None:
        self._problems = problems
        self._posted_back = posted_back

    def value(self, tree: Tree, wanted: shape.Type, path: str, owner: str, name: str) -> Any:
        """Plain data that msgspec turns into `wanted`. `owner` and `name`: the struct and its property."""
        match wanted:
            case shape.Metadata():
                return self.value(tree, wanted.type, path, owner, name)
            case shape.UnionType():
                inner = [kind for kind in wanted.types if not isinstance(kind, shape.NoneType)]
                return self.value(tree, inner[0], path, owner, name)
            case shape.StructType():
                return self._struct(tree, wanted, path)
            case shape.VarTupleType() | shape.ListType():
                return self._list(tree, wanted.item_type, path)
            case shape.DictType():
                made_of = _MADE_OF.get(name)
                return self._dict(tree, wanted, path) if made_of is None else self.value(tree, made_of, path, "", "")
            case shape.AnyType():
                return self._any(tree)
        if not isinstance(tree, Scalar) or tree.is_null:
            return self._wrong(tree.place, path, f"must be {_described(wanted)}, not {kind(tree)}")
        return self._scalar(tree, wanted, path, owner, name)

    def _wrong(self, place: Place, path: str, text: str, code: str = "InvalidPropertyValue") -> _Wrong:
        self._problems.error(place, path, text, code=code)
        return WRONG

    # -- groups ---------------------------------------------------------------------------------------------

    def _struct(self, tree: Tree, wanted: shape.StructType, path: str) -> Any:
        owner, known = wanted.cls.__name__, _known(wanted.cls)
        fields = known.fields
        if not isinstance(tree, Mapping):
            return self._wrong(tree.place, path, f"must be a group of properties ({listed(fields)}), not {kind(tree)}")
        result: dict[str, Any] = {}
        given: dict[str, str] = {}
        for spelled, (place, value) in tree.entries.items():
            name = known.old_names.get(spelled, spelled)
            if name not in fields:
                self._unknown(known, spelled, place, value, path)
            elif name in given:
                self._wrong(place, path, f"{spelled} and {given[name]} are the same property; keep {name}")
            elif not (isinstance(value, Scalar) and value.is_null):
                given[name] = spelled
                result[name] = self.value(value, fields[name].type, join(path, spelled), owner, name)
                if name in known.accepted and not asks_for_nothing(name, value):
                    self._problems.warn(place, join(path, spelled), known.accepted[name])
        for name, field in fields.items():
            if field.required and name not in given:
                text = f"{name} is missing; it must be {_described(field.type)}"
                self._wrong(tree.place, path, text, "MissingRequiredProperty")
        return result

    def _unknown(self, known: _Known, name: str, place: Place, value: Tree, path: str) -> None:
        if name in known.refused:
            if not asks_for_nothing(name, value):
                self._wrong(place, join(path, name), f"is not supported; {known.refused[name]}")
            return
        if name in known.answered:
            if not self._posted_back and not (isinstance(value, Scalar) and value.is_null):
                self._wrong(place, join(path, name), "is something that the service answers; leave it out")
            return
        found = nearest(name, known.fields)
        cure = f"did you mean {found}?" if found else f"known here: {listed(known.fields)}"
        self._wrong(place, join(path, name), f"unknown property; {cure}", "InvalidPropertyName")

    def _list(self, tree: Tree, wanted: shape.Type, path: str) -> Any:
        if not isinstance(tree, Listing):
            return self._wrong(
                tree.place, path, f"must be a list (each item begins with `-`), not {kind(tree)}"
            )
        return [self.value(item, wanted, f"{path}[{index}]", "", "") for index, item in enumerate(tree.items)]

    def _dict(self, tree: Tree, wanted: shape.DictType, path: str) -> Any:
        if not isinstance(tree, Mapping):
            return self._wrong(tree.place, path, f"must be a group of properties, not {kind(tree)}")
        return {
            name: self.value(value, wanted.value_type, join(path, name), "", "")
            for name, (_, value) in tree.entries.items()
            if not (isinstance(value, Scalar) and value.is_null)
        }

    def _any(self, tree: Tree) -> Any:
        """Whatever it looks like; only here YAML's plain `1`, `true` and `null` are guessed at."""
        match tree:
            case Mapping(entries):
                return {name: self._any(value) for name, (_, value) in entries.items()}
            case Listing(items):
                return [self._any(item) for item in items]
        if tree.is_null:
            return None
        if tree.style:
            return tree.text
        if tree.text.lower() in ("true", "false"):
            return tree.text.lower() == "true"
        if _WHOLE.fullmatch(tree.text):
            return int(tree.text)
        return float(tree.text) if _NUMBER.fullmatch(tree.text) else tree.text

    # -- single values --------------------------------------------------------------------------------------

    def _scalar(self, tree: Scalar, wanted: shape.Type, path: str, owner: str, name: str) -> Any:
        text = tree.text.strip()
        match wanted:
            case shape.StrType():
                if "\0" in tree.text:
                    return self._wrong(tree.place, path, "holds a NUL character")
                if wanted.max_length is not None and len(tree.text) > wanted.max_length:
                    text = f"is too long: {len(tree.text):,} characters; at most {wanted.max_length:,}"
                    return self._wrong(tree.place, path, text)
                return tree.text
            case shape.BoolType() if text.lower() in ("true", "false"):
                return text.lower() == "true"
            case shape.IntType() if _WHOLE.fullmatch(text):
                if abs(int(text)) > _INT32 and wanted.ge is None:
                    return self._wrong(tree.place, path, f"is too large: {text}; at most {_INT32}")
                return self._bounded(int(text), wanted, tree, path)
            case shape.FloatType() if _NUMBER.fullmatch(text):
                return self._bounded(float(text), wanted, tree, path)
            case shape.TimeDeltaType() | shape.DateTimeType():
                try:
                    return (
                        parse_duration(text)
                        if isinstance(wanted, shape.TimeDeltaType)
                        else parse_instant(text)
                    )
                except ValueError as exc:
                    return self._wrong(tree.place, path, str(exc))
            case shape.EnumType() | shape.LiteralType():
                return self._choice(tree, wanted, path)
        return self._wrong(tree.place, path, f"must be {_described(wanted)}, not {kind(tree)}")

    def _choice(self, tree: Scalar, wanted: shape.EnumType | shape.LiteralType, path: str) -> Any:
        text = tree.text.strip().lower()
        for value in _values(wanted):
            if _spelled(value).lower() == text:
                return value
        return self._wrong(tree.place, path, f"must be {_choices(wanted)}, not {kind(tree)}")

    def _bounded(self, value: float, wanted: shape.IntType | shape.FloatType, tree: Scalar, path: str) -> Any:
        if wanted.ge is not None and value < wanted.ge:
            return self._wrong(tree.place, path, f"must be at least {wanted.ge:g}, not {tree.text}")
        return value


def asks_for_nothing(name: str, value: Tree) -> bool:
    """Leaving out a property of this value, which is not supported, changes nothing."""
    match value:
        case Mapping(entries):
            return all(asks_for_nothing(inner, each) for inner, (_, each) in entries.items())
        case Listing(items):
            return not items
    text = value.text.lower()
    return value.is_null or text in ("", "false") or text in NEUTRAL.get(name, ())


def _values(wanted: shape.EnumType | shape.LiteralType) -> list[Any]:
    if isinstance(wanted, shape.EnumType):
        return [member.value for member in wanted.cls]
    return list(wanted.values)


def _spelled(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _choices(wanted: shape.EnumType | shape.LiteralType) -> str:
    names = [_spelled(value) for value in _values(wanted)]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def _described(wanted: shape.Type) -> str:
    match wanted:
        case shape.Metadata():
            return _described(wanted.type)
        case shape.UnionType():
            return _described(next(kind for kind in wanted.types if not isinstance(kind, shape.NoneType)))
        case shape.StructType():
            return f"a group of properties ({listed(field.encode_name for field in wanted.fields)})"
        case shape.EnumType() | shape.LiteralType():
            return _choices(wanted)
        case shape.VarTupleType() | shape.ListType():
            return "a list"
    names: dict[type[shape.Type], str] = {
        shape.StrType: "text",
        shape.BoolType: "true or false",
        shape.IntType: "a whole number",
        shape.FloatType: "a number",
        shape.TimeDeltaType: "an ISO 8601 duration such as PT5M",
        shape.DateTimeType: "a date and time such as 2026-01-31T12:00:00Z",
    }
    return names.get(type(wanted), "a group of properties")


__all__ = ["Decoder", "asks_for_nothing", "decode", "join", "listed", "nearest"]

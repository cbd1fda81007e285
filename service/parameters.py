"""Parameters of a workload file: what stands in the place of `${param:name}` in its texts.

They are replaced in the tree, before anybody asks what it means: a text that is one reference and nothing else becomes
what the parameter is, a number, a truth value, a list; within a text it must be a single value. What was put in is not
looked at again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingOf

from .decoding import join, listed, nearest
from .positions import Listing, Mapping, Scalar, Tree, kind
from .problems import Place, Problems

#: In a workload file: the group of them.
SECTION = "parameters"
_OF_ONE = ("default", "description")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}", re.ASCII)
_REFERENCE = re.compile(r"(\$?)\$\{param:([^}]*)\}")
#: What a shell has behind the name of a variable that is called `param`: `${param:-x}`, `${param:0:3}`.
_OF_SHELLS = tuple("-=?+ 0123456789")
_NOTHING = ("", "~", "null", "Null", "NULL")


def with_parameters(root: Tree, given: MappingOf[str, str], problems: Problems) -> Tree:
    """The tree with their values, and without their section. `given`: values that count before the defaults."""
    if not isinstance(root, Mapping):
        return root
    entries = dict(root.entries)
    _, section = entries.pop(SECTION, (Place(), None))
    values = _values(section, given, problems)
    found = Mapping(entries, root.place)
    return _Replacing(values, problems).tree(found, "")


def _values(section: Tree | None, given: MappingOf[str, str], problems: Problems) -> dict[str, Tree | None]:
    """By name; None: there is none, which has been said."""
    declared: dict[str, Tree | None] = {}
    if isinstance(section, Mapping):
        for name, (place, tree) in section.entries.items():
            if not _NAME.fullmatch(name):
                text = f"{name[:80]!r} is no name of a parameter: 1 to 64 letters, digits, `-` and `_`, no digit first"
                problems.error(place, SECTION, text)
                continue
            before = len(problems.errors)
            value = _default(tree, join(SECTION, name), problems)
            if name in given:
                value = _text(given[name], place)
            elif value is None and len(problems.errors) == before:
                text = f"has no value: say --param {name}=VALUE, or give it a default"
                problems.error(place, join(SECTION, name), text, code="MissingRequiredProperty")
            declared[name] = value
    elif section is not None and not (isinstance(section, Scalar) and section.is_null):
        text = "must be a group: for each name a group of `default` and `description`"
        problems.error(section.place, SECTION, f"{text}, not {kind(section)}")
        return {name: _text(value, section.place) for name, value in given.items()}
    for name in given:
        if name not in declared:
            hint = _known(name, declared)
            problems.error(Place(), "", f"--param {name}: the file has no parameter of that name; {hint}")
    return declared


def _default(tree: Tree, path: str, problems: Problems) -> Tree | None:
    if isinstance(tree, Scalar) and tree.is_null:
        return None
    if not isinstance(tree, Mapping):
        text = f"must be a group ({listed(_OF_ONE)}), not {kind(tree)}; write `{{default: ...}}`"
        problems.error(tree.place, path, text)
        return None
    for name, (place, value) in tree.entries.items():
        if name not in _OF_ONE:
            text = f"unknown property; known here: {listed(_OF_ONE)}"
            problems.error(place, join(path, name), text, code="InvalidPropertyName")
        elif name == "description" and not isinstance(value, Scalar):
            problems.error(value.place, join(path, name), f"must be text, not {kind(value)}")
    found = tree.entries.get("default", (None, None))[1]
    return None if isinstance(found, Scalar) and found.is_null else found


def _text(value: str, place: Place) -> Scalar:
    """As it would stand in the file without quotes, but that nothing is an empty text there."""
    return Scalar(value, '"' if value in _NOTHING else "", place)


def _known(name: str, names: MappingOf[str, object]) -> str:
    near = nearest(name, names)
    return f"did you mean {near}?" if near else f"there are {listed(names) or 'none'}"


class _Replacing:
    def __init__(self, values: MappingOf[str, Tree | None], problems: Problems) -> None:
        self._values = values
        self._problems = problems

    def tree(self, tree: Tree, path: str) -> Tree:
        """The same object if nothing in it was replaced."""
        match tree:
            case Scalar():
                return self._scalar(tree, path) if "${param:" in tree.text else tree
            case Listing(items):
                found = tuple(self.tree(item, f"{path}[{index}]") for index, item in enumerate(items))
                changed = any(new is not old for new, old in zip(found, items, strict=True))
                return Listing(found, tree.place) if changed else tree
        entries = {name: (place, self.tree(value, join(path, name))) for name, (place, value) in tree.entries.items()}
        changed = any(new[1] is not old[1] for new, old in zip(entries.values(), tree.entries.values(), strict=True))
        return Mapping(entries, tree.place) if changed else tree

    def _scalar(self, scalar: Scalar, path: str) -> Tree:
        whole = _REFERENCE.fullmatch(scalar.text)
        if whole is not None and not whole[1]:
            value = self._values.get(whole[2]) if self._is_one(whole[2], scalar, path) else None
            return _at(scalar.place, value) if value is not None else scalar
        text = _REFERENCE.sub(lambda found: self._within(found, scalar, path), scalar.text)
        return Scalar(text, scalar.style or '"', scalar.place)

    def _within(self, found: re.Match[str], scalar: Scalar, path: str) -> str:
        escaped, name = found.groups()
        if escaped:
            return found[0][1:]
        if not self._is_one(name, scalar, path):
            return found[0]
        value = self._values.get(name)
        if value is not None and not isinstance(value, Scalar):
            text = f"${{param:{name}}} is {kind(value)} and can only be the whole value, not a part of a text"
            self._problems.error(scalar.place, path, text)
        return value.text if isinstance(value, Scalar) else found[0]

    def _is_one(self, name: str, scalar: Scalar, path: str) -> bool:
        """Is it a reference? If it names no parameter, that is said."""
        if name.startswith(_OF_SHELLS):
            return False
        if not _NAME.fullmatch(name):
            text = f"${{param:{name[:80]}}} names no parameter; `$${{param:...}}` stands for itself"
            self._problems.error(scalar.place, path, text)
            return False
        if name not in self._values:
            text = f"there is no parameter {name!r} in `{SECTION}` of this file; {_known(name, self._values)}"
            self._problems.error(scalar.place, path, text)
            return False
        return True


def _at(place: Place, tree: Tree) -> Tree:
    """At the place of the reference: what is wrong with a value there is told there."""
    match tree:
        case Scalar():
            return Scalar(tree.text, tree.style, place)
        case Listing():
            return Listing(tree.items, place)
    return Mapping(tree.entries, place)

"""What may be written shorter in a distribution, spelled out: `duration: PT5M` stands for `duration: {constant: 300}`,
and durations in it for their seconds."""

from __future__ import annotations

from ..decoding import join
from ..iso8601 import parse_duration
from ..positions import Listing, Mapping, Scalar, Tree
from ..problems import Place, Problems

#: Where a scenario has distributions.
PLACES = (
    ("world", "boot"),
    ("workload", "recurring", "duration"),
    ("workload", "recurring", "slots"),
    ("workload", "generate", "duration"),
    ("workload", "generate", "slots"),
)
#: Numbers that are no amounts.
_PURE = ("sigma", "alpha", "shape")


def with_amounts(root: Tree, problems: Problems) -> Tree:
    """The tree of a scenario with every distribution spelled out."""
    for place in PLACES:
        root = _at(root, place, "", problems)
    return root


def _at(tree: Tree, names: tuple[str, ...], path: str, problems: Problems) -> Tree:
    if not names:
        return _distribution(tree, path, problems)
    if not isinstance(tree, Mapping) or names[0] not in tree.entries:
        return tree
    place, value = tree.entries[names[0]]
    inner = _at(value, names[1:], join(path, names[0]), problems)
    return tree if inner is value else Mapping({**tree.entries, names[0]: (place, inner)}, tree.place)


def _distribution(tree: Tree, path: str, problems: Problems) -> Tree:
    if not isinstance(tree, Scalar):
        return _seconds(tree, path, problems)
    if tree.is_null:
        return tree
    return Mapping({"constant": (tree.place, _seconds(tree, path, problems))}, tree.place)


def _seconds(tree: Tree, path: str, problems: Problems) -> Tree:
    """With the durations in it as seconds."""
    if isinstance(tree, Mapping):
        entries: dict[str, tuple[Place, Tree]] = {}
        for name, (place, value) in tree.entries.items():
            entries[name] = (place, value if name in _PURE else _seconds(value, join(path, name), problems))
        return Mapping(entries, tree.place)
    if isinstance(tree, Listing):
        items = (_seconds(item, f"{path}[{index}]", problems) for index, item in enumerate(tree.items))
        return Listing(tuple(items), tree.place)
    if not tree.text.strip().startswith("P"):
        return tree
    try:
        return Scalar(repr(parse_duration(tree.text).total_seconds()), tree.style, tree.place)
    except ValueError as exc:
        problems.error(tree.place, path, str(exc))
        return Scalar("0", tree.style, tree.place)

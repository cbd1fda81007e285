"""Pieces of generated Python. Expressions only name parameters, and stay shallow: deep ones move to
functions.

Python's compiler is recursive and its parser limits nesting, so an expression that nests more than
`_MAX_HEIGHT` is outlined into a function of its own, which takes as arguments what it reads.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from types import FunctionType, TracebackType
from typing import Any

_MAX_HEIGHT = 20
_FILE = "<formula>"
# While code is written, an operator that can fail carries its offset in the formula.
_PLACE = re.compile(r"@(\d+)")

Reads = frozenset[str]
NO_READS: Reads = frozenset()
#: The series, and the look-backs in seconds between which its samples are: (name, far, near).
WindowKey = tuple[str, float, float]


def local(name: str, *, sure: bool = False, percent_of: WindowKey | None = None) -> Code:
    """The code that reads a local name."""
    return Code(name, frozenset((name,)), sure=sure, percent_of=percent_of)


def number(value: float) -> Code:
    """The code of a number, which must be finite."""
    return Code(repr(value), sure=True, constant=value)


@dataclass(frozen=True, slots=True)
class Code:
    """A Python expression. `reads`: the local names in it; `sure`: never NaN; `boolean`: a Python bool.

    `constant`: its value if that is the same in every run; `percent_of`: the window of which it is the percentage.
    """

    text: str
    reads: Reads = NO_READS
    height: int = 0
    sure: bool = False
    boolean: bool = False
    constant: float | None = None
    percent_of: WindowKey | None = None

    @property
    def is_atom(self) -> bool:
        return self.height == 0

    def reading(self, name: str) -> Code:
        """The same code in a surrounding that reads one more name."""
        return replace(self, reads=self.reads | {name})


@dataclass(slots=True)
class Block:
    """Lines of the generated function that run one after the other, and what is known where they end.

    `locals`: the names that hold a value which later lines can read again, by what it is; `met`: the percentage of
    samples that a window has for sure.
    """

    lines: list[str] = field(default_factory=list)
    locals: dict[object, str] = field(default_factory=dict)
    met: dict[WindowKey, float] = field(default_factory=dict)

    def inner(self) -> Block:
        """A block that runs inside of this one: what it finds out holds there only."""
        return Block([], dict(self.locals), dict(self.met))

    def add_branches(self, condition: str, then: Block, otherwise: Block) -> None:
        self.lines.append(f"if {condition}:")
        self.lines += [f"    {line}" for line in then.lines]
        self.lines.append("else:")
        self.lines += [f"    {line}" for line in otherwise.lines]


@dataclass(slots=True)
class CodeWriter:
    """Collects what generated code needs besides the statements: helpers, constants, outlined parts."""

    helpers: dict[str, Any] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)
    _temporaries: int = 0

    def helper(self, name: str, function: Callable[..., Any] | float) -> str:
        """The name under which generated code calls the function, or reads the number."""
        key = f"h_{name}"
        self.helpers[key] = function
        return key

    def constant(self, value: object) -> Code:
        """Text of a formula never becomes source text: it is handed in."""
        key = f"k{len(self.helpers)}"
        self.helpers[key] = value
        return Code(key)

    def temporary(self) -> str:
        self._temporaries += 1
        return f"t{self._temporaries}"

    def join(self, template: str, *parts: Code, sure: bool = False, boolean: bool = False) -> Code:
        """`template` with the parts as {0}, {1}..., outlining those that are too deep to nest."""
        shallow = [self.shallow(part) for part in parts]
        height = 1 + max((part.height for part in shallow), default=0)
        reads = NO_READS.union(*(part.reads for part in shallow))
        return Code(
            template.format(*(part.text for part in shallow)), reads, height, sure or boolean, boolean
        )

    def call(self, function: str, arguments: Iterable[Code], extra: str = "", boolean: bool = False) -> Code:
        """A call of a helper; `extra` are further arguments as text."""
        shallow = [self.shallow(argument) for argument in arguments]
        texts = [argument.text for argument in shallow]
        if extra:
            texts.append(extra)
        height = 1 + max((argument.height for argument in shallow), default=0)
        reads = NO_READS.union(*(argument.reads for argument in shallow))
        return Code(f"{function}({', '.join(texts)})", reads, height, boolean, boolean)

    def shallow(self, code: Code) -> Code:
        if code.height < _MAX_HEIGHT:
            return code
        return self.outline([f"return {code.text}"], code)

    def outline(self, body: list[str], of: Code) -> Code:
        """A function with this body, which reads what `of` reads; the code is its call."""
        name = f"f{len(self.parts)}"
        parameters = ", ".join(sorted(of.reads))
        lines = "".join(f"\n        {line}" for line in body)
        self.parts.append(f"    def {name}({parameters}):{lines}\n")
        return replace(of, text=f"{name}({parameters})", height=1)


def placed(template: str, operator: str, place: int) -> str:
    """The template with the offset at which the formula has the operator."""
    return template.replace(operator, f"{operator}@{place}")


@dataclass(frozen=True, slots=True)
class Generated:
    """A function and its source. `places`: (line, column) of an operator to its offset in the formula."""

    run: FunctionType
    source: str
    #: The line of the first statement.
    first_line: int
    places: Mapping[tuple[int, int], int]

    def place(self, traceback: TracebackType) -> int | None:
        """The offset in the formula of the operator that failed; None if it was something else."""
        while traceback.tb_next is not None:
            traceback = traceback.tb_next
        code = traceback.tb_frame.f_code
        if code.co_filename != _FILE:
            return None
        line, _, start, end = next(islice(code.co_positions(), traceback.tb_lasti // 2, None))
        if line is None or start is None or end is None:
            return None
        # The operation reaches from its left operand to its right one; what stands in parentheses is part of those.
        text, depth = self.source.splitlines()[line - 1], 0
        for column in range(start, min(end, len(text))):
            depth += (text[column] == "(") - (text[column] == ")")
            if depth == 0 and (line, column) in self.places:
                return self.places[line, column]
        return None


def assemble(writer: CodeWriter, parameters: list[str], body: list[str]) -> Generated:
    """The function of these lines, in a factory that is handed what they need; it knows nothing else, no builtins."""
    head = f"def make({', '.join(writer.helpers)}):\n{''.join(writer.parts)}"
    lines = "".join(f"        {line}\n" for line in body)
    marked = f"{head}    def program({', '.join(parameters)}):\n{lines}    return program\n"
    source, places = _without_places(marked)
    namespace: dict[str, Any] = {"__builtins__": {}}
    exec(compile(source, _FILE, "exec"), namespace)
    return Generated(namespace["make"](**writer.helpers), source, head.count("\n") + 2, places)


def _without_places(marked: str) -> tuple[str, dict[tuple[int, int], int]]:
    if "@" not in marked:
        return marked, {}
    places, lines = {}, []
    for number, line in enumerate(marked.split("\n"), 1):
        text, *pieces = _PLACE.split(line)
        for place, rest in zip(pieces[::2], pieces[1::2], strict=True):
            places[number, len(text) - 1] = int(place)
            text += rest
        lines.append(text)
    return "\n".join(lines), places

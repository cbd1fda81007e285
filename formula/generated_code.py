"""Pieces of generated Python. Expressions only name parameters, and stay shallow: deep ones move to
functions.

Python's compiler is recursive and its parser limits nesting, so an expression that nests more than
`_MAX_HEIGHT` is outlined into a function of its own, which takes as arguments what it reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

_MAX_HEIGHT = 20

Reads = frozenset[str]
NO_READS: Reads = frozenset()


@dataclass(frozen=True, slots=True)
class Code:
    """A Python expression. `reads`: the local names in it; `sure`: never NaN; `boolean`: a Python bool."""

    text: str
    reads: Reads = NO_READS
    height: int = 0
    sure: bool = False
    boolean: bool = False

    @property
    def is_atom(self) -> bool:
        return self.height == 0

    def reading(self, name: str) -> Code:
        """The same code in a surrounding that reads one more name."""
        return replace(self, reads=self.reads | {name})


@dataclass(slots=True)
class CodeWriter:
    """Collects what generated code needs besides the statements: helpers, constants, outlined parts."""

    helpers: dict[str, Any] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)
    _temporaries: int = 0

    def helper(self, name: str, function: Callable[..., Any]) -> str:
        """The name under which generated code calls the function."""
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

"""The names of generated code: variables, what is read from outside, and the lines that are being written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from .generated_code import Block, Code, local
from .variables import PoolField, series_name

#: What generated code takes of a series; the attributes of TimeSeries have these names.
Part = Literal["count", "find", "values", "totals", "times"]


@dataclass(slots=True)
class Scope:
    """`block` gets the lines that an expression wants to have run before it. `lazy`: the expression being compiled
    may not be computed, so that nothing may be computed for it ahead.
    """

    variables: dict[str, Code] = field(default_factory=dict)
    pool: dict[PoolField, str] = field(default_factory=dict)
    series: dict[str, int] = field(default_factory=dict)
    reads: dict[tuple[str, Part], str] = field(default_factory=dict)
    uses_rand: bool = False
    block: Block = field(default_factory=Block)
    lazy: bool = False
    _locals: dict[str, str] = field(default_factory=dict)
    _fresh: int = 0

    def local(self, name: str) -> str:
        """The local name of a variable."""
        return self._locals.setdefault(name, f"v{len(self._locals)}")

    def assign(self, name: str, value: Code) -> None:
        """From here on, the variable reads as `value`, which its local name was given."""
        own = self.local(name)
        if value.constant is None:
            value = Code(own, frozenset((own,)), 0, value.sure, value.boolean, None, value.percent_of)
        self.variables[name] = value
        for key in [key for key in self.block.locals if isinstance(key, tuple) and own in key]:
            del self.block.locals[key]

    def pool_value(self, pool_field: PoolField) -> Code:
        return local(self.pool.setdefault(pool_field, f"p{len(self.pool)}"))

    def read(self, metric: str, part: Part) -> Code:
        """A part of the samples of a metric."""
        series = series_name(metric)
        number = self.series.setdefault(series, len(self.series))
        return local(self.reads.setdefault((series, part), f"{part}{number}"))

    def known(self, key: object, name: str, text: str) -> str | None:
        """The local name of a value that cannot fail, in a line of its own the first time; None if that is too early.

        `name`: what the local name starts with.
        """
        found = self.block.locals.get(key)
        if found is None and not self.lazy:
            found = self.fresh(name)
            self.block.lines.append(f"{found} = {text}")
            self.block.locals[key] = found
        return found

    def fresh(self, name: str) -> str:
        """A local name that nothing else has."""
        self._fresh += 1
        return f"{name}_{self._fresh}"

"""What a distribution of a scenario must be like, beyond its properties."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from ..cursor import Cursor
from ..positions import Scalar
from ..problems import Problems
from .distributions import KINDS, LONGEST

#: Of a shape or an exponent: values below are so far apart that numbers do not hold them.
_LEAST_SHAPE = 0.1
_MOST_SIGMA = 10.0
_NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?", re.ASCII)

_Rule = tuple[Callable[[float], bool], str]
_NOT_NEGATIVE: _Rule = (lambda value: value >= 0, "must be at least 0")
_POSITIVE: _Rule = (lambda value: value > 0, "must be above 0")
_SHAPE: _Rule = (lambda value: value >= _LEAST_SHAPE, f"must be at least {_LEAST_SHAPE}")
_SIGMA: _Rule = (lambda value: 0 <= value <= _MOST_SIGMA, f"must be from 0 to {_MOST_SIGMA:g}")
_PARTS: Mapping[str, Mapping[str, _Rule]] = {
    "uniform": {"low": _NOT_NEGATIVE, "high": _NOT_NEGATIVE},
    "exponential": {"mean": _POSITIVE},
    "lognormal": {"mean": _POSITIVE, "sigma": _SIGMA},
    "pareto": {"minimum": _POSITIVE, "alpha": _SHAPE},
    "weibull": {"scale": _POSITIVE, "shape": _SHAPE},
}


def check_distribution(distribution: Cursor, problems: Problems) -> None:
    """Numbers that cannot be read count for nothing here: what is wrong with them has been said."""
    given = [name for name in KINDS if distribution.get(name) is not None]
    if len(given) != 1:
        said = "says nothing" if not given else f"says {' and '.join(given)}"
        problems.error(distribution.place, distribution.path, f"{said}; give one of {', '.join(KINDS)}")
    for name in ("constant", "atLeast", "atMost"):
        _check(distribution, name, _NOT_NEGATIVE, problems)
    for kind, rules in _PARTS.items():
        parts = distribution.get(kind)
        for name, rule in rules.items() if parts is not None else ():
            assert parts is not None
            _check(parts, name, rule, problems)
    values = distribution.get("empirical")
    if values is not None:
        each = distribution.each("empirical")
        if not each:
            problems.error(values.place, values.path, "must hold at least one value")
        for value in each:
            _judge(value, _NOT_NEGATIVE, problems)
    _check_pairs(distribution, problems)


def number(owner: Cursor, name: str) -> float | None:
    """None: there is none, or nobody can read it."""
    value = owner.get(name)
    return None if value is None else number_of(value)


def number_of(value: Cursor) -> float | None:
    """None: nobody can read it."""
    text = value.tree.text.strip() if isinstance(value.tree, Scalar) else ""
    return float(text) if _NUMBER.fullmatch(text) else None


def _check(owner: Cursor, name: str, rule: _Rule, problems: Problems) -> None:
    value = owner.get(name)
    if value is not None:
        _judge(value, rule, problems)


def _judge(value: Cursor, rule: _Rule, problems: Problems) -> None:
    amount = number_of(value)
    if amount is None:
        return
    holds, text = rule
    if not holds(amount):
        problems.error(value.place, value.path, f"{text}, not {amount:g}")
    elif amount > LONGEST:
        problems.error(value.place, value.path, f"must be at most {LONGEST:g}, about 31 years, not {amount:g}")


def _check_pairs(distribution: Cursor, problems: Problems) -> None:
    least, most = number(distribution, "atLeast"), number(distribution, "atMost")
    if least is not None and most is not None and least > most:
        at = distribution.get("atMost") or distribution
        problems.error(at.place, at.path, f"is below atLeast, {least:g}")
    uniform, pareto = distribution.get("uniform"), distribution.get("pareto")
    if uniform is not None:
        low, high = number(uniform, "low"), number(uniform, "high")
        if low is not None and high is not None and low > high:
            problems.error(uniform.place, uniform.path, f"low is {low:g}, above high, {high:g}; exchange them")
    if pareto is not None and most is None:
        alpha = number(pareto, "alpha")
        if alpha is not None and _LEAST_SHAPE <= alpha <= 1:
            text = "has no mean unless it is above 1; add atMost beside pareto"
            at = pareto.get("alpha") or pareto
            problems.error(at.place, at.path, text)

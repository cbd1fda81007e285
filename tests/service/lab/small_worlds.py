"""Small scenarios for tests of the simulation: a world, and tasks that come at given times."""

from array import array
from itertools import count
from pathlib import Path

from service.lab.arrivals import Arranged, Arrivals
from service.lab.distributions import Distribution
from service.lab.formulas import NamedFormula
from service.lab.outcome import Run
from service.lab.running import Running
from service.lab.scenario import NO_DATE, NodePrices, World

#: A thousandth a second for a dedicated node.
PRICES = NodePrices(dedicated=3.6, low_priority=0.36)


def scenario_file(folder: Path, name: str, scenario: str, **formulas: str) -> Path:
    """Its path, beside those of its formulas: NAME.formula."""
    for formula, text in formulas.items():
        (folder / f"{formula}.formula").write_text(text, encoding="utf-8")
    path = folder / name
    path.write_text(scenario, encoding="utf-8")
    return path


def until(seconds: int, then: str) -> str:
    """A formula that wants one node for so long."""
    return f'$TargetDedicatedNodes = time() < time("2024-01-01T00:{seconds // 60:02}:{seconds % 60:02}Z") ? 1 : {then};'


def world(**changes) -> World:
    return World(**{"boot": Distribution(constant=100.0), "price_per_hour": PRICES} | changes)


def tasks(*each: tuple[float, float], slots: int = 1) -> Arranged:
    """(time, duration)"""
    times, durations = zip(*each, strict=True)
    columns = Arrivals(array("d", times), array("d", durations), array("i", [slots] * len(each)), times[-1])
    return Arranged(columns, NO_DATE)


def run(text: str, arranged: Arranged, there: World, seed: int = 1) -> Run:
    """Every look at the clock of reality is a second later."""
    ticks = count()
    running = Running(there, arranged, seed, NamedFormula("formula", text), lambda: float(next(ticks)))
    return running.run(lambda seconds: False)

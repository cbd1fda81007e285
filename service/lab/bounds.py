"""What the nodes of a workload have to cost at least, and what the best rule without foresight makes of it. Both start
every task as soon as it arrives; a formula that lets tasks wait may be cheaper than the optimum, but not than the work.

Nodes count as levels: level k is busy while k nodes or more are needed, and the k-th node serves it. Every number of
nodes over time is a stack of such levels, and with what is asked for and kept counted by level no node has to move
work: as one of them ends its last task, any of the idle ones may be the one to go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import fsum, inf

from .arrivals import Arrivals
from .covering import cheapest_cover
from .demand import TIE, Demand

HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Terms:
    """What a cloud asks for a node, in seconds. `boot`: from the moment that a VM is asked for, and paid for, until it
    takes tasks; of boots that vary, the shortest gives a bound that always holds, the mean one that holds on the whole.
    `minimum`: what is paid at least for a VM."""

    boot: float
    minimum: float = 0.0

    def __post_init__(self) -> None:
        for name, seconds in (("boot", self.boot), ("minimum", self.minimum)):
            if not 0.0 <= seconds < inf:
                raise ValueError(f"{name}: {seconds} is not a number of seconds from 0 on")


@dataclass(frozen=True, slots=True)
class Bound:
    """`node_seconds`: that are paid for, boots and minimum billing included; `nodes`: VMs asked for in all. Not
    `exact`: the least may be more, and was too long a calculation."""

    node_seconds: float
    nodes: int
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Tariff:
    """One kind of nodes. `nodes`: how many there can be at a time; None: as many as one likes."""

    price_per_hour: float
    nodes: int | None = None


def optimum(demand: Demand, terms: Terms) -> Bound:
    """The least that nodes can cost which are there whenever they are needed: the future is known, and a node is asked
    for a boot time before it has to be there.

    A level's node is kept over a gap if that costs no more than to boot again (ski rental with foresight). Where the
    minimum billing is longer than a boot, levels are not independent: which node goes decides which minimum was paid in
    vain, and the optimum is that of `cheapest_cover`."""
    if terms.minimum > terms.boot + TIE:
        cover = cheapest_cover(demand, terms.boot, terms.minimum)
        return Bound(cover.node_seconds, cover.nodes, cover.exact)
    boot = terms.boot
    idle_since: list[float] = []
    level = booted = 0
    kept = 0.0
    for now, needed in zip(demand.times, demand.nodes, strict=True):
        while level < needed:
            if level == len(idle_since):
                idle_since.append(0.0)
                booted += 1
            elif now - idle_since[level] <= boot:
                kept += now - idle_since[level]
            else:
                booted += 1
            level += 1
        while level > needed:
            level -= 1
            idle_since[level] = now
    return Bound(fsum((demand.node_seconds, kept, booted * boot)), booted)


def break_even(demand: Demand, terms: Terms) -> Bound:
    """A rule without foresight: a node that has become idle stays for as long as a boot would cost (and until its
    minimum billing is used up, which costs nothing), then goes. The node that became idle last gets the next task, so
    that the others can go. As in the theory no task waits for it: it is there at the arrival, though its boot is paid.

    It costs at most twice the optimum of each level, and no rule without foresight and chance promises less: this is
    the ski-rental problem (Karlin, Manasse, Rudolph, Sleator, "Competitive snoopy caching", Algorithmica 3, 1988), and
    that the levels of a pool can be told apart without the future is shown by Lu, Chen, Andrew, "Simple and effective
    dynamic provisioning for power-proportional data centers", IEEE TPDS 24(6), 2013. Where the minimum billing is
    longer than a boot, `optimum` may be less than the levels' one after the other."""
    boot = terms.boot
    # there from `begun` on, each level's node would stay until `begun + shortest` if it had nothing to do
    shortest = max(0.0, terms.minimum - boot)
    begun: list[float] = []
    gone: list[float] = []
    level = booted = 0
    served: list[float] = []
    for now, needed in zip(demand.times, demand.nodes, strict=True):
        while level < needed:
            if level == len(begun):
                begun.append(now)
                gone.append(now)
                booted += 1
            elif now > gone[level]:
                served.append(gone[level] - begun[level])
                begun[level] = now
                booted += 1
            level += 1
        while level > needed:
            level -= 1
            gone[level] = max(begun[level] + shortest, now + boot)
    served.extend(end - begin for begin, end in zip(begun, gone, strict=True))
    return Bound(fsum(served) + booted * boot, booted)


def work_alone(arrivals: Arrivals, slots_per_node: int, terms: Terms) -> Bound:
    """The least that nodes can cost which do all of the work at some time, however long tasks wait: every slot of one
    node is full from its first second to its last."""
    if not len(arrivals):
        return Bound(0.0, 0)
    slot_seconds = fsum(map(float.__mul__, arrivals.durations, map(float, arrivals.slots)))
    return Bound(max(terms.minimum, terms.boot + slot_seconds / slots_per_node), 1)


def cost(rule: Callable[[Demand, Terms], Bound], demand: Demand, terms: Terms, tariffs: Sequence[Tariff]) -> float:
    """What a rule costs if each node is of the cheapest kind that there is room for: levels are of the cheapest kind up
    to its limit, of the next one above. The dearest kind counts as without limit: no plan starts every task at its
    arrival with fewer nodes than are needed.

    For the optimum nothing can cost less: all nodes cost at least the lowest price, those beyond the limit of the
    cheapest kind the difference to the next besides, and so on."""
    kinds = [tariff for tariff in tariffs if tariff.nodes != 0]
    if not kinds:
        raise ValueError("there can be no node of any kind")
    paid = price = 0.0
    limit = 0
    for tariff in sorted(kinds, key=lambda kind: kind.price_per_hour):
        rest = demand.above(limit) if limit else demand
        paid += (tariff.price_per_hour - price) * rule(rest, terms).node_seconds / HOUR
        if tariff.nodes is None:
            break
        price = tariff.price_per_hour
        limit += tariff.nodes
    return paid

"""Every plan there is for a small demand, tried one after the other: what bounds are compared with.

Written without a look at how the bounds are calculated: nodes here are single, with a first and a last second.
"""

import itertools


def cheapest_plan(needed: list[int], boot: int, minimum: int) -> int:
    """`needed`: nodes in each second. The least that any set of nodes costs with which there are so many: a node
    that is there from second `first` up to `last` costs those seconds and its boot, and at least the minimum."""
    best = 1_000_000

    def further(missing: tuple[int, ...], paid: int) -> None:
        nonlocal best
        short = [max(0, nodes) for nodes in missing]
        # each missing second has to be paid, and the boots, or the minima, of as many nodes as are missing at once
        at_once = max(short, default=0)
        if paid + max(sum(short) + boot * at_once, minimum * at_once) >= best:
            return
        if not any(short):
            best = paid
            return
        second = next(second for second, nodes in enumerate(missing) if nodes > 0)
        # one node more has to be there in that second: each that can be
        for first in range(second + 1):
            for last in range(second + 1, len(missing) + 1):
                left = tuple(nodes - (first <= at < last) for at, nodes in enumerate(missing))
                further(left, paid + max(minimum, boot + last - first))

    further(tuple(needed), 0)
    return best if any(needed) else 0


def cheapest_placement(tasks: list[tuple[int, int]], boot: int, minimum: int) -> int:
    """Of tasks (arrival, duration), each of which starts at its arrival on a node of its own or on one that another
    task has left: the least that the nodes cost, over all placements."""
    ordered = sorted(tasks)
    best = 1_000_000

    def place(at: int, nodes: list[tuple[int, int]]) -> None:
        nonlocal best
        paid = sum(max(minimum, boot + last - first) for first, last in nodes)
        if paid >= best:
            return
        if at == len(ordered):
            best = paid
            return
        begin, length = ordered[at]
        for which, (first, last) in enumerate(nodes):
            if last <= begin:
                place(at + 1, [*nodes[:which], (first, begin + length), *nodes[which + 1 :]])
        place(at + 1, [*nodes, (begin, begin + length)])

    place(0, [])
    return best


def cheapest_level(busy: list[bool], boot: int, minimum: int) -> int:
    """What a single node costs that is there in the seconds in which it is busy: over all ways to be away."""
    stretches = [
        [second for second, _ in group]
        for is_busy, group in itertools.groupby(enumerate(busy), key=lambda pair: pair[1])
        if is_busy
    ]
    if not stretches:
        return 0
    costs = []
    for stays in itertools.product([False, True], repeat=len(stretches) - 1):
        begin = stretches[0][0]
        paid = 0
        for before, after, stay in zip(stretches, stretches[1:], stays, strict=False):
            if not stay:
                paid += max(minimum, boot + before[-1] + 1 - begin)
                begin = after[0]
        costs.append(paid + max(minimum, boot + stretches[-1][-1] + 1 - begin))
    return min(costs)

"""What a seed stands for: the work, the cloud's moods, what befalls the hosts, and where the controller is killed."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from typing import Any

ZONES = ("us-east-1a", "us-east-1b")
SIZES = ("t3.small", "t3a.small")

#: What EC2 may answer to any call, and to RunInstances only.
ANY_CODE = ("RequestLimitExceeded", "InternalError", "Unavailable")
CREATE_CODE = (
    "InsufficientInstanceCapacity", "InsufficientInstanceCapacity", "SpotMaxPriceTooLow", "VcpuLimitExceeded",
    "UnauthorizedOperation", *ANY_CODE,
)  # fmt: skip
#: Calls whose answers get lost. The first three are those that money hangs on.
LOSABLE = (
    "RunInstances", "RunInstances", "TerminateInstances", "TerminateInstances", "DescribeInstances",
    "DescribeInstanceStatus", "CreateSecurityGroup", "ImportKeyPair", "AuthorizeSecurityGroupIngress",
    "DeleteSecurityGroup", "DeleteKeyPair",
)  # fmt: skip
#: Where the controller can be killed from outside: as one of these calls arrives, or when it is done and not answered.
STEPS = ("RunInstances", "RunInstances", "DescribeInstances", "DescribeInstanceStatus", "TerminateInstances")
#: And from inside: after the n-th commit, before the n-th effect of any or of one kind.
PLACES = ("commit", "effect", "CreateVm", "ListVms", "OpenNode", "StartExecution", "Acknowledge", "DestroyVm")
#: Those that are met when a pool goes.
ENDS = ("TerminateInstances", "DestroyVm", "DeleteKeyPair", "DeleteSecurityGroup")
#: Every step of a create and of a destroy: seed after seed dies at the next of each, whatever else it meets.
CREATING = (("place", "CreateVm"), *((when, what) for what in (
    "DescribeImages", "CreateSecurityGroup", "AuthorizeSecurityGroupIngress", "DescribeKeyPairs", "ImportKeyPair",
    "RunInstances",
) for when in ("before", "after")))  # fmt: skip
ENDING = (("place", "DestroyVm"), *((when, what) for what in (
    "TerminateInstances", "DeleteKeyPair", "DeleteSecurityGroup"
) for when in ("before", "after")))  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """Of the API: from `at` seconds on it strikes `times` calls of `action`."""

    at: float
    action: str
    code: str | None
    times: int
    latency: float
    lost: bool
    lifecycle: str | None = None  # of the instances asked for: "spot", "on-demand", None is both

    @property
    def kind(self) -> str:
        if self.code is not None:
            return {"RequestLimitExceeded": "throttled", "InsufficientInstanceCapacity": "capacity",
                    "SpotMaxPriceTooLow": "capacity", "VcpuLimitExceeded": "quota",
                    "UnauthorizedOperation": "refused"}.get(self.code, "error")  # fmt: skip
        return "lost" if self.lost else "slow"


@dataclass(frozen=True)
class Blow:
    """To a host: `kind` is preempt, notice, kill, cut. `at`: seconds after the first host was up; later, if there is
    none to strike.

    `seconds`: of notice, or until the network heals (inf: never). `pick`: which host, 0 to 1.
    """

    at: float
    kind: str
    pick: float
    seconds: float = 0.0


@dataclass(frozen=True)
class Kill:
    """kill -9. `when`: before or after an API call, place (inside, see PLACES), time. `number`: the n-th; seconds."""

    when: str
    what: str
    number: float

    @property
    def deadline(self) -> float | None:
        """Seconds after the first call of the cloud; then it is done wherever the controller is. None: that place comes
        in the end."""
        if self.when == "time":
            return self.number
        return None if self.what in ENDS else 7.0

    def __str__(self) -> str:
        return f"{self.number:.1f} s" if self.when == "time" else f"{self.when} {self.what} {self.number:g}"


@dataclass(frozen=True)
class Plan:
    seed: int
    pools: list[dict[str, Any]]
    jobs: list[dict[str, Any]]
    outputs: dict[tuple[str, str], str]  # of each (job, task)
    targets: dict[str, tuple[int, int]]  # pool -> most (dedicated, low-priority)
    surge: dict[str, int]  # pool -> places that the pool options add
    faults: list[Fault]
    blows: list[Blow]
    kills: list[Kill]
    pending: list[float] = field(default_factory=list)  # of the n-th instance
    boots: list[float] = field(default_factory=list)
    visibility: list[float] = field(default_factory=list)
    ending: list[float] = field(default_factory=list)


def plan_of(seed: int) -> Plan:
    rng = random.Random(f"faults {seed}")
    pools, targets, surge = _pools(rng)
    jobs, outputs = _jobs(rng, [pool["id"] for pool in pools])
    dead = rng.choice((0, 0, 1))
    boots = [rng.choice((0.0, 0.0, 0.0, rng.uniform(0.5, 5.0))) for _ in range(200)]
    for place in rng.sample(range(6), dead):
        boots[place] = math.inf
    visible = rng.choice((0.0, 0.5, 3.0))
    return Plan(
        seed=seed,
        pools=pools,
        jobs=jobs,
        outputs=outputs,
        targets=targets,
        surge=surge,
        faults=sorted((_fault(rng) for _ in range(rng.randint(6, 14))), key=lambda fault: fault.at),
        blows=sorted((_blow(rng) for _ in range(rng.randint(3, 6))), key=lambda blow: blow.at),
        kills=_kills(seed, rng),
        pending=[rng.choice((0.0, 0.0, rng.uniform(0.0, 2.0))) for _ in range(200)],
        boots=boots,
        visibility=[rng.choice((0.0, visible, rng.uniform(0.0, visible))) for _ in range(200)],
        ending=[rng.choice((0.0, rng.uniform(0.0, 1.5))) for _ in range(200)],
    )


def _pools(rng: random.Random) -> tuple[list[dict[str, Any]], dict[str, tuple[int, int]], dict[str, int]]:
    pools, targets, surge = [], {}, {}
    for name in ("p", "q")[: rng.choice((1, 1, 2))]:
        dedicated, low = rng.choice(((1, 2), (2, 2), (1, 3), (0, 3), (2, 1)))
        pool: dict[str, Any] = {"id": name, "vmSize": "any", "taskSlotsPerNode": rng.choice((1, 2, 3))}
        if rng.random() < 0.5:
            pool |= {"targetDedicatedNodes": dedicated, "targetLowPriorityNodes": low}
        else:
            pool |= {
                "enableAutoScale": True,
                "autoScaleEvaluationInterval": "PT1S",
                "autoScaleFormula": (
                    "t = max(0, $PendingTasks.GetSample(1));\n"
                    f"$TargetDedicatedNodes = min({dedicated}, t);\n"
                    f"$TargetLowPriorityNodes = min({low}, t);\n"
                ),
            }
        if rng.random() < 0.4:
            pool["startTask"] = {"commandLine": "/bin/sh -c 'echo prepared; sleep 0.2'", "waitForSuccess": True}
        if fallback := rng.random() < 0.3:
            pool["metadata"] = [
                {"name": "fallbackAfterFailures", "value": "2"},
                {"name": "fallbackFor", "value": "PT3S"},
            ]
        pools.append(pool)
        targets[name], surge[name] = (dedicated, low), int(fallback)
    return pools, targets, surge


def _jobs(rng: random.Random, pools: list[str]) -> tuple[list[dict[str, Any]], dict[tuple[str, str], str]]:
    jobs, outputs = [], {}
    for pool in pools:
        tasks = []
        for number in range(rng.randint(14, 30) // len(pools)):
            name, seconds = f"t{number}", rng.choice((0.0, 0.5, 1.0, rng.uniform(1.0, 5.0)))
            lines = rng.choice((0, 0, 0, 3000))
            count = f"i=0; while [ $i -lt {lines} ]; do i=$((i+1)); echo line $i; done; " if lines else ""
            command = f"echo begin {name}; {count}sleep {seconds:.2f}; echo end {name}"
            tasks.append({"id": name, "commandLine": f"/bin/sh -c '{command}'"})
            body = "".join(f"line {i}\n" for i in range(1, lines + 1))
            outputs[f"job-{pool}", name] = f"begin {name}\n{body}end {name}\n"
        jobs.append(
            {"id": f"job-{pool}", "poolInfo": {"poolId": pool}, "onAllTasksComplete": "terminatejob", "tasks": tasks}
        )
    return jobs, outputs


def _fault(rng: random.Random) -> Fault:
    at = rng.choice((0.0, rng.uniform(0.0, 20.0)))
    kind = rng.choice(("lost", "lost", "lost", "create", "create", "code", "burst", "slow"))
    if kind == "lost":
        return Fault(at, rng.choice(LOSABLE), None, rng.randint(1, 3), rng.choice((0.0, 0.3)), lost=True)
    if kind == "create":
        lifecycle = rng.choice(("spot", "spot", "on-demand", None))
        return Fault(at, "RunInstances", rng.choice(CREATE_CODE), rng.randint(1, 4), 0.0, False, lifecycle)
    if kind == "code":
        return Fault(at, rng.choice((*LOSABLE, "*")), rng.choice(ANY_CODE), rng.randint(1, 4), 0.0, False)
    if kind == "burst":
        return Fault(at, "*", "RequestLimitExceeded", rng.randint(3, 12), 0.0, False)
    # longer than the client waits: it gives up, and the call is carried out all the same
    return Fault(at, rng.choice((*LOSABLE, "*")), None, rng.randint(1, 3), rng.choice((0.5, 1.5, 6.0)), lost=False)


def _blow(rng: random.Random) -> Blow:
    kind = rng.choice(("preempt", "preempt", "notice", "kill", "cut", "cut"))
    seconds = {"notice": rng.uniform(2.0, 9.0), "cut": rng.choice((1.0, 3.0, 7.0, math.inf))}.get(kind, 0.0)
    return Blow(rng.uniform(0.0, 12.0), kind, rng.random(), seconds)


def _kills(seed: int, rng: random.Random) -> list[Kill]:
    """In the order of a pool's life: while the first nodes come, while it works, while it goes."""
    first = Kill(*CREATING[seed % len(CREATING)], 1)
    later = [rng.choice((_at_a_call(rng, STEPS), _inside(rng, PLACES), _inside(rng, PLACES), _by_the_clock(rng)))
             for _ in range(rng.randint(2, 4))]  # fmt: skip
    last = [Kill(*ENDING[(seed + number) % len(ENDING)], 1) for number in range(rng.randint(1, 2))]
    return [first, *sorted(later, key=lambda kill: kill.what in ENDS), *last]


def _at_a_call(rng: random.Random, calls: tuple[str, ...]) -> Kill:
    return Kill(rng.choice(("before", "after")), rng.choice(calls), rng.choice((1, 1, 2)))


def _inside(rng: random.Random, places: tuple[str, ...]) -> Kill:
    what = rng.choice(places)
    return Kill("place", what, rng.randint(1, 9) if what in ("commit", "effect") else rng.choice((1, 1, 2)))


def _by_the_clock(rng: random.Random) -> Kill:
    return Kill("time", "", rng.uniform(0.1, 7.0))

"""One seed from beginning to end: a rig, its weather, controllers that are killed, and the verdict."""

from __future__ import annotations

import re
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.rig import CloudRig

from .controllers import Ebbtide
from .plan import plan_of
from .verdict import left_alive, left_beside, lost_tasks, peaks, too_many, touched
from .weather import Weather

#: What no process may ever print.
_DEFECT = re.compile("Traceback|a defect of ebbtide|error without a type|Exception in thread")
#: Seconds in which the cloud ends what it was told to end.
_ENDING = 20.0


@dataclass
class Outcome:
    """`peak`: instances at a time, but those that had been told to go. `target`: with the surge of pool options.
    `left`: living ones at the end. `kills`: where the controller was."""

    seed: int
    seconds: float = 0.0
    creates: int = 0
    calls: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    kills: list[str] = field(default_factory=list)
    peak: int = 0
    target: int = 0
    left: int = 0
    tasks: int = 0
    lost: int = 0
    problems: list[str] = field(default_factory=list)
    story: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class Trial:
    def __init__(self, seed: int) -> None:
        self.plan = plan_of(seed)
        self._story: list[tuple[float, str]] = []
        self.outcome = Outcome(seed, tasks=len(self.plan.outputs))
        self.outcome.target = sum(sum(each) for each in self.plan.targets.values()) + sum(self.plan.surge.values())

    def _tell(self, text: str) -> None:
        self._story.append((time.time(), text))

    def run(self) -> Outcome:
        began, outcome = time.monotonic(), self.outcome
        with tempfile.TemporaryDirectory(prefix="ebbtide-faults-") as directory, CloudRig() as rig:
            ebbtide = Ebbtide(Path(directory), rig, self.plan)
            stranger = rig.stranger({"Name": "ebbtide-worker", "ebbtide-deployment": "ba9876543210"})
            with Weather(rig, self.plan, self._tell) as weather:
                self._work(ebbtide)
            outcome.seconds = time.monotonic() - began
            outcome.faults = dict(weather.faults())
            try:
                self._judge(ebbtide, rig, weather, stranger)
            except Exception as exc:  # noqa: BLE001 - whatever was left unfinished: the story is told
                outcome.problems.append(f"the verdict could not be reached: {exc!r}")
            outcome.story = self._told(rig, ebbtide)
            said = filter(_DEFECT.search, outcome.story.splitlines())
            outcome.problems += [f"a process says: {line}" for line in said]
        return outcome

    def _work(self, ebbtide: Ebbtide) -> None:
        for kill in self.plan.kills:
            self._tell(f"ebbtide run, to be killed {kill}")
            code = ebbtide.run(kill)
            self._tell(f"it ended with {code}")
            if code == 0:  # it came to its end before
                return
            if code != -9:
                self.outcome.problems.append(f"a run that was to be killed {kill} ended with {code}")
                return
            self.outcome.kills.append("by the clock" if ebbtide.overdue else str(kill))
        self._tell("ebbtide run, undisturbed")
        code = ebbtide.run()
        self._tell(f"it ended with {code}")
        if code != 0:
            self.outcome.problems.append(f"the last run ended with {code}")

    def _judge(self, ebbtide: Ebbtide, rig: CloudRig, weather: Weather, stranger: str) -> None:
        outcome, problems = self.outcome, self.outcome.problems
        ours = [instance for instance in rig.instances() if not instance.stranger]
        alive = left_alive(ours)
        outcome.left = len(alive)
        problems += alive
        rig.clear_faults()
        if (code := ebbtide.down()) != 0:
            problems.append(f"ebbtide down ended with {code}")
        deadline = time.monotonic() + _ENDING
        while any(each.state != "terminated" for each in rig.instances() if not each.stranger):
            if time.monotonic() > deadline:
                problems.append("not all are terminated")
                break
            time.sleep(0.05)
        ours = [instance for instance in rig.instances() if not instance.stranger]
        outcome.creates = len(ours)
        outcome.calls = len(rig.calls)
        outcome.peak = peaks(ours, weather.notices)[1]
        problems += too_many(self.plan, ours, weather.notices)
        if rig.instance(stranger).state != "running":
            problems.append("the stranger's instance is gone")
        problems += touched(rig.calls, [stranger])
        deployment = ebbtide.state.deployment().id
        cloud = rig.boto3()
        beside = {
            "keys": cloud.describe_key_pairs()["KeyPairs"], "groups": cloud.describe_security_groups()["SecurityGroups"]
        }  # fmt: skip
        problems += left_beside(beside, deployment)
        problems += rig.mishaps
        lost = lost_tasks(self.plan, ebbtide.state)
        outcome.lost = len(lost)
        problems += lost

    def _told(self, rig: CloudRig, ebbtide: Ebbtide) -> str:
        """All that happened, in its order, then what the processes printed."""
        lines = list(self._story)
        for call in rig.calls:
            if call.action.startswith("Describe") and not call.code and not call.lost:
                continue
            about = [v for k, v in call.params.items() if k.startswith(("InstanceId", "ClientToken", "GroupName"))]
            struck = " ".join(filter(None, (call.code, "LOST" if call.lost else "", f"{call.seconds:.2f} s")))
            lines.append((call.time, f"    {call.action} {' '.join(about)} -> {struck}"))
        for instance in rig.instances():
            about_it = f"{instance.id} {instance.tags.get('ebbtide-vm')} {instance.lifecycle} {instance.zone}"
            lines.append((instance.born, f"  + {about_it}"))
            if instance.ended is not None:
                lines.append((instance.ended, f"  - {about_it}: {instance.reason}"))
        first = min((at for at, _ in lines), default=0.0)
        told = [f"{at - first:8.3f} {text}" for at, text in sorted(lines)]
        return "\n".join([*told, ebbtide.logs()])


def summary_of(outcomes: list[Outcome]) -> dict[str, Counter[str]]:
    """How often each fault struck and each kind of place was the last in all."""
    faults: Counter[str] = Counter()
    kills: Counter[str] = Counter()
    for outcome in outcomes:
        faults.update(outcome.faults)
        kills.update(kill if kill == "by the clock" else kill.rpartition(" ")[0] for kill in outcome.kills)
    return {"faults": faults, "kills": kills}

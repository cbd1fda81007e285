"""Whatever EC2 does, and whenever the controller dies: one VM for each name at most, and none in the end."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from providers import CapacityError, ProviderError, TransientError
from providers.ec2 import Ec2Provider
from tests.rig import CloudRig

from ..waiting import wait_until
from .conftest import Account

_FAULTS = [
    ("RunInstances", {"lose_response": True}),
    ("RunInstances", {"code": "InsufficientInstanceCapacity"}),
    ("RunInstances", {"code": "InternalError"}),
    ("RunInstances", {"code": "RequestLimitExceeded"}),
    ("TerminateInstances", {"lose_response": True}),
    ("TerminateInstances", {"code": "RequestLimitExceeded"}),
    ("TerminateInstances", {"code": "InternalError"}),
    ("DescribeInstances", {"code": "InternalError"}),
    ("DescribeInstances", {"lose_response": True}),
    ("DescribeInstanceStatus", {"code": "RequestLimitExceeded"}),
    ("CreateSecurityGroup", {"lose_response": True}),
    ("ImportKeyPair", {"lose_response": True}),
    ("DeleteSecurityGroup", {"code": "DependencyViolation"}),
    ("DescribeImages", {"code": "InternalError"}),
    ("DescribeSpotPriceHistory", {"code": "InternalError"}),
]


class Story:
    """A controller that keeps only which names it has asked for and which ids it was told, as records would."""

    def __init__(self, account: Account, chance: random.Random) -> None:
        self.account = account
        self.chance = chance
        self.provider: Ec2Provider = self.open()
        self.ids: dict[str, str | None] = {}

    def open(self) -> Ec2Provider:
        provider = self.account.open(visibilityDelay=0.5)
        provider._api._retrying._limit = 0.3
        return provider

    def create(self, node: str) -> None:
        self.ids.setdefault(node, None)
        for _ in range(self.chance.choice((1, 3))):  # it may die before it tries again
            try:
                self.ids[node] = self.provider.create(self.account.spec(node)).provider_id
            except CapacityError:
                return
            except ProviderError:
                continue
            return

    def look(self) -> None:
        try:
            self.provider.list_owned()
        except ProviderError:
            pass

    def destroyed(self, node: str) -> bool:
        try:
            self.provider.destroy(self.account.name(node), self.ids[node])
        except TransientError:
            return False
        except ProviderError:
            return False
        return True


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_doubled_and_nothing_stays(seed: int) -> None:
    chance = random.Random(seed)
    with CloudRig(hosts=False, visibility_delay=lambda _: chance.choice((0.0, 0.2, 0.4)), pending=0.1) as rig:
        account = Account(rig)
        story = Story(account, chance)
        nodes = [f"n{number}" for number in range(10)]
        for node in nodes:
            for action, fault in chance.sample(_FAULTS, 4):
                rig.fail(action, times=chance.choice((1, 1, 2)), **fault)  # type: ignore[arg-type]
            story.create(node)
            if chance.random() < 0.3:
                story.provider = story.open()  # killed, and started again
            if chance.random() < 0.5:
                story.look()
            if chance.random() < 0.2 and account.living():
                rig.preempt(chance.choice([it.id for it in rig.instances("running")] or [rig.instances()[0].id]))
        with ThreadPoolExecutor(4) as pool:
            left = nodes
            while left:
                done = list(pool.map(story.destroyed, left))
                left = [node for node, gone in zip(left, done, strict=True) if not gone]
        assert account.living() == []
        rig.clear_faults()
        story.provider = story.open()
        for vm in story.provider.list_owned():  # what was reclaimed is told to the next controller too
            story.provider.destroy(vm.name, vm.provider_id)
        wait_until(lambda: story.provider.list_owned() + story.provider.sweep() == [], within=20, pause=0.05)
        made = Counter(it.tags["ebbtide-vm"] for it in rig.instances())
        assert set(made.values()) <= {1}
        ec2 = rig.boto3()
        assert [row["GroupName"] for row in ec2.describe_security_groups()["SecurityGroups"]] == ["default"]
        assert ec2.describe_key_pairs()["KeyPairs"] == []
        assert rig.mishaps == []

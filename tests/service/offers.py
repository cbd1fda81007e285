"""Offers of providers that nobody has to open."""

from providers import Capabilities, Profile
from service.offers import Offer


def local(*sizes):
    can = Capabilities(low_priority=True, preempt=True, user_data=False, host_keys=True)
    return Offer("local", can, Profile(batch_images="one"), sizes=sizes, names=("local",))


def cloud(name="aws", *, low_priority=True, subnets=True, images=None, **profile):
    can = Capabilities(low_priority=low_priority, preempt=False, user_data=True, host_keys=True, subnets=subnets)
    return Offer(name, can, Profile(**profile), images=images)


def offers(sizes=("local.large", "local.medium", "local.small"), *others):
    return {each.provider: each for each in (local(*sizes), *others)}

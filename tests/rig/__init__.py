"""A fake EC2 of our own for tests, whose instances are real SSH hosts in network namespaces. See README.md here."""

from .cloud import IMAGE, SIZE, CloudRig
from .faults import Call, Fault
from .instance import Instance

__all__ = ["IMAGE", "SIZE", "Call", "CloudRig", "Fault", "Instance"]

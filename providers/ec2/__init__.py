"""Amazon EC2: spot and on-demand VMs, listed cheaply and destroyed for certain."""

from .provider import Ec2Provider, open_ec2

__all__ = ["Ec2Provider", "open_ec2"]

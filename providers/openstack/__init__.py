"""OpenStack: servers of Nova, marked by metadata."""

from .opening import open_openstack

__all__ = ["open_openstack"]

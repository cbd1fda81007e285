"""Google Compute Engine: instances, marked by labels."""

from .opening import open_gce

__all__ = ["open_gce"]

"""The wall clock of the node: seconds since the epoch, UTC."""

from time import time as now

__all__ = ["now"]

"""Azure: virtual machines of one resource group, marked by tags."""

from .opening import open_azure

__all__ = ["open_azure"]

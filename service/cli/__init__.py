"""The command `ebbtide`. Modules of commands import what they need when they run: `ebbtide version` waits for nothing."""

from .main import main

__all__ = ["main"]

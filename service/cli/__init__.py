"""The command `ebbtide`. Commands import what they need when they run, so that small ones start at once."""

from .main import main

__all__ = ["main"]

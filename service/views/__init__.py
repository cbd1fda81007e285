"""What a user sees while work goes on: plain lines, or a live view on a terminal."""

from .line import Line
from .pump import Pump
from .timeline import Timeline

__all__ = ["Line", "Pump", "Timeline"]

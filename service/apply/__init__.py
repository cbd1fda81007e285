"""A workload file brought to where its objects are to be: what differs there is found, told, and asked for.

All of it goes by requests of the Batch REST API, so that a server and a state directory take it alike.
"""

from .carrying_out import NotDone, carry_out
from .changes import Change, Difference, Plan, Step
from .compared import differences
from .plans import plan
from .present import PresentObjects
from .removals import Removal, removals

__all__ = [
    "Change",
    "Difference",
    "NotDone",
    "Plan",
    "PresentObjects",
    "Removal",
    "Step",
    "carry_out",
    "differences",
    "plan",
    "removals",
]

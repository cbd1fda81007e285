"""What can be said of a formula without running it: the range of every expression, and of its targets."""

from .analysis import Ranges, analyse
from .numbering import Numbering, number_program
from .targets import TargetRange, ranges_of_targets, target_ranges
from .trial import MOMENTS, Situation, Trials
from .value_range import Range
from .world import SINGLE_NODE, World

__all__ = [
    "MOMENTS",
    "SINGLE_NODE",
    "Numbering",
    "Range",
    "Ranges",
    "Situation",
    "TargetRange",
    "Trials",
    "World",
    "analyse",
    "number_program",
    "ranges_of_targets",
    "target_ranges",
]

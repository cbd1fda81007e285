"""Constants of a formula: names that it gives a number once, so that a person, or a program, may give another one.

constants("idle = 10; $TargetDedicatedNodes = idle;")["idle"].value  # 10.0
with_values("idle = 10; // minutes", {"idle": 12})  # "idle = 12; // minutes"
"""

from .finding import Constant, constants, no_constant
from .writing import number_text, with_values

__all__ = ["Constant", "constants", "no_constant", "number_text", "with_values"]

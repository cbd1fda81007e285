"""Why a formula decided what it did: every value that an evaluation computed, and what it computed it from.

    told = trace(text, samples, now)
    told.evaluation                  # as Formula.evaluate gives it
    told.statements[2].branches      # which branch of each ?: was taken, and why
"""

from .annotating import annotated, short_value
from .branching import BranchPoint
from .coverage import Coverage, branch_points
from .observing import Observation, ObservedFormula, observed_formula
from .sample_views import SampleView
from .tracing import Branch, Observed, Outcome, Shortcut, StatementTrace, Trace, trace

__all__ = [
    "Branch",
    "BranchPoint",
    "Coverage",
    "Observation",
    "Observed",
    "ObservedFormula",
    "Outcome",
    "SampleView",
    "Shortcut",
    "StatementTrace",
    "Trace",
    "annotated",
    "branch_points",
    "observed_formula",
    "short_value",
    "trace",
]

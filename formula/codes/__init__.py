"""Every kind of finding, by its code.

F1xx: syntax and size; F2xx: names; F3xx: types and arguments; these come from the checker. From the lint rules come
F4xx: samples and their coverage; F5xx: targets, bounds and scaling; F6xx: conditions, time and style.
F7xx, in `DOCUMENTS`: documents that hold formulas.
"""

from __future__ import annotations

from collections.abc import Mapping

from .code import Code, Severity
from .documents import DOCUMENTS
from .lint_other import LINT_OTHER
from .lint_samples import LINT_SAMPLES
from .lint_targets import LINT_TARGETS
from .names import NAMES
from .syntax import SYNTAX
from .types import TYPES

CODES: Mapping[str, Code] = {**SYNTAX, **NAMES, **TYPES, **LINT_SAMPLES, **LINT_TARGETS, **LINT_OTHER}

__all__ = ["CODES", "DOCUMENTS", "Code", "Severity"]

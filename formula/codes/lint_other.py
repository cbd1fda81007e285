"""Lint: conditions, time, names and style."""

from __future__ import annotations

from collections.abc import Mapping

from .code import Code, by_code

LINT_OTHER: Mapping[str, Code] = by_code(())

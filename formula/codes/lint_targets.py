"""Lint: targets, their bounds, and how a pool grows and ebbs."""

from __future__ import annotations

from collections.abc import Mapping

from .code import Code, by_code

LINT_TARGETS: Mapping[str, Code] = by_code(())

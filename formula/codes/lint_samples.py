"""Lint: samples, their coverage, and what is made of them."""

from __future__ import annotations

from collections.abc import Mapping

from .code import Code, by_code

LINT_SAMPLES: Mapping[str, Code] = by_code(())

"""The list of all rules."""

from __future__ import annotations

from . import (
    rules_conditions,
    rules_coverage,
    rules_demand,
    rules_fractions,
    rules_growth,
    rules_names,
    rules_percent,
    rules_samples,
    rules_statements,
    rules_targets,
    rules_time,
    rules_weekdays,
)
from .rule import Rule

_SAMPLES: tuple[Rule, ...] = (
    rules_coverage.unguarded_windows,
    rules_coverage.odd_windows,
    rules_samples.newest_sample_only,
    rules_percent.wrong_percent_scale,
    rules_percent.percent_as_seconds,
    rules_percent.no_percentage,
    rules_samples.doubtful_metrics,
    rules_samples.elements,
    rules_samples.extremes_of_nothing,
    rules_samples.count_of_no_samples,
    rules_samples.vectors_of_two_windows,
    rules_samples.old_names,
)
_TARGETS: tuple[Rule, ...] = (
    rules_targets.no_target,
    rules_targets.alias_beside_full_name,
    rules_targets.overwritten_target,
    rules_targets.no_deallocation_option,
    rules_targets.large_bound,
    rules_growth.no_upper_bound,
    rules_growth.no_growth_from_zero,
    rules_growth.never_zero,
    rules_growth.always_the_same,
    rules_growth.negative_target,
    rules_growth.not_a_number,
    rules_growth.grows_on_and_on,
    rules_fractions.fractions,
    rules_fractions.small_pool_cannot_grow,
    rules_demand.active_tasks_only,
    rules_demand.gaps_in_demand,
    rules_demand.counted_twice,
    rules_demand.both_targets,
    rules_demand.smallest_sample,
    rules_demand.full_size_without_samples,
)
_OTHER: tuple[Rule, ...] = (
    rules_conditions.constant_conditions,
    rules_conditions.chained_comparisons,
    rules_conditions.negated_comparisons,
    rules_conditions.equal_branches,
    rules_conditions.equal_fractions,
    rules_conditions.zero_divisors,
    rules_weekdays.sundays,
    rules_time.hours_of_another_zone,
    rules_time.frozen_dates,
    rules_names.values_not_read,
    rules_names.targets_misspelt,
    rules_names.names_alike,
    rules_names.names_of_functions,
    rules_statements.statements_without_effect,
    rules_statements.statements_after_stop,
    rules_statements.empty_statements,
    rules_statements.swallowed_statements,
    rules_statements.undocumented_operators,
)

RULES: tuple[Rule, ...] = (*_SAMPLES, *_TARGETS, *_OTHER)

__all__ = ["RULES"]

"""Values that properties are compared with in a filter: of their kind, or it is refused, so that nothing is found only
where nothing is."""

import pytest

from service.api import filters
from service.api.errors import ApiError
from service.api.properties import FILTERS

#: A value of each kind, and of which paths it is the kind.
TEXT, NUMBER, TIME, FLAG = "'a'", "3", "datetime'2026-01-31T12:00:00Z'", "true"
PATHS = [
    ("task", "id", TEXT),
    ("task", "state", TEXT),
    ("task", "executionInfo/exitCode", NUMBER),
    ("task", "executionInfo/retryCount", NUMBER),
    ("task", "executionInfo/requeueCount", NUMBER),
    ("task", "executionInfo/endTime", TIME),
    ("task", "executionInfo/result", TEXT),
    ("task", "requiredSlots", NUMBER),
    ("task", "lastModified", TIME),
    ("job", "priority", NUMBER),
    ("job", "usesTaskDependencies", FLAG),
    ("job", "previousStateTransitionTime", TIME),
    ("pool", "currentDedicatedNodes", NUMBER),
    ("pool", "targetLowPriorityNodes", NUMBER),
    ("pool", "enableAutoScale", FLAG),
    ("pool", "vmSize", TEXT),
    ("node", "isDedicated", FLAG),
    ("node", "runningTasksCount", NUMBER),
    ("node", "totalTasksRun", NUMBER),
    ("node", "lastBootTime", TIME),
    ("schedule", "executionInfo/nextRunTime", TIME),
    ("preparation", "jobPreparationTaskExecutionInfo/exitCode", NUMBER),
    ("image", "imageReference/sku", TEXT),
]


@pytest.mark.parametrize(("kind", "path", "fitting"), PATHS)
def test_only_values_of_its_kind(kind: str, path: str, fitting: str) -> None:
    for value in (TEXT, NUMBER, TIME, FLAG, "null"):
        for text in (f"{path} eq {value}", f"{value} ne {path}", f"not ({path} eq {value})"):
            if value in (fitting, "null"):
                filters.parse(text, FILTERS[kind])
            else:
                with pytest.raises(ApiError, match="its values are") as refused:
                    filters.parse(text, FILTERS[kind])
                assert (refused.value.code, refused.value.status) == ("InvalidQueryParameterValue", 400)


def test_what_is_known_of_numbers_and_flags_is_of_properties_that_there_are() -> None:
    known = {path.rpartition("/")[2] for paths in FILTERS.values() for path in paths}
    assert known >= filters._NUMBERS | filters._FLAGS


def test_fractions_are_numbers() -> None:
    assert filters.parse("priority gt 2.5", FILTERS["job"]) == filters.Comparison("priority", "gt", 2.5)

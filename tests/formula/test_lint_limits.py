"""The linter answers hostile texts as soon as the checker does."""

from __future__ import annotations

from collections.abc import Callable
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formula import fix, lint

from .generated_programs import programs
from .test_limits import HOSTILE as HOSTILE_TO_THE_CHECKER

HOUR = "TimeInterval_Hour"
PERCENT = f"$PendingTasks.GetSamplePercent({HOUR})"
SAMPLES = f"max($PendingTasks.GetSample({HOUR}))"
HOSTILE = {name: text for name, (text, _) in HOSTILE_TO_THE_CHECKER.items()} | {
    "weekdays": "a=" + "time().weekday<1&&" * 440 + "1",
    "hours": "a=time().hour<1" + "||time().hour<1" * 500,
    "guards in a row": f"p={PERCENT};a={'p<70||' * 1300}{SAMPLES}",
    "guards in each other": f"p={PERCENT};a={'p<70?1:' * 190}{SAMPLES}",
    "guards of each other": "a=1" + f"||{SAMPLES}" * 155,
    "alternatives": f"p={PERCENT};a={'(' * 180}p>70{'||p>80)' * 180}?{SAMPLES}:1",
    "a guard that doubles": f"a={PERCENT}>1;{'a=a||a;' * 97}b=a?{SAMPLES}:1",
    "stops": f"{f'{PERCENT}<3?stop():0;' * 98}a=1{f'+{SAMPLES}' * 60}",
    "elements": "a=" + "+".join(["val($PendingTasks.GetSample(3),0)"] * 240),
    "old names": "a=" + "+".join(["$CurrentDedicated"] * 450),
    "names in the wrong case": "$targetdedicatednodes=$targetdedicatednodes+1;" * 90,
    "overwritten": "a=1;" * 99,
    "semicolons": ";" * 8192,
    "missing semicolons": "a=1 " * 2048,
    "names of names": "a0=time().hour>1;" + "".join(f"a{i + 1}=a{i}&&a{i};" for i in range(98)),
}


@pytest.mark.parametrize("answer", [lint, fix])
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_answered_soon(text: str, answer: Callable[[str], object]) -> None:
    begin = process_time()
    answer(text[:8192])
    assert process_time() - begin < 5.0  # at most 0.5 s where nothing else runs


INFINITE = "1e308*10"


@pytest.mark.parametrize(
    "text",
    [
        f"$TargetDedicatedNodes = {INFINITE};",
        f"$TargetDedicatedNodes = -{INFINITE};",
        f"$TargetDedicatedNodes = max({INFINITE}, $CurrentDedicatedNodes);",
        f"$TargetDedicatedNodes = $CurrentDedicatedNodes * {INFINITE};",
        f"a = val($PendingTasks.GetSample(3), {INFINITE}) + val($PendingTasks.GetSample({INFINITE}), 1);",
        f"a = $PendingTasks.Count() > 9 ? avg($PendingTasks.GetSample({HOUR} * {INFINITE})) : 0;",
    ],
)
def test_infinite_numbers_are_linted(text: str) -> None:
    assert not [found for found in lint(text, now=0.0) if found.is_error]


@given(st.text(alphabet=st.sampled_from("a$1.\"'(){}[]+-*/<>=!&|?:;,%#\n \\\u201c\u00a0"), max_size=60))
def test_any_text_is_answered(text: str) -> None:
    lint(text, now=0.0)


@given(programs())
def test_rules_call_nothing_an_error(text: str) -> None:
    assert not [found for found in lint(text, now=1_790_000_013.0) if found.is_error]

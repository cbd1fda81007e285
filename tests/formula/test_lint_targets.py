"""The rules about targets: bounds, growth, demand. And the comments that silence findings."""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given, settings

from formula import MAX_LENGTH, check, lint
from formula.layout import format_formula
from formula.lint.fixing import fix
from formula.ranges import target_ranges

from .test_properties import TEXTS


def codes(text: str, unknown: frozenset[int] = frozenset()) -> list[str]:
    return [found.code for found in lint(text, unknown=unknown) if found.code.startswith("F5")]


def test_what_a_template_leaves_open_is_neither_bound_nor_boundless() -> None:
    text = "$TargetDedicatedNodes = min(10, max(0, $PendingTasks.GetSample(1)));\n$NodeDeallocationOption = requeue;"
    unknown = frozenset([text.index("10")])
    assert codes(text) == codes(text, unknown) == []
    (target,) = target_ranges(text, unknown).values()
    assert (target.upper, target.bound, target.can_be_zero) == (None, "unknown", None)
    boundless = text.replace("min", "max")
    assert "F505" in codes(boundless, unknown)


def test_the_ranges_of_a_target() -> None:
    found = target_ranges(
        "tasks = max(0, $PendingTasks.GetSample(1));\n"
        "$TargetDedicated = max(1, min(7.9, tasks / 2));\n"
        "$TargetLowPriorityNodes = tasks;"
    )
    bounded, boundless = found["$TargetDedicatedNodes"], found["$TargetLowPriorityNodes"]
    assert (bounded.lower, bounded.upper, bounded.bound, bounded.settles_at) == (1, 7, "proved", 7)
    assert (bounded.can_be_zero, bounded.can_leave_zero, bounded.constant) == (False, True, None)
    assert (boundless.lower, boundless.upper, boundless.bound) == (0, None, "none")
    assert (boundless.can_be_zero, boundless.can_leave_zero) == (True, True)


def test_a_target_that_stop_may_leave_alone_has_no_bound_of_its_own() -> None:
    (target,) = target_ranges("time().hour > 8 ? stop() : 0; $TargetDedicatedNodes = 3").values()
    assert (target.kept, target.upper, target.constant) == (True, None, None)


@pytest.mark.parametrize(
    ("text", "bound", "settles_at"),
    [
        ("$TargetDedicatedNodes = $CurrentDedicatedNodes", "proved", 1000),
        ("$TargetDedicatedNodes = $CurrentDedicatedNodes / 2 + 600", "proved", 10_000),
        ("$TargetDedicatedNodes = $CurrentDedicatedNodes + 1", "none", None),
        # The nodes of the other kind are counted too, and are added at every evaluation.
        ("$TargetLowPriorityNodes = 5; $TargetDedicatedNodes = $UsableNodeCount", "none", None),
        ("$TargetLowPriorityNodes = 5; $TargetDedicatedNodes = max(0, $UsableNodeCount.GetSample(3))", "none", None),
        ("$TargetLowPriorityNodes = 5; $TargetDedicatedNodes = $UsableNodeCount / 2", "proved", 1000),
    ],
)
def test_what_a_target_of_its_former_self_settles_at(text: str, bound: str, settles_at: int | None) -> None:
    found = target_ranges(text)["$TargetDedicatedNodes"]
    assert (found.bound, found.settles_at) == (bound, settles_at)


def test_a_formula_with_errors_has_no_ranges() -> None:
    assert target_ranges("$TargetDedicatedNodes = nowhere; $TargetLowPriorityNodes = 2") == {}


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("$X = 1;", "$X = 1;{option}"),
        ("$X = 1", "$X = 1;{option}"),
        ("$X = 1 // so\n", "$X = 1; // so\n{option}\n"),
        ("a = 1;\n  $X = a; // end", "a = 1;\n  $X = a; // end\n  {option}"),
        ("a = 1;\r\n$X = a\r\n// last; word\r\n", "a = 1;\r\n$X = a;\r\n// last; word\r\n{option}\r\n"),
    ],
)
def test_the_option_is_added_at_the_end(text: str, fixed: str) -> None:
    value = "$TargetDedicatedNodes = min(9, max(0, $PendingTasks.GetSample(1)))"
    option = "$NodeDeallocationOption = taskcompletion;"
    text = text.replace("$X = 1", value).replace("$X = a", f"{value} + a")
    fixed = fixed.replace("$X = 1", value).replace("$X = a", f"{value} + a")
    if "{option}" in fixed and "\n" not in text and "//" not in text:
        option = " " + option
    result = fix(text, wanted=lambda found: found.code == "F504")
    assert result.text == fixed.replace("{option}", option)
    assert "F504" not in codes(result.text)


@pytest.mark.parametrize(
    "text",
    [
        "{head}$TargetDedicatedNodes = {a} ? {b} : {a}; // ebbtide: ignore F505 F504\n",
        "{head}// ebbtide: ignore F505 F504\n\n$TargetDedicatedNodes = {a} ? {b} : {a};",
        "{head}$TargetDedicatedNodes = // ebbtide: ignore F505 F504\n{a} ? {b} : {a};",
        "{head}$TargetDedicatedNodes = {a}\n// ebbtide: ignore F505 F504\n? {b} : {a};",
        "{head}$TargetDedicatedNodes = {a} ? {b} : // ebbtide: ignore F505 F504\n {a};",
    ],
)
def test_a_comment_silences_the_same_before_and_behind_the_layout(text: str) -> None:
    shown = {"a": " + ".join(["tasks"] * 30), "b": "max(" + ", ".join(["tasks"] * 30) + ")"}
    filled = text.format(head="tasks = max(0, $PendingTasks.GetSample(TimeInterval_Hour, 0));\n", **shown)
    laid_out = format_formula(filled)
    assert laid_out.count("\n") > filled.count("\n") + 3
    assert codes(filled) == codes(laid_out) == []
    assert codes(laid_out.replace("ebbtide:", "")) == ["F504", "F505"]


HOSTILE = {
    "sum": "$TargetDedicatedNodes=" + "+".join(["$PendingTasks"] * 570),
    "conjunction": "a=1;b=" + "&&".join("a" * 1300) + ";c=" + "&&".join("b" * 1300) + ";$TargetDedicatedNodes=c",
    "negations": "a=$CPUPercent>1;$TargetDedicatedNodes=" + "!" * 190 + "a",
    "branches": "a=$CPUPercent;$TargetDedicatedNodes=" + "".join(f"a>{n}?a*{n}:" for n in range(190)) + "3",
    "doubled": "a=time()-time();" + "a=a+a;" * 98 + "$TargetDedicatedNodes=a/TimeInterval_Day*0",
    "doubled numbers": "$a=$PendingTasks;" + "$a=$a+$a;" * 97 + "$TargetDedicatedNodes=min($a,$a*$a);",
    "doubled conditions": "a=$CPUPercent>1;" + "a=a&&a||!a;" * 97 + "$TargetDedicatedNodes=a?1:2",
    "vectors": "a=$PendingTasks.GetSample(9);" + "a=vec(a,a);" * 97 + "$TargetDedicatedNodes=sum(a)",
    "many elements": "a=vec(1,2);" + "a=vec(a,a);" * 15 + f"b={'+'.join('a' * 40)};" * 80 + "$TargetDedicated=sum(b)",
    "summands": "p=$PendingTasks;r=1;$TargetDedicatedNodes=" + "+".join("p" * 4000),
    "arguments": "$TargetDedicatedNodes=max(" + ",".join(["$PendingTasks"] * 570) + ")",
    "comments": "$TargetDedicatedNodes=3;" + "// ebbtide: ignore F507\n" * 330,
    "lines": "// ebbtide: ignore F505\n" * 170 + "\n" * 4000 + "$TargetDedicatedNodes=3;",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_answered_soon(text: str) -> None:
    assert len(text) <= MAX_LENGTH
    lint("a = 1")
    begin = process_time()
    lint(text)
    assert process_time() - begin < 5.0  # at most 0.5 s where nothing else runs


@settings(max_examples=150)
@given(TEXTS)
def test_any_text_is_linted(text: str) -> None:
    found = lint(text)
    assert [diagnostic.code for diagnostic in found if diagnostic.is_error] == [
        diagnostic.code for diagnostic in check(text) if diagnostic.is_error
    ]
    assert lint(text) == found

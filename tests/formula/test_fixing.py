"""`fix`: what is mended by itself, and that mending breaks nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formula import FormulaError, compile_formula, fix, lint
from formula.diagnostics import Diagnostic, Edit
from formula.lint.fixing import apply_fixes
from formula.source import Source

from .generated_programs import histories, programs

MENDED = [
    ("a = 1\nb = 2", "a = 1;\nb = 2"),
    ("a = 1 // one\nb = 2", "a = 1; // one\nb = 2"),
    ("# one\na = 1;", "// one\na = 1;"),
    ("/* one */ a = 1; /* two */", "// one\n a = 1; // two"),
    ("/* one\n * two\n */\na = 1;", "// one\n// two\na = 1;"),
    ("/** one **/\r\na = 1;", "// one\r\na = 1;"),
    ("a = 'x';", 'a = "x";'),
    ("a = \u201cx\u201d;", 'a = "x";'),
    ('a = time(\\"2026\\");', 'a = time("2026");'),
    ("a\u00a0=\u00a01;\u200b", "a = 1;"),
    ("a = +1;", "a = 1;"),
    ("a = 0x1F;", "a = 31;"),
    ("a = max([1, 2]);", "a = max(vec(1, 2));"),
    ("a = 1 & 2 | 3;", "a = 1 && 2 || 3;"),
    ("a = 1 and 2 or 3;", "a = 1 && 2 || 3;"),
    ("a = 2 => 1;", "a = 2 >= 1;"),
    ("a = true || False;", "a = 1 || 0;"),
    ('$NodeDeallocationOption = "requeue";', "$NodeDeallocationOption = requeue;"),
    ("$NodeDeallocationOption = retaindata;", "$NodeDeallocationOption = retaineddata;"),
    ("$TVMDeallocationOption = requeue;", "$NodeDeallocationOption = requeue;"),
    ("$TargetSpotNodes = $CurrentSpotNodes;", "$TargetLowPriorityNodes = $CurrentLowPriorityNodes;"),
    ("$targetDedicatedNodes = 1; a = $targetDedicatedNodes;", "$TargetDedicatedNodes = 1; a = $TargetDedicatedNodes;"),
    ("maxNodes = 1; a = maxNode;", "maxNodes = 1; a = maxNodes;"),
    ("a = $pendingTasks.getSample(1);", "a = $PendingTasks.GetSample(1);"),
    ("a = Max(1, 2) + mean(1, 2);", "a = max(1, 2) + avg(1, 2);"),
    ("a = time().hours + time().hour();", "a = time().hour + time().hour;"),
    ("a = $PendingTasks.Count;", "a = $PendingTasks.Count();"),
    ("a = $PendingTasks.GetSample(3).Sum();", "a = sum($PendingTasks.GetSample(3));"),
    ("a = $PendingTasks / 4;", "a = max(0, $PendingTasks.GetSample(1)) / 4;"),
    ('a = time("2026-01-31T08:00:00.123456789Z");', 'a = time("2026-01-31T08:00:00.1234567Z");'),
    ("a = $PendingTasks.GetSamplePercent(TimeInterval_Hour) < 0.7;",
     "a = $PendingTasks.GetSamplePercent(TimeInterval_Hour) < 70;"),
    ("a = $PendingTasks.GetSample(180 * TimeInterval_Second, 70 * TimeInterval_Second);",
     "a = $PendingTasks.GetSample(180 * TimeInterval_Second, 70);"),
    ("a = max($PendingTasks.GetSample(1));", "a = max(0, $PendingTasks.GetSample(1));"),
    ("a = max(0, $PendingTasks);", "a = max(0, $PendingTasks.GetSample(1));"),
    ("$TargetDedicated = $CurrentDedicated;", "$TargetDedicatedNodes = $CurrentDedicatedNodes;"),
    ("TargetDedicatedNodes = 2;", "$TargetDedicatedNodes = 2;"),
    ("$TargetDedicatedNode = 2;", "$TargetDedicatedNodes = 2;"),
    (
        "w = TimeInterval_Hour; a = $PendingTasks.GetSamplePercent(w) < 50 ? 1 : avg($PendingTasks.GetSample(w));",
        "w = TimeInterval_Hour; a = $PendingTasks.GetSamplePercent(w) < 70 ? 1 : avg($PendingTasks.GetSample(w));",
    ),
    ("a = 1;;", "a = 1;"),
    ("a = 1 < 2 < 3;", "a = (1 < 2 && 2 < 3);"),
]  # fmt: skip


def is_no_target(found: Diagnostic) -> bool:
    """Rules about targets complete whole formulas, and these are pieces."""
    return not found.code.startswith("F5")


@pytest.mark.parametrize(("wrong", "right"), MENDED, ids=[wrong for wrong, _ in MENDED])
def test_mended_by_itself(wrong: str, right: str) -> None:
    result = fix(wrong, wanted=is_no_target)
    assert result.text == right
    assert result.applied
    assert fix(right, wanted=is_no_target).text == right


LEFT_ALONE = [
    # Which of two is meant, or whether anything is, a person must say.
    "nodes1 = 1; a = nodes2;",
    "maxNodes = 1; minNodes = 1; a = manNodes;",
    "x = 1; a = y;",
    "sizeA = 1; a = sizeB;",
    "rate = 1; a = date;",
    "a = 7 % 2;",
    "a = (1 + 2;",
    "$targetDedicatedNodes = 1; $TargetDedicatedNodes = 2;",
    "$taskSlotsPerNode = 4;",
    "$TargetDedicatedComputeNodes = 2;",
    "$NodeDeallocationOption = keep;",
    "a = v[0];",
    "a = 10nodes;",
]


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_left_to_a_person(text: str) -> None:
    result = fix(text, wanted=is_no_target)
    assert result.text == text
    assert not result.applied
    assert result.left


def test_what_was_mended_and_what_is_left() -> None:
    result = fix("a = 1 b = nowhere;")
    assert [found.code for found in result.applied] == ["F105"]
    assert [found.code for found in result.left if found.is_error] == ["F201"]
    assert list(result.left) == lint(result.text)


def test_only_what_is_wanted_is_mended() -> None:
    result = fix("a = 1;; b = 'x';", wanted=lambda found: found.code != "F617")
    assert result.text == 'a = 1;; b = "x";'


def test_the_number_of_a_placeholder_is_never_changed() -> None:
    text = "a = 'x'; b = $PendingTasks.GetSamplePercent(TimeInterval_Hour) < 0.7;"
    assert "< 70" in fix(text).text
    assert "< 0.7" in fix(text, unknown=frozenset({text.index("0.7")})).text


def test_edits_that_meet_are_not_both_applied() -> None:
    source = Source("abc")
    first = Diagnostic("F617", "", None, 0, 2, source, (Edit(0, 2, "x"),))
    second = Diagnostic("F617", "", None, 1, 3, source, (Edit(1, 3, "y"),))
    assert apply_fixes("abc", [first, second]) == ("xc", (first,))


def parses(text: str) -> bool:
    try:
        compile_formula(text)
    except FormulaError:
        return False
    return True


# Pieces of which wrong formulas are made.
PIECES = [
    *("a", "b = ", "1", "0x1F", "'x'", '"y"', "\u201cz\u201d", "$PendingTasks", ".GetSample(1)", ".hours", "time()"),
    *("(", ")", "[1]", "+", "<", "&", "=", ";", ";;", "\n", " ", "# c", "/* d */", "// e", "!", "?", ":", "max(", ", "),
    *("and", "\u00a0", '\\"', "$targetDedicatedNodes = ", "retaindata", "true", "%"),
]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_mending_any_text(text: str) -> None:
    result = fix(text)
    assert not parses(text) or parses(result.text)
    assert fix(result.text).text == result.text
    assert list(result.left) == lint(result.text)


@given(programs(), st.data())
def test_mended_layout_means_the_same(text: str, data: st.DataObject) -> None:
    """Empty statements and comments of other languages, put into valid formulas."""
    statements = text.split(";\n")
    noise = [data.draw(st.sampled_from(["", ";", " # c\n", "/* d */ ", "\u00a0"])) for _ in statements]
    # A comment cannot come before the `;` of its statement: everything stands at the start of one.
    noisy = ";\n".join(added + statement for added, statement in zip(noise, statements, strict=True))
    wanted = {"F106", "F107", "F108", "F617"}
    mended = fix(noisy, wanted=lambda found: found.code in wanted).text
    samples = data.draw(histories())
    now = 1_790_000_013.0
    before, after = (compile_formula(formula).evaluate(samples, now) for formula in (text, mended))
    assert after.results == before.results

"""Which names of a formula are constants, and what it is with other numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formula import check
from formula.constants import constants, no_constant, number_text, with_values

FOUND = {
    "a number": ("idle = 10;", {"idle": (10, "")}),
    "a fraction": ("share = .25;", {"share": (0.25, "")}),
    "with a minus": ("a = -5;", {"a": (-5, "")}),
    "a minus that stands apart": ("a = - 5;", {"a": (-5, "")}),
    "in parentheses": ("a = ((7));", {"a": (7, "")}),
    "of intervals": ("w = 5 * TimeInterval_Minute;", {"w": (5, "TimeInterval_Minute")}),
    "the other way round": ("w = TimeInterval_Hour * 2;", {"w": (2, "TimeInterval_Hour")}),
    "in parentheses with its interval": ("w = (3 * (TimeInterval_Day));", {"w": (3, "TimeInterval_Day")}),
    "a target": ("$TargetDedicatedNodes = 16;", {"$TargetDedicatedNodes": (16, "")}),
    "behind statements": ("x = time(); a = 1;", {"a": (1, "")}),
    "computed": ("a = 1 + 2; b = max(1, 2); c = a;", {}),
    "numbers alone are no unit": ("a = 5 * 60; b = 5 * 3 * TimeInterval_Minute; c = 5 / TimeInterval_Minute;", {}),
    "twice": ("a = 1; a = 2;", {}),
    "computed later": ("a = 1; a = a + 1;", {}),
    "text": ('a = "7";', {}),
    "nothing": ("", {}),
    "only what can be read": ("a = 1; b = ; c = 3;", {"a": (1, ""), "c": (3, "")}),
    "a comment is none": ("// a = 1;\nb = 2;", {"b": (2, "")}),
}


@pytest.mark.parametrize("name", FOUND)
def test_constants(name):
    text, wanted = FOUND[name]
    found = constants(text)
    assert {each.name: (each.value, each.unit) for each in found.values()} == wanted
    assert list(found) == list(wanted)


WHY = {
    "a": ("b = 1;", "is assigned nowhere"),
    "b": ("a = 1;\nb = a + 1;", "is computed in line 2"),
    "c": ("c = 1;\n\nc = 2;\nc = 3;", "is assigned 3 times, in lines 1, 3 and 4"),
}


@pytest.mark.parametrize("name", WHY)
def test_why_a_name_is_none(name):
    text, why = WHY[name]
    assert no_constant(text, name) == why


def test_nothing_but_the_numbers_changes():
    text = "// idle = 3 minutes\r\nidle=3 ; w =\t-2 * TimeInterval_Minute; // -2\n$TargetDedicatedNodes = idle"
    changed = with_values(text, {"w": 7, "idle": 0.5})
    assert changed == (
        "// idle = 3 minutes\r\nidle=0.5 ; w =\t7 * TimeInterval_Minute; // -2\n$TargetDedicatedNodes = idle"
    )
    assert with_values(text, {}) == text
    with pytest.raises(KeyError):
        with_values(text, {"$TargetDedicatedNodes": 1})


NUMBERS = st.one_of(
    st.integers(-(2**53), 2**53), st.floats(-1e15, 1e15, allow_subnormal=False), st.floats(-1e-3, 1e-3)
)


@given(NUMBERS, NUMBERS)
def test_what_is_written_is_read_again(first, second):
    text = "a = 1; b = 2 * TimeInterval_Second; $TargetDedicatedNodes = a;"
    changed = with_values(text, {"a": first, "b": second})
    found = constants(changed)
    assert (found["a"].value, found["b"].value) == (first, second)
    assert "e" not in number_text(first).lower()
    assert not any(each.is_error for each in check(changed))

"""What may be searched, as it is written, and what is said of anything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.lab.formulas import NamedFormula
from service.lab.tuning.parameters import BadParameter, Parameter, check_parameters, combinations, read_parameter

READ = {
    "idle=2:30": Parameter("idle", 2, 30, whole=True),
    " idle = 2 : 30 ": Parameter("idle", 2, 30, whole=True),
    "$TargetDedicatedNodes=-1:5": Parameter("$TargetDedicatedNodes", -1, 5, whole=True),
    "share=0.0:1": Parameter("share", 0, 1, whole=False),
    "share=0:1.": Parameter("share", 0, 1, whole=False),
    "window=1:120:log": Parameter("window", 1, 120, whole=True, log=True),
    "rate=1e-3:1e1:log": Parameter("rate", 0.001, 10, whole=False, log=True),
}


@pytest.mark.parametrize("given", READ)
def test_a_parameter_is_read(given):
    assert read_parameter(given) == READ[given]


REFUSED = {
    "idle": "names no range",
    "idle=3": "names no range",
    "=1:2": "names no range",
    "3=1:2": "names no range",
    "idle=1:2:3:4": "names no range",
    "idle=a:2": "'a' is no number",
    "idle=1:": "names no range",
    "idle=9:3": "write the smaller one first",
    "idle=3:3": "there is nothing to search",
    "idle=nan:3": "no number that a constant can be",
    "idle=1:inf": "no number that a constant can be",
    "idle=1:1e300": "no number that a constant can be",
    "idle=0:3:log": "begin above 0",
    "idle=1:3:linear": "'linear' is no scale",
}


@pytest.mark.parametrize("given", REFUSED)
def test_what_is_no_parameter(given):
    with pytest.raises(BadParameter) as refused:
        read_parameter(given)
    assert REFUSED[given] in str(refused.value) and given in str(refused.value)


FORMULA = NamedFormula("pool", "idle = 10;\nx = idle * 2;\nn = 1;\nn = 2;\n$TargetDedicatedNodes = min(x, 5);\n")
MISPLACED = {
    ("wait=1:2",): "wait is no constant of pool: it is assigned nowhere; these are: idle (10)",
    ("x=1:2",): "it is computed in line 2",
    ("n=1:2",): "it is assigned 2 times, in lines 3 and 4",
    ("idle=1:2", "idle=3:4"): "idle is given twice",
}


@pytest.mark.parametrize("given", MISPLACED)
def test_what_is_no_constant_of_the_formula(given):
    with pytest.raises(BadParameter) as refused:
        check_parameters(FORMULA, [read_parameter(each) for each in given])
    assert MISPLACED[given] in str(refused.value)


def test_a_formula_without_constants():
    with pytest.raises(BadParameter, match=r"give a number a name, in a line such as `idle = 10;`"):
        check_parameters(NamedFormula("pool", "$TargetDedicatedNodes = 1 + 1;"), [read_parameter("idle=1:2")])


def test_a_formula_that_would_have_an_error():
    long = NamedFormula("pool", "idle = 10;\n$TargetDedicatedNodes = idle; //".ljust(8192, "."))
    with pytest.raises(BadParameter, match=r"with idle = 1000 the formula has an error: pool:.*F100"):
        check_parameters(long, [read_parameter("idle=1:1000")])


def test_combinations():
    assert combinations([read_parameter("a=1:3"), read_parameter("b=-1:0")]) == 6
    assert combinations([read_parameter("a=1:3"), read_parameter("b=0.0:1")]) is None


@given(
    st.floats(-1e6, 1e6).filter(lambda low: abs(low) > 1e-6), st.floats(1e-3, 1e6), st.floats(0, 1), st.booleans()
)
def test_rounding_stays_near_and_within(low, width, share, log):
    if log:
        low = abs(low)
    each = Parameter("a", low, low + width, whole=False, log=log)
    value = min(each.high, low + share * width)
    rounded = each.rounded(value)
    assert each.low <= rounded <= each.high and each.holds(rounded)
    assert abs(rounded - value) <= 1e-3 * (abs(value) if log else width)

"""Generated code can name nothing but what the compiler handed it."""

from __future__ import annotations

from collections.abc import Iterator
from types import CodeType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formula import Samples, check, compile_formula
from formula.checker import check_program
from formula.compiler import Program, compile_program
from formula.parser import parse
from formula.source import Source

from .case_files import diagnostic_cases, series_cases
from .generated_programs import programs


def code_objects(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from code_objects(constant)


TEXTS = [
    *("\n".join(case.formula) for case in series_cases()),
    *(case.text for case in diagnostic_cases() if not any(found.is_error for found in check(case.text))),
    "a=" + "+".join("1" * 300) + ";b=" + "(a+" * 100 + "1" + ")" * 100,
]


def is_closed(program: Program) -> None:
    for code in code_objects(program.code):
        assert code.co_names == ()
    assert program.run.__globals__["__builtins__"] == {}
    # The parts that were outlined are reached through cells, and are closed as well.
    for cell in program.run.__closure__ or ():
        part = cell.cell_contents
        if getattr(part, "__globals__", None) is program.run.__globals__:
            assert part.__code__.co_names == ()


@pytest.mark.parametrize("text", TEXTS)
def test_the_function_has_no_globals_and_touches_no_attribute(text: str) -> None:
    is_closed(compile_formula(text)._program)


@settings(max_examples=40)
@given(programs(), st.booleans())
def test_so_has_the_function_of_any_program(text: str, observed: bool) -> None:
    is_closed(compile_program(check_program(parse(Source(text))), observed))


@pytest.mark.parametrize(
    "name",
    ["__import__", "__builtins__", "open", "eval", "h_max_of", "now", "period", "draw", "v0", "s0", "make"],
)
def test_a_formula_cannot_reach_a_name_of_python_or_of_the_compiler(name: str) -> None:
    assert [found.code for found in check(f"a = {name}; b = a;")] == ["F201"]
    assert "F202" in [found.code for found in check(f"a = {name}(1);")]
    evaluation = compile_formula(f"{name} = 5; a = max({name}, 1) + 1;").evaluate(Samples(), 0.0)
    assert evaluation.variables == {name: 5.0, "a": 6.0}


@pytest.mark.parametrize("member", ["__class__", "__globals__", "real", "values", "append"])
def test_a_formula_cannot_reach_an_attribute(member: str) -> None:
    for value in ("1", "time()", '"x"', "vec(1)", "$PendingTasks"):
        errors = [found for found in check(f"a = {value}.{member};") if found.is_error]
        assert [found.code for found in errors] in (["F204"], ["F311"])
        errors = [found for found in check(f"a = {value}.{member}();") if found.is_error]
        assert [found.code for found in errors] in (["F203"], ["F308"])


def test_the_text_of_a_formula_is_not_in_the_source() -> None:
    program = compile_formula('marker = "marker"; $TargetDedicatedNodes = marker == "x";')._program
    assert "marker" not in program.source

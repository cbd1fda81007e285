"""The examples of docs/formula-testing.md do what stands beside them."""

import re
from pathlib import Path

import pytest

from formula.cases import failure_text, read_case_file, read_cases, run_case

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "formula-testing.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```formula-test\n(.*?)^```$", TEXT, flags=re.DOTALL | re.MULTILINE)
FAILING = re.findall(
    r"^```formula-test failing\n(.*?)^```$\n+^```text\n(.*?)^```$", TEXT, flags=re.DOTALL | re.MULTILINE
)


def test_there_are_examples():
    assert len(BLOCKS) >= 4
    assert len(FAILING) == 1


@pytest.mark.parametrize("text", BLOCKS)
def test_examples_pass(text, tmp_path):
    for case in read_cases("example.formula-test", text, tmp_path).cases:
        assert run_case(case).passed, failure_text(run_case(case))


@pytest.mark.parametrize(("text", "shown"), FAILING)
def test_the_failing_example_fails_as_it_says(text, shown, tmp_path):
    (case,) = read_cases("tail.formula-test", text, tmp_path).cases
    assert failure_text(run_case(case)) == shown.strip()


def test_every_word_and_expectation_is_told():
    reference = TEXT.split("## Reference")[1].split("##")[0]
    for word in ("formula", "now", "period", "pool", "given", "samples", "seed", "case", "at", "expect"):
        assert re.search(rf"^\| `{word}\b", reference, flags=re.MULTILINE), word
    expectations = TEXT.split("## Expectations")[1].split("##")[0]
    for word in ("results", "error", "warning", "no warnings", "diagnostic", "no diagnostic", "no diagnostics"):
        assert f"`expect {word}" in expectations, word


def test_the_python_example_runs(tmp_path, monkeypatch, capsys):
    (code,) = re.findall(r"^```python\n(.*?)^```$", TEXT, flags=re.DOTALL | re.MULTILINE)
    (tmp_path / "pool.formula-test").write_text(BLOCKS[0], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "formula-testing.md", "exec"), {})
    assert capsys.readouterr().out.splitlines() == [
        f"{case.name} passed" for case in read_case_file(Path("pool.formula-test")).cases
    ]

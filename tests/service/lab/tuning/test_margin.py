"""What tuning is worth on a scenario that ships, as docs/tune.md states it."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from service.cli import main
from service.lab.scenario_file import load_scenario
from service.lab.tuning.measuring import measured
from service.lab.tuning.parts import parts_of

ROOT = Path(__file__).resolve().parents[4]
SCENARIO = ROOT / "examples/scenarios/nightly.yaml"
FORMULAS = ROOT / "examples/formulas"


@pytest.mark.slow
def test_the_documented_sample_is_beaten_by_the_documented_margin():
    text = (ROOT / "docs/tune.md").read_text(encoding="utf-8")
    margin = re.search(r"at\s+least\s+(\d+)\s+%\s+cheaper", text)
    (command,) = re.findall(r"^\$ ebbtide (tune examples/scenarios/nightly\.yaml .*)$", text, flags=re.M)
    assert margin is not None
    words = [str(ROOT / word) if word.startswith("examples/") else word for word in command.split()]
    told = CliRunner().invoke(main, [*words, "--json"])
    assert told.exit_code == 0, told.output
    found = json.loads(told.stdout)
    trials = {each["number"]: each for each in found["trials"]}
    for tasks in ("searched", "checked"):
        sample, tuned = trials[0][tasks], trials[found["best"]][tasks]
        assert tuned["cost"] <= (1 - int(margin[1]) / 100) * sample["cost"]
        assert tuned["wait"]["p95"] <= sample["wait"]["p95"] and not tuned["unfinished"]
    # that formula, as it is, is the documented sample with names
    loaded = load_scenario(SCENARIO)
    sample = (FORMULAS / "pending-tasks.formula").read_text(encoding="utf-8")
    same = measured(loaded.spec.world, parts_of(loaded, 0.25).search, sample, lambda: False)
    assert same is not None and same.cost == trials[0]["searched"]["cost"]
    assert same.wait.p95 == trials[0]["searched"]["wait"]["p95"]

"""docs/scenarios.md has every property of a scenario, and no other; what it shows can be used."""

import re
from pathlib import Path

import pytest
from msgspec import inspect

from service.lab.distributions import Distribution
from service.lab.scenario import Bursts, Formula, Generate, Recurring, Scenario, Trace, Waves, Workload, World
from service.lab.scenario_file import load_scenario

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")


def section(name: str) -> str:
    found = re.search(rf"^##+ {name}\n(.*?)(?=^##|\Z)", TEXT, flags=re.MULTILINE | re.DOTALL)
    assert found is not None, f"there is no section {name}"
    return found[1]


@pytest.mark.parametrize(
    "kind", [Scenario, Formula, Workload, Trace, Recurring, Generate, Waves, Bursts, Distribution, World],
    ids=lambda kind: kind.__name__,
)  # fmt: skip
def test_every_property_has_its_line(kind):
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    table = section(kind.__name__).partition("| property | what it is |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)`", table, flags=re.MULTILINE) == [field.encode_name for field in info.fields]


def test_what_is_shown_can_be_used(tmp_path):
    (shown,) = re.findall(r"```yaml\n(.*?)```", TEXT, flags=re.DOTALL)
    (tmp_path / "s.yaml").write_text(shown)
    assert len(load_scenario(tmp_path / "s.yaml").formulas) == 1

"""Scenario files: what may stand in one, and that all that is wrong is told at once, with its place."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.lab.distributions import Distribution, Lognormal, Pareto, Uniform
from service.lab.formulas import NamedFormula, read_formula, with_own_names
from service.lab.scenario import Bursts, Generate, NodeCounts, NodeLimits, NodePrices, Recurring, Trace, Waves
from service.lab.scenario_file import load_scenario
from service.problems import InputError

LEAST = "workload: {recurring: {every: PT1H, tasks: 2, duration: 60, for: P1D}}\n"
FORMULA = "$TargetDedicatedNodes = 1;"


def load(folder: Path, text: str):
    path = folder / "s.yaml"
    path.write_text(text, encoding="utf-8")
    return load_scenario(path)


def faults(folder: Path, text: str) -> list[str]:
    """As people see them, without the name of the folder."""
    with pytest.raises(InputError) as refused:
        load(folder, text)
    return str(refused.value).replace(f"{folder}/", "").splitlines()


def test_the_least_that_a_scenario_says(tmp_path):
    loaded = load(tmp_path, LEAST)
    assert (loaded.name, loaded.base, loaded.formulas, loaded.warnings) == ("s", tmp_path, (), ())
    assert loaded.spec.workload.recurring == Recurring(
        every=timedelta(hours=1), tasks=2, duration=Distribution(constant=60.0), length=timedelta(days=1)
    )
    world = loaded.spec.world
    assert world.boot == Distribution(constant=120.0)
    assert (world.sample_delay, world.sample_loss) == (timedelta(minutes=1), 0.0)
    assert world.evaluation_interval == timedelta(minutes=5)
    assert world.initial_targets == NodeCounts(dedicated=0, low_priority=0)
    assert loaded.spec.seed == 1
    assert loaded.spec.start is None


def test_the_most_that_a_scenario_says(tmp_path):
    (tmp_path / "pool.formula").write_text(FORMULA)
    loaded = load(
        tmp_path,
        """
name: all of it
description: what there is
start: 2026-03-02T01:00:00+01:00
seed: "7"
formulas: [pool.formula, $TargetDedicatedNodes = 2;, pool.formula]
workload:
  generate:
    rate: 12.5
    waves: {daily: 1, peakHour: 9.5, weekly: 0.5}
    bursts: {perDay: 2, tasks: 100}
    duration: {pareto: {minimum: PT1M30S, alpha: 0.9}, atLeast: 1, atMost: PT2H}
    slots: {empirical: [1, 1, 4]}
    for: P7D
world:
  boot: {lognormal: {mean: PT2M, sigma: 0.25}}
  taskSlotsPerNode: 4
  pricePerHour: {dedicated: 0.4, lowPriority: 0.1}
  minimumBilling: PT1H
  preemptionsPerHour: 0.5
  quota: {dedicated: 10}
  sampleDelay: PT90S
  sampleLoss: 0.05
  evaluationInterval: PT15M
  initialTargets: {dedicated: 10, lowPriority: 3}
""",
    )
    spec = loaded.spec
    assert (loaded.name, spec.seed) == ("all of it", 7)
    assert spec.start == datetime(2026, 3, 2, tzinfo=UTC)
    assert [(each.name, each.text) for each in loaded.formulas] == [
        ("pool", FORMULA), ("formula 2", "$TargetDedicatedNodes = 2;"), ("pool (2)", FORMULA),
    ]  # fmt: skip
    assert spec.workload.generate == Generate(
        rate=12.5,
        waves=Waves(daily=1.0, peak_hour=9.5, weekly=0.5),
        bursts=Bursts(per_day=2.0, tasks=100),
        duration=Distribution(pareto=Pareto(minimum=90.0, alpha=0.9), at_least=1.0, at_most=7200.0),
        slots=Distribution(empirical=(1.0, 1.0, 4.0)),
        length=timedelta(days=7),
    )
    assert spec.world.boot == Distribution(lognormal=Lognormal(mean=120.0, sigma=0.25))
    assert spec.world.price_per_hour == NodePrices(dedicated=0.4, low_priority=0.1)
    assert spec.world.quota == NodeLimits(dedicated=10)
    assert spec.world.initial_targets == NodeCounts(dedicated=10, low_priority=3)


def test_formulas_may_have_names(tmp_path):
    (tmp_path / "pool.formula").write_text(FORMULA)
    text = '''formulas:
  - {name: " mine ", formula: pool.formula}
  - {formula: pool.formula}
  - {name: pool, formula: $TargetDedicatedNodes = 2;}
  - formula: $TargetDedicatedNodes = 3;
'''
    assert [each.name for each in load(tmp_path, LEAST + text).formulas] == ["mine", "pool", "pool (2)", "formula 4"]


def test_a_trace(tmp_path):
    text = (
        "workload: {trace: {file: a.log, format: SWF, unit: processor, mostPerJob: 8, from: P30D, for: P7D, speed: 2}}"
    )
    assert load(tmp_path, text).spec.workload.trace == Trace(
        file="a.log",
        format="swf",
        unit="processor",
        most_per_job=8,
        after=timedelta(days=30),
        length=timedelta(days=7),
        speed=2.0,
    )


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("300", "{constant: 300}"),
        ("PT5M", "{constant: 300}"),
        ("{constant: PT5M}", "{constant: 300}"),
        ("{uniform: {low: PT1M, high: 90}}", "{uniform: {low: 60, high: PT1M30S}}"),
        ("{exponential: {mean: PT0.5S}}", "{exponential: {mean: 0.5}}"),
        ("{empirical: [PT1M, 2], atMost: PT1H}", "{empirical: [60, 2], atMost: 3600}"),
    ],
)
def test_amounts_may_be_written_as_durations(tmp_path, short, long):
    one, other = (load(tmp_path, f"{LEAST}world: {{boot: {text}}}").spec.world.boot for text in (short, long))
    assert one == other != Distribution(constant=120.0)


def generate(more: str) -> str:
    return f"workload: {{generate: {{rate: 1, duration: 60, for: P1D, {more}}}}}\n"


def boot(distribution: str) -> str:
    return f"{LEAST}world: {{boot: {distribution}}}\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: x\n", "s.yaml:1:1: workload is missing; it must be a group of properties"),
        ("workload: {}\n", "s.yaml:1:11: workload: is empty; it must be one of generate, recurring, trace"),
        (generate("rte: 2"), "unknown property; did you mean rate?"),
        ("workload: {generate: {duration: 1, for: P1D}}", "no task would ever arrive; give a rate"),
        ("workload: {generate: {rate: 1, for: P1D}}", "duration is missing"),
        ("workload: {generate: {rate: 1, duration: 1}}", "for is missing; it must be an ISO 8601 duration"),
        ("workload: {generate: {rate: 1e300, duration: 1, for: P1D}}", "tasks; a workload has at most 10000000"),
        ("workload: {generate: {rate: 1e999, duration: 1, for: P1D}}", "must be a number that can be counted with"),
        (generate("bursts: {perDay: 100, tasks: 1000000}"), "workload.generate.bursts: would be about 1e+08 tasks"),
        (generate("waves: {daily: 1.1}"), "workload.generate.waves.daily: must be from 0 to 1, not 1.1"),
        (generate("waves: {peakHour: 25}"), "must be an hour from 0 to 24, not 25"),
        (generate("slots: 2"), "workload.generate.slots.constant: must be within the world's taskSlotsPerNode, 1"),
        (generate("slots: {empirical: [1, 3]}"), "slots.empirical[1]: must be within the world's taskSlotsPerNode, 1"),
        (generate("slots: {uniform: {low: 1, high: 2}}"), "slots.uniform.high: must be within the world's"),
        (LEAST.replace("every", "cron"), "must be five cron fields"),
        (LEAST.replace("every: PT1H", "cron: 0 30 2 31 *"), "must be five cron fields that meet some day"),
        (LEAST.replace("every", "cron: 0 0 * * *, every"), "recurs by every and by cron"),
        (LEAST.replace("every: PT1H", "timeZone: UTC"), "when it recurs is missing; give one of every and cron"),
        (LEAST.replace("PT1H", "PT1H, timeZone: UTC"), "timeZone: counts for nothing without cron"),
        (LEAST.replace("every: PT1H", "cron: 0 0 * * *, timeZone: Mars"), "must be a time zone of the IANA"),
        (LEAST.replace("PT1H", "PT0S"), "workload.recurring.every: must be above PT0S"),
        (LEAST.replace("PT1H", "PT0.001S"), "would be about 1.73e+08 tasks"),
        (LEAST.replace("P1D", "P99999D"), "must be above PT0S, and at most P36525D"),
        ("workload: {trace: {file: ''}}", "workload.trace.file: must be the name of a file"),
        ("workload: {trace: {file: a.csv, speed: 0}}", "must be from 0.000001 to 1000000, not 0"),
        ("workload: {trace: {file: a.swf, mostPerJob: 2}}", "counts for nothing unless unit is processor"),
        ("workload: {trace: {file: a.swf, format: json}}", "must be csv or swf, not 'json'"),
        (boot("{}"), "world.boot: says nothing; give one of constant, uniform, exponential"),
        (boot("{constant: 1, empirical: [2]}"), "says constant and empirical; give one of"),
        (boot("{constant: -1}"), "world.boot.constant: must be at least 0, not -1"),
        (boot("{constant: P90000D}"), "must be at most 1e+09, about 31 years"),
        (boot("PT5"), "world.boot: is no ISO 8601 duration: 'PT5'"),
        (boot("{lognormal: {mean: PT5M, sigma: PT1S}}"), "world.boot.lognormal.sigma: must be a number, not 'PT1S'"),
        (boot("soon"), "world.boot.constant: must be a number, not 'soon'"),
        (boot("[1, 2]"), "world.boot: must be a group of properties"),
        (boot("{uniform: {low: 2, high: 1}}"), "low is 2, above high, 1; exchange them"),
        (boot("{exponential: {mean: 0}}"), "must be above 0, not 0"),
        (boot("{lognormal: {mean: 1, sigma: 11}}"), "must be from 0 to 10, not 11"),
        (boot("{pareto: {minimum: 1, alpha: 1}}"), "has no mean unless it is above 1; add atMost"),
        (boot("{weibull: {scale: 1, shape: 0.01}}"), "world.boot.weibull.shape: must be at least 0.1, not 0.01"),
        (boot("{empirical: []}"), "world.boot.empirical: must hold at least one value"),
        (boot("{empirical: [1, -2]}"), "world.boot.empirical[1]: must be at least 0, not -2"),
        (boot("{constant: 1, atLeast: 3, atMost: 2}"), "world.boot.atMost: is below atLeast, 3"),
        (LEAST + "world: {sampleLoss: 2}", "must be a share from 0 to 1, not 2"),
        (LEAST + "world: {taskSlotsPerNode: 257}", "must be at most 256, not 257"),
        (LEAST + "world: {taskSlotsPerNode: 0}", "must be at least 1, not 0"),
        (LEAST + "world: {evaluationInterval: PT0.5S}", "must be from PT1S to P7D"),
        (LEAST + "world: {preemptionsPerHour: 1e9}", "must be at most 1000, not 1e+09"),
        (LEAST + "world: {pricePerHour: {dedicated: 1e300}}", "must be at most 1000000, not 1e+300"),
        (LEAST + "world: {quota: {dedicated: 1}, initialTargets: {dedicated: 2}}", "must be within the quota, 1"),
        (LEAST + "world: {initialTargets: {lowPriority: 50001}}", "must be at most 50,000"),
        (LEAST + "world: {quota: {dedicated: 500000}, initialTargets: {dedicated: 50001}}", "must be at most 50,000"),
        (LEAST + "start: 1969-12-31T00:00:00Z", "s.yaml:2:8: start: must be in the years 1970 to 2199"),
        (LEAST + "start: 0001-01-01T00:00:00+14:00", "lies outside the years 1 to 9999 of UTC"),
        (LEAST + "seed: -1", "must be at least 0, not -1"),
        (LEAST + "formulas: [none.formula]", "formulas[0]: none.formula: cannot be read: No such file or directory"),
        (LEAST + "formulas: ['$TargetDedicatedNodes = $Nothing;']", "s.yaml:2:37: formulas[0]: F201: $Nothing"),
        (LEAST + "formulas:\n- {formula: $Me = $Nothing;}", "s.yaml:3:19: formulas[0].formula: F201: $Nothing"),
        (LEAST + "formulas: [{name: mine}]", "formulas[0]: formula is missing"),
        (LEAST + "formulas: [{formula: [a]}]", "formulas[0].formula: must be text, not a list"),
        (LEAST + "formulas: [{name: [a], formula: x = 1;}]", "formulas[0].name: must be text, not a list"),
        (LEAST + "formulas: [{name: '', formula: x = 1;}]", "formulas[0].name: must be one line of at most 60"),
        (LEAST + 'formulas: [{name: "a\\nb", formula: x = 1;}]', "formulas[0].name: must be one line of at most 60"),
        (LEAST + "formulas: x = 1;", "formulas: must be a list"),
    ],
)
def test_what_is_no_scenario(tmp_path, text, told):
    assert any(told in fault for fault in faults(tmp_path, text)), faults(tmp_path, text)


def test_everything_is_told_at_once_in_the_order_of_the_text(tmp_path):
    text = "seed: -1\nworkload:\n  generate: {rate: x, duration: -2, for: P1D}\nworld: {sampleLoss: 3}\nformulas: [no]"
    assert [fault.split(": ")[0] for fault in faults(tmp_path, text)] == [
        "s.yaml:1:7", "s.yaml:3:20", "s.yaml:3:33", "s.yaml:4:21", "s.yaml:5:12",
    ]  # fmt: skip


def test_a_name_that_looks_like_a_number_is_a_name(tmp_path):
    assert load(tmp_path, f"name: 1e999\n{LEAST}").name == "1e999"


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.formula", "$TargetDedicatedNodes = ;", "a.formula:1:23: F117"),
        ("a.formula", "", "no formula found"),
        ("a.json", '{"autoScaleFormula": "$TargetDedicatedNodes = $Nope;"}', "a.json:1:47: autoScaleFormula: F201"),
        ("a.json", '[{"autoScaleFormula": "a=1;"}, {"autoScaleFormula": "a=2;"}]', "holds 2 formulas"),
        ("a.json", '{"id": 3}', "no formula"),
        ("a.tf", 'p {\n  auto_scale { formula = "$TargetDedicatedNodes = ${var.most};" }\n}', "placeholders of a"),
    ],
)
def test_a_file_without_a_formula_that_can_be_run(tmp_path, name, text, told):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError) as refused:
        read_formula(tmp_path / name)
    assert told in str(refused.value), refused.value


def test_a_formula_in_another_document(tmp_path):
    (tmp_path / "pool.json").write_text(f'{{"id": "p", "autoScaleFormula": "{FORMULA}"}}')
    assert read_formula(tmp_path / "pool.json") == NamedFormula("pool", FORMULA)


def test_names_of_formulas_are_their_own():
    given = [NamedFormula(name, "x") for name in ("a", "a (2)", "a", "b", "a")]
    assert [formula.name for formula in with_own_names(given)] == ["a", "a (2)", "a (3)", "b", "a (4)"]


def test_the_largest_values_of_a_distribution(tmp_path):
    world = load(tmp_path, boot("{uniform: {low: 0, high: 1000000000}}")).spec.world
    assert world.boot == Distribution(uniform=Uniform(low=0.0, high=1e9))

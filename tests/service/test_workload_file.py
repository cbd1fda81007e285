"""Files that can be used, and what comes out of them."""

import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.problems import InputError
from service.settings import Settings
from service.settings_file import load_settings
from service.workload_file import load_workload

from .offers import offers

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "recurrent"
OFFERS = offers(("local.small",))


def load(tmp_path, text, name="w.yaml"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return load_workload(path, Settings(), OFFERS)


def test_the_example():
    loaded = load_workload(EXAMPLE / "workload.yaml", load_settings(EXAMPLE / "settings.yaml", {}), OFFERS)
    assert [application.version for application in loaded.spec.applications] == ["1.0", "1.0"]
    start_task = loaded.spec.pools[0].start_task
    assert start_task is not None
    assert start_task.wait_for_success
    assert loaded.spec.job_schedules[0].schedule.recurrence_interval == timedelta(seconds=20)
    assert loaded.base == EXAMPLE
    assert loaded.warnings == ()


def test_the_example_needs_its_settings():
    with pytest.raises(InputError, match="minimumAutoScaleEvaluationInterval"):
        load_workload(EXAMPLE / "workload.yaml", Settings(), OFFERS)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{\n\t"id": "a", "vmSize": "local.small", "targetDedicatedNodes": "3", "maxTasksPerNode": "2",\n'
         '\t"resizeTimeout": "PT05M00S", "startTask": null, "certificateReferences": [],\n'
         '\t"metadata": [{"name": "n", "value": "\\ud83d\\ude00"}]}', "pools"),
        ('{"id": "j", "displayName": null, "vmSize": "local.small"}', "pools"),
        ('{"id": "s", "schedule": {"recurrenceInterval": "P1D"}, "jobSpecification": {"poolInfo": {"poolId":'
         ' "p"}, "jobManagerTask": {"id": "t", "commandLine": "x"}}}', "there is no pool 'p'"),
        ('{"id": "j", "poolInfo": {"poolId": "p"}, "onAllTasksComplete": "terminateJob"}', "there is no pool 'p'"),
    ],
)  # fmt: skip
def test_what_the_azure_cli_takes(tmp_path, text, kind):
    if kind == "pools":
        (pool,) = load(tmp_path, text).spec.pools
        assert pool.vm_size == "local.small"
        if pool.metadata:
            assert pool.metadata[0].value == "\N{GRINNING FACE}"
            assert (pool.target_dedicated_nodes, pool.task_slots_per_node) == (3, 2)
            assert pool.resize_timeout == timedelta(minutes=5)
    else:
        with pytest.raises(InputError) as caught:
            load(tmp_path, text)
        assert kind in str(caught.value)
        assert len(caught.value.problems) == 1
        assert "[0]" not in caught.value.problems[0].path


def test_text_is_taken_as_it_is_written(tmp_path):
    text = """
pools: [{id: "007", vmSize: local.small}]
jobs:
- id: no
  poolInfo: {poolId: 007}
  tasks:
  - id: 1_0
    commandLine: 1.50
    environmentSettings:
    - {name: A, value: yes}
    - {name: B, value: 012}
    - {name: C, value: 'null'}
    - {name: D, value: null}
"""
    spec = load(tmp_path, text).spec
    task = spec.jobs[0].tasks[0]
    assert (spec.jobs[0].id, task.id, task.command_line) == ("no", "1_0", "1.50")
    assert [setting.value for setting in task.environment_settings] == ["yes", "012", "null", ""]


def test_any_case_and_any_type(tmp_path):
    text = """
defaults: &d {vmSize: local.small}
"""
    with pytest.raises(InputError, match="defaults: unknown property"):
        load(tmp_path, text)
    text = """
pools:
- &first {id: a, vmSize: local.small, taskSlotsPerNode: "4", taskSchedulingPolicy: {nodeFillType: Pack}}
- {<<: *first, id: b}
jobs:
- id: j
  poolInfo: {poolId: b}
  onAllTasksComplete: TerminateJob
  priority: "-5"
  constraints: {maxTaskRetryCount: "3", maxWallClockTime: P1W}
  tasks: [{id: t, commandLine: x, requiredSlots: 4, dependsOn: {}, userIdentity: {autoUser: {scope: Pool}}}]
jobSchedules:
- id: s
  schedule: {doNotRunUntil: "2026-01-31T13:00:00+01:00", doNotRunAfter: 2027-01-01T00:00:00Z}
  jobSpecification: {poolInfo: {poolId: a}, jobManagerTask: {id: m, commandLine: x, runExclusive: "FALSE"}}
"""
    spec = load(tmp_path, text).spec
    assert [(pool.id, pool.task_slots_per_node) for pool in spec.pools] == [("a", 4), ("b", 4)]
    assert spec.pools[1].task_scheduling_policy.node_fill_type == "pack"
    job = spec.jobs[0]
    assert (job.on_all_tasks_complete, job.priority) == ("terminatejob", -5)
    assert (job.constraints.max_task_retry_count, job.constraints.max_wall_clock_time) == (3, timedelta(weeks=1))
    assert spec.job_schedules[0].schedule.do_not_run_until == datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert spec.job_schedules[0].job_specification.job_manager_task.run_exclusive is False


def test_warnings(tmp_path):
    text = """
pools: [{id: a, vmSize: local.small}]
jobs:
- id: j
  poolInfo: {poolId: a}
  tasks:
  - {id: t, commandLine: echo $HOME, userIdentity: {autoUser: {scope: task, elevationLevel: admin}}}
"""
    (shell,) = load(tmp_path, text).warnings
    assert shell.startswith(f"{tmp_path}/w.yaml:7:26: warning: jobs[0].tasks[0].commandLine: '$HOME' is passed on")


def test_packages_may_be_folders_and_zips(tmp_path):
    (tmp_path / "folder").mkdir()
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("x.sh", "echo x")
    data = bytearray((tmp_path / "a.zip").read_bytes())
    data[data.index(b"echo x")] ^= 1
    (tmp_path / "damaged.zip").write_bytes(data)
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "l").symlink_to("/etc/passwd")
    line = "applications: [{id: a, source: %s}]"
    for good in ("folder", "a.zip"):
        assert load(tmp_path, line % good).spec.applications[0].source == good
    for bad, why in (("damaged.zip", "is damaged at 'x.sh'"), ("linked", "l is a symbolic link"), ("b", "no file")):
        with pytest.raises(InputError, match=why):
            load(tmp_path, line % bad)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_with_any_damage_is_named(tmp_path, method):
    with zipfile.ZipFile(tmp_path / "whole.zip", "w", method) as archive:
        archive.writestr("\N{BROOM}.sh", bytes(range(256)) * 8)
    whole = (tmp_path / "whole.zip").read_bytes()
    line = "applications: [{id: a, source: %s}]"
    for place in range(0, len(whole), 3):
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        (tmp_path / "damaged.zip").write_bytes(damaged)
        try:
            load(tmp_path, line % "damaged.zip")
        except InputError as error:
            assert "damaged.zip" in str(error), place
        else:  # no content was hit: a date, an attribute, ...
            assert zipfile.ZipFile(tmp_path / "damaged.zip").testzip() is None


def test_what_no_node_would_unpack_is_refused_with_the_file(tmp_path):
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("../x.sh", "echo x")
    with pytest.raises(InputError, match=r"w\.yaml:1:.*evil\.zip: '\.\./x\.sh' would be unpacked outside"):
        load(tmp_path, "applications: [{id: a, source: evil.zip}]")


def test_a_job_schedule_that_cannot_go_on(tmp_path):
    text = """
pools: [{id: a, vmSize: local.small}]
jobSchedules:
- id: s
  schedule: {recurrenceInterval: PT5M}
  jobSpecification:
    poolInfo: {poolId: a}
    onAllTasksComplete: %s
    jobManagerTask: {id: m, commandLine: x, killJobOnCompletion: false}
"""
    assert load(tmp_path, text % "terminatejob").spec.job_schedules
    with pytest.raises(InputError, match="its jobs would never end"):
        load(tmp_path, text % "noaction")


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("|\n      a = 1;\n      b = c;", "6:11: pools[0].autoScaleFormula: F201"),
        ("|-\n\n      b = c;", "6:11: pools[0].autoScaleFormula: F201"),
        ("b = c;", "4:27: pools[0].autoScaleFormula: F201"),
        ("'b = c;'", "4:28: pools[0].autoScaleFormula: F201"),
        ('"a = 1;\\nb = c;"', "4:23: pools[0].autoScaleFormula: line 2, column 5 of the formula: F201"),
        (">\n      a = 1;\n      b = c;", "4:23: pools[0].autoScaleFormula: line 1, column 12 of the formula: F201"),
    ],
)
def test_faults_of_formulas_have_their_place_in_the_file(tmp_path, written, place):
    text = f"pools:\n  - id: a\n    vmSize: local.small\n    autoScaleFormula: {written}\n    enableAutoScale: true\n"
    with pytest.raises(InputError) as caught:
        load(tmp_path, text)
    assert [str(caught.value).splitlines()[0]] == [f"{tmp_path}/w.yaml:{place}: c is not defined"]


@pytest.mark.parametrize("value", ["\\\U0001f600", "\\\\\U0001f600", "\\ud83d\\ude00", "\U0001f600\\"])
def test_json_as_programs_write_it(tmp_path, value):
    """Characters as two surrogates, behind backslashes that stand for themselves."""
    pool = {"id": "p", "vmSize": "local.small", "displayName": value}
    assert load(tmp_path, json.dumps({"pools": [pool]})).spec.pools[0].display_name == value

"""`ebbtide provider list` and `ebbtide provider check`: what is configured, and whether it works."""

import json
import subprocess
import sys

import pytest

from providers import Capabilities, Finding, ProviderError, Severity, Size
from service.boot_times import boot_times
from service.cli.provider import _show
from service.provider_report import HEADINGS, provider_rows

from .offers import cloud
from .stage import COMMAND, PATIENCE

BROKEN = "providers: {broken: {driver: local, baseDir: '${EBBTIDE_TEST_ABSENT}'}}\n"


def ebbtide(*words, cwd):
    return subprocess.run(
        [*COMMAND, *words], capture_output=True, text=True, check=False, timeout=PATIENCE, cwd=cwd,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path)},
    )  # fmt: skip


def test_everything_that_is_configured_is_listed(tmp_path):
    run = ebbtide("provider", "list", "--json", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    (local,) = json.loads(run.stdout)
    assert (local["name"], local["driver"], local["default"], local["answers"]) == ("local", "local", True, True)
    assert local["capabilities"]["lowPriority"] is True
    assert list(tmp_path.iterdir()) == []  # it needs no state, and makes none


def test_one_that_cannot_be_used_is_told(tmp_path):
    (tmp_path / "s.yaml").write_text(BROKEN)
    run = ebbtide("provider", "list", "--config", "s.yaml", cwd=tmp_path)
    assert run.returncode == 1
    assert [line.split()[:3] for line in run.stdout.splitlines()[1:]] == [
        ["local", "(default)", "local"], ["broken", "local", "-"]
    ]  # fmt: skip
    assert "ebbtide: broken cannot be used: provider broken: baseDir is ${EBBTIDE_TEST_ABSENT}" in run.stderr


FAULTY = """\
providers:
  az: {driver: azure, subscriptionId: 1}
  os:
    driver: openstack
    zones: [nova]
  g: {driver: gce, zones: [europe-west1-b], imgae: debian-12}
  zzz: {}
  gone: {driver: ec2, region: us-east-1, endpoint: "http://127.0.0.1:9", accessKeyId: k, secretAccessKey: s}
"""


def test_a_fault_of_the_settings_is_no_outage(tmp_path):
    (tmp_path / "s.yaml").write_text(FAULTY)
    run = ebbtide("provider", "list", "--config", "s.yaml", cwd=tmp_path)
    told = run.stderr.splitlines()
    assert run.returncode == 1 and len(told) == 5, run.stderr
    assert told[0] == (
        "ebbtide: az cannot be used: s.yaml:2:23: provider az: setting subscriptionId is 1; it must be a text"
    )
    assert told[1].startswith("ebbtide: os cannot be used: provider os: set endpoint to Keystone's URL")
    unknown = "provider g: unknown setting imgae; did you mean image?"
    assert told[2] == f"ebbtide: g cannot be used: s.yaml:6:45: {unknown}"
    assert told[3].startswith("ebbtide: zzz cannot be used: s.yaml:7:3: provider zzz: unknown driver 'zzz'; it can be")
    assert told[4].startswith("ebbtide: gone does not answer: provider gone: Could not connect")
    rows = {line.split()[0]: line for line in run.stdout.splitlines()}
    assert "nova" in rows["os"] and "europe-west1-b" in rows["g"]
    assert rows["g"].endswith("cannot be used") and rows["gone"].endswith("no")
    check = ebbtide("provider", "check", "g", "--config", "s.yaml", cwd=tmp_path)
    assert (check.returncode, check.stderr) == (2, f"ebbtide: error: s.yaml:6:45: {unknown}\n")


@pytest.mark.parametrize(
    ("name", "code", "told"),
    [("local", 0, ""), ("lokal", 2, "did you mean local?"), ("broken", 2, "EBBTIDE_TEST_ABSENT is not set")],
)
def test_check(tmp_path, name, code, told):
    (tmp_path / "s.yaml").write_text(BROKEN)
    run = ebbtide("provider", "check", name, "--config", "s.yaml", cwd=tmp_path)
    assert (run.returncode, told in run.stderr) == (code, True), run.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["s.yaml"]


def test_check_as_json(tmp_path):
    run = ebbtide("provider", "check", "local", "--json", cwd=tmp_path)
    told = json.loads(run.stdout)
    assert (told["provider"], told["driver"]) == ("local", "local")
    assert all(set(finding) == {"topic", "severity", "text", "cure"} for finding in told["findings"])


# -- one row, without a cloud ----------------------------------------------------------------------------------


class Cloud:
    """Answers, or not."""

    name = "aws"

    def __init__(self, error=None):
        self.error = error

    def capabilities(self):
        return Capabilities(low_priority=True, preempt=False, user_data=True, host_keys=True, subnets=True)

    def profile(self):
        return cloud(zones=("a", "b"), default_size="t3.small").profile

    def list_owned(self):
        if self.error is not None:
            raise self.error
        return [object()]

    def sizes(self):
        return [Size("t3.micro", 2, 1024, 0.01), Size("t3.small", 2, 2048, 0.0208, 0.0063)]


class Boot:
    def __init__(self, size, usable):
        self.provider, self.size, self.running, self.answered, self.usable = "aws", size, 1.0, 2.0, usable


def rows(opened, boots=()):
    options = {"aws": {"driver": "ec2", "region": "us-east-1"}}
    return provider_rows(options, {"aws": opened}, "aws", boot_times(boots))


def test_a_row_tells_prices_and_boot_times():
    (row,) = rows(Cloud(), [Boot("t3.small", 20), Boot("t3.small", 30), Boot("t3.small", 90)])
    assert dict(zip(HEADINGS, row.cells(), strict=True)) == {
        "provider": "aws (default)",
        "driver": "ec2",
        "where": "a, b",
        "can do": "low-priority, user data, subnets",
        "price per hour": "t3.small: 0.0208, low-priority 0.006300",
        "usable after": "t3.small 30.0 s",
        "answers": "yes, 1 VM",
    }
    told = row.to_json()
    assert told["bootTimes"] == [{"size": "t3.small", "nodes": 3, "running": 1.0, "answered": 2.0, "usable": 30}]
    assert (told["pricePerHour"], told["vms"], told["error"]) == (0.0208, 1, None)


def test_a_row_of_one_that_does_not_answer():
    (row,) = rows(Cloud(ProviderError("no way there")))
    assert row.to_json()["answers"] is False
    assert row.to_json()["error"] == "no way there"
    assert row.cells()[-1] == "no"


def test_findings_are_told_with_their_cure(capsys):
    _show(Finding("image", Severity.ERROR, "there is no image x", "set image"))
    _show(Finding("quota", Severity.OK, "room for 32 VMs"))
    assert capsys.readouterr().out.splitlines() == [
        "error    image        there is no image x",
        f"{'':21} -> set image",
        "ok       quota        room for 32 VMs",
    ]


def test_a_list_needs_no_records(tmp_path):
    state = tmp_path / ".ebbtide"
    state.mkdir()
    (state / "ebbtide.db").write_text("not a database")
    run = ebbtide("provider", "list", "--json", cwd=tmp_path)
    assert (run.returncode, [row["name"] for row in json.loads(run.stdout)]) == (0, ["local"]), run.stderr


def test_check_of_an_unknown_one_names_those_there_are(tmp_path):
    run = ebbtide("provider", "check", "zzzzzz", cwd=tmp_path)
    assert (run.returncode, run.stderr) == (2, "ebbtide: error: there is no provider 'zzzzzz'; there are local\n")


def test_no_colour_is_no_escape_sequence_at_all(monkeypatch):
    told: list[str] = []
    monkeypatch.setattr("service.cli.provider.click.echo", told.append)
    monkeypatch.setenv("NO_COLOR", "1")
    _show(Finding("quota", Severity.OK, "room"))
    assert told == ["ok       quota        room"]

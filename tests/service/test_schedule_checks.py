"""Job schedules of workload files: what is refused, with its place and its cure."""

import pytest

from service.problems import InputError
from service.settings import Settings
from service.workload_file import load_workload

from .offers import offers

TEXT = """pools: [{id: p, vmSize: local.small}]
jobSchedules:
- id: s
  schedule: {%s}
  metadata: [%s]
  jobSpecification: {poolInfo: {poolId: p}, jobManagerTask: {id: t, commandLine: x}}
"""
CRON = "{name: cron, value: 0 6 * * *}"
EVERY = "recurrenceInterval: PT5M"

CASES = [
    ("", CRON, None),
    ("doNotRunUntil: 2026-01-01T00:00:00Z, startWindow: PT1M", f"{CRON}, {{name: overlap, value: skip}}", None),
    (EVERY, CRON, "4:34: jobSchedules[0].schedule.recurrenceInterval: the metadata item cron (line 5)"),
    ("", "{name: cron, value: 0 0 30 2 *}", "5:34: jobSchedules[0].metadata[0].value: metadata 'cron' is '0 0 30 2 *'"),
    ("", "{name: cron, value: 0 6 * * * *}", "five cron fields that meet some day, such as '30 6 * * MON-FRI'"),
    ("", f"{CRON}, {{name: timeZone, value: Berlin}}", "a time zone of the IANA, such as Europe/Berlin"),
    (EVERY, "{name: timeZone, value: UTC}", "timeZone does nothing without cron"),
    ("", f"{CRON}, {{name: missedRuns, value: all}}", "it must be skip or once"),
    ("", f"{CRON}, {{name: overlap, value: both}}", "it must be skip or queue"),
    ("", f"{CRON}, {CRON}", "cron stands here a second time (first in line 5)"),
    (EVERY, "{name: overlaps, value: skip}", "did you mean overlap?"),
    ("startWindow: PT1S", "", "schedule.startWindow: must be at least PT1M, the setting minimumRecurrenceInterval"),
    ("recurrenceInterval: PT1S", "", "schedule.recurrenceInterval: must be at least PT1M"),
    (
        "doNotRunUntil: 2026-01-02T00:00:00Z, doNotRunAfter: 2026-01-01T00:00:00Z",
        "",
        "schedule.doNotRunAfter: lies before doNotRunUntil",
    ),
    ("doNotRunAfter: 2001-01-01T00:00:00Z", "", "4:29: warning: jobSchedules[0].schedule.doNotRunAfter: lies in the"),
    ("recurrenceInterval: P36525D", "", None),
    ("recurrenceInterval: P36526D", "", "schedule.recurrenceInterval: must be at most P36525D; leave it out"),
    ("doNotRunUntil: 9999-12-31T23:59:59-14:00", "", "schedule.doNotRunUntil: lies outside the years 1 to 9999"),
    ("doNotRunAfter: 9001-01-01T00:00:00Z", "", None),
]


@pytest.mark.parametrize(("times", "metadata", "expected"), CASES)
def test_schedules(tmp_path, times, metadata, expected):
    path = tmp_path / "w.yaml"
    path.write_text(TEXT % (times, metadata))
    try:
        told = "\n".join(load_workload(path, Settings(), OFFERS).warnings)
    except InputError as exc:
        told = str(exc)
    assert expected in told if expected is not None else told == ""


OFFERS = offers(("local.small",))


def test_a_cron_schedule_whose_jobs_never_end(tmp_path):
    path = tmp_path / "w.yaml"
    text = TEXT % ("", CRON)
    path.write_text(text.replace("commandLine: x", "commandLine: x, killJobOnCompletion: false"))
    with pytest.raises(InputError, match="its jobs would never end"):
        load_workload(path, Settings(), OFFERS)

"""What is told of a job schedule that is made."""

from datetime import timedelta

import pytest

from pools import Change, Changes, MetadataItem
from runner import JobSchedule, JobScheduleSpec, JobSpecification, PoolInfo, Schedule
from service.views import Timeline
from service.views.tally import Tally


@pytest.mark.parametrize(
    ("interval", "metadata", "how"),
    [
        (None, {}, "one job"),
        (timedelta(seconds=90), {}, "a job every PT1M30S"),
        (None, {"cron": "30 2 * * MON", "timeZone": "Europe/Berlin"}, 'a job at "30 2 * * MON" (Europe/Berlin)'),
        (None, {"cron": "* * * * *"}, 'a job at "* * * * *" (UTC)'),
    ],
)
def test_a_schedule_tells_how_often(interval, metadata, how):
    spec = JobScheduleSpec(
        id="s",
        schedule=Schedule(recurrence_interval=interval),
        job_specification=JobSpecification(pool_info=PoolInfo(pool_id="p")),
        metadata=tuple(MetadataItem(name=name, value=value) for name, value in metadata.items()),
    )
    schedule = JobSchedule(id="s", spec=spec, created=100.0, modified=100.0, state_time=100.0)
    (line,) = Timeline(Tally(100.0)).tell(Changes.of([Change("job_schedules", "s", schedule)]), 101.0)
    assert (line.subject, line.text) == ("schedule s", f"created: {how}")

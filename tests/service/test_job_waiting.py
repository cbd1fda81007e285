"""What is seen of a job that is waited for, and why it does not go on."""

import pytest

from service.job_waiting import looks
from service.rest_objects import Objects, RequestRefused, Unanswered

COUNTS = {"active": 0, "running": 0, "completed": 0, "succeeded": 0, "failed": 0}


class Job:
    """A way to a job that goes through `steps`, one at each look: its state, counts of tasks, or an error."""

    def __init__(self, *steps, error=None, tasks=()):
        self.steps, self.error, self.tasks = list(steps), error, tasks

    def __call__(self, method, path, query, body):
        if path == "/jobs/j":
            self.now = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
            if isinstance(self.now, Exception):
                raise self.now
            execution = {"schedulingError": self.error} if self.error else {}
            return {"id": "j", "state": self.now[0], "executionInfo": execution}
        if path == "/jobs/j/taskcounts":
            return {"taskCounts": {**COUNTS, **self.now[1]}}
        assert (path, query["$filter"]) == ("/jobs/j/tasks", "state eq 'active'")
        return {"value": list(self.tasks)}


def seen(job, most=20):
    """States and done tasks of the looks, what hindered, and the pauses between them."""
    clock, found = [0.0], []
    pauses: list[float] = []
    hindrances: list[str] = []

    def sleep(seconds):
        pauses.append(seconds)
        clock[0] += seconds

    for look in looks(Objects(job), "j", lambda: clock[0], sleep):
        found.append((look.state, look.standing.done, look.over))
        hindrances += look.hindrances
        if len(found) == most:
            break
    return found, list(dict.fromkeys(hindrances)), pauses


ACTIVE = ("active", {"active": 1})
LOST = Unanswered("cannot be reached")


@pytest.mark.parametrize(
    ("steps", "states"),
    [
        # a job that stays open is done when its tasks are
        ([("active", {"running": 2}), ("active", {"running": 1, "failed": 1}), ("active", {"succeeded": 2})],
         [("active", 0, False), ("active", 1, False), ("active", 2, True)]),
        # one that is over is, whatever has become of its tasks
        ([ACTIVE, ("terminating", {"active": 1}), ("completed", {"active": 1})],
         [("active", 0, False), ("terminating", 0, False), ("completed", 0, True)]),
        ([("completed", {})], [("completed", 0, True)]),
        # without tasks it waits for some
        ([("active", {}), ("active", {}), ("active", {"succeeded": 1})],
         [("active", 0, False), ("active", 0, False), ("active", 1, True)]),
        # a server that is away for a while
        ([ACTIVE, LOST, LOST, ("active", {"failed": 1})],
         [("active", 0, False), ("active", 0, False), ("active", 0, False), ("active", 1, True)]),
        ([ACTIVE, RequestRefused("ServerBusy", "later"), ("completed", {"succeeded": 1})],
         [("active", 0, False), ("active", 0, False), ("completed", 1, True)]),
    ],
)  # fmt: skip
def test_it_looks_until_it_is_over(steps, states):
    assert seen(Job(*steps))[0] == states


@pytest.mark.parametrize(
    ("steps", "error"),
    [
        ([LOST], "cannot be reached"),
        ([RequestRefused("JobNotFound", "there is none")], "there is none"),
        ([ACTIVE, RequestRefused("JobNotFound", "it was deleted")], "it was deleted"),
        ([ACTIVE, RequestRefused("AuthenticationFailed", "the key was renewed")], "the key was renewed"),
    ],
)
def test_what_ends_it(steps, error):
    with pytest.raises((Unanswered, RequestRefused), match=error):
        seen(Job(*steps))


def test_why_it_does_not_go_on():
    error = {"code": "PoolNotFound", "message": "it is gone"}
    blocked = {"id": "t", "schedulingError": {"code": "DependencyFailed", "message": "a has failed"}}
    for job, told in (
        (Job(ACTIVE, error=error), ["PoolNotFound: it is gone"]),
        (Job(ACTIVE, tasks=[{"id": "s"}, blocked]), ["task t: DependencyFailed: a has failed"]),
        (Job(("disabled", {})), ["it is disabled; `ebbtide job enable j` lets its tasks start", "it has no tasks yet"]),
        (Job(ACTIVE, LOST), ["cannot be reached; asked again until it answers"]),
        (Job(ACTIVE), []),
        (Job(("active", {"running": 1}), tasks=[blocked]), []),
    ):
        assert seen(job)[1] == told


def test_the_longer_it_takes_the_less_often_it_looks():
    pauses = seen(Job(ACTIVE), most=200)[2]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (0.3, 5.0)

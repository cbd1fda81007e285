"""What `ebbtide replay` tells of evaluations that fail: they decide nothing, and are counted."""

import pytest

from formula import EvaluationError
from service.cli.replay_report import ReplayReport
from service.hindsight import Decided

from .pasts import START


def report(*told):
    """Of (targets, recorded, failed, failed then) every hour."""
    error = EvaluationError("E", "division by zero")
    decided = [
        Decided(START + 3600 * number, targets, 0, "requeue", error if failed else None, (recorded, 0), failed_then)
        for number, (targets, recorded, failed, failed_then) in enumerate(told)
    ]
    return ReplayReport("p", decided, None)


@pytest.mark.parametrize(
    ("told", "line", "counts"),
    [
        ([(2, 2, False, False), (3, 3, False, True)], "it decides the same in all 2", (0, 0, 1)),
        ([(2, 3, True, False), (2, 3, True, False)], "it decides nothing: every evaluation failed", (0, 2, 0)),
        ([(2, 2, False, False), (2, 9, True, False)], "it decides the same in all 1 that did not fail", (0, 1, 0)),
        ([(1, 2, False, False), (1, 9, True, True)], "it decides otherwise in 1 of 1 that did not fail:", (1, 1, 1)),
    ],
)
def test_what_fails_decides_nothing(told, line, counts):
    found = report(*told)
    lines = list(found.lines())
    assert line in lines
    recorded, replayed = (each.split()[-1] for each in lines if each.startswith("re"))
    json = found.to_json()
    assert (json["different"], json["failed"]) == counts[:2]
    assert (int(replayed), int(recorded)) == counts[1:]


def test_targets_that_stay_are_no_difference_to_list():
    lines = list(report((1, 2, False, False), (1, 2, True, False), (1, 2, False, False)).lines())
    first = lines.index("FROM                  TO        RECORDED     REPLAYED")
    assert [line.split()[-2:] for line in lines[first + 1 : first + 3]] == [["1", "dedicated"]] * 2
    assert lines[first + 3] == ""

"""Every case, with real tasks on local nodes."""

import pytest

from .case_files import Case, cases
from .stage import Stage, ids

CASES = cases()


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_case(stage: Stage, case: Case) -> None:
    stage.play(case)

"""Every property of jobs, tasks and schedules has a case that shows what it does."""

import pytest

from service.rest_properties import ACCEPTED, REFUSED

from .case_files import Case, bad_bodies, cases
from .properties import every, given_by
from .stage import ids

CASES = cases()


def test_every_property_is_shown() -> None:
    """Or is refused, or has no effect."""
    shown = {each for case in CASES for each in case.shows}
    tables = (*REFUSED.items(), *ACCEPTED.items())
    without = {f"{owner}.{name}" for owner, names in tables for name in names}
    missing = sorted(every() - shown - without)
    unknown = sorted(shown - every())
    assert (missing, unknown) == ([], []), "without a case; and shown, though there is no such property"


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_what_a_case_shows_stands_in_it(case: Case) -> None:
    assert case.shows, "it says nothing of what it shows"
    assert set(case.shows) <= given_by(case)


def test_cases_have_names_of_their_own() -> None:
    names = [case.name for case in CASES]
    assert sorted(names) == sorted(set(names))
    bodies = [body.name for body in bad_bodies()]
    assert sorted(bodies) == sorted(set(bodies))

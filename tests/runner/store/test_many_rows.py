"""Many rows go to the database in few statements: whatever their number, each is there, and once."""

import pytest

from runner import JournalError

from .records import gone, put, task

#: Around one and two statements' worth (600 values, 11 columns).
COUNTS = (1, 53, 54, 55, 107, 108, 109, 200)


@pytest.mark.parametrize("count", COUNTS)
def test_all_are_written(journal, count):
    made = [task(f"t{number}", sequence=number + 1) for number in range(count)]
    journal.commit([put(each) for each in made])
    assert journal.tasks("job") == made


@pytest.mark.parametrize("count", COUNTS)
def test_new_changed_and_gone_ones_together(journal, count):
    journal.commit([put(task(f"t{number}", sequence=number + 1)) for number in range(0, count, 2)])
    changed = [task(f"t{number}", sequence=number + 1, version=2, exit_code=number) for number in range(count)]
    journal.commit([put(each) for each in changed] + [gone(task("t0"))])
    assert journal.tasks("job") == changed[1:]


@pytest.mark.parametrize("place", [0, 60, 150])
def test_one_bad_row_among_many_and_none_is_written(journal, place):
    made = [task(f"t{number}", sequence=number + 1) for number in range(160)]
    made[place] = task("bad", sequence=place + 1, created=None)
    with pytest.raises(JournalError, match="created"):
        journal.commit([put(each) for each in made])
    assert journal.tasks("job") == []
    journal.commit([put(each) for each in made if each.id != "bad"])
    assert len(journal.tasks("job")) == 159

"""Which earlier attempts are remembered."""

import pytest

from pools import Attempt, with_attempt


def numbered(*numbers):
    return tuple(Attempt(number=number) for number in numbers)


@pytest.mark.parametrize(
    ("earlier", "one", "most", "kept", "gone"),
    [
        ((), 1, 3, (1,), ()),
        ((1,), 4, 3, (1, 4), ()),
        ((1, 4), 5, 3, (1, 4, 5), ()),
        ((1, 4, 5), 7, 3, (1, 5, 7), (4,)),
        ((1, 5), 7, 2, (1, 7), (5,)),
        ((1, 2, 3, 4, 5), 6, 3, (1, 5, 6), (2, 3, 4)),  # the setting was lowered
        ((1, 4), 4, 3, (1, 4), ()),  # told once more
    ],
)
def test_the_first_and_the_last_stay(earlier, one, most, kept, gone):
    (added,) = numbered(one)
    assert with_attempt(numbered(*earlier), added, most) == (numbered(*kept), numbered(*gone))

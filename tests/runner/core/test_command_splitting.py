"""The quick way to split plain command lines is shlex's."""

import shlex

from hypothesis import example, given
from hypothesis import strategies as st

from runner.command_line import _plain_words


@example("$'")
@example("a b\"c' d")
@example("'a'\"b\"c 'd")
@given(st.text(st.sampled_from("ab'\" \t\n\x0b\x0c\r\\#$\x1cé"), max_size=14))
def test_plain_lines_are_split_as_shlex_does(line: str) -> None:
    words = _plain_words(line)
    if words:
        assert words == shlex.split(line)


def test_usual_lines_take_the_quick_way() -> None:
    assert _plain_words("/bin/sh -c 'echo \"a b\"; true' x=\"1 2\"''") == ["/bin/sh", "-c", 'echo "a b"; true', "x=1 2"]

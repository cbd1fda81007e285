"""What lines show of what was printed."""

import pytest

from runner import Output
from service.views.outputs_text import shown


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", ()),
        (b"a\n\nb\n", ("a", "", "b")),
        (b"\x1b[31mred\x1b[0m \x1b]0;title\x07\x07ok\r\n", ("red ok",)),
        (b"\xff\n", ("�",)),
        (b"1\n" * 30, ("(the last 20 lines of stdout; all of it: `ebbtide logs j t`)", *["1"] * 20)),
    ],
)
def test_output_is_made_safe_and_short(data, lines):
    assert shown(Output(owner="task", parent_id="j", id="t", stream="stdout", size=len(data), data=data)) == lines


@pytest.mark.parametrize(
    ("owner", "stream", "command"),
    [
        ("task", "stdout", "ebbtide logs j t"),
        ("task", "stderr", "ebbtide logs j t --stderr"),
        ("starttask", "stdout", "ebbtide logs j t --start-task"),
        ("jobpreparation", "stderr", "ebbtide logs j t --preparation --stderr"),
        ("jobrelease", "stdout", "ebbtide logs j t --release"),
    ],
)
def test_a_large_output_is_only_named(owner, stream, command):
    large = Output(owner=owner, parent_id="j", id="t", stream=stream, size=10**7, file="f")
    assert shown(large) == (f"(10000000 bytes of {stream}: see `{command}`)",)

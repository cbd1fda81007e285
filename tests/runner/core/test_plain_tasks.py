"""Plain tasks are let in at once: never one that the full checks refuse, or of which they would have more to say."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pools import EnvironmentSetting, ResourceFile, UserIdentity
from runner import JobError, TaskConstraints, TaskSpec
from runner.command_line import split
from runner.plain_tasks import is_plain
from runner.task_checks import check_task
from runner.task_spec import TaskDependencies, packed, unpacked


@pytest.mark.parametrize(
    ("line", "plain"),
    [
        ("/bin/true", True),
        ("/bin/sh -c 'echo \"$HOME\"; exit 1'", True),
        ('python -m "a b" \'c\'d"e"', True),
        ("cmdline x", True),
        ("cmd /c echo hello", False),
        ("cmd.exe /c dir", False),
        ("powershell ls", False),
        ("%ComSpec% /c dir", False),
        ("", False),
        ("  true", False),
        ("''", False),
        ("echo 'open", False),
        ('echo "open', False),
        ("echo a\\ b", False),
        ("echo \t b", False),
        ("echo é", False),
        ("echo \0", False),
    ],
)
def test_command_lines(line: str, plain: bool) -> None:
    assert is_plain(TaskSpec(id="t", command_line=line)) == plain


@pytest.mark.parametrize(
    "more",
    [
        {"required_slots": 2},
        {"depends_on": TaskDependencies(task_ids=("a",))},
        {"environment_settings": (EnvironmentSetting(name="A=B"),)},
        {"environment_settings": (EnvironmentSetting(name="A", value="\0"),)},
        {"constraints": TaskConstraints(max_task_retry_count=-5)},
        {"constraints": TaskConstraints(max_wall_clock_time=timedelta(0))},
        {"constraints": TaskConstraints(retention_time=timedelta(seconds=-1))},
        {"resource_files": (ResourceFile(file_path="a"),)},
        {"resource_files": (ResourceFile(http_url="https://h/a", file_path="../a"),)},
        {"user_identity": UserIdentity(user_name="anybody")},
        {"id": "a b"},
        {"id": ""},
        {"id": "a" * 65},
    ],
)
def test_what_asks_for_more(more: dict[str, object]) -> None:
    assert not is_plain(TaskSpec(**({"id": "t", "command_line": "true"} | more)))  # type: ignore[arg-type]


_LINES = st.one_of(
    st.text(st.sampled_from("cmd /pows\"'\\x.%C\t\n\0é=$"), max_size=20),
    st.text(max_size=20),
    st.sampled_from(["cmd /c x", "CMD.EXE /C x", "'' a", '"" a', "c:\\windows\\cmd.exe /c x"]),
)


@given(st.text(st.sampled_from("aB1-_ .é/"), max_size=6), _LINES)
def test_what_is_plain_is_right(task_id: str, line: str) -> None:
    spec = TaskSpec(id=task_id, command_line=line)
    if is_plain(spec):
        check_task(spec, 1)
        assert split(line)[0]


_LIMITS = st.none() | st.sampled_from([-1, 0, 1, 60]).map(lambda seconds: timedelta(seconds=seconds))
_PARTS = {
    "environment_settings": st.lists(
        st.builds(EnvironmentSetting, name=st.text("A=\0", max_size=3), value=st.text("a${\0}", max_size=4)), max_size=2
    ).map(tuple),
    "constraints": st.builds(
        TaskConstraints,
        max_task_retry_count=st.none() | st.integers(-3, 3),
        max_wall_clock_time=_LIMITS,
        retention_time=_LIMITS,
    ),
    "resource_files": st.lists(
        st.builds(
            ResourceFile,
            http_url=st.none() | st.sampled_from(["https://h/a", "https://h/", "ftp://h/a"]),
            storage_container_url=st.none() | st.just("https://h/c"),
            blob_prefix=st.none() | st.just("p"),
            file_path=st.none() | st.sampled_from(["a", "../a", "/a"]),
            file_mode=st.none() | st.sampled_from(["0755", "9"]),
        ),
        max_size=2,
    ).map(tuple),
    "user_identity": st.none() | st.builds(UserIdentity, user_name=st.none() | st.just("u")),
}


@given(st.fixed_dictionaries(_PARTS))
def test_what_is_plain_with_more_is_right(parts: dict[str, Any]) -> None:
    """And the other way round, but for those that run as somebody whom the pool must have."""
    spec = TaskSpec(id="t", command_line="true", **parts)
    try:
        check_task(spec, 1)
    except JobError:
        assert not is_plain(spec)
    else:
        assert is_plain(spec) == (spec.user_identity is None or spec.user_identity.user_name is None)


def test_every_property_but_the_name_that_is_shown_is_looked_at() -> None:
    """One that is new to the specification, and that nobody has thought of here, would be let in unchecked."""
    looked_at = set(TaskSpec.__struct_fields__) - {"id", "command_line", "display_name"}
    names = set(is_plain.__code__.co_names)
    assert looked_at <= names


def test_one_that_was_stored_is_plain_as_well() -> None:
    assert is_plain(unpacked(packed(TaskSpec(id="t", command_line="true"))))

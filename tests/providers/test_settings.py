"""Opening a provider: settings that cannot work are refused before anything exists."""

from pathlib import Path
from typing import Any

import pytest

from providers import InvalidRequestError, open_provider


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("local", {}, "set baseDir"),
        ("local", {"baseDir": ""}, "baseDir is ''; it must be a text"),
        ("local", {"baseDir": "{dir}", "maxVMs": 3}, "unknown setting maxVMs; it knows baseDir, idleTimeout"),
        ("local", {"baseDir": "{dir}", "maxVms": -1}, "maxVms is -1; it must be a whole number"),
        ("local", {"baseDir": "{dir}", "maxVms": True}, "maxVms is True"),
        (
            "local",
            {"baseDir": "{dir}", "idleTimeout": 0.5},
            "idleTimeout is 0.5; it must be a number, at least 1",
        ),
        ("local", {"baseDir": "{dir}", "idleTimeout": float("nan")}, "idleTimeout is nan"),
        ("local", {"baseDir": "{dir}", "idleTimeout": "10"}, "idleTimeout is '10'"),
        ("local", {"baseDir": "{dir}", "prices": {"local.small": "x"}}, "prices is .*US dollars per hour"),
        (
            "local",
            {"baseDir": "{dir}", "prices": {"local.tiny": 1}},
            "unknown size 'local.tiny'; it knows local.small",
        ),
        ("simulated", {"bootDelay": -1}, "bootDelay is -1"),
        ("simulated", {"prices": {"local.small": 1}}, "unknown size 'local.small'; it knows simulated.small"),
        ("nimbus", {}, "unknown driver 'nimbus'; it can be local, static"),
        ("mine", {"driver": "nimbus"}, "provider mine: unknown driver 'nimbus'"),
    ],
)
def test_settings_that_cannot_work_are_refused(
    name: str, settings: dict[str, Any], message: str, tmp_path: Path
) -> None:
    filled = {k: str(tmp_path) if v == "{dir}" else v for k, v in settings.items()}
    with pytest.raises(InvalidRequestError, match=message):
        open_provider(name, filled, "dep")
    assert list(tmp_path.iterdir()) == []


def test_a_provider_has_the_name_it_was_given(tmp_path: Path) -> None:
    provider = open_provider("here", {"driver": "local", "baseDir": str(tmp_path)}, "dep")
    assert provider.name == "here"
    with pytest.raises(InvalidRequestError, match=r"deployment id .\.\./up"):
        open_provider("simulated", {}, "../up")

"""What holds for every test: fast ones first, so that a mistake shows early, and no property hangs on the clock."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A machine may stand still in the middle of any example.
settings.register_profile(
    "unhurried", parent=settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unhurried")

# Workers are told of a terminal of 80 columns, and would tell the commands that they run, which write to pipes.
os.environ.pop("COLUMNS", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow tests run last, and otherwise in the order in which they stand."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What a test wants to have said although it passes: `record_property("said", ...)`."""
    for report in terminalreporter.getreports("passed"):
        for name, text in report.user_properties:
            if name == "said":
                terminalreporter.write_line(str(text))


@pytest.fixture
def leaves_nothing(tmp_path: Path) -> Iterator[None]:
    """For tests that make folders so deep that pytest, which removes those of earlier runs, could not."""
    yield
    subprocess.run(["rm", "-rf", str(tmp_path)], check=True)

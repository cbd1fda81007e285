"""docs/tasks.md names every variable that a command finds, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from providers.processes import MARKER

ROOT = Path(__file__).resolve().parents[2]
QUOTED = re.compile(r'"((?:AZ_BATCH|EBBTIDE)_[A-Z_]*[A-Z])"')
#: Of the controller's own environment, of our tests, or taken away before a command starts.
NOT_FOUND = {"EBBTIDE_BOOT", "EBBTIDE_CRASH_AT", "EBBTIDE_DEBUG", "EBBTIDE_LIFELINE_FD", "EBBTIDE_METADATA_URL"}


def test_every_variable_is_there() -> None:
    places = [ROOT / "runner", ROOT / "providers" / "local"]
    sources = [path.read_text() for place in places for path in place.rglob("*.py")]
    set_somewhere = {name for source in sources for name in QUOTED.findall(source)} - NOT_FOUND
    table = (ROOT / "docs" / "tasks.md").read_text().partition("### Variables")[2].partition("\n## ")[0]
    told = set(re.findall(r"`((?:AZ_BATCH|EBBTIDE)_[A-Z_]*[A-Z])`", table))
    assert told == set_somewhere | {MARKER}
    assert "`AZ_BATCH_APP_PACKAGE_<id>`" in table

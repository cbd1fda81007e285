"""The stories of a long run are kept where its user wants them, whether the folder is there or not."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

import tests.chaos.__main__ as chaos
import tests.faults.__main__ as faults
from tests.chaos.trial import Outcome as Storm
from tests.faults.trial import Outcome as Fault


@pytest.mark.parametrize("made", [False, True])
@pytest.mark.parametrize(("program", "outcome"), [(chaos, Storm), (faults, Fault)])
def test_a_folder_for_stories_is_made(
    program: ModuleType,
    outcome: type[Storm | Fault],
    made: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "of" / "today"
    if made:
        folder.mkdir(parents=True)
    monkeypatch.setattr(sys, "argv", ["program", "--seeds", "2", "--stories", str(folder)])
    monkeypatch.setattr(program, "in_a_process", lambda *given: outcome(given[-1], story=f"seed {given[-1]}"))
    monkeypatch.setattr("tests.rig.CloudRig.unavailable", lambda: None)
    assert program.main() == 0
    assert {each.name: each.read_text() for each in folder.iterdir()} == {"1.txt": "seed 1", "2.txt": "seed 2"}

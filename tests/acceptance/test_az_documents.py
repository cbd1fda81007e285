"""The walkthrough of Azure Batch's documents with the Azure CLI, command by command."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import clients
from .az import Az
from .az_documents import (
    DOCUMENTED,
    DOWNLOADED,
    ONE_USER,
    SUBSTITUTIONS,
    Step,
    substituted,
    substituted_files,
    their_files,
)
from .endpoint import open_folder, serving

#: Words of Windows, and of what only Azure has.
_FOREIGN = re.compile(r"windows|\bcmd\b|\bNUL\b|%|resource-group|az batch (?:account|application (?!summary))", re.I)
typed = [clients.installed("az"), pytest.mark.slow]


@pytest.fixture(scope="module")
def az() -> Iterator[Az]:
    with open_folder() as folder, serving(folder) as endpoint:
        files = substituted_files(folder)
        own = folder / "downloads"
        own.mkdir()
        yield Az(endpoint, own, files)


@pytest.mark.parametrize(
    "step", [pytest.param(each, id=each.theirs.split(" --")[0], marks=typed) for each in DOCUMENTED]
)
def test_command(az: Az, step: Step) -> None:
    az.play(step.command)


@pytest.mark.parametrize("name", [pytest.param(each, marks=typed) for each in DOWNLOADED])
def test_downloaded(az: Az, name: str) -> None:
    assert DOWNLOADED[name] in Path(az.kept["folder"], name).read_text(encoding="utf-8")


def _theirs() -> list[str]:
    return [*(each.theirs for each in DOCUMENTED), *(path.read_text(encoding="utf-8") for path in their_files())]


@pytest.mark.parametrize("each", SUBSTITUTIONS + ONE_USER, ids=lambda each: each.theirs[:40])
def test_what_is_substituted_stands_in_the_documents(each) -> None:
    assert any(each.theirs in text for text in _theirs())
    assert substituted(each.ours) == each.ours


def test_nothing_is_left_that_only_windows_and_azure_have() -> None:
    assert [found[0] for text in _theirs() if (found := _FOREIGN.search(substituted(text)))] == []

"""The Azure CLI against `ebbtide serve`: every command of the walkthrough, in order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from . import clients
from .az import Az, Command
from .az_walkthrough import DOWNLOADED, WALKTHROUGH
from .clients import HERE
from .endpoint import Endpoint, open_folder, serving

pytestmark = [clients.installed("az"), pytest.mark.slow]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with open_folder() as folder, serving(folder) as found:
        yield found


@pytest.fixture(scope="module")
def az(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Az:
    return Az(endpoint, tmp_path_factory.mktemp("az"), HERE / "az_files")


@pytest.mark.parametrize("command", WALKTHROUGH, ids=lambda command: command.name)
def test_command(az: Az, command: Command) -> None:
    az.play(command)


@pytest.mark.parametrize("name", DOWNLOADED)
def test_downloaded(az: Az, name: str) -> None:
    assert DOWNLOADED[name] in Path(az.kept["folder"], name).read_text(encoding="utf-8")


def test_every_operation_was_reached_by_its_command(endpoint: Endpoint, az: Az) -> None:
    assert clients.missed("az", (each._replace(flow=each.flow.replace("_", " ")) for each in endpoint.answers)) == {}


def test_nothing_failed_on_the_server(endpoint: Endpoint, az: Az) -> None:
    assert {each for each in endpoint.answers if each.status >= 500} == set()

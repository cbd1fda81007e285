"""azure-batch 15 through every operation that is served, at `ebbtide serve` with nodes on this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from . import clients
from .clients import Served
from .endpoint import open_folder, serving

pytestmark = clients.installed("sdk15")
FLOWS = clients.flows("sdk15")


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with open_folder() as folder, serving(folder) as endpoint, clients.running("sdk15", FLOWS, endpoint) as found:
        yield found


@pytest.mark.parametrize(("flow", "step"), [(flow, step) for flow in FLOWS for step in clients.steps("sdk15", flow)])
def test_flow(served: Served, flow: str, step: str) -> None:
    served.check(flow, step)


def test_every_operation_was_reached_by_its_flow(served: Served) -> None:
    assert served.missed("sdk15") == {}


def test_nothing_failed_on_the_server(served: Served) -> None:
    assert served.errors() == set()


def test_answers_are_as_described(served: Served) -> None:
    assert served.not_as_described() == set()

"""azure-batch 15 through every operation that is served, at `ebbtide serve` with nodes on this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from . import clients
from .clients import Served
from .endpoint import open_folder, serving

pytestmark = clients.installed("sdk15")
FLOWS = clients.flows("sdk15")
#: Operations that this version of the client does not have.
UNKNOWN: set[str] = set()


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with open_folder() as folder, serving(folder) as endpoint, clients.running("sdk15", FLOWS, endpoint) as found:
        yield found


@pytest.mark.parametrize(("flow", "step"), [(flow, step) for flow in FLOWS for step in clients.steps("sdk15", flow)])
def test_flow(served: Served, flow: str, step: str) -> None:
    served.check(flow, step)


def test_every_operation_was_answered(served: Served) -> None:
    assert served.unanswered() == UNKNOWN


def test_nothing_failed_on_the_server(served: Served) -> None:
    assert served.errors() == set()

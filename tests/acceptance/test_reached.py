"""The table of which flow goes through which operation: no operation is missing, and what it names is there."""

from __future__ import annotations

import pytest

from service.api.operations import OPERATIONS

from . import clients
from .az_walkthrough import WALKTHROUGH
from .reached import REACHED

_NAMED = {
    "sdk15": set(clients.flows("sdk15")),
    "sdk14": set(clients.flows("sdk14")),
    "az": {each.name for each in WALKTHROUGH},
}


def test_no_operation_is_missing() -> None:
    assert REACHED.keys() == {each.name for each in OPERATIONS}


@pytest.mark.parametrize("client", _NAMED)
def test_what_goes_through_an_operation_is_there(client: str) -> None:
    assert {getattr(each, client) for each in REACHED.values()} - {None} <= _NAMED[client]


@pytest.mark.parametrize("name", [each.name for each in OPERATIONS if each.served])
def test_what_is_served_is_reached_by_both_sdks(name: str) -> None:
    assert REACHED[name].sdk15 is not None
    assert REACHED[name].sdk14 is not None

"""A clock that was put back while no controller worked is told of, once at each start."""

import logging
import re

import pytest

from service.clock import now
from service.controller import Controller
from service.iso8601 import parse_instant
from service.settings import Settings

from .offline import Offline


class Clock:
    def __init__(self, at):
        self.at = at

    def now(self):
        return self.at


@pytest.mark.parametrize(("back", "told"), [(86400.0, True), (60.0, True), (0.5, False), (-86400.0, False)])
def test_it_is_said(tmp_path, caplog, back, told):
    offline = Offline(tmp_path / "state")
    latest = offline.journal.load(0.0).latest()
    offline.journal.close()
    assert now() - 60.0 < latest <= now()
    with offline.directory.lock(), caplog.at_level(logging.WARNING):
        Controller(offline.directory, Settings(), clock=Clock(latest - back)).close()
    said = [record.message for record in caplog.records if "clock" in record.message]
    assert len(said) == told
    for line in said:
        assert f"put back by {back:.0f} s" in line
        instants = [parse_instant(word).timestamp() for word in re.findall(r"\d{4}-[-0-9T:.]+Z", line)]
        assert instants == [pytest.approx(latest, abs=0.002), pytest.approx(latest - back, abs=0.002)]

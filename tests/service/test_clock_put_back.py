"""A clock that was put back while no controller worked is told of, once at each start."""

import logging
from itertools import count

import pytest

from service.controller import Controller
from service.iso8601 import format_instant, parse_instant
from service.settings import Settings

from . import offline
from .offline import Offline

BEGIN = parse_instant("2026-10-01T12:00:00Z").timestamp()


class Clock:
    def __init__(self, at):
        self.at = at

    def now(self):
        return self.at


@pytest.mark.parametrize(("back", "told"), [(86400.0, True), (60.0, True), (0.5, False), (-86400.0, False)])
def test_it_is_said(tmp_path, caplog, monkeypatch, back, told):
    seconds = count()
    monkeypatch.setattr(offline, "now", lambda: BEGIN + next(seconds))
    state = Offline(tmp_path / "state")
    latest = state.journal.load(0.0).latest()
    assert BEGIN < latest <= BEGIN + next(seconds)
    state.journal.close()
    with state.directory.lock(), caplog.at_level(logging.WARNING):
        Controller(state.directory, Settings(), clock=Clock(latest - back)).close()
    said = [record.message for record in caplog.records if "clock" in record.message]
    assert len(said) == told
    for line in said:
        assert f"put back by {back:.0f} s" in line
        assert f"from {format_instant(latest)} to {format_instant(latest - back)}" in line

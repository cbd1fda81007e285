"""A round of housekeeping that gets no thread is put off; the loop that begins it hears nothing."""

import logging
import threading

from pools import SystemClock
from service.controller import Controller
from service.settings import Settings

from .offline import Offline


def test_a_round_that_gets_no_thread_is_put_off(tmp_path, monkeypatch, caplog):
    offline = Offline(tmp_path / "state")
    offline.journal.close()
    with offline.directory.lock():
        controller = Controller(offline.directory, Settings())
        try:
            with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):

                def refuse(self):
                    raise RuntimeError("can't start new thread")

                patch.setattr(threading.Thread, "start", refuse)
                controller.housekeeping.begin(SystemClock().now())
            assert "tried again later: can't start new thread" in caplog.text
            controller.housekeeping.begin(SystemClock().now())
            assert controller.housekeeping._thread is not None
        finally:
            controller.close()

"""`ebbtide down` says that no VM is left only when that was true after everything it did."""

import pytest
from click.testing import CliRunner

from service import shutdown
from service.cli.main import main
from service.state import StateDirectory


class Scripted:
    """A Shutdown whose looks find what the test says."""

    def __init__(self, looks):
        self.looks = list(looks)
        self.done = []

    def __call__(self, *_):
        return self

    def look(self): ...

    def drain(self):
        self.done.append("drain")

    def settle(self):
        self.done.append("settle")

    def destroy(self):
        self.done.append("destroy")
        return self.looks.pop(0)


@pytest.mark.parametrize(
    ("looks", "code"),
    [([[], []], 0), ([["vm-1"]], 1), ([[], ["vm-2"]], 1)],
    ids=["none", "one that does not go", "one that the records brought back"],
)
def test_it_looks_once_more_when_the_records_were_at_work(looks, code, tmp_path, monkeypatch):
    StateDirectory(tmp_path).create(lambda: "0123456789ab")
    scripted = Scripted(looks)
    monkeypatch.setattr(shutdown, "Shutdown", scripted)
    run = CliRunner().invoke(main, ["down", "--state", str(tmp_path)])
    assert (run.exit_code, "no VM is left" in run.output) == (code, code == 0), run.output
    assert scripted.looks == []
    assert scripted.done[:3] == ["drain", "destroy", "settle"]

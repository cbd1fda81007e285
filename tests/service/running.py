"""A command in a process of its own, whose output is looked at while it works."""

import subprocess
import sys

from .served import PATIENCE

#: `python -m service`, whatever the tests were started from: in the background of a shell, SIGINT is ignored.
INTERRUPTIBLE = """import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("service", run_name="__main__")"""


class Running:
    """A process of its own. What it prints is in files, so that nobody waits for it in vain."""

    def __init__(self, folder, words, environment, more):
        name = "-".join(words[:2])
        self._out, self._err = folder / f"{name}.out", folder / f"{name}.err"
        with open(self._out, "w") as out, open(self._err, "w") as err:
            given = {"stdout": out, "stderr": err, "env": environment, **more}
            self.process = subprocess.Popen([sys.executable, "-c", INTERRUPTIBLE, *words], **given)

    @property
    def out(self):
        return self._out.read_text()

    @property
    def err(self):
        return self._err.read_text()

    def ended(self):
        """Its exit code."""
        return self.process.wait(PATIENCE)

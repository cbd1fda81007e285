"""@azure/batch, the official client for JavaScript, at `ebbtide serve`: a smoke flow."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from . import clients
from .clients import CLIENTS, HERE
from .endpoint import open_folder, serving

pytestmark = [clients.installed("npm"), pytest.mark.slow]


def test_smoke_flow() -> None:
    with open_folder() as folder, serving(folder) as endpoint:
        environment = {**os.environ, **endpoint.variables, "NODE_PATH": str(CLIENTS / "npm" / "node_modules")}
        script = HERE / "npm" / "smoke.js"
        run = subprocess.run(["node", script], env=environment, capture_output=True, text=True, check=False)
        told = [json.loads(line) for line in run.stdout.splitlines()]
    assert [each for each in told if each["failure"] is not None] == [], run.stderr
    assert len(told) == 6, run.stderr

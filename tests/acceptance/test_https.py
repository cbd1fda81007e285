"""The official SDKs at `ebbtide serve --tls`, with the certificate that it made for itself."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from . import clients
from .clients import CLIENTS, Served
from .endpoint import ROOT, Endpoint, open_folder, serving

pytestmark = [clients.installed("sdk15"), clients.installed("sdk14")]
FLOWS = {"sdk15": ["files", "schedules", "tasks"], "sdk14": ["pools"]}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with open_folder() as folder, serving(folder, "--tls") as found:
        yield found


@pytest.fixture(scope="module")
def served(endpoint: Endpoint) -> Iterator[dict[str, Served]]:
    with (
        clients.running("sdk15", FLOWS["sdk15"], endpoint) as fifteen,
        clients.running("sdk14", FLOWS["sdk14"], endpoint) as fourteen,
    ):
        yield {"sdk15": fifteen, "sdk14": fourteen}


@pytest.mark.parametrize(
    ("client", "flow", "step"),
    [(client, flow, step) for client, names in FLOWS.items() for flow in names for step in clients.steps(client, flow)],
)
def test_flow(served: dict[str, Served], client: str, flow: str, step: str) -> None:
    served[client].check(flow, step)


def test_who_does_not_trust_the_certificate_is_told_so(endpoint: Endpoint) -> None:
    variables = {name: value for name, value in endpoint.variables.items() if name != "REQUESTS_CA_BUNDLE"}
    assert variables["AZURE_BATCH_ENDPOINT"].startswith("https://")
    ask = "from tests.acceptance.sdk15.client import connected as c; from tests.acceptance.flow import Flow as F; "
    words = [str(CLIENTS / "sdk15" / "bin" / "python"), "-c", f"{ask}list(c(F()).list_pools())"]
    run = subprocess.run(words, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    assert run.returncode != 0
    assert "CERTIFICATE_VERIFY_FAILED" in run.stderr

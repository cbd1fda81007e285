"""What `check` tells of clouds behind an HTTP API: what settings name wrongly, what answers instead of a cloud."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import paramiko
import pytest

from providers import AuthError, Finding, Severity, TransientError

from .conftest import opened


@pytest.fixture(params=["gce", "azure", "openstack", "digitalocean"])
def cloud(request: pytest.FixtureRequest, tmp_path: Path, key: paramiko.PKey) -> Iterator[Any]:
    yield from opened(request.param, tmp_path, key)


@pytest.fixture
def page() -> Iterator[str]:
    """Some web server."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<html><h1>It works!</h1></html>")

        do_POST = do_PUT = do_GET  # noqa: N815 - the base class's names

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def silence() -> Iterator[str]:
    """Something that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def errors(cloud: Any, **settings: Any) -> list[Finding]:
    return [finding for finding in cloud.reopen(**settings).check() if finding.severity is Severity.ERROR]


def everywhere(cloud: Any, url: str) -> dict[str, str]:
    return {"endpoint": url} | ({"tokenEndpoint": url} if "tokenEndpoint" in cloud.settings() else {})


def test_a_check_says_what_is_wrong(cloud: Any) -> None:
    found = {finding.topic: finding for finding in cloud.reopen(image="no-such", size="no-such").check()}
    assert found["image"].severity == "error" and found["image"].cure == "correct `image` in the settings"
    assert found["size"].severity == "error" and found["size"].cure
    assert found["quota"].severity == "ok"
    assert found["price"].severity == "warning" and found["price"].cure
    assert cloud.inventory() == []


WRONG = [
    ("gce", {"zones": ["mars-1"]}, "zones", "mars-1"),
    ("gce", {"subnet": "none"}, "subnet", "none"),
    ("azure", {"resourceGroup": "other"}, "resourceGroup", "other"),
    ("openstack", {"subnet": "none"}, "subnet", "none"),
    ("openstack", {"floatingIpPool": "none"}, "floatingIpPool", "none"),
    ("digitalocean", {"subnet": "none"}, "subnet", "none"),
    ("digitalocean", {"keyPair": "none"}, "keyPair", "none"),
]


@pytest.mark.parametrize(("kind", "settings", "setting", "named"), WRONG)
def test_the_cure_names_the_setting(
    kind: str, settings: dict[str, Any], setting: str, named: str, tmp_path: Path, key: paramiko.PKey
) -> None:
    for cloud in opened(kind, tmp_path, key):
        first = errors(cloud, **settings)[0]
        assert first.cure == f"correct `{setting}` in the settings" and named in first.text


#: what a check asks and `create` does not: what is the topic of the warning then
SPARED = [
    ("gce", "GET .*/zones/[^/]+$", "zone"),
    ("gce", "GET .*/subnetworks/", "network"),
    ("gce", "GET .*/regions/[^/]+$", "quota"),
    ("azure", "GET .*/resourceGroups/[^/]+$", "group"),
    ("azure", "GET .*/subnets/", "network"),
    ("azure", "GET .*/usages", "quota"),
    ("openstack", "GET .*/limits", "quota"),
    ("digitalocean", "GET /v2/account$", "credentials"),
    ("digitalocean", "GET /v2/vpcs/", "network"),
]


@pytest.mark.parametrize(("kind", "asked", "topic"), SPARED)
def test_what_only_a_check_asks_may_be_forbidden(
    kind: str, asked: str, topic: str, tmp_path: Path, key: paramiko.PKey
) -> None:
    cloud: Any
    for cloud in opened(kind, tmp_path, key):
        cloud.api.fail(asked, 403, cloud.api.refusal(403, "no"), times=9)
        findings = list(cloud.reopen(**({"subnet": "nodes"} if topic == "network" else {})).check())
        found = next(finding for finding in findings if finding.topic == topic)
        assert found.severity == "warning" and "may not be looked at" in found.text and "allow it" in (found.cure or "")
        assert not [finding for finding in findings if finding.severity == "error"]
        assert {"image", "size", "price"} <= {finding.topic for finding in findings}, "the rest is looked at"
        cloud.create()
        cloud.api.heal()


def test_what_create_asks_too_may_not(cloud: Any) -> None:
    images = "GET .*/vmimage/" if cloud.kind == "azure" else "GET .*/images"
    cloud.api.fail(images, 403, cloud.api.refusal(403, "no"), times=9)
    [found] = [finding for finding in cloud.provider.check() if finding.topic == "image"]
    assert found.severity == "error" and "may not be looked at" in found.text and isinstance(found.error, AuthError)
    with pytest.raises(AuthError):
        cloud.create()
    cloud.api.heal()


@pytest.mark.parametrize("status", [429, 503])
def test_a_question_that_is_not_answered_is_nothing_wrong(cloud: Any, status: int) -> None:
    last = {
        "gce": "GET .*/regions/", "azure": "GET .*/usages", "openstack": "GET .*/networks",
        "digitalocean": "GET /v2/droplets",
    }  # fmt: skip
    cloud.api.fail(last[cloud.kind], status, cloud.api.refusal(status, "later"), times=9)
    findings = list(cloud.provider.check())
    assert not [finding for finding in findings if finding.severity == "error"]
    assert findings[-1].severity == "warning" and "the rest could not be looked at" in findings[-1].text
    cloud.api.heal()


def test_one_place_of_google_is_enough(tmp_path: Path, key: paramiko.PKey) -> None:
    cloud: Any
    for cloud in opened("gce", tmp_path, key):
        cloud.api.fail("GET .*/europe-west1-b/machineTypes/", 404, cloud.api.refusal(404, "no"), times=9)
        findings = list(cloud.reopen(zones=["mars-1", "europe-west1-b", "europe-west1-c"]).check())
        told = [(each.topic, str(each.severity)) for each in findings if each.topic in ("zone", "size")]
        assert told == [("zone", "warning"), ("zone", "ok"), ("zone", "ok"), ("size", "ok"), ("size", "warning")]
        assert errors(cloud, zones=["europe-west1-b"])


@pytest.mark.parametrize(
    "subnet",
    [
        "nodes",
        "regions/europe-west1/subnetworks/nodes",
        "projects/a-project/regions/europe-west1/subnetworks/nodes",
        "https://www.googleapis.com/compute/v1/projects/a-project/regions/europe-west1/subnetworks/nodes",
    ],
)
def test_a_subnet_of_google_by_any_of_its_names(subnet: str, tmp_path: Path, key: paramiko.PKey) -> None:
    for cloud in opened("gce", tmp_path, key):
        assert errors(cloud, subnet=subnet) == []
        assert errors(cloud, subnet=subnet[:-1])


def test_a_cloud_in_trouble_is_told_once(cloud: Any) -> None:
    cloud.api.fail(".", 503, cloud.api.refusal(503, "later"), times=99, when=lambda request: "oken" not in request.path)
    assert [finding.topic for finding in errors(cloud)] == ["provider"]
    cloud.api.heal()


def test_a_web_page_is_no_api(cloud: Any, page: str) -> None:
    for settings in ({"endpoint": page}, everywhere(cloud, page)):
        [found] = errors(cloud, **settings)
        assert found.topic == "provider" and ("check `endpoint`" in found.text or "check tokenEndpoint" in found.text)
        assert "It works" not in found.text and "object at" not in found.text
        with pytest.raises(TransientError):
            cloud.reopen(**settings).list_owned()


def test_silence_is_told_with_the_cure(cloud: Any, silence: str) -> None:
    [found] = errors(cloud, timeout=0.3, **everywhere(cloud, silence))
    assert "its API does not answer" in found.text and "check `endpoint`" in found.text


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [("azure", {"clientSecret": "x"}), ("openstack", {"password": "x"}), ("digitalocean", {"token": "x"})],
)
def test_a_wrong_secret_is_a_matter_of_credentials(
    kind: str, wrong: dict[str, str], tmp_path: Path, key: paramiko.PKey
) -> None:
    for cloud in opened(kind, tmp_path, key):
        [found] = errors(cloud, **wrong)
        assert found.topic == "credentials" and "check " in found.text and not found.text.startswith("'")

"""The documents about clouds: every example in them can be used, and every option in them is one."""

import json
import re
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from providers.settings import SettingsReader
from service.offers import offer
from service.provider_options import LINK_OPTIONS, open_one
from service.settings_file import load_settings
from service.workload_file import load_workload

from .test_clouds_table import HOST, OPTIONS
from .test_documents import DOCS

README = DOCS.parent / "README.md"
ENVIRONMENT = {"STACK_SECRET": "s", "DIGITALOCEAN_ACCESS_TOKEN": "t", "MY_ADDRESS": "203.0.113.7"}
#: What an example leaves to the environment or to the machine that the controller runs on.
ELSEWHERE = {"azure": {"tenantId": "t", "clientId": "c", "clientSecret": "x"}}
EXAMPLES = DOCS.parent / "examples" / "recurrent"


def blocks(path):
    return re.findall(r"^```yaml\n(.*?)^```", path.read_text(encoding="utf-8"), flags=re.M | re.S)


def settings_of(path):
    return [text for text in blocks(path) if "providers" in (yaml.safe_load(text) or {})]


PAGES = [README, DOCS / "settings.md", DOCS / "money.md", *sorted((DOCS / "clouds").glob("*.md"))]
GIVEN = [(path.name, text) for path in PAGES for text in settings_of(path)]
GIVEN += [(path.name, path.read_text(encoding="utf-8")) for path in sorted(EXAMPLES.glob("settings-*.yaml"))]


@pytest.fixture
def files(tmp_path):
    """The files that the examples name, so far as they are read when a provider is opened."""
    (tmp_path / "keys").mkdir()
    secret = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {"type": "service_account", "client_email": "a@b", "private_key": secret.decode(), "project_id": "p"}
    (tmp_path / "keys" / "ebbtide.json").write_text(json.dumps(account))
    known = "".join(f"{host} {HOST['hostKey']}\n" for host in ("10.0.0.5", "[10.0.0.6]:2222"))
    for name in ("known", "known_hosts"):
        (tmp_path / "keys" / name).write_text(known)
    return tmp_path


def opened(directory, text):
    """The settings of that text, and each of its providers."""
    path = directory / "settings.yaml"
    path.write_text(text.replace("ssh-ed25519 AAAAC3Nz...", HOST["hostKey"]))
    settings = load_settings(path, {})
    base = {"baseDir": str(directory / "base")}
    found = {}
    for name, options in settings.providers.items():
        driver = options.get("driver", name)
        needed = base if driver in ("local", "qemu", "static") else ELSEWHERE.get(driver, {})
        found[name] = open_one(name, {**needed, **options}, environment=ENVIRONMENT)
    return settings, found


def test_each_page_has_its_example():
    assert {name for name, _ in GIVEN} >= {f"{driver}.md" for driver in OPTIONS if driver != "local"} | {"README.md"}


@pytest.mark.parametrize(("page", "text"), GIVEN, ids=[name for name, _ in GIVEN])
def test_an_example_can_be_opened(page, text, files):
    settings, found = opened(files, text)
    assert settings.default_provider in {*found, "local"}


def test_the_pool_of_the_readme_gets_spot_nodes_a_fall_back_and_a_budget(files):
    given, pools = blocks(README)[:2]
    settings, found = opened(files, given)
    path = files / "workload.yaml"
    path.write_text(pools)
    aws = found["aws"]
    loaded = load_workload(path, settings, {"aws": offer(aws, settings.providers["aws"])})
    assert loaded.warnings == ()
    (pool,) = loaded.spec.pools
    assert pool.target_low_priority_nodes == 2
    assert [placement.size for placement in aws.profile().placements(pool.vm_size)] == ["t3.small", "t3a.small"]


# -- options ---------------------------------------------------------------------------------------------------


def table(text):
    """The names in the first cells; in a cell there may be several."""
    cells = re.findall(r"^\| (`[^|]+`) \|", text, flags=re.M)
    return {name for cell in cells for name in re.findall(r"`([A-Za-z]+)`", cell)}


SHARED = table((DOCS / "clouds" / "README.md").read_text(encoding="utf-8").partition("## Options that clouds share")[2])


@pytest.mark.parametrize("driver", sorted(OPTIONS.keys() - {"local"}))
def test_the_options_of_a_page_are_those_of_the_driver(driver, files, monkeypatch):
    known: set[str] = set()
    take = SettingsReader._take

    def noted(self: SettingsReader, key: str) -> Any:
        known.add(key)
        return take(self, key)

    monkeypatch.setattr(SettingsReader, "_take", noted)
    opened(files, next(text for name, text in GIVEN if name == f"{driver}.md"))
    known |= LINK_OPTIONS.keys()
    page = (DOCS / "clouds" / f"{driver}.md").read_text(encoding="utf-8")
    assert table(page) <= known
    assert known <= SHARED | set(re.findall(r"\b(\w+)(?:`|: )", page))

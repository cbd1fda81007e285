"""The provider `gce`, of its settings and Google's usual variables."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..cloud_settings import CloudSettings, read_cloud_settings
from ..errors import InvalidRequestError
from ..host_keys import HostKeys
from ..libcloud_provider import LibcloudProvider
from ..settings import SettingsReader
from .driver import Account, Instances
from .instance import GceSettings
from .mapping import GceMapping

_API = "https://compute.googleapis.com"
_FILE = "GOOGLE_APPLICATION_CREDENTIALS"


def open_gce(
    name: str, settings: Mapping[str, Any], deployment: str, host_keys: HostKeys | None, clock: object
) -> LibcloudProvider:
    """Raises InvalidRequestError."""
    reader = SettingsReader(name, settings)
    project, credentials = reader.text("project"), reader.text("credentials")
    token_endpoint = reader.url("tokenEndpoint")
    own = GceSettings(
        network=reader.text("network"),
        network_tags=reader.texts("networkTags"),
        service_account=reader.text("serviceAccount"),
        disk_type=reader.text("diskType") or "pd-balanced",
        disk_gb=reader.count("diskSize"),
    )
    common = read_cloud_settings(reader, consoles=True)
    reader.finish()
    _check(name, common)
    account = _account(name, project, credentials, common.endpoint or _API, token_endpoint)
    return LibcloudProvider(
        name,
        deployment,
        lambda: Instances(account, common.timeout),
        GceMapping(name, deployment, common, own, account.project, host_keys),
    )


def _check(name: str, common: CloudSettings) -> None:
    if not common.zones:
        raise InvalidRequestError(f"provider {name}: set zones to those to use, such as europe-west1-b")
    if common.security_groups:
        raise InvalidRequestError(f"provider {name}: Google has no security groups; its firewall goes by networkTags")
    if common.key_pair:
        raise InvalidRequestError(f"provider {name}: Google has no key pairs; leave keyPair out")
    if common.max_price is not None:
        raise InvalidRequestError(f"provider {name}: Google sets the price of spot VMs itself; leave maxPrice out")


def _account(name: str, project: str | None, credentials: str | None, url: str, token_url: str | None) -> Account:
    path = credentials or os.environ.get(_FILE)
    if path is not None and path.lstrip().startswith("{"):  # never shown: it holds the key
        raise InvalidRequestError(f"provider {name}: credentials hold a key itself; give the path of the key's file")
    project = project or os.environ.get("GOOGLE_CLOUD_PROJECT")
    if path is None:
        if project is None:
            raise InvalidRequestError(f"provider {name}: set project, and credentials or the variable {_FILE}")
        return Account(project=project, user=None, key=None, url=url, token_url=token_url)
    try:
        told = json.loads(Path(path).expanduser().read_text(encoding="utf-8"))
        if told.get("type") != "service_account":
            raise InvalidRequestError(
                f"provider {name}: {path} is of type {told.get('type')!r}; the key file of a service account is needed"
            )
        user, key = str(told["client_email"]), str(told["private_key"])
        project = project or told.get("project_id")
    except (OSError, ValueError, KeyError, AttributeError) as exc:
        raise InvalidRequestError(f"provider {name}: credentials {path} cannot be read: {_why(exc)}") from exc
    if project is None:
        raise InvalidRequestError(f"provider {name}: set project")
    return Account(project=project, user=user, key=key, url=url, token_url=token_url)


def _why(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"it is no key file of a service account ({type(error).__name__}: {error})"

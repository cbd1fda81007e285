"""Proxies as the environment has them: http_proxy, https_proxy, no_proxy."""

from __future__ import annotations

import urllib.request
from urllib.parse import SplitResult, unquote, urlsplit


def of(scheme: str, host: str) -> SplitResult | None:
    """The address of the one for `host`, which may have a port."""
    if urllib.request.proxy_bypass(host):
        return None
    proxy = urllib.request.getproxies().get(scheme)
    if not proxy:
        return None
    return urlsplit(proxy if "//" in proxy else "//" + proxy)


def authorization(proxy: SplitResult) -> dict[str, str]:
    """The header that says who asks, if its address does."""
    if proxy.username is None:
        return {}
    import base64

    said = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}".encode()
    return {"Proxy-Authorization": "Basic " + base64.b64encode(said).decode()}

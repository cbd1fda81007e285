"""Connections as the environment's proxies have them, but never by a proxy to this machine itself."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SILENCE = 60.0  # seconds without a byte after which a try has failed


def connect(url: str) -> tuple[Any, str]:
    """A connection, by a proxy if there is one for it, and what to ask for there."""
    import http.client
    import urllib.request

    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme.lower() == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
    proxy = None if _is_loopback(host) or urllib.request.proxy_bypass(host) else _proxy(parts.scheme.lower())
    if proxy is None:
        return kind(host, parts.port, timeout=SILENCE), target
    through = urlsplit(proxy if "//" in proxy else "//" + proxy)
    connection = kind(through.hostname or "", through.port or 80, timeout=SILENCE)
    if not secure:
        return connection, urlunsplit((parts.scheme, parts.netloc, parts.path or "/", parts.query, ""))
    connection.set_tunnel(host, parts.port or 443)
    return connection, target


def _proxy(scheme: str) -> str | None:
    import urllib.request

    return urllib.request.getproxies().get(scheme)


def _is_loopback(host: str) -> bool:
    return host == "localhost" or host.startswith("127.") or host == "::1"


def handler() -> Any:
    """Proxies as the environment has them, but never for this machine itself."""
    import urllib.request

    class Proxies(urllib.request.ProxyHandler):
        def proxy_open(self, req: Any, proxy: str, type: str) -> Any:
            if _is_loopback(urlsplit(req.full_url).hostname or ""):
                return None
            return super().proxy_open(req, proxy, type)

    return Proxies()

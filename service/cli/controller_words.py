"""What commands tell the controller that works on a state."""

from __future__ import annotations

from pathlib import Path

import click


def tell(state: Path, path: str, body: object = None) -> None:
    """POST to the running controller. Raises ClickException if none runs, or if it refuses."""
    import httpx

    from ..controller_socket import client
    from ..state import StateDirectory

    directory = StateDirectory(state)
    directory.require()
    try:
        with client(directory.path, timeout=120.0) as controller:
            answer = controller.post(path, json=body)
    except httpx.ConnectError:
        text = f"no controller works on the state {state}: start one (`ebbtide run`), and ask it then"
        raise click.ClickException(text) from None
    except httpx.HTTPError as exc:
        raise click.ClickException(f"the controller of the state {state} could not be asked: {exc}") from None
    if answer.status_code >= 300:
        told = answer.json()
        raise click.ClickException(f"{told['code']}: {told['message']}")

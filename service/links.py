"""Connections to nodes, as the controller makes them: by the deployment's key, with a way back."""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from runner import Doors, NodeLink, NodeSession, OpenNode

from .provider_options import link_timeouts
from .settings import Settings
from .state import StateDirectory


class Links:
    def __init__(
        self,
        state: StateDirectory,
        settings: Settings,
        options: Mapping[str, Mapping[str, Any]],
        enter: Callable[[str], socket.socket],
    ) -> None:
        """`options`: of each provider by its name. `enter`: opens a connection to the HTTP side for a node. Raises
        StateError."""
        self._key = state.key.private()
        self._default = settings.link_timeouts()
        self._timeouts = {name: replace(self._default, **link_timeouts(name, each)) for name, each in options.items()}
        self._doors = Doors(state.doors, enter)

    def to(self, command: OpenNode, session: NodeSession) -> NodeLink:
        return NodeLink(
            command.vm,
            private_key=self._key,
            on_messages=session.messages,
            on_closed=session.closed,
            timeouts=self._timeouts.get(command.provider, self._default),
            door=self._doors.of(command.node_id),
        )

    def sweep(self, nodes: Callable[[], Collection[str]]) -> None:
        """Forget what is remembered of other nodes than these. Any thread."""
        self._doors.sweep(nodes)

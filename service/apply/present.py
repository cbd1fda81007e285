"""What there is that a workload file may refer to, though it does not stand in it."""

from __future__ import annotations

import json

from pools import folded

from ..cursor import Cursor
from ..positions import parse_document
from ..rest_objects import Objects
from .reading import found


class PresentObjects:
    """Asked once for each. Its methods raise RequestRefused, Unanswered."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._pools: dict[str, Cursor | None] = {}
        self._versions: dict[str, set[str] | None] = {}

    def pool(self, pool_id: str) -> Cursor | None:
        key = folded(pool_id)
        if key not in self._pools:
            view = found(self._objects, "pools", pool_id)
            text = json.dumps(view) if view is not None else None
            self._pools[key] = Cursor(parse_document(text, "pool").root) if text is not None else None
        return self._pools[key]

    def versions(self, application_id: str) -> set[str] | None:
        """None: there is no such application."""
        key = folded(application_id)
        if key not in self._versions:
            view = found(self._objects, "applications", application_id)
            self._versions[key] = set(view["versions"]) if view is not None else None
        return self._versions[key]

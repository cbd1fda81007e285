"""Where the API has things, as absolute URLs."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True)
class Links:
    """`base`: scheme and host as the client asked them, without a slash at the end; None: nothing has a URL."""

    base: str | None = None

    def job(self, job_id: str) -> str | None:
        return self._url("jobs", job_id)

    def task(self, job_id: str, task_id: str) -> str | None:
        return self._url("jobs", job_id, "tasks", task_id)

    def schedule(self, schedule_id: str) -> str | None:
        return self._url("jobschedules", schedule_id)

    def pool(self, pool_id: str) -> str | None:
        return self._url("pools", pool_id)

    def node(self, pool_id: str, node_id: str) -> str | None:
        return self._url("pools", pool_id, "nodes", node_id)

    def node_file(self, pool_id: str, node_id: str, path: str) -> str | None:
        """The path is one segment, its slashes are quoted (so the clients ask for it)."""
        return self._url("pools", pool_id, "nodes", node_id, "files", path)

    def _url(self, *segments: str) -> str | None:
        if self.base is None:
            return None
        return "/".join((self.base, *(quote(segment, safe="") for segment in segments)))

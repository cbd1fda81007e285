"""What tasks show to the HTTP side, made for them and checked: a token, or a key to sign requests with."""

from __future__ import annotations

from collections.abc import Mapping

from pools import Clock
from runner import Core, CredentialError, Credentials, JobState, Scope, may_use_api

_ENDING = (JobState.TERMINATING, JobState.COMPLETED, JobState.DELETING)


class Access:
    def __init__(self, credentials: Credentials, core: Core, account: str, clock: Clock, lifetime: float) -> None:
        """`lifetime`: seconds that a credential is good for, at most."""
        self._credentials = credentials
        self._core = core
        self._account = account
        self._clock = clock
        self._lifetime = lifetime

    def scope(
        self,
        node_id: str,
        authorization: str,
        method: str,
        raw_path: str,
        query: str,
        headers: Mapping[str, str],
    ) -> Scope:
        """What a request from the node may do. Any thread: records are values, and read once.

        A credential is good for as long as its execution is the present one of its task, on that node, and the job is
        not ending; so one that another task got hold of ends with its owner. Raises CredentialError.
        """
        now = self._clock.now()
        if authorization.startswith("Bearer "):
            scope = self._credentials.verify(authorization[len("Bearer ") :].strip(), now)
        else:
            candidates = self._candidates(node_id)
            job_id, execution_id = self._credentials.signer(
                authorization, self._account, method, raw_path, query, headers, candidates, now
            )
            scope = Scope(job_id, execution_id, now + self._lifetime)
        self._check_present(node_id, scope, now)
        return scope

    def _candidates(self, node_id: str) -> list[tuple[str, str]]:
        slots = self._core.tasks.slots.get(node_id)
        placed = list(slots.placements.items()) if slots is not None else []
        return [(placement.key[0], execution_id) for execution_id, placement in placed]

    def _check_present(self, node_id: str, scope: Scope, now: float) -> None:
        task = self._core.tasks.task_of(scope.execution_id)
        job = self._core.jobs.jobs.get(scope.job_id)
        if task is None or job is None or task.execution_id != scope.execution_id or task.job_id != scope.job_id:
            raise CredentialError("the credential is that of an execution that has ended")
        if task.node_id != node_id:
            raise CredentialError("the credential is that of a task on another node")
        if job.state in _ENDING:
            raise CredentialError(f"the credential is that of job {job.id}, which is {job.state}")
        if not may_use_api(task, task.spec):
            raise CredentialError("the credential is that of a task that may not use the API")
        since = task.start_time
        if since is not None and now >= since + self._lifetime:
            raise CredentialError("the credential has expired")

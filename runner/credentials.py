"""What a task shows to the API: a bearer token, or a key that it signs its requests with (SharedKey).

Both follow from a secret of the deployment and are stored nowhere. They name one execution: whoever accepts them also
asks whether that execution is still the present one of its task (see `Scope`).
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256

import msgspec

from .shared_key import SharedKeyError, account_and_signature, signed_by
from .task_model import Task
from .task_spec import TaskSpec

#: The variables that hold them.
TOKEN_VARIABLE = "AZ_BATCH_AUTHENTICATION_TOKEN"
KEY_VARIABLE = "EBBTIDE_ACCOUNT_KEY"

_PREFIX = "ebbtide1."


class CredentialError(Exception):
    """The credential is refused; the message says why, and holds nothing of it."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a credential is good for: the job, as the execution, until `expires` (Instant)."""

    job_id: str
    execution_id: str
    expires: float


class _Claims(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    job_id: str
    execution_id: str
    expires: float


class Credentials:
    def __init__(self, secret: bytes) -> None:
        """`secret`: of the deployment, for this purpose only; at least 32 bytes."""
        if len(secret) < 32:
            raise ValueError("a secret of at least 32 bytes")
        self._token_secret = _derived(secret, b"bearer token")
        self._key_secret = _derived(secret, b"shared key")

    def issue(self, job_id: str, execution_id: str, expires: float) -> str:
        """A bearer token: `ebbtide1.CLAIMS.SIGNATURE`, base64url without padding."""
        claims = _text(msgspec.json.encode(_Claims(job_id, execution_id, expires)))
        return f"{_PREFIX}{claims}.{_text(_derived(self._token_secret, claims.encode()))}"

    def verify(self, token: str, now: float) -> Scope:
        """What the token is good for. Raises CredentialError."""
        claims, _, signature = token.removeprefix(_PREFIX).partition(".")
        wanted = _text(_derived(self._token_secret, claims.encode("utf-8", "replace")))
        if not token.startswith(_PREFIX) or not _same(signature, wanted):
            raise CredentialError("the token is none of this deployment, or was changed")
        found = msgspec.json.decode(_bytes(claims), type=_Claims)
        if now >= found.expires:
            raise CredentialError("the token has expired")
        return Scope(found.job_id, found.execution_id, found.expires)

    def shared_key(self, job_id: str, execution_id: str) -> str:
        """The execution's account key: base64, as clients of Azure Batch take it. It expires with the execution."""
        claims = msgspec.json.encode((job_id, execution_id))
        return base64.b64encode(_derived(self._key_secret, claims)).decode()

    def signer(
        self,
        authorization: str,
        account: str,
        method: str,
        raw_path: str,
        query: str,
        headers: Mapping[str, str],
        candidates: Iterable[tuple[str, str]],
        now: float,
    ) -> tuple[str, str]:
        """Which of the `candidates` (job id, execution id) signed the request with its key.

        A signature does not name its key, so all that may have made it are tried: those that run on the node which the
        request comes from. The rest is as in `shared_key.signed_by`. Raises CredentialError.
        """
        try:
            named, signature = account_and_signature(authorization)
            if named != account:
                raise CredentialError(f"the account is {account!r}, not {named!r} (AZ_BATCH_ACCOUNT_NAME)")
            for job_id, execution_id in candidates:
                key = self.shared_key(job_id, execution_id)
                if signed_by((key,), signature, account, method, raw_path, query, headers, now):
                    return job_id, execution_id
        except SharedKeyError as error:
            raise CredentialError(str(error)) from error
        raise CredentialError(
            "the signature is made with no key of an execution that may use the API and runs on this node"
        )


def may_use_api(task: Task, spec: TaskSpec) -> bool:
    """Does the task get credentials? Job managers do, and tasks that ask for them (authenticationTokenSettings)."""
    settings = spec.authentication_token_settings
    return task.is_job_manager or (settings is not None and "job" in settings.access)


def _derived(secret: bytes, purpose: bytes) -> bytes:
    return hmac.digest(secret, purpose, sha256)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

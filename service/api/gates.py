"""Who may ask what: accounts over the network, tasks over the door of their node, and whoever may open the socket."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Mapping
from typing import Protocol

from starlette.types import Scope as Connection

from runner import CredentialError, SharedKeyError, account_and_signature, signed_by

from ..access import Access
from .accounts import KEY, Account, AccountError
from .errors import ApiError
from .operations import Operation

log = logging.getLogger(__name__)

#: Compared with where there is no such account, so that the time tells nothing.
_NOBODY = base64.b64encode(bytes(KEY)).decode()


class Gate(Protocol):
    def __call__(
        self, connection: Connection, headers: Mapping[str, str], operation: Operation | None, ids: Mapping[str, str]
    ) -> None:
        """Lets the request through, or raises ApiError. `operation` None: there is none at the path."""


def open_gate(
    connection: Connection, headers: Mapping[str, str], operation: Operation | None, ids: Mapping[str, str]
) -> None:
    """For the socket of the state: who may open it may do everything."""


class AccountGate:
    """SharedKey, on the raw path."""

    def __init__(self, accounts: Callable[[], Mapping[str, Account]], now: Callable[[], float]) -> None:
        self._accounts = accounts
        self._now = now

    def __call__(
        self, connection: Connection, headers: Mapping[str, str], operation: Operation | None, ids: Mapping[str, str]
    ) -> None:
        account = self._account(connection, headers)
        if account.kind == "readonly" and operation is not None and not operation.reads:
            raise ApiError("AuthorizationFailure", f"the account {account.name!r} may only read")

    def _account(self, connection: Connection, headers: Mapping[str, str]) -> Account:
        shown = headers.get("authorization", "")
        if not shown:
            raise _denied("the request has no Authorization header; sign it with an account key (SharedKey)", 401)
        try:
            name, signature = account_and_signature(shown)
            account = self._known().get(name)
            signed = signed_by(
                account.keys if account is not None else (_NOBODY, _NOBODY),
                signature,
                name,
                connection["method"],
                connection["raw_path"].decode("latin-1"),
                connection["query_string"].decode("latin-1"),
                headers,
                self._now(),
            )
        except SharedKeyError as error:
            raise _denied(str(error), 403 if shown.startswith("SharedKey ") else 401) from None
        if account is None or not signed:
            raise _denied("the signature is not that of an account key; look at the account's name and key")
        return account

    def _known(self) -> Mapping[str, Account]:
        """Nobody gets in while it is not known who may."""
        try:
            return self._accounts()
        except AccountError as error:
            log.error("%s", error)
            raise ApiError("InternalError", "the accounts cannot be read; the log of the server says more") from None


class TaskGate:
    """For what comes through the door of a node: credentials of a task there reach its job, and what is below it."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def __call__(
        self, connection: Connection, headers: Mapping[str, str], operation: Operation | None, ids: Mapping[str, str]
    ) -> None:
        shown = headers.get("authorization", "")
        if not shown:
            text = "show the token of the task (Authorization: Bearer $AZ_BATCH_AUTHENTICATION_TOKEN) or sign the "
            raise _denied(f"{text}request with $EBBTIDE_ACCOUNT_KEY (SharedKey)", 401)
        try:
            scope = self._access.scope(
                connection["ebbtide.node"],
                shown,
                connection["method"],
                connection["raw_path"].decode("latin-1"),
                connection["query_string"].decode("latin-1"),
                headers,
            )
        except CredentialError as error:
            raise _denied(str(error)) from None
        if operation is not None and ids.get("jobId", "").lower() != scope.job_id.lower():
            raise ApiError("AuthorizationFailure", f"the credential reaches the job {scope.job_id!r} and its tasks")


def _denied(detail: str, status: int = 403) -> ApiError:
    text = "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly"
    return ApiError("AuthenticationFailed", f"{text}: {detail}", (("AuthenticationErrorDetail", detail),), status)

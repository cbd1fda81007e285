"""The object store of a state, as the settings describe it."""

from __future__ import annotations

from providers import InvalidRequestError
from runner import LocalStore, ObjectStore, S3Store

from .settings import ObjectStoreSettings
from .state import StateDirectory


def open_store(state: StateDirectory, wanted: ObjectStoreSettings | None) -> ObjectStore:
    """Raises InvalidRequestError. Asks nothing of S3 yet."""
    if wanted is None:
        return LocalStore(state.storage)
    if wanted.driver == "local":
        if wanted.bucket is not None or wanted.endpoint is not None:
            raise InvalidRequestError("objectStore: bucket and endpoint go with driver: s3")
        return LocalStore(state.path.joinpath(wanted.path) if wanted.path else state.storage)
    if not wanted.bucket:
        raise InvalidRequestError("objectStore: driver s3 needs a bucket")
    if wanted.path is not None:
        raise InvalidRequestError("objectStore: path goes with driver: local; use prefix")
    if (wanted.access_key_id is None) != (wanted.secret_access_key is None):
        raise InvalidRequestError("objectStore: accessKeyId and secretAccessKey go together")
    from botocore.exceptions import BotoCoreError

    try:
        return S3Store(
            wanted.bucket,
            wanted.prefix,
            region=wanted.region,
            endpoint=wanted.endpoint,
            access_key_id=wanted.access_key_id,
            secret_access_key=wanted.secret_access_key,
            session_token=wanted.session_token,
        )
    except (BotoCoreError, ValueError) as exc:
        raise InvalidRequestError(f"objectStore: {exc}") from None

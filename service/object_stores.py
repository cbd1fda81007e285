"""The object store of a state, as the settings describe it."""

from __future__ import annotations

from providers import InvalidRequestError
from runner import LocalStore, ObjectStore, S3Store, Signer, TaskFiles

from .object_store_settings import ObjectStoreSettings
from .settings import Settings
from .state import StateDirectory


def open_store(state: StateDirectory, wanted: ObjectStoreSettings | None, reserve: int = 0) -> ObjectStore:
    """`reserve`: bytes of a local directory's disk that tasks leave free. Raises InvalidRequestError. Asks nothing of
    S3 yet."""
    if wanted is None:
        return LocalStore(state.storage, reserve)
    if wanted.driver == "local":
        if wanted.bucket is not None or wanted.endpoint is not None:
            raise InvalidRequestError("objectStore: bucket and endpoint go with driver: s3")
        return LocalStore(state.path.joinpath(wanted.path) if wanted.path else state.storage, reserve)
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


def task_files(settings: Settings, signer: Signer) -> TaskFiles:
    """What tasks get of it, and how much of it."""
    return TaskFiles(
        signer,
        settings.resource_file_limit,
        settings.resource_file_timeout.total_seconds(),
        settings.checkpoint_limit,
        settings.output_file_limit,
    )

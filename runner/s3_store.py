"""The object store in an S3 bucket (or what speaks its protocol): a blob is the object `PREFIX/CONTAINER/NAME`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from .object_store import PAGE, PIECE, Blob, Page, StoreError, Upload, check_names, not_found

#: Bytes of a part of a large upload: S3 takes at least 5 MiB and 10,000 parts, so blobs of up to 160 GB; later parts
#: are larger, which takes it to S3's own limit of 5 TB.
_PART = 16 << 20
_GROW_EVERY = 1000
#: What S3 takes by one PUT.
SINGLE = 5 << 30
#: Longest that a presigned address is good for (S3: 7 days).
_PRESIGNED = 7 * 86400.0

_MISSING = frozenset(("404", "NoSuchKey", "NotFound"))
_DENIED = frozenset(("403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"))


class S3Store:
    """Keys are those given, or what boto3 finds in its usual places."""

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        region: str | None = None,
        endpoint: str | None = None,
        access_key_id: str | None = None,
        secret_access_key: str | None = None,
        session_token: str | None = None,
    ) -> None:
        import boto3
        from botocore.config import Config

        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._client: Any = boto3.client(
            "s3",
            region_name=region,
            endpoint_url=endpoint,
            aws_access_key_id=access_key_id,
            aws_secret_access_key=secret_access_key,
            aws_session_token=session_token,
            config=Config(
                signature_version="s3v4",
                retries={"mode": "standard", "max_attempts": 5},
                max_pool_connections=32,
                # other makers' stores do not know the newer checksums
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                # by path where the endpoint is somebody's own, who has no name per bucket
                s3={"addressing_style": "path" if endpoint else "auto"},
            ),
        )

    def begin(self, container: str, name: str) -> Upload:
        return _S3Upload(self._client, self._bucket, self._key(container, name), name)

    def stat(self, container: str, name: str) -> Blob:
        key = self._key(container, name)
        with _told(container, name):
            found = self._client.head_object(Bucket=self._bucket, Key=key)
        return Blob(name, found["ContentLength"], found["LastModified"].timestamp(), _etag(found))

    def read(self, container: str, name: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        key = self._key(container, name)
        if length == 0:
            return iter(())
        wanted = {"Range": f"bytes={start}-{'' if length is None else start + length - 1}"}
        ranged = wanted if start or length is not None else {}
        try:
            with _told(container, name):
                body = self._client.get_object(Bucket=self._bucket, Key=key, **ranged)["Body"]
        except StoreError as exc:
            if exc.code == "InvalidRange":
                return iter(())
            raise
        return _pieces(body, container, name)

    def delete(self, container: str, name: str) -> None:
        self.stat(container, name)  # S3 does not say whether there was something to delete
        with _told(container, name):
            self._client.delete_object(Bucket=self._bucket, Key=self._key(container, name))

    def page(self, container: str, prefix: str = "", after: str = "", limit: int = PAGE) -> Page:
        check_names(container)
        top = f"{self._prefix}{container}/"
        found: list[Blob] = []
        wanted = {"Bucket": self._bucket, "Prefix": top + prefix, "StartAfter": top + after}
        with _told(container, prefix):
            while True:
                found_now = self._client.list_objects_v2(**wanted, MaxKeys=min(1000, limit + 1 - len(found)))
                for each in found_now.get("Contents", ()):
                    name = each["Key"][len(top) :]
                    if name:  # some tools make an object for the folder itself
                        found.append(Blob(name, each["Size"], each["LastModified"].timestamp(), _etag(each)))
                if len(found) > limit:
                    return Page(tuple(found[:limit]), found[limit - 1].name)
                if not found_now.get("IsTruncated"):
                    return Page(tuple(found))
                wanted = {**wanted, "ContinuationToken": found_now["NextContinuationToken"]}

    def containers(self) -> list[str]:
        found: list[str] = []
        with _told("", ""):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._prefix, Delimiter="/"
            )
            for page in pages:
                found += [each["Prefix"][len(self._prefix) : -1] for each in page.get("CommonPrefixes", ())]
        return sorted(found)

    def file(self, container: str, name: str) -> None:
        return None

    def room(self) -> int | None:
        return None

    def redirect(self, method: str, container: str, name: str, seconds: float, size: int | None = None) -> str | None:
        operation = {"GET": "get_object", "PUT": "put_object"}[method]
        parameters: dict[str, Any] = {"Bucket": self._bucket, "Key": self._key(container, name)}
        if size is not None:
            parameters["ContentLength"] = size  # is signed with the rest
        url: str = self._client.generate_presigned_url(
            operation, Params=parameters, ExpiresIn=int(min(seconds, _PRESIGNED))
        )
        return url

    def _key(self, container: str, name: str) -> str:
        check_names(container, name)
        key = f"{self._prefix}{container}/{name}"
        if len(key.encode()) > 1024:
            raise StoreError("InvalidResourceName", f"{name[:80]!r} is too long for S3, which takes 1024 bytes in all")
        return key


class _S3Upload(Upload):
    """One PUT while it is small, else part by part."""

    def __init__(self, client: Any, bucket: str, key: str, name: str) -> None:
        self._client = client
        self._where = {"Bucket": bucket, "Key": key}
        self._name = name
        self._buffer = bytearray()
        self._size = 0
        self._id: str | None = None
        self._parts: list[dict[str, Any]] = []

    def write(self, piece: bytes) -> None:
        self._buffer += piece
        self._size += len(piece)
        if len(self._buffer) >= _PART * (1 + len(self._parts) // _GROW_EVERY):
            with _told("", self._name):
                self._send_part()

    def commit(self) -> Blob:
        with _told("", self._name):
            return self._finish()

    def abort(self) -> None:
        if self._id is not None:
            try:
                self._client.abort_multipart_upload(**self._where, UploadId=self._id)
            except Exception:  # noqa: BLE001 - there is a failure already; S3's life-cycle rules clean up
                pass
            self._id = None

    def _send_part(self) -> None:
        if self._id is None:
            self._id = self._client.create_multipart_upload(**self._where)["UploadId"]
        number = len(self._parts) + 1
        done = self._client.upload_part(
            **self._where, UploadId=self._id, PartNumber=number, Body=bytes(self._buffer)
        )
        self._parts.append({"PartNumber": number, "ETag": done["ETag"]})
        self._buffer.clear()

    def _finish(self) -> Blob:
        if self._id is None:
            done = self._client.put_object(**self._where, Body=bytes(self._buffer))
        else:
            if self._buffer:
                self._send_part()
            done = self._client.complete_multipart_upload(
                **self._where, UploadId=self._id, MultipartUpload={"Parts": self._parts}
            )
            self._id = None
        found = self._client.head_object(**self._where)
        return Blob(self._name, self._size, found["LastModified"].timestamp(), _etag(done))


@contextmanager
def _told(container: str, name: str) -> Iterator[None]:
    """Every failure as a StoreError."""
    try:
        yield
    except (StoreError, GeneratorExit):
        raise
    except Exception as exc:
        # botocore makes its exceptions as it runs, and lets those of the network through
        raise _failure(exc, container, name) from exc


def _pieces(body: Any, container: str, name: str) -> Iterator[bytes]:
    with closing(body), _told(container, name):
        yield from body.iter_chunks(PIECE)


def _etag(found: Any) -> str:
    return str(found.get("ETag", "")).strip('"')


def _code(exc: Exception) -> str:
    response = getattr(exc, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def _failure(exc: Exception, container: str, name: str) -> StoreError:
    code = _code(exc)
    if code == "NoSuchBucket":
        return StoreError("InternalError", "the bucket of the object store is not there; make it, or name another")
    if code in ("416", "InvalidRange"):
        return StoreError("InvalidRange", f"the blob {name!r} has fewer bytes")
    if code in _MISSING:
        return not_found(container, name)
    if code in _DENIED:
        return StoreError("InternalError", f"S3 refuses the keys of the object store ({code}); correct objectStore")
    text = re.sub(r"\?\S*", "", str(exc))  # what follows an address may be a signature
    return StoreError("InternalError", f"S3: {text}")

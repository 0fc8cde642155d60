"""Objects in S3-compatible storage: put, list, get. Imported by the archive alone; botocore costs 350 ms to start."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from common import settings
from common.errors import Misconfigured, Unavailable

WHAT = "Object storage"
PART_BYTES = 8 * 1024 * 1024  # what is larger goes in parts of this size; S3 wants at least five megabytes
PAGE = 1000  # names an answer
CONNECT_SECONDS, ANSWER_SECONDS = 5, 30


class Objects:
    """One bucket. Every failure is the world's, also a wrong key or a missing bucket: no object is to blame for it."""

    def __init__(self, where: settings.Objects) -> None:
        self._where, self._bucket, self._prefix = where, where.bucket, where.prefix
        self._keys = _keys(where)
        self._made = _client(where, self._keys)

    @property
    def _client(self) -> Any:
        """Another one when the keys have changed."""
        if (keys := _keys(self._where)) != self._keys:
            self._made.close()
            self._keys, self._made = keys, _client(self._where, keys)
        return self._made

    def put(self, name: str, body: bytes) -> None:
        """The whole object is there for good when this returns; one of that name is replaced."""
        with asking():
            if len(body) <= PART_BYTES:
                self._client.put_object(**self._named(name), Body=body)
            else:
                self._put_in_parts(self._named(name), body)

    def get(self, name: str) -> bytes:
        with asking():
            body: bytes = self._client.get_object(**self._named(name))["Body"].read()
        return body

    def names(self, beginning: str = "") -> Iterator[str]:
        """In alphabetical order, however many there are."""
        asked = {"Bucket": self._bucket, "Prefix": self._prefix + beginning, "PaginationConfig": {"PageSize": PAGE}}
        with asking():
            for page in self._client.get_paginator("list_objects_v2").paginate(**asked):
                for one in page.get("Contents", ()):
                    yield one["Key"][len(self._prefix) :]

    def close(self) -> None:
        self._client.close()

    def _named(self, name: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._prefix + name}

    def _put_in_parts(self, named: dict[str, str], body: bytes) -> None:
        """Invisible until the last call; parts left over by a crash are a lifecycle rule's business."""
        upload = named | {"UploadId": self._client.create_multipart_upload(**named)["UploadId"]}
        try:
            parts = []
            for number, start in enumerate(range(0, len(body), PART_BYTES), 1):
                part = body[start : start + PART_BYTES]
                etag = self._client.upload_part(**upload, PartNumber=number, Body=part)["ETag"]
                parts.append({"PartNumber": number, "ETag": etag})
            self._client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
        except (BotoCoreError, ClientError):
            self._client.abort_multipart_upload(**upload)
            raise


def objects_for(configured: settings.Settings) -> Objects:
    if configured.objects is None:
        raise Misconfigured("S3_BUCKET is not set: name the bucket of the archive, or do not feed the archiver.")
    return Objects(configured.objects)


@contextmanager
def asking() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise Unavailable(WHAT, str(error)) from error


def _keys(where: settings.Objects) -> tuple[str, str]:
    return where.access_key.reveal(), where.secret_key.reveal()


def _client(where: settings.Objects, keys: tuple[str, str]) -> Any:
    """Without keys, whatever the platform provides: on AWS, the function's role."""
    return botocore.session.get_session().create_client(
        "s3",
        region_name=where.region,
        endpoint_url=where.endpoint_url or None,
        aws_access_key_id=keys[0] or None,
        aws_secret_access_key=keys[1] or None,
        config=Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=ANSWER_SECONDS,
            retries={"mode": "standard", "total_max_attempts": 3},
            # Elsewhere than at AWS a bucket has no host name of its own, and checksums in trailers are unknown.
            s3={"addressing_style": "path" if where.endpoint_url else "auto"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )

"""Where lines come from: NDJSON files, plain or gzip, folders of them, and archives in object storage."""

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from local.sending.target import Unusable

ENDINGS = (".ndjson", ".ndjson.gz", ".jsonl", ".jsonl.gz")
# As the archiver names its objects; sorted by time, partition and offset, a partition's records come in their order.
ARCHIVED = re.compile(r"partition=(\d+)/(\d+)-\d+-(\d+)\.ndjson\.gz$")
S3 = "s3"


class Source(NamedTuple):
    """One file or object; its lines are read anew each time they are asked for."""

    name: str
    size: int
    lines: Callable[[], Iterator[bytes]]


def sources(given: list[str], environ: Mapping[str, str]) -> list[Source]:
    """In the order given; those of a folder or bucket by name, an archive's by time."""
    return [source for one in given for source in _of(one, environ)]


def about(found: list[Source]) -> str:
    """Another text for other sources; lines of the same number may be other ones then."""
    named = [(source.name.rpartition("/")[2], source.size) for source in found]
    return hashlib.sha256(json.dumps(named).encode()).hexdigest()


def _of(given: str, environ: Mapping[str, str]) -> list[Source]:
    if urlsplit(given).scheme == S3:
        return _in_bucket(given, environ)
    path = Path(given)
    if path.is_dir():
        found = sorted((str(one) for one in path.rglob("*") if one.name.endswith(ENDINGS)), key=in_order)
        if not found:
            raise Unusable(f"{given} has no file that ends in {' or '.join(ENDINGS)}.")
        return [_file(name) for name in found]
    if not path.is_file():
        raise Unusable(f"{given} is neither a file nor a folder, nor s3://bucket/prefix.")
    return [_file(given)]


def in_order(name: str) -> tuple[int, int, int, str]:
    found = ARCHIVED.search(name)
    partition, first, time = found.groups() if found else ("0", "0", "0")
    return int(time), int(partition), int(first), name


def _file(name: str) -> Source:
    path = Path(name)
    with readable(name):
        return Source(name, path.stat().st_size, partial(_of_file, path))


def _of_file(path: Path) -> Iterator[bytes]:
    with readable(str(path)), gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        yield from file


@contextmanager
def readable(name: str, *failures: type[Exception]) -> Iterator[None]:
    """What cannot be read, or no more of it, is named in one sentence."""
    caught: tuple[type[Exception], ...] = (OSError, EOFError, zlib.error, *failures)
    try:
        yield
    except caught as error:
        raise Unusable(f"{name} cannot be read: {error}") from error


def _in_bucket(given: str, environ: Mapping[str, str]) -> list[Source]:
    where = urlsplit(given)
    with _asking(given):
        client = _client(environ)
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=where.netloc, Prefix=where.path.lstrip("/"))
        sizes = {one["Key"]: one["Size"] for page in pages for one in page.get("Contents", ())}
    names = sorted((name for name in sizes if name.endswith(ENDINGS)), key=in_order)
    if not names:
        raise Unusable(f"{given} holds no object that ends in {' or '.join(ENDINGS)}.")
    return [Source(name, sizes[name], partial(_of_object, client, where.netloc, name)) for name in names]


def _of_object(client: Any, bucket: str, name: str) -> Iterator[bytes]:
    with _asking(name):
        body: bytes = client.get_object(Bucket=bucket, Key=name)["Body"].read()
        yield from (gzip.decompress(body) if name.endswith(".gz") else body).splitlines()


@contextmanager
def _asking(name: str) -> Iterator[None]:
    try:
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError:
        raise Unusable("Reading from object storage needs botocore: .venv/bin/pip install botocore.") from None
    with readable(name, BotoCoreError, ClientError, ValueError):  # that of an address that is none
        yield


def _client(environ: Mapping[str, str]) -> Any:
    """With the variables of the archiver; without them, whatever the machine provides."""
    import botocore.session
    from botocore.config import Config

    return botocore.session.get_session().create_client(
        "s3",
        region_name=environ.get("S3_REGION") or "us-east-1",
        endpoint_url=environ.get("S3_ENDPOINT_URL") or None,
        aws_access_key_id=environ.get("S3_ACCESS_KEY") or None,
        aws_secret_access_key=environ.get("S3_SECRET_KEY") or None,
        config=Config(s3={"addressing_style": "path" if environ.get("S3_ENDPOINT_URL") else "auto"}),
    )

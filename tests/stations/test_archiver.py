"""The archiver as a real process on S3-compatible storage: what is kept, what comes back, and what if there is none."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from botocore.exceptions import ClientError

from common import settings, topics
from common.clients import archive, objects
from common.clients.objects import Objects, objects_for
from common.edge.records import Record
from common.errors import Misconfigured, Unavailable
from tests.fed import AT, TAKEN, Fed, record
from tests.stations.test_search_contract import sealed

DAY_MS = 86_400_000


def bucket(objects_url: str, **more: str) -> dict[str, str]:
    """The variables of a new, empty bucket."""
    name = f"b{uuid4().hex}"
    httpx.put(f"{objects_url}/{name}").raise_for_status()
    given = {"S3_ENDPOINT_URL": objects_url, "S3_BUCKET": name, "S3_ACCESS_KEY": "local", "S3_SECRET_KEY": "local"}
    return given | more


def storage(environ: dict[str, str]) -> Objects:
    return objects_for(settings.read(environ))


@pytest.fixture
def environ(objects_url: str) -> dict[str, str]:
    return bucket(objects_url)


@pytest.fixture
def kept(environ: dict[str, str]) -> Iterator[Objects]:
    made = storage(environ)
    yield made
    made.close()


class Archiver(Fed):
    """One process for several tests; each has a day of its own."""

    def __init__(self, home: Path, environ: dict[str, str]) -> None:
        super().__init__("archiver", home, environ)
        self.kept = storage(environ)

    def names(self, day: int) -> list[str]:
        return [name for name in self.kept.names() if f"/day=2026-03-{day:02}/" in name]

    def records(self, day: int) -> list[Record]:
        return list(archive.read(self.kept, topics.RAW, date(2026, 3, day), date(2026, 3, day)))


@pytest.fixture(scope="module")
def archiver(objects_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archiver]:
    made = Archiver(tmp_path_factory.mktemp("archiver"), bucket(objects_url))
    yield made
    made.close()


def test_a_batch_is_in_the_archive_when_it_is_answered_and_comes_back_as_it_was(archiver: Archiver) -> None:
    batch = [record(n, sealed("acme", f"event {n}"), partition=n % 3) for n in range(90)]
    odd = [record(90, b"not json"), record(91, None), record(92, b"\xff\n", key=None)]
    answer = archiver.post(batch + odd)
    assert (answer.status, answer.json()) == (200, TAKEN)
    assert [name.split("/")[2] for name in archiver.names(1)] == ["partition=0", "partition=1", "partition=2"]
    assert sorted(archiver.records(1), key=place) == sorted(batch + odd, key=place)
    assert archiver.letters(0) == []


def test_batches_that_come_again_are_given_once(archiver: Archiver) -> None:
    batch = [record(n, sealed("acme", f"event {n}"), at=AT + DAY_MS) for n in range(50)]
    for some in (batch[:20], batch[:20], batch[:35], batch[20:]):
        assert archiver.post(some).status == 200
    assert len(archiver.names(2)) == 3
    assert archiver.records(2) == batch


def test_a_caller_without_the_internal_key_is_refused(archiver: Archiver) -> None:
    assert archiver.post([record(0, b"{}", at=AT + 2 * DAY_MS)], key="").status == 401
    assert archiver.names(3) == []


def place(one: Record) -> tuple[int, int]:
    return one.partition, one.offset


@pytest.mark.parametrize(
    "broken", [{"S3_ENDPOINT_URL": "http://127.0.0.1:1"}, {"S3_BUCKET": "nobody-made-it"}], ids=str
)
def test_without_storage_the_batch_comes_again(environ: dict[str, str], broken: dict[str, str], tmp_path: Path) -> None:
    archiver = Fed("archiver", tmp_path, environ | broken)
    answer = archiver.post([record(0, b"not json")])
    assert (answer.status, answer.json()["code"]) == (503, "unavailable")
    assert archiver.letters(0) == []
    [line] = [line for line in archiver.host.lines() if "why" in line]
    assert "127.0.0.1:1" in line["why"] or "NoSuchBucket" in line["why"]
    archiver.close()


def test_without_a_bucket_it_says_what_to_set_and_the_batch_waits(tmp_path: Path) -> None:
    archiver = Fed("archiver", tmp_path, {})
    answer = archiver.post([record(0, b"{}")])
    assert (answer.status, answer.json()["code"]) == (500, "misconfigured")
    assert any("S3_BUCKET is not set" in str(line.get("error")) for line in archiver.host.lines())
    archiver.close()
    with pytest.raises(Misconfigured, match="S3_BUCKET"):
        objects_for(settings.read({}))


def test_an_object_comes_back_and_is_replaced(kept: Objects) -> None:
    for body in (b"first", b"", b"second"):
        kept.put("a/b=1/c.gz", body)
        assert kept.get("a/b=1/c.gz") == body
    with pytest.raises(Unavailable, match="NoSuchKey"):
        kept.get("nothing")


def test_a_large_object_goes_in_parts_and_is_whole(kept: Objects) -> None:
    body = bytes(range(256)) * (objects.PART_BYTES // 256) + b"the rest" * 1_000_000
    kept.put("large", body)
    assert kept.get("large") == body
    tag = kept._client.head_object(**kept._named("large"))["ETag"]
    assert tag.strip('"').endswith("-2"), "it went in one piece"


def test_an_object_that_broke_off_is_not_there_and_leaves_no_parts(
    kept: Objects, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    send = kept._client.upload_part

    def breaks(**part: object) -> object:
        if part["PartNumber"] == 2:
            raise ClientError({"Error": {"Code": "SlowDown", "Message": "Please reduce your rate."}}, "UploadPart")
        return send(**part)

    monkeypatch.setattr(kept._client, "upload_part", breaks)
    with pytest.raises(Unavailable, match="SlowDown"):
        kept.put("large", bytes(objects.PART_BYTES + 1))
    assert list(kept.names()) == []
    assert "Uploads" not in kept._client.list_multipart_uploads(Bucket=environ["S3_BUCKET"])


def test_names_come_in_order_however_many_there_are(kept: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "PAGE", 5)
    names = [f"x/{n:04}" for n in range(23)]
    for name in names:
        kept.put(name, b"")
    kept.put("y/0", b"")
    assert list(kept.names("x/")) == names


def test_a_prefix_is_before_every_name_and_in_none(objects_url: str) -> None:
    environ = bucket(objects_url, S3_PREFIX="prod/archive/")
    ours = storage(environ)
    ours.put("a", b"1")
    storage(environ | {"S3_PREFIX": ""}).put("a", b"2")
    assert list(ours.names()) == ["a"]
    assert ours.get("a") == b"1"
    assert list(storage(environ | {"S3_PREFIX": ""}).names()) == ["a", "prod/archive/a"]

"""Encrypted connections to Postgres and Kafka: the right CA and password are let in, anything else is told why not."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from common import settings
from common.clients.stream import Stream, kafka_topics, stream_for
from common.errors import Misconfigured, Unavailable
from tests import certificates, servers
from tests.certificates import Certificates
from tests.encrypted import EncryptedDoor
from tests.streams import SPARE_PASSWORD, SPARE_USER, Engine, spare

Environ = dict[str, str]


class Door:
    """An encrypted server, and how to ask for it with something changed."""

    def __init__(self, certificates: Certificates, topic: str, environ: Callable[..., Environ], plain: Environ) -> None:
        self.certificates, self.topic, self.environ, self.plain = certificates, topic, environ, plain


@pytest.fixture(scope="module")
def postgres() -> Iterator[Door]:
    home = servers.home() / "stunnel"
    home.mkdir()
    engine = Engine("postgres")
    door = EncryptedDoor(home, servers.postgres().port, certificates.make(home))
    door.start()
    right = engine.settings.database

    def environ(ca: str = "", host: str = "localhost", password: str = right.password.reveal()) -> Environ:
        url = f"postgresql://{right.user}:{password}@{host}:{door.port}/{right.database}"
        return {"DATABASE_URL": url, "PG_SSLMODE": "verify-full", "PG_CA_CERT": ca}

    plain = {"DATABASE_URL": environ()["DATABASE_URL"], "PG_SSLMODE": "disable"}
    yield Door(door.certificates, engine.topic(), environ, plain)
    door.stop()
    engine.close()


@pytest.fixture(scope="module")
def kafka() -> Door:
    server, made = spare()
    where = settings.read({"KAFKA_BROKERS": server.brokers}).kafka
    assert where
    kafka_topics.make(where, "encrypted", 1, 86_400)

    def environ(ca: str = "", host: str = "localhost", password: str = SPARE_PASSWORD) -> Environ:
        return {
            "KAFKA_BROKERS": f"{host}:{server.tls_port}",
            "KAFKA_SASL_USERNAME": SPARE_USER,  # and with that, SASL_SSL and SCRAM-SHA-256
            "KAFKA_SASL_PASSWORD": password,
            "KAFKA_CA_CERT": ca,
        }

    return Door(made, "encrypted", environ, {"KAFKA_BROKERS": f"localhost:{server.tls_port}"})


@pytest.fixture(params=["postgres", "kafka"])
def door(request: pytest.FixtureRequest) -> Door:
    door: Door = request.getfixturevalue(request.param)
    return door


@pytest.fixture
def stream() -> Iterator[Callable[[Environ], Stream]]:
    made: list[Stream] = []

    def make(environ: Environ) -> Stream:
        made.append(stream_for(settings.read(environ)))
        return made[-1]

    yield make
    for one in made:
        one.close()


def publish(stream: Stream, topic: str) -> None:
    stream.publish(topic, [(None, b"1")]).wait()


@pytest.mark.parametrize("give", [str, Path.read_text], ids=["by path", "by text"])
def test_with_the_right_ca_and_password_it_works(door: Door, stream: Callable[[Environ], Stream], give) -> None:  # type: ignore[no-untyped-def]
    made = stream(door.environ(ca=give(door.certificates.ca)))
    publish(made, door.topic)
    assert made.ends(door.topic)[0][1] > 0
    reader = made.reader(door.topic, "encrypted")
    assert reader.read(1, 1000, 10)
    reader.commit({0: 1})
    reader.close()


def test_anything_else_is_refused_with_the_reason(door: Door, stream: Callable[[Environ], Stream]) -> None:
    right, stranger = str(door.certificates.ca), str(door.certificates.stranger)
    unverified = r"certificate verify failed|unable to get local issuer|self-signed"
    wrong = {
        unverified: [door.environ(), door.environ(ca=stranger)],  # no CA, and that of a stranger
        r"mismatch|not valid for|verify failed": [door.environ(ca=right, host="127.0.0.1")],
        r"password|[Aa]uthentication": [door.environ(ca=right, password="wrong")],
    }
    made = [(reason, stream(environ)) for reason, environs in wrong.items() for environ in environs]
    calls = [(reason, one.publish(door.topic, [(None, b"1")])) for reason, one in made]  # all at once: they take time
    for reason, call in calls:
        with pytest.raises(Unavailable, match=reason):
            call.wait()
    with pytest.raises(Unavailable, match=reason):
        made[-1][1].ends(door.topic)


def test_a_password_that_changes_in_its_file_is_taken_up_by_the_same_stream(
    door: Door, stream: Callable[[Environ], Stream], tmp_path: Path
) -> None:
    right, wrong = (door.environ(ca=str(door.certificates.ca), **more) for more in ({}, {"password": "wrong"}))
    [secret] = [name for name in right if right[name] != wrong[name]]
    file = tmp_path / "secret"
    file.write_text(wrong[secret])
    made = stream({name: value for name, value in right.items() if name != secret} | {f"{secret}_FILE": str(file)})
    refused = made.publish(door.topic, [(None, b"1")])
    for call in (lambda: made.ends(door.topic), refused.wait):
        with pytest.raises(Unavailable, match=r"password|[Aa]uthentication"):
            call()
    file.write_text(right[secret])
    publish(made, door.topic)
    assert made.ends(door.topic)[0][1] > 0


def test_plain_text_to_an_encrypted_port_is_refused_with_the_reason(
    door: Door, stream: Callable[[Environ], Stream]
) -> None:
    with pytest.raises(Unavailable, match=r"SSL|TLS|encrypt"):
        publish(stream(door.plain), door.topic)


def test_a_ca_that_cannot_be_read_is_an_error_before_anything_is_sent(
    door: Door, stream: Callable[[Environ], Stream], tmp_path: Path
) -> None:
    for ca in (tmp_path / "nothing here", tmp_path):
        with pytest.raises(Misconfigured, match=r"(PG|KAFKA)_CA_CERT"):
            publish(stream(door.environ(ca=str(ca))), door.topic)

"""Settings: what the environment may say, and the one sentence it gets when it is wrong."""

from pathlib import Path

import pytest

from common import settings
from common.clients import objects
from common.clients.search import node
from common.errors import Misconfigured
from common.variables import VARIABLES
from local import harness

URL = "postgresql://app:s3cret@db.example:6432/signals"


def test_nothing_set_means_every_engine_in_postgres_and_no_extras() -> None:
    read = settings.read({})
    assert (read.postgres, read.kafka, read.opensearch, read.model, read.objects) == (None,) * 5
    assert read.keep.stream == 7 * 86_400
    assert read.environments == ("prod", "staging", "dev")


def test_without_a_database_the_sentence_says_what_to_set() -> None:
    with pytest.raises(Misconfigured, match="DATABASE_URL is not set"):
        _ = settings.read({}).database


@pytest.mark.parametrize(
    ("environ", "sslmode"),
    [
        ({"DATABASE_URL": "postgresql://a:b@127.0.0.1:5432/x"}, "disable"),  # loopback: nobody listens in
        ({"DATABASE_URL": "postgresql://a:b@/x?host=/var/run/postgresql"}, "disable"),  # a socket
        ({"DATABASE_URL": URL}, "verify-full"),
        ({"DATABASE_URL": URL + "?sslmode=require"}, "require"),
        ({"DATABASE_URL": URL + "?sslmode=require", "PG_SSLMODE": "disable"}, "disable"),  # the variable wins
    ],
)
def test_encryption_is_required_off_this_machine(environ: dict[str, str], sslmode: str) -> None:
    assert settings.read(environ).database.sslmode == sslmode


def test_a_url_is_taken_apart_with_its_escapes() -> None:
    read = settings.read({"DATABASE_URL": "postgres://us%40er:p%2Fw@[::1]:7/na%20me"}).database
    assert (read.user, read.password.reveal(), read.host, read.port, read.database) == (
        "us@er",
        "p/w",
        "::1",
        7,
        "na me",
    )


def test_the_port_has_a_default() -> None:
    assert settings.read({"DATABASE_URL": "postgresql://a:b@db.example/x"}).database.port == 5432


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"DATABASE_URL": "mysql://a@b/c"}, "must read postgresql://"),
        ({"DATABASE_URL": "postgresql://a@b:x/c"}, "port"),
        ({"DATABASE_URL": URL + "?options=-c"}, "options is not understood"),
        ({"DATABASE_URL": URL, "PG_SSLMODE": "prefer"}, "PG_SSLMODE is 'prefer'"),
        ({"KAFKA_BROKERS": "broker"}, "has no port"),
        ({"KAFKA_BROKERS": "b:1", "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT"}, "it may be PLAINTEXT"),
        ({"KAFKA_BROKERS": "b:1", "KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "set KAFKA_SASL_USERNAME"),
        (
            {"KAFKA_BROKERS": "b:1", "KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SASL_USERNAME": "u"},
            "sends no credentials",
        ),
        ({"OPENSEARCH_URL": "search:9200"}, "must read https"),
        ({"OPENSEARCH_URL": "https://u:p@search:9200"}, "put them in OPENSEARCH_USER"),
        ({"KEEP_STREAM": "7"}, "such as 7d"),
        ({"KEEP_STREAM": "0d"}, "such as 7d"),
        ({"STREAM_PARTITIONS": "0"}, "whole number from 1 to 1000"),
        ({"LOG_LEVEL": "loud"}, "it may be debug"),
        ({"GRADIENT_BASE_URL": "http://m", "MODEL_DEADLINE_SECONDS": "91"}, "from 1 to 90"),
        ({"DATABASE_URL": URL, "CLOCK_OFFSET_SECONDS": "60"}, "local stack only"),
        ({"KAFKA_BROKER": "b:1"}, "did you mean KAFKA_BROKERS?"),
        ({"DATABASE_URI": URL}, "did you mean DATABASE_URL?"),
        ({"KEEP_QWXYZ": "1d"}, "ours are KEEP_BUCKETS"),
    ],
)
def test_a_mistake_gets_one_sentence(environ: dict[str, str], sentence: str) -> None:
    with pytest.raises(Misconfigured, match=sentence.replace("?", r"\?")):
        settings.read(environ)


def test_credentials_without_a_protocol_mean_an_encrypted_login() -> None:
    kafka = settings.read({"KAFKA_BROKERS": "b:1", "KAFKA_USERNAME": "u", "KAFKA_PASSWORD": "p"}).kafka
    assert kafka
    assert (kafka.protocol, kafka.mechanism, kafka.username) == ("SASL_SSL", "SCRAM-SHA-256", "u")


def test_other_peoples_variables_are_left_alone() -> None:
    settings.read({"PATH": "/bin", "PGHOST": "x", "AWS_REGION": "y", "LOGNAME": "z", "PUBLIC_IP": "1"})


def test_the_clock_may_move_on_a_local_stack() -> None:
    environ = {"DATABASE_URL": "postgresql://a:b@localhost/x", "CLOCK_OFFSET_SECONDS": "-3600"}
    assert settings.read(environ).clock_offset_seconds == -3600


def test_no_secret_is_ever_printed() -> None:
    every_secret = {one.name: "hunter2" for one in VARIABLES if one.secret} | {
        "DATABASE_URL": "postgresql://u:hunter2@h/d"
    }
    more = {"KAFKA_BROKERS": "b:1", "KAFKA_SASL_USERNAME": "u", "OPENSEARCH_URL": "http://o", "S3_BUCKET": "b"}
    printed = repr(settings.read(every_secret | more | {"GRADIENT_BASE_URL": "http://m"}))
    assert "hunter2" not in printed
    assert printed.count("*****") == len(every_secret)


def test_a_secret_in_a_file_is_read_whenever_it_is_needed(tmp_path: Path) -> None:
    """Where it is sent each time; how clients that log in once take it up, the streams' and bundles' tests show."""
    names = ("DATABASE_URL", "OPENSEARCH_PASS", "S3_ACCESS_KEY", "S3_SECRET_KEY", "INTERNAL_KEY", "GRADIENT_API_KEY")
    files = {name: tmp_path / name for name in names}

    def write(word: str) -> None:
        for name, file in files.items():
            file.write_text(f"postgresql://{word}:{word}@h/d\n" if name == "DATABASE_URL" else f"{word}\n")

    write("first")
    others = {"OPENSEARCH_URL": "http://o", "OPENSEARCH_USER": "u", "S3_BUCKET": "b", "GRADIENT_BASE_URL": "http://m"}
    read = settings.read({f"{name}_FILE": str(file) for name, file in files.items()} | others)
    assert read.opensearch
    assert read.objects
    assert read.model
    before = node._headers(read.opensearch)
    write("second")
    now = read.database.now()
    assert (now.user, now.password.reveal(), now.host, now.database) == ("second", "second", "h", "d")
    assert node._headers(read.opensearch) != before
    assert objects._keys(read.objects) == ("second", "second")
    assert (read.internal_keys, read.model.api_key.reveal()) == (["second"], "second")


def test_a_secret_whose_file_cannot_be_read_gets_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"DATABASE_URL_FILE: .*/none cannot be read: No such file"):
        settings.read({"DATABASE_URL_FILE": str(tmp_path / "none")})


def test_every_variable_is_documented_and_named_once() -> None:
    names = [one.name for one in VARIABLES]
    assert len(names) == len(set(names))
    assert all(one.meaning.endswith(".") for one in VARIABLES)


def test_a_local_stack_takes_a_store_that_a_file_names_for_given(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text(f"{URL}\n")
    given = harness.given_connections({"DATABASE_URL_FILE": str(file), "PATH": "/bin"})
    assert given == {"DATABASE_URL_FILE": str(file), "DATABASE_URL": URL}

"""Settings: what the environment may say, and the one sentence it gets when it is wrong."""

import pytest

from common import settings
from common.errors import Misconfigured
from common.variables import VARIABLES

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


def test_every_variable_is_documented_and_named_once() -> None:
    names = [one.name for one in VARIABLES]
    assert len(names) == len(set(names))
    assert all(one.meaning.endswith(".") for one in VARIABLES)

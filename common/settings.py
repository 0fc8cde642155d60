"""Every setting, read once from the environment: typed, and secrets never printed."""

import os
from collections.abc import Mapping
from functools import cache, partial
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from common import lookup
from common.errors import Misconfigured
from common.lookup import Get
from common.secret import Secret

LOOPBACK = ("localhost", "127.0.0.1", "::1")
PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_SSL")
MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN")
# `allow` and `prefer` are missing on purpose: both may fall back to plain text without a word.
SSL_MODES = ("disable", "require", "verify-ca", "verify-full")


class Postgres(msgspec.Struct, frozen=True):
    host: str
    port: int
    database: str
    user: str
    password: Secret
    sslmode: str
    ca: str
    file: str = ""  # the address lies there

    def now(self) -> "Postgres":
        """As its file says it now: a new password may have come with a new user."""
        if not self.file:
            return self
        return msgspec.structs.replace(self, **_address(lookup.contents(self.file, "DATABASE_URL_FILE")))


class Kafka(msgspec.Struct, frozen=True):
    brokers: str
    protocol: str
    username: str
    password: Secret
    mechanism: str
    ca: str


class OpenSearch(msgspec.Struct, frozen=True):
    url: str
    user: str
    password: Secret
    ca: str


class Model(msgspec.Struct, frozen=True):
    base_url: str
    api_key: Secret
    name: str
    deadline_seconds: int
    tokens_per_day: int  # of a project that has no limit of its own
    input_price: float  # of a million tokens; zero: unknown
    output_price: float


class Objects(msgspec.Struct, frozen=True):
    endpoint_url: str
    region: str
    bucket: str
    prefix: str
    access_key: Secret
    secret_key: Secret


class Keep(msgspec.Struct, frozen=True):
    """How long each thing is kept, in seconds."""

    stream: int
    events: int
    buckets: int
    ids: int
    dead: int


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the environment said. None means: not configured, use the engine in Postgres or do without."""

    postgres: Postgres | None
    kafka: Kafka | None
    opensearch: OpenSearch | None
    model: Model | None
    objects: Objects | None
    keep: Keep
    environments: tuple[str, ...]
    max_event_bytes: int
    max_batch_events: int
    max_body_bytes: int
    internal_key: Secret
    metrics_token: Secret
    public_url: str
    ingest_url: str
    cors_origins: tuple[str, ...]
    log_level: str
    stream_partitions: int
    poison_tries: int
    ai_jobs_per_call: int
    clock_offset_seconds: int

    @property
    def internal_keys(self) -> list[str]:
        """While it is being changed there are two: new,old."""
        return lookup.words(self.internal_key.reveal())

    @property
    def database(self) -> Postgres:
        if self.postgres is None:
            raise Misconfigured(
                "DATABASE_URL is not set: postgresql://user:password@host:5432/name of a Postgres 16 or newer."
            )
        return self.postgres

    @property
    def local(self) -> bool:
        """Whether every store is on this machine; only then may the clock be moved."""
        return not self.remote_hosts

    @property
    def remote_hosts(self) -> list[str]:
        """The hosts of stores that are not on this machine."""
        hosts = [self.postgres.host] if self.postgres else []
        hosts += [host_of(broker) for broker in self.kafka.brokers.split(",")] if self.kafka else []
        hosts += [urlsplit(self.opensearch.url).hostname or ""] if self.opensearch else []
        return sorted({host for host in hosts if not is_loopback(host)})


@cache
def current() -> Settings:
    """This process's settings, read from its environment the first time they are asked for."""
    return read(os.environ)


def read(environ: Mapping[str, str]) -> Settings:
    """All settings, or one sentence about the first thing that is wrong with them."""
    lookup.refuse_unknown(environ)
    get = lookup.reader(environ)
    settings = Settings(
        postgres=_postgres(get) if get("DATABASE_URL") else None,
        kafka=_kafka(get) if get("KAFKA_BROKERS") else None,
        opensearch=_opensearch(get) if get("OPENSEARCH_URL") else None,
        model=_model(get) if get("GRADIENT_BASE_URL") else None,
        objects=_objects(get) if get("S3_BUCKET") else None,
        keep=Keep(**{what: lookup.seconds(f"KEEP_{what.upper()}", get) for what in Keep.__struct_fields__}),
        environments=tuple(lookup.words(get("ENVIRONMENTS"))),
        max_event_bytes=lookup.number("MAX_EVENT_BYTES", get, 1024, 1024**2),
        max_batch_events=lookup.number("MAX_BATCH_EVENTS", get, 1, 10_000),
        max_body_bytes=lookup.number("MAX_BODY_BYTES", get, 1024, 4 * 1024**2),
        internal_key=_secret("INTERNAL_KEY", get),
        metrics_token=_secret("METRICS_TOKEN", get),
        public_url=get("PUBLIC_URL"),
        ingest_url=get("INGEST_API_URL").rstrip("/"),
        cors_origins=tuple(lookup.words(get("CORS_ORIGINS"))),
        log_level=lookup.one_of("LOG_LEVEL", get, ("debug", "info", "warn", "error")),
        stream_partitions=lookup.number("STREAM_PARTITIONS", get, 1, 1000),
        poison_tries=lookup.number("POISON_TRIES", get, 1, 1000),
        ai_jobs_per_call=lookup.number("AI_JOBS_PER_CALL", get, 1, 100),
        clock_offset_seconds=lookup.number("CLOCK_OFFSET_SECONDS", get, -(10**10), 10**10),
    )
    if settings.clock_offset_seconds and not settings.local:
        raise Misconfigured("CLOCK_OFFSET_SECONDS moves the clock of a local stack only; a store here is remote.")
    return settings


def is_loopback(host: str) -> bool:
    return host in LOOPBACK or host.startswith(("127.", "/"))


def host_of(broker: str) -> str:
    """The host of `host:port`, brackets of an IPv6 address taken off."""
    return broker.strip().rpartition(":")[0].strip("[]")


def _secret(name: str, get: Get) -> Secret:
    return Secret(get(name), partial(get, name) if get(f"{name}_FILE") else None)


def _postgres(get: Get) -> Postgres:
    text = get("DATABASE_URL")
    address, said = _address(text), dict(parse_qsl(urlsplit(text).query))
    if unknown := sorted(set(said) - {"sslmode", "sslrootcert", "host"}):
        raise Misconfigured(f"DATABASE_URL: {unknown[0]} is not understood; use sslmode, sslrootcert or host.")
    sslmode = get("PG_SSLMODE") or said.get("sslmode") or ("disable" if is_loopback(address["host"]) else "verify-full")
    if sslmode not in SSL_MODES:
        raise Misconfigured(f"PG_SSLMODE is {sslmode!r}; it may be {', '.join(SSL_MODES)}.")
    ca = get("PG_CA_CERT") or said.get("sslrootcert", "")
    return Postgres(**address, sslmode=sslmode, ca=ca, file=get("DATABASE_URL_FILE"))


def _address(text: str) -> dict[str, Any]:
    """Where it is, and who we are there."""
    url = urlsplit(text)
    if url.scheme not in ("postgres", "postgresql") or not url.path.strip("/"):
        raise Misconfigured("DATABASE_URL must read postgresql://user:password@host:5432/name.")
    return {
        "host": unquote(url.hostname or "") or dict(parse_qsl(url.query)).get("host", "localhost"),
        "port": _port(url.netloc),
        "database": unquote(url.path.strip("/")),
        "user": unquote(url.username or "postgres"),
        "password": Secret(unquote(url.password or "")),
    }


def _kafka(get: Get) -> Kafka:
    username, password = get("KAFKA_SASL_USERNAME"), _secret("KAFKA_SASL_PASSWORD", get)
    protocol = get("KAFKA_SECURITY_PROTOCOL") or ("SASL_SSL" if username else "PLAINTEXT")
    if protocol not in PROTOCOLS:
        raise Misconfigured(f"KAFKA_SECURITY_PROTOCOL is {protocol!r}; it may be {', '.join(PROTOCOLS)}.")
    if protocol == "SASL_SSL" and not (username and password):
        raise Misconfigured("KAFKA_SECURITY_PROTOCOL is SASL_SSL: set KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD.")
    if protocol != "SASL_SSL" and username:
        raise Misconfigured(f"KAFKA_SASL_USERNAME is set, but {protocol} sends no credentials: use SASL_SSL.")
    for broker in get("KAFKA_BROKERS").split(","):
        if not broker.strip().rpartition(":")[2].isdigit():
            raise Misconfigured(f"KAFKA_BROKERS: {broker.strip()!r} has no port; write host:9092,host:9092.")
    return Kafka(
        brokers=get("KAFKA_BROKERS"),
        protocol=protocol,
        username=username,
        password=password,
        mechanism=lookup.one_of("KAFKA_SASL_MECHANISM", get, MECHANISMS),
        ca=get("KAFKA_CA_CERT"),
    )


def _opensearch(get: Get) -> OpenSearch:
    url = urlsplit(get("OPENSEARCH_URL"))
    if url.scheme not in ("http", "https") or not url.hostname:
        raise Misconfigured("OPENSEARCH_URL must read https://host:9200.")
    if url.username or url.password:
        raise Misconfigured("OPENSEARCH_URL holds credentials; put them in OPENSEARCH_USER and OPENSEARCH_PASS.")
    return OpenSearch(
        url=get("OPENSEARCH_URL").rstrip("/"),
        user=get("OPENSEARCH_USER"),
        password=_secret("OPENSEARCH_PASS", get),
        ca=get("OPENSEARCH_CA_CERT"),
    )


def _model(get: Get) -> Model:
    return Model(
        base_url=get("GRADIENT_BASE_URL").rstrip("/"),
        api_key=_secret("GRADIENT_API_KEY", get),
        name=get("GRADIENT_MODEL"),
        deadline_seconds=lookup.number("MODEL_DEADLINE_SECONDS", get, 1, 90),
        tokens_per_day=lookup.number("MODEL_TOKENS_PER_DAY", get, 1, 10**12),
        input_price=lookup.price("MODEL_INPUT_PRICE", get),
        output_price=lookup.price("MODEL_OUTPUT_PRICE", get),
    )


def _objects(get: Get) -> Objects:
    return Objects(
        endpoint_url=get("S3_ENDPOINT_URL"),
        region=get("S3_REGION"),
        bucket=get("S3_BUCKET"),
        prefix=get("S3_PREFIX"),
        access_key=_secret("S3_ACCESS_KEY", get),
        secret_key=_secret("S3_SECRET_KEY", get),
    )


def _port(netloc: str) -> int:
    """The digits after the host's colon; the colons of an IPv6 address stand inside brackets."""
    _, _, port = netloc.rpartition("@")[2].rpartition("]")[2].partition(":")
    if port and not port.isdecimal():
        raise Misconfigured("DATABASE_URL: the port after the host must be a number.")
    return int(port or 5432)

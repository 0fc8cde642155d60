"""Every variable, read once: typed, documented, secrets never printed, unknown names refused."""

import difflib
import os
from collections.abc import Callable, Mapping
from functools import cache
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from common.errors import Misconfigured
from common.variables import ALSO_UNDERSTOOD, FAMILIES, VARIABLES, Variable

NAMES = frozenset(variable.name for variable in VARIABLES) | frozenset(ALSO_UNDERSTOOD)
LOOPBACK = ("localhost", "127.0.0.1", "::1")
PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_SSL")
MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN")
# `allow` and `prefer` are missing on purpose: both may fall back to plain text without a word.
SSL_MODES = ("disable", "require", "verify-ca", "verify-full")


class Secret:
    """A value that prints as stars; whoever needs it says so by calling `reveal`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "*****"

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


class Postgres(msgspec.Struct, frozen=True):
    host: str
    port: int
    database: str
    user: str
    password: Secret
    sslmode: str
    ca: str


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
    internal_keys: tuple[Secret, ...]
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
    refuse_unknown(environ)
    get = reader(environ)
    settings = Settings(
        postgres=_postgres(get) if get("DATABASE_URL") else None,
        kafka=_kafka(get) if get("KAFKA_BROKERS") else None,
        opensearch=_opensearch(get) if get("OPENSEARCH_URL") else None,
        model=_model(get) if get("GRADIENT_BASE_URL") else None,
        objects=_objects(get) if get("S3_BUCKET") else None,
        keep=Keep(**{what: _seconds(f"KEEP_{what.upper()}", get) for what in Keep.__struct_fields__}),
        environments=tuple(_list(get("ENVIRONMENTS"))),
        max_event_bytes=_number("MAX_EVENT_BYTES", get, 1024, 1024**2),
        max_batch_events=_number("MAX_BATCH_EVENTS", get, 1, 10_000),
        max_body_bytes=_number("MAX_BODY_BYTES", get, 1024, 4 * 1024**2),
        internal_keys=tuple(Secret(key) for key in _list(get("INTERNAL_KEY"))),
        metrics_token=Secret(get("METRICS_TOKEN")),
        public_url=get("PUBLIC_URL"),
        ingest_url=get("INGEST_API_URL").rstrip("/"),
        cors_origins=tuple(_list(get("CORS_ORIGINS"))),
        log_level=_one_of("LOG_LEVEL", get, ("debug", "info", "warn", "error")),
        stream_partitions=_number("STREAM_PARTITIONS", get, 1, 1000),
        poison_tries=_number("POISON_TRIES", get, 1, 1000),
        ai_jobs_per_call=_number("AI_JOBS_PER_CALL", get, 1, 100),
        clock_offset_seconds=_number("CLOCK_OFFSET_SECONDS", get, -(10**10), 10**10),
    )
    if settings.clock_offset_seconds and not settings.local:
        raise Misconfigured("CLOCK_OFFSET_SECONDS moves the clock of a local stack only; a store here is remote.")
    return settings


def refuse_unknown(environ: Mapping[str, str]) -> None:
    """A misspelt variable would silently mean its default; so it is an error that names the nearest one."""
    for name in sorted(set(environ) - NAMES):
        near = difflib.get_close_matches(name, NAMES, n=1, cutoff=0.6 if name.startswith(FAMILIES) else 0.9)
        if near or name.startswith(FAMILIES):
            hint = f"did you mean {near[0]}?" if near else f"ours are {', '.join(_family(name))}."
            raise Misconfigured(f"{name} is set, but there is no such variable: {hint}")


def reader(environ: Mapping[str, str]) -> Callable[[str], str]:
    """Look a variable up: by its name, by the other name it is understood under, else its default."""
    declared: dict[str, Variable] = {variable.name: variable for variable in VARIABLES}
    others = {ours: theirs for theirs, ours in ALSO_UNDERSTOOD.items()}

    def get(name: str) -> str:
        value = environ.get(name) or environ.get(others.get(name, "")) or declared[name].default
        return value.strip()

    return get


def is_loopback(host: str) -> bool:
    return host in LOOPBACK or host.startswith(("127.", "/"))


def host_of(broker: str) -> str:
    """The host of `host:port`, brackets of an IPv6 address taken off."""
    return broker.strip().rpartition(":")[0].strip("[]")


def _postgres(get: Callable[[str], str]) -> Postgres:
    url = urlsplit(get("DATABASE_URL"))
    if url.scheme not in ("postgres", "postgresql") or not url.path.strip("/"):
        raise Misconfigured("DATABASE_URL must read postgresql://user:password@host:5432/name.")
    said = dict(parse_qsl(url.query))
    if unknown := sorted(set(said) - {"sslmode", "sslrootcert", "host"}):
        raise Misconfigured(f"DATABASE_URL: {unknown[0]} is not understood; use sslmode, sslrootcert or host.")
    host = unquote(url.hostname or "") or said.get("host", "localhost")
    sslmode = get("PG_SSLMODE") or said.get("sslmode") or ("disable" if is_loopback(host) else "verify-full")
    if sslmode not in SSL_MODES:
        raise Misconfigured(f"PG_SSLMODE is {sslmode!r}; it may be {', '.join(SSL_MODES)}.")
    return Postgres(
        host=host,
        port=_port(url.netloc),
        database=unquote(url.path.strip("/")),
        user=unquote(url.username or "postgres"),
        password=Secret(unquote(url.password or "")),
        sslmode=sslmode,
        ca=get("PG_CA_CERT") or said.get("sslrootcert", ""),
    )


def _kafka(get: Callable[[str], str]) -> Kafka:
    username, password = get("KAFKA_SASL_USERNAME"), get("KAFKA_SASL_PASSWORD")
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
        password=Secret(password),
        mechanism=_one_of("KAFKA_SASL_MECHANISM", get, MECHANISMS),
        ca=get("KAFKA_CA_CERT"),
    )


def _opensearch(get: Callable[[str], str]) -> OpenSearch:
    url = urlsplit(get("OPENSEARCH_URL"))
    if url.scheme not in ("http", "https") or not url.hostname:
        raise Misconfigured("OPENSEARCH_URL must read https://host:9200.")
    if url.username or url.password:
        raise Misconfigured("OPENSEARCH_URL holds credentials; put them in OPENSEARCH_USER and OPENSEARCH_PASS.")
    return OpenSearch(
        url=get("OPENSEARCH_URL").rstrip("/"),
        user=get("OPENSEARCH_USER"),
        password=Secret(get("OPENSEARCH_PASS")),
        ca=get("OPENSEARCH_CA_CERT"),
    )


def _model(get: Callable[[str], str]) -> Model:
    return Model(
        base_url=get("GRADIENT_BASE_URL").rstrip("/"),
        api_key=Secret(get("GRADIENT_API_KEY")),
        name=get("GRADIENT_MODEL"),
        deadline_seconds=_number("MODEL_DEADLINE_SECONDS", get, 1, 90),
        tokens_per_day=_number("MODEL_TOKENS_PER_DAY", get, 1, 10**12),
        input_price=_price("MODEL_INPUT_PRICE", get),
        output_price=_price("MODEL_OUTPUT_PRICE", get),
    )


def _objects(get: Callable[[str], str]) -> Objects:
    return Objects(
        endpoint_url=get("S3_ENDPOINT_URL"),
        region=get("S3_REGION"),
        bucket=get("S3_BUCKET"),
        prefix=get("S3_PREFIX"),
        access_key=Secret(get("S3_ACCESS_KEY")),
        secret_key=Secret(get("S3_SECRET_KEY")),
    )


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _one_of(name: str, get: Callable[[str], str], allowed: tuple[str, ...]) -> str:
    if get(name) not in allowed:
        raise Misconfigured(f"{name} is {get(name)!r}; it may be {', '.join(allowed)}.")
    return get(name)


def _number(name: str, get: Callable[[str], str], low: int, high: int) -> int:
    text = get(name)
    if not text.removeprefix("-").isdecimal() or not low <= int(text) <= high:
        raise Misconfigured(f"{name} is {text!r}; it must be a whole number from {low} to {high}.")
    return int(text)


def _price(name: str, get: Callable[[str], str]) -> float:
    text = get(name)
    if not text.replace(".", "", 1).isdecimal():
        raise Misconfigured(f"{name} is {text!r}; write what a million tokens cost, such as 0.65; 0: unknown.")
    return float(text)


def _port(netloc: str) -> int:
    """The digits after the host's colon; the colons of an IPv6 address stand inside brackets."""
    _, _, port = netloc.rpartition("@")[2].rpartition("]")[2].partition(":")
    if port and not port.isdecimal():
        raise Misconfigured("DATABASE_URL: the port after the host must be a number.")
    return int(port or 5432)


def _seconds(name: str, get: Callable[[str], str]) -> int:
    """A length of time as people write it: 7d, 12h, 30m."""
    text, units = get(name), {"d": 86_400, "h": 3_600, "m": 60}
    if text[-1:] not in units or not text[:-1].isdecimal() or int(text[:-1]) == 0:
        raise Misconfigured(f"{name} is {text!r}; write a length of time such as 7d, 12h or 30m.")
    return int(text[:-1]) * units[text[-1]]


def _family(name: str) -> list[str]:
    return sorted(one for one in NAMES if one.split("_")[0] == name.split("_")[0])

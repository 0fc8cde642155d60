"""Try every configured connection step by step, and say for the first step that fails what to do about it."""

import socket
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx

from common import settings
from common.clients import tls
from common.clients.postgres import schema
from common.clients.postgres.connection import SSL_REQUEST, Connection
from common.errors import Misconfigured, Unavailable
from local import connections, harness, state

SECONDS = 5.0
OWN_TIMES = "its publishers make the times (CREATE_TIME), so a topic made anew would not be noticed"


class Finding(NamedTuple):
    """One step of one connection: what was tried, what came of it, what to do if it failed."""

    target: str
    step: str
    said: str
    remedy: str = ""


class Failed(Exception):
    def __init__(self, said: object, remedy: str) -> None:
        super().__init__(str(said))
        self.remedy = remedy


Step = tuple[str, Callable[[], str]]


def main(environ: Mapping[str, str], instances: Sequence[str] = ()) -> int:
    """Examine what the environment names; where it names nothing, the stack that runs here."""
    counts = connections.instances(instances)
    given = harness.given_connections(environ)
    where = settings.read(given or state.read_env())
    bad = 0
    for finding in examine(where, counts):
        bad += bool(finding.remedy)
        print(f"  {'FAILED' if finding.remedy else 'ok':<7} {finding.target:<11} {finding.step:<7} {finding.said}")
        if finding.remedy:
            print(f"          {'':<11} {'':<7} -> {finding.remedy}")
    print("something is wrong, see above" if bad else "all is well")
    return 1 if bad else 0


def examine(where: settings.Settings, counts: Mapping[str, int]) -> Iterator[Finding]:
    """Each connection until its first failure; the others are tried all the same."""
    if where.postgres is None:
        yield Finding("Postgres", "set", "DATABASE_URL is not set", "set it, or start a stack here: make up")
    for target, steps in plans(where, counts).items():
        for step, attempt in steps:
            try:
                yield Finding(target, step, attempt())
            except Failed as failed:
                yield Finding(target, step, str(failed), failed.remedy)
                break


def plans(where: settings.Settings, counts: Mapping[str, int]) -> dict[str, list[Step]]:
    """DNS, TCP, TLS, login with a real round trip: for every store that is configured."""
    found: dict[str, list[Step]] = {}
    if where.postgres:
        found["Postgres"] = [*postgres_steps(where.postgres), ("room", lambda: postgres_room(where, counts))]
    if where.kafka:
        found["Kafka"] = kafka_steps(where)
    if where.opensearch:
        found["OpenSearch"] = opensearch_steps(where.opensearch)
    if where.objects and where.objects.endpoint_url:
        found["objects"] = web_steps(where.objects.endpoint_url, "S3_ENDPOINT_URL", "")
    if where.model:
        found["model"] = web_steps(where.model.base_url, "GRADIENT_BASE_URL", "")
    return found


def postgres_steps(where: settings.Postgres) -> list[Step]:
    if where.host.startswith("/"):
        return [("login", lambda: postgres_login(where))]
    steps = reach(where.host, where.port, "DATABASE_URL")
    if where.sslmode != "disable":
        context = lambda: tls.context(where.ca, "PG_CA_CERT", check_host=where.sslmode != "verify-ca")  # noqa: E731
        steps.append(("TLS", lambda: greet(where.host, where.port, context, "PG_CA_CERT", SSL_REQUEST)))
    return [*steps, ("login", lambda: postgres_login(where))]


def postgres_login(where: settings.Postgres) -> str:
    try:
        conn = Connection(where)
    except Unavailable as error:
        raise Failed(error.reason, "check user, password and database name in DATABASE_URL") from error
    [[version, number]] = conn.run("SELECT version(), current_setting('server_version_num')::int")
    if number < 160_000:
        raise Failed(version, "Postgres 16 or newer is needed")
    found = schema.look_up(conn)
    conn.close()
    try:
        schema.check(*found)
    except Misconfigured as error:
        raise Failed(error, "make migrate, or deploy the matching release") from error
    return f"{version.split(' on ')[0]}, schema {found[0]}"


def postgres_room(where: settings.Settings, counts: Mapping[str, int]) -> str:
    """How many connections there could be, against how many there may be."""
    most, allowed = connections.most(where, counts), connections.allowed(where)
    parts = ", ".join(f"{name} {number}" for name, number in most.items() if number)
    said = f"at most {sum(most.values())} connections of {allowed}: {parts}"
    if sum(most.values()) > allowed:
        raise Failed(said, "raise max_connections, put a transaction pooler before it, or have fewer instances")
    return said


def kafka_steps(where: settings.Settings) -> list[Step]:
    kafka = where.kafka
    assert kafka
    first = kafka.brokers.split(",")[0].strip()
    host, port = settings.host_of(first), int(first.rpartition(":")[2])
    steps = reach(host, port, "KAFKA_BROKERS")
    if kafka.protocol != "PLAINTEXT":
        steps.append(
            ("TLS", lambda: greet(host, port, lambda: tls.context(kafka.ca, "KAFKA_CA_CERT"), "KAFKA_CA_CERT"))
        )
    return [*steps, ("login", lambda: kafka_login(where))]


def kafka_login(where: settings.Settings) -> str:
    from common.clients.stream import kafka_topics, stream_for
    from common.topics import RAW, TOPICS

    kafka = where.kafka
    assert kafka
    try:
        sizes = {topic: len(stream_for(where).ends(topic)) for topic in TOPICS}
    except Unavailable as error:
        raise Failed(
            error.reason or error, "check KAFKA_SASL_…, and that `make migrate` has made the topics"
        ) from error
    said = ", ".join(f"{topic}: {size} partitions" for topic, size in sizes.items())
    return said if kafka_topics.stamps(kafka, RAW) else f"{said}; {OWN_TIMES}"


def opensearch_steps(where: settings.OpenSearch) -> list[Step]:
    steps = web_steps(where.url, "OPENSEARCH_URL", where.ca)
    return [*steps, ("login", lambda: opensearch_login(where))]


def opensearch_login(where: settings.OpenSearch) -> str:
    login = (where.user, where.password.reveal()) if where.user else None
    verify = tls.context(where.ca, "OPENSEARCH_CA_CERT") if where.url.startswith("https") else True
    try:
        answer = httpx.get(where.url, auth=login, verify=verify, timeout=SECONDS)
    except httpx.HTTPError as error:
        raise Failed(error, "check OPENSEARCH_URL: https or http, host and port") from error
    if answer.status_code in (401, 403):
        raise Failed(f"it answered {answer.status_code}", "check OPENSEARCH_USER and OPENSEARCH_PASS")
    if not answer.is_success:
        raise Failed(f"it answered {answer.status_code}", "check that this is an OpenSearch")
    return f"OpenSearch {answer.json()['version']['number']}"


def web_steps(url: str, variable: str, ca: str) -> list[Step]:
    at = urlsplit(url)
    port = at.port or (443 if at.scheme == "https" else 80)
    steps = reach(at.hostname or "", port, variable)
    if at.scheme == "https":
        ca_variable = variable.replace("_URL", "_CA_CERT")
        context = lambda: tls.context(ca, ca_variable)  # noqa: E731
        steps.append(("TLS", lambda: greet(at.hostname or "", port, context, ca_variable)))
    return steps


def reach(host: str, port: int, variable: str) -> list[Step]:
    return [("DNS", lambda: resolve(host, variable)), ("TCP", lambda: connect(host, port, variable))]


def resolve(host: str, variable: str) -> str:
    try:
        addresses = {str(found[4][0]) for found in socket.getaddrinfo(host, None)}
    except OSError as error:
        raise Failed(f"{host}: {error.strerror}", f"check the host name in {variable}") from error
    return f"{host} is {', '.join(sorted(addresses))}"


def connect(host: str, port: int, variable: str) -> str:
    try:
        socket.create_connection((host, port), SECONDS).close()
    except OSError as error:
        remedy = f"is it running, is {port} the right port in {variable}, does a firewall allow it?"
        raise Failed(f"{host}:{port}: {error}", remedy) from error
    return f"{host}:{port} accepts connections"


def greet(host: str, port: int, context: Callable[[], ssl.SSLContext], ca_variable: str, first: bytes = b"") -> str:
    """A TLS handshake, after the few bytes by which Postgres is asked for one."""
    try:
        with socket.create_connection((host, port), SECONDS) as plain:
            if first:
                plain.sendall(first)
                if plain.recv(1) != b"S":
                    raise Failed("the server speaks no TLS", "set PG_SSLMODE=disable only where the network is yours")
            with context().wrap_socket(plain, server_hostname=host) as secured:
                return f"{secured.version()}, the certificate is for {host} and trusted"
    except ssl.SSLCertVerificationError as error:
        raise Failed(error.verify_message, f"set {ca_variable} to the CA that signed it, as PEM or path") from error
    except (OSError, Misconfigured) as error:
        raise Failed(error, f"check that this port speaks TLS, and {ca_variable}") from error

"""dist/knative: the services, who feeds them, their clock, and the migrations that run first."""

from pathlib import Path
from typing import Any

from local.bundles import manifests
from local.bundles.aws import GROUPS
from local.bundles.declaration import CLOCK, Function
from local.bundles.manifests import Manifest
from local.bundles.places import dump, place

NAMESPACE = "signals"
SETTINGS, SECRETS = "signals-settings", "signals-secrets"
# Each wait is a second longer than the one before: after an hour away a minute and a half, after a week twenty minutes.
# Doubled, which has no ceiling there, the twentieth wait would be twelve days.
TRIES = 10_000  # which is longer than a year
MOUNTED = {"secretName": SECRETS}
FROM_CLUSTER = [{"configMapRef": {"name": SETTINGS}}, {"secretRef": {"name": SECRETS}}]
# The platform lets nobody from outside the cluster through to what is not public.
INSIDE = {"networking.knative.dev/visibility": "cluster-local"}
GUARDED = {"name": "INTERNAL_KEY", "value": "platform"}
LOCKED_DOWN = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "runAsUser": 65534,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
OURS: dict[str, Any] = {"envFrom": FROM_CLUSTER, "securityContext": LOCKED_DOWN}


def write(dist: Path) -> None:
    folder = dist / "knative"
    place(folder / "services.yaml", dump(*map(service, manifests.served())))
    place(folder / "kafka.yaml", dump(*map(kafka_source, manifests.stations())))
    place(folder / "poller.yaml", dump(poller()))
    place(folder / "clock.yaml", dump(*(ping(one) for one in manifests.served() if one.trigger == CLOCK)))
    place(folder / "migrate.yaml", dump(migrate()))


def service(function: Function) -> Manifest:
    env = [] if function.public else [GUARDED]
    one = manifests.serving(function, env=env, **OURS, readinessProbe={"tcpSocket": {"port": 8080}})
    metadata = named(function) | ({} if function.public else {"labels": INSIDE})
    limits = {"containerConcurrency": 0 if function.public else 1, "timeoutSeconds": function.seconds}
    spec = manifests.pod(one, MOUNTED, **limits)
    return manifests.document(manifests.SERVING, "Service", metadata, {"template": {"spec": spec}})


def kafka_source(function: Function) -> Manifest:
    """One record a call: for low volumes. Ordered, and tried again for longer than any outage, without a dead-letter
    sink, which would take accepted events; what is unreadable our own code buries."""
    delivery = {
        "retry": TRIES,
        "backoffPolicy": "linear",
        "backoffDelay": "PT1S",
        "timeout": f"PT{function.seconds}S",
    }
    sasl = {"enable": True, "user": secret("USERNAME"), "password": secret("PASSWORD"), "type": secret("MECHANISM")}
    spec = {
        "consumerGroup": GROUPS[function.name],
        "bootstrapServers": ["KAFKA_BROKERS"],
        "topics": [function.trigger],
        "initialOffset": "earliest",
        "ordering": "ordered",
        "delivery": delivery,
        "net": {"sasl": sasl, "tls": {"enable": True, "caCert": key_of("KAFKA_CA_CERT")}},
        "sink": sink(function),
    }
    return manifests.document("sources.knative.dev/v1", "KafkaSource", named(function), spec)


def ping(function: Function) -> Manifest:
    spec = {"schedule": "* * * * *", "contentType": "application/json", "data": "{}", "sink": sink(function)}
    return manifests.document("sources.knative.dev/v1", "PingSource", named(function), spec)


def poller() -> Manifest:
    """Instead of KafkaSources: for many events, and for the stream in Postgres, which no source reads."""
    fed = [f"{one.name}=http://{manifests.label(one)}.{NAMESPACE}.svc.cluster.local" for one in manifests.stations()]
    said = [{"name": "POLLER_STATIONS", "value": ",".join(fed)}]
    one = manifests.container("poller", "copilot", manifests.POLLER, 256, said, **OURS)
    pod = manifests.pod(one, MOUNTED, terminationGracePeriodSeconds=60)
    template = {"metadata": {"labels": {"app": "poller"}}, "spec": pod}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "poller"}}, "template": template}
    return manifests.document("apps/v1", "Deployment", {"name": "poller", "namespace": NAMESPACE}, spec)


def migrate() -> Manifest:
    """Before a release serves: it waits for another that migrates, and does nothing the second time."""
    one = manifests.container("migrate", "copilot", manifests.MIGRATE, 256, **OURS)
    pod = manifests.pod(one, MOUNTED, restartPolicy="Never")
    spec = {"backoffLimit": 3, "activeDeadlineSeconds": 900, "template": {"spec": pod}}
    return manifests.document("batch/v1", "Job", {"name": "migrate", "namespace": NAMESPACE}, spec)


def named(function: Function) -> Manifest:
    return {"name": manifests.label(function), "namespace": NAMESPACE}


def sink(function: Function) -> Manifest:
    return {"ref": {"apiVersion": manifests.SERVING, "kind": "Service", "name": manifests.label(function)}}


def secret(what: str) -> Manifest:
    return key_of(f"KAFKA_SASL_{what}")


def key_of(name: str) -> Manifest:
    return {"secretKeyRef": {"name": SECRETS, "key": name}}

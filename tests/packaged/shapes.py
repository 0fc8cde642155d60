"""What the deployers take, as strict JSON Schemas: a key that is not named here would be refused there, or ignored."""

from typing import Any

Shape = dict[str, Any]
TEXT, FLAG = {"type": "string"}, {"type": "boolean"}


def number(low: int, high: int) -> Shape:
    return {"type": "integer", "minimum": low, "maximum": high}


def matching(pattern: str) -> Shape:
    return {"type": "string", "pattern": f"^(?:{pattern})$"}


def one_of(*values: object) -> Shape:
    return {"enum": list(values)}


def many(item: Shape, least: int = 1) -> Shape:
    return {"type": "array", "items": item, "minItems": least}


def thing(needed: Shape, optional: Shape | None = None) -> Shape:
    properties = needed | (optional or {})
    return {"type": "object", "properties": properties, "required": [*needed], "additionalProperties": False}


TEXTS: Shape = {"type": "object", "additionalProperties": TEXT}
NAME = matching("[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
CRON = matching(r"[\d*/,-]+( [\d*/,-]+){4}")

# ---- DigitalOcean: project.yml, by the validators of its deployer, and app.yaml

_scheduled = thing({"cron": CRON}, {"body": {"type": "object"}})
_trigger = thing({"name": NAME, "type": one_of("scheduled"), "scheduledDetails": _scheduled}, {"enabled": FLAG})
_limits = thing({"timeout": number(100, 900_000), "memory": one_of(128, 256, 512, 1024)}, {"logs": number(1, 256)})
_function = thing(
    {"name": matching(r"[\w][\w -]*"), "runtime": one_of("python:3.13"), "main": one_of("main"), "limits": _limits},
    {"web": one_of(True, False, "raw"), "environment": TEXTS, "triggers": many(_trigger), "parameters": TEXTS},
)
_package = thing({"name": matching(r"[\w-]+"), "functions": many(_function)}, {"environment": TEXTS})
PROJECT = thing({"packages": many(_package)}, {"environment": TEXTS, "parameters": TEXTS})

_image = thing(
    {"registry_type": one_of("GHCR", "DOCKER_HUB", "DOCR"), "repository": TEXT, "tag": TEXT}, {"registry": TEXT}
)
_env = thing(
    {"key": matching(r"\w+"), "value": TEXT},
    {"scope": one_of("RUN_TIME", "BUILD_TIME"), "type": one_of("SECRET", "GENERAL")},
)
_part = {
    "name": NAME,
    "image": _image,
    "run_command": TEXT,
    "instance_size_slug": TEXT,
    "instance_count": number(1, 10),
}
_service = thing(
    _part | {"http_port": number(1, 65_535)}, {"envs": many(_env), "health_check": thing({"http_path": TEXT})}
)
_worker = thing(_part, {"envs": many(_env)})
_job = thing(_part | {"kind": one_of("PRE_DEPLOY", "POST_DEPLOY", "FAILED_DEPLOY")}, {"envs": many(_env)})
_component = thing({"name": NAME}, {"preserve_path_prefix": FLAG})
_rule = thing({"match": thing({"path": thing({"prefix": matching("/.*")})}), "component": _component})
_database = thing({"name": NAME, "engine": one_of("PG"), "production": one_of(True), "cluster_name": NAME})
APP = thing(
    {"name": NAME, "services": many(_service)},
    {
        "databases": many(_database),
        "envs": many(_env), "workers": many(_worker), "jobs": many(_job), "ingress": thing({"rules": many(_rule)}),
        "alerts": many(thing({"rule": one_of("DEPLOYMENT_FAILED", "DOMAIN_FAILED")})), "region": TEXT,
    },
)  # fmt: skip

# ---- Knative and Cloud Run

LABEL = matching("[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_from = thing({"name": TEXT, "key": TEXT})
_variable = thing({"name": matching("[A-Z][A-Z0-9_]*")}, {"value": TEXT, "valueFrom": thing({"secretKeyRef": _from})})
_security = thing(
    {"allowPrivilegeEscalation": one_of(False), "readOnlyRootFilesystem": one_of(True), "runAsNonRoot": one_of(True)},
    {
        "runAsUser": number(1, 65_535),
        "capabilities": thing({"drop": many(TEXT)}),
        "seccompProfile": thing({"type": one_of("RuntimeDefault")}),
    },
)
_source = thing({}, {"configMapRef": thing({"name": LABEL}), "secretRef": thing({"name": LABEL})})
_limit = thing({"limits": thing({"cpu": matching(r"\d+m?"), "memory": matching(r"\d+(Mi|Gi)")})})
_mount = thing({"name": LABEL, "mountPath": matching("/[a-z]+"), "readOnly": one_of(True)})
_item = thing({"key": TEXT, "path": TEXT})
_volume = thing({"name": LABEL, "secret": thing({"secretName": LABEL}, {"items": many(_item)})})
_container = thing(
    {"name": LABEL, "image": TEXT, "command": many(TEXT), "resources": _limit},
    {
        "args": many(TEXT), "env": many(_variable), "volumeMounts": many(_mount), "envFrom": many(_source),
        "ports": many(thing({"containerPort": number(1, 65_535)})),
        "securityContext": _security, "readinessProbe": thing({"tcpSocket": thing({"port": number(1, 65_535)})}),
    },
)  # fmt: skip
_metadata = thing({"name": LABEL}, {"namespace": LABEL, "labels": TEXTS, "annotations": TEXTS})
_revision = thing(
    {"containers": many(_container)},
    {
        "volumes": many(_volume),
        "containerConcurrency": number(0, 1000),
        "timeoutSeconds": number(1, 3600),
        "serviceAccountName": TEXT,
    },
)
_annotated = thing({}, {"annotations": TEXTS, "labels": TEXTS})
_ref = thing({"apiVersion": TEXT, "kind": TEXT, "name": LABEL})
_secret = thing({"secretKeyRef": _from})
_sasl = thing({"enable": FLAG, "user": _secret, "password": _secret, "type": _secret})
_duration = matching(r"PT(\d+[HMS])+")
_delivery = thing(
    {"retry": number(1, 1_000_000), "backoffPolicy": one_of("linear"), "backoffDelay": _duration},
    # No deadLetterSink, which would take accepted events in an outage; and an exponential delay has no ceiling.
    {"timeout": _duration},
)


def manifest(version: str, kind: str, spec: Shape) -> Shape:
    return thing({"apiVersion": one_of(version), "kind": one_of(kind), "metadata": _metadata, "spec": spec})


_service_spec = thing({"template": thing({"spec": _revision}, {"metadata": _annotated})})
_kafka_spec = thing(
    {
        "consumerGroup": TEXT, "bootstrapServers": many(TEXT), "topics": many(TEXT), "sink": thing({"ref": _ref}),
        "ordering": one_of("ordered"), "initialOffset": one_of("earliest"), "delivery": _delivery,
    },
    {"net": thing({"sasl": _sasl, "tls": thing({"enable": FLAG}, {"caCert": _secret})})},
)  # fmt: skip
_pod = thing(
    {"containers": many(_container)},
    {
        "volumes": many(_volume),
        "restartPolicy": one_of("Never", "Always"),
        "terminationGracePeriodSeconds": number(1, 600),
    },
)
_selected = thing({"matchLabels": TEXTS})
_task = thing(
    {"containers": many(_container), "maxRetries": number(0, 10), "timeoutSeconds": matching(r"\d+")},
    {"volumes": many(_volume), "serviceAccountName": TEXT},
)
_tasks = thing({"taskCount": number(1, 1), "template": thing({"spec": _task})})
_run_spec = thing({"template": thing({"spec": _tasks}, {"metadata": _annotated})})
KINDS = {
    ("serving.knative.dev/v1", "Service"): _service_spec,
    ("sources.knative.dev/v1", "KafkaSource"): _kafka_spec,
    ("sources.knative.dev/v1", "PingSource"): thing(
        {"schedule": CRON, "sink": thing({"ref": _ref})}, {"contentType": TEXT, "data": TEXT}
    ),
    ("apps/v1", "Deployment"): thing(
        {"replicas": number(1, 9), "selector": _selected, "template": thing({"metadata": _annotated, "spec": _pod})}
    ),
    ("batch/v1", "Job"): thing(
        {"template": thing({"spec": _pod})}, {"backoffLimit": number(0, 9), "activeDeadlineSeconds": number(1, 9999)}
    ),
    ("run.googleapis.com/v1", "WorkerPool"): thing({"template": thing({"spec": _revision}, {"metadata": _annotated})}),
    ("run.googleapis.com/v1", "Job"): _run_spec,
}
SHAPES = {place: manifest(*place, spec) for place, spec in KINDS.items()}

"""What Cloud Run and Knative say alike: a container that serves one function, or runs the poller or the migrations."""

from collections.abc import Sequence
from typing import Any

from local.bundles.declaration import FUNCTIONS, JOB, Function

Manifest = dict[str, Any]
PORT = 8080
# Placeholders, in capitals, which a guide's one `sed` fills in.
IMAGE = "IMAGE_REPOSITORY/signals-{}:IMAGE_TAG"
POLLER, MIGRATE = ["python", "-m", "local.poller"], ["python", "-m", "migrations.apply"]
SERVING = "serving.knative.dev/v1"
# The database's address is a file, which is exchanged under a running process when its password is rotated.
MOUNTED = {"name": "secrets", "mountPath": "/secrets", "readOnly": True}
ADDRESS = {"name": "DATABASE_URL_FILE", "value": "/secrets/DATABASE_URL"}


def served() -> list[Function]:
    return [function for function in FUNCTIONS if function.deployed and function.trigger != JOB]


def stations() -> list[Function]:
    return [function for function in FUNCTIONS if function.reads_stream]


def pod(one: Manifest, secret: Manifest, **more: object) -> Manifest:
    """A container, and the secret it mounts."""
    return {"containers": [one], "volumes": [{"name": MOUNTED["name"], "secret": secret}], **more}


def label(function: Function) -> str:
    """Its name where underscores are not allowed."""
    return function.name.replace("_", "-")


def document(version: str, kind: str, metadata: Manifest, spec: Manifest) -> Manifest:
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}


def container(
    name: str, image: str, command: list[str], memory: int, env: Sequence[Manifest] = (), **more: object
) -> Manifest:
    limits = {"limits": {"cpu": "1", "memory": f"{memory}Mi"}}
    made = {"name": name, "image": IMAGE.format(image), "command": command, "resources": limits}
    return {**made, "env": [ADDRESS, *env], "volumeMounts": [MOUNTED], **more}


def serving(function: Function, **more: Any) -> Manifest:
    words = ["python", "-m", "functions_framework", "--source", function.source, "--target", "gcp", "--asgi"]
    words += ["--host", "0.0.0.0", "--port", str(PORT)]  # noqa: S104  a container's only door
    ports = [{"containerPort": PORT}]
    return container(label(function), label(function), words, function.memory, ports=ports, **more)

"""dist/gcp: a bundle per function with what serves it, and Cloud Run's manifests."""

from pathlib import Path

from local.bundles import archive, compiled, manifests, wheels
from local.bundles.aws import zip_of
from local.bundles.declaration import ARCHITECTURES, FUNCTIONS, PYTHON, RUNTIME, Function
from local.bundles.manifests import Manifest
from local.bundles.places import dump, lay, place

ACCOUNT = {"serviceAccountName": "SERVICE_ACCOUNT"}
# Each by its name in Secret Manager; the other settings are given with the service's own command.
KEY: Manifest = {"name": "INTERNAL_KEY", "valueFrom": {"secretKeyRef": {"name": "internal-key", "key": "latest"}}}
ADDRESS = {"secretName": "database-url", "items": [{"key": "latest", "path": "DATABASE_URL"}]}
DOCKERFILE = f"""# One function: docker build -t signals-ingest --build-arg FUNCTION=ingest dist/gcp
# Its wheels are for x86_64, wherever it is built.
FROM --platform=linux/amd64 python:{PYTHON}-slim
ARG FUNCTION
COPY runtime.zip ${{FUNCTION}}.zip /tmp/
RUN python -m zipfile -e /tmp/runtime.zip /runtime && python -m zipfile -e /tmp/${{FUNCTION}}.zip /app && rm /tmp/*.zip
ENV PYTHONPATH=/runtime
WORKDIR /app
USER nobody
"""


def write(dist: Path) -> dict[str, int]:
    """After dist/aws: the functions' zips are Lambda's, and only what serves them is added."""
    folder = dist / "gcp"
    server = compiled.of_wheels(wheels.wanted(RUNTIME, ARCHITECTURES[0]))
    sizes = {"gcp/runtime.zip": archive.write(folder / "runtime.zip", server)}
    zips = {f"{function.name}.zip": zip_of(dist, function) for function in FUNCTIONS}
    lay(folder, zips)
    place(folder / "Dockerfile", DOCKERFILE)
    for function in manifests.served():
        place(folder / f"service-{function.name}.yaml", dump(service(function)))
    place(folder / "workerpool-poller.yaml", dump(worker_pool()))
    place(folder / "job-migrate.yaml", dump(job()))
    return sizes


def service(function: Function) -> Manifest:
    """The poller shows the internal key and no identity, so what it calls is open to the project's network only."""
    # Uvicorn believes the front end who the caller was, and that he came by TLS.
    one = manifests.serving(function, env=[KEY, {"name": "FORWARDED_ALLOW_IPS", "value": "*"}])
    concurrency = 40 if function.public else 1
    limits = {"containerConcurrency": concurrency, "timeoutSeconds": function.seconds}
    spec = manifests.pod(one, ADDRESS, **limits, **ACCOUNT)
    scale = {"autoscaling.knative.dev/maxScale": "20", "run.googleapis.com/startup-cpu-boost": "true"}
    door = {"run.googleapis.com/ingress": "all" if function.public else "internal"}
    template = {"metadata": {"annotations": scale}, "spec": spec}
    metadata = {"name": manifests.label(function), "annotations": door}
    return manifests.document(manifests.SERVING, "Service", metadata, {"template": template})


def worker_pool() -> Manifest:
    fed = ",".join(f"{one.name}=URL_OF_{one.name.upper()}" for one in manifests.stations())
    env = [KEY, {"name": "POLLER_STATIONS", "value": fed}]
    one = manifests.container("poller", "copilot", manifests.POLLER, 512, env)
    metadata = {"name": "poller", "annotations": {"run.googleapis.com/manualInstanceCount": "1"}}
    spec = {"template": {"spec": manifests.pod(one, ADDRESS, **ACCOUNT)}}
    return manifests.document("run.googleapis.com/v1", "WorkerPool", metadata, spec)


def job() -> Manifest:
    one = manifests.container("migrate", "copilot", manifests.MIGRATE, 512, [KEY])
    task = manifests.pod(one, ADDRESS, maxRetries=1, timeoutSeconds="900", **ACCOUNT)
    spec = {"template": {"spec": {"taskCount": 1, "template": {"spec": task}}}}
    return manifests.document("run.googleapis.com/v1", "Job", {"name": "migrate"}, spec)

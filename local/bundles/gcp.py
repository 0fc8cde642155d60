"""dist/gcp: a bundle per function with what serves it, and Cloud Run's manifests."""

from pathlib import Path

from local.bundles import archive, compiled, manifests, wheels
from local.bundles.aws import zip_of
from local.bundles.declaration import ARCHITECTURES, FUNCTIONS, PYTHON, RUNTIME, Function
from local.bundles.manifests import Manifest
from local.bundles.places import dump, lay, place

ACCOUNT = {"serviceAccountName": "SERVICE_ACCOUNT"}
# Secrets by their name in Secret Manager; PUBLIC_URL is a placeholder, and any other setting one line more.
KEY: Manifest = {"name": "INTERNAL_KEY", "valueFrom": {"secretKeyRef": {"name": "internal-key", "key": "latest"}}}
CA: Manifest = {"name": "PG_CA_CERT", "valueFrom": {"secretKeyRef": {"name": "pg-ca", "key": "latest"}}}
# Cloud SQL's certificate names the instance and not the private address it is reached at.
COMMON: list[Manifest] = [KEY, CA, {"name": "PG_SSLMODE", "value": "verify-ca"}]
# A service's address is known before there is one.
URL = "https://{}-PROJECT_NUMBER.REGION.run.app"
PUBLIC: Manifest = {"name": "PUBLIC_URL", "value": URL.format("dashboard")}
# The network leads to the database's private address. The poller sends everything through it: only so is it no stranger
# to services that let nobody in from outside.
NETWORK = {"run.googleapis.com/network-interfaces": '[{"network": "default", "subnetwork": "default"}]'}
TO_STORES = NETWORK | {"run.googleapis.com/vpc-access-egress": "private-ranges-only"}
TO_STATIONS = NETWORK | {"run.googleapis.com/vpc-access-egress": "all-traffic"}
# Nobody's identity is asked for: ours are the project key, the access token, and inside the internal key.
OPEN = {"run.googleapis.com/invoker-iam-disabled": "true"}
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
    env = [*COMMON, {"name": "FORWARDED_ALLOW_IPS", "value": "*"}, *([PUBLIC] if function.public else [])]
    one = manifests.serving(function, env=env)
    concurrency = 40 if function.public else 1
    limits = {"containerConcurrency": concurrency, "timeoutSeconds": function.seconds}
    spec = manifests.pod(one, ADDRESS, **limits, **ACCOUNT)
    scale = TO_STORES | {"autoscaling.knative.dev/maxScale": "20", "run.googleapis.com/startup-cpu-boost": "true"}
    door = OPEN | {"run.googleapis.com/ingress": "all" if function.public else "internal"}
    template = {"metadata": {"annotations": scale}, "spec": spec}
    metadata = {"name": manifests.label(function), "annotations": door}
    return manifests.document(manifests.SERVING, "Service", metadata, {"template": template})


def worker_pool() -> Manifest:
    fed = ",".join(f"{one.name}={URL.format(manifests.label(one))}" for one in manifests.stations())
    env = [*COMMON, {"name": "POLLER_STATIONS", "value": fed}]
    one = manifests.container("poller", "copilot", manifests.POLLER, 512, env)
    metadata = {"name": "poller", "annotations": {"run.googleapis.com/manualInstanceCount": "1"}}
    spec = {"template": {"metadata": {"annotations": TO_STATIONS}, "spec": manifests.pod(one, ADDRESS, **ACCOUNT)}}
    return manifests.document("run.googleapis.com/v1", "WorkerPool", metadata, spec)


def job() -> Manifest:
    """What comes after `python -m` are arguments, so that one execution of it may do something else: `local doctor`."""
    command, said = manifests.MIGRATE[:2], manifests.MIGRATE[2:]
    one = manifests.container("migrate", "copilot", command, 512, COMMON, args=said)
    task = manifests.pod(one, ADDRESS, maxRetries=1, timeoutSeconds="900", **ACCOUNT)
    pods = {"taskCount": 1, "template": {"spec": task}}
    spec = {"template": {"metadata": {"annotations": TO_STORES}, "spec": pods}}
    return manifests.document("run.googleapis.com/v1", "Job", {"name": "migrate"}, spec)

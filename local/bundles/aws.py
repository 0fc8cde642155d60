"""dist/aws: a zip per function and architecture, and the functions as serverless.yml reads them."""

from pathlib import Path
from typing import Any

from common import topics
from local.bundles import archive, bundle
from local.bundles.declaration import ARCHITECTURES, FUNCTIONS, Function
from local.bundles.places import dump, place

BATCH = {"batchSize": 1000, "maximumBatchingWindow": 1, "startingPosition": "TRIM_HORIZON"}
# A notification may mean a model's answer of a minute and a half, so one at a time.
AI_BATCH = {**BATCH, "batchSize": 1, "maximumBatchingWindow": 0}
# Each batch is an object in the archive: a minute's worth, or the 6 MB that a call may carry.
ARCHIVE_BATCH = {**BATCH, "batchSize": 10_000, "maximumBatchingWindow": 60}
BATCHES = {"ai_worker": AI_BATCH, "archiver": ARCHIVE_BATCH}
GROUPS = {
    "indexer": topics.INDEXER,
    "incident_engine": topics.INCIDENT_ENGINE,
    "ai_worker": topics.AI_WORKER,
    "archiver": topics.ARCHIVER,
}
STREAMS = ("kafka", "msk", "postgres")


def write(dist: Path) -> dict[str, int]:
    """The sizes of the zips, by their path."""
    sizes = {}
    for architecture in ARCHITECTURES:
        for function in FUNCTIONS:
            target = zip_of(dist, function, architecture)
            sizes[str(target.relative_to(dist))] = archive.write(target, bundle.files(function, architecture))
    for stream in STREAMS:
        deployed = {function.name: described(function, stream) for function in FUNCTIONS if function.deployed}
        place(dist / "aws" / f"functions-{stream}.yml", dump(deployed))
    return sizes


def zip_of(dist: Path, function: Function, architecture: str = ARCHITECTURES[0]) -> Path:
    folder = dist / "aws"
    return (folder if architecture == ARCHITECTURES[0] else folder / architecture) / f"{function.name}.zip"


def described(function: Function, stream: str) -> dict[str, Any]:
    """`role` names a resource of serverless.yml: each function may do what its trigger and stores need."""
    return {
        "handler": f"{function.source.removesuffix('.py')}.aws",
        "memorySize": function.memory,
        "timeout": function.seconds,
        "role": f"{role_of(function)}Role",
        "package": {"artifact": f"dist/aws/{function.name}.zip"},
        "events": events(function, stream),
    } | ({"url": True} if answers_at_url(function, stream) else {})


def role_of(function: Function) -> str:
    if function.name == "archiver":
        return "Archiver"
    return "Station" if function.reads_stream else "Function"


def answers_at_url(function: Function, stream: str) -> bool:
    """Ingest has one beside the gateway, which costs more than the function; stations the poller feeds need one."""
    return function.name == "ingest" or (function.reads_stream and stream == "postgres")


def events(function: Function, stream: str) -> list[dict[str, Any]]:
    if function.public:
        return [{"httpApi": route} for route in function.routes]
    if function.trigger == "clock":
        return [{"schedule": {"rate": ["rate(1 minute)"]}}]
    if not function.reads_stream or stream == "postgres":
        return []
    common: dict[str, Any] = {"topic": function.trigger, "consumerGroupId": GROUPS[function.name]}
    common |= BATCHES.get(function.name, BATCH)
    if stream == "msk":
        return [{"msk": {"arn": "${param:mskArn}", "saslScram512": "${param:kafkaSecretArn}", **common}}]
    # The event source stands where the functions do.
    access: dict[str, Any] = {"vpcSubnet": "${param:subnets}", "vpcSecurityGroup": "${param:securityGroups}"}
    access["saslScram512Auth"] = ["${param:kafkaSecretArn}"]
    return [{"kafka": {"accessConfigurations": access, "bootstrapServers": "${param:brokers}", **common}}]

"""What is written for each deployer: taken as it stands by the one that can be run here, by strict shapes elsewhere."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from common import lookup, topics
from common.variables import VARIABLES
from local.bundles import digitalocean, framework
from local.bundles.aws import STREAMS
from local.bundles.declaration import FUNCTIONS, ROOT
from local.hosts import openwhisk
from local.poller import stations
from local.servers.process import NOBODY, Words
from tests.packaged import shapes
from tests.packaged.shapes import SHAPES

Template = dict[str, Any]


def documents(path: Path) -> list[Template]:
    return list(yaml.safe_load_all(path.read_text()))


def valid(shape: dict[str, Any], document: object) -> None:
    assert not [error.message for error in Draft202012Validator(shape).iter_errors(document)]


@pytest.mark.parametrize("folder", ["gcp", "knative"])
def test_every_manifest_has_the_shape_its_platform_takes(dist: Path, folder: str) -> None:
    found = [one for path in sorted((dist / folder).glob("*.yaml")) for one in documents(path)]
    assert found
    for one in found:
        valid(SHAPES[one["apiVersion"], one["kind"]], one)


def test_on_knative_only_what_is_public_has_an_address_outside(dist: Path) -> None:
    for one in documents(dist / "knative" / "services.yaml"):
        function = next(f for f in FUNCTIONS if f.name == one["metadata"]["name"].replace("-", "_"))
        inside = one["metadata"].get("labels") == {"networking.knative.dev/visibility": "cluster-local"}
        assert inside is not function.public
        env = one["spec"]["template"]["spec"]["containers"][0].get("env", [])
        assert ({"name": "INTERNAL_KEY", "value": "platform"} in env) is inside  # open only where nobody gets in


RUN = "run.googleapis.com/"


def test_on_cloud_run_nobody_is_asked_for_an_identity_and_only_what_is_public_takes_strangers(dist: Path) -> None:
    for path in sorted((dist / "gcp").glob("service-*.yaml")):
        [one] = documents(path)
        function = next(f for f in FUNCTIONS if f.name == one["metadata"]["name"].replace("-", "_"))
        said = one["metadata"]["annotations"]
        assert said[f"{RUN}invoker-iam-disabled"] == "true"
        assert said[f"{RUN}ingress"] == ("all" if function.public else "internal")
        env = one["spec"]["template"]["spec"]["containers"][0]["env"]
        assert "valueFrom" in next(v for v in env if v["name"] == "INTERNAL_KEY")  # no identity, so this is the guard


def test_on_cloud_run_everything_reaches_the_database_and_the_poller_its_stations(dist: Path) -> None:
    found = [one for path in (dist / "gcp").glob("*.yaml") for one in documents(path)]
    for one in found:
        said = one["spec"]["template"]["metadata"]["annotations"]
        assert json.loads(said[f"{RUN}network-interfaces"])
        through = "all-traffic" if one["kind"] == "WorkerPool" else "private-ranges-only"
        assert said[f"{RUN}vpc-access-egress"] == through
        pod = one["spec"]["template"]["spec"]
        [container] = pod.get("containers") or pod["template"]["spec"]["containers"]
        assert (
            {"DATABASE_URL_FILE", "PG_CA_CERT", "PG_SSLMODE"}
            <= {v["name"] for v in container["env"]}
            <= lookup.NAMES | {"FORWARDED_ALLOW_IPS"}
        )


def as_the_deployer_reads(folder: Path) -> Any:
    """Its way with variables: text for text, before it looks at the YAML; one that is empty or missing stops it."""

    def said(found: re.Match[str]) -> str:
        name = found[1].strip()
        value = json.dumps(dotenv(folder / name[1:])) if name.startswith("<") else ""
        assert value not in ("", "{}"), f"could not be resolved: {name}"
        return value.replace("\n", "\\n")

    return yaml.safe_load(re.sub(r"\$[{(]([^})]*)[})]", said, (folder / "project.yml").read_text()))


def dotenv(path: Path) -> dict[str, str]:
    pairs = dict(line.split("=", 1) for line in path.read_text().splitlines() if line and not line.startswith("#"))
    return {name: value[1:-1].replace("\\n", "\n") if value[:1] == '"' else value for name, value in pairs.items()}


@pytest.fixture
def filled_in(dist: Path, tmp_path: Path) -> Path:
    """The project where it lies in a clone, and what an operator wrote beside dist/: only what is needed."""
    folder = tmp_path / "dist" / "digitalocean"
    folder.mkdir(parents=True)
    shutil.copy(dist / "digitalocean" / "project.yml", folder)
    written = 'DATABASE_URL=postgresql://a:b@c/d\nPG_CA_CERT="-----BEGIN\\nx: y\\n"\nINTERNAL_KEY=12345\n'
    (tmp_path / digitalocean.SETTINGS).write_text(written)
    return folder


def test_cloud_runs_job_migrates_unless_an_execution_says_what_else(dist: Path) -> None:
    [job] = documents(dist / "gcp" / "job-migrate.yaml")
    [one] = job["spec"]["template"]["spec"]["template"]["spec"]["containers"]
    assert (one["command"], one["args"]) == (["python", "-m"], ["migrations.apply"])
    workflow = (ROOT / ".github" / "workflows" / "connectivity.yml").read_text()
    assert f"jobs execute {job['metadata']['name']} --args=local,doctor" in workflow


def test_digitaloceans_project_is_what_its_deployer_takes(dist: Path, filled_in: Path) -> None:
    folder, project = dist / "digitalocean", as_the_deployer_reads(filled_in)
    valid(shapes.PROJECT, project)
    assert sorted(os.listdir(folder)) == ["apart", "app.yaml", "env.example", "lib", "packages", "project.yml"]
    functions = project["packages"][0]["functions"]
    assert {one["name"] for one in functions} == set(os.listdir(folder / "packages" / "signals"))  # all are deployed
    assert [trigger["name"] for one in functions for trigger in one.get("triggers", [])] == ["tick"]
    assert all(one["limits"]["timeout"] <= 30_000 for one in functions if one["web"])
    assert {one["name"] for one in functions if not one["web"]} == {"tick", "migrate"}
    for one in (folder / "packages" / "signals").iterdir():
        names = (one / ".include").read_text().split()
        assert not [name for name in names if not (one / name).exists()]
        assert not (one / "requirements.txt").exists()  # it would be installed at every cold start


def test_digitaloceans_functions_get_the_settings_as_they_were_written(dist: Path, filled_in: Path) -> None:
    """Lines, digits, and nothing for what was left out."""
    environment = as_the_deployer_reads(filled_in)["environment"]
    assert environment == {
        "DATABASE_URL": "postgresql://a:b@c/d", "PG_CA_CERT": "-----BEGIN\nx: y\n", "INTERNAL_KEY": "12345"
    }  # fmt: skip
    example = dist / "digitalocean" / "env.example"
    offered = {line.strip("# ").partition("=")[0] for line in example.read_text().splitlines()}
    assert set(environment) | {"KAFKA_BROKERS", "S3_BUCKET"} <= offered <= lookup.NAMES


def test_app_platforms_application_is_what_it_takes(dist: Path) -> None:
    [application] = documents(dist / "digitalocean" / "app.yaml")
    valid(shapes.APP, application)
    assert [job["kind"] for job in application["jobs"]] == ["PRE_DEPLOY"]
    secrets = {one.name for one in VARIABLES if one.secret}
    assert all(one["type"] == "SECRET" for one in application["envs"] if one["key"] in secrets)
    assert application["ingress"]["rules"][-1]["component"]["name"] == "dashboard"


def test_what_the_poller_sends_to_digitaloceans_functions_is_within_their_megabyte(dist: Path) -> None:
    [application] = documents(dist / "digitalocean" / "app.yaml")
    [worker] = application["workers"]
    said = {one["key"]: one["value"].replace("FUNCTIONS_URL", "https://faas.example") for one in worker["envs"]}
    for station in stations.read(said).stations:
        headers = {"content-type": "application/json", "x-internal-key": "k" * 1000}
        event = openwhisk.http_event("POST", "/", headers, bytes(station.max_bytes))
        assert len(json.dumps(event)) < 1_000_000, station.name


PLACEHOLDER = re.compile(r"\b(?:IMAGE_\w+|SERVICE_ACCOUNT|PROJECT_NUMBER|REGION|FUNCTIONS_URL)\b|value: INTERNAL_KEY")


def followed(guide: str, *folders: Path) -> None:
    """Its `sed` lines as they are printed, each where the guide stands by then."""
    text = (ROOT / "docs" / "how-to" / guide).read_text()
    lines = [line for line in text.splitlines() if line.startswith("sed ")]
    for line, folder in zip(lines, folders, strict=True):
        subprocess.run(["bash", "-c", line], cwd=folder, check=True)


def test_the_guides_leave_no_placeholder_and_what_is_filled_in_is_still_taken(dist: Path, tmp_path: Path) -> None:
    clone, deploy = tmp_path / "clone", tmp_path / "deploy"
    for path in dist.glob("*/*.yaml"):
        home = clone / "dist" if path.parent.name == "digitalocean" else deploy
        (home / path.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, home / path.parent.name)
    followed("deploy-on-knative-and-cloud-run.md", clone, deploy)
    followed("deploy-on-digitalocean.md", clone)
    filled = [*deploy.glob("*/*.yaml"), clone / "app.yaml"]
    assert len(filled) > 10
    for path in filled:
        assert not PLACEHOLDER.search(path.read_text()), path
    valid(shapes.APP, *documents(clone / "app.yaml"))


def linked(source: str, target: str) -> None:
    os.link(source, target)


def packaged(dist: Path, name: str, *more: str, given: str = "") -> Template:
    """By the framework itself, without an account."""
    home = dist / f"service-{name}"
    shutil.copytree(ROOT / "local" / "bundles" / "on_aws", home / "local" / "bundles" / "on_aws")
    shutil.copytree(dist / "aws", home / "dist" / "aws", copy_function=linked)
    shutil.copy(ROOT / "serverless.yml", home)
    if given:
        (home / "aws.yml").write_text(given)
    words: Words = [framework.program(), "package", *more, "--package", home / "out"]
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "SLS_TELEMETRY_DISABLED": "1"}
    done = subprocess.run(words, cwd=home, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "arning" not in done.stderr
    return dict(json.loads((home / "out" / "cloudformation-template-update-stack.json").read_text()))


@pytest.fixture(scope="module")
def templates(dist: Path) -> Iterator[dict[str, Template]]:
    """For each stream."""
    framework.program()

    def offline(stream: str) -> Template:
        return packaged(dist, stream, "--stage", "offline", f"--param=stream={stream}")

    with ThreadPoolExecutor(2) as together:
        yield dict(zip(STREAMS, together.map(offline, STREAMS), strict=True))


def of(template: Template, kind: str) -> dict[str, Template]:
    return {name: one["Properties"] for name, one in template["Resources"].items() if one["Type"] == f"AWS::{kind}"}


@pytest.mark.parametrize("stream", ["kafka", "msk"])
def test_event_sources_try_for_ever_and_throw_nothing_away(templates: dict[str, Template], stream: str) -> None:
    sources = of(templates[stream], "Lambda::EventSourceMapping")
    assert len(sources) == sum(function.reads_stream for function in FUNCTIONS)
    for source in sources.values():
        assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert source["BisectBatchOnFunctionError"] is True
        assert (source["MaximumRetryAttempts"], source["MaximumRecordAgeInSeconds"]) == (-1, -1)
        assert "DestinationConfig" not in source
        assert source["StartingPosition"] == "TRIM_HORIZON"
        assert source["Topics"][0] in topics.TOPICS
    windows = sorted(source.get("MaximumBatchingWindowInSeconds", 0) for source in sources.values())
    assert windows == [0, 1, 1, 60]  # the model's jobs, indexer and engine, and the archive, each batch an object
    assert len(of(templates[stream], "CloudWatch::Alarm")) == len(sources)


def test_with_the_stream_in_postgres_stations_have_urls_and_no_event_source(templates: dict[str, Template]) -> None:
    assert not of(templates["postgres"], "Lambda::EventSourceMapping")
    assert len(of(templates["postgres"], "Lambda::Url")) == 1 + sum(function.reads_stream for function in FUNCTIONS)


@pytest.mark.parametrize("stream", STREAMS)
def test_functions_routes_and_the_clock_are_as_declared(templates: dict[str, Template], stream: str) -> None:
    functions = of(templates[stream], "Lambda::Function")
    declared = {f"signals-offline-{one.name}": one for one in FUNCTIONS if one.deployed}
    assert {one["FunctionName"] for one in functions.values()} == set(declared)
    for one in functions.values():
        function = declared[one["FunctionName"]]
        assert (one["MemorySize"], one["Timeout"]) == (function.memory, function.seconds)
        assert one["Handler"] == f"{function.source.removesuffix('.py')}.aws"
        assert one["Runtime"] == "python3.13"
    routes = {one["RouteKey"] for one in of(templates[stream], "ApiGatewayV2::Route").values()}
    assert routes >= {"POST /v1/events", "POST /v1/events/batch", "ANY /v1/{proxy+}", "$default"}
    integrations = of(templates[stream], "ApiGatewayV2::Integration").values()
    assert {one["PayloadFormatVersion"] for one in integrations} == {"2.0"}
    assert [one["ScheduleExpression"] for one in of(templates[stream], "Events::Rule").values()] == ["rate(1 minute)"]


@pytest.mark.parametrize("stream", STREAMS)
def test_roles_may_do_little_and_secrets_are_references(templates: dict[str, Template], stream: str) -> None:
    template = templates[stream]
    for name, role in of(template, "IAM::Role").items():
        statements = [one for policy in role["Policies"] for one in policy["PolicyDocument"]["Statement"]]
        actions = {action for one in statements for action in one["Action"]}
        assert not [action for action in actions if "*" in action]
        wide = {action.partition(":")[0] for one in statements if one["Resource"] == "*" for action in one["Action"]}
        assert wide <= {"ec2"}
        assert ("s3:PutObject" in actions) is (name == "ArchiverRole")
    secrets = {one.name for one in VARIABLES if one.secret}
    for one in of(template, "Lambda::Function").values():
        variables = one["Environment"]["Variables"]
        assert set(variables) <= lookup.NAMES
        assert all(
            value.startswith("{{resolve:secretsmanager:") for name, value in variables.items() if name in secrets
        )


def test_what_is_written_into_aws_yml_reaches_every_function(dist: Path) -> None:
    """Lists are lists, and with the longest certificate there is everything still fits: an environment holds 4 KB."""
    root = "-----BEGIN CERTIFICATE-----\n" + ("M" * 64 + "\n") * 32 + "-----END CERTIFICATE-----\n"  # RSA 4096
    given = {"stream": "kafka", "subnets": ["subnet-1a", "subnet-2b"], "securityGroups": ["sg-1"], "postgresCa": root}
    given |= {
        "brokers": ["b1:9096", "b2:9096"],
        "modelUrl": "https://model.example/v1",
        "publicUrl": "https://a.example",
    }
    template = packaged(dist, "prod", "--stage", "prod", given=yaml.safe_dump(given))
    for function in of(template, "Lambda::Function").values():
        variables = function["Environment"]["Variables"]
        assert function["VpcConfig"] == {"SubnetIds": given["subnets"], "SecurityGroupIds": given["securityGroups"]}
        assert variables["KAFKA_BROKERS"] == {"Fn::Join": [",", given["brokers"]]}
        assert (variables["PG_CA_CERT"], variables["GRADIENT_BASE_URL"]) == (root, given["modelUrl"])
        assert len(json.dumps(variables)) < 4096  # the references are longer than what they stand for
    for source in of(template, "Lambda::EventSourceMapping").values():
        assert source["SelfManagedEventSource"]["Endpoints"]["KafkaBootstrapServers"] == given["brokers"]
        uris = {one["URI"] for one in source["SourceAccessConfigurations"]}
        assert {"subnet:subnet-1a", "subnet:subnet-2b", "security_group:sg-1"} < uris


def test_a_station_may_decrypt_the_secret_of_amazons_kafka(templates: dict[str, Template]) -> None:
    for name in ("StationRole", "ArchiverRole"):
        policies = of(templates["msk"], "IAM::Role")[name]["Policies"]
        allowed = {
            action: one["Resource"]
            for p in policies
            for one in p["PolicyDocument"]["Statement"]
            for action in one["Action"]
        }
        assert allowed["kms:Decrypt"].startswith("arn:aws:kms:")
        assert allowed["secretsmanager:GetSecretValue"].startswith("arn:aws:secretsmanager:")


def test_the_containers_user_is_nobody() -> None:
    assert NOBODY == 65_534  # as the manifests say

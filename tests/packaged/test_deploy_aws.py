"""The scripts for AWS, beside an `aws`, an `osls` and a `curl` that only write down what they were asked."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from local.bundles.declaration import ROOT

DEPLOY = Path("local/bundles/on_aws/deploy.sh")
STORES = ROOT / "local" / "bundles" / "stores" / "aws.sh"
NO_FUNCTION = "An error occurred (ResourceNotFoundException) when calling the GetFunctionConfiguration operation"
# What it was asked stands in the file $ASKED; the answers to a look-up and to an invocation are given.
AWS = """#!/bin/sh
echo "$*" | sed "s/^lambda //; s/migrate .*/migrate/" >> "$ASKED"
case "$2" in
  get-function-configuration) [ -z "$LOOKED_UP" ] || { echo "$LOOKED_UP" >&2; exit 254; } ;;
  invoke) echo "$INVOKED" ;;
esac
"""
OSLS = """#!/bin/sh
echo "osls $*" >> "$ASKED"
"""
LOOK, UPDATE, WAIT, INVOKE = (
    f"{verb} --function-name signals-prod-migrate"
    for verb in ("get-function-configuration", "update-function-code", "wait function-updated", "invoke")
)
OSLS_DEPLOY = "osls deploy --stage prod --param=a=b"


def programs(home: Path, **texts: str) -> dict[str, str]:
    """The environment in which these are found first."""
    for name, text in texts.items():
        (home / name).write_text(text)
        (home / name).chmod(0o755)
    return {"PATH": f"{home}:{os.environ['PATH']}", "ASKED": str(home / "asked")}


def deployed(home: Path, looked_up: str = "", invoked: str = "None") -> tuple[int, list[str], str]:
    """How it ended, what was asked in which order, what it said."""
    env = programs(home, aws=AWS, osls=OSLS) | {"LOOKED_UP": looked_up, "INVOKED": invoked}
    shutil.copytree((ROOT / DEPLOY).parent, (home / DEPLOY).parent)
    (home / "aws.yml").touch()
    done = subprocess.run([home / DEPLOY, "--param=a=b"], env=env, capture_output=True, text=True, check=False)
    return done.returncode, (home / "asked").read_text().splitlines(), done.stderr


def test_a_new_release_migrates_with_its_own_code_before_it_is_deployed(tmp_path: Path) -> None:
    code, asked, _ = deployed(tmp_path)
    assert asked == [LOOK, UPDATE, WAIT, INVOKE, OSLS_DEPLOY]
    assert code == 0


def test_the_first_deployment_migrates_when_there_is_something_to_invoke(tmp_path: Path) -> None:
    code, asked, _ = deployed(tmp_path, looked_up=NO_FUNCTION)
    assert (code, asked) == (0, [LOOK, OSLS_DEPLOY, INVOKE])


@pytest.mark.parametrize("failure", ["Unhandled", ""])
def test_migrations_that_fail_end_the_deployment(tmp_path: Path, failure: str) -> None:
    code, asked, said = deployed(tmp_path, invoked=failure)
    assert (code, asked[-1]) == (1, INVOKE)
    assert "The migrations failed" in said


def test_who_may_not_look_deploys_nothing(tmp_path: Path) -> None:
    code, asked, said = deployed(tmp_path, looked_up="An error occurred (AccessDeniedException)")
    assert (code, asked) == (1, [LOOK])
    assert "AccessDenied" in said


# Of both kinds that AWS has in a region's bundle, the names as it writes them.
CURL = """#!/bin/sh
for kind in ECC384 RSA2048; do
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout /dev/null \\
    -subj "/CN=Amazon RDS eu-west-1 Root CA $kind G1" 2>/dev/null
done > "$3"
"""
STORES_AWS = """#!/bin/sh
echo "$*" >> "$ASKED"
case "$2" in
  get-caller-identity) echo 123456789012 ;;
  describe-db-instances) echo signals.x.eu-west-1.rds.amazonaws.com ;;
  create-secret) cp "${6#file://}" "$ASKED.secret"; echo arn:aws:secretsmanager:eu-west-1:123456789012:secret:signals ;;
  create-db-instance) for word; do case "$word" in file://*) cp "${word#file://}" "$ASKED.password" ;; esac; done ;;
esac
"""


@pytest.mark.parametrize("region", ["eu-west-1", "us-east-1"])
def test_the_stores_are_made_and_what_serverless_wants_to_know_is_written(tmp_path: Path, region: str) -> None:
    env = programs(tmp_path, aws=STORES_AWS, curl=CURL) | {"AWS_REGION": region, "SUBNET_GROUP": "a"}
    env |= {"SUBNETS": "subnet-1,subnet-2", "SECURITY_GROUP": "sg-1"}
    subprocess.run([STORES, "create"], cwd=tmp_path, env=env, capture_output=True, check=True)
    asked = (tmp_path / "asked").read_text()
    written = yaml.safe_load((tmp_path / "aws.yml").read_text())
    declared = yaml.safe_load((ROOT / "serverless.yml").read_text())["params"]["default"]
    assert set(written) <= set(declared)
    assert (written["subnets"], written["securityGroups"]) == (["subnet-1", "subnet-2"], ["sg-1"])
    assert written["bucket"] == "signals-archive-123456789012"
    assert f"--bucket {written['bucket']}" in asked
    assert (f"LocationConstraint={region}" in asked) is (region != "us-east-1")  # where it may not be said
    named = subprocess.run(
        ["openssl", "x509", "-noout", "-subject"],
        input=written["postgresCa"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "RSA2048 G1" in named.stdout
    assert written["postgresCa"].count("BEGIN") == 1


def test_the_secret_has_all_that_functions_refer_to_and_nothing_else_shows_it(tmp_path: Path) -> None:
    env = programs(tmp_path, aws=STORES_AWS, curl=CURL) | {"SUBNET_GROUP": "a", "SUBNETS": "b", "SECURITY_GROUP": "c"}
    done = subprocess.run([STORES, "create"], cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    secret = json.loads((tmp_path / "asked.secret").read_text())
    settings = (ROOT / "local" / "bundles" / "on_aws" / "settings-postgres.yml").read_text()
    assert {name for name in secret if f"SecretString:{name}:" in settings} == set(secret)
    assert settings.count("param:secretArn") == len(secret)
    password = (tmp_path / "asked.password").read_text()
    assert (
        secret["DATABASE_URL"] == f"postgresql://signals:{password}@signals.x.eu-west-1.rds.amazonaws.com:5432/signals"
    )
    shown = done.stdout + done.stderr + (tmp_path / "asked").read_text() + (tmp_path / "aws.yml").read_text()
    assert not [value for value in (password, secret["INTERNAL_KEY"]) if value in shown]

"""Workflows and scripts: actions pinned by commit, shell that a linter has read, scripts that show before they act."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.bundles import release, wheels
from local.bundles.declaration import ARCHITECTURES, FUNCTIONS, PYTHON, ROOT, SIMULATED
from local.servers import process

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
SCRIPTS = sorted((ROOT / "local" / "bundles" / "stores").glob("*.sh"))
KNOWN_OF_JOB = {
    "runs-on", "timeout-minutes", "strategy", "steps", "permissions", "needs", "if", "environment", "env", "services",
}  # fmt: skip
KNOWN_OF_STEP = {"uses", "with", "run", "name", "if", "env", "id", "working-directory", "shell"}


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_says_what_it_may_and_how_long_and_pins_what_it_uses(path: Path) -> None:
    workflow = yaml.load(path.read_text(), yaml.BaseLoader)  # the base loader makes texts and nothing else
    assert set(workflow) <= {"name", "on", "permissions", "jobs", "concurrency", "env"}
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert set(job) <= KNOWN_OF_JOB
        assert int(job["timeout-minutes"]) <= 90
    for step in steps(workflow):
        assert set(step) <= KNOWN_OF_STEP
        assert ("uses" in step) is not ("run" in step)
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", step.get("uses", "a/b@" + "0" * 40))
        assert "${{" not in step.get("run", "")  # what others may name comes as a variable, never as code
    assert len(re.findall(r"@[0-9a-f]{40} # v\d", path.read_text())) == path.read_text().count("uses:")


def test_a_linter_of_workflows_finds_nothing() -> None:
    """Their syntax, the types of their expressions, what actions take; the shell in them is read below."""
    actionlint = process.program("actionlint", "With Go: go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12")
    words: process.Words = [actionlint, "-shellcheck=", "-pyflakes=", *WORKFLOWS]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_every_piece_of_shell_has_been_read_by_a_linter(tmp_path: Path) -> None:
    shellcheck = process.program("shellcheck", "Install shellcheck.")
    pieces = [ROOT / ".ci" / "run", *(ROOT / "local").rglob("*.sh")]
    for path in WORKFLOWS:
        for number, step in enumerate(steps(yaml.safe_load(path.read_text()))):
            if "run" in step:
                pieces.append(tmp_path / f"{path.stem}-{number}.sh")
                pieces[-1].write_text("#!/usr/bin/env bash\nset -e\n" + step["run"])
    done = subprocess.run([shellcheck, "-x", *pieces], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
@pytest.mark.parametrize("deed", ["create", "remove"])
def test_the_scripts_for_stores_show_what_they_would_do(script: Path, deed: str) -> None:
    env = {"PATH": os.environ["PATH"], "SUBNET_GROUP": "a", "SUBNETS": "c", "SECURITY_GROUP": "b", "KAFKA": "yes"}
    env["PASSWORD"] = "hunter2"
    done = subprocess.run([script, deed, "--dry-run"], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] in ("aws", "doctl", "gcloud")
    assert "hunter2" not in done.stdout
    assert subprocess.run([script], env=env, capture_output=True, check=False).returncode == 2


DOCTL = """#!/bin/sh
if [ "$2" = list ]; then
  printf '11aa  signals-old\\n22bb  signals\\n'
else
  echo "$@" >> "$0.log"
fi
"""


def test_digitaloceans_databases_are_removed_by_their_ids_and_only_those_there_are(tmp_path: Path) -> None:
    doctl = tmp_path / "doctl"
    doctl.write_text(DOCTL)
    doctl.chmod(0o755)
    script = next(one for one in SCRIPTS if one.name == "digitalocean.sh")
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run([script, "remove"], env=env, capture_output=True, text=True, check=True)
    assert (tmp_path / "doctl.log").read_text() == "databases delete 22bb --force\n"
    assert done.stdout == "There is no signals-kafka.\n"


def test_what_a_release_carries_agrees_with_its_sums_where_it_was_downloaded(dist: Path) -> None:
    folder = release.write(dist)
    done = subprocess.run(["sha256sum", "-c", release.SUMS], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    said = {line.partition(":")[0] for line in done.stdout.splitlines()}
    assert said == {one.name for one in folder.iterdir()} - {release.SUMS}
    assert {f"ingest-{one}.zip" for one in ARCHITECTURES} | {"sbom.json"} < said


def test_ci_is_not_ended_before_it_says_what_failed() -> None:
    """.ci/run ends the tests itself, so that they still tell; and it has an installation before them."""
    [tests] = map(int, re.findall(r"kill-after=60 (\d+) make test", (ROOT / ".ci" / "run").read_text()))
    jobs = [job for path in WORKFLOWS for job in yaml.safe_load(path.read_text())["jobs"].values()]
    running = [job for job in jobs if {"run": ".ci/run"} in job["steps"]]
    assert running
    assert all(job["timeout-minutes"] * 60 >= tests + 600 for job in running)


def test_what_is_built_for_x86_64_says_so_to_who_builds_on_arm(dist: Path) -> None:
    assert f"FROM --platform=linux/amd64 python:{PYTHON}-slim" in (dist / "gcp" / "Dockerfile").read_text()
    assert ARCHITECTURES[0] == "x86_64"  # of whose wheels dist/gcp is made


def test_the_bill_of_materials_names_every_wheel_with_its_hashes(dist: Path) -> None:
    document = json.loads((dist / "sbom.json").read_text())
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    named = {one["name"]: one for one in document["components"]}
    shipped = {name for one in FUNCTIONS for name in one.dependencies}
    assert shipped <= set(named)
    assert not set(SIMULATED) & set(named)
    assert all(one["hashes"] and one["purl"].startswith("pkg:pypi/") for one in named.values())


def test_the_lock_has_the_versions_of_the_constraints() -> None:
    constraints = wheels.constraints()
    assert {name: version for name, (version, _) in wheels.pinned().items()}.items() <= constraints.items()

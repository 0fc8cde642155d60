"""dist/digitalocean: the project its deployer takes, and an App Platform application for what functions cannot be."""

from pathlib import Path
from typing import Any

from common.variables import VARIABLES
from local.bundles import bundle, compiled
from local.bundles.compiled import Files
from local.bundles.declaration import ARCHITECTURES, CLOCK, FUNCTIONS, JOB, PYTHON, Function
from local.bundles.places import dump, lay, place

PACKAGE = "signals"
SITE = f"virtualenv/lib/python{PYTHON}/site-packages"
WEB_SECONDS = 30  # what takes longer is made asynchronous, which a web function cannot be
# Functions take 600 calls a minute in a namespace, all together: what many callers reach is a service.
SERVICES = ("ingest", "core_api", "dashboard")
IMAGE = {"registry_type": "GHCR", "registry": "${IMAGE_OWNER}", "repository": "signals-copilot", "tag": "${IMAGE_TAG}"}
STORES = ("DATABASE_", "PG_", "KAFKA_", "OPENSEARCH_", "GRADIENT_", "S3_")
ACTIVATE = '''"""What OpenWhisk's launcher runs first: the packages beside this file are importable."""
import os, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), {site!r}))
'''.format(site=SITE.removeprefix("virtualenv/"))


def write(dist: Path) -> None:
    folder = dist / "digitalocean"
    shared: Files = {}
    for function in FUNCTIONS:
        shared |= lay_function(folder / "packages" / PACKAGE / function.name, function)
    lay(folder / "lib", shared)
    place(folder / "project.yml", dump(project()))
    place(folder / ".env.example", "".join(f"{name}=\n" for name in environment()))
    place(folder / "app.yaml", dump(application()))


def lay_function(folder: Path, function: Function) -> Files:
    """Its own files; what is in common/ goes to lib/, once for all, and is included from there. Answers that."""
    ours = bundle.ours(function)
    shared = {name: path for name, path in ours.items() if name.startswith("common/")}
    own = {name: path for name, path in ours.items() if name not in shared}
    packages = bundle.of_wheels(function, ARCHITECTURES[0])
    lay(folder, own | {f"{SITE}/{name}": path for name, path in packages.items()} | entry(function))
    tops = sorted({name.partition("/")[0] for name in own})
    place(folder / ".include", "\n".join(["__main__.py", *tops, "virtualenv", "../../../lib/common"]) + "\n")
    return shared


def entry(function: Function) -> Files:
    """`__main__` is the name the platform asks for."""
    program = f'"""{function.name}, as the platform finds it."""\nfrom {function.module} import main  # noqa: F401\n'
    made = {"__main__.py": program.encode(), "virtualenv/bin/activate_this.py": ACTIVATE.encode()}
    return compiled.written(made, f"entry-{function.name}")


def project() -> dict[str, Any]:
    functions = [described(function) for function in FUNCTIONS if function.deployed]
    return {"environment": environment(), "packages": [{"name": PACKAGE, "functions": functions}]}


def environment() -> dict[str, str]:
    """Each from `.env`, where secrets stay."""
    names = [
        one.name
        for one in VARIABLES
        if one.name.startswith(("DATABASE_", "PG_", "KAFKA_", "OPENSEARCH_", "GRADIENT_", "S3_"))
    ]
    return {name: f"${{{name}}}" for name in [*names, "INTERNAL_KEY", "PUBLIC_URL"]}


def described(function: Function) -> dict[str, Any]:
    """Only HTTP is `web`; the clock comes from inside, and a job from whoever may invoke."""
    web = function.trigger not in (CLOCK, JOB)
    seconds = min(function.seconds, WEB_SECONDS) if web else function.seconds
    every_minute = {"cron": "* * * * *", "body": {"job": function.name}}
    trigger = {"name": function.name, "type": "scheduled", "enabled": True, "scheduledDetails": every_minute}
    return {
        "name": function.name,
        "runtime": f"python:{PYTHON}",
        "main": "main",
        "web": "raw" if web else False,
        "limits": {"timeout": seconds * 1000, "memory": function.memory},
    } | ({"triggers": [trigger]} if function.trigger == CLOCK else {})


def application() -> dict[str, Any]:
    """App Platform: the public functions, the poller beside them, and the migrations before each release."""
    return {
        "name": "signals-copilot",
        "envs": [variable(name) for name in environment()],
        "services": [service(function) for function in FUNCTIONS if function.name in SERVICES],
        "workers": [worker()],
        "jobs": [{**container("migrate", "python -m migrations.apply"), "kind": "PRE_DEPLOY"}],
        "ingress": {"rules": [rule for function in FUNCTIONS if function.name in SERVICES for rule in rules(function)]},
        "alerts": [{"rule": "DEPLOYMENT_FAILED"}],
    }


def service(function: Function) -> dict[str, Any]:
    serve = f"python -m functions_framework --source {function.source} --target gcp --asgi --host 0.0.0.0 --port 8080"
    return {**container(function.name, serve), "http_port": 8080, "health_check": {"http_path": "/health"}}


def worker() -> dict[str, Any]:
    """Feeds the functions, and is the clock of none of them: their `tick` has its trigger."""
    stations = [f"{one.name}=${{FUNCTIONS_URL}}/{PACKAGE}/{one.name}" for one in FUNCTIONS if one.reads_stream]
    said = {"key": "POLLER_STATIONS", "value": ",".join(stations), "scope": "RUN_TIME"}
    return {**container("poller", "python -m local.poller"), "envs": [said]}


def container(name: str, command: str) -> dict[str, Any]:
    size = {"instance_count": 1, "instance_size_slug": "apps-s-1vcpu-0.5gb"}
    return {"name": name.replace("_", "-"), "image": IMAGE, "run_command": command, **size}


def variable(name: str) -> dict[str, str]:
    secret = {one.name for one in VARIABLES if one.secret}
    return {"key": name, "scope": "RUN_TIME", "value": f"${{{name}}}"} | ({"type": "SECRET"} if name in secret else {})


def rules(function: Function) -> list[dict[str, Any]]:
    """The longest prefix wins; the path arrives as it was sent."""
    paths = {
        route.rpartition(" ")[2].removesuffix("{proxy+}").rstrip("/").replace("*", "") or "/"
        for route in function.routes
    }
    to = {"name": function.name.replace("_", "-"), "preserve_path_prefix": True}
    return [{"match": {"path": {"prefix": path}}, "component": to} for path in sorted(paths)]

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
IMAGE = {"registry_type": "GHCR", "registry": "IMAGE_OWNER", "repository": "signals-copilot", "tag": "IMAGE_TAG"}
# Filled in beside dist/, which every `make bundle` makes anew. The deployer takes the file in as a whole: named one by
# one, a variable that is left empty would stop it, and one of several lines or of digits would not be a text any more.
SETTINGS = ".env.digitalocean"
WHOLE_FILE = f"${{<../../{SETTINGS}}}"
NEEDED = {"DATABASE_URL": "", "PG_SSLMODE": "verify-full", "PG_CA_CERT": "", "INTERNAL_KEY": "", "PUBLIC_URL": ""}
OPTIONAL = ("KAFKA_", "OPENSEARCH_", "GRADIENT_", "S3_")
# What the application itself knows: its address, and its database's, whose CA nobody needs to copy then.
DATABASE = {"name": "db", "engine": "PG", "production": True, "cluster_name": "signals"}
BOUND = {
    "DATABASE_URL": "${db.DATABASE_URL}",
    "PG_SSLMODE": "verify-full",
    "PG_CA_CERT": "${db.CA_CERT}",
    "INTERNAL_KEY": "INTERNAL_KEY",
    "PUBLIC_URL": "${APP_URL}",
    "INGEST_API_URL": "${APP_URL}",
}
# A function is given a megabyte at most, in which the body is base64.
POLLED_BYTES = 700_000
ACTIVATE = '''"""What OpenWhisk's launcher runs first: the packages beside this file are importable."""
import os, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), {site!r}))
'''.format(site=SITE.removeprefix("virtualenv/"))


def write(dist: Path) -> None:
    folder = dist / "digitalocean"
    shared: Files = {}
    for function in FUNCTIONS:
        # Every folder below packages/ is deployed, and open to the web, whether project.yml names it or not.
        place_of = folder / ("packages" if function.deployed else "apart") / PACKAGE
        shared |= lay_function(place_of / function.name, function)
    lay(folder / "lib", shared)
    place(folder / "project.yml", dump(project()))
    place(folder / "env.example", example())
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
    return {"environment": WHOLE_FILE, "packages": [{"name": PACKAGE, "functions": functions}]}


def example() -> str:
    """What must be said, and what may be."""
    optional = [f"# {one.name}=\n" for one in VARIABLES if one.name.startswith(OPTIONAL)]
    return "".join([*(f"{name}={value}\n" for name, value in NEEDED.items()), *optional])


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
        "databases": [DATABASE],
        "envs": [variable(name, value) for name, value in BOUND.items()],
        "services": [service(function) for function in FUNCTIONS if function.name in SERVICES],
        "workers": [worker()],
        "jobs": [{**container("migrate", "python -m migrations.apply"), "kind": "PRE_DEPLOY"}],
        "ingress": {"rules": [rule for function in FUNCTIONS if function.name in SERVICES for rule in rules(function)]},
        "alerts": [{"rule": "DEPLOYMENT_FAILED"}],
    }


def service(function: Function) -> dict[str, Any]:
    serve = f"python -m functions_framework --source {function.source} --target gcp --asgi --host 0.0.0.0 --port 8080"
    # Uvicorn believes the front end who the caller was, and that he came by TLS.
    own = {"envs": [variable("FORWARDED_ALLOW_IPS", "*")], "health_check": {"http_path": "/health"}}
    return {**container(function.name, serve), "http_port": 8080, **own}


def worker() -> dict[str, Any]:
    """Feeds the functions, and is the clock of none of them: their `tick` has its trigger."""
    stations = [f"{one.name}=FUNCTIONS_URL/{PACKAGE}/{one.name}" for one in FUNCTIONS if one.reads_stream]
    said = {"POLLER_STATIONS": ",".join(stations), "POLLER_MAX_BYTES": str(POLLED_BYTES)}
    return {**container("poller", "python -m local.poller"), "envs": [variable(*one) for one in said.items()]}


def container(name: str, command: str) -> dict[str, Any]:
    size = {"instance_count": 1, "instance_size_slug": "apps-s-1vcpu-0.5gb"}
    return {"name": name.replace("_", "-"), "image": IMAGE, "run_command": command, **size}


def variable(name: str, value: str) -> dict[str, str]:
    secret = {one.name for one in VARIABLES if one.secret}
    return {"key": name, "scope": "RUN_TIME", "value": value} | ({"type": "SECRET"} if name in secret else {})


def rules(function: Function) -> list[dict[str, Any]]:
    """The longest prefix wins; the path arrives as it was sent."""
    paths = {
        route.rpartition(" ")[2].removesuffix("{proxy+}").rstrip("/").replace("*", "") or "/"
        for route in function.routes
    }
    to = {"name": function.name.replace("_", "-"), "preserve_path_prefix": True}
    return [{"match": {"path": {"prefix": path}}, "component": to} for path in sorted(paths)]

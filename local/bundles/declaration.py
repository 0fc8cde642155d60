"""What is deployed: each function's entry, trigger, packages, memory and time, said once for every platform."""

from pathlib import Path
from typing import NamedTuple

from common import topics

ROOT = Path(__file__).parent.parent.parent
PYTHON = "3.13"
ARCHITECTURES = ("x86_64", "aarch64")
HTTP, CLOCK, JOB = "http", "clock", "job"

# The clients of every engine are in every bundle that may need them: which one is used, the environment decides.
STATE, SEARCH = ("msgspec", "pg8000", "confluent-kafka"), ("urllib3",)
API = ("fastapi", "starlette", "pydantic")
PAGES = ("starlette", "jinja2", "markupsafe", "tzdata")
MODEL = ("openai", "httpx2", "pydantic", "tenacity")
MAIN = "functions/{}/main.py"

INGEST_ROUTES = ("POST /v1/events", "POST /v1/events/batch")
API_ROUTES = ("ANY /v1/{proxy+}", "GET /openapi.json", "GET /docs")


class Function(NamedTuple):
    name: str
    source: str  # a module's file below the root
    trigger: str  # http, clock, job, or the topic whose batches it is given
    dependencies: tuple[str, ...]  # the distributions it imports, those they need excepted
    memory: int = 256  # megabytes
    seconds: int = 30
    routes: tuple[str, ...] = ()  # what a gateway sends it; the longest fitting route wins, `*` is the rest
    deployed: bool = True  # or only bundled: for who wants the clock's jobs apart, where `tick` runs them all

    @property
    def module(self) -> str:
        return self.source.removesuffix(".py").replace("/", ".")

    @property
    def exists(self) -> bool:
        return (ROOT / self.source).exists()

    @property
    def reads_stream(self) -> bool:
        return self.trigger in topics.TOPICS

    @property
    def public(self) -> bool:
        return self.trigger == HTTP


FUNCTIONS = tuple(
    function
    for function in (
        Function("ingest", MAIN.format("ingest"), HTTP, STATE, seconds=10, routes=INGEST_ROUTES),
        Function("core_api", MAIN.format("core_api"), HTTP, STATE + SEARCH + API, 512, 29, API_ROUTES),
        Function("dashboard", MAIN.format("dashboard"), HTTP, STATE + SEARCH + PAGES, 512, 29, ("*",)),
        Function("indexer", MAIN.format("indexer"), topics.RAW, STATE + SEARCH, 512, 60),
        Function("incident_engine", MAIN.format("incident_engine"), topics.RAW, STATE, 512, 60),
        Function("ai_worker", MAIN.format("ai_worker"), topics.AI_JOBS, STATE + SEARCH + MODEL, 512, 120),
        Function("archiver", MAIN.format("archiver"), topics.RAW, (*STATE, "botocore"), 512, 60),
        Function("tick", "schedules/tick.py", CLOCK, STATE + SEARCH, 256, 120),
        Function("watch_silence", "schedules/watch_silence.py", CLOCK, STATE, seconds=60, deployed=False),
        Function("resolve_stale", "schedules/resolve_stale.py", CLOCK, STATE, seconds=60, deployed=False),
        Function("sweep_jobs", "schedules/sweep_jobs.py", CLOCK, STATE, deployed=False),
        Function("prune", "schedules/prune.py", CLOCK, STATE + SEARCH, 256, 120, deployed=False),
        Function("migrate", "migrations/job.py", JOB, STATE + SEARCH, 256, 300),
    )
    if function.exists
)

# What serves them where no platform brings its own runtime: Cloud Run, Knative.
RUNTIME = ("functions-framework", "uvloop", "httptools")
# What the platforms bring, for the simulators: AWS's runtime client.
SIMULATED = ("awslambdaric",)

# Of the wheels: what no function of ours opens. botocore describes four hundred services, of which we ask these.
BOTOCORE_KEEPS = ("s3", "sts")
# Nobody imports it: zoneinfo finds it where a platform has no time zones of its own.
DATA_ONLY = ("tzdata",)

MEGABYTE = 1024 * 1024
LARGEST, LARGEST_INGEST = 20 * MEGABYTE, 8 * MEGABYTE


def named(name: str) -> Function:
    return next(function for function in FUNCTIONS if function.name == name)

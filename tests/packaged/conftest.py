"""What `make bundle` makes, unpacked in empty folders, on each platform's own runtime and Python 3.13."""

import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from common import credentials, settings
from common.clients.postgres.connection import Connection
from common.clients.stream import stream_for
from local import seed, state
from local.bundles import build, compiled, wheels
from local.bundles.declaration import ARCHITECTURES, FUNCTIONS, SIMULATED, Function, named
from local.bundles.digitalocean import PACKAGE
from local.bundles.interpreter import interpreter
from local.bundles.places import lay
from local.hosts import aws, openwhisk, web
from local.hosts.call import Host
from local.servers import process
from tests import servers

KEY = "an-internal-key"
PLATFORMS = ("aws", "digitalocean", "gcp")
HERE = ARCHITECTURES[0]


@pytest.fixture(scope="session")
def dist() -> Iterator[Path]:
    """Everything, built once; on the disk of the cache, so that files need no copying."""
    state.prepare()
    with tempfile.TemporaryDirectory(prefix="dist-", dir=state.HOME) as folder:
        build.build(Path(folder), said=False)
        yield Path(folder)


class Unpacked:
    """Each function as its platform unpacks it; the runtime beside it is all there is besides."""

    def __init__(self, dist: Path, home: Path) -> None:
        self.dist, self.home, self._one_at_a_time = dist, home, threading.Lock()
        home.chmod(0o755)

    def of(self, platform: str, function: Function) -> Path:
        folder = self.home / ("digitalocean" if platform == "digitalocean" else "zips") / function.name
        with self._one_at_a_time:  # functions are started side by side
            if not folder.exists():
                (self._included if platform == "digitalocean" else self._unzipped)(folder, function)
        return folder

    @cached_property
    def lambda_runtime(self) -> Path:
        folder = self.home / "lambda-runtime"
        lay(folder, compiled.of_wheels(wheels.wanted(SIMULATED, HERE)))
        return folder

    @cached_property
    def server_runtime(self) -> Path:
        """As in the Dockerfile of dist/gcp."""
        folder = self.home / "server-runtime"
        zipfile.ZipFile(self.dist / "gcp" / "runtime.zip").extractall(folder)
        return folder

    def _unzipped(self, folder: Path, function: Function) -> None:
        """Lambda's, and the same file for Cloud Run and Knative."""
        zips = [self.dist / platform / f"{function.name}.zip" for platform in ("aws", "gcp")]
        assert zips[0].samefile(zips[1]) or zips[0].read_bytes() == zips[1].read_bytes()
        zipfile.ZipFile(zips[0]).extractall(folder)

    def _included(self, folder: Path, function: Function) -> None:
        """As DigitalOcean's deployer does: what `.include` names, with the names it has below lib/."""
        kind = "packages" if function.deployed else "apart"
        source = self.dist / "digitalocean" / kind / PACKAGE / function.name
        folder.mkdir(parents=True)
        for line in (source / ".include").read_text().split():
            (folder / line.removeprefix("../../../lib/")).symlink_to((source / line).resolve())


class Deployment:
    """One platform with its own database: hosts are started when first asked for, and kept."""

    def __init__(self, platform: str, unpacked: Unpacked, home: Path, objects_url: str) -> None:
        self.platform, self.unpacked, self.home = platform, unpacked, home
        home.mkdir()
        self.url = servers.fresh_database()
        bucket = f"b{uuid4().hex}"
        httpx.put(f"{objects_url}/{bucket}").raise_for_status()
        self.environ = {"DATABASE_URL": self.url, "INTERNAL_KEY": KEY, "S3_ENDPOINT_URL": objects_url}
        self.environ |= {"S3_BUCKET": bucket, "S3_ACCESS_KEY": "local", "S3_SECRET_KEY": "local"}
        self.settings = settings.read(self.environ)
        self.conn, self.stream = Connection(self.settings.database), stream_for(self.settings)
        self.key = credentials.mint(credentials.PROJECT_KEY, b"k" * 24)
        self.token = credentials.mint(credentials.ACCESS_TOKEN, b"t" * 24)
        seed.make(self.conn, self.key, self.token)
        self.started: dict[str, Host] = {}

    def __call__(self, name: str) -> Host:
        if name not in self.started:
            self.started[name] = start(self.platform, named(name), self.unpacked, self.home, self.environ)
        return self.started[name]

    def start_with(self, name: str, environ: dict[str, str]) -> Host:
        """Another process of it, with an environment of its own; whoever asks stops it."""
        home = Path(tempfile.mkdtemp(dir=self.home))
        return start(self.platform, named(name), self.unpacked, home, environ)

    def stop(self) -> None:
        with ThreadPoolExecutor() as together:
            list(together.map(end, self.started.values()))
        self.stream.close()
        self.conn.close()


def start(platform: str, function: Function, unpacked: Unpacked, home: Path, environ: dict[str, str]) -> Host:
    """With nothing in its environment but what the platform gives, and our variables."""
    folder, python = unpacked.of(platform, function), interpreter()
    if platform == "aws":
        own = {"PYTHONPATH": str(unpacked.lambda_runtime), "LAMBDA_TASK_ROOT": str(folder)}
        function_of_aws = aws.Lambda(function.source, home, environ | own, folder, python=python)
        function_of_aws.api.limit = aws.LIMIT
        return function_of_aws
    if platform == "gcp":
        own = {"PYTHONPATH": str(unpacked.server_runtime), "WORKERS": "2", "FORWARDED_ALLOW_IPS": "*"}
        return web.functions_framework(function.source, home, own | environ, folder, python)
    (home / function.name).mkdir(exist_ok=True)
    host = openwhisk.OpenWhisk("__main__.py", home / function.name, environ, folder, python)
    host.frozen_between_calls, host.limit = True, openwhisk.LIMIT
    return host


def end(host: Host) -> None:
    """At once: how they stop with grace is tests/edges' business."""
    process.kill_group(host.process.pid)
    host.stop()


Deployments = Callable[[str], Deployment]


def each(*triggers: str) -> list[str]:
    """The names of the functions with these triggers."""
    return [function.name for function in FUNCTIONS if function.trigger in triggers]


@pytest.fixture(scope="session")
def unpacked(dist: Path) -> Iterator[Unpacked]:
    with tempfile.TemporaryDirectory(prefix="unpacked-", dir=state.HOME) as folder:
        yield Unpacked(dist, Path(folder))


@pytest.fixture(scope="session")
def on(unpacked: Unpacked, objects_url: str) -> Iterator[Deployments]:
    """`on("aws")` is our whole product on AWS."""
    made: dict[str, Deployment] = {}
    with tempfile.TemporaryDirectory(prefix="signals-packaged-") as home:

        def deployment(platform: str) -> Deployment:
            if platform not in made:
                made[platform] = Deployment(platform, unpacked, Path(home) / platform, objects_url)
            return made[platform]

        yield deployment
        for one in made.values():
            one.stop()

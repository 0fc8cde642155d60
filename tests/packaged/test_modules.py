"""What is in a bundle, what of it a cold start loads, and that it is the same each time."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from local.bundles import archive, bundle
from local.bundles.declaration import ARCHITECTURES, FUNCTIONS, HTTP, LARGEST, LARGEST_INGEST, Function
from local.bundles.interpreter import interpreter
from local.servers.process import Words
from tests.packaged.conftest import Unpacked

STREAM, POSTGRES = {"msgspec"}, {"pg8000", "scramp", "asn1crypto", "dateutil", "six"}
PYDANTIC = {"pydantic", "pydantic_core", "annotated_types", "typing_extensions", "typing_inspection"}
ASGI = {"starlette", "anyio", "idna", "sniffio"}
# A cold start's own: the client of Kafka, of search, of the model and of objects is loaded on first use.
MAY_LOAD = {
    "ingest": STREAM,
    "core_api": STREAM | POSTGRES | PYDANTIC | ASGI | {"fastapi", "annotated_doc", "opentelemetry", "urllib3"},
    "dashboard": STREAM | POSTGRES | ASGI | {"jinja2", "markupsafe", "urllib3", "typing_extensions"},
    "indexer": STREAM | POSTGRES | {"urllib3"},
    "incident_engine": STREAM | POSTGRES,
    "ai_worker": STREAM | {"typing_extensions"},
    "archiver": STREAM | {"botocore", "dateutil", "six", "urllib3", "jmespath"},
    "tick": STREAM | POSTGRES | {"urllib3"},
    "prune": STREAM | POSTGRES | {"urllib3"},
    "watch_silence": STREAM | POSTGRES,
    "resolve_stale": STREAM | POSTGRES,
    "sweep_jobs": STREAM | POSTGRES,
    "migrate": STREAM | POSTGRES | {"urllib3"},
}
OURS = {"common", "functions", "schedules", "migrations"}
each_function = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda one: one.name)


def loaded(function: Function, unpacked: Unpacked) -> set[str]:
    """The top-level modules of others that an import of its entry loads, in the bundle."""
    code = f"import sys, json, {function.module}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [interpreter(), "-c", code],
        cwd=unpacked.of("aws", function),
        env={"DATABASE_URL": "postgresql://a:b@127.0.0.1/c", "INTERNAL_KEY": "k"},
        capture_output=True,
        text=True,
        check=True,
    )
    tops = {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}
    return {name for name in tops - OURS - sys.stdlib_module_names if not name.startswith("_")}


@each_function
def test_a_cold_start_loads_what_it_may(function: Function, unpacked: Unpacked) -> None:
    assert loaded(function, unpacked) <= MAY_LOAD[function.name]


@each_function
def test_every_package_it_may_need_later_loads_on_the_platforms_python(function: Function, unpacked: Unpacked) -> None:
    """A wheel for another Python or another libc would be found out by the first caller."""
    names = [name.replace("-", "_") for name in function.dependencies]
    words: Words = [interpreter(), "-c", f"import {', '.join(names)}"]
    done = subprocess.run(words, cwd=unpacked.of("aws", function), env={}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@each_function
def test_a_bundle_is_small_and_compiled_for_its_platform(function: Function, architecture: str, dist: Path) -> None:
    folder = dist / "aws" if architecture == ARCHITECTURES[0] else dist / "aws" / architecture
    path = folder / f"{function.name}.zip"
    assert path.stat().st_size <= (LARGEST_INGEST if function.name == "ingest" else LARGEST)
    with zipfile.ZipFile(path) as opened:
        names = set(opened.namelist())
        source = Path(function.source)
        pyc = str(source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc")
        assert opened.read(pyc)[4:8] == b"\x01\x00\x00\x00"  # by hash, and unchecked
    compiled = {name for name in names if name.endswith(".so")}
    assert compiled
    assert not {name for name in compiled if architecture not in name and ".cpython-" in name}
    others = {one.name for one in FUNCTIONS if one.trigger == HTTP} - {function.name}
    assert not {name for name in names if name.startswith(tuple(f"functions/{other}/" for other in others))}


def test_the_same_input_gives_the_same_bytes(dist: Path, tmp_path: Path) -> None:
    function = FUNCTIONS[0]
    archive.write(tmp_path / "again.zip", bundle.files(function, ARCHITECTURES[0]))
    assert (tmp_path / "again.zip").read_bytes() == (dist / "aws" / f"{function.name}.zip").read_bytes()
    assert zipfile.ZipFile(tmp_path / "again.zip").testzip() is None


SECRET = re.compile(
    rb"AKIA[0-9A-Z]{16}|-----BEGIN (?:RSA |EC )?PRIVATE KEY|\bsc[kt]_[0-9A-Za-z]{39}|dop_v1_[0-9a-f]{64}"
)
NEVER = {".env", ".env.digitalocean", "internal.json", "keys.json"}


def test_no_secret_is_in_any_bundle_or_manifest(dist: Path) -> None:
    """Of each platform and machine; files that several share are read once. What others wrote is their wheels' hash."""
    files = [path for path in dist.rglob("*") if path.is_file()]
    assert {path.parent.relative_to(dist).as_posix() for path in files} >= {"aws", "aws/aarch64", "gcp"}
    every = {path.stat().st_ino: path for path in files}.values()
    zips = [path for path in every if path.suffix == ".zip"]
    for path in set(every) - set(zips):
        assert path.name not in NEVER, path
        assert "site-packages" in path.parts or not SECRET.search(path.read_bytes()), path
    for path in zips:
        with zipfile.ZipFile(path) as opened:
            ours = [name for name in opened.namelist() if name.partition("/")[0] in OURS]
            assert not [name for name in ours if SECRET.search(opened.read(name))], path
            assert not [name for name in opened.namelist() if Path(name).name in NEVER], path

"""The wheels of a bundle: pinned by constraints.txt, held to the hashes of wheels.lock, kept in .local/wheels/."""

import hashlib
import re
import subprocess
import sys
import zipfile
from collections.abc import Collection, Iterable
from email.parser import BytesHeaderParser
from functools import cache
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from common.errors import Misconfigured
from local import state
from local.bundles.declaration import ARCHITECTURES, FUNCTIONS, PYTHON, ROOT, RUNTIME, SIMULATED

LOCK = ROOT / "local" / "bundles" / "wheels.lock"
HEADER = "# Hashes of every wheel that is deployed, for Python 3.13 on Linux; written by `make lock`.\n"
# What the image has beside the functions: the poller and the harness.
Pins = dict[str, tuple[str, set[str]]]  # name: version, hashes
TOOLS = ("httpx", "psutil", "uvicorn")


def everything() -> list[str]:
    names = {name for function in FUNCTIONS for name in function.dependencies}
    return sorted(names | set(RUNTIME) | set(SIMULATED) | set(TOOLS))


def wanted(names: Iterable[str], architecture: str) -> list[Path]:
    """The wheels of these distributions and of all they need on the target, fetched if they are not here."""
    fetch(architecture)
    found: dict[str, Path] = {}
    waiting = [Requirement(name) for name in names]
    while waiting:
        one = waiting.pop()
        name = canonicalize_name(one.name)
        if name not in found:
            found[name] = here(architecture)[name]
            waiting += needs(found[name], frozenset(), architecture)
        waiting += [more for extra in one.extras for more in needs(found[name], frozenset({extra}), architecture)]
    return [found[name] for name in sorted(found)]


@cache
def needs(wheel: Path, extras: frozenset[str], architecture: str) -> list[Requirement]:
    """What its metadata asks for on the target; with an extra, what that adds."""
    target = {
        "python_version": PYTHON, "python_full_version": f"{PYTHON}.0", "implementation_name": "cpython",
        "platform_python_implementation": "CPython", "sys_platform": "linux", "platform_system": "Linux",
        "os_name": "posix", "platform_machine": architecture,
    }  # fmt: skip
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        asked = BytesHeaderParser().parsebytes(archive.read(name)).get_all("Requires-Dist") or []
    found = []
    for one in map(Requirement, asked):
        plain = one.marker is None or one.marker.evaluate({**target, "extra": ""})
        added = one.marker and any(one.marker.evaluate({**target, "extra": extra}) for extra in extras)
        if added and not plain if extras else plain:
            found.append(one)
    return found


@cache
def here(architecture: str) -> dict[str, Path]:
    return {str(parse_wheel_filename(one.name)[0]): one for one in folder(architecture).glob("*.whl")}


@cache
def fetch(architecture: str) -> None:
    """Only what is not here as the lock has it; pip compares the hashes."""
    locked = pinned()
    have = {hashlib.sha256(one.read_bytes()).hexdigest() for one in folder(architecture).glob("*.whl")}
    missing = [name for name, (_, hashes) in locked.items() if not have & hashes]
    if missing:
        asked = folder(architecture) / "wanted.txt"
        asked.write_text(lines({name: locked[name] for name in missing}))
        download(architecture, ["--no-deps", "--require-hashes", "-r", str(asked)])
    here.cache_clear()


def folder(architecture: str) -> Path:
    made = state.HOME / "wheels" / architecture
    made.mkdir(parents=True, exist_ok=True)
    return made


def download(architecture: str, words: Collection[str]) -> None:
    """Never a source distribution: what is built here would not run there."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "-q", "--only-binary=:all:"]
    tags = [f"manylinux_2_28_{architecture}", f"manylinux_2_17_{architecture}", f"manylinux2014_{architecture}"]
    platforms = [word for tag in tags for word in ("--platform", tag)]
    pip += [*platforms, "--python-version", PYTHON, "--implementation", "cp", "-d", str(folder(architecture))]
    done = subprocess.run([*pip, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Misconfigured(f"The wheels for {architecture} cannot be fetched: {done.stderr.strip()[-600:]}")


def pinned() -> Pins:
    """Name, version and hashes, as the lock has them; the versions are those of constraints.txt."""
    pins = re.findall(r"^(\S+)==(\S+)((?: \\\n    --hash=sha256:\w+)+)$", LOCK.read_text(), re.MULTILINE)
    found: Pins = {name: (version, set(re.findall(r"sha256:(\w+)", said))) for name, version, said in pins}
    for name, version in constraints().items():
        if name in found and found[name][0] != version:
            raise Misconfigured(f"constraints.txt has {name} {version}, wheels.lock {found[name][0]}: run `make lock`.")
    return found


def constraints() -> dict[str, str]:
    """Name and version."""
    said = [line.partition(";")[0].strip() for line in (ROOT / "constraints.txt").read_text().splitlines()]
    return {str(canonicalize_name(name)): version for name, _, version in (line.partition("==") for line in said)}


def lines(pins: Pins) -> str:
    """As pip reads them."""
    texts = []
    for name, (version, hashes) in sorted(pins.items()):
        texts.append(" \\\n    ".join([f"{name}=={version}", *(f"--hash=sha256:{one}" for one in sorted(hashes))]))
    return "\n".join(texts) + "\n"


def lock() -> int:
    """Resolve and fetch everything anew for both architectures, and write down what came."""
    found: Pins = {}
    for architecture in ARCHITECTURES:
        for old in folder(architecture).glob("*.whl"):
            old.unlink()
        download(architecture, ["-c", "constraints.txt", *everything()])
        for wheel in folder(architecture).glob("*.whl"):
            name, version, _, _ = parse_wheel_filename(wheel.name)
            found.setdefault(name, (str(version), set()))[1].add(hashlib.sha256(wheel.read_bytes()).hexdigest())
    LOCK.write_text(HEADER + lines(found))
    print(f"{LOCK.relative_to(ROOT)}: {len(found)} distributions")
    return 0


if __name__ == "__main__":
    sys.exit(lock())

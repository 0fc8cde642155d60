"""A Python 3.13 to compile for and to run what was built: one that is here, or Debian 13's, unpacked beside it.

`python -m local.bundles.interpreter` gets it. Debian's libc comes along and is started through its own loader, so the
machine's own libc may be older; 12 MB are fetched once.
"""

import platform
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from local import state
from local.bundles.declaration import PYTHON
from local.servers.process import Missing

PACKAGES = (
    "python3.13-minimal", "libpython3.13-minimal", "libpython3.13-stdlib", "libc6", "libexpat1", "zlib1g",
    "libssl3t64", "libffi8", "libbz2-1.0", "liblzma5", "libuuid1", "libsqlite3-0", "libgcc-s1", "libstdc++6",
    "libzstd1",
)  # fmt: skip
HINT = "Install Python 3.13, or run this where apt-get can fetch Debian 13's packages."
LOADERS = {"x86_64": "ld-linux-x86-64.so.2", "aarch64": "ld-linux-aarch64.so.1"}
SOURCES = Path("/etc/apt/sources.list.d/debian.sources")  # whose mirror is used for Debian 13, too
VERSION = "import sys; print('%d.%d' % sys.version_info[:2], sys.version_info.releaselevel)"


@cache
def interpreter() -> Path:
    """Its program; Missing, with the remedy, where there is none."""
    unpacked = state.HOME / "python3.13" / "usr" / "bin" / "python"
    own = Path(sys.base_prefix) / "bin" / f"python{PYTHON}"  # not the one of .venv, which has packages
    for candidate in (unpacked, own, shutil.which(f"python{PYTHON}")):
        if candidate and fits(Path(candidate)):
            return Path(candidate)
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise Missing(f"Python {PYTHON} is needed to build and try the bundles. {HINT}")
    unpack(unpacked)
    if not fits(unpacked):
        raise Missing(f"Debian's Python {PYTHON} was unpacked, but does not run here. {HINT}")
    return unpacked


def fits(python: Path) -> bool:
    """Some systems have a python3.13 that is a shim for nothing."""
    if not python.exists():
        return False
    done = subprocess.run([python, "-c", VERSION], capture_output=True, text=True, check=False)
    return done.stdout.strip() == f"{PYTHON} final"


def unpack(program: Path) -> None:
    """The packages side by side in a folder of their own, and a program that starts them through their loader."""
    root = program.parents[2]
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="signals-debian-") as folder:
        for package in fetched(Path(folder)):
            subprocess.run(["dpkg-deb", "-x", package, root], check=True)
    machine = platform.machine()
    libraries = root / "usr" / "lib" / f"{machine}-linux-gnu"
    start = f'exec "{libraries}/{LOADERS[machine]}" --library-path "{libraries}" --argv0 "$0"'
    program.write_text(f'#!/bin/sh\n{start} "{program}{PYTHON}" "$@"\n')
    program.chmod(0o755)
    # Debian compiles when it installs; without that every start would compile the standard library.
    compiling = [program, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", root / "usr" / "lib"]
    subprocess.run([str(word) for word in compiling], check=False, capture_output=True)


def fetched(folder: Path) -> list[Path]:
    """Debian 13's, from wherever this machine gets its packages; nothing is installed."""
    (folder / "lists" / "partial").mkdir(parents=True)
    sources = folder / "debian.sources"
    codename = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    sources.write_text(SOURCES.read_text().replace(codename, "trixie") if SOURCES.exists() and codename else "")
    options = [f"Dir::Etc::sourcelist={sources}", "Dir::Etc::sourceparts=-", f"Dir::State::lists={folder}/lists"]
    options += ["APT::Sandbox::User=root", f"Dir::Cache={folder}/cache"]
    words = ["apt-get", "-qq", *(word for option in options for word in ("-o", option))]
    for step in (["update"], ["download", *PACKAGES]):
        done = subprocess.run([*words, *step], cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Missing(f"Debian 13's Python cannot be fetched: {done.stderr.strip()[-300:]} {HINT}")
    return sorted(folder.glob("*.deb"))


if __name__ == "__main__":
    state.prepare()
    print(interpreter())

"""The JVM parts: which Java is here, and the jars of a server, fetched once by Maven and kept under .local/."""

import hashlib
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from common.errors import Misconfigured
from local.servers.process import Missing

POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId><artifactId>{name}</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>{dependencies}</dependencies></project>
"""
DEPENDENCY = "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"
HINT = "On Debian or Ubuntu: apt install maven openjdk-21-jdk-headless; on macOS: brew install maven openjdk@21."


def java(oldest: int) -> Path:
    """The newest Java found: in JAVA_HOME, on the PATH, or where systems keep theirs."""
    found = max(installed().items(), default=(0, Path()))
    if found[0] < oldest:
        have = f"the newest found is {found[0]}" if found[0] else "none was found"
        raise Missing(f"Java {oldest} or newer is needed, {have}. {HINT}")
    return found[1]


@cache
def installed() -> dict[int, Path]:
    """Version -> path of every Java on this machine."""
    homes = [Path(os.environ["JAVA_HOME"])] if os.environ.get("JAVA_HOME") else []
    homes += sorted(Path("/usr/lib/jvm").glob("*")) + sorted(Path("/opt/homebrew/opt").glob("openjdk*"))
    homes += sorted(Path("/Library/Java/JavaVirtualMachines").glob("*/Contents/Home"))
    paths = [home / "bin" / "java" for home in homes]
    if on_path := shutil.which("java"):
        paths.insert(0, Path(on_path))
    return {version: path for path in paths if path.exists() and (version := version_of(path))}


def version_of(java: Path) -> int:
    return version_in(subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr)


def version_in(said: str) -> int:
    """The major version, 0 if it does not say; before 9 they counted 1.8."""
    found = re.search(r'version "(?:1\.)?(\d+)', said)
    return int(found[1]) if found else 0


def jars(name: str, artifacts: list[tuple[str, str, str]], cache_folder: Path) -> Path:
    """The folder with the server's jars; fetched the first time, and again only when the list changes."""
    pom = POM.format(name=name, dependencies="".join(DEPENDENCY.format(*one) for one in artifacts))
    folder = cache_folder / f"{name}-{hashlib.sha256(pom.encode()).hexdigest()[:12]}"
    if not (folder / "complete").exists():
        _fetch(name, pom, folder)
    return folder


def _fetch(name: str, pom: str, folder: Path) -> None:
    if shutil.which("mvn") is None:
        raise Missing(f"Maven (mvn) is needed to fetch {name}. {HINT}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "pom.xml").write_text(pom)
    print(f"fetching {name} with Maven, once …", flush=True)
    words = ["mvn", "-q", "-B", "-f", str(folder / "pom.xml"), "dependency:copy-dependencies"]
    words += ["-DincludeScope=runtime", f"-DoutputDirectory={folder}"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Misconfigured(f"Maven could not fetch {name}:\n{(done.stdout + done.stderr).strip()[-2000:]}")
    (folder / "complete").touch()

"""The way in, for any Python 3: find a Python that will do, make .venv with what is wanted, go on inside it.

Nothing here may need a newer Python or any package: an old one must get far enough to say what is missing.
"""

import glob
import os
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
MARK = os.path.join(VENV, "installed")
OLDEST, NEWEST = (3, 11), (3, 14)
EVERYTHING = ("embedded", "kafka", "opensearch", "objects", "model", "dev")
SERVER = ("kafka", "opensearch", "archive", "model")  # its settings come from a file that is not read here
DEVELOPER_VERBS = ("test", "lint", "fmt", "bench", "faults", "soak", "fuzz", "acceptance", "bundle", "lock", "bill")


def main(arguments):
    refuse_hopeless_systems()
    use_fitting_python()
    refuse_missing_venv()
    make_environment(wanted_extras(arguments[0] if arguments else "--help"))
    if arguments == ["install"]:  # for a server, which its supervisor starts
        return
    os.chdir(ROOT)
    python = os.path.join(VENV, "bin", "python")
    os.execv(python, [python, "-m", "local"] + arguments)


def refuse_hopeless_systems():
    if os.name == "nt":
        stop("Windows itself is not supported: run this inside WSL (wsl --install), where it works as on Linux.")
    if glob.glob("/lib/ld-musl-*") and not os.environ.get("DATABASE_URL"):
        stop(
            "This system uses musl (Alpine?), for which there is no embedded Postgres: use a glibc image such as "
            "python:3.13-slim, or set DATABASE_URL to a Postgres of yours."
        )


def use_fitting_python():
    """Go on with this Python if it fits, else with one that does, else say how to get one."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        found = which("python3.%d" % minor)
        if found and fits(found):
            os.execv(found, [found] + sys.argv)
    stop(
        "Python 3.%d to 3.%d is needed; this is %d.%d, and no other was found on the PATH.\n"
        "  Debian, Ubuntu:  apt install python3.13-venv    macOS:  brew install python@3.13\n"
        "  then:            make PYTHON=python3.13 emulate"
        % (OLDEST[1], NEWEST[1], sys.version_info[0], sys.version_info[1])
    )


def fits(python):
    """Some systems have a python3.12 that is a shim for nothing."""
    words = [python, "-c", "import sys; sys.exit(sys.version_info < (3, %d))" % OLDEST[1]]
    with open(os.devnull, "w") as nothing:
        return subprocess.call(words, stdout=nothing, stderr=nothing) == 0


def which(name):
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        path = os.path.join(folder, name)
        if os.access(path, os.X_OK):
            return path
    return None


def refuse_missing_venv():
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        version = "%d.%d" % sys.version_info[:2]
        stop("This Python lacks its venv module; on Debian or Ubuntu: apt install python%s-venv" % version)


def wanted_extras(verb):
    """Only what running needs; a developer's verbs want everything."""
    if verb in DEVELOPER_VERBS:
        return EVERYTHING
    if verb == "install":
        return SERVER
    stack = os.environ.get("STACK", "embedded")
    extras = []
    if stack == "native" or os.environ.get("KAFKA_BROKERS"):
        extras.append("kafka")
    if stack == "native" or os.environ.get("OPENSEARCH_URL"):
        extras.append("opensearch")
    if stack != "compose" and not os.environ.get("DATABASE_URL"):
        extras.append("embedded")
    if verb == "replay":
        extras.append("archive")  # it may be asked to read one
    somebodys = any(os.environ.get(name) for name in ("DATABASE_URL", "KAFKA_BROKERS"))
    if verb in ("emulate", "up") and stack != "compose" and not somebodys and "S3_BUCKET" not in os.environ:
        extras.append("objects")  # the archive has a store of its own
    if verb in ("emulate", "up") and os.environ.get("GRADIENT_BASE_URL") != "":
        extras.append("model")  # the stand-in is asked as a real one would be
    return tuple(extras)


def make_environment(extras):
    """Make or mend .venv; when nothing changed this takes a few milliseconds."""
    if lacking(extras) is None:
        return
    lock = wait_for_lock()
    missing = lacking(extras)  # somebody else may have installed it while we waited
    if missing is not None:
        version = "%d.%d" % sys.version_info[:2]
        if python_of_venv() != version:
            clear = ["--clear"] if os.path.exists(MARK) else []  # only what we made ourselves
            run_visibly("making .venv with Python " + version, [sys.executable, "-m", "venv"] + clear + [VENV])
        install(missing)
        with open(MARK, "w") as file:
            file.write("\n".join([digest()] + missing))
        told = ", ".join(["what every function needs"] + missing)
        print("installed: %s (.venv is %d MB)" % (told, size_of(VENV)))
    lock.close()


def lacking(extras):
    """None if .venv is as it should be, else the extras to install: all of them if the list or the Python changed."""
    have = read(MARK).split("\n") if os.path.exists(MARK) else [""]
    fresh = have[0] == digest() and python_of_venv() == "%d.%d" % sys.version_info[:2]
    return None if fresh and set(extras) <= set(have[1:]) else sorted(set(extras) | set(have[1:]))


def python_of_venv():
    """The 3.x of .venv, empty where there is none or its Python is gone."""
    about = os.path.join(VENV, "pyvenv.cfg")
    if not os.path.exists(about) or not os.path.exists(os.path.join(VENV, "bin", "python")):
        return ""
    pairs = dict(line.split(" = ", 1) for line in read(about).splitlines() if " = " in line)
    return ".".join(pairs.get("version", "").split(".")[:2])


def wait_for_lock():
    """Two at once would destroy each other's work."""
    import fcntl

    if not os.path.isdir(VENV):
        os.mkdir(VENV)
    file = open(os.path.join(VENV, "lock"), "w")
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


def install(extras):
    import tomllib

    with open(os.path.join(ROOT, "pyproject.toml"), "rb") as file:
        project = tomllib.load(file)["project"]
    packages = list(project["dependencies"])
    for extra in extras:
        packages += project["optional-dependencies"][extra]
    pip = [os.path.join(VENV, "bin", "python"), "-m", "pip", "--disable-pip-version-check", "install", "-q"]
    run_visibly("installing packages", pip + ["-c", os.path.join(ROOT, "constraints.txt")] + packages)


def run_visibly(what, words):
    """Run it; whoever waits sees the seconds pass, and what it said if it fails."""
    started = time.time()
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if sys.stdout.isatty():
        while process.poll() is None:
            sys.stdout.write("\r%s ... %d s" % (what, time.time() - started))
            sys.stdout.flush()
            time.sleep(0.2)
        sys.stdout.write("\r\033[K")
    else:
        print(what + " ...")
        sys.stdout.flush()
    said = process.communicate()[0].decode("utf-8", "replace").strip()
    if process.returncode:
        space = os.statvfs(ROOT)
        if space.f_bavail * space.f_frsize < 200 * 1024 * 1024:
            stop("%s failed: the disk is full (%s)." % (what, ROOT))
        stop("%s failed:\n%s" % (what, said[-2000:]))


def digest():
    """Changes when what should be installed changes."""
    import hashlib

    names = [os.path.join(ROOT, name) for name in ("pyproject.toml", "constraints.txt")]
    return hashlib.sha256("".join(read(name) for name in names).encode("utf-8")).hexdigest()


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def size_of(folder):
    """In megabytes, as the disk sees it."""
    total = 0
    for path, _, names in os.walk(folder):
        total += sum(os.lstat(os.path.join(path, name)).st_blocks * 512 for name in names)
    return total // 1024 // 1024


def stop(sentence):
    sys.stderr.write(sentence + "\n")
    sys.exit(2)


if __name__ == "__main__":
    main(sys.argv[1:])

"""The way in: every Python 3 must get far enough to say what is missing."""

import ast
import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from local.bundles.declaration import FUNCTIONS
from tests.servers import ROOT

SOURCE = (ROOT / "local/bootstrap.py").read_text()


@pytest.fixture
def bootstrap(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module, unable to start anything."""
    module = ModuleType("bootstrap")
    module.__file__ = str(ROOT / "local/bootstrap.py")
    exec(compile(SOURCE, "bootstrap.py", "exec"), module.__dict__)
    monkeypatch.setattr(module, "which", lambda name: None)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return module


def test_an_old_python_can_read_it() -> None:
    """No f-string, no walrus, no annotation of a variable: Python 3.4's grammar is enough."""
    ast.parse(SOURCE, feature_version=(3, 4))
    assert not any(isinstance(node, ast.JoinedStr) for node in ast.walk(ast.parse(SOURCE)))
    assert SOURCE.isascii(), "an old Python under LANG=C cannot print anything else"


@pytest.mark.parametrize("version", [(3, 4, 0), (3, 10, 9), (3, 15, 0)])
def test_a_python_too_old_or_too_new_says_how_to_get_another(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], version: tuple[int, ...]
) -> None:
    monkeypatch.setattr(sys, "version_info", version)
    with pytest.raises(SystemExit) as stopped:
        bootstrap.use_fitting_python()
    monkeypatch.undo()
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert f"this is {version[0]}.{version[1]}" in said
    assert "apt install" in said
    assert "brew install" in said


def test_a_fitting_python_found_beside_it_is_used(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(bootstrap, "which", lambda name: sys.executable if name == "python3.13" else None)
    monkeypatch.setattr(bootstrap, "fits", lambda python: True)
    monkeypatch.setattr(bootstrap.os, "execv", lambda path, words: started.append(words))
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    with pytest.raises(SystemExit):  # execv does not return; here it does, and the search goes on to its end
        bootstrap.use_fitting_python()
    monkeypatch.undo()
    assert started[0][0] == sys.executable


def test_windows_is_told_about_wsl(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = ModuleType("os")
    fake.name = "nt"  # type: ignore[attr-defined]
    monkeypatch.setattr(bootstrap, "os", fake)
    with pytest.raises(SystemExit):
        bootstrap.refuse_hopeless_systems()


def test_musl_is_told_what_to_use_instead(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap.glob, "glob", lambda pattern: ["/lib/ld-musl-x86_64.so.1"])
    with pytest.raises(SystemExit):
        bootstrap.refuse_hopeless_systems()
    assert "glibc image" in capsys.readouterr().err


def test_a_debian_without_venv_is_told_the_package(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    with pytest.raises(SystemExit):
        bootstrap.refuse_missing_venv()
    assert "apt install python3." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("environ", "verb", "extras"),
    [
        ({}, "emulate", {"embedded", "model", "objects"}),
        ({"GRADIENT_BASE_URL": ""}, "emulate", {"embedded", "objects"}),
        ({"S3_BUCKET": ""}, "emulate", {"embedded", "model"}),
        ({}, "down", {"embedded"}),
        ({"STACK": "native"}, "emulate", {"embedded", "kafka", "opensearch", "model", "objects"}),
        ({"STACK": "native"}, "up", {"embedded", "kafka", "opensearch", "model", "objects"}),
        ({"DATABASE_URL": "x"}, "up", {"model"}),  # somebody's stream: his archiver's group is none of ours
        ({"DATABASE_URL": "x", "KAFKA_BROKERS": "y"}, "emulate", {"kafka", "model"}),
        ({}, "install", {"kafka", "opensearch", "archive", "model"}),
        ({}, "test", {"embedded", "kafka", "opensearch", "objects", "model", "dev"}),
    ],
)
def test_only_what_the_verb_needs_is_installed(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], verb: str, extras: set[str]
) -> None:
    for name in ("STACK", "KAFKA_BROKERS", "OPENSEARCH_URL", "GRADIENT_BASE_URL", "S3_BUCKET", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert set(bootstrap.wanted_extras(verb)) == extras


def test_what_is_installed_on_a_server_is_enough_for_every_function_whatever_its_settings(
    bootstrap: ModuleType,
) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    named = [*project["dependencies"], *(one for extra in bootstrap.wanted_extras("install") for one in extras[extra])]
    installed = {re.split(r"[>=\[<;]", one)[0] for one in named} | {"markupsafe", "httpx2"}  # jinja2's, openai's
    assert {name for function in FUNCTIONS for name in function.dependencies} <= installed


def test_install_starts_nothing(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[str, ...]] = []
    monkeypatch.setattr(bootstrap, "make_environment", made.append)
    bootstrap.main(["install"])
    assert made == [bootstrap.SERVER]


def test_a_virtual_environment_of_another_python_is_made_anew(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bootstrap, "VENV", str(tmp_path))
    monkeypatch.setattr(bootstrap, "MARK", str(tmp_path / "installed"))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").touch()
    mine = f"{sys.version_info[0]}.{sys.version_info[1]}"
    for version, missing in (("3.1.4", ["embedded"]), (f"{mine}.9", None)):
        (tmp_path / "pyvenv.cfg").write_text(f"home = /usr\nversion = {version}\n")
        (tmp_path / "installed").write_text(f"{bootstrap.digest()}\nembedded")
        assert bootstrap.lacking(("embedded",)) == missing


def test_no_lock_names_an_index() -> None:
    assert "://" not in (ROOT / "constraints.txt").read_text()

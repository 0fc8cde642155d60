"""osls, the framework that reads serverless.yml: installed into .local/ from its lock, run without an account."""

import shutil
import subprocess
from pathlib import Path

from local import state
from local.bundles.declaration import ROOT
from local.servers.process import Missing

LOCKED = ROOT / "local" / "bundles" / "osls"


def program() -> Path:
    """Installed on first use; npm compares the hash of every package."""
    folder = state.HOME / "osls"
    found = folder / "node_modules" / ".bin" / "osls"
    if found.exists():
        return found
    if shutil.which("npm") is None:
        raise Missing("npm is needed to package serverless.yml. Install Node.js 20 or newer.")
    folder.mkdir(exist_ok=True)
    for path in LOCKED.iterdir():
        shutil.copy(path, folder)
    words = ["npm", "ci", "--no-audit", "--no-fund", "--silent", "--ignore-scripts"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Missing(f"osls cannot be installed: {done.stderr.strip()[-300:]}")
    return found

"""dist/sbom.json: what is in a release, as CycloneDX says it, one component for each wheel with its hashes."""

import json
from pathlib import Path
from typing import Any

from common.version import VERSION
from local.bundles import wheels
from local.bundles.declaration import SIMULATED
from local.bundles.places import place


def write(dist: Path) -> None:
    components = [component(name, version, hashes) for name, (version, hashes) in sorted(wheels.pinned().items())]
    place(dist / "sbom.json", json.dumps(document(components), indent=1) + "\n")


def document(components: list[dict[str, Any]]) -> dict[str, Any]:
    """Without a serial number and a time, so that it is the same for the same release."""
    release = {"type": "application", "name": "signals-copilot", "version": VERSION, "bom-ref": "signals-copilot"}
    shipped = [one for one in components if one["name"] not in SIMULATED]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": release},
        "components": shipped,
        "dependencies": [{"ref": "signals-copilot", "dependsOn": [one["bom-ref"] for one in shipped]}],
    }


def component(name: str, version: str, hashes: set[str]) -> dict[str, Any]:
    address = f"pkg:pypi/{name}@{version}"
    content = [{"alg": "SHA-256", "content": one} for one in sorted(hashes)]
    return {"type": "library", "bom-ref": address, "name": name, "version": version, "purl": address, "hashes": content}

"""`python -m local.bundles.release`: what a release carries, in dist/release, each file under a name of its own."""

import hashlib
import shutil
from pathlib import Path

from local.bundles.aws import zip_of
from local.bundles.declaration import ARCHITECTURES, FUNCTIONS, ROOT
from local.bundles.places import lay, place

SUMS = "SHA256SUMS"


def write(dist: Path) -> Path:
    """Of both architectures, and the sums as `sha256sum -c` reads them where the files lie side by side."""
    folder = dist / "release"
    shutil.rmtree(folder, ignore_errors=True)
    files = {f"{one.name}-{kind}.zip": zip_of(dist, one, kind) for one in FUNCTIONS for kind in ARCHITECTURES}
    files["sbom.json"] = dist / "sbom.json"
    lay(folder, files)
    sums = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}
    place(folder / SUMS, "".join(f"{sums[name]}  {name}\n" for name in sorted(sums)))
    return folder


if __name__ == "__main__":
    print(write(ROOT / "dist"))

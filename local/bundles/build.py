"""`make bundle`: everything that is deployed, in dist/, with its sizes; the same bytes for the same input."""

import shutil
import sys
from pathlib import Path

from common.errors import Misconfigured
from local import state
from local.bundles import aws, bill_of_materials, digitalocean, gcp, knative
from local.bundles.declaration import LARGEST, LARGEST_INGEST, MEGABYTE, ROOT


def main() -> int:
    state.prepare()
    build(ROOT / "dist")
    return 0


def build(dist: Path, *, said: bool = True) -> None:
    """Into a folder that holds nothing else afterwards."""
    shutil.rmtree(dist, ignore_errors=True)
    sizes = aws.write(dist) | gcp.write(dist)
    knative.write(dist)
    digitalocean.write(dist)
    bill_of_materials.write(dist)
    for path, size in sorted(sizes.items()) if said else ():
        print(f"  {path:<36} {size / MEGABYTE:6.2f} MB")
    check(sizes)


def check(sizes: dict[str, int]) -> None:
    for path, size in sizes.items():
        most = LARGEST_INGEST if Path(path).name == "ingest.zip" else LARGEST
        if size > most:
            raise Misconfigured(f"{path} has {size} bytes, and may have {most}: see which wheel grew.")


if __name__ == "__main__":
    sys.exit(main())

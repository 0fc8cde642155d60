"""Where built things are put: files in dist/, and YAML a person can read."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import yaml

SAID = "# Written by `make bundle` from local/bundles/declaration.py.\n"


class Readable(yaml.SafeDumper):
    """No anchors: they are hard to read, and one deployer does not know them."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


def dump(*documents: object) -> str:
    return SAID + yaml.dump_all(documents, Dumper=Readable, sort_keys=False, width=120)


def place(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def lay(folder: Path, files: Mapping[str, Path]) -> None:
    """The same files once more, not copied where the disk allows it."""
    for name, source in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source, target)
        except OSError:
            shutil.copyfile(source, target)

"""A zip with the same bytes for the same files: sorted, without times, each distinct file deflated once a run."""

import hashlib
import os
import struct
import zlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from local import state

MIDNIGHT = struct.pack("<HH", 0, 1 << 5 | 1)  # the first moment a zip can tell
VERSION, UNIX, DEFLATED, UTF8 = 20, 3, 8, 0x800
WORTH_KEEPING = 100_000
READABLE, RUNNABLE = 0o100644, 0o100755


@cache
def deflated(path: Path) -> tuple[bytes, int, int]:
    """Its compressed bytes, its checksum, its size; large ones are kept, since wheels seldom change."""
    content = path.read_bytes()
    if len(content) < WORTH_KEEPING:
        return packed(content), zlib.crc32(content), len(content)
    kept = state.HOME / "bundles" / "deflated" / hashlib.sha256(content).hexdigest()
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        begun = kept.with_suffix(f".{os.getpid()}")
        begun.write_bytes(packed(content))
        begun.rename(kept)
    return kept.read_bytes(), zlib.crc32(content), len(content)


def packed(content: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


def write(target: Path, files: Mapping[str, Path]) -> int:
    """Its size. Most files of one bundle are in the next, so zipfile would deflate them again and again."""
    target.parent.mkdir(parents=True, exist_ok=True)
    directory, offset = b"", 0
    with target.open("wb") as out:
        for name in sorted(files):
            content, checksum, size = deflated(files[name])
            raw = name.encode()
            common = struct.pack("<HHH", VERSION, UTF8, DEFLATED) + MIDNIGHT
            common += struct.pack("<IIIHH", checksum, len(content), size, len(raw), 0)
            mode = (RUNNABLE if name.endswith((".so", ".sh")) else READABLE) << 16
            directory += (
                b"PK\x01\x02" + bytes([VERSION, UNIX]) + common + struct.pack("<HHHII", 0, 0, 0, mode, offset) + raw
            )
            offset += out.write(b"PK\x03\x04" + common + raw) + out.write(content)
        end = struct.pack("<HHHHIIH", 0, 0, len(files), len(files), len(directory), offset, 0)
        out.write(directory + b"PK\x05\x06" + end)
    return target.stat().st_size

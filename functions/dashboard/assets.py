"""Style, script and icons: served under names that change with their content, so they are kept for a year."""

from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from common.errors import Problem
from common.version import VERSION
from functions.dashboard import colours

HERE = Path(__file__).parent
STYLES = ("style.css", "incidents.css")  # one stylesheet, in this order
FOREVER = "public, max-age=31536000, immutable"


class Asset(NamedTuple):
    body: bytes
    media_type: str


def hashed(body: bytes) -> str:
    return blake2b(body, digest_size=6).hexdigest()


def _style() -> bytes:
    """One sheet without line ends: a rule ends where its brace is."""
    texts = [_read(name).decode() for name in STYLES]
    return "".join("".join([colours.stylesheet(), *texts]).splitlines()).encode()


def _script() -> bytes:
    """Without what only its readers need: comments on lines of their own, and indentation."""
    lines = (line.strip() for line in _read("script.js").decode().splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//")).encode()


def _read(name: str) -> bytes:
    return (HERE / "static" / name).read_bytes()


_ASSETS = {
    "style.css": Asset(_style(), "text/css"),
    "script.js": Asset(_script(), "text/javascript"),
    "icon.svg": Asset(_read("icon.svg"), "image/svg+xml"),
    "icon-dot.svg": Asset(_read("icon-dot.svg"), "image/svg+xml"),
}
NAMES = {name: name.replace(".", f".{hashed(asset.body)}.") for name, asset in _ASSETS.items()}
_SERVED = {NAMES[name]: asset for name, asset in _ASSETS.items()}
_TEMPLATES = b"".join(path.read_bytes() for path in sorted((HERE / "templates").glob("*.html")))
BUILD = hashed("".join([VERSION, *NAMES.values()]).encode() + _TEMPLATES)  # what a page was made with


async def static(request: Request) -> Response:
    asset = _SERVED.get(request.path_params["name"])
    if asset is None:
        raise Problem("not_found", "There is no such file.", status=404)
    return Response(asset.body, media_type=asset.media_type, headers={"cache-control": FOREVER})

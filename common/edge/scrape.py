"""/metrics, where a process lives long enough to be asked: behind METRICS_TOKEN, or on loopback without one."""

from __future__ import annotations

from common import settings
from common.edge import keys
from common.edge.answers import outcome, write
from common.edge.asgi import headers_of
from common.edge.values import Response
from common.errors import Problem
from common.metrics import samples

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from common.edge.values import Scope, Send

CLOSED = Problem("not_found", "There is no such page.", status=404)


async def served(part: str, scope: Scope, send: Send) -> bool:
    """False where there is no such page: then the function answers as for any path it does not know."""
    response = await outcome(_page, part, headers_of(scope))
    if response.status == 404:
        return False
    await write(response, send)
    return True


async def _page(part: str, headers: dict[str, str]) -> Response:
    admit(headers, on_loopback=keys.served_on() in settings.LOOPBACK)
    return Response(200, samples.page(part).encode(), [("content-type", samples.KIND)])


def admit(headers: Mapping[str, str], *, on_loopback: bool) -> None:
    """The token, compared in constant time; without one, who asks this machine itself and not through a proxy."""
    token = settings.current().metrics_token.reveal()
    if not token:
        if on_loopback and not headers.keys() & {"forwarded", "x-forwarded-for"}:
            return
        raise CLOSED
    from hmac import compare_digest

    sent = headers.get("authorization", "")
    if not compare_digest(sent.encode(), f"Bearer {token}".encode()):
        detail = "Send METRICS_TOKEN as Authorization: Bearer."
        raise Problem("metrics_token", detail, status=401, headers=[("www-authenticate", "Bearer")])

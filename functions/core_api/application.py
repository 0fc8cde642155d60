"""FastAPI as we want it: a request id on every answer, nothing stored by whoever is in between."""

import os
import re
from typing import Any

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.routing import Match
from starlette.types import Message, Receive, Scope, Send

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


class Api(FastAPI):
    """The outermost layer is ours, so that failures bear the same headers as answers."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = request_id_of(scope)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = request_id
                headers.setdefault("cache-control", "private, no-store")
                headers["x-content-type-options"] = "nosniff"
                if message["status"] == 405:
                    headers["allow"] = ", ".join(self.methods_of(scope))
            await send(message)

        await super().__call__(scope, receive, sending)

    def methods_of(self, scope: Scope) -> list[str]:
        """All that this path takes; Starlette would name only those of the first route it finds."""
        found = [route for route in self.routes if route.matches(scope)[0] is not Match.NONE]
        return sorted(method for route in found for method in getattr(route, "methods", ()))

    def openapi(self) -> dict[str, Any]:
        from functions.core_api import description

        if not self.openapi_schema:
            self.openapi_schema = description.of(self)
        return self.openapi_schema


def request_id_of(scope: Scope) -> str:
    """The caller's, if it looks like one, else a new one."""
    said = next((value.decode("latin-1") for name, value in scope.get("headers", ()) if name == b"x-request-id"), "")
    return said if _REQUEST_ID.fullmatch(said) else os.urandom(12).hex()

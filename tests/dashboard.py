"""The dashboard as a process, and somebody who reads it: a jar of cookies, forms as a page has them."""

import html
import re
from collections.abc import Mapping
from urllib.parse import urlencode

from local.hosts.call import Answer
from tests.shop import Shop

FORM = "application/x-www-form-urlencoded"


class Dashboard(Shop):
    """As a shop, with pages instead of an API."""

    source = "functions/dashboard/main.py"

    def reader(self, token: str = "", *, role: str = "responder", address: str = "10.1.1.1") -> "Reader":
        """Acme's, signed in, unless a token says otherwise."""
        reader = Reader(self, address)
        assert reader.sign_in(token or self.acme.tokens[role]).status == 303
        return reader


class Reader:
    def __init__(self, dashboard: Dashboard, address: str = "10.1.1.1") -> None:
        self.dashboard, self.address = dashboard, address
        self.cookies: dict[str, str] = {}

    def get(self, target: str, **headers: str) -> Answer:
        return self._send("GET", target, headers)

    def text(self, target: str) -> str:
        answer = self.get(target)
        assert answer.status == 200, answer
        return answer.body.decode()

    def post(self, target: str, csrf: str | None = None, **fields: str) -> Answer:
        """With the proof of the newest page, unless another is given."""
        fields["csrf"] = csrf_in(self.text("/setup")) if csrf is None else csrf
        return self._send("POST", target, {"content-type": FORM}, urlencode(fields).encode())

    def sign_in(self, token: str, **fields: str) -> Answer:
        csrf = csrf_in(self.text("/sign-in"))
        body = urlencode({"token": token, "csrf": csrf, "next": "/", **fields}).encode()
        return self._send("POST", "/sign-in", {"content-type": FORM}, body)

    def _send(self, method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        given = {"x-forwarded-for": self.address} | ({"cookie": cookie} if cookie else {})
        answer = self.dashboard.host.request(method, target, given | dict(headers), body)
        for said in answer.all("set-cookie"):
            name, _, value = said.partition(";")[0].partition("=")
            self.cookies.pop(name, None)
            if "Max-Age=0" not in said:
                self.cookies[name] = value
        return answer


def csrf_in(page: str) -> str:
    found = re.search(r'name="csrf" value="(\w+)"', page)
    assert found, page
    return found[1]


def refreshed(page: str) -> tuple[int, str]:
    """Every so many seconds, and from where; empty: from its own address."""
    found = re.search(r'<meta name="live" content="(\d+)" data-etag="[^"]*"(?: data-at="([^"]*)")?>', page)
    assert found, page
    return int(found[1]), html.unescape(found[2] or "")


def notice_in(page: str) -> str:
    found = re.search(r'<div class="notice"[^>]*><span>(.*?)</span>', page)
    return html.unescape(found[1]) if found else ""

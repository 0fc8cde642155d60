"""The dashboard where it is mounted below a path and no ASGI server stands before it: links, cookies and forms hold."""

import html
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from local.hosts import aws, openwhisk
from local.hosts.call import Answer, Host
from tests import servers
from tests.dashboard import FORM, Dashboard, csrf_in, notice_in

WEB = f"/api/v1/web{openwhisk.ACTION}"
HOSTS: dict[str, Callable[..., Host]] = {"lambda": aws.Lambda, "openwhisk": openwhisk.OpenWhisk}
SOURCE = Dashboard.source


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    with Dashboard.running(Path(tmp_path_factory.mktemp("hosts"))) as place:
        place.move_in()
        yield place


class Visitor:
    """Follows what pages say, as a browser does: only below the path they are mounted at."""

    def __init__(self, host: Host, root: str) -> None:
        self.host, self.root, self.cookies = host, root, dict[str, str]()

    def send(self, method: str, target: str, body: bytes = b"") -> Answer:
        assert target.startswith(self.root + "/"), target
        headers = {"cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        headers |= {"content-type": FORM} if body else {}
        answer = self.host.request(method, target.removeprefix(self.root), headers, body)
        for said in answer.all("set-cookie"):
            assert f"; Path={self.root}" in said
            assert said.endswith("; Secure")  # these platforms let nobody in but by TLS
            name, _, value = said.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    def page(self, target: str) -> str:
        answer = self.send("GET", target)
        assert answer.status == 200, answer
        text = answer.body.decode()
        places = [html.unescape(place) for place in re.findall(r'(?:href|src|action)="([^"#?][^"]*)"', text)]
        assert places
        assert [place for place in places if not place.startswith(self.root + "/")] == []
        return text

    def form(self, target: str, csrf: str, **fields: str) -> Answer:
        return self.send("POST", target, urlencode(fields | {"csrf": csrf}).encode())


@pytest.mark.parametrize("kind", HOSTS)
def test_signing_in_and_acting_works_below_a_path(kind: str, dashboard: Dashboard, tmp_path: Path) -> None:
    more = {"stage": "prod"} if kind == "lambda" else {}
    host = HOSTS[kind](SOURCE, tmp_path, {"DATABASE_URL": dashboard.url}, servers.ROOT, **more)
    visitor = Visitor(host, "/prod" if kind == "lambda" else WEB)
    try:
        away = visitor.send("GET", f"{visitor.root}/search?q=a")
        assert away.header("location") == f"{visitor.root}/sign-in?next=%2Fsearch%3Fq%3Da"
        form = visitor.page(away.header("location") or "")
        fields = {"token": dashboard.acme.tokens["admin"], "next": "/search?q=a"}
        done = visitor.form(f"{visitor.root}/sign-in", csrf_in(form), **fields)
        assert done.header("location") == f"{visitor.root}/search?q=a"
        visitor.page(f"{visitor.root}/search?q=a")
        setup = visitor.page(f"{visitor.root}/setup")
        made = visitor.form(f"{visitor.root}/setup/projects", csrf_in(setup), id=f"p-{kind}", name="Another")
        assert (made.status, made.header("location")) == (303, f"{visitor.root}/setup?project=p-{kind}")
        assert "is made" in notice_in(visitor.page(made.header("location") or ""))
        [style] = re.findall(r'href="([^"]+\.css)"', setup)
        assert visitor.send("GET", style).header("content-type") == "text/css; charset=utf-8"
        [icon] = re.findall(r'rel="icon" href="([^"]+)"', setup)
        assert visitor.send("GET", icon).body.startswith(b"<svg")
    finally:
        host.stop()

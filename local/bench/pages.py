"""How fast the dashboard's pages are for ten readers at a time: python -m local.bench.pages [embedded] [--scale 0.1]

On the database of the API's bench. Every page is to come within 120 ms, 95 times of 100, and to weigh 60 kB at most
with 25 rows; one of search has 50, each with all that its event holds.
"""

import http.client
import re
import sys
import threading
import time
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlencode

from local.bench import api_data, cpu
from local.bench.figure import Figure
from local.bench.filled import READERS, ROOT, Filled, Latencies, filled, in_opensearch, incident_id, quantile
from local.bench.run import Words, main
from local.hosts import web

REACH_MS, MOST_BYTES = 120.0, 60_000
ASKED, WARM = 200, 10


class Seen(NamedTuple):
    """One page: how long it took each time, and how much it weighs."""

    latencies: Latencies
    size: int


def figures(words: Words) -> Iterator[Figure]:
    with filled(native=in_opensearch(words), scale=words.scale) as data:
        yield from open_all(data, words.rounds(ASKED, 40))


def open_all(data: Filled, asked: int) -> Iterator[Figure]:
    """Each page's time and weight."""
    server = web.functions_framework("functions/dashboard/main.py", data.home, data.environ, ROOT)
    try:
        cookie = signed_in(server.port, data.tokens["bench"])
        for name, path in pages().items():
            yield from measured(server, cookie, name, path, asked)
    finally:
        server.stop()


def pages() -> dict[str, str]:
    """Every page, as people come to it."""
    return {
        "overview": "/",
        "incidents": "/incidents",
        "incidents, resolved": "/incidents?status=resolved",
        "incidents, all, critical": "/incidents?status=all&severity=critical",
        "incidents, of a project": "/incidents?project=bench-shop&env=prod",
        "incident, burning": "/incidents/" + incident_id(17),
        "incident, resolved": "/incidents/" + incident_id(40),
        "search, newest": "/search",
        "search, a day": "/search?range=24h",
        "search, rare word, 31 days": f"/search?range=31d&q={api_data.RARE}",
        "AI jobs": "/jobs",
        "setup": "/setup",
    }


def measured(server: web.Web, cookie: str, name: str, path: str, asked: int) -> Iterator[Figure]:
    """The server's own time is said too: it says less of what else the machine does."""
    before = cpu.used(server.process.pid)
    seen = read(server.port, cookie, path, asked)
    own = (cpu.used(server.process.pid) - before) / (asked + WARM * READERS)
    p50, p95 = quantile(seen.latencies, 0.5), quantile(seen.latencies, 0.95)
    note = f"p50 {p50:.0f} ms{unchanged(server, cookie, path, asked) if name in REFRESHED else ''}"
    what = f"page {name}, p95"
    yield Figure(what=what, value=p95, unit="ms", target=REACH_MS, most=True, cpu_us=own * 1e6, note=note)
    what, weight = f"page {name}, weight", seen.size / 1000
    target = MOST_BYTES / 1000 * (2 if name.startswith("search") else 1)
    yield Figure(what=what, value=weight, unit="kB", target=target, most=True)


def unchanged(server: web.Web, cookie: str, path: str, asked: int) -> str:
    """What a refresh takes that finds nothing new."""
    joint = "&" if "?" in path else "?"
    again = read(server.port, cookie, f"{path}{joint}part=live", asked, refresh=True)
    return f", nothing new p95 {quantile(again.latencies, 0.95):.0f} ms"


REFRESHED = ("overview", "incidents", "incident, burning")


def signed_in(port: int, token: str) -> str:
    """The session's cookie, as the sign-in form gives it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/sign-in")
    form = connection.getresponse()
    visit = cookies_of(form)
    [csrf] = re.findall(r'name="csrf" value="(\w+)"', form.read().decode())
    headers = {"content-type": "application/x-www-form-urlencoded", "cookie": visit}
    connection.request("POST", "/sign-in", urlencode({"token": token, "csrf": csrf, "next": "/"}), headers)
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 303, answer.status
    return cookies_of(answer)


def cookies_of(answer: http.client.HTTPResponse) -> str:
    said = [value.partition(";")[0] for name, value in answer.getheaders() if name.lower() == "set-cookie"]
    return "; ".join(pair for pair in said if not pair.endswith("="))


def read(port: int, cookie: str, path: str, asked: int, *, refresh: bool = False) -> Seen:
    """By ten readers, each one page after the other."""
    found: list[tuple[Latencies, list[int]]] = [([], []) for _ in range(READERS)]
    threads = [threading.Thread(target=ask, args=(port, cookie, path, asked, refresh, *mine)) for mine in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    latencies = sorted(latency for mine, _ in found for latency in mine)
    assert len(latencies) == asked, f"{path} failed"
    return Seen(latencies, max(size for _, sizes in found for size in sizes))


def ask(port: int, cookie: str, path: str, asked: int, refresh: bool, latencies: Latencies, sizes: list[int]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    etag = ""
    for n in range(asked // READERS + WARM):
        began = time.perf_counter()
        connection.request("GET", path, headers={"cookie": cookie, "if-none-match": etag})
        response = connection.getresponse()
        body = response.read()
        assert response.status == 200 or (refresh and response.status == 304), (path, response.status, body[:300])
        etag = (response.getheader("etag") or "") if refresh else ""
        if n >= WARM:
            latencies.append((time.perf_counter() - began) * 1000)
            sizes.append(len(body))
    connection.close()


if __name__ == "__main__":
    sys.exit(main("pages", __doc__, figures, ("native", "embedded")))

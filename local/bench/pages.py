"""How fast the dashboard's pages are for ten readers at a time: python -m local.bench.pages [--native] [--scale 0.1]

On the database of the API's bench. Every page is to come within 120 ms, 95 times of 100, and to weigh 60 kB at most.
"""

import http.client
import re
import sys
import threading
import time
from typing import NamedTuple
from urllib.parse import urlencode

import psutil

from local.bench import api_data
from local.bench.filled import READERS, ROOT, Filled, Latencies, filled, incident_id, parser, quantile
from local.hosts import web

REACH_MS, MOST_BYTES = 120.0, 60_000
ASKED, WARM = 200, 10


class Seen(NamedTuple):
    """One page: how long it took each time, and how much it weighs."""

    latencies: Latencies
    size: int


def main() -> int:
    words = parser(__doc__).parse_args()
    with filled(native=words.native, scale=words.scale) as data:
        return 1 if open_all(data) else 0


def open_all(data: Filled) -> list[str]:
    """Those that were too slow, or too heavy."""
    server = web.functions_framework("functions/dashboard/main.py", data.home, data.environ, ROOT)
    try:
        cookie = signed_in(server.port, data.tokens["bench"])
        bad = [name for name, path in pages().items() if not measured(server, cookie, name, path)]
    finally:
        server.stop()
    result = f"NOT reached by {', '.join(bad)}" if bad else "reached"
    print(f"to reach {REACH_MS:.0f} ms and {MOST_BYTES:,} bytes: {result}")
    return bad


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


def measured(server: web.Web, cookie: str, name: str, path: str) -> bool:
    """The server's own time is printed too: it says less of what else the machine does."""
    before = busy(server)
    seen = read(server.port, cookie, path)
    own = (busy(server) - before) * 1000 / (ASKED + WARM * READERS)
    joint = "&" if "?" in path else "?"
    refresh = read(server.port, cookie, f"{path}{joint}part=live", refresh=True) if name in REFRESHED else None
    p50, p95 = quantile(seen.latencies, 0.5), quantile(seen.latencies, 0.95)
    good = p95 <= REACH_MS and seen.size <= MOST_BYTES
    again = f"   nothing new {quantile(refresh.latencies, 0.95):5.1f} ms" if refresh else ""
    said = f"{name:28} p50 {p50:6.1f} ms   p95 {p95:6.1f} ms   own {own:5.1f} ms   {seen.size / 1000:5.1f} kB"
    print(f"{said}{again}{'' if good else '   <--'}", flush=True)
    return good


def busy(server: web.Web) -> float:
    """Seconds of processor time that it and its workers have used."""
    parent = psutil.Process(server.process.pid)
    used = [process.cpu_times() for process in (parent, *parent.children(recursive=True))]
    return float(sum(one.user + one.system for one in used))


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


def read(port: int, cookie: str, path: str, *, refresh: bool = False) -> Seen:
    """By ten readers, each one page after the other."""
    found: list[tuple[Latencies, list[int]]] = [([], []) for _ in range(READERS)]
    threads = [threading.Thread(target=ask, args=(port, cookie, path, refresh, *mine)) for mine in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    latencies = sorted(latency for mine, _ in found for latency in mine)
    assert len(latencies) == ASKED, f"{path} failed"
    return Seen(latencies, max(size for _, sizes in found for size in sizes))


def ask(port: int, cookie: str, path: str, refresh: bool, latencies: Latencies, sizes: list[int]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    etag = ""
    for n in range(ASKED // READERS + WARM):
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
    sys.exit(main())

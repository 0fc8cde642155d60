"""How fast the API answers ten readers at a time: python -m local.bench.api [embedded] [--scale 0.1]

On a database it fills: a million events, ten thousand incidents, five million bucket rows. Every read of one page is
to be answered within 50 ms, 95 times of 100; beside an organisation that asks the dearest question as often as it can,
another's answers are to take at most half as long again. Then the pages of the dashboard, on the same database.
"""

import http.client
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from local.bench import api_data, cpu, pages
from local.bench.figure import Figure
from local.bench.filled import READERS, ROOT, Filled, Latencies, filled, in_opensearch, incident_id, quantile
from local.bench.run import Words, main
from local.hosts import web

ASKED, REACH_MS = 400, 50.0
WARM = 20  # of each reader, not counted: connections are opened, and OpenSearch compiles itself
BESIDE = 0.67  # of its pace alone an organisation keeps beside a hostile one
HOSTILE = "/v1/search/counts?q=-nothing%20upstream%20-else"


def figures(words: Words) -> Iterator[Figure]:
    with filled(native=in_opensearch(words), scale=words.scale) as data:
        yield from read_all(data, words.rounds(ASKED, 40))
        yield from pages.open_all(data, words.rounds(pages.ASKED, 40))


def read_all(data: Filled, asked: int) -> Iterator[Figure]:
    """Each read; then one organisation's list while another asks the dearest question as often as it can."""
    server = web.functions_framework("functions/core_api/main.py", data.home, data.environ, ROOT)
    try:
        for name, path in reads(data.cursor).items():
            before = cpu.used(server.process.pid)
            latencies = measure(server.port, data.tokens["bench"], path, asked=asked)
            own = (cpu.used(server.process.pid) - before) / (asked + WARM * READERS)
            yield answered(f"read {name}, p95", latencies, own)
        yield hostility(server.port, data.tokens, asked)
    finally:
        server.stop()


def answered(what: str, latencies: Latencies, own: float) -> Figure:
    p50, p95 = quantile(latencies, 0.5), quantile(latencies, 0.95)
    note = f"p50 {p50:.1f} ms"
    return Figure(what=what, value=p95, unit="ms", target=REACH_MS, most=True, cpu_us=own * 1e6, note=note)


def reads(page: str) -> dict[str, str]:
    """Every read there is, in the form that a page of the dashboard or a program asks it."""
    incident = "/v1/incidents/" + incident_id(17)
    return {
        "incidents": "/v1/incidents",
        "incidents, page 100": f"/v1/incidents?cursor={page}",
        "incidents, open": "/v1/incidents?status=open",
        "incidents, critical": "/v1/incidents?severity=critical",
        "incidents, of a rule": "/v1/incidents?rule=signup_drop",
        "incidents, of a project": "/v1/incidents?project_id=bench-shop&environment=prod",
        "incidents, by word": "/v1/incidents?q=route/77",
        "one incident": incident,
        "search, newest": "/v1/search/events",
        "search, rare word": f"/v1/search/events?q={api_data.RARE}",
        "search, field": "/v1/search/events?q=route:%22/route/7%22",
        "search counts, rare word": f"/v1/search/counts?q={api_data.RARE}",
        "deploys": "/v1/deploys",
        "overview": "/v1/metrics/overview",
        "trends, a day by hours": "/v1/metrics/trends",
        "trends, a month by days": "/v1/metrics/trends?step=day&from=" + month_ago(),
        "trends, a day by severity": "/v1/metrics/trends?by=severity",
        "trends, a day by environment": "/v1/metrics/trends?by=environment",
        "trends, a day by route": "/v1/metrics/trends?by=route",
        "AI stats": "/v1/ai/stats",
        "AI activity": "/v1/ai/activity",
        "AI jobs": "/v1/ai/jobs",
        "AI jobs, failed": "/v1/ai/jobs?status=failed",
        "projects": "/v1/projects",
        "keys": "/v1/projects/bench-shop/keys",
        "tokens": "/v1/tokens",
    }


def month_ago() -> str:
    return datetime.fromtimestamp(time.time() - 30 * 86_400, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def measure(port: int, token: str, path: str, *, asked: int, readers: int = READERS) -> Latencies:
    """Milliseconds of each answer, to so many readers who ask one after the other."""
    found: list[Latencies] = [[] for _ in range(readers)]
    threads = [threading.Thread(target=ask, args=(port, token, path, asked // readers, mine)) for mine in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(latency for mine in found for latency in mine)


def ask(port: int, token: str, path: str, times: int, found: Latencies) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for n in range(times + WARM):
        began = time.perf_counter()
        connection.request("GET", path, headers={"authorization": f"Bearer {token}"})
        response = connection.getresponse()
        body = response.read()
        assert response.status == 200, (path, response.status, body[:300])
        if n >= WARM:
            found.append((time.perf_counter() - began) * 1000)
    connection.close()


def hostility(port: int, tokens: dict[str, str], asked: int) -> Figure:
    """The p95 of one organisation's list beside the other, which has four reads under way; the baseline is it alone."""
    alone = measure(port, tokens["bench"], "/v1/incidents", asked=asked, readers=2)
    over = threading.Event()
    attackers = [threading.Thread(target=attack, args=(port, tokens["hostile"], over)) for _ in range(READERS)]
    for thread in attackers:
        thread.start()
    time.sleep(1)
    beside = measure(port, tokens["bench"], "/v1/incidents", asked=asked, readers=2)
    over.set()
    for thread in attackers:
        thread.join()
    what, baseline = "read incidents beside a hostile organisation, p95", quantile(alone, 0.95)
    return Figure(what=what, value=quantile(beside, 0.95), unit="ms", baseline=baseline, times=BESIDE, most=True)


def attack(port: int, token: str, over: threading.Event) -> None:
    """Whatever the answer is."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    while not over.is_set():
        connection.request("GET", HOSTILE, headers={"authorization": f"Bearer {token}"})
        connection.getresponse().read()
    connection.close()


if __name__ == "__main__":
    sys.exit(main("api", __doc__, figures, ("native", "embedded")))

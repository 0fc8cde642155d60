"""Without its database the dashboard says so, and nothing else breaks."""

from pathlib import Path

from local.hosts import web
from local.servers.process import free_port
from tests import servers


def test_without_a_database_there_is_a_page_that_says_so(tmp_path: Path) -> None:
    url = f"postgresql://nobody@127.0.0.1:{free_port()}/none"
    host = web.uvicorn("functions/dashboard/main.py", tmp_path, {"DATABASE_URL": url}, servers.ROOT)
    try:
        answer = host.request("GET", "/incidents?status=mine")
        assert answer.status == 503
        assert answer.header("retry-after")
        text = answer.body.decode()
        assert "The dashboard cannot reach its database." in text
        assert '<a class="button primary" href="/incidents?status=mine">Try again</a>' in text
        assert host.request("GET", "/sign-in").status == 503
        assert host.request("GET", "/readyz").status == 503
        assert host.request("GET", "/health").status == 200
    finally:
        host.stop()

"""The AI worker on a real database and the stand-in model, with a clock and a die that tests hold."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from common import settings
from common.clients.postgres.connection import Connection
from common.clients.postgres.database import Database
from common.clients.search import search_for
from common.settings import Settings
from functions.ai_worker.work import Tools, Worker, asker
from local.hosts.web import Web
from tests import servers
from tests.incident import NOW


class StandIn:
    """The stand-in model as a process."""

    def __init__(self, home: Path) -> None:
        self.host = Web("model", ["local.model"], home, cwd=servers.ROOT)
        self.url = f"http://127.0.0.1:{self.host.port}/v1"

    def close(self) -> None:
        self.host.stop()


def configured(database_url: str, model_url: str = "", script: str = "", **more: str) -> Settings:
    """Settings of a worker; without a model's address there is none."""
    model = {"GRADIENT_BASE_URL": model_url, "GRADIENT_MODEL": f"stand-in:{script}"} if model_url else {}
    return settings.read({"DATABASE_URL": database_url} | model | more)


class Bench:
    """One worker in this process. Time stands still until `later` is said; chance is a half."""

    def __init__(self, where: Settings, now: datetime = NOW, ask: Callable[[str, str], object] | None = None) -> None:
        self.moment = now
        self.database = Database(2, lambda: where.database)
        self.search = search_for(where, self.database)
        asks: object = ask or asker(where)
        self.tools = Tools(where, self.database, self.search, asks, lambda: self.moment, 0)  # type: ignore[arg-type]
        self.worker = Worker(self.tools, lambda: 0.5)

    def later(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)

    def close(self) -> None:
        self.database.close()


def state(conn: Connection, job: UUID) -> tuple[str, int, str]:
    """Status, failed attempts, and the reason kept."""
    [[status, attempts, error]] = conn.run(
        "SELECT status, attempt_count, coalesce(last_error, '') FROM ai_jobs WHERE id = :id", id=job
    )
    return status, attempts, error

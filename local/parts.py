"""The functions and other processes of a local stack: one line each; a new one is added here and nowhere else."""

from pathlib import Path
from typing import NamedTuple


class Part(NamedTuple):
    name: str
    source: str  # a module's file below the root
    port: int  # the wanted one; the next free one is taken
    address: str = ""  # the variable of .local/env that says where it is
    needs: str = ""  # the variable without which there is no use for it

    @property
    def exists(self) -> bool:
        return (Path(__file__).parent.parent / self.source).exists()


PUBLIC = (
    Part("ingest", "functions/ingest/main.py", 3000, "INGEST_API_URL"),
    Part("core_api", "functions/core_api/main.py", 3001, "CORE_API_URL"),
    Part("dashboard", "functions/dashboard/main.py", 3002, "DASHBOARD_URL"),
)
# What they read and in which group, local/poller/stations.py says.
STATIONS = (
    Part("indexer", "functions/indexer/main.py", 3010),
    Part("incident_engine", "functions/incident_engine/main.py", 3011),
    Part("ai_worker", "functions/ai_worker/main.py", 3012),
    Part("archiver", "functions/archiver/main.py", 3013, needs="S3_BUCKET"),
)
FUNCTIONS = PUBLIC + STATIONS
POLLER, POLLER_PORT = "poller", 3020
MODEL, MODEL_PORT = "model", 3021

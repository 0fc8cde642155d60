"""What doctor says of connections, held against the code that opens them."""

import re

import pytest

from common import settings
from common.errors import Misconfigured
from local import connections
from local.connections import PARTS
from tests.servers import ROOT

POSTGRES = settings.read({"DATABASE_URL": "postgresql://a@127.0.0.1/b"})
KAFKA = settings.read(
    {"DATABASE_URL": "postgresql://a@127.0.0.1/b", "KAFKA_BROKERS": "k:1", "OPENSEARCH_URL": "http://o"}
)


@pytest.mark.parametrize("name", [name for name in PARTS if name != "indexer"])
def test_a_part_opens_as_many_as_its_code_says(name: str) -> None:
    folder = ROOT / {"schedules": "schedules", "poller": "local/poller"}.get(name, f"functions/{name}")
    sizes = re.findall(r"\bDatabase\((\d+)", "".join(file.read_text() for file in folder.rglob("*.py")))
    assert sum(map(int, sizes)) == PARTS[name].own + PARTS[name].search


def test_a_log_and_a_search_in_postgres_cost_connections_too() -> None:
    one = connections.instances([])
    assert connections.most(POSTGRES, one)["ingest"] == 4
    assert connections.most(KAFKA, one)["ingest"] == 3
    assert connections.most(POSTGRES, one)["poller"] == 12
    assert connections.most(KAFKA, one)["poller"] == 2
    assert (connections.most(POSTGRES, one)["indexer"], connections.most(KAFKA, one)["indexer"]) == (2, 0)


def test_instances_count_and_others_are_one() -> None:
    counts = connections.instances(["ingest=20", "archiver=0"])
    assert (counts["ingest"], counts["core_api"], counts["archiver"]) == (20, 1, 0)
    assert connections.most(KAFKA, counts)["ingest"] == 60


@pytest.mark.parametrize("word", ["ingest", "ingest=x", "nobody=3", "=3", "ingest=-1"])
def test_a_mistake_names_the_parts(word: str) -> None:
    with pytest.raises(Misconfigured, match="the parts are ingest, indexer"):
        connections.instances([word])

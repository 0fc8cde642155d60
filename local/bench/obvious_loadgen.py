"""What one would write: a loop that posts the same events with httpx. `python -m local.bench.obvious_loadgen`"""

import sys
from datetime import UTC, datetime

import httpx

from local.loadgen.events import Plan, batch_of


def main(url: str, requests: int, batch: int) -> None:
    plan = Plan("normal", 100, requests * batch / 100, 1, batch, "prod", "0" * 18, datetime.now(UTC))
    with httpx.Client() as client:
        for number in range(requests):
            client.post(f"{url}/v1/events/batch", json=batch_of(plan, number)).raise_for_status()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))

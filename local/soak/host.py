"""The harness with a way to each store, which can be made slow: `python -m local.soak.host STACK NAME=PORT …`"""

import os
import sys
from collections.abc import Mapping

from local import harness
from local.servers.kafka import KafkaServer
from local.stacks import Stack


class Behind(Stack):
    """Its stores run as always; who is told where they are is told the way."""

    def __init__(self, name: str, given: Mapping[str, str], ways: Mapping[str, int]) -> None:
        super().__init__(name, given)
        self._ways = ways
        for server in self.servers.values():
            if isinstance(server, KafkaServer):
                server.told_port = ways["kafka"]

    def connections(self) -> dict[str, str]:
        found = super().connections()
        for name, server in self.servers.items():
            here, way = f"127.0.0.1:{server.port}", f"127.0.0.1:{self._ways[name]}"
            found = {variable: value.replace(here, way) for variable, value in found.items()}
        return found


def main(arguments: list[str]) -> int:
    name, *pairs = arguments
    ways = {store: int(port) for store, port in (pair.split("=") for pair in pairs)}
    return harness.run(Behind(name, harness.given_connections(os.environ), ways), remote=False, quiet=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

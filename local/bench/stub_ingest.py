"""An ingest that accepts everything and does nothing: what is measured before it is its sender alone."""

import asyncio
import re
import sys
from typing import Any

IDS = re.compile(rb'"event_id":\s*"([0-9a-f-]{36})"')


class Stub(asyncio.Protocol):
    """Answers each batch with the ids it was sent."""

    def connection_made(self, transport: Any) -> None:
        self.transport, self.received = transport, bytearray()

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, _, body = self.received.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        if not length or len(body) < int(length):
            return
        self.received.clear()
        ids = b",".join(b'"%b"' % one for one in IDS.findall(body))
        answer = b'{"accepted":%d,"event_ids":[%b],"rejected":[]}' % (ids.count(b",") + bool(ids), ids)
        self.transport.write(b"HTTP/1.1 202 Accepted\r\ncontent-length: %d\r\n\r\n%b" % (len(answer), answer))


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Stub, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[sys.argv.index("--port") + 1])))

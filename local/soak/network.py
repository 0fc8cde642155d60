"""A way to one store on this machine that can be made slow: each piece is held back, in either direction."""

import asyncio
import threading
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable
from contextlib import closing, suppress

PIECE = 65536


class Way:
    """Whoever connects to `port` speaks with the store, wherever it listens at that moment."""

    def __init__(self, to: Callable[[], int]) -> None:
        self.port, self.seconds = 0, 0.0
        self._to, self._loop = to, asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._over = asyncio.Event()
        server = await asyncio.start_server(self._carry, "127.0.0.1")
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._over.wait()
        server.close()

    async def _carry(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Until one of the two hangs up; then the other hears of it."""
        with closing(writer), suppress(OSError):
            there, back = await asyncio.open_connection("127.0.0.1", self._to())
            with closing(back):
                ways = {asyncio.create_task(self._bring(*ends)) for ends in ((reader, back), (there, writer))}
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                for way in ways:
                    way.cancel()

    async def _bring(self, reader: StreamReader, writer: StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reader.read(PIECE):
                if self.seconds:
                    await asyncio.sleep(self.seconds)
                writer.write(piece)
                await writer.drain()

"""A member of a group as a process, for tests to kill and to freeze: `python -m tests.member TOPIC GROUP`.

It says every change of what it is assigned. A line on its input makes it commit at once what it holds at that moment,
as a poller does whose station has just answered, and say how that went.
"""

import os
import sys
import threading

from common import settings
from common.clients.stream import Fenced, Reader, stream_for
from common.errors import Unavailable


def main(topic: str, group: str) -> None:
    reader = stream_for(settings.read(os.environ)).reader(topic, group)
    held: dict[int, int] = {}
    said: list[int] = []
    threading.Thread(target=listen, args=(reader, held), daemon=True).start()
    while True:
        reader.read(1000, 8_000_000, 0.1)
        now = reader.assigned()
        if sorted(now) != said:
            said = sorted(now)
            say("assigned", *said)
        if now:  # what it lost it still believes to hold, as a station's late answer does
            held.clear()
            held.update(now)


def listen(reader: Reader, held: dict[int, int]) -> None:
    for _ in sys.stdin:
        try:
            reader.commit(dict(held))
            say("committed")
        except Fenced as fenced:
            say("fenced", *sorted(fenced.partitions))
        except Unavailable as error:
            say("unavailable", error)


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")  # in one piece: two threads speak
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
